"""How well did it do, and on which images?"""

import streamlit as st

from pages.ui import report_menu, state, thresholds, widgets
from pages.ui.errors import shown
from pages.ui.frame import link, open_page
from pages.ui.gallery import show_gallery
from pages.ui.masks.of_run import show_masks_of_run
from pages.ui.metric_cards import show_metrics
from pages.ui.note_taking import show_flagged_metrics, show_run_comment
from wtflow.export.tables import scores_csv
from wtflow.metrics import confusion_at, pr_curve, roc_curve
from wtflow.plots import theme
from wtflow.plots.curves import plot_pr, plot_roc
from wtflow.plots.histogram import plot_score_histogram
from wtflow.plots.theme import outcome_words
from wtflow.records.core import Confusion
from wtflow.results import RunResults
from wtflow.store.runs import RunStore


def main(store: RunStore) -> None:
    results = widgets.open_run(store)
    show_metrics(results)
    show_masks_of_run(results)
    show_flagged_metrics(results)
    if not len(results.test):
        st.info(
            "This category has no test images, so there are no results to show. Add some to test/ and train again, or"
            " try an image.",
            icon=":material/info:",
        )
        return
    st.subheader("Threshold", anchor=False)
    left, right = st.columns([3, 2], gap="large")
    with right:
        threshold = thresholds.show_threshold(results)
        show_confusion(results, threshold)
        link(
            "failures", "See what it gets wrong", icon=":material/troubleshoot:", run=results.run_id, **state.NO_FILTER
        )
    with left:
        show_histogram(results, threshold)
    show_curves(results, threshold)
    show_gallery(store, results, threshold)
    show_run_comment(store, results.run_id)
    with st.container(horizontal=True, vertical_alignment="center"):
        show_download(results, threshold)
        report_menu.show_report(store, {results.run_id: threshold.value})
        report_menu.show_zip(store, results, threshold.value)
        all_of_them: dict[str, str | None] = {"images": "all", "how": None, **state.NO_FILTER}
        link(
            "trajectories",
            "Watch the features of these images travel",
            icon=":material/route:",
            run=results.run_id,
            **all_of_them,
        )
        link("wells", "See where they end", icon=":material/adjust:", run=results.run_id, **state.NO_FILTER)
        link("compare", "Compare with another run", icon=":material/compare_arrows:", runs=None, **state.NO_FILTER)


def show_histogram(results: RunResults, threshold: thresholds.Threshold) -> None:
    """Scores by label; a clicked bar narrows the gallery to its scores."""
    key = f"histogram_{st.session_state.get('n_histograms', 0)}"
    test = results.test
    st.plotly_chart(
        plot_score_histogram(test.score.to_numpy(), test.is_defective.to_numpy(), threshold.value),
        key=key,
        on_select=lambda: take_bar(key),
        selection_mode="points",
        config=theme.CONFIG,
        alt=f"Histogram of the scores of {len(test)} test images by label, threshold {threshold.value:.4g}",
    )
    st.caption("Click a bar to see its images below.")


def take_bar(key: str) -> None:
    """A clicked bar becomes the score filter. Its ends travel in customdata;
    a click next to the bars takes the filter back.
    """
    points = st.session_state[key].selection.points
    if points:
        thresholds.put_score_range(*points[0]["customdata"])
    else:
        state.put("range", None)


def show_confusion(results: RunResults, threshold: thresholds.Threshold) -> None:
    """The four outcomes as buttons that filter the gallery, and what follows from them."""
    test = results.test
    confusion = confusion_at(test.score, test.is_defective, threshold.value)
    counts = {"TP": confusion.tp, "FN": confusion.fn, "FP": confusion.fp, "TN": confusion.tn}
    chosen = state.get_all("outcome")
    for label, row in (("Defective images", ("TP", "FN")), ("Normal images", ("FP", "TN"))):
        st.caption(label)
        for column, name in zip(st.columns(2), row, strict=True):
            is_chosen = chosen == [name]
            column.button(
                f"**{counts[name]}** {outcome_words(name, counts[name])}",
                key=f"cell_{name}{'_chosen' * is_chosen}",
                width="stretch",
                on_click=state.put,
                args=("outcome", None if is_chosen else [name]),
                wrap=True,
                help="Show only these images below, or all again",
            )
    show_rates(confusion)


def show_rates(confusion: Confusion) -> None:
    for column, (label, value, meaning) in zip(
        st.columns(3),
        (
            ("Precision", confusion.precision, "Share of the images called defective that are defective."),
            ("Recall", confusion.recall, "Share of defective images that are found."),
            ("F1", confusion.f1, "Harmonic mean of precision and recall."),
        ),
        strict=True,
    ):
        column.metric(label, widgets.metric(value), help=meaning)


def show_curves(results: RunResults, threshold: thresholds.Threshold) -> None:
    test = results.test
    roc, pr = roc_curve(test.score, test.is_defective), pr_curve(test.score, test.is_defective)
    if roc is None or pr is None:
        return
    with st.expander("ROC and precision-recall curves", icon=":material/show_chart:"):
        left, right = st.columns(2)
        left.plotly_chart(
            plot_roc(roc, threshold.value), key="curve_roc", config=theme.CONFIG, alt="ROC curve of the test images"
        )
        right.plotly_chart(
            plot_pr(pr, threshold.value),
            key="curve_pr",
            config=theme.CONFIG,
            alt="Precision-recall curve of the test images",
        )


def show_download(results: RunResults, threshold: thresholds.Threshold) -> None:
    st.download_button(
        "Scores as CSV",
        scores_csv(results, threshold.value, thresholds.read_notes(results), with_folders=False),
        f"{results.run_id}-scores.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
        help="One line per test image and held-out normal, with its outcome at this threshold and what was noted.",
    )


store = open_page("results")
with shown():
    main(store)
