"""Which features travel: images, positions in them, how many, in how many steps. All of it is in the address."""

from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.ui import state, thresholds
from pages.ui.errors import plain, show_error
from pages.ui.note_taking import show_tag_filter
from wtflow import numbers
from wtflow.errors import RunNotFoundError
from wtflow.plots.theme import OUTCOMES
from wtflow.results import RunResults, find_sample
from wtflow.studies.requests import TravelRequest, checked, default_paths

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
N_OF_ONE = 500
"""Positions of a single image at first: of most grids all, and few enough to leave the normals around them in sight."""


@dataclass(frozen=True)
class PathsForm:
    """What the address chooses, as the form shows it, and the request that follows from it."""

    images: str
    chosen: thresholds.Filter
    rows: Any
    """Scores of the images that pass the filter, or of all where none does."""
    everything: Any
    is_filter_empty: bool
    sample: str | None
    """The one image, where one is meant."""
    how: str
    places: tuple[str, ...]
    """The ways of choosing positions that are offered."""
    n: int
    saves: int
    request: TravelRequest

    @property
    def images_in_words(self) -> str:
        """What the positions lie in, such as "all test images"."""
        if self.sample is not None:
            return self.sample
        if self.images != "all":
            return f"the {N_OF_A_KIND} {self.images}-scoring images"
        n = len(self.rows)
        return "all test images" if n == len(self.everything) else numbers.count(n, "image")


def read_paths_form(results: RunResults, threshold: thresholds.Threshold) -> PathsForm:
    """The form as the address has it; ends the page where that names an image that is not there.
    Raises SettingsError.
    """
    _keep_flag()
    chosen = thresholds.read_filter(results)
    everything = thresholds.rows_of(results, threshold, thresholds.Filter((), (), None, chosen.sort))
    rows = thresholds.rows_of(results, threshold, chosen)
    is_filter_empty = rows.empty
    rows = everything if rows.empty else rows
    images, sample = _images(results), None
    if images == "one":
        sample, row = _one_image(results, rows, everything)
        picked = [row]
    elif images == "all":
        picked = sorted(int(row) for row in rows.row)
    else:
        ordered = rows.sort_values(["score", "sample_id"], ascending=[images == "lowest", True])
        picked = sorted(int(row) for row in ordered.row[:N_OF_A_KIND])
    how, places, at = _how(results, images)
    start = default_paths(results.settings.solver)
    n, saves = _number("n", COUNTS, N_OF_ONE if images == "one" else start.n), _number("saves", SAVES, start.steps)
    are_all = images == "all" and len(rows) == len(everything)
    request = checked(
        TravelRequest,
        {
            "rows": () if are_all else tuple(picked),
            "how": "random" if at else how,
            "n": 1 if at else n,
            "at": at,
            "steps": saves,
            "solver": results.settings.solver,
            "n_probes": N_PROBES if state.get("probes") == "1" else 0,
        },
    )
    return PathsForm(images, chosen, rows, everything, is_filter_empty, sample, how, places, n, saves, request)


def show_paths_form(results: RunResults, form: PathsForm, label: str, count: str) -> None:
    """The form, folded into one line. label: what is shown now; count: how many positions there are, and why."""
    with st.popover(label, icon=":material/tune:", width="content", key="paths_form"):
        st.caption(count)
        _show_images(results, form)
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            st.selectbox(
                "Positions from", form.places, format_func=HOW.__getitem__, width=220, **state.bound("how", form.how)
            )
            _show_number("Positions", "n", COUNTS, form.n, "Drawn evenly over the images; more take longer.")
            _show_number(
                "Saved steps",
                "saves",
                SAVES,
                form.saves,
                "Solver steps from t = 0 to t = 1, each of them saved. The run itself scores with"
                f" {results.settings.steps}.",
            )
            st.checkbox(
                "Divergence",
                help=f"Estimated with {N_PROBES} random directions (Hutchinson); takes some times as long.",
                **state.bound("probes", state.get("probes") == "1"),
            )


