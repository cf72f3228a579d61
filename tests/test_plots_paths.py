"""Paths as a particle field: the radius view against paths in the plane worked by hand, times, colours, charts and
notes against their travel.
"""

from dataclasses import fields, replace

import numpy as np
import pytest

from wtflow.plots.field import encode_field
from wtflow.plots.groups import group_colours
from wtflow.plots.paths import (
    CHARTS,
    map_field,
    plane_view,
    position_colours,
    position_pictures,
    radius_view,
    travel_field,
)
from wtflow.plots.theme import COLOURS
from wtflow.records.core import GOOD
from wtflow.records.flow import UNMARKED, PositionSet, Travel
from wtflow.studies.positions import thin

SHELL = (5.0, 4.5, 5.5)
GROUP = np.array(["stain", GOOD, UNMARKED, "hole", GOOD])


def travel_of(x: np.ndarray, group=GROUP, divergence=None) -> Travel:
    """Paths x (S, N, 2) in two dimensions; speed and straightness are separate numbers that differ in size."""
    steps, n = x.shape[:2]
    norm = np.linalg.norm(x, axis=-1)
    cosine = (x * x[0]).sum(-1) / np.maximum(norm * norm[0], 1e-12)
    count = np.arange(n, dtype=np.int32)
    positions = PositionSet(
        count % 3 + 4, count, count + 1, np.resize(group, n), np.linspace(0.5, 2.5, n, dtype=np.float32)
    )
    number = np.arange(steps * n, dtype=np.float32).reshape(steps, n)
    return Travel(
        positions,
        np.linspace(0, 1, steps, dtype=np.float32),
        norm=norm.astype(np.float32),
        speed=100 + number,
        alignment=cosine.astype(np.float32),
        straightness=number / 1000,
        radial=number,
        plane=x.astype(np.float32),
        explained=(0.5, 0.125),
        n_channels=2,
        divergence=divergence,
    )


def some(steps: int = 5, n: int = 5, **changes) -> Travel:
    return travel_of(np.random.default_rng(0).normal(1, 2, (steps, n, 2)), **changes)


# -- radius and angle --------------------------------------------------------------------------------------------------


def test_a_path_through_the_origin_runs_along_the_axis_to_the_other_side():
    """(3, 4) falls to the origin and leaves it on the far side at half its speed: 5, 2.5, 0, 1.25 and 2.5 away from
    it.
    """
    path = np.array([[3.0, 4], [1.5, 2], [0, 0], [-0.75, -1], [-1.5, -2]])[:, None]
    points = radius_view(travel_of(path), SHELL).points[:, 0]
    np.testing.assert_allclose(points, [[5, 0], [2.5, 0], [0, 0], [-1.25, 0], [-2.5, 0]], atol=1e-3)


def test_a_path_that_passes_the_origin_shows_its_true_distances_and_angles():
    """From (2, 0) by way of (1, sqrt 3), at 60 degrees and still 2 away, and (0, -1), at 90, to (-3, -3), at 135."""
    path = np.array([[2, 0], [1, np.sqrt(3)], [0, -1], [-3, -3]])[:, None]
    points = radius_view(travel_of(path), SHELL).points[:, 0]
    np.testing.assert_allclose(points, [[2, 0], [1, np.sqrt(3)], [0, 1], [-3, 3]], atol=1e-3)


def test_any_point_is_as_far_from_the_cross_as_from_the_origin_and_at_its_true_angle():
    travel = some(9, 40)
    points = radius_view(travel, SHELL).points.astype(float)
    np.testing.assert_allclose(np.hypot(*np.moveaxis(points, -1, 0)), travel.norm, rtol=1e-5)
    x = travel.plane.astype(float)
    true = np.abs(np.angle(np.exp(1j * (np.arctan2(x[..., 1], x[..., 0]) - np.arctan2(x[0, :, 1], x[0, :, 0])))))
    np.testing.assert_allclose(np.arctan2(points[..., 1], points[..., 0]), true, atol=2e-3)


