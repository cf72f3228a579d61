"""The particle field on its way to the browser: what is computed and encoded, and what is refused."""

import base64
import json
import struct
from dataclasses import replace

import numpy as np
import pytest

from wtflow.errors import FlowError
from wtflow.plots.field import Chart, Colour, Field, Guide, Lines, Pictures, Polar, Reading, View
from wtflow.plots.field_axes import axis_range, bands, whole_range
from wtflow.plots.field_encode import encode_field

T = np.array([0.0, 0.5, 1.0])
POINTS = np.arange(3 * 4 * 2, dtype=np.float32).reshape(
    3, 4, 2
)  # particle n at step s stands at (8s + 2n, 8s + 2n + 1)
KIND = Colour(
    "kind", "Kind", "group", np.array([0, 1, 0, 0]), ("good", "dent", "scratch"), ("#1F7FC0", "#D55E00", "#CC79A7")
)
SCORE = Colour("score", "Score", "value", np.array([0.1, 0.2, np.nan, 0.4]))
NORM = Chart("norm", "Distance", np.tile([1.0, 9.0, 2.0, 3.0], (3, 1)), "norm", (("shell", 4.0),))
VIEW = View("plane", "Plane", POINTS, ("first axis", "second axis"))


def field(**changes: object) -> Field:
    return replace(Field(T, np.array([7, 8, 9, 10]), (VIEW,), (KIND, SCORE), (NORM,), alt="four positions"), **changes)


# ---- what is encoded


def test_arrays_travel_as_little_endian_numbers_row_by_row():
    encoded = encode_field(field())
    points = encoded["arrays"][encoded["views"][0]["points"]["xy"]]
    assert (points["kind"], points["shape"]) == ("f4", [3, 4, 2])
    assert struct.unpack("<24f", base64.b64decode(points["data"])) == tuple(range(24))
    assert struct.unpack("<4i", base64.b64decode(encoded["ids"]["data"])) == (7, 8, 9, 10)


def test_what_is_encoded_is_json_even_where_a_colour_has_no_value():
    assert json.loads(json.dumps(encode_field(field()), allow_nan=False)) == encode_field(field())


def test_the_fingerprint_is_the_same_for_the_same_field_and_another_after_any_change():
    moved = POINTS.copy()
    moved[2, 3, 1] += 1e-3
    variants = [
        field(),
        field(alt="five positions"),
        field(views=(replace(VIEW, points=moved),)),
        field(ids=np.array([7, 8, 9, 11])),
        field(charts=()),
        field(colours=(KIND,)),
        field(views=(replace(VIEW, guides=(Guide("x", (1.0,), "here"),)),)),
    ]
    assert encode_field(field())["fingerprint"] == encode_field(field())["fingerprint"]
    assert len({encode_field(variant)["fingerprint"] for variant in variants}) == len(variants)


def test_a_group_without_members_is_listed_with_nought_and_has_no_band():
    encoded = encode_field(field())
    assert encoded["colours"][0]["counts"] == [3, 1, 0]
    assert [band is None for band in encoded["charts"][0]["bands"]] == [False, False, True]


def test_without_a_group_colour_a_chart_has_one_band_of_all_particles():
    encoded = encode_field(field(colours=(SCORE,)))
    assert encoded["chart_groups"]["of"] is None
    assert [band[1] for band in encoded["charts"][0]["bands"]] == [[2.5, 2.5, 2.5]]


def test_a_band_holds_the_5_percent_quantile_the_median_and_the_95_percent_quantile_at_each_time():
    values = np.stack([np.arange(101.0), 10 * np.arange(101.0)])
    assert np.allclose(bands(values, np.zeros(101, dtype=int), 1), [[[5, 50], [50, 500], [95, 950]]])


def test_a_scale_says_where_it_is_cut():
    skewed = np.append(np.linspace(0, 1, 999), 50.0)
    colours = encode_field(
        Field(T[:1], np.arange(1000), (replace(VIEW, points=np.zeros((1, 1000, 2))),), (replace(SCORE, values=skewed),))
    )["colours"]
    low, high = colours[0]["range"]
    assert 0 < low < 0.02 and 0.97 < high < 1.0
    assert colours[0]["cut"] == [True, True]
    assert encode_field(field(colours=(replace(SCORE, values=np.full(4, 2.0)),)))["colours"][0] | {"values": 0} == {
        "key": "score",
        "label": "Score",
        "kind": "value",
        "values": 0,
        "range": [2.0, 3.0],
        "cut": [False, False],
    }


