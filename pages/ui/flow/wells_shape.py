"""The shape of the well: radius over time, who escapes, how deep it is. Each figure is made when it is shown."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from pages.ui.downloads import offer_still
from pages.ui.flow import flow_cache
from pages.ui.words import glossed
from wtflow.export.tables import depth_csv, escape_csv, radius_csv
from wtflow.plots import theme
from wtflow.plots.groups import group_colours
from wtflow.plots.well import plot_depth, plot_escape, plot_radius, plot_radius_heat
from wtflow.records.core import GOOD
from wtflow.records.flow import UNMARKED, Travel
from wtflow.studies.well import escape_curve, radius_density, radius_spread, shell, well_depth, well_radius

RADIUS_WORDS = (
    "Distance from the origin over time. The dashed line holds 99\N{NBSP}% of the normal positions; the dotted one is"
    " where noise lies."
)
ESCAPE_WORDS = (
    "Share of positions outside the normals' 99\N{NBSP}% radius. About 1\N{NBSP}% of normals lie outside by"
    " construction."
)
DEPTH_WORDS = (
    "What a normal would have to climb from the median radius to the 99\N{NBSP}% radius, with the field's pull along"
    " the radius as slope. Above zero the field holds normals in; below zero it pushes them out."
)
WIDE_PX = 380
"""Height of a figure that has the whole width."""


def show_radius(travel: Travel, key: flow_cache.Key) -> None:
    """Normal and defect on one axis, to stand beside the map. key: what the travel depends on."""
    figure, _ = _made("radius", key, travel)
    st.markdown("**Radius over time**: median, and the band of nine tenths")
    st.plotly_chart(
        figure, key="radius", config=theme.CONFIG, alt="Distance from the origin over time, normals and defects"
    )


def show_escape(travel: Travel, key: flow_cache.Key) -> None:
    """Share outside the well over time, per type. Needs positions of normal images, as the rest does."""
    figure, curves = _made("escape", key, travel)
    st.plotly_chart(figure, key="escape", config=theme.CONFIG, alt="Share outside the well over time")
    st.caption(glossed(ESCAPE_WORDS))
    offer_still("escape", "still_escape", travel.t, curves, csv=lambda: escape_csv(travel.t, curves))


def show_depth(travel: Travel, key: flow_cache.Key) -> None:
    """What a normal would have to climb to get out, over time."""
    figure, depths = _made("depth", key, travel)
    st.plotly_chart(figure, key="depth", config=theme.CONFIG, alt="Depth of the well over time")
    st.caption(DEPTH_WORDS)
    offer_still("depth", "still_depth", travel.t, depths, csv=lambda: depth_csv(travel.t, depths))


def show_spread(travel: Travel, key: flow_cache.Key) -> None:
    """Histograms of the distance from the origin, at every time."""
    figure, (edges, shares) = _made("spread", key, travel)
    st.plotly_chart(
        figure, key="spread", config=theme.CONFIG, alt="Histograms of the distance from the origin over time"
    )
    st.caption(glossed(RADIUS_WORDS))
    spread = travel.t, edges, shares
    offer_still("radius", "still_radius", *spread, travel.n_channels, csv=lambda: radius_csv(*spread))


@st.cache_resource(max_entries=32, show_spinner=False)
def _made(what: str, key: flow_cache.Key, _travel: Travel) -> tuple[Any, Any]:
    """A figure and the numbers in it."""
    return _MAKE[what](_travel)


def _defects(travel: Travel) -> tuple[str, ...]:
    return tuple(name for name in travel.positions.groups if name not in (GOOD, UNMARKED))


def _radius(travel: Travel) -> tuple[Any, Any]:
    spreads = radius_spread(travel)
    radius = well_radius(travel) if GOOD in travel.positions.groups else None
    return plot_radius(travel.t, spreads, radius, shell(travel.n_channels)), spreads


def _spread(travel: Travel) -> tuple[Any, Any]:
    defects = _defects(travel)
    edges, normal = radius_density(travel, (GOOD,))
    defect = radius_density(travel, defects)[1] if defects else None
    shares = {"normal": normal} | ({"defect": defect} if defect is not None else {})
    figure = plot_radius_heat(edges, normal, defect, travel.t, well_radius(travel), shell(travel.n_channels))
    return figure, (edges, shares)


def _escape(travel: Travel) -> tuple[Any, Any]:
    curves = {name: curve for name, curve in escape_curve(travel).items() if name != UNMARKED}
    return plot_escape(travel.t, curves, group_colours(travel.positions.groups)), curves


def _depth(travel: Travel) -> tuple[Any, Any]:
    depths = well_depth(travel)
    return plot_depth(travel.t, depths).update_layout(height=WIDE_PX), depths


_MAKE: dict[str, Callable[[Travel], tuple[Any, Any]]] = {
    "radius": _radius,
    "spread": _spread,
    "escape": _escape,
    "depth": _depth,
}
