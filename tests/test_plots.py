"""Charts: what they count, where they mark, and that each colour keeps its meaning."""

import numpy as np
import plotly.graph_objects as go
import pytest

from wtflow.plots.axes import score_axis
from wtflow.plots.curves import MAX_POINTS, plot_loss, plot_pr, plot_roc, point_at
from wtflow.plots.histogram import plot_score_histogram
from wtflow.plots.probe import plot_probe
from wtflow.plots.scores import plot_score_strip
from wtflow.plots.theme import COLOURS
from wtflow.records.core import Curve, Probe

SCORES = np.array([0.1, 0.2, 0.2, 0.4, 0.7, 0.9, 1.0])
IS_DEFECTIVE = np.array([False, False, False, True, False, True, True])


def bars(figure: go.Figure) -> dict[str, go.Bar]:
    """Colour -> bars."""
    return {bar.marker.color: bar for bar in figure.data}


# ---- histogram


@pytest.mark.parametrize("spread", [lambda scores: scores, lambda scores: 10.0 ** (4 * scores)])
@pytest.mark.parametrize("place", [-1.0, 0.1, 0.3, 0.7, 1.0, 2.0])
def test_each_bar_counts_the_images_of_its_outcome_whose_scores_lie_in_its_customdata(spread, place):
    scores, threshold = spread(SCORES), float(spread(np.array(place)))  # linear and logarithmic bins
    found = bars(plot_score_histogram(scores, IS_DEFECTIVE, threshold, n_bins=5))
    called = scores >= threshold
    n_bars = 0
    for outcome, own in {
        "tn": ~IS_DEFECTIVE & ~called,
        "fp": ~IS_DEFECTIVE & called,
        "fn": IS_DEFECTIVE & ~called,
        "tp": IS_DEFECTIVE & called,
    }.items():
        assert (COLOURS[outcome] in found) == own.any()
        if not own.any():
            continue
        n_bars += 1
        bar, side = found[COLOURS[outcome]], -1 if outcome in ("fn", "tp") else 1
        assert sum(bar.y) == side * own.sum(), "normal images stand upward, defective ones downward"
        for count, (low, high) in zip(bar.y, bar.customdata, strict=True):
            last = high == scores.max()
            assert side * count == sum(low <= one and (one < high or last and one == high) for one in scores[own])
    assert n_bars == len(found)


def test_a_bar_covers_exactly_the_scores_it_counts_and_none_lies_across_the_threshold():
    figure = plot_score_histogram(10.0 ** (4 * SCORES), IS_DEFECTIVE, threshold=77.0, n_bins=7)
    for bar in figure.data:
        edges = np.array(bar.customdata)
        assert np.allclose(np.array(bar.x) - np.array(bar.width) / 2, edges[:, 0])
        assert np.allclose(np.array(bar.x) + np.array(bar.width) / 2, edges[:, 1])
        assert not any(low < 77.0 < high for low, high in edges)


def test_both_sides_share_one_scale_and_its_numbers_are_never_negative():
    figure = plot_score_histogram(np.repeat([1.0, 2.0], [70, 4]), np.repeat([False, True], [70, 4]), threshold=1.5)
    axis = figure.layout.yaxis
    assert list(axis.tickvals) == sorted(axis.tickvals) and 0 in axis.tickvals
    assert [int(text.replace(",", "")) for text in axis.ticktext] == [abs(tick) for tick in axis.tickvals]
    assert axis.range[0] < -4 and axis.range[1] > 70


def test_the_axis_is_logarithmic_above_two_decades_and_says_so():
    narrow = plot_score_histogram(np.array([1.0, 99.0]), np.array([False, True]), threshold=5.0)
    wide = plot_score_histogram(np.array([1.0, 101.0]), np.array([False, True]), threshold=5.0)
    assert (narrow.layout.xaxis.type, wide.layout.xaxis.type) == ("linear", "log")
    assert "log" not in narrow.layout.xaxis.title.text
    assert "log" in wide.layout.xaxis.title.text
    for figure in (narrow, wide):
        assert "higher is worse" in figure.layout.xaxis.title.text
        assert "images" in figure.layout.yaxis.title.text


def test_the_axis_is_logarithmic_above_one_decade_where_half_of_the_images_would_be_pressed_into_a_twentieth_of_it():
    def is_log(median: float, high: float) -> bool:
        return score_axis(np.array([1.0, 1.0, median, high, high])).is_log

    assert [is_log(1.9, 20.0), is_log(1.96, 20.0)] == [True, False]  # a twentieth of 1 to 20 ends at 1.95
    assert [is_log(1.3, 10.1), is_log(1.3, 9.9)] == [True, False]


