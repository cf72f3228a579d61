"""Figures of runs side by side: what they show, what a click returns, and that runs can be distinguished."""

import numpy as np
import plotly.graph_objects as go
import pytest

from wtflow.plots.compare import (
    AGREEMENT,
    CURVES,
    DASHES,
    NEITHER_COLOUR,
    RUN_COLOURS,
    plot_differences,
    plot_rates,
    plot_score_pairs,
)
from wtflow.plots.panels import MAX_CLICKABLE, plot_panels
from wtflow.plots.theme import COLOURS
from wtflow.records.compare import Interval, MetricRow, Panel
from wtflow.records.core import Curve

STEP = Curve(np.array([0.0, 0.0, 1.0]), np.array([0.0, 0.5, 1.0]), np.array([2.0, 1.0, 0.0]))
ROWS = (
    MetricRow(
        "image_auroc",
        (0.8, 0.9),
        (Interval(0.8, 0.7, 0.85), Interval(0.9, 0.8, 0.95)),
        (Interval(0, 0, 0), Interval(0.1, -0.02, 0.15)),
    ),
    MetricRow("aupro", (None, None), reason="No masks."),
)


def pairs(**changes) -> go.Figure:
    arguments = {
        "scores": (np.array([1.0, 2.0, 3.0, 4.0]), np.array([4.0, 30.0, 20.0, 10.0])),
        "is_defective": np.array([False, False, True, True]),
        "agreement": ["both", "first", "second", "neither"],
        "sample_ids": ["a", "b", "c", "d"],
        "thresholds": (2.5, 15.0),
        "names": ("A", "B"),
        "colours": RUN_COLOURS[:2],
        "selected": None,
    } | changes
    return plot_score_pairs(**arguments)


def panels(n: int = 2, **changes) -> go.Figure:
    values = np.linspace(0, 1, 64).reshape(8, 8)
    shown = [Panel(f"run {k}", values, (0.0, 1.0)) for k in range(n)]
    arguments = {
        "opacity": 1.0,
        "grid_shape": (4, 6),
        "selected": None,
        "scale": ("rare", {0.0: "often", 1.0: "never"}),
    } | changes
    return plot_panels(np.full((30, 60, 3), 128, np.uint8), shown, arguments.pop("mask", None), **arguments)


def test_a_difference_reaches_from_the_low_end_of_its_interval_to_the_high_one():
    figure = plot_differences(ROWS, {"image_auroc": "Image AUROC"}, ["A", "B"])
    (trace,) = figure.data
    assert trace.x[0] == pytest.approx(0.1)
    assert trace.x[0] - trace.error_x.arrayminus[0] == pytest.approx(-0.02)
    assert trace.x[0] + trace.error_x.array[0] == pytest.approx(0.15)
    assert list(figure.layout.yaxis.ticktext) == ["Image AUROC"], "a metric without interval has no place"
    assert figure.layout.shapes[0].x0 == figure.layout.shapes[0].x1 == 0


def test_without_any_interval_the_figure_says_so():
    figure = plot_differences(ROWS[1:], {}, ["A", "B"])
    assert not figure.data
    assert figure.layout.annotations[0].text


@pytest.mark.parametrize("kind", CURVES)
def test_every_run_has_a_line_of_its_own_colour_and_dash(kind):
    figure = plot_rates([("A", STEP), ("B", None), ("C", STEP)], kind)
    lines = {trace.name: (trace.line.color, trace.line.dash) for trace in figure.data if trace.name != "chance"}
    assert lines == {
        "A": (RUN_COLOURS[0], DASHES[0]),
        "C": (RUN_COLOURS[2], DASHES[2]),
    }, "a run without a curve keeps its colour"
    assert ("chance" in {trace.name for trace in figure.data}) == (kind == "roc")


def test_the_pro_curve_ends_where_aupro_does():
    assert plot_rates([("A", STEP)], "pro").layout.xaxis.range[1] == pytest.approx(30.3)


