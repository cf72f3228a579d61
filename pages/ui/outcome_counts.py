"""What is missed and what is falsely rejected at a threshold: four counts that filter the gallery, with intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from pages.ui import state
from wtflow import numbers
from wtflow.compare.intervals import wilson_interval
from wtflow.metrics import confusion_at
from wtflow.numbers import percent, percent_range
from wtflow.plots.theme import outcome_words
from wtflow.records.core import Confusion
from wtflow.results import RunResults

CELL_PX = 125
"""Least width of a count: two beside each other also on a phone."""
INTERVAL_HELP = (
    "The 95\N{NBSP}% interval is Wilson's: where the share of all such images probably lies, judged from as many as"
    " there are here. A threshold chosen on these very images makes it look better than it is."
)


def show_counts(results: RunResults, threshold: float) -> None:
    """The four outcomes as buttons that filter the gallery, wrong calls first, and the share of each with its
    interval.
    """
    test = results.test
    confusion = confusion_at(test.score, test.is_defective, threshold)
    defective, normal = confusion.tp + confusion.fn, confusion.fp + confusion.tn
    _show_row(f"Of {numbers.count(defective, 'defective image')}", {"FN": confusion.fn, "TP": confusion.tp})
    if defective:
        _show_share("Found", "Recall: the share of defective images that are found.", confusion.tp, defective)
    _show_row(f"Of {numbers.count(normal, 'normal image')}", {"FP": confusion.fp, "TN": confusion.tn})
    if normal:
        _show_share(
            "Falsely rejected", "False-alarm rate: the share of normal images called defective.", confusion.fp, normal
        )
    _show_balance(confusion)


def _show_row(words: str, counts: dict[str, int]) -> None:
    st.markdown(words)
    cells = [Cell(name, name, f"**{n}** {outcome_words(name, n)}") for name, n in counts.items()]
    show_cells("outcome", cells, key=f"counts_{'_'.join(counts)}", width=CELL_PX)


@dataclass(frozen=True, slots=True)
class Cell:
    """A count that filters: the value of its choice, what the key of its button ends in, and its words."""

    value: str
    style: str
    label: str


def show_cells(choice: str, cells: Sequence[Cell], *, key: str, width: int) -> None:
    """Counts beside each other as buttons; a press shows only the images of one, or all again. choice: the name of the
    choice that holds the value of the pressed one; width: least of a button, in px.
    """
    chosen = state.get_all(choice)
    with st.grid(len(cells), min_column_width=width, gap="small", key=key):
        for cell in cells:
            is_chosen = chosen == [cell.value]
            st.button(
                cell.label,
                key=f"cell_{cell.style}{'_chosen' * is_chosen}",
                width="stretch",
                on_click=state.put,
                args=(choice, None if is_chosen else [cell.value]),
                wrap=True,
                help="Show only these images below, or all again",
            )


def _show_share(label: str, meaning: str, k: int, n: int) -> None:
    st.markdown(
        f"{label}: **{percent(k / n)}** (95\N{NBSP}% interval {percent_range(*wilson_interval(k, n))})",
        help=f"{meaning} {INTERVAL_HELP}",
    )


def _show_balance(confusion: Confusion) -> None:
    st.caption(
        f"Precision {numbers.metric(confusion.precision)}, F1 {numbers.metric(confusion.f1)}.",
        help="Precision: the share of the images called defective that are defective. F1: the harmonic mean of"
        " precision and recall.",
    )
