"""Paths as a particle field: the radius view against paths in the plane worked by hand, times, colours, charts and
notes against their travel.
"""

from dataclasses import fields, replace

import numpy as np
import pytest

from wtflow.errors import FlowError
from wtflow.plots.disc_views import SCALES, Yardstick
from wtflow.plots.field import View
from wtflow.plots.field_encode import encode_field
from wtflow.plots.groups import group_colours
from wtflow.plots.paths import (
    CHARTS,
    MOST_PLACES,
    exact_views,
    map_field,
    position_colours,
    position_pictures,
    travel_field,
)
from wtflow.plots.plane_views import plane_views
from wtflow.plots.theme import COLOURS
from wtflow.records.core import GOOD
from wtflow.records.flow import UNMARKED, PositionSet, Travel
from wtflow.studies.positions import thin
from wtflow.studies.well import yardstick_of

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


def measured(travel: Travel, well=None) -> Yardstick:
    """Noise at 5, and a well of the radius given (S,), of none, or, by default, of 2 at all times."""
    steps = len(travel.t)
    shares = {"normal": np.linspace(0.01, 0.02, steps), "defect": np.linspace(0, 0.75, steps)}
    return Yardstick(SHELL, np.full(steps, 2.0) if well is None else well, shares, {"normal": 2, "defect": 1})


NO_NORMALS = Yardstick(SHELL, None, {}, {})


def raw_radius(travel: Travel) -> View:
    return next(view for view in exact_views(travel, NO_NORMALS) if view.key == "radius_raw")


# -- radius and angle --------------------------------------------------------------------------------------------------


def test_a_path_through_the_origin_runs_along_the_axis_to_the_other_side():
    """(3, 4) falls to the origin and leaves it on the far side at half its speed: 5, 2.5, 0, 1.25 and 2.5 away from
    it.
    """
    path = np.array([[3.0, 4], [1.5, 2], [0, 0], [-0.75, -1], [-1.5, -2]])[:, None]
    points = raw_radius(travel_of(path)).xy[:, 0]
    np.testing.assert_allclose(points, [[5, 0], [2.5, 0], [0, 0], [-1.25, 0], [-2.5, 0]], atol=2e-3)


def test_a_path_that_passes_the_origin_shows_its_true_distances_and_angles():
    """From (2, 0) by way of (1, sqrt 3), at 60 degrees and still 2 away, and (0, -1), at 90, to (-3, -3), at 135."""
    path = np.array([[2, 0], [1, np.sqrt(3)], [0, -1], [-3, -3]])[:, None]
    points = raw_radius(travel_of(path)).xy[:, 0]
    np.testing.assert_allclose(points, [[2, 0], [1, np.sqrt(3)], [0, 1], [-3, 3]], atol=1e-3)


def test_any_point_is_as_far_from_the_cross_as_from_the_origin_and_at_its_true_angle():
    travel = some(9, 40)
    points = raw_radius(travel).xy.astype(float)
    np.testing.assert_allclose(np.hypot(*np.moveaxis(points, -1, 0)), travel.norm, rtol=1e-5)
    x = travel.plane.astype(float)
    true = np.abs(np.angle(np.exp(1j * (np.arctan2(x[..., 1], x[..., 0]) - np.arctan2(x[0, :, 1], x[0, :, 0])))))
    np.testing.assert_allclose(np.arctan2(points[..., 1], points[..., 0]), true, atol=2e-3)


def test_a_cosine_that_rounding_took_beyond_one_still_has_a_place():
    travel = some()
    odd = replace(travel, alignment=np.full_like(travel.alignment, -1.0000001))
    assert all(np.isfinite(view.xy).all() for view in exact_views(odd, measured(odd)))


# -- the well as a disc ------------------------------------------------------------------------------------------------


def radius_of(view: View) -> np.ndarray:
    return np.hypot(*np.moveaxis(view.xy.astype(float), -1, 0))


def guide_of(view: View, kind: str):
    return next((guide for guide in view.guides if guide.kind == kind), None)


def at_all_times(values: tuple[float, ...], steps: int) -> np.ndarray:
    return np.broadcast_to(np.array(values), (steps,))


