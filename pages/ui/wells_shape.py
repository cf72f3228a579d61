"""The shape of the well: radius over time, who escapes, how deep it is, and the landscape on a plane."""

import streamlit as st

from pages.ui import cache_flow, state
from pages.ui.errors import show_error
from pages.ui.take_home import offer_still
from wtflow.errors import WTFlowError
from wtflow.landscape import describe_landscape
from wtflow.plots import theme
from wtflow.plots.groups import group_colours
from wtflow.plots.landscape import plot_landscape_field, plot_landscape_surface
from wtflow.plots.well import plot_depth, plot_escape, plot_radius_heat
from wtflow.records import GOOD
from wtflow.records_flow import UNMARKED, Travel
from wtflow.results import RunResults
from wtflow.store.runs import RunStore
from wtflow.take_home import depth_csv, escape_csv, landscape_csv, radius_csv
from wtflow.well import escape_curve, radius_density, shell, well_depth, well_radius

PLANES = {"axes": "Principal axes of normals", "pair": "Through a normal and a defect"}
TIMES = [i / 20 for i in range(21)]
RADIUS_WORDS = "Distance from the origin over time. The dashed line holds 99 % of the normal positions; the dotted one is where noise lies."
ESCAPE_WORDS = "Share of positions outside the normals' 99 % radius. About 1 % of normals lie outside by construction."
DEPTH_WORDS = (
    "What a normal would have to climb from the median radius to the 99 % radius, with the field's pull along the radius as slope. "
    "Above zero the field holds normals in; below zero it pushes them out."
)


def show_shape(travel: Travel) -> None:
    """Radius, escape and depth. Needs positions of good images."""
    groups = travel.positions.groups
    defects = tuple(name for name in groups if name not in (GOOD, UNMARKED))
    edges, normal = radius_density(travel, (GOOD,))
    defect = radius_density(travel, defects)[1] if defects else None
    st.caption(RADIUS_WORDS)
    figure = plot_radius_heat(edges, normal, defect, travel.t, well_radius(travel), shell(travel.n_channels))
    st.plotly_chart(figure, key="radius", config=theme.CONFIG, alt="Histograms of the distance from the origin over time")
    shares = {"normal": normal} | ({"defect": defect} if defect is not None else {})
    offer_still("radius", "still_radius", travel.t, edges, shares, travel.n_channels, csv=lambda: radius_csv(travel.t, edges, shares))
    curves = {name: curve for name, curve in escape_curve(travel).items() if name != UNMARKED}
    escape = plot_escape(travel.t, curves, group_colours(groups))
    depths = well_depth(travel)
    depth = plot_depth(travel.t, depths).update_layout(height=theme.CHART_HEIGHT_PX)  # side by side, so of one height
    left, right = _pair("curves")
    with left:
        st.subheader("Who escapes", anchor=False)
        st.plotly_chart(escape, key="escape", config=theme.CONFIG, alt="Share outside the well over time")
        st.caption(ESCAPE_WORDS)  # below, so that the two figures stand side by side however long the words are
        offer_still("escape", "still_escape", travel.t, curves, csv=lambda: escape_csv(travel.t, curves))
    with right:
        st.subheader("How deep the well is", anchor=False)
        st.plotly_chart(depth, key="depth", config=theme.CONFIG, alt="Depth of the well over time")
        st.caption(DEPTH_WORDS)
        offer_still("depth", "still_depth", travel.t, depths, csv=lambda: depth_csv(travel.t, depths))


@st.fragment
def show_landscape(store: RunStore, results: RunResults) -> None:
    """The field and its potential on a plane, at a time of one's choice. A fragment: moving the time leaves the rest of the page alone."""
    st.subheader("Landscape", anchor=False)
    kind = state.get("plane") if state.get("plane") in PLANES else "axes"
    found = state.get_number("at")
    time = min(TIMES, key=lambda t: abs(t - (0.0 if found is None else found)))
    left, right = _pair("choices")
    with left:
        st.segmented_control("Plane", list(PLANES), required=True, format_func=PLANES.__getitem__, **state.bound("plane", kind))
    with right:
        st.select_slider("Time t", TIMES, format_func=lambda t: f"{t:.2f}", **state.bound("at", time))
    normal, defect = _places(results)
    if normal is None or defect is None:
        st.info("The landscape needs a good and a defective test image.", icon=":material/info:")
        return
    try:
        with st.spinner("Measuring the field on the plane (the first time loads the network: some seconds)"):
            landscape = cache_flow.landscape(store, results.run_id, kind, normal, defect, time)
    except WTFlowError as error:
        show_error(error)
        return
    left, right = _pair("landscape")
    left.plotly_chart(
        plot_landscape_field(landscape),
        key="landscape_field",
        config=theme.CONFIG,
        alt="Arrows of the field over contours of the potential",
    )
    right.plotly_chart(plot_landscape_surface(landscape), key="landscape_surface", config=theme.CONFIG, alt="The potential as a surface")
    st.caption(
        f"{describe_landscape(landscape)} The learned field need not be a gradient: the potential is the least-squares fit whose slope matches it "
        "(a Helmholtz projection). Marked: the origin, a typical normal position and the highest position of the worst image."
    )
    offer_still("landscape", "still_landscape", landscape, csv=lambda: landscape_csv(landscape))


def _pair(name: str) -> list:
    """Two columns, one below the other where there is no room for both."""
    with st.container(key=f"pair_{name}"):
        return st.columns(2, vertical_alignment="bottom" if name == "choices" else "top", gap="large")


def _places(results: RunResults) -> tuple[tuple[int, int, int] | None, tuple[int, int, int] | None]:
    """The peak of the good image in the middle of the scores, and of the defective image with the highest score."""
    test = results.test.sort_values(["score", "sample_id"])
    good, bad = test[~test.is_defective], test[test.is_defective]
    of = lambda facts: (int(facts.row), int(facts.peak_row), int(facts.peak_column))  # noqa: E731
    return (of(good.iloc[len(good) // 2]) if len(good) else None, of(bad.iloc[-1]) if len(bad) else None)
