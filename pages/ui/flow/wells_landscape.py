"""The landscape: the field on a plane through feature space, and the potential that explains most of it."""

from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.ui import answers, state
from pages.ui.downloads import offer_still
from pages.ui.flow import flow_cache
from wtflow.export.tables import landscape_csv
from wtflow.plots import theme
from wtflow.plots.landscape import plot_landscape_field, plot_landscape_surface
from wtflow.records.flow import PlaneKind
from wtflow.results import RunResults
from wtflow.store.runs import RunStore
from wtflow.studies.landscape import describe_landscape
from wtflow.studies.requests import LandscapeAnswer, LandscapeRequest

PLANES: dict[PlaneKind, str] = {"axes": "Principal axes of normals", "pair": "Through a normal and a defect"}
TIMES = [i / 20 for i in range(21)]


@st.fragment
def show_landscape(store: RunStore, results: RunResults) -> None:
    """The field and its potential on a plane. All times are computed once; the surface plays in the browser, the slider
    chooses what both figures show and what is downloaded. A fragment: the rest of the page is left alone.
    """
    if results.settings.network != "mlp":
        st.info("The unet moves whole images, so a single position has no landscape.", icon=":material/info:")
        return
    kind: PlaneKind = state.choose("plane", PLANES, "axes")
    found = state.get_number("at")
    time = min(TIMES, key=lambda t: abs(t - (0.0 if found is None else found)))
    request = landscape_request(results, kind)
    if request is None:
        st.info("The landscape needs a normal and a defective test image.", icon=":material/info:")
        return
    left, right = _pair("choices")
    with left:
        st.segmented_control(
            "Plane", list(PLANES), required=True, format_func=PLANES.__getitem__, **state.bound("plane", kind)
        )
    with right:
        st.select_slider("Time t", TIMES, format_func=lambda t: f"{t:.2f}", **state.bound("at", time))
    what = f"Measure the field on the plane at {len(TIMES)} times"
    landscapes = answers.read_task(store, results.run_id, request, what, "some seconds", at_once=True)
    if landscapes is None:
        return
    at = TIMES.index(time)
    key = flow_cache.answer_key(store, results.run_id, request)
    left, right = _pair("landscape")
    left.plotly_chart(
        _figure("surface", key, at, landscapes),
        key="landscape_surface",
        config=theme.CONFIG,
        alt="The potential as a surface",
    )
    right.plotly_chart(
        _figure("field", key, at, landscapes),
        key="landscape_field",
        config=theme.CONFIG,
        alt="Arrows of the field over contours of the potential",
    )
    landscape = landscapes[at]
    st.caption(
        f"{describe_landscape(landscape)} The learned field need not be a gradient: the potential is the least-squares"
        " fit whose slope matches it (a Helmholtz projection). Marked: the origin, a typical normal position and the"
        " highest position of the worst image."
    )
    offer_still("landscape", "still_landscape", landscape, csv=lambda: landscape_csv(landscape))


def landscape_request(results: RunResults, kind: PlaneKind) -> LandscapeRequest | None:
    """The landscape with a typical normal and the worst defect; None where the run lacks one of them."""
    normal, defect = _places(results)
    if normal is None or defect is None:
        return None
    return LandscapeRequest(plane=kind, normal=normal, defect=defect)


@st.cache_resource(max_entries=24, show_spinner=False)
def _figure(what: str, key: flow_cache.Key, at: int, _landscapes: LandscapeAnswer) -> Any:
    if what == "surface":
        return plot_landscape_surface(_landscapes, at)
    return plot_landscape_field(_landscapes[at])


def _pair(name: str) -> tuple[DeltaGenerator, DeltaGenerator]:
    """Two columns, one below the other where there is no room for both."""
    with st.container(key=f"pair_{name}"):
        left, right = st.columns(2, vertical_alignment="bottom" if name == "choices" else "top", gap="large")
    return left, right


def _places(results: RunResults) -> tuple[tuple[int, int, int] | None, tuple[int, int, int] | None]:
    """The peak of the normal image in the middle of the scores, and of the defective image with the highest score."""
    test = results.test.sort_values(["score", "sample_id"])
    good, bad = test[~test.is_defective], test[test.is_defective]
    of = lambda image: (int(image.row), int(image.peak_row), int(image.peak_column))  # noqa: E731
    return (of(good.iloc[len(good) // 2]) if len(good) else None, of(bad.iloc[-1]) if len(bad) else None)