def test_a_cosine_that_rounding_took_beyond_one_still_has_a_place():
    travel = some()
    odd = replace(travel, alignment=np.full_like(travel.alignment, -1.0000001))
    assert np.isfinite(radius_view(odd, SHELL).points).all()


def test_the_shell_is_drawn_as_circles_and_the_border_to_the_other_side_as_a_line():
    view = radius_view(some(), SHELL)
    assert [(guide.kind, guide.values) for guide in view.guides] == [
        ("x", (0.0,)),
        ("circle", (5.0,)),
        ("circle", (4.5,)),
        ("circle", (5.5,)),
    ]
    assert view.equal
    assert [bool(guide.label) for guide in view.guides] == [
        False,
        True,
        False,
        False,
    ], "one name for the shell, not three"
    assert "shell" in view.guides[1].label


# -- the paths ---------------------------------------------------------------------------------------------------------


def test_charts_hold_what_the_travel_holds():
    travel = some(divergence=np.arange(25, dtype=np.float32).reshape(5, 5))
    charts = {chart.key: chart for chart in travel_field(travel, SHELL).charts}
    assert tuple(charts) == tuple(CHARTS)
    for name in ("norm", "speed", "straightness", "divergence"):
        assert np.array_equal(charts[name].values, getattr(travel, name)), name
    assert [charts[name].references for name in ("norm", "score")] == [(("noise", 5.0),), (("noise", 0.5),)]
    assert "divergence" not in {chart.key for chart in travel_field(some(), SHELL).charts}, "it was not requested"


def test_the_score_is_half_the_mean_square_of_the_channels():
    """(3, 4) in two channels: (9 + 16) / 2 / 2."""
    charts = {
        chart.key: chart.values
        for chart in travel_field(travel_of(np.array([[[3.0, 4.0]], [[0.0, 2.0]]])), SHELL).charts
    }
    assert charts["score"].tolist() == [[6.25], [1.0]]


def test_paths_come_with_two_exact_views():
    travel = some()
    field = travel_field(travel, SHELL)
    assert [view.key for view in field.views] == ["radius", "plane"]
    assert np.array_equal(field.views[1].points, travel.plane)
    assert np.array_equal(field.t, travel.t)


def test_the_notes_state_the_explained_share_and_what_each_view_does_to_the_truth():
    travel = some()
    notes = {view.key: view.note for view in travel_field(travel, SHELL).views}
    assert "62\N{NBSP}%" in notes["plane"], "1/2 and 1/8 of the variance"
    assert "Exact" in notes["radius"]
    assert plane_view(travel).titles == ("principal axis 1 (50\N{NBSP}% of variance)", "principal axis 2 (12\N{NBSP}%)")


# -- the map -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "shown"), [(5, [0, 2, 4]), (6, [0, 2, 5]), (21, [0, 10, 20]), (3, [0, 1, 2]), (2, [0, 1])]
)
def test_the_map_shows_start_middle_and_end_and_no_middle_where_there_is_none(steps, shown):
    travel = some(steps)
    field = map_field(travel, None)
    assert np.array_equal(field.t, travel.t[shown])
    assert np.array_equal(field.views[0].points, travel.plane[shown])


def test_escaped_are_those_that_end_farther_out_than_the_normals_radius_at_the_end():
    """Ends at 1, 2, 3, 4 and 5; the radius at t=1 is 3, and who stands on it is inside. What it was before does not
    count.
    """
    x = np.zeros((4, 5, 2))
    x[:, :, 0] = np.arange(1, 6)
    x[0] *= 100
    colours = {colour.key: colour for colour in map_field(travel_of(x), np.array([0.0, 0.0, 9.0, 3.0])).colours}
    escape = colours["escape"]
    assert [escape.names[i] for i in escape.values] == ["inside the well at t = 1"] * 3 + ["escaped"] * 2
    assert escape.colours == (COLOURS["normal"], COLOURS["defect"])
    assert "escape" not in {colour.key for colour in map_field(travel_of(x), None).colours}, (
        "without normals there is no well to escape from"
    )


# -- colours and pictures ----------------------------------------------------------------------------------------------


