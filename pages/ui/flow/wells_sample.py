"""How many positions the page `wells` looks at, in how many steps they travel, and how a UMAP is to place them."""

from typing import Literal

import streamlit as st

from pages.ui import state
from wtflow.results import RunResults
from wtflow.studies.projection import METRICS
from wtflow.studies.requests import TravelRequest, UmapRequest, checked, default_wells

COUNTS = (1000, 2000, 4000, 10_000, 20_000, 50_000)
SAVES = (10, 20, 50)
FITS = (500, 1000, 2000, 5000)


def read_sample(results: RunResults) -> TravelRequest:
    """The paths that are looked at, as the address has them. Raises SettingsError."""
    start = default_wells(results.settings.solver).travel
    n, saves = _chosen("n", COUNTS, start.n), _chosen("saves", SAVES, start.steps)
    return checked(TravelRequest, {"how": "balanced", "n": n, "steps": saves, "solver": results.settings.solver})


def pick_sample(request: TravelRequest, label: str, count: str) -> None:
    """The form of the paths, folded into a line. label: what is shown now; count: how many there are, and why."""
    with st.popover(label, icon=":material/tune:", type="tertiary", width="content", key="wells_sample"):
        st.caption(f"{count}.")
        hint = "Half from normal images, half inside the masks of defective ones, spread evenly over the images."
        _pick("Positions", "n", COUNTS, request.n, hint)
        _pick("Steps", "saves", SAVES, request.steps, "Solver steps from t = 0 to t = 1.")


def pick_umap(request: TravelRequest, times: Literal["end", "start"]) -> UmapRequest:
    """UMAP's settings, from a small menu. Raises SettingsError."""
    start = default_wells(request.solver)
    with st.popover("Settings of the UMAP", icon=":material/tune:", type="tertiary"):
        n_fit = _pick(
            "Positions fitted",
            "fit",
            FITS,
            start.n_fit,
            "Evenly over normals and defect types; the others are placed.",
        )
        neighbors = st.slider(
            "Neighbours",
            2,
            100,
            **state.bound("neighbors", _whole("neighbors", start.n_neighbors, 2, 100)),
            help="Few: fine detail. Many: the large picture.",
        )
        found = state.get_number("distance")
        distance = st.slider(
            "Least distance",
            0.0,
            0.99,
            step=0.01,
            **state.bound("distance", start.min_dist if found is None else min(max(found, 0.0), 0.99)),
        )
        metric = state.get("metric")
        metric = st.selectbox(
            "Distance between features",
            list(METRICS),
            **state.bound("metric", metric if metric in METRICS else start.metric),
        )
        seed = st.number_input(
            "Seed", 0, 2**31 - 1, **state.bound("umap_seed", _whole("umap_seed", start.seed, 0, 2**31 - 1))
        )
    return checked(
        UmapRequest,
        {
            "travel": request,
            "times": times,
            "n_fit": n_fit,
            "n_neighbors": int(neighbors),
            "min_dist": float(distance),
            "metric": metric,
            "seed": int(seed),
        },
    )


def _pick(label: str, name: str, options: tuple[int, ...], start: int, hint: str) -> int:
    value = _chosen(name, options, start)
    st.selectbox(label, options, format_func=lambda n: f"{n:,}", help=hint, width=150, **state.bound(name, value))
    return value


def _chosen(name: str, options: tuple[int, ...], start: int) -> int:
    found = state.get_number(name)
    return int(found) if found in options else start


def _whole(name: str, start: int, low: int, high: int) -> int:
    found = state.get_number(name)
    return start if found is None else int(min(max(found, low), high))
