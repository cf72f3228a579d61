"""Figures of steps, return errors and couplings: the numbers given, in order, marked and readable, also where paths
never returned.
"""

import json
import math

import numpy as np
import pytest

from wtflow.plots.groups import group_colours
from wtflow.plots.ideal import N_DRAWN, PANELS, plot_ideal, plot_ideal_norms
from wtflow.plots.steps import plot_return, plot_steps
from wtflow.plots.theme import COLOURS
from wtflow.records.core import GOOD
from wtflow.records.flow import UNMARKED, Ideal, ReturnTrip, StepsRow

NEVER = float(np.finfo(np.float32).max)
"""What records hold for a path that was lost."""


def row(
    solver: str, steps: int, is_default: bool = False, auroc: float | None = 0.8, groups=("stain", GOOD, "hole")
) -> StepsRow:
    evaluations = steps * (2 if solver == "heun" else 1)
    norms = {name: (1.0, 10.0 * (i + 1) + evaluations, 99.0) for i, name in enumerate(groups)}
    metrics = {"image_auroc": auroc, "pixel_auroc": 0.7, "aupro": 0.5 + evaluations / 100}
    return StepsRow(solver, steps, evaluations, 1.5 * evaluations, metrics, norms, is_default)


ROWS = [row("euler", 10), row("heun", 5), row("euler", 1), row("heun", 2), row("euler", 4, is_default=True)]


def lines(figure) -> dict[str, object]:
    """Traces that the legend names."""
    return {trace.name: trace for trace in figure.data if trace.name}


def trip(steps: int, errors: dict, solver: str = "euler") -> ReturnTrip:
    return ReturnTrip(solver, steps, errors)


# -- steps -------------------------------------------------------------------------------------------------------------


def test_each_solvers_line_holds_its_own_rows_in_order_of_evaluations():
    found = lines(plot_steps(ROWS))
    assert list(found["AUPRO, euler"].x) == [1, 4, 10]
    assert list(found["AUPRO, heun"].x) == [4, 10]
    assert list(found["AUPRO, euler"].y) == pytest.approx([0.51, 0.54, 0.6])
    assert list(found["time, heun"].y) == [6.0, 15.0]
    assert list(found["stain, euler"].y) == [11.0, 14.0, 20.0]
    assert list(found["normal, heun"].y) == [24.0, 30.0]
    assert {found[name].xaxis for name in ("AUPRO, euler", "stain, euler", "time, heun")} == {"x", "x2", "x3"}
    assert {(trace.line.dash == "solid") == name.endswith("euler") for name, trace in found.items()} == {True}


def test_the_runs_own_setting_is_ringed_on_every_line_that_has_it_and_marked_on_every_axis():
    figure = plot_steps(ROWS)
    rings = [trace for trace in figure.data if not trace.name]
    assert sorted((trace.xaxis, *trace.x, *trace.y) for trace in rings) == sorted(
        [("x", 4, 0.8), ("x", 4, 0.54), ("x2", 4, 14.0), ("x2", 4, 24.0), ("x2", 4, 34.0), ("x3", 4, 6.0)]
    ), "Heun's 2 steps take 4 evaluations as well, but are not this run's"
    assert {trace.marker.color for trace in rings} == {COLOURS["selected"]}
    assert [(shape.xref, shape.x0, shape.x1) for shape in figure.layout.shapes] == [
        ("x", 4, 4),
        ("x2", 4, 4),
        ("x3", 4, 4),
    ]
    found = lines(figure)
    assert [words for words in found["AUPRO, euler"].hovertext if "(this run)" in words] == [
        "euler, 4 steps (this run)"
    ]
    assert not any("(this run)" in words for words in found["AUPRO, heun"].hovertext)
    assert found["AUPRO, euler"].hovertext[0] == "euler, 1 step"


def test_groups_have_the_colours_that_they_have_in_other_figures_whatever_their_order_here():
    expected = group_colours((GOOD, "hole", "stain"))
    for rows in (
        ROWS,
        [row("euler", 1, groups=("hole", "stain", GOOD))],
        [row("euler", 1, groups=("hole",)), row("euler", 2, groups=(GOOD, "stain"))],
    ):
        found = lines(plot_steps(rows))
        assert {
            name: found[f"{words}, euler"].line.color
            for name, words in ((GOOD, "normal"), ("hole", "hole"), ("stain", "stain"))
        } == expected


def test_a_metric_that_the_data_does_not_define_is_left_out():
    found = lines(plot_steps([row("euler", 1, auroc=None), row("euler", 2), row("heun", 2, auroc=None)]))
    assert list(found["image AUROC, euler"].x) == [2]
    assert "image AUROC, heun" not in found
    assert list(found["AUPRO, euler"].x) == [1, 2]
    assert not [name for name in lines(plot_steps([row("euler", 1, auroc=None)])) if "AUROC" in name]


def test_a_run_without_rows_is_an_empty_figure():
    assert len(plot_steps([]).data) == len(plot_return([]).data) == 0


# -- there and back ----------------------------------------------------------------------------------------------------