# ---- axes


def test_an_axis_holds_all_values_of_all_times_with_a_little_room():
    low, high = axis_range(np.array([[0.0, 10.0], [-5.0, 3.0]]))
    assert (low, high) == pytest.approx((-5.6, 10.6))
    x = encode_field(field())["views"][0]["x"]
    assert x[0] < 0 and x[1] > 22


def test_points_far_out_do_not_press_the_others_together_unless_a_view_must_hold_them():
    values = np.append(np.linspace(0, 1, 20_000), 1e6)[None]
    assert axis_range(values)[1] < 1.1
    assert axis_range(values[:, :-1]) == pytest.approx((-0.04, 1.04))
    assert whole_range(values)[1] > 1e6


def test_an_axis_holds_99_and_a_half_percent_of_the_points_at_every_time():
    """At one of ten times the points reach ten times as far: pooled over times these would be cut."""
    values = np.random.default_rng(0).normal(size=(10, 5000))
    values[3] *= 10
    low, high = axis_range(values)
    inside = ((values >= low) & (values <= high)).mean(axis=1)
    assert (inside >= 0.995).all() and inside[3] < 1
    assert np.ptp(values[3][(values[3] > low) & (values[3] < high)]) > 0.8 * (high - low), "no empty picture"


def test_a_guide_widens_the_axis_when_it_is_near_and_is_left_out_when_it_would_squash_the_points():
    values = np.array([0.0, 10.0])
    assert axis_range(values, (12.0,))[1] > 12
    assert axis_range(values, (40.0,)) == axis_range(values)
    view = replace(VIEW, guides=(Guide("y", (30.0,), "shell"), Guide("x", (-1.0,), "turn")))
    encoded = encode_field(field(views=(view,)))["views"][0]
    assert encoded["y"][1] > 30 and encoded["x"][0] < -1


@pytest.mark.parametrize("value", [0.0, 3.0, -1e-8, 1e9])
def test_equal_values_get_an_axis_around_them(value):
    low, high = axis_range(np.full(5, value))
    assert low < value < high


# ---- what is refused

TWO = Pictures(
    ("a.png", "b.png"),
    ("data:a", "data:b"),
    ("data:A", "data:B"),
    np.array([0, 1, 1, 0]),
    np.full((4, 2), 0.5),
    (0.1, 0.1),
)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"t": np.array([0.0, 0.5, 0.5])}, "rising"),
        ({"t": np.array([0.0, 1.0])}, r"points of view plane have shape \(3, 4, 2\), expected \(2, 4, 2\)"),
        ({"ids": np.array([7, 7, 9, 10])}, "distinct"),
        ({"ids": np.array([])}, "needs particles"),
        ({"views": ()}, "at least one view"),
        ({"views": (VIEW, VIEW)}, "its own key"),
        ({"views": (replace(VIEW, guides=(Guide("circle", (1.0,), "shell"),)),)}, "circle"),
        (
            {"views": (replace(VIEW, points=np.where(POINTS == 5, np.nan, POINTS)),)},
            "not finite for 1 particles, the first is number 2",
        ),
        ({"charts": (replace(NORM, values=np.full((3, 4), np.inf)),)}, "chart norm are not finite for 4 particles"),
        ({"charts": (replace(NORM, values=np.ones((4, 3))),)}, r"chart norm have shape \(4, 3\), expected \(3, 4\)"),
        ({"colours": (replace(KIND, values=np.array([0, 1, 3, 0])),)}, "from 0 to 2, found 0 to 3"),
        ({"colours": (replace(KIND, colours=("red",)),)}, "colours of kind"),
        ({"colours": (replace(SCORE, values=np.ones(5)),)}, "colour score"),
        ({"pictures": replace(TWO, maps=("data:A",))}, "maps of the pictures"),
        ({"pictures": replace(TWO, of=np.array([0, 1, 2, 0]))}, "picture of each particle"),
        ({"pictures": replace(TWO, place=np.zeros((4, 3)))}, "places"),
    ],
)
def test_a_field_whose_parts_do_not_fit_is_refused_with_the_part_named(changes, words):
    with pytest.raises(FlowError, match=words) as caught:
        field(**changes)
    assert caught.value.fix


