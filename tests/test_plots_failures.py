"""Figures of the page `failures`: every dot leads to its image, wrong calls differ by shape, tints lie where map and
mask show it.
"""

import numpy as np
import pytest

from wtflow.plots.failures import MOST_CLICKABLE, SYMBOLS, TINT, paint_segments, plot_alarms, plot_fact, plot_groups
from wtflow.plots.theme import COLOURS
from wtflow.records.failures import AlarmMap

OUTCOME = ["TP", "FN", "FP", "TN"]
IDS = ["a", "b", "c", "d"]


def fact(values, **more):
    return plot_fact(np.array(values), np.array([5.0, 1.0, 4.0, 0.5]), OUTCOME, IDS, 2.0, "area", **more)


def clickable(figure) -> dict[str, tuple]:
    """Sample id -> coordinates, as a click returns them."""
    return {
        custom[0]: (x, y)
        for trace in figure.data
        if trace.customdata is not None
        for custom, x, y in zip(trace.customdata, trace.x, trace.y, strict=True)
    }


def test_every_dot_carries_its_image_and_lies_at_its_values():
    assert clickable(fact([0.1, 0.2, 0.3, 0.4])) == {"a": (0.1, 5.0), "b": (0.2, 1.0), "c": (0.3, 4.0), "d": (0.4, 0.5)}


def test_an_image_without_the_fact_is_left_out():
    assert set(clickable(fact([0.1, np.nan, 0.3, np.nan]))) == {"a", "c"}


def test_wrong_calls_have_the_colour_and_the_shape_of_their_outcome():
    traces = {trace.name: trace.marker for trace in fact([0.1, 0.2, 0.3, 0.4]).data}
    assert traces["defect missed (1)"].color == COLOURS["fn"]
    assert traces["defect missed (1)"].symbol == traces["false alarm (1)"].symbol != traces["defect found (1)"].symbol
    assert {SYMBOLS[name] for name in ("FN", "FP")}.isdisjoint({SYMBOLS[name] for name in ("TP", "TN")})


def test_threshold_and_bound_are_lines_across_the_figure():
    figure = fact([0.1, 0.2, 0.3, 0.4], bound=0.25)
    assert {(shape.x0, shape.x1) for shape in figure.layout.shapes} == {(0, 1), (0.25, 0.25)}
    assert any(shape.y0 == shape.y1 == 2.0 for shape in figure.layout.shapes)


def test_shares_are_ticked_as_percentages():
    figure = fact([0.1, 0.2, 0.3, 0.4], is_share=True)
    assert figure.layout.xaxis.ticksuffix == "\N{NBSP}%"
    assert sorted(x for trace in figure.data for x in trace.x) == pytest.approx([10, 20, 30, 40])
    assert not fact([0.1, 0.2, 0.3, 0.4]).layout.xaxis.ticksuffix
    small = fact([1e-5, 0.001, 0.3, 0.4], is_share=True)
    assert all(text.endswith("\N{NBSP}%") for text in small.layout.xaxis.ticktext), "also on a logarithmic axis"


def test_a_fact_that_no_image_has_gets_a_sentence():
    figure = fact([np.nan] * 4)
    assert "No image has this fact" in figure.layout.annotations[0].text
    assert not figure.data


def alarms(shape: tuple[int, int]) -> AlarmMap:
    share = np.zeros(shape)
    share[0, 1] = 0.5
    return AlarmMap(share, np.arange(share.size).reshape(shape) % 3, 1.0, 0.99, 10, 1.0, 1.0, 2, 0)


def test_a_place_of_the_alarm_map_leads_to_the_image_that_is_highest_there_at_that_position():
    figure = plot_alarms(alarms((2, 3)), {0: "a", 1: "b", 2: "c"})
    points = figure.data[1]
    custom = dict(zip(zip(points.y, points.x, strict=True), points.customdata, strict=True))
    assert custom[0, 1] == ["b", "0,1"]
    assert custom[1, 2] == ["c", "1,2"]
    assert points.text[1] == "50\N{NBSP}%"
    assert figure.layout.yaxis.range == (1.5, -0.5), "row 0 is on top"


def test_large_grids_are_thinned_for_clicks_but_drawn_whole():
    figure = plot_alarms(alarms((100, 100)), {})
    assert figure.data[0].z.shape == (100, 100)
    assert len(figure.data[1].x) <= MOST_CLICKABLE**2


def test_groups_have_colours_of_their_own_and_right_calls_are_grey():
    figure = plot_groups(np.arange(8.0).reshape(4, 2), np.array([0, 1, 2, 0]), OUTCOME, IDS)
    assert [trace.name for trace in figure.data] == ["correct calls (2)", "group 1 (1)", "group 2 (1)"]
    assert len({trace.marker.color for trace in figure.data}) == 3
    assert figure.data[0].marker.color == COLOURS["reference"]
    assert clickable(figure)["b"] == (2.0, 3.0)


@pytest.mark.parametrize(("place", "name"), [((0, 0), "tp"), ((0, 1), "fp"), ((1, 0), "fn")])
def test_tints_say_what_is_found_called_alone_and_missed(place, name):
    called, mask = np.array([[True, True], [False, False]]), np.array([[True, False], [True, False]])
    painted = paint_segments(np.full((20, 20, 3), 100, np.uint8), called, mask, np.zeros((2, 2), bool))
    tint = np.array([int(COLOURS[name][i : i + 2], 16) for i in (1, 3, 5)])
    assert painted[place[0] * 10 + 5, place[1] * 10 + 5] == pytest.approx(100 * (1 - TINT) + tint * TINT, abs=0.6)


def test_what_neither_map_nor_mask_marks_stays_as_it_was():
    image = np.random.default_rng(0).integers(0, 256, (12, 12, 3)).astype(np.uint8)
    nothing = np.zeros((4, 4), bool)
    assert (paint_segments(image, nothing, nothing, nothing) == image).all()


def test_what_counts_in_neither_class_is_striped_and_no_false_alarm():
    image, left = np.full((40, 40, 3), 100, np.uint8), np.array([[True, False], [False, False]])
    painted = paint_segments(image, np.ones((2, 2), bool), np.zeros((2, 2), bool), left)
    alarm = painted[30, 30]
    inside = painted[:20, :20].reshape(-1, 3)
    assert not (inside == alarm).all(axis=1).any()
    assert len(np.unique(inside, axis=0)) == 2 and (inside[:, 0] == inside[:, 1]).all(), "grey stripes"
