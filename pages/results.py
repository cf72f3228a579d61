"""How well did it do, and on which images?"""

import streamlit as st

from pages.ui import report_menu, state, thresholds, widgets
from pages.ui.deciding import show_deciding
from pages.ui.errors import shown
from pages.ui.frame import link, open_page
from pages.ui.gallery import show_gallery
from pages.ui.masks.of_run import show_masks_of_run
from pages.ui.metric_cards import show_metrics
from pages.ui.note_taking import show_flagged_metrics, show_run_comment
from pages.ui.outcome_counts import show_counts
from wtflow.export.tables import scores_csv
from wtflow.metrics import pr_curve, roc_curve
from wtflow.numbers import score as format_score
from wtflow.plots import theme
from wtflow.plots.curves import plot_pr, plot_roc
from wtflow.plots.histogram import plot_score_histogram
from wtflow.results import RunResults
from wtflow.store.runs import RunStore

HISTOGRAM_PX = 420
"""As high as the counts and the threshold beside it, and whole in a window of 768 px."""


def main(store: RunStore) -> None:
    results = widgets.open_run(store)
    if not len(results.test):
        show_metrics(results)
        show_masks_of_run(results)
        st.info(
            "This category has no test images, so there are no results to show. Add some to test/ and train again, or"
            " inspect new images.",
            icon=":material/info:",
        )
        link_to_inspect(results)
        return
    threshold = thresholds.read_threshold(results)
    left, right = st.columns([2, 3], gap="large")
    with left:
        with st.container(key="counts", gap="xsmall"):
            show_counts(results, threshold.value)
            link(
                "failures",
                "See what it gets wrong",
                icon=":material/troubleshoot:",
                run=results.run_id,
                **state.NO_FILTER,
            )
        thresholds.show_threshold(results)
    with right:
        show_histogram(results, threshold)
    show_deciding(store, results, threshold.value)
    show_metrics(results)
    show_masks_of_run(results)
    show_flagged_metrics(results)
    show_curves(results, threshold)
    show_gallery(store, results, threshold)
    show_run_comment(store, results.run_id)
    with st.container(horizontal=True, vertical_alignment="center"):
        show_download(results, threshold)
        report_menu.show_report(store, {results.run_id: threshold.value})
        report_menu.show_zip(store, results, threshold.value)
        report_menu.show_detector_file(store, results.run_id)
        all_of_them: dict[str, str | None] = {"images": "all", "how": None, **state.NO_FILTER}
        link(
            "trajectories",
            "Watch the features of these images travel",
            icon=":material/route:",
            run=results.run_id,
            **all_of_them,
        )
        link("wells", "See where they end", icon=":material/adjust:", run=results.run_id, **state.NO_FILTER)
        link_to_inspect(results)
        link("compare", "Compare with another run", icon=":material/compare_arrows:", runs=None, **state.NO_FILTER)


def link_to_inspect(results: RunResults) -> None:
    """To where new images are scored by this run."""
    icon = ":material/image_search:"
    link("inspect", "Inspect new images", icon=icon, run=results.run_id, **state.NO_INSPECTION)


def show_histogram(results: RunResults, threshold: thresholds.Threshold) -> None:
    """Scores by label; a clicked bar narrows the gallery to its scores."""
    key = f"histogram_{st.session_state.get('n_histograms', 0)}"
    test = results.test
    st.plotly_chart(
        plot_score_histogram(
            test.score.to_numpy(), test.is_defective.to_numpy(), threshold.value, height_px=HISTOGRAM_PX
        ),
        key=key,
        on_select=lambda: take_bar(key),
        selection_mode="points",
        config=theme.CONFIG,
        alt=f"Histogram of the scores of {len(test)} test images, normal ones upward and defective ones downward,"
        f" threshold {format_score(threshold.value)}",
    )


def take_bar(key: str) -> None:
    """A clicked bar becomes the score filter. Its ends travel in customdata;
    a click next to the bars takes the filter back.
    """
    points = st.session_state[key].selection.points
    if points:
        thresholds.put_score_range(*points[0]["customdata"])
    else:
        state.put("range", None)


def show_curves(results: RunResults, threshold: thresholds.Threshold) -> None:
    """Both curves, drawn once they are opened."""
    test = results.test
    if not results.has_defects or test.is_defective.all():
        return
    fold = st.expander("ROC and precision-recall curves", icon=":material/show_chart:", key="curves", on_change="rerun")
    if not fold.open:
        return
    roc, pr = roc_curve(test.score, test.is_defective), pr_curve(test.score, test.is_defective)
    if roc is None or pr is None:
        return
    with fold:
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
        lambda: scores_csv(results, threshold.value, thresholds.read_notes(results), with_folders=False),
        f"{results.run_id}-scores.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
        help="One line per test image and held-out normal, with its outcome at this threshold and what was noted.",
    )


store = open_page("results")
with shown():
    main(store)
