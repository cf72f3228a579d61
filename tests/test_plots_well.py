"""Figures of the well: they show the numbers given, keep the meaning of colours, and leave the ground to the theme."""

from dataclasses import replace

import numpy as np
import pytest

from wtflow.plots.groups import group_colours
from wtflow.plots.landscape import HEIGHTS, plot_landscape_field, plot_landscape_surface
from wtflow.plots.theme import COLOURS
from wtflow.plots.well import plot_depth, plot_escape, plot_radius, plot_radius_heat
from wtflow.records.core import GOOD
from wtflow.records.flow import UNMARKED, Landscape

T = np.array([0.0, 0.5, 1.0])
EDGES = np.array([0.0, 1, 2, 3, 4])
DENSITY = np.array([[0.0, 0, 0.5, 0.5], [0, 0.5, 0.5, 0], [0.75, 0.25, 0, 0]])
RADIUS = np.array([3.9, 2.9, 1.9])
SHELL = (3.0, 2.5, 3.5)
GROUPS = (GOOD, "hole", "stain", UNMARKED)
CURVES = {name: np.array([0.01, 0.1 * i, 0.2 * i]) for i, name in enumerate(GROUPS)}


def landscape(velocity=None, potential=None, marks=(("normal", 0.5, 0.25), ("defect", -0.5, 0.75))) -> Landscape:
    """A bowl phi = (x^2 + y^2) / 2 on 21 x 21 points with v = -(x, y), unless something else is given."""
    axis = np.linspace(-1, 1, 21)
    x, y = np.meshgrid(axis, axis)
    velocity = np.stack([-x, -y], -1) if velocity is None else velocity
    potential = (x**2 + y**2) / 2 if potential is None else potential
    return Landscape(0.5, axis, axis, velocity, potential, 1.0, 0.5, ("toward normal", "toward defect"), marks)


def all_figures():
    yield plot_radius_heat(EDGES, DENSITY, DENSITY, T, RADIUS, SHELL)
    yield plot_radius_heat(EDGES, DENSITY, None, T, RADIUS, SHELL)
    yield plot_escape(T, CURVES, group_colours(GROUPS))
    yield plot_escape(T, {}, {})
    yield plot_depth(T, np.array([3.0, 1, -1]))
    yield plot_landscape_surface([landscape()])
    yield plot_landscape_field(landscape())


# ---- radius


def test_the_heat_shows_each_share_at_its_time_and_distance():
    left, right = (
        trace
        for trace in plot_radius_heat(EDGES, DENSITY, DENSITY[::-1], T, RADIUS, SHELL).data
        if trace.type == "heatmap"
    )
    np.testing.assert_array_equal(left.x, T)
    np.testing.assert_array_equal(left.y, [0.5, 1.5, 2.5, 3.5])
    np.testing.assert_array_equal(left.z, 100 * DENSITY.T)
    np.testing.assert_array_equal(right.z, 100 * DENSITY[::-1].T)
    assert (left.zmin, left.zmax) == (right.zmin, right.zmax)
    assert (left.xaxis, right.xaxis) == ("x", "x2")


def test_empty_places_of_the_heat_show_the_ground_of_any_theme():
    for trace in plot_radius_heat(EDGES, DENSITY, DENSITY, T, RADIUS, SHELL).data:
        if trace.type == "heatmap":
            assert trace.colorscale[0][1].endswith(", 0)")
            assert trace.colorscale[-1][1].endswith(", 1)")


def test_shell_and_radius_are_drawn_in_both_panels_and_listed_once():
    figure = plot_radius_heat(EDGES, DENSITY, DENSITY, T, RADIUS, SHELL)
    for axis in ("x", "x2"):
        lines = [trace for trace in figure.data if trace.type == "scatter" and trace.xaxis == axis]
        heights = [list(trace.y) for trace in lines]
        assert [3.0, 3.0] in heights
        assert [2.5, 2.5, 3.5, 3.5] in heights
        assert RADIUS.tolist() in heights
    assert sum(bool(trace.showlegend) for trace in figure.data if trace.type == "scatter") == 2


def test_without_defects_the_right_panel_says_so():
    figure = plot_radius_heat(EDGES, DENSITY, None, T, RADIUS, SHELL)
    assert sum(trace.type == "heatmap" for trace in figure.data) == 1
    assert "No defect positions here." in [note.text for note in figure.layout.annotations]


def test_the_distance_axis_starts_at_the_origin_and_holds_shell_and_radius():
    for density in (DENSITY, None):
        low, high = plot_radius_heat(EDGES, DENSITY, density, T, RADIUS * 2, (9.0, 8.5, 9.5)).layout.yaxis.range
        assert low == 0
        assert high > 9.5


