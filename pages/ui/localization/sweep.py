"""How strong and how large a spot must be to be called defective."""

import streamlit as st

from pages.ui import widgets
from pages.ui.errors import show_error
from pages.ui.thresholds import Threshold
from wtflow import numbers
from wtflow.errors import WTFlowError
from wtflow.numbers import percent
from wtflow.numbers import score as format_score
from wtflow.plots import theme
from wtflow.plots.what_if import plot_sweep
from wtflow.records.what_if import Sweep
from wtflow.results import RunResults, ScoreRow
from wtflow.store.runs import RunStore
from wtflow.store.what_ifs import read_sweep
from wtflow.studies.paint import Kind, Stroke

SPOTS: dict[Kind, str] = {"dark": "Dark", "bright": "Bright", "blur": "Blurred", "noise": "Noise"}
SIZES = (1 / 80, 1 / 40, 1 / 20)
"""Radii of swept spots as shares of the image's shorter side."""
STRENGTHS = (0.1, 0.2, 0.35, 0.5, 0.75, 1.0)


def show_sweep(
    store: RunStore, results: RunResults, image: ScoreRow, strokes: tuple[Stroke, ...], threshold: Threshold
) -> None:
    """Score against strength and size of a spot: computed on request, then kept with the run."""
    st.subheader("How strong must a defect be?", anchor=False)
    height, width = results.shape
    kinds = [stroke.kind for stroke in strokes if stroke.kind in SPOTS]
    places = [stroke.points[-1] for stroke in strokes if stroke.kind != "erase"]
    start: Kind = kinds[-1] if kinds else "dark"
    kind: Kind = st.segmented_control("Spot", list(SPOTS), default=start, required=True, format_func=SPOTS.__getitem__)
    place = places[-1] if places else (width / 2, height / 2)
    x, y = (round(min(max(at, 0.0), float(side)), 1) for at, side in zip(place, (width, height), strict=True))
    radii = tuple(
        share * max(min(width, height), 128) for share in SIZES
    )  # a smaller image has no pixels for the smallest spot
    request = (store, results.run_id, int(image.row), kind, (x, y), radii, STRENGTHS)
    sweep = read_sweep(*request)
    where = "where the last stroke ended" if places else "in the middle"
    n = len(radii) * len(STRENGTHS)
    st.caption(
        f"One spot {where} (x {x:.0f}, y {y:.0f}) on the unpainted image, in {len(radii)} sizes and {len(STRENGTHS)}"
        " strengths."
    )
    if sweep is None:
        box = st.empty()
        with box.container():
            if not st.button(
                f"Draw the sweep ({numbers.count(n, 'image')})",
                icon=":material/stacked_line_chart:",
                key="what_if_sweep",
            ):
                return
            bar = st.progress(0.0, "Loading the network")
            try:
                from wtflow.studies.what_if import strength_sweep  # imports torch

                sweep = strength_sweep(
                    *request,
                    progress=widgets.count_on(bar, lambda done, total: f"{done} of {numbers.count(total, 'image')}"),
                )
            except WTFlowError as error:
                show_error(error)
                return
        box.empty()
    st.plotly_chart(
        plot_sweep(sweep, threshold.value),
        key="what_if_sweep_plot",
        config=theme.CONFIG,
        alt="Score against strength of the spot, by size",
    )
    st.caption(sweep_in_words(sweep, threshold.value))


def sweep_in_words(sweep: Sweep, threshold: float) -> str:
    """From which strength on each size is called defective."""
    if sweep.score_before >= threshold:
        return (
            f"The unpainted image is called defective at {format_score(threshold)} already: no strength makes the"
            " difference."
        )
    parts = []
    for radius, first in zip(sweep.radii, sweep.first_reaching(threshold), strict=True):
        parts.append(
            f"{2 * radius:.0f} px across: "
            + ("not even at full strength" if first is None else f"from {percent(first)} strength on")
        )
    return (
        f"Called defective at {format_score(threshold)}: " + "; ".join(parts) + ". Only the strengths drawn were tried."
    )
