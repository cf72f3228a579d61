"""The metrics of a run as cards, each with what it means, what no flow would reach, and why it may be absent."""

import streamlit as st

from pages.ui import widgets
from pages.ui.errors import plain
from wtflow.metrics import RUN_METRICS
from wtflow.records.truth import RunTruth
from wtflow.results import RunResults


def show_metrics(results: RunResults) -> None:
    metrics, undefined = results.metrics["metrics"], results.metrics.get("undefined", {})
    test = results.test
    n_defective = int(test.is_defective.sum())
    settings = results.settings
    st.caption(
        f"On {widgets.count(len(test), 'test image')}: {len(test) - n_defective} normal, {n_defective} defective. "
        f"{plain(results.source_label)}, {_size_words(results)}, {settings.coupling} coupling, "
        f"{widgets.count(settings.steps, settings.solver + ' step')}, score {settings.score}."
    )
    if not isinstance(results.truth, RunTruth):
        st.caption(
            ":material/info: This run holds no masks of its own. Its pixel metrics are those that it stored when it was"
            " scored; *Compare* and the report count anew, on its masks as they are now."
        )
    with st.grid(min_column_width=190, key="metrics"):
        for name, metric in RUN_METRICS.items():
            with st.container(border=True, height="stretch"):
                st.metric(metric.title, widgets.metric(metrics.get(name)))
                if metrics.get(name) is None:
                    st.caption(f"Not defined: {plain(undefined.get(name, 'this run did not compute it.'))}")
                    continue
                st.caption(metric.meaning)
                if metric.level == "pixel":
                    st.caption(f":material/image: {plain(results.pixel_images.words.capitalize())}.")
                if (floor := metrics.get(metric.before_flow)) is not None:
                    st.caption(f"**Without the flow: {widgets.metric(floor)}** (norm of the features)")


def _size_words(results: RunResults) -> str:
    """How large the images were to the network."""
    side = f"{results.settings.image_size} px"
    return side if results.canvas is None else f"tiles of {side} on {results.shape[1]} x {results.shape[0]} px"
