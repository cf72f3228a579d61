"""What if this image had a defect? Paint one, and the run answers: score, map, norms along the path, and how strong
a spot must be.
"""

import streamlit as st

from pages.ui.errors import show_error, shown
from pages.ui.localization.painting import show_painting
from pages.ui.localization.saved_paintings import show_saving
from pages.ui.localization.sweep import show_sweep
from pages.ui.thresholds import Threshold
from pages.ui.words import glossed
from wtflow import numbers
from wtflow.errors import WTFlowError
from wtflow.numbers import percent
from wtflow.numbers import score as format_score
from wtflow.plots import theme
from wtflow.plots.what_if import plot_before_after, plot_painted_norms
from wtflow.records.what_if import WhatIf
from wtflow.results import RunResults, ScoreRow
from wtflow.store.runs import RunStore
from wtflow.studies.paint import Stroke


@st.fragment
def show_what_if(store: RunStore, results: RunResults, image: ScoreRow, threshold: Threshold) -> None:
    """The section for one scored image. Until it is opened nothing is computed and torch is not imported."""
    if not st.toggle(
        "**What if?** Paint a defect on this image and see how the run scores it",
        key="what_if_open",
        persist_state="session",
    ):
        return
    with shown():
        if image.is_defective:
            st.caption("This image has a defect already. On a normal one the paint alone makes the difference.")
        run_id, row = results.run_id, int(image.row)
        pixels = results.seen.original(image.sample_id, results.shape)
        left, right = st.columns([4, 5], gap="large")
        with left:
            strokes = show_painting(results, image, pixels)
        with right:
            what_if = compute(store, run_id, row, strokes)
            if what_if is None:
                return
            show_answer(results, what_if, threshold)
            show_norms(what_if)
        left, right = st.columns([4, 5], gap="large")
        with left:
            show_sweep(store, results, image, strokes, threshold)
        with right:
            show_saving(store, run_id, what_if, strokes)


def compute(store: RunStore, run_id: str, row: int, strokes: tuple[Stroke, ...]) -> WhatIf | None:
    """The run's answer, or None after an error was shown."""
    try:
        with st.spinner("Scoring the painted image (the first time loads the network: some seconds)"):
            from wtflow.studies.what_if import compute_what_if  # imports torch: seconds, paid only here

            return compute_what_if(store, run_id, row, strokes)
    except WTFlowError as error:
        show_error(error)
        return None


def show_answer(results: RunResults, what_if: WhatIf, threshold: Threshold) -> None:
    before, after = what_if.score_before, what_if.score_after
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"Score **{format_score(before)}** → **{format_score(after)}**", width="content")
        is_called = after >= threshold.value
        if is_called:
            st.badge("called defective", icon=":material/report:", color="orange")
        else:
            st.badge("called normal", icon=":material/check_circle:", color="blue")
    st.caption(change_in_words(what_if, threshold.value))
    st.plotly_chart(
        plot_before_after(what_if, results.color_range),
        key="what_if_maps",
        config=theme.PICTURE_CONFIG,
        alt=f"Anomaly maps before and after painting; scores {format_score(before)} and {format_score(after)}",
    )
    if what_if.recomputed_difference > 0:
        st.caption(
            "This computer's own map of the unpainted image differs from the stored one by up to"
            f" {what_if.recomputed_difference:.1g}: changes that small mean nothing."
        )


def change_in_words(what_if: WhatIf, threshold: float) -> str:
    """What the paint did to the score, in a sentence or two."""
    before, after = what_if.score_before, what_if.score_after
    if not what_if.is_painted:
        return f"Nothing is painted: both maps are the stored one. The threshold is {format_score(threshold)}."
    words = f"The paint ({numbers.count(int(what_if.mask.sum()), 'pixel')}) changes the score by {after - before:+.3g}"
    if before < threshold <= after:
        words += f": it crosses the threshold {format_score(threshold)}, the run sees it."
    elif before < threshold and after > before:
        share = (after - before) / (threshold - before)
        words += f", {percent(share)} of the way to the threshold {format_score(threshold)}."
    elif before >= threshold > after:
        words += f": it falls below the threshold {format_score(threshold)}."
    elif before >= threshold:
        words += f". It was at or above the threshold {format_score(threshold)} before, too."
    else:
        words += f". The threshold is {format_score(threshold)}."
    return words + (
        " The highest position of the map lies in the paint."
        if what_if.peak_is_painted
        else " The highest position lies outside the paint."
    )


def show_norms(what_if: WhatIf) -> None:
    st.subheader("The painted positions on their way", anchor=False)
    if not len(what_if.norms_after.median):
        st.caption(
            glossed(
                "Paint, and the norms of the painted positions are drawn here, from the data (t = 0) to the noise"
                " (t = 1)."
            )
        )
        return
    n = int(what_if.is_painted_position.sum())
    st.plotly_chart(
        plot_painted_norms(what_if),
        key="what_if_norms",
        config=theme.CONFIG,
        alt=f"Norms of {n} painted positions at every saved step, before and after",
    )
    st.caption(
        f"{numbers.count(n, 'grid position')} with paint in {'its cell' if n == 1 else 'their cells'}. Neighbours"
        " change, too: a feature sees more of the image than its own cell."
    )