# ---- escape and depth


def test_each_group_has_its_colour_and_shares_on_a_percent_axis():
    figure = plot_escape(T, CURVES, group_colours(GROUPS))
    for trace, (name, share) in zip(figure.data, CURVES.items(), strict=True):
        np.testing.assert_array_equal(trace.y, 100 * share)
        assert trace.line.color == group_colours(GROUPS)[name]
    assert figure.layout.yaxis.ticksuffix == "\N{NBSP}%"
    assert "by construction" in figure.data[0].name
    assert figure.data[0].line.color == COLOURS["normal"]
    assert figure.data[1].line.color == COLOURS["defect"]


def test_neighbouring_defect_types_differ_in_more_than_colour():
    groups = (GOOD, *"abcdefg", UNMARKED)
    dashes = [trace.line.dash for trace in plot_escape(T, dict.fromkeys(groups, T), group_colours(groups)).data]
    assert dashes[0] == dashes[-1] == "dot"
    assert "dot" not in dashes[1:-1]
    assert all(one != other for one, other in zip(dashes[1:-1], dashes[2:-1], strict=False))


def test_one_percent_is_not_blown_up_to_fill_the_axis():
    assert plot_escape(T, {GOOD: np.full(3, 0.01)}, group_colours((GOOD,))).layout.yaxis.range == (0, 5)
    assert plot_escape(T, {"hole": np.ones(3)}, group_colours(("hole",))).layout.yaxis.range[1] >= 100


@pytest.mark.parametrize("depth", [[3.0, 1, 2], [-3.0, -1, -2], [0.0, 0, 0], [2.0, -1, 0]])
def test_the_line_between_well_and_no_well_is_always_in_sight(depth):
    figure = plot_depth(T, np.array(depth))
    low, high = figure.layout.yaxis.range
    assert low < min(depth) <= max(depth) < high
    assert low < 0 < high
    (line,) = figure.layout.shapes
    assert line.y0 == line.y1 == 0


# ---- landscape


def pens(figure) -> np.ndarray:
    """(A, 5, 2) points of each arrow's pen line."""
    trace = next(trace for trace in figure.data if trace.name == "field")
    x, y = (
        np.array([np.nan if value is None else value for value in axis]).reshape(-1, 6) for axis in (trace.x, trace.y)
    )
    assert np.isnan(x[:, 5]).all()
    return np.stack([x, y], -1)[:, :5]


def test_arrows_point_where_the_field_points_and_the_longest_is_one_spacing_long():
    arrows = pens(plot_landscape_field(landscape()))
    shafts = arrows[:, 1] - arrows[:, 0]
    assert np.allclose(shafts[:, 0] * arrows[:, 0, 1], shafts[:, 1] * arrows[:, 0, 0])  # along the line to the origin
    assert ((shafts * arrows[:, 0]).sum(1) < 0).all()  # toward it
    starts = np.unique(arrows[:, 0, 0].round(9))
    assert np.linalg.norm(shafts, axis=1).max() == pytest.approx(np.diff(starts).min())
    assert len(arrows) <= 15 * 15


def test_an_arrow_starts_where_its_velocity_was_taken():
    given = landscape()
    for start, tip in pens(plot_landscape_field(given))[:, :2]:
        column, row = np.abs(given.x - start[0]).argmin(), np.abs(given.y - start[1]).argmin()
        np.testing.assert_allclose([given.x[column], given.y[row]], start, atol=1e-12)
        turn = np.cross(np.append(tip - start, 0), np.append(given.velocity[row, column], 0))
        np.testing.assert_allclose(turn, 0, atol=1e-12)


def test_the_field_is_drawn_to_scale_and_the_surface_shows_the_potential():
    figure = plot_landscape_field(landscape())
    assert figure.layout.yaxis.scaleanchor == "x"
    assert figure.layout.yaxis.scaleratio == 1
    np.testing.assert_array_equal(figure.data[0].z, landscape().potential)
    surface = plot_landscape_surface([landscape()])
    x, y = np.meshgrid(landscape().x, landscape().y)
    inside = np.hypot(x, y) <= 1
    np.testing.assert_allclose(surface.data[0].z[inside], landscape().potential[inside], atol=1e-6), "0 at the origin"
    assert np.isnan(surface.data[0].z[~inside]).all(), "corners, in which the fit does not count, are left out"
    assert surface.layout.scene.xaxis.title.text == figure.layout.xaxis.title.text == "toward normal"