def show_filter(form: PathsForm) -> None:
    """What the filter leaves out, in sight while it does."""
    if not form.chosen.is_active or form.images == "one":
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        if form.is_filter_empty:
            st.caption(f"No image passes the filter ({plain(form.chosen.words)}), so it is left out.", width="content")
        elif len(form.rows) < len(form.everything):
            n = numbers.count(len(form.rows), "image")
            st.caption(f"Only images with {plain(form.chosen.words)}: {n}.", width="content")
        st.button("All images", icon=":material/filter_alt_off:", type="tertiary", on_click=thresholds.clear_filter)


def _images(results: RunResults) -> str:
    is_meant = state.get("sample") in set(results.table.sample_id) and state.get("position")
    wanted = state.get("images") or ("one" if is_meant else "all")
    return wanted if wanted in IMAGES else "all"


def _show_images(results: RunResults, form: PathsForm) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        st.segmented_control(
            "Images",
            list(IMAGES),
            required=True,
            format_func=IMAGES.__getitem__,
            width="content",
            **state.bound("images", form.images),
        )
    if form.sample is not None:
        ids = _ids_by_score(form.rows)
        ids = ids if form.sample in ids else [form.sample, *ids]  # a held-out normal has a score, but is no test image
        st.selectbox("Image", ids, width=420, **state.bound("sample", form.sample))
    with st.expander("Filter by type and outcome", icon=":material/filter_alt:", expanded=form.chosen.is_active):
        st.pills(
            "Defect type",
            thresholds.defect_types(results),
            selection_mode="multi",
            wrap=True,
            format_func=plain,
            **state.bound("defect", list(form.chosen.defects)),
        )
        st.pills(
            "Outcome",
            list(OUTCOMES),
            selection_mode="multi",
            wrap=True,
            format_func=OUTCOMES.__getitem__,
            **state.bound("outcome", list(form.chosen.outcomes)),
        )
        show_tag_filter(results, form.chosen)


def _one_image(results: RunResults, rows, everything) -> tuple[str, int]:
    """The chosen image and its row, at first the highest-scoring; one that is not there is named, and another can be
    chosen.
    """
    wanted = state.get("sample")
    if wanted not in {None, *rows.sample_id}:
        rows = everything
    ids = _ids_by_score(rows)
    wanted = wanted or ids[0]
    try:
        row = int(find_sample(results, wanted).row)
    except RunNotFoundError as error:
        st.selectbox("Image", ids, index=None, placeholder="Choose an image", width=420, **state.bound("sample", None))
        show_error(error)
        st.stop()
    state.settle("sample", wanted)
    return wanted, row


def _ids_by_score(rows) -> list[str]:
    return list(rows.sort_values(["score", "sample_id"], ascending=[False, True]).sample_id)


def _how(results: RunResults, images: str) -> tuple[str, tuple[str, ...], tuple[int, int] | None]:
    """How positions are chosen, the ways offered, and the single one where it was chosen."""
    row, _, column = (state.get("position") or "").partition(",")
    shape = results.maps.shape[1:]
    is_there = row.isdecimal() and column.isdecimal() and int(row) < shape[0] and int(column) < shape[1]
    options = tuple(name for name in HOW if name != "clicked" or (images == "one" and is_there))
    wanted = state.get("how") or ("clicked" if "clicked" in options else "balanced")
    wanted = wanted if wanted in options else "balanced"
    return wanted, options, ((int(row), int(column)) if wanted == "clicked" else None)


def _number(name: str, options: tuple[int, ...], start: int) -> int:
    found = state.get_number(name)
    return int(found) if found in options else start


def _show_number(label: str, name: str, options: tuple[int, ...], value: int, hint: str) -> None:
    st.selectbox(label, options, format_func=lambda n: f"{n:,}", help=hint, width=140, **state.bound(name, value))


def _keep_flag() -> None:
    """A checkbox that is off leaves no trace in the address."""
    if state.get("probes") in ("False", "0"):
        state.put("probes", None)
    elif state.get("probes") == "True":
        state.put("probes", "1")