def test_a_logarithmic_axis_is_marked_at_ones_twos_and_fives_and_a_long_one_at_ones():
    layout = score_axis(np.array([0.3, 0.35, 0.4, 23.0])).layout()
    assert layout["tickvals"] == [0.5, 1, 2, 5, 10, 20]
    assert layout["ticktext"] == ["0.5", "1", "2", "5", "10", "20"]
    assert score_axis(np.array([0.002, 3000.0])).layout()["ticktext"] == ["0.01", "0.1", "1", "10", "100", "1,000"]


def test_a_score_of_zero_keeps_the_axis_linear():
    assert not score_axis(np.array([0.0, 1.0, 1e6])).is_log


def test_one_label_alone_gets_one_set_of_bars_and_still_a_legend():
    figure = plot_score_histogram(SCORES, np.zeros(7, bool), threshold=0.5)
    assert [bar.name for bar in figure.data] == ["4 normals passed", "3 false alarms"]
    assert figure.layout.showlegend


@pytest.mark.parametrize("scores", [np.array([3.0]), np.full(5, 3.0), np.zeros(4)])
def test_equal_scores_share_one_bar_inside_an_axis_of_some_length(scores):
    figure = plot_score_histogram(scores, np.ones(scores.size, bool), threshold=3.0)
    (bar,) = figure.data
    low, high = figure.layout.xaxis.range
    assert list(bar.y) == [-scores.size]
    assert low < scores[0] < high
    assert bar.customdata[0][0] <= scores[0] <= bar.customdata[0][1]


def test_no_images_give_a_sentence_instead_of_bars():
    figure = plot_score_histogram(np.array([]), np.array([], bool), threshold=1.0)
    assert not figure.data
    assert figure.layout.annotations[0].text == "No images to show."


def test_the_threshold_line_stands_at_the_threshold_and_shows_its_value():
    for scores in (SCORES, 10.0 ** (4 * SCORES)):
        threshold = float(np.median(scores))
        line = plot_score_histogram(scores, IS_DEFECTIVE, threshold).layout.shapes[0]
        assert line.x0 == line.x1 == threshold
        assert line.line.color == COLOURS["threshold"]
        assert line.label.text == f"threshold {threshold:.4g}"


@pytest.mark.parametrize(("threshold", "end", "arrow"), [(50.0, 1.0, "→"), (-2.0, 0.1, "←")])
def test_a_threshold_beyond_the_scores_is_drawn_at_the_end_with_an_arrow(threshold, end, arrow):
    line = plot_score_histogram(SCORES, IS_DEFECTIVE, threshold).layout.shapes[0]
    assert line.x0 == end
    assert line.label.text.endswith(arrow)


# ---- curves


def test_a_long_loss_is_thinned_to_block_means():
    step = np.arange(10_000)
    figure = plot_loss(step, step.astype(float))
    raw = figure.data[0]
    assert len(raw.x) <= MAX_POINTS
    assert np.allclose(raw.x, raw.y)  # a mean of steps and of equal losses is the same mean
    assert raw.x[0] == 3.0  # blocks of 7: 0..6


def test_the_running_mean_of_a_constant_loss_is_that_constant():
    assert np.allclose(plot_loss(np.arange(300), np.full(300, 2.5)).data[1].y, 2.5)


def test_the_running_mean_lies_within_the_losses_seen_so_far():
    loss = np.random.default_rng(0).random(400)
    smooth = np.array(plot_loss(np.arange(400), loss).data[1].y)
    assert smooth[0] == loss[0]
    assert np.all(smooth <= np.maximum.accumulate(loss) + 1e-12)
    assert smooth[-1] == pytest.approx(loss[-20:].mean())  # 5 % of 400


def test_a_loss_of_one_step_can_be_seen():
    assert "markers" in plot_loss([1], [2.0]).data[1].mode


def test_no_step_yet_is_said():
    assert "No training step" in plot_loss([], []).layout.annotations[0].text


# Scores .9 and .4 are defective, .6 and .2 normal; x: false alarms of 2 normals, y: found of 2 defective.
ROC = Curve(np.array([0, 0, 0.5, 0.5, 1]), np.array([0, 0.5, 0.5, 1, 1]), np.array([np.inf, 0.9, 0.6, 0.4, 0.2]))


@pytest.mark.parametrize(
    ("threshold", "point"),
    [(0.9, (0, 0.5)), (0.7, (0, 0.5)), (0.5, (0.5, 0.5)), (0.4, (0.5, 1)), (0, (1, 1)), (2, (0, 0))],
)
def test_the_marked_point_of_a_roc_curve_has_the_rates_at_the_threshold(threshold, point):
    marked = plot_roc(ROC, threshold).data[1]
    assert (marked.x[0] / 100, marked.y[0] / 100) == point
    assert marked.marker.color == COLOURS["threshold"]