def test_marks_are_labelled_in_both_and_their_pins_stand_on_the_surface_and_rise_above_it():
    flat, solid = plot_landscape_field(landscape()).data[-1], plot_landscape_surface([landscape()]).data[-1]
    assert list(flat.text) == [label for label in solid.text if label] == ["normal", "defect"]
    assert list(flat.x) == [0.5, -0.5]
    foot, top = np.array(solid.z[0::3], float), np.array(solid.z[1::3], float)
    np.testing.assert_allclose(
        foot, [(0.5**2 + 0.25**2) / 2, (0.5**2 + 0.75**2) / 2], atol=0.05
    )  # at the nearest grid point
    assert (top > 0.5).all()
    assert len(plot_landscape_field(landscape(marks=())).data) == 2
    assert len(plot_landscape_surface([landscape(marks=())]).data) == 1


def test_the_deepest_place_is_the_densest_on_the_plane_and_the_highest_shows_the_ground():
    scale = plot_landscape_field(landscape()).data[0].colorscale
    assert scale[0][1].endswith(", 0.6)")
    assert scale[-1][1].endswith(", 0)")


def test_several_times_play_on_one_scale_of_heights_and_begin_where_asked():
    """A bowl and a hill twice as high: heights are those above the origin, so the hill falls."""
    bowl = landscape()
    hill = replace(bowl, t=1.0, potential=bowl.potential.max() - 2 * bowl.potential)
    surface = plot_landscape_surface([bowl, hill], at=1)
    assert surface.layout.title.text == "t = 1"
    low, high = surface.layout.scene.zaxis.range
    assert low == pytest.approx(-1) and high > 0.5
    assert np.nanmax(surface.data[0].z) == pytest.approx(0) and np.nanmax(surface.frames[0].data[0].z) > 0.4
    assert [len(frame.data) for frame in surface.frames] == [len(surface.data)] * 2
    assert [button.label for button in surface.layout.updatemenus[0].buttons] == ["Play", "Pause"]
    assert not plot_landscape_surface([bowl]).frames


def test_a_field_that_stands_still_can_be_drawn():
    still = landscape(velocity=np.zeros((21, 21, 2)), potential=np.zeros((21, 21)))
    assert list(plot_landscape_field(still).data[1].x) == []
    assert plot_landscape_surface([still]).data[0].contours.z.size > 0


# ---- look


def test_grounds_and_text_are_left_to_the_theme():
    for figure in all_figures():
        assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0,0,0,0)"
        assert figure.layout.font.color is None
        assert figure.layout.uirevision == "keep"
    scene = plot_landscape_surface([landscape()]).layout.scene
    assert scene.bgcolor == "rgba(0,0,0,0)"
    assert {scene.xaxis.showbackground, scene.yaxis.showbackground, scene.zaxis.showbackground} == {False}


def test_heights_have_another_scale_than_scores_and_one_that_rises_in_brightness():
    light = [
        sum(w * int(c) for w, c in zip((0.299, 0.587, 0.114), colour[4:-1].split(","), strict=True))
        for _, colour in HEIGHTS
    ]
    assert np.all(np.diff(light) > 0)


# -- normal and defect on one axis -------------------------------------------------------------------------------------


def test_normals_and_defects_share_one_axis_with_their_medians_bands_and_yardsticks():
    """Medians of 2 and 5; the band closes around the curve, and all of it fits below the top."""
    t = np.array([0.0, 1.0])
    spreads = {"normal": np.array([[1, 1], [2, 2], [3, 3]]), "defect": np.array([[4, 4], [5, 5], [9.0, 6]])}
    figure = plot_radius(t, spreads, np.array([3.5, 3.0]), (7.0, 6.5, 7.5))
    curves = {trace.name: list(trace.y) for trace in figure.data if trace.name}
    assert curves["normal"] == [2, 2] and curves["defect"] == [5, 5]
    assert curves["99\N{NBSP}% of normals"] == [3.5, 3.0] and curves["noise: 7"] == [7, 7]
    bands = [list(trace.y) for trace in figure.data if trace.fill == "toself"]
    assert [9, 6, 4, 4] in bands and figure.layout.yaxis.range[1] > 9
    assert len({trace.xaxis for trace in figure.data}) == 1


def test_without_normals_there_is_no_yardstick_of_normals():
    figure = plot_radius(np.array([0.0, 1.0]), {"defect": np.ones((3, 2))}, None, (7.0, 6.5, 7.5))
    assert "99\N{NBSP}% of normals" not in {trace.name for trace in figure.data}