def test_return_errors_are_medians_with_bars_to_both_quantiles_in_order_of_steps():
    figure = plot_return([trip(4, {GOOD: (0.1, 0.2, 0.5)}), trip(1, {GOOD: (0.5, 1.0, 4.0)})])
    (line,) = figure.data
    assert (list(line.x), list(line.y)) == ([1, 4], [1.0, 0.2])
    assert list(line.error_y.array) == pytest.approx([3.0, 0.3])
    assert list(line.error_y.arrayminus) == pytest.approx([0.5, 0.1])
    assert list(line.hovertext) == ["median error 1 of the start's norm", "median error 0.2 of the start's norm"]
    (shape,) = figure.layout.shapes
    assert shape.y0 == shape.y1 == 1
    assert not figure.layout.annotations, "on a logarithmic axis the place of an annotation would be a power of ten"


def test_paths_that_never_returned_stand_at_the_upper_edge_and_do_not_stretch_the_axis():
    """Of those that came back the farthest is 40 starts away, so the edge is at 400; 1.7e38 is a quantile between
    0.3 and the largest float32.
    """
    errors = {1: (0.3, 1.7e38, NEVER), 2: (NEVER,) * 3, 4: (0.1, 0.4, NEVER), 10: (1, 2, 40)}
    figure = plot_return([trip(steps, {"hole": spread}) for steps, spread in errors.items()])
    line, lost = figure.data
    assert list(line.y) == [400, 400, 0.4, 2]
    tops = np.add(line.y, line.error_y.array)
    np.testing.assert_allclose(tops, [400, 400, 400, 40])
    np.testing.assert_allclose(np.subtract(line.y, line.error_y.arrayminus), [0.3, 400, 0.1, 1])
    assert (list(lost.x), list(lost.y), lost.marker.symbol, lost.marker.color) == (
        [1, 2],
        [400, 400],
        "triangle-up",
        line.line.color,
    )
    assert not lost.showlegend
    assert [(shape.y0, shape.label.text) for shape in figure.layout.shapes][1] == (400, "never returned")
    hover = list(line.hovertext)
    assert "most never returned" in hover[0] and "0.3" in hover[0]
    assert hover[1:] == [
        "none returned",
        "median error 0.4 of the start's norm; some never returned",
        "median error 2 of the start's norm",
    ]
    assert not any("e+" in words for words in hover)


def test_without_lost_paths_nothing_speaks_of_them():
    figure = plot_return([trip(1, {GOOD: (0.5, 1.0, 4.0)})])
    assert "never" not in figure.to_json()


def test_the_edge_leaves_room_above_the_line_of_no_return_even_where_nothing_came_back():
    figure = plot_return([trip(1, {GOOD: (NEVER,) * 3})])
    assert list(figure.data[0].y) == [10]


def test_an_error_of_exactly_zero_has_a_place_on_the_logarithmic_axis():
    (line,) = plot_return([trip(1, {GOOD: (0.0, 0.0, 0.5)})]).data
    assert 0 < line.y[0] < 1e-6
    assert line.error_y.arrayminus[0] == 0
    assert line.hovertext[0] == "median error 0 of the start's norm"


def test_solvers_and_groups_have_lines_of_their_own_in_the_colours_of_other_figures():
    errors = {UNMARKED: (0.1, 0.2, 0.3), "stain": (0.1, 0.2, 0.3), "hole": (0.1, 0.2, 0.3), GOOD: (0.1, 0.2, 0.3)}
    found = lines(plot_return([trip(1, errors), trip(2, errors, "heun")]))
    colours = group_colours((GOOD, "hole", "stain", UNMARKED))
    assert list(found) == [
        f"{words}, {solver}"
        for words in ("normal", "hole", "stain", "outside the masks")
        for solver in ("euler", "heun")
    ]
    assert [trace.line.color for trace in found.values()] == [colour for colour in colours.values() for _ in range(2)]
    assert list(found["hole, heun"].x) == [2]


# -- couplings ---------------------------------------------------------------------------------------------------------


def ideal(n: int = 30, n_times: int = 5, costs=(201.4, 187.6, 214.5)) -> Ideal:
    generator = np.random.default_rng(0)
    start, t = generator.normal(0, 3, (n, 2)), np.linspace(0, 1, n_times, dtype=np.float32)
    ends = {name: generator.normal(size=(n, 2)) for name in PANELS[:3]}
    norms = {name: np.abs(generator.normal(10 + i, 1, (n_times, n))) for i, name in enumerate(PANELS)}
    learned = start * (1 - 0.5 * t[:, None, None])
    return Ideal(
        t,
        start,
        ends,
        learned,
        norms,
        dict(zip(PANELS, costs, strict=False)),
        {"independent": 0.0012, "optimal": -0.0843, "worst": 0.0861},
        "worst",
    )


