"""The metrics of a run in one row, each with what it means, what no flow would reach, and why it may be absent."""

import streamlit as st

from pages.ui.errors import plain
from wtflow import numbers
from wtflow.metrics import RUN_METRICS
from wtflow.records.truth import RunTruth
from wtflow.results import RunResults

CARD_PX = 108
"""Least width of a card: six in a row from 760 px of window on."""


def show_metrics(results: RunResults) -> None:
    """What was measured and on what, a card per metric, and of how many images those of pixels are."""
    metrics, undefined = results.metrics["metrics"], results.metrics.get("undefined", {})
    st.subheader("Metrics", anchor=False)
    with st.grid(len(RUN_METRICS), min_column_width=CARD_PX, gap="small", key="metrics"):
        for name, metric in RUN_METRICS.items():
            value = metrics.get(name)
            with st.container(key=f"metric_{name}", gap="xsmall"):
                st.metric(metric.title, numbers.metric(value), help=metric.meaning)
                floor = metrics.get(metric.before_flow)
                if value is not None and floor is not None:
                    st.caption(
                        f"{numbers.metric(floor)} without the flow", help="Measured on the norm of the features."
                    )
    lacks = [
        f"{metric.title} is not defined: {plain(undefined.get(name, 'this run did not compute it.'))}"
        for name, metric in RUN_METRICS.items()
        if metrics.get(name) is None
    ]
    pixels = [metric.title for name, metric in RUN_METRICS.items() if metric.level == "pixel" and name in metrics]
    parts = [*lacks, _of_which_images(results)]
    if pixels and any(metrics.get(name) is not None for name, m in RUN_METRICS.items() if m.level == "pixel"):
        parts.append(f"Pixel metrics and AUPRO: {plain(results.pixel_images.words)}.")
    if results.config.sized is not None:
        parts.append(f"Image size {plain(results.config.sized.chosen)}")
    st.caption(" ".join(parts))
    if not isinstance(results.truth, RunTruth):
        st.caption(
            ":material/info: This run holds no masks of its own. Its pixel metrics are those that it stored when it was"
            " scored; *Compare* and the report count anew, on its masks as they are now."
        )


def _of_which_images(results: RunResults) -> str:
    """What was measured, and how the run was made."""
    test, settings = results.test, results.settings
    n_defective = int(test.is_defective.sum())
    return (
        f"On {numbers.count(len(test), 'test image')}: {len(test) - n_defective} normal, {n_defective} defective. "
        f"{plain(results.source_label)}, {_size_words(results)}, {settings.coupling} coupling, "
        f"{numbers.count(settings.steps, settings.solver + ' step')}, score {settings.score}."
    )


def _size_words(results: RunResults) -> str:
    """How large the images were to the network."""
    side = f"{' and '.join(map(str, results.settings.sizes))} px"
    return side if results.canvas is None else f"tiles of {side} on {results.shape[1]} x {results.shape[0]} px"