def test_no_curve_at_all_is_said_in_words():
    assert "defective" in plot_rates([("A", None)], "roc").layout.annotations[0].text


def test_points_carry_their_image_and_the_colour_of_who_is_right():
    figure = pairs()
    found = {
        trace.customdata[0][0]: (trace.marker.color, trace.marker.symbol, trace.x[0], trace.y[0])
        for trace in figure.data
    }
    assert found == {
        "a": (COLOURS["reference"], "circle", 1, 4),
        "b": (RUN_COLOURS[0], "circle", 2, 30),
        "c": (RUN_COLOURS[1], "square", 3, 20),
        "d": (NEITHER_COLOUR, "square", 4, 10),
    }
    assert [trace.name for trace in figure.data] == [
        words.format(first="A", second="B") for words in AGREEMENT.values()
    ]
    assert {(shape.x0, shape.x1, shape.y0, shape.y1) for shape in figure.layout.shapes} == {
        (2.5, 2.5, 0, 1),
        (0, 1, 15, 15),
    }


def test_the_chosen_image_is_ringed_and_an_unknown_one_is_not():
    assert (pairs(selected="c").data[-1].x[0], pairs(selected="c").data[-1].y[0]) == (3, 20)
    assert len(pairs(selected="gone").data) == len(pairs().data) == 4


def test_no_common_image_gives_a_sentence():
    nothing = np.array([])
    assert (
        pairs(scores=(nothing, nothing), is_defective=nothing.astype(bool), agreement=[], sample_ids=[])
        .layout.annotations[0]
        .text
    )


@pytest.mark.parametrize("n", [2, 4])
def test_image_and_maps_stand_side_by_side_and_zoom_together(n):
    figure = panels(n)
    assert sum(isinstance(trace, go.Image) for trace in figure.data) == n + 1
    assert [note.text for note in figure.layout.annotations[: n + 1]] == ["Image", *(f"run {k}" for k in range(n))]
    assert {figure.layout[f"xaxis{k}"].matches for k in range(2, n + 2)} == {"x"}


def test_a_click_anywhere_gives_a_position_of_the_grid():
    points = [trace for trace in panels().data if trace.customdata is not None]
    assert len(points) == 3
    for trace in points:
        assert [list(position) for position in trace.customdata] == [
            [row, column] for row in range(4) for column in range(6)
        ]
        assert (trace.x[0], trace.y[0], trace.x[-1], trace.y[-1]) == (
            5,
            3.75,
            55,
            26.25,
        ), "cell centres of a 60 x 30 image"


def test_large_grids_are_thinned_for_clicking():
    points = next(trace for trace in panels(grid_shape=(100, 100)).data if trace.customdata is not None)
    assert len(points.customdata) <= MAX_CLICKABLE**2


def test_the_chosen_place_is_ringed_in_every_panel():
    rings = [
        trace for trace in panels(selected=(1, 2)).data if isinstance(trace, go.Scatter) and trace.customdata is None
    ]
    assert [(trace.x[0], trace.y[0]) for trace in rings] == [(25, 11.25)] * 3


def test_the_true_defect_is_outlined_in_every_panel():
    mask = np.zeros((30, 60), bool)
    mask[5:10, 20:30] = True
    lines = [
        trace
        for trace in panels(mask=mask).data
        if isinstance(trace, go.Scatter) and trace.mode == "lines" and trace.line.color == COLOURS["truth"]
    ]
    assert len(lines) == 3
    assert {min(x for x in line.x if x is not None) for line in lines} == {20}


def test_an_overlay_is_not_the_map_alone():
    assert panels(opacity=1.0).data[2].source != panels(opacity=0.5).data[2].source


def test_the_colour_bar_says_what_its_colours_mean():
    layout = panels().layout
    assert list(layout.coloraxis.colorbar.ticktext) == ["often", "never"]
    assert "rare" in {note.text for note in layout.annotations}