def test_frames_move_only_the_dots_and_there_is_one_for_every_saved_time():
    given = ideal()
    figure = plot_ideal(given)
    dots = [i for i, trace in enumerate(figure.data) if trace.mode == "markers"]
    assert [figure.data[i].xaxis for i in dots] == ["x", "x2", "x3", "x4"]
    assert len(figure.frames) == len(given.t)
    for s, frame in enumerate(figure.frames):
        assert list(frame.traces) == dots
        for name, moved in zip(PANELS, frame.data, strict=True):
            share = float(given.t[s])
            at = given.learned[s] if name == "learned" else given.start + share * (given.ends[name] - given.start)
            np.testing.assert_allclose(np.stack([moved.x, moved.y], axis=1), at, atol=1e-6)


def test_the_slider_and_the_button_find_every_frame_also_where_two_times_look_alike():
    figure = plot_ideal(ideal(n_times=201))
    names = [frame.name for frame in figure.frames]
    assert len(set(names)) == 201
    (slider,) = figure.layout.sliders
    assert [step.args[0] for step in slider.steps] == [(name,) for name in names]
    assert [slider.steps[i].label for i in (0, 100, 200)] == ["0.00", "0.50", "1.00"]
    play, pause = figure.layout.updatemenus[0].buttons
    assert (play.args[0], pause.args[0]) == (None, (None,))
    assert not play.args[1]["frame"]["redraw"]


def test_dots_start_at_the_data_in_all_panels_and_lines_join_data_and_ends():
    given = ideal()
    figure = plot_ideal(given)
    for trace in figure.data[4:]:
        np.testing.assert_allclose(np.stack([trace.x, trace.y], axis=1), given.start)
    for name, trace in zip(PANELS, figure.data[:4], strict=True):
        line = np.stack([trace.x, trace.y], axis=1).reshape(30, 6, 2)
        assert np.isnan(line[:, -1]).all() and not np.isnan(line[:, :-1]).any()
        np.testing.assert_allclose(line[:, 0], given.start, atol=1e-6)
        np.testing.assert_allclose(line[:, 4], given.learned[-1] if name == "learned" else given.ends[name], atol=1e-6)


def test_panels_share_their_axes_and_hold_at_most_so_many_lines():
    figure = plot_ideal(ideal(n=500))
    layout = figure.layout
    assert layout.xaxis.range == layout.xaxis2.range == layout.xaxis3.range == layout.xaxis4.range
    assert layout.yaxis.range == layout.yaxis4.range
    assert all(len(trace.x) == N_DRAWN for trace in figure.data[4:])
    assert all(len(frame.data[0].x) == N_DRAWN for frame in figure.frames)


def test_titles_carry_the_coupling_its_cost_and_gamma_and_what_the_run_was_trained_with():
    titles = [note.text for note in plot_ideal(ideal()).layout.annotations]
    assert titles == [
        "<b>independent</b><br>mean cost 201, γ = +0.001",
        "<b>optimal</b><br>mean cost 188, γ = -0.084",
        "<b>worst</b><br>mean cost 214, γ = +0.086",
        "<b>learned field</b><br>trained with worst coupling",
    ]
    small = [note.text for note in plot_ideal(ideal(costs=(2.01, 1.24, 3.46))).layout.annotations]
    assert "mean cost 1.24," in small[1] and "mean cost 3.46," in small[2], (
        "rounded to whole numbers they would be hard to distinguish"
    )


def test_norms_are_medians_over_the_positions_in_four_lines_that_differ_in_more_than_colour():
    given = ideal()
    figure = plot_ideal_norms(given)
    for name, trace in zip(PANELS, figure.data, strict=True):
        np.testing.assert_allclose(trace.y, [np.sort(values)[14:16].mean() for values in given.norms[name]])
        np.testing.assert_array_equal(trace.x, given.t)
    assert len({trace.line.dash for trace in figure.data}) == 4
    assert figure.data[3].line.color == COLOURS["time"] not in {trace.line.color for trace in figure.data[:3]}


# -- look --------------------------------------------------------------------------------------------------------------


def fixed_text_colours(value) -> set[str]:
    """Colours of all fonts that the figure sets by itself."""
    if isinstance(value, list):
        return set().union(*map(fixed_text_colours, value))
    if not isinstance(value, dict):
        return set()
    own = {
        value[name]["color"]
        for name in value
        if name.endswith("font") and isinstance(value[name], dict) and "color" in value[name]
    }
    return own.union(*map(fixed_text_colours, value.values()))


@pytest.mark.parametrize(
    "figure",
    [
        plot_steps(ROWS),
        plot_return([trip(1, {GOOD: (0.1, NEVER, NEVER)})]),
        plot_ideal(ideal()),
        plot_ideal_norms(ideal()),
    ],
)
def test_grounds_and_text_are_left_to_the_theme(figure):
    """Buttons alone have a text colour: the grey that stands out on both grounds, because under the pointer Plotly
    makes theirs near-white.
    """
    layout = json.loads(figure.to_json())["layout"]
    layout.pop("template", None)
    assert layout["paper_bgcolor"] == layout["plot_bgcolor"] == "rgba(0,0,0,0)"
    assert fixed_text_colours(layout) <= {COLOURS["reference"]}
    assert bool(fixed_text_colours(layout)) == ("updatemenus" in layout)
    assert not any(
        isinstance(value, float) and math.isinf(value) for trace in figure.data for value in np.ravel(trace.y)
    )
