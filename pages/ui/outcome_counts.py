"""What is missed and what is falsely rejected at a threshold: four counts that filter the gallery, with intervals."""

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
    chosen = state.get_all("outcome")
    st.markdown(words)
    with st.grid(2, min_column_width=CELL_PX, gap="small", key=f"counts_{'_'.join(counts)}"):
        for name, n in counts.items():
            is_chosen = chosen == [name]
            st.button(
                f"**{n}** {outcome_words(name, n)}",
                key=f"cell_{name}{'_chosen' * is_chosen}",
                width="stretch",
                on_click=state.put,
                args=("outcome", None if is_chosen else [name]),
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
