"""Which features travel: images, positions in them, how many, in how many steps. All of it is in the address."""

import streamlit as st

from pages.ui import state, thresholds, widgets
from pages.ui.errors import plain, show_error
from pages.ui.note_taking import show_tag_filter
from wtflow.errors import RunNotFoundError
from wtflow.plots.theme import OUTCOMES
from wtflow.results import RunResults, find_sample
from wtflow.studies.requests import TravelRequest, checked

IMAGES = {
    "all": "All test images",
    "highest": "The 12 highest-scoring",
    "lowest": "The 12 lowest-scoring",
    "one": "One image",
}
N_OF_A_KIND = 12
HOW = {
    "balanced": "Half normal, half defect",
    "random": "Anywhere",
    "top": "Highest on the map",
    "defect": "Inside defects",
    "clicked": "The clicked pixel",
}
COUNTS = (200, 500, 1000, 2000, 5000, 20_000)
SAVES = (4, 10, 20, 50)
N_PROBES = 4


def show_paths_form(results: RunResults, threshold: thresholds.Threshold) -> TravelRequest:
    """Draw the form and return its request; ends the page where the address names an image that is not there.
    Raises SettingsError.
    """
    chosen = thresholds.read_filter(results)
    everything = thresholds.rows_of(results, threshold, thresholds.Filter((), (), None, chosen.sort))
    rows = thresholds.rows_of(results, threshold, chosen)
    images = _pick_images(results, chosen)
    if rows.empty:
        st.info(f"No image passes the filter ({plain(chosen.words)}), so it is left out.", icon=":material/filter_alt:")
        rows = everything
    if images == "one":
        picked = [_pick_one(results, rows, everything)]
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
            "Solver steps from t = 0 to t = 1, each of them saved. The run itself scores with"
            f" {results.settings.steps}.",
        )
        probes = st.checkbox(
            "Divergence",
            help=f"Estimated with {N_PROBES} random directions (Hutchinson); takes some times as long.",
            **state.bound("probes", state.get("probes") == "1"),
        )
    _keep_flag()
    if chosen.is_active and images != "one":
        with st.container(horizontal=True, vertical_alignment="center"):
            if len(rows) < len(everything):
                st.caption(
                    f"Only images with {plain(chosen.words)}: {widgets.count(len(rows), 'image')}.", width="content"
                )
            st.button("All images", icon=":material/filter_alt_off:", type="tertiary", on_click=thresholds.clear_filter)
    are_all = images == "all" and len(rows) == len(everything)
    return checked(
        TravelRequest,
        {
            "rows": () if are_all else tuple(picked),
            "how": how,
            "n": 1 if at else n,
            "at": at,
            "steps": saves,
            "solver": results.settings.solver,
            "n_probes": N_PROBES if probes else 0,
        },
    )


def _pick_images(results: RunResults, chosen: thresholds.Filter) -> str:
    is_meant = state.get("sample") in set(results.table.sample_id) and state.get("position")
    wanted = state.get("images") or ("one" if is_meant else "all")
    wanted = wanted if wanted in IMAGES else "all"
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        st.segmented_control(
            "Images",
            list(IMAGES),
            required=True,
            format_func=IMAGES.__getitem__,
            width="content",
            **state.bound("images", wanted),
        )
        with st.popover("Filter by type and outcome", icon=":material/filter_alt:", type="tertiary"):
            st.pills(
                "Defect type",
                thresholds.defect_types(results),
                selection_mode="multi",
                wrap=True,
                format_func=plain,
                **state.bound("defect", list(chosen.defects)),
            )
            st.pills(
                "Outcome",
                list(OUTCOMES),
                selection_mode="multi",
                wrap=True,
                format_func=OUTCOMES.__getitem__,
                **state.bound("outcome", list(chosen.outcomes)),
            )
            show_tag_filter(results, chosen)
    return wanted


def _pick_one(results: RunResults, rows, everything) -> int:
    """Row of the chosen image, at first the highest-scoring.
    One that the filter leaves out is offered with all the others.
    """
    wanted = state.get("sample")
    if wanted not in {None, *rows.sample_id}:
        rows = everything
    ids = list(rows.sort_values(["score", "sample_id"], ascending=[False, True]).sample_id)
    wanted = wanted or ids[0]
    try:
        row = int(find_sample(results, wanted).row)
    except RunNotFoundError as error:
        st.selectbox("Image", ids, index=None, placeholder="Choose an image", width=420, **state.bound("sample", None))
        show_error(error)
        st.stop()
    state.settle("sample", wanted)
    ids = ids if wanted in ids else [wanted, *ids]  # a held-out normal has a score, but is no test image
    st.selectbox("Image", ids, width=420, **state.bound("sample", wanted))
    return row


def _pick_how(results: RunResults, images: str) -> tuple[str, tuple[int, int] | None]:
    """How positions are chosen, and the single one where it was chosen."""
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


def _keep_flag() -> None:
    """A checkbox that is off leaves no trace in the address."""
    if state.get("probes") in ("False", "0"):
        state.put("probes", None)
    elif state.get("probes") == "True":
        state.put("probes", "1")
