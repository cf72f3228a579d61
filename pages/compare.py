"""Which run is better, and where do they disagree?"""

from collections.abc import Sequence
from typing import Literal, get_args

import streamlit as st

from pages.ui import state
from pages.ui.compare import compare_cache, run_choice, tables
from pages.ui.compare.maps import show_maps
from pages.ui.compare.truth_choice import choose_truth
from pages.ui.errors import plain, shown
from pages.ui.frame import open_page
from wtflow.compare.pixel_tally import pro_curve
from wtflow.compare.runs import Comparison, disagreement_words, pair_table
from wtflow.metrics import pr_curve, roc_curve
from wtflow.plots import theme
from wtflow.plots.compare import CURVES, RUN_COLOURS, plot_rates, plot_score_pairs
from wtflow.records.core import Curve
from wtflow.store.runs import RunStore

CurveKind = Literal["roc", "pr", "pro"]
KINDS: tuple[CurveKind, ...] = get_args(CurveKind)


PARTS = {
    "better": "Which is better",
    "differs": "What differs",
    "curves": "Curves",
    "images": "Image by image",
    "costs": "Time and memory",
}
OF_IMAGES = ("pair", "who", "sample", "position", "maps")
"""Choices of the part *Image by image*: a link that holds one and no part means that part, as links of 0.3.0 do."""


def main(store: RunStore) -> None:
    run_ids = run_choice.pick_runs(store)
    with st.spinner("Reading the runs"):
        comparison = compare_cache.comparison(store, run_ids)
    names = run_choice.run_names(comparison)
    run_choice.show_origins(store, comparison)
    part = pick_part()
    if part == "differs":
        run_choice.show_settings(store, comparison, names)
    if not run_choice.agree_on_images(comparison) or part == "differs":
        return
    if part == "costs":
        tables.show_costs(comparison, names)
        return
    on = choose_truth(store, comparison)
    if part == "better":
        show_better(store, comparison, on, names)
    elif part == "curves":
        show_curves(store, comparison, on, names)
    else:
        pair, disagreed = show_calls(store, comparison, names)
        show_maps(store, comparison, on, names, pair.thresholds, disagreed)


def pick_part() -> str:
    """The part of the page that is open; the others are not computed."""
    start = "images" if any(state.get(name) for name in OF_IMAGES) else "better"
    part = state.choose("part", PARTS, start)
    st.segmented_control(
        "Part of the comparison",
        list(PARTS),
        required=True,
        format_func=PARTS.__getitem__,
        label_visibility="collapsed",
        **state.bound("part", part),
    )
    return part


def show_better(store: RunStore, comparison: Comparison, on: compare_cache.Basis, names: Sequence[str]) -> None:
    wants_pixels = tables.show_metrics(store, comparison, on, names)
    if wants_pixels:
        tables.count_pixels(store, comparison, on)


def show_curves(store: RunStore, comparison: Comparison, on: compare_cache.Basis, names: Sequence[str]) -> None:
    kind: CurveKind = state.choose("curve", KINDS, "roc")
    st.segmented_control(
        "Curve", list(CURVES), required=True, format_func=lambda key: CURVES[key][0], **state.bound("curve", kind)
    )
    curves = [(name, curve_of(store, comparison, on, k, kind)) for k, name in enumerate(names)]
    if kind == "pro" and not all(curve for _, curve in curves):
        st.caption(
            "The PRO curve needs masks, and the pixels of every run counted on the same ones: see *Which is better*."
        )
    st.plotly_chart(
        plot_rates(curves, kind),
        key=f"curve_{kind}",
        config=theme.CONFIG,
        alt=f"{CURVES[kind][0]} curve of {len(names)} runs",
    )


def curve_of(store: RunStore, comparison: Comparison, on: compare_cache.Basis, k: int, kind: CurveKind) -> Curve | None:
    """A run's curve on the common images, or None where it is not defined or its pixels are not counted."""
    if kind == "pro":
        tally = compare_cache.tally(store, comparison, on, k)
        return None if tally is None else pro_curve(tally, comparison.rows[k])
    return (roc_curve if kind == "roc" else pr_curve)(comparison.scores[k], comparison.labels)


def show_calls(store: RunStore, comparison: Comparison, names: Sequence[str]) -> tuple[tables.Pair, list[str]]:
    """Image by image: scores of two runs against each other, and where their calls differ.
    Returns the ids of those, as filtered.
    """
    pair = tables.pick_pair(comparison, names)
    first, second = pair.first, pair.second
    rows = pair_table(comparison, first, second, pair.thresholds)
    st.markdown(plain(disagreement_words(rows, names[first], names[second])))
    run_ids, selected = tuple(run.run_id for run in comparison.runs), state.get("sample")
    figure = compare_cache.figure(
        ("pairs", str(store.home), run_ids, compare_cache.compare_stamp(store, run_ids), pair, selected),
        lambda: plot_score_pairs(
            (comparison.scores[first], comparison.scores[second]),
            comparison.labels,
            list(rows.agreement),
            list(rows.sample_id),
            thresholds=(pair.thresholds[first], pair.thresholds[second]),
            names=(names[first], names[second]),
            colours=(RUN_COLOURS[first], RUN_COLOURS[second]),
            selected=selected,
        ),
    )
    st.plotly_chart(
        figure,
        key="pairs",
        on_select=take_image,
        selection_mode="points",
        config=theme.CONFIG,
        alt=f"Image scores of {names[first]} against {names[second]}",
    )
    st.caption(
        "Round: normal. Square: defective. Dashed: the thresholds. Click a point to see the maps of its image below."
    )
    return pair, list(tables.show_disagreements(store, comparison, rows, (names[first], names[second])).sample_id)


def take_image() -> None:
    """A clicked point chooses its image. Its id travels in customdata."""
    points = [point for point in st.session_state["pairs"].selection.points if point.get("customdata")]
    if points:
        state.put("sample", points[0]["customdata"][0])


store = open_page("compare")
with shown():
    main(store)
