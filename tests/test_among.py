"""One image shown among normals of others: who is grey, what is counted, and where the well comes from."""

import numpy as np
from test_plots_paths import measured, some

from wtflow.plots.among import COMPARED
from wtflow.plots.field import Pictures
from wtflow.plots.field_encode import encode_field
from wtflow.plots.paths import travel_field
from wtflow.records.core import GOOD
from wtflow.records.flow import UNMARKED, StraightLines, at_positions, joined

ONE = Pictures(("a.png",), ("data:a",), ("data:A",), np.zeros(4, int), np.full((4, 2), 0.5), (0.1, 0.1))


def shown(own, others, pictures=None):
    return travel_field(own, measured(own), pictures, among=others)


def test_others_follow_in_grey_below_the_own_positions_in_every_colour():
    own, others = some(n=4, group=["hole", UNMARKED, UNMARKED, "hole"]), some(n=30, group=[GOOD])
    field = shown(own, others, ONE)
    assert len(field.ids) == 34 and np.array_equal(field.views[-1].xy[:, :4], own.plane)
    for colour in field.colours:
        if colour.kind == "value":
            assert np.isnan(colour.values[4:]).all() and np.isfinite(colour.values[:4]).all(), colour.key
        else:
            assert {colour.names[k] for k in colour.values[4:]} == {COMPARED}
            assert colour.names[colour.back] == COMPARED and COMPARED not in {
                colour.names[k] for k in colour.values[:4]
            }
    grey = dict(zip(field.colours[0].names, field.colours[0].colours, strict=True))
    assert len(set(grey.values())) == len(grey), "own positions outside the masks are not as grey as the others"
    assert field.pictures.of[4:].tolist() == [-1] * 30 and field.portrait == 0
    assert encode_field(field)["colours"][0]["counts"][field.colours[0].back] == 30


def test_what_stands_beside_t_is_of_the_image_alone():
    own = some(n=4, group=["hole", UNMARKED, UNMARKED, UNMARKED])
    readings = shown(own, some(n=30, group=[GOOD])).readings
    assert [reading.label for reading in readings] == ["of 1 defect position", "of 3 positions outside the masks"]
    np.testing.assert_allclose(readings[0].values, own.norm[:, 0] > 2)
    np.testing.assert_allclose(readings[1].values, (own.norm[:, 1:] > 2).mean(1))


def test_of_a_single_position_it_is_the_distance_in_radii_of_the_well():
    own = some(n=1, group=["hole"])
    (reading,) = shown(own, some(n=30, group=[GOOD])).readings
    assert reading.kind == "times"
    np.testing.assert_allclose(reading.values, own.norm[:, 0] / 2)


def test_only_own_positions_have_straight_lines():
    own, others = some(n=4, group=["hole"]), some(n=30, group=[GOOD])
    x = np.concatenate([own.plane[0], others.plane[0]])
    lines = StraightLines("worst", 256, False, np.linalg.norm(x, axis=1), np.full(34, 5.0), np.zeros(34))
    field = travel_field(own, measured(own), among=others, straight=lines)
    for view in field.views:
        if view.key in field.lines.points:
            away = np.abs(field.lines.points[view.key].xy - view.xy).max(axis=(0, 2))
            assert (away[:4] > 0.1).all() and (away[4:] < 1e-5).all(), view.key


def test_joined_positions_keep_their_paths():
    whole = some(n=9)
    first, second = at_positions(whole, [0, 1, 2]), at_positions(whole, np.arange(3, 9))
    again = joined(first, second)
    assert np.array_equal(again.norm, whole.norm) and np.array_equal(again.positions.group, whole.positions.group)
