"""The potential of a known gradient field is recovered, a rotation has none, and a mixture is shared out as worked
by hand.
"""

import numpy as np
import pytest

from wtflow.errors import FlowError
from wtflow.flow.exact import gaussian_velocity
from wtflow.studies.landscape import (
    Plane,
    describe_landscape,
    field_on_plane,
    half_width_for,
    plane_of_axes,
    plane_through,
)

LABELS = ("first", "second")
FLAT = Plane(np.zeros(2), np.array([1.0, 0.0]), np.array([0.0, 1.0]), LABELS)


def on_flat(field, n: int = 21, half_width: tuple[float, float] = (1.0, 1.0)):
    """A field of the two coordinates, given as a function of x and y, on the plane itself."""
    return field_on_plane(
        lambda p, t: np.stack(np.broadcast_arrays(*field(p[:, 0], p[:, 1])), axis=1), FLAT, 0.0, half_width, n
    )


# ---- planes


def test_a_plane_through_three_points_holds_them():
    origin, a, b = np.random.default_rng(0).normal(size=(3, 9))
    plane = plane_through(origin, a, b, LABELS)
    basis = np.stack([plane.first, plane.second])
    np.testing.assert_allclose(basis @ basis.T, np.eye(2), atol=1e-12)
    at = plane.coordinates(np.stack([origin, a, b]))
    np.testing.assert_allclose(at[0], 0, atol=1e-12)
    np.testing.assert_allclose(at[1], [np.linalg.norm(a - origin), 0], atol=1e-12)
    assert at[2, 1] > 0
    np.testing.assert_allclose(plane.points(at[:, 0], at[:, 1]), [origin, a, b], atol=1e-12)


def test_the_foot_of_a_point_off_the_plane_is_the_nearest_point_on_it():
    plane = plane_through(np.zeros(3), np.array([2.0, 0, 0]), np.array([1.0, 3, 0]), LABELS)
    np.testing.assert_allclose(plane.coordinates(np.array([4.0, 5, 7])), [4, 5])


def test_nearly_parallel_directions_still_give_orthonormal_axes():
    plane = plane_of_axes(np.zeros(4), np.array([[1.0, 1, 1, 1], [1, 1, 1, 1 + 1e-4]]), LABELS)
    assert abs(plane.first @ plane.second) < 1e-12


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ([1.0, 2, 3], [2.0, 4, 6]),
        ([0.0, 0, 0], [1.0, 0, 0]),
        ([1.0, 0, 0], [0.0, 0, 0]),
        ([1.0, 2, 3], [-3.0, -6, -9 - 1e-7]),
    ],
)
def test_points_on_one_line_are_refused(a, b):
    with pytest.raises(FlowError, match="on one line"):
        plane_through(np.zeros(3), np.array(a), np.array(b), LABELS)


def test_the_half_width_holds_the_points_well_inside():
    assert half_width_for(FLAT, np.array([[3.0, 4.0], [-1.0, 0.0]])) == pytest.approx(7.5)
    assert half_width_for(FLAT, np.zeros((1, 2))) == 1


# ---- potential


def test_a_quadratic_bowl_is_recovered_to_rounding():
    """phi = x^2 + 3 y^2 / 2 + x y + 2 x, so v = -(2x + y + 2, 3y + x)."""
    found = on_flat(lambda x, y: (-(2 * x + y + 2), -(3 * y + x)), half_width=(1.0, 2.0))
    x, y = np.meshgrid(found.x, found.y)
    bowl = x**2 + 1.5 * y**2 + x * y + 2 * x
    np.testing.assert_allclose(found.potential, bowl - bowl.min(), atol=1e-10)
    assert found.share == pytest.approx(1, abs=1e-12)
    assert found.share_in_plane == 1
    assert found.potential.min() == 0


def test_the_error_of_a_smooth_potential_falls_by_four_with_half_the_spacing():
    def error(n: int) -> float:
        found = on_flat(lambda x, y: (-np.cos(x) * np.exp(y), -np.sin(x) * np.exp(y)), n)
        truth = np.sin(found.x) * np.exp(found.y)[:, None]
        assert found.share > 0.9999
        return float(np.abs(found.potential - (truth - truth.min())).max())

    coarse, middle, fine = error(11), error(21), error(41)
    assert coarse / middle == pytest.approx(4, abs=0.3)
    assert middle / fine == pytest.approx(4, abs=0.3)


@pytest.mark.parametrize("half_width", [(1.0, 1.0), (30.0, 30.0)])
def test_a_pure_rotation_is_explained_to_about_zero(half_width):
    assert on_flat(lambda x, y: (-y, x), 41, half_width).share < 0.001


def test_a_vortex_that_fades_outward_is_explained_to_about_zero():
    assert on_flat(lambda x, y: (-y * np.exp(-3 * (x**2 + y**2)), x * np.exp(-3 * (x**2 + y**2))), 41).share < 0.001


