"""The well as a disc: what is drawn keeps what is true of the radii and of who lies beside whom."""

import numpy as np
import pytest

from wtflow.plots.disc import OUTER_RIM, disc_angles, disc_radius, draw_in, on_ring

RNG = np.random.default_rng(0)


def test_angles_use_the_whole_ring_evenly_however_the_ends_are_heaped():
    heaped = np.concatenate([RNG.normal(0, 1, (400, 2)), RNG.normal(50, 0.1, (600, 2))])
    angles = np.sort(disc_angles(heaped))
    np.testing.assert_allclose(np.diff(angles), 2 * np.pi / 1000)
    assert -np.pi < angles[0] and angles[-1] < np.pi


def test_who_lies_in_a_direction_from_the_normals_stays_beside_its_neighbours_there():
    true = RNG.permutation(np.linspace(-3, 3, 200))
    ring = 7 + np.stack([np.cos(true), np.sin(true)], axis=1)
    assert np.array_equal(np.argsort(disc_angles(ring)), np.argsort(true))


def test_the_middle_is_that_of_the_normals_and_the_umap_counts_where_it_is_there():
    normals, far = RNG.normal(0, 1, (500, 2)), RNG.normal((30, 0), 1, (500, 2))
    ends, is_normal = np.concatenate([normals, far]), np.arange(1000) < 500
    angles = disc_angles(ends, is_normal=is_normal)
    assert np.ptp(angles[:500]) > 6, "normals are seen all around"
    assert np.ptp(angles[500:]) < 4, "what lies to one side of them is seen on one side"
    other = RNG.normal(0, 1, (1000, 2))
    assert np.array_equal(disc_angles(ends, other), disc_angles(other))


@pytest.mark.parametrize("n", [1, 2])
def test_few_positions_and_equal_ends_have_angles_too(n):
    assert len(set(disc_angles(np.zeros((n, 2))).tolist())) == n


def test_99_of_100_normals_lie_within_the_rim_at_every_time():
    norm = RNG.gamma(5, [[3.0], [0.2], [40.0]], (3, 10_000))
    radius = disc_radius(norm, np.quantile(norm, 0.99, axis=1))
    np.testing.assert_allclose(np.quantile(radius, 0.99, axis=1), 1)
    assert np.isfinite(disc_radius(np.ones((1, 3)), np.zeros(1))).all(), "normals that all lie on the origin"


@pytest.mark.parametrize("farthest", [0.5, 1.3, 3.0, 1e6])
def test_drawing_in_changes_nothing_inside_the_disc_keeps_the_order_and_loses_nobody(farthest):
    radius = np.sort(np.concatenate([np.linspace(0, 1, 50), np.geomspace(0.1, farthest, 50)]))
    drawn = draw_in(radius)
    inside = radius <= 1
    assert np.array_equal(drawn[inside], radius[inside])
    assert (np.diff(drawn)[np.diff(radius) > 1e-12] > 0).all()
    assert drawn.max() <= OUTER_RIM + 1e-9
    assert ((drawn > 1) == (radius > 1)).all()


def test_beyond_the_rim_equal_factors_are_equal_steps_and_far_pictures_share_their_scale():
    steps = np.diff(draw_in(np.array([2.0, 4.0, 8.0, 16.0])))
    np.testing.assert_allclose(steps, steps[0])
    np.testing.assert_allclose(draw_in(np.array([2.0]), farthest=16.0), draw_in(np.array([2.0, 16.0]))[:1])


def test_a_place_on_the_ring_has_its_radius_at_all_times():
    radius = RNG.uniform(0, 2, (4, 30))
    places = on_ring(radius, RNG.uniform(-3, 3, 30))
    np.testing.assert_allclose(np.hypot(places[..., 0], places[..., 1]), radius, rtol=1e-5)