def test_the_point_is_found_in_whatever_order_the_thresholds_come():
    turned = Curve(ROC.x[::-1], ROC.y[::-1], ROC.thresholds[::-1])
    at = point_at(turned, 0.5)
    assert (turned.x[at], turned.y[at]) == (0.5, 0.5)


def test_a_curve_without_a_point_at_the_threshold_marks_none():
    finite = Curve(np.array([1.0]), np.array([0.5]), np.array([0.2]))
    assert point_at(finite, 0.3) is None
    assert [trace.mode for trace in plot_pr(finite, 0.3).data] == ["lines"]


def test_a_curve_that_is_not_defined_is_said_to_need_both_labels():
    empty = Curve(np.array([]), np.array([]), np.array([]))
    assert "needs normal and defective" in plot_roc(empty, 0.5).layout.annotations[0].text


# ---- one image among all


def test_the_strip_puts_every_image_into_the_row_of_its_label():
    figure = plot_score_strip(SCORES, IS_DEFECTIVE, this_score=0.5, threshold=0.3)
    normal, defective, this = figure.data
    assert sorted(normal.x) == sorted(SCORES[~IS_DEFECTIVE])
    assert sorted(defective.x) == sorted(SCORES[IS_DEFECTIVE])
    assert (normal.marker.color, defective.marker.color) == (COLOURS["normal"], COLOURS["defect"])
    assert max(normal.y) < 0.5 < min(defective.y)
    assert set(this.x) == {0.5}
    assert this.line.color == COLOURS["selected"]


def test_the_strip_has_room_for_an_image_worse_than_all_others():
    low, high = plot_score_strip(SCORES, IS_DEFECTIVE, this_score=30.0, threshold=0.3).layout.xaxis.range
    assert low < np.log10(SCORES.min())  # 0.1 to 30 span over two decades
    assert high > np.log10(30.0)


def test_the_strip_of_one_label_names_one_row():
    figure = plot_score_strip(SCORES, np.zeros(7, bool), this_score=0.5, threshold=0.3)
    assert list(figure.layout.yaxis.ticktext) == ["normal"]


# ---- probe


@pytest.fixture
def probe():
    speed, channels = np.array([1.0, 2.0, 1.5]), ((3, -2.0, 0.25), (7, 1.0, 0.0625))
    return Probe(
        "test/a.png",
        1,
        2,
        np.array([0.0, 0.5, 1.0]),
        np.array([3.0, 3.5, 4.0]),
        np.array([0.28, 0.38, 0.5]),
        0.5,
        16,
        speed,
        channels,
    )


def trace(figure, name):
    return next(one for one in figure.data if one.name == name)


def test_the_shell_of_16_channels_lies_at_norm_4_and_score_one_half(probe):
    shells = [one for one in plot_probe(probe).data if one.legendgroup == "shell"]
    assert [list(one.y) for one in shells] == [[4.0, 4.0], [0.5, 0.5]]
    assert shells[0].xaxis == "x" and shells[1].xaxis == "x3", "each lies in the panel of its own quantity"


def test_norm_speed_and_score_are_drawn_against_time(probe):
    figure = plot_probe(probe)
    for name, values in (("norm", [3, 3.5, 4]), ("speed", [1, 2, 1.5]), ("score", [0.28, 0.38, 0.5])):
        assert (list(trace(figure, name).x), list(trace(figure, name).y)) == ([0, 0.5, 1], values)
        assert trace(figure, name).line.color == COLOURS["time"]


def test_each_step_shows_what_it_added_to_the_score(probe):
    bars = next(one for one in plot_probe(probe).data if one.type == "bar" and one.base is not None)
    assert list(bars.base) == [0.28, 0.38] and list(bars.y) == pytest.approx([0.10, 0.12])
    assert list(bars.x) == [0.25, 0.75]


def test_the_strongest_channel_stands_on_top_with_its_share(probe):
    bars = next(one for one in plot_probe(probe).data if one.type == "bar" and one.orientation == "h")
    assert list(bars.y) == ["c7", "c3"] and list(bars.x) == [6.25, 25] and list(bars.customdata) == [1.0, -2.0]


def test_the_probe_says_which_end_of_time_is_data():
    probe = Probe("a", 0, 0, np.array([0.0, 1.0]), np.ones(2), np.ones(2), 1.0, 4, np.ones(2), ())
    assert plot_probe(probe).layout.xaxis2.title.text == "t (0 = data, 1 = noise)"