def test_a_bowl_and_a_rotation_share_the_field_as_the_squares_of_their_strengths():
    """v = -3 (x, y) + 4 (-y, x): both parts have speed proportional to the radius and are at right angles: 9 / (9 +
    16).
    """
    found = on_flat(lambda x, y: (-3 * x - 4 * y, -3 * y + 4 * x), 41)
    assert found.share == pytest.approx(0.36, abs=0.001)
    x, y = np.meshgrid(found.x, found.y)
    inside = np.hypot(x, y) < 0.5
    bowl = 1.5 * (x**2 + y**2)
    np.testing.assert_allclose((found.potential - found.potential[20, 20])[inside], bowl[inside], atol=0.02)


def test_the_field_of_gaussian_data_has_its_exact_quadratic_potential():
    """Independent N(m, s^2): v = -m + k (x - (1-t) m), so phi = m.x - k |x - (1-t) m|^2 / 2 (closed form 2)."""
    mean, s, t = np.array([1.0, -2.0, 0.5, 3.0]), 0.6, 0.3
    plane = plane_through(np.zeros(4), np.array([1.0, 0, 1, 0]), np.array([0.0, 2, 0, 1]), LABELS)
    found = field_on_plane(lambda p, time: gaussian_velocity(p, time, mean, s), plane, t, (4.0, 4.0), 31)
    points = plane.points(*np.meshgrid(found.x, found.y))
    slope = (t - (1 - t) * s**2) / ((1 - t) ** 2 * s**2 + t**2)
    exact = points @ mean - slope * np.square(points - (1 - t) * mean).sum(-1) / 2
    np.testing.assert_allclose(found.potential, exact - exact.min(), atol=1e-9)
    assert found.share == pytest.approx(1, abs=1e-12)
    assert 0 < found.share_in_plane < 1


def test_the_share_in_the_plane_counts_what_points_out_of_it():
    plane = Plane(np.zeros(3), np.eye(3)[0], np.eye(3)[1], LABELS)
    found = field_on_plane(lambda p, t: np.tile([3.0, 0, 4], (len(p), 1)), plane, 0.5, (1, 1), 9)
    assert found.share_in_plane == pytest.approx(9 / 25)
    assert found.share == pytest.approx(1)
    assert found.t == 0.5


def test_rows_go_along_the_second_axis_and_columns_along_the_first():
    found = on_flat(lambda x, y: (x + 10 * y, 0 * x), 5, (1.0, 2.0))
    np.testing.assert_allclose(found.velocity[0, -1], [1 - 20, 0])
    np.testing.assert_allclose(found.x, [-1, -0.5, 0, 0.5, 1])
    np.testing.assert_allclose(found.y, [-2, -1, 0, 1, 2])


def test_a_field_that_stands_still_is_flat_and_leaves_nothing_unexplained():
    found = on_flat(lambda x, y: (0 * x, 0 * y))
    assert not found.potential.any()
    assert (found.share, found.share_in_plane) == (1, 1)


def test_marks_lie_at_their_feet_on_the_plane():
    plane = plane_through(np.zeros(3), np.array([2.0, 0, 0]), np.array([0.0, 1, 0]), LABELS)
    found = field_on_plane(
        lambda p, t: -p, plane, 0.0, (3, 3), 5, (("normal", np.array([2.0, 0, 9])), ("origin", np.zeros(3)))
    )
    assert found.marks == (("normal", 2.0, 0.0), ("origin", 0.0, 0.0))
    assert found.axes == LABELS


def test_the_field_is_asked_once_for_every_point_whatever_their_number():
    """So that a page of 41 points a side answers at once."""
    asked = []
    on_flat(lambda x, y: (asked.append(len(x)), (-x - y, -y + x))[1], 41)
    assert asked == [41 * 41]


@pytest.mark.parametrize(
    ("velocity", "half_width", "n", "message"),
    [
        (lambda p, t: -p, (1, 1), 4, "4 points along a side"),
        (lambda p, t: -p, (1, 1), 500, "500 points"),
        (lambda p, t: -p, (0, 1), 9, "half widths"),
        (lambda p, t: -p, (1, np.inf), 9, "half widths"),
        (lambda p, t: p[:, :1], (1, 1), 9, "gave shape"),
        (lambda p, t: p / 0.0 * 0.0, (1, 1), 9, "not finite"),
    ],
)
def test_a_field_that_cannot_be_drawn_is_refused_with_a_sentence(velocity, half_width, n, message):
    with np.errstate(all="ignore"), pytest.raises(FlowError, match=message):
        field_on_plane(velocity, FLAT, 0.0, half_width, n)


def test_the_words_name_the_shares():
    words = describe_landscape(on_flat(lambda x, y: (-3 * x - 4 * y, -3 * y + 4 * x), 41))
    assert "explains 36\N{NBSP}% of the field in this plane at t = 0" in words
    assert "100\N{NBSP}% of the whole field lies in the plane" in words
    assert "turns around" not in describe_landscape(on_flat(lambda x, y: (-x, -y)))
