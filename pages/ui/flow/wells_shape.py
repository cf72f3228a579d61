"""The shape of the well: radius over time, who escapes, how deep it is, and the landscape on a plane."""

from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.ui import state
from pages.ui.downloads import offer_still
from pages.ui.errors import show_error
from pages.ui.flow import flow_cache
from wtflow.errors import WTFlowError
from wtflow.export.tables import depth_csv, escape_csv, landscape_csv, radius_csv
from wtflow.plots import theme
from wtflow.plots.groups import group_colours
from wtflow.plots.landscape import plot_landscape_field, plot_landscape_surface
from wtflow.plots.well import plot_depth, plot_escape, plot_radius_heat
from wtflow.records.core import GOOD
from wtflow.records.flow import UNMARKED, Landscape, Travel
from wtflow.results import RunResults
from wtflow.store.runs import RunStore
from wtflow.studies.landscape import describe_landscape
from wtflow.studies.well import escape_curve, radius_density, shell, well_depth, well_radius

PLANES: dict[flow_cache.PlaneKind, str] = {"axes": "Principal axes of normals", "pair": "Through a normal and a defect"}
TIMES = [i / 20 for i in range(21)]
RADIUS_WORDS = (
    "Distance from the origin over time. The dashed line holds 99\N{NBSP}% of the normal positions; the dotted one is"
    " where noise lies."
)
ESCAPE_WORDS = (
    "Share of positions outside the normals' 99\N{NBSP}% radius."
    " About 1\N{NBSP}% of normals lie outside by construction."
)
DEPTH_WORDS = (
    "What a normal would have to climb from the median radius to the 99\N{NBSP}% radius, with the field's pull along"
    " the radius as slope. Above zero the field holds normals in; below zero it pushes them out."
)


@dataclass(frozen=True)
class Shape:
    """The well's numbers (arrays, or arrays by group) and their figures."""

    edges: Any
    shares: dict[str, Any]
    curves: dict[str, Any]
    depths: Any
    radius: Any
    escape: Any
    depth: Any


def show_shape(travel: Travel, key: flow_cache.Key) -> None:
    """Radius, escape and depth. Needs positions of normal images. key: what the travel depends on."""
    shape = _shape(key, travel)
    st.caption(RADIUS_WORDS)
    st.plotly_chart(
        shape.radius, key="radius", config=theme.CONFIG, alt="Histograms of the distance from the origin over time"
    )
    spread = travel.t, shape.edges, shape.shares
    offer_still("radius", "still_radius", *spread, travel.n_channels, csv=lambda: radius_csv(*spread))
    left, right = _pair("curves")
    with left:
        st.subheader("Who escapes", anchor=False)
        st.plotly_chart(shape.escape, key="escape", config=theme.CONFIG, alt="Share outside the well over time")
        st.caption(ESCAPE_WORDS)  # below, so that the two figures stand side by side however long the words are
        offer_still("escape", "still_escape", travel.t, shape.curves, csv=lambda: escape_csv(travel.t, shape.curves))
    with right:
        st.subheader("How deep the well is", anchor=False)
        st.plotly_chart(shape.depth, key="depth", config=theme.CONFIG, alt="Depth of the well over time")
        st.caption(DEPTH_WORDS)
        offer_still("depth", "still_depth", travel.t, shape.depths, csv=lambda: depth_csv(travel.t, shape.depths))


@st.cache_resource(max_entries=8, show_spinner=False)
def _shape(key: flow_cache.Key, _travel: Travel) -> Shape:
    groups = _travel.positions.groups
    defects = tuple(name for name in groups if name not in (GOOD, UNMARKED))
    edges, normal = radius_density(_travel, (GOOD,))
    defect = radius_density(_travel, defects)[1] if defects else None
    curves = {name: curve for name, curve in escape_curve(_travel).items() if name != UNMARKED}
    depths = well_depth(_travel)
    return Shape(
        edges,
        {"normal": normal} | ({"defect": defect} if defect is not None else {}),
        curves,
        depths,
        radius=plot_radius_heat(edges, normal, defect, _travel.t, well_radius(_travel), shell(_travel.n_channels)),
        escape=plot_escape(_travel.t, curves, group_colours(groups)),
        depth=plot_depth(_travel.t, depths).update_layout(
            height=theme.CHART_HEIGHT_PX
        ),  # side by side, so of one height
    )


@st.fragment
def show_landscape(store: RunStore, results: RunResults) -> None:
    """The field and its potential on a plane, at a chosen time. A fragment: moving the time leaves the rest
    of the page alone.
    """
    st.subheader("Landscape", anchor=False)
    kind: flow_cache.PlaneKind = state.choose("plane", PLANES, "axes")
    found = state.get_number("at")
    time = min(TIMES, key=lambda t: abs(t - (0.0 if found is None else found)))
    left, right = _pair("choices")
    with left:
        st.segmented_control(
            "Plane", list(PLANES), required=True, format_func=PLANES.__getitem__, **state.bound("plane", kind)
        )
    with right:
        st.select_slider("Time t", TIMES, format_func=lambda t: f"{t:.2f}", **state.bound("at", time))
    normal, defect = _places(results)
    if normal is None or defect is None:
        st.info("The landscape needs a normal and a defective test image.", icon=":material/info:")
        return
    try:
        with st.spinner("Measuring the field on the plane (the first time loads the network: some seconds)"):
            landscape = flow_cache.landscape(store, results.run_id, kind, normal, defect, time)
            field, surface = _landscape_figures(
                (flow_cache.run_key(store, results.run_id), kind, normal, defect, time), landscape
            )
    except WTFlowError as error:
        show_error(error)
        return
    left, right = _pair("landscape")
    left.plotly_chart(
        field, key="landscape_field", config=theme.CONFIG, alt="Arrows of the field over contours of the potential"
    )
    right.plotly_chart(surface, key="landscape_surface", config=theme.CONFIG, alt="The potential as a surface")
    st.caption(
        f"{describe_landscape(landscape)} The learned field need not be a gradient: the potential is the least-squares"
        " fit whose slope matches it (a Helmholtz projection). Marked: the origin, a typical normal position and the"
        " highest position of the worst image."
    )
    offer_still("landscape", "still_landscape", landscape, csv=lambda: landscape_csv(landscape))


@st.cache_resource(max_entries=60, show_spinner=False)
def _landscape_figures(key: flow_cache.Key, _landscape: Landscape) -> tuple[Any, Any]:
    return plot_landscape_field(_landscape), plot_landscape_surface(_landscape)


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