@pytest.mark.parametrize("family", ["disc", "radius"])
def test_in_every_scale_a_position_is_beyond_the_rim_exactly_while_it_is_outside_the_well(family):
    travel = some(9, 200)
    well = np.quantile(travel.norm, 0.6, axis=1)
    views = [view for view in exact_views(travel, measured(travel, well)) if view.family == family]
    assert [view.variant for view in views] == list(SCALES.values())
    for view in views:
        rim = at_all_times(guide_of(view, "disc").values, 9)
        sure = np.abs(travel.norm - well[:, None]) > 1e-4
        assert np.array_equal((radius_of(view) > rim[:, None])[sure], (travel.norm > well[:, None])[sure]), view.variant
        ring = at_all_times(guide_of(view, "ring").values, 9)
        assert np.array_equal(ring > rim, SHELL[0] > well), "noise lies on its side of the rim"


def test_against_the_normals_the_disc_stands_still_and_as_it_is_it_moves_with_them():
    travel = some(9, 200)
    well = np.linspace(4, 2, 9)
    views = {view.key: view for view in exact_views(travel, measured(travel, well))}
    assert guide_of(views["disc"], "disc").values == (1.0,)
    assert guide_of(views["disc_raw"], "disc").values == tuple(well)
    assert len(guide_of(views["disc"], "ring").values) == 9 and guide_of(views["disc_raw"], "ring").values == (5.0,)
    np.testing.assert_allclose(radius_of(views["disc_raw"]), travel.norm, rtol=1e-5)


def test_the_disc_says_what_lies_how_far_out_and_holds_the_farthest():
    travel = some(9, 200)
    view = exact_views(travel, measured(travel, np.full(9, 0.5)))[0]
    circles = [guide for guide in view.guides if guide.kind == "scale"]
    assert "farthest" in circles[-1].label and circles[-1].values[0] == pytest.approx(radius_of(view).max(), rel=1e-5)
    low, high = encode_field(travel_field(travel, measured(travel, np.full(9, 0.5))))["views"][0]["x"]
    assert low < view.xy[..., 0].min() and high > view.xy[..., 0].max(), "nothing is cut off"


def test_angles_come_from_the_umap_once_it_is_there_and_the_note_says_which():
    travel = some(5, 40)
    umap_end = np.random.default_rng(1).normal(size=(40, 2))
    plain, better = (exact_views(travel, measured(travel), end)[0] for end in (None, umap_end))
    assert not np.allclose(plain.points.angle, better.points.angle)
    assert "principal axes" in plain.note and "UMAP" not in plain.note
    assert "UMAP" in better.note and "principal axes" not in better.note


def test_without_normals_there_is_no_disc_and_no_share_outside_it():
    travel = some(group=["hole"])
    assert yardstick_of(travel).well_radius is None
    field = travel_field(travel, yardstick_of(travel))
    assert all(guide.kind != "disc" for view in field.views for guide in view.guides)
    assert field.views[0].variant == SCALES["raw"] and not field.readings


def test_the_shares_beside_t_are_those_of_all_positions_and_say_of_how_many():
    travel = some(group=[GOOD, GOOD, "hole", GOOD, UNMARKED])
    readings = travel_field(travel, yardstick_of(travel)).readings
    assert [reading.label for reading in readings] == ["of 3 normal positions", "of 1 defect position"]
    assert [reading.colour for reading in readings] == [COLOURS["normal"], COLOURS["defect"]]
    radius = np.quantile(travel.norm[:, travel.positions.group == GOOD], 0.99, axis=1)
    assert np.array_equal(readings[1].values, travel.norm[:, 2] > radius)


# -- the paths ---------------------------------------------------------------------------------------------------------


def test_charts_hold_what_the_travel_holds():
    travel = some(divergence=np.arange(25, dtype=np.float32).reshape(5, 5))
    charts = {chart.key: chart for chart in travel_field(travel, measured(travel)).charts}
    assert tuple(charts) == tuple(CHARTS)
    for name in ("norm", "speed", "straightness", "divergence"):
        assert np.array_equal(charts[name].values, getattr(travel, name)), name
    assert [charts[name].references for name in ("norm", "score")] == [(("noise", 5.0),), (("noise", 0.5),)]
    assert "divergence" not in {chart.key for chart in travel_field(some(), measured(some())).charts}, (
        "it was not requested"
    )


