"""The threshold of a run, and which of its images the filter leaves:
shared by results and localization.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from pages.ui import cache, state
from pages.ui.errors import plain
from wtflow.deciding.force import starts
from wtflow.errors import StoreError
from wtflow.failures.notes import count_words, images_with
from wtflow.numbers import score as format_score
from wtflow.plots.theme import OUTCOMES
from wtflow.records.decision import ThresholdChoice
from wtflow.records.flow import ordered_groups
from wtflow.records.notes import RunNotes
from wtflow.results import RunResults, Sort, add_outcomes, filter_rows
from wtflow.store.runs import RunStore

SORTS: dict[Sort, str] = {
    "score descending": "Highest score first",
    "score ascending": "Lowest score first",
    "closest": "Closest to the threshold",
    "name": "By name",
}
_N_STOPS = 400
"""Positions of the slider at most."""
N_STEPS = 200
"""Presses of plus or minus from one end of the scores to the other."""
NUMBER_PX, ORIGIN_PX = 130, 205
"""They stand in one row beside a chart in a window of 1,024 px."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """The value in force, where it started, and whether a person moved it since."""

    value: float
    origin: ThresholdChoice
    is_moved: bool

    @property
    def words(self) -> str:
        """Where the value comes from, in a sentence."""
        if self.is_moved:
            return (
                f"Set by hand. It started at {format_score(self.origin.value)}:"
                f" {self.origin.label[0].lower()}{self.origin.label[1:]}."
            )
        return self.origin.words


def read_threshold(results: RunResults) -> Threshold:
    """The threshold that the address names, or that of the chosen origin, or of the first one."""
    origins = {choice.key: choice for choice in starts(RunStore(), results)}
    origin = origins[state.choose("origin", origins, next(iter(origins)))]
    moved = state.get_number("threshold")
    if moved is None or state.get("threshold") == state.to_text(origin.value):
        return Threshold(origin.value, origin, False)
    return Threshold(moved, origin, True)


def show_threshold(results: RunResults) -> Threshold:
    """Slider, a field for a number, choice of where it starts, and reset."""
    threshold = read_threshold(results)
    stops = _stops(results, threshold)
    st.select_slider(
        "Threshold: a score from here on is called defective",
        stops,
        format_func=format_score,
        help="Each stop lies between two scores, so a step moves one image to the other side.",
        **state.bound("threshold", threshold.value),
    )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        _show_number(stops, threshold)
        _show_origin(results, threshold)
    st.caption(threshold.words, width="stretch")
    return threshold


def _show_number(stops: list[float], threshold: Threshold) -> None:
    """The threshold as a number to type."""
    key = "threshold_number"
    st.session_state[key] = threshold.value

    def changed() -> None:
        state.put("threshold", state.to_text(st.session_state[key]))

    st.number_input(
        "As a number",
        key=key,
        on_change=changed,
        step=(stops[-1] - stops[0]) / N_STEPS,
        format="%.6g",
        width=NUMBER_PX,
        help="Any score, also beyond those of the images.",
    )


def _show_origin(results: RunResults, threshold: Threshold) -> None:
    origins = {choice.key: choice for choice in starts(RunStore(), results)}
    if len(origins) > 1:
        st.selectbox(
            "Starts at",
            list(origins),
            format_func=lambda key: origins[key].label,
            **state.bound("origin", threshold.origin.key),
            width=ORIGIN_PX,
        )
    if threshold.is_moved:
        st.button(
            "Reset",
            icon=":material/undo:",
            on_click=state.put,
            args=("threshold", None),
            help=f"Back to {format_score(threshold.origin.value)}",
        )


def _stops(results: RunResults, threshold: Threshold) -> list[float]:
    """Values that the slider offers, rising: half-way between neighbouring scores, where thresholds start, and the
    one in force.
    """
    table = results.test if len(results.test) else results.table
    scores = sorted({float(score) for score in table.score}) or [0.0]
    between = [(low + high) / 2 for low, high in zip(scores, scores[1:], strict=False)]
    between = between[:: -(-len(between) // _N_STOPS) or 1]
    margin = (scores[-1] - scores[0]) / 50 or abs(scores[0]) / 50 or 1.0
    ends = [scores[0] - margin, scores[-1] + margin]
    exact = [*(choice.value for choice in starts(RunStore(), results)), threshold.value]
    texts = [f"{value:.6g}" for value in (*between, *ends)]  # as `state.to_text` writes a choice into the address
    by_text = {text: float(text) for text in texts}
    return sorted((by_text | {f"{value:.6g}": value for value in exact}).values())


@dataclass(frozen=True, slots=True)
class Filter:
    """Which test images are shown, and in which order. Only what fits this run is kept from the address."""

    defects: tuple[str, ...]
    outcomes: tuple[str, ...]
    score_range: tuple[float, float] | None
    sort: Sort
    tags: tuple[str, ...] = ()
    """Tags, or other kinds of notes; images with any of them are shown."""
    sample_ids: frozenset[str] | None = None
    """The images that `tags` leaves; None: all."""

    @property
    def is_active(self) -> bool:
        return bool(self.defects or self.outcomes or self.score_range or self.tags)

    @property
    def words(self) -> str:
        parts = [*self.defects, *(OUTCOMES[outcome] for outcome in self.outcomes), *(tag.strip() for tag in self.tags)]
        if self.score_range:
            parts.append(f"score {format_score(self.score_range[0])} to {format_score(self.score_range[1])}")
        return ", ".join(parts)


def defect_types(results: RunResults) -> list[str]:
    """`good` first, then the defect types of the test images."""
    return list(ordered_groups(results.test.defect))


def show_types(results: RunResults, chosen: Filter, n_of: Mapping[str, int]) -> None:
    """Choose defect types by name. n_of: how many images of each type there are."""
    st.pills(
        "Defect type",
        defect_types(results),
        selection_mode="multi",
        wrap=True,
        format_func=lambda name: f"{plain(name)} ({n_of.get(name, 0)})",
        **state.bound("defect", list(chosen.defects)),
    )


def read_filter(results: RunResults) -> Filter:
    known = defect_types(results)
    notes = read_notes(results)
    tags = tuple(word for word in count_words(results.test, notes) if word in state.get_all("tag"))
    return Filter(
        tuple(name for name in known if name in state.get_all("defect")),
        tuple(name for name in OUTCOMES if name in state.get_all("outcome")),
        _score_range(),
        state.choose("sort", SORTS, "score descending"),
        tags,
        images_with(notes, tags),
    )


def clear_filter() -> None:
    """Show all images again; their order stays."""
    for name in state.FILTER:
        if name != "sort":
            state.put(name, None)


def read_notes(results: RunResults) -> RunNotes:
    """What people wrote about the run; nothing where the file is damaged, which the form for notes reports."""
    try:
        return cache.notes(RunStore(), results.run_id)
    except StoreError:
        return RunNotes()


def rows_of(results: RunResults, threshold: Threshold, chosen: Filter):
    """The test images that pass the filter, sorted, with the column `outcome`."""
    table = add_outcomes(results.test, threshold.value)
    return filter_rows(
        table, chosen.defects, chosen.outcomes, chosen.score_range, chosen.sort, chosen.sample_ids, threshold.value
    )


def put_score_range(low: float, high: float) -> None:
    state.put("range", f"{low!r}~{high!r}")


def _score_range() -> tuple[float, float] | None:
    low, separator, high = (state.get("range") or "").partition("~")
    try:
        return (float(low), float(high)) if separator else None
    except ValueError:
        return None