def test_a_field_with_pictures_tells_each_particle_where_it_lies():
    pictures = encode_field(field(pictures=TWO))["pictures"]
    assert struct.unpack("<4i", base64.b64decode(pictures["of"]["data"])) == (0, 1, 1, 0)
    assert pictures["names"] == ["a.png", "b.png"]


def test_an_axis_around_circles_begins_just_below_zero_where_nothing_lies_below():
    upper = replace(VIEW, points=np.abs(POINTS), equal=True, guides=(Guide("circle", (10.0,), "shell"),))
    lower = replace(upper, points=upper.points - 5)
    for view, is_half in ((upper, True), (lower, False), (replace(upper, guides=()), False)):
        encoded = encode_field(field(views=(view,)))["views"][0]
        assert encoded["half"] is is_half
        if view.guides:
            low, high = encoded["y"]
            assert high > 10
            assert (-2 < low < 0) if is_half else low < -10
            assert encoded["x"][1] > 10
    assert encode_field(field(views=(lower,)))["views"][0]["x"][0] < -10, "the whole circle is seen"


# ---- places in polar form, guides that move, numbers beside t, lines

RADIUS = np.array([[1.0, 2.0, 3.0, 4.0], [2.0, 2.0, 2.0, 2.0], [0.5, 1.0, 1.0, 9.0]])
ANGLE = np.array([0.0, np.pi / 2, np.pi, -np.pi / 2])
ROUND = View("disc", "Disc", Polar(RADIUS, ANGLE), equal=True, guides=(Guide("disc", (1.0, 2.0, 3.0), "well"),))


def test_radii_and_angles_are_the_places_they_stand_for_and_are_sent_once():
    np.testing.assert_allclose(ROUND.xy[0], [[1, 0], [0, 2], [-3, 0], [0, -4]], atol=1e-9)
    turned = replace(ROUND, key="turned", points=Polar(RADIUS, np.tile(ANGLE, (3, 1))))
    encoded = encode_field(field(views=(ROUND, turned)))
    first, second = (view["points"] for view in encoded["views"])
    assert first["radius"] == second["radius"] and first["angle"] != second["angle"]
    assert len(encoded["arrays"]) == 3


def test_a_view_that_must_hold_everything_does_and_the_disc_at_its_largest():
    x, y = (encode_field(field(views=(replace(ROUND, whole=True),)))["views"][0][axis] for axis in "xy")
    assert x[0] < -3 and x[1] > 3
    assert y[0] < -9 and y[1] > 3


def test_numbers_beside_t_and_lines_travel_with_the_field():
    reading = Reading("of 4", np.array([0.0, 0.5, 1.0]), "share", "#000")
    lines = Lines("Straight lines", {"plane": POINTS + 1})
    encoded = encode_field(field(readings_title="outside", readings=(reading,), lines=lines))
    assert encoded["readings"][0]["values"] == [0.0, 0.5, 1.0]
    assert encoded["arrays"][encoded["lines"]["points"]["plane"]["xy"]]["shape"] == [3, 4, 2]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"views": (replace(ROUND, points=Polar(RADIUS[:2], ANGLE)),)}, "radii of the points of view disc"),
        ({"views": (replace(ROUND, points=Polar(RADIUS, ANGLE[:3])),)}, "angles of the points"),
        ({"views": (replace(ROUND, points=Polar(RADIUS, ANGLE * np.nan)),)}, "not finite for 4"),
        ({"views": (replace(ROUND, guides=(Guide("ring", (1.0, 2.0), "noise"),)),)}, "2 radii, expected 1 or 3"),
        ({"views": (replace(ROUND, equal=False),)}, "circle"),
        ({"readings": (Reading("of 4", np.zeros(2), "share", "#000"),)}, "the reading of 4"),
        ({"lines": Lines("Lines", {"other": POINTS})}, "view other"),
        ({"lines": Lines("Lines", {"plane": POINTS[:, :3]})}, "lines of view plane"),
        ({"portrait": 0}, "no picture 0"),
    ],
)
def test_places_numbers_and_lines_that_do_not_fit_are_refused(changes, words):
    with pytest.raises(FlowError, match=words):
        field(**changes)