def test_the_score_is_half_the_mean_square_of_the_channels():
    """(3, 4) in two channels: (9 + 16) / 2 / 2."""
    travel = travel_of(np.array([[[3.0, 4.0]], [[0.0, 2.0]]]))
    charts = {chart.key: chart.values for chart in travel_field(travel, measured(travel)).charts}
    assert charts["score"].tolist() == [[6.25], [1.0]]


def test_paths_open_with_the_disc_and_end_with_principal_axes():
    travel = some()
    field = travel_field(travel, measured(travel))
    families = [view.family or view.key for view in field.views]
    assert list(dict.fromkeys(families)) == ["disc", "radius", "plane"]
    assert np.array_equal(field.views[-1].points, travel.plane)
    assert np.array_equal(field.t, travel.t)


def test_the_notes_state_the_explained_share_and_what_each_view_does_to_the_truth():
    travel = some()
    field = map_field(travel, measured(travel))
    notes = {view.key: view.note for view in field.views}
    assert "62\N{NBSP}%" in notes["plane"] and "62\N{NBSP}%" in notes["plane_raw"], "1/2 and 1/8 of the variance"
    assert "Exact" in notes["disc"]
    assert plane_views(travel)[0].titles == (
        "principal axis 1 (50\N{NBSP}% of variance)",
        "principal axis 2 (12\N{NBSP}%)",
    )


def test_a_umap_of_other_positions_is_refused():
    travel = some()
    with pytest.raises(FlowError, match="The UMAP shows 4 positions; the paths are of 5"):
        travel_field(travel, measured(travel), umap_end=travel.plane[-1, :4])
    with pytest.raises(FlowError, match="The UMAP shows 4 positions"):
        map_field(travel, measured(travel), umap_end=travel.plane[-1, :4])


# -- the map -----------------------------------------------------------------------------------------------------------


def test_the_map_shows_all_saved_times_and_of_very_many_positions_fewer_with_both_ends():
    travel = some(21)
    field = map_field(travel, measured(travel))
    assert np.array_equal(field.t, travel.t)
    assert [view.family or view.key for view in field.views] == ["disc", "disc", "disc", "plane", "plane"]
    many = some(21, MOST_PLACES // 7)
    field = map_field(many, measured(many))
    assert len(field.t) == 7 and (field.t[0], field.t[-1]) == (0, 1)
    np.testing.assert_allclose(field.readings[1].values, np.interp(field.t, many.t, np.linspace(0, 0.75, 21)))


def test_escaped_are_those_that_end_farther_out_than_the_normals_radius_at_the_end():
    """Ends at 1, 2, 3, 4 and 5; the radius at t=1 is 3, and who stands on it is inside. What it was before does not
    count.
    """
    x = np.zeros((4, 5, 2))
    x[:, :, 0] = np.arange(1, 6)
    x[0] *= 100
    travel = travel_of(x)
    field = map_field(travel, measured(travel, np.array([0.0, 0.0, 9.0, 3.0])))
    escape = {colour.key: colour for colour in field.colours}["escape"]
    assert [escape.names[i] for i in escape.values] == ["inside the well at t = 1"] * 3 + ["escaped"] * 2
    assert escape.colours == (COLOURS["normal"], COLOURS["defect"])
    assert "escape" not in {colour.key for colour in map_field(travel, NO_NORMALS).colours}, (
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
    assert encode_field(travel_field(travel, measured(travel), found))["pictures"]["names"] == ["b", "c", "a"]


def test_the_description_for_those_who_do_not_see_it_counts_the_groups():
    assert travel_field(some(), measured(some())).alt.startswith(
        "Paths of 5 positions (2 normal, 1 hole, 1 stain, 1 outside the masks)"
    )
    assert map_field(some(n=1, group=[GOOD]), NO_NORMALS).alt.startswith("Map of 1 position (1 normal)")


@pytest.mark.parametrize("n", [1, 2, 300])
def test_fields_are_ready_for_the_browser(n):
    travel = some(n=n, divergence=np.zeros((5, n), np.float32))
    for field in (
        travel_field(travel, measured(travel), umap_end=travel.plane[-1]),
        map_field(travel, yardstick_of(travel), umap_end=travel.plane[-1]),
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
    assert len(travel_field(few, measured(few)).ids) == 35