def test_each_position_has_the_colour_of_its_group_normals_first_and_unmarked_last():
    travel = some()
    group = position_colours(travel.positions)[0]
    assert group.names == ("normal", "hole", "stain", "outside the masks")
    assert group.colours == tuple(group_colours((GOOD, "hole", "stain", UNMARKED)).values())
    assert [group.names[i] for i in group.values] == ["stain", "normal", "outside the masks", "hole", "normal"]


def test_numbers_to_colour_by_are_those_of_the_positions_and_of_their_paths():
    x = np.array([[[3.0, 4.0]], [[0.6, 0.8]], [[-6.0, -8.0]]])
    travel = travel_of(x)
    colours = {colour.key: colour.values for colour in position_colours(travel.positions, travel)}
    assert {name: float(colours[name][0]) for name in ("start", "end", "deepest", "turn")} == pytest.approx(
        {"start": 5, "end": 10, "deepest": 1, "turn": -1}, rel=1e-6
    )
    assert {name: float(colours[name][0]) for name in ("image", "row", "column", "score")} == {
        "image": 4,
        "row": 0,
        "column": 1,
        "score": 0.5,
    }
    without = {colour.key for colour in position_colours(travel.positions)}
    assert without == {"group", "score", "image", "row", "column"}


def test_pictures_say_for_each_position_which_image_it_lies_in_and_where():
    """Row 4 of the table is picture 2, row 5 picture 0; on a grid of 4 x 10 position (1, 2) has its centre at 2.5
    tenths and 1.5 quarters.
    """
    travel = some()
    found = position_pictures(
        travel.positions, (4, 10), [5, 6, 4], ["b", "c", "a"], ["jb", "jc", "ja"], ["mb", "mc", "ma"]
    )
    assert [found.names[i] for i in found.of] == ["a", "b", "c", "a", "b"]
    np.testing.assert_allclose(found.place[1], [0.25, 0.375])
    assert found.size == (0.1, 0.25)
    assert encode_field(travel_field(travel, SHELL, found))["pictures"]["names"] == ["b", "c", "a"]


def test_the_description_for_those_who_do_not_see_it_counts_the_groups():
    assert travel_field(some(), SHELL).alt.startswith(
        "Paths of 5 positions (2 normal, 1 hole, 1 stain, 1 outside the masks)"
    )
    assert map_field(some(n=1, group=[GOOD]), None).alt.startswith("Map of 1 position (1 normal)")


@pytest.mark.parametrize("n", [1, 2, 300])
def test_fields_are_ready_for_the_browser(n):
    travel = some(n=n, divergence=np.zeros((5, n), np.float32))
    for field in (
        travel_field(travel, SHELL),
        map_field(travel, travel.norm.max(1)),
    ):
        encoded = encode_field(field)
        assert encoded["ids"]["shape"] == [n]
        assert {colour["key"] for colour in encoded["colours"]} >= {"group", "score", "start", "end", "image"}


# -- thinning ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("divergence", [None, np.arange(500, dtype=np.float32).reshape(5, 100)])
def test_before_they_are_drawn_paths_are_thinned_to_equal_numbers_of_each_group_with_all_their_arrays(divergence):
    """All that a travel holds per position is cut the same way: a field added to the record must not be forgotten."""
    whole = some(n=100, group=[GOOD] * 70 + ["hole"] * 25 + ["stain"] * 5, divergence=divergence)
    few = thin(whole, 35)
    assert [np.count_nonzero(few.positions.group == name) for name in (GOOD, "hole", "stain")] == [15, 15, 5]
    chosen = few.positions.grid_row  # in `some` the number of the position
    for record, cut in ((whole, few), (whole.positions, few.positions)):
        for field in fields(record):
            before, after = getattr(record, field.name), getattr(cut, field.name)
            if isinstance(before, np.ndarray) and 100 in before.shape:
                assert np.array_equal(after, np.take(before, chosen, axis=before.shape.index(100))), field.name
            elif field.name != "positions":
                assert np.array_equal(after, before), field.name
    assert len(travel_field(few, SHELL).ids) == 35
