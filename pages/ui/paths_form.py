"""Which features travel: images, positions in them, how many, in how many steps. All of it is in the address."""

import streamlit as st

from pages.ui import judge, state, widgets
from pages.ui.errors import plain
from wtflow.derive.requests import TravelRequest, checked
from wtflow.plots.theme import OUTCOMES
from wtflow.results import RunResults

IMAGES = {
    "all": "All test images",
    "highest": "The 12 highest-scoring",
    "lowest": "The 12 lowest-scoring",
    "one": "One image",
}
N_OF_A_KIND = 12
HOW = {
    "balanced": "Half sound, half defect",
    "random": "Anywhere",
    "top": "Highest on the map",
    "defect": "Inside defects",
    "clicked": "The clicked pixel",
}
COUNTS = (200, 500, 1000, 2000, 5000, 20_000)
SAVES = (4, 10, 20, 50)
N_PROBES = 4
N_BENT = 300
"""Paths in a UMAP of paths: each brings all its saved times, and UMAP is slow."""


def show_paths_form(results: RunResults, threshold: judge.Threshold) -> TravelRequest:
    """Draw the form and return what it asks for. Raises SettingsError, FlowError."""
    chosen = judge.read_filter(results)
    rows = judge.rows_of(results, threshold, chosen)
    if rows.empty:
        st.info("No image passes the filter, so it is left out.", icon=":material/filter_alt:")
        rows = judge.rows_of(results, threshold, judge.Filter((), (), None, chosen.sort))
    images = _pick_images(rows)
    if images == "one":
        picked = [_pick_one(rows)]
    elif images == "all":
        picked = sorted(int(row) for row in rows.row)
    else:
        ordered = rows.sort_values(["score", "sample_id"], ascending=[images == "lowest", True])
        picked = sorted(int(row) for row in ordered.row[:N_OF_A_KIND])
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        how, at = _pick_how(results, images)
        n = _pick_number("Positions", "n", COUNTS, 1000, "Drawn evenly over the images; more take longer.")
        saves = _pick_number(
            "Saved steps",
            "saves",
            SAVES,
            20,
            f"Solver steps from t = 0 to t = 1, each of them saved. The run itself scores with {results.settings.steps}.",
        )
        probes = st.checkbox(
            "Divergence",
            help=f"Estimated with {N_PROBES} random directions (Hutchinson); takes some times as long.",
            **state.bound("probes", state.get("probes") == "1"),
        )
        bent = st.checkbox(
            "UMAP of the paths",
            help=f"Of at most {N_BENT} paths, computed by a process of its own.",
            **state.bound("bend", state.get("bend") == "1"),
        )
    _keep_flags()
    if chosen.is_active:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"Only images with {plain(chosen.words)}: {widgets.count(len(rows), 'image')}.", width="content")
            st.button("All images", icon=":material/filter_alt_off:", type="tertiary", on_click=_clear_filter)
    everything = images == "all" and not chosen.is_active
    return checked(TravelRequest, {
        "rows": () if everything else tuple(picked), "how": how, "n": 1 if at else min(n, N_BENT) if bent else n, "at": at, "steps": saves,
        "solver": results.settings.solver, "n_probes": N_PROBES if probes else 0,
    })  # fmt: skip


def is_bent() -> bool:
    """Whether a UMAP of the paths was asked for."""
    return state.get("bend") == "1"


def _pick_images(rows) -> str:
    wanted = state.get("images") or ("one" if state.get("sample") in set(rows.sample_id) and state.get("position") else "all")
    wanted = wanted if wanted in IMAGES else "all"
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    with left:
        st.segmented_control("Images", list(IMAGES), required=True, format_func=IMAGES.__getitem__, **state.bound("images", wanted))
    with right, st.popover("Filter by type and outcome", icon=":material/filter_alt:", type="tertiary"):
        st.pills(
            "Defect type", list(judge_types(rows)), selection_mode="multi", wrap=True, **state.bound("defect", state.get_all("defect"))
        )
        st.pills(
            "Outcome",
            list(OUTCOMES),
            selection_mode="multi",
            wrap=True,
            format_func=OUTCOMES.__getitem__,
            **state.bound("outcome", state.get_all("outcome")),
        )
    return wanted


def judge_types(rows) -> list[str]:
    """Types among these rows and those chosen already, `good` first."""
    return sorted({*(str(name) for name in rows.defect), *state.get_all("defect")}, key=lambda name: (name != "good", name))


def _pick_one(rows) -> int:
    ids = list(rows.sort_values(["score", "sample_id"], ascending=[False, True]).sample_id)
    wanted = state.get("sample")
    wanted = wanted if wanted in ids else ids[0]
    state.settle("sample", wanted)
    st.selectbox("Image", ids, width=420, **state.bound("sample", wanted))
    return int(rows[rows.sample_id == wanted].row.iloc[0])


def _pick_how(results: RunResults, images: str) -> tuple[str, tuple[int, int] | None]:
    """How positions are chosen, and the single one where that is asked for."""
    row, _, column = (state.get("position") or "").partition(",")
    shape = results.maps.shape[1:]
    is_there = row.isdecimal() and column.isdecimal() and int(row) < shape[0] and int(column) < shape[1]
    options = [name for name in HOW if name != "clicked" or (images == "one" and is_there)]
    wanted = state.get("how") or ("clicked" if "clicked" in options else "balanced")
    wanted = wanted if wanted in options else "balanced"
    st.selectbox("Positions from", options, format_func=HOW.__getitem__, width=220, **state.bound("how", wanted))
    return ("random", (int(row), int(column))) if wanted == "clicked" else (wanted, None)


def _pick_number(label: str, name: str, options: tuple[int, ...], start: int, hint: str) -> int:
    found = state.get_number(name)
    value = int(found) if found in options else start
    st.selectbox(label, options, format_func=lambda n: f"{n:,}", help=hint, width=140, **state.bound(name, value))
    return value


def _keep_flags() -> None:
    """A checkbox that is off leaves no trace in the address."""
    for name in ("probes", "bend"):
        if state.get(name) in ("False", "0"):
            state.put(name, None)
        elif state.get(name) == "True":
            state.put(name, "1")


def _clear_filter() -> None:
    for name in ("defect", "outcome", "range"):
        state.put(name, None)
