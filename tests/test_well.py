"""Radius, escape and depth against Gaussian laws and hand-worked cases; sentences against the numbers they speak of."""

from dataclasses import replace

import numpy as np
import pytest

from wtflow.errors import FlowError
from wtflow.flow.exact import gaussian_flow_map, gaussian_velocity
from wtflow.records.core import GOOD
from wtflow.records.flow import UNMARKED, PositionSet, Travel
from wtflow.studies.well import (
    describe_well,
    escape_curve,
    moves_of_normals,
    radius_density,
    shares_outside,
    shell,
    well_depth,
    well_radius,
)


def travel_of(norm: np.ndarray, group: list[str], radial: np.ndarray | None = None, d: int = 100) -> Travel:
    """A travel of which only the norms (S, N), the groups (N,) and the radial velocity (S, N) matter."""
    norm = np.asarray(norm, np.float32)
    (s, n), zeros = norm.shape, np.zeros_like(norm)
    numbers = np.arange(n, dtype=np.int32)
    positions = PositionSet(numbers, numbers, numbers, np.array(group), np.zeros(n, np.float32))
    radial = zeros if radial is None else np.asarray(radial, np.float32)
    return Travel(
        positions=positions,
        t=np.linspace(0, 1, s),
        norm=norm,
        speed=zeros,
        alignment=zeros,
        straightness=zeros,
        radial=radial,
        plane=np.zeros((s, n, 2), np.float32),
        explained=(0.5, 0.2),
        n_channels=d,
    )


def spread(centre: float, n: int) -> np.ndarray:
    """n radii evenly spaced over centre plus and minus 1."""
    return np.linspace(centre - 1, centre + 1, n)


def falling(defect_end: float, n_defects: int = 50, kind: str = "hole") -> Travel:
    """1,001 normals that fall from around 10 to around 4, defects from around 10 to around `defect_end`, in 100
    dimensions.
    """
    start = np.concatenate([spread(10, 1001), spread(10, n_defects)])
    end = np.concatenate([spread(4, 1001), spread(defect_end, n_defects)])
    return travel_of([start, end], [GOOD] * 1001 + [kind] * n_defects, radial=[-start, -end])


# ---- radius


def test_the_well_radius_is_the_normals_quantile_whatever_the_others_do():
    norm = [[*range(101), 1e6], [*range(100, 201), 0]]
    travel = travel_of(norm, [GOOD] * 101 + ["hole"])
    np.testing.assert_allclose(well_radius(travel), [99, 199])
    np.testing.assert_allclose(well_radius(travel, 0.5), [50, 150])


def test_densities_sum_to_one_at_each_time_and_share_their_edges():
    travel = falling(8.0)
    edges, normal = radius_density(travel, (GOOD,), 30)
    others, defect = radius_density(travel, ("hole",), 30)
    np.testing.assert_array_equal(edges, others)
    assert edges[0] == 0
    for density in (normal, defect):
        assert density.shape == (2, 30)
        np.testing.assert_allclose(density.sum(1), 1)


def test_a_density_counts_each_position_in_the_bin_that_holds_its_radius():
    travel = travel_of([[0.5, 1.5, 1.6, 4.0]], [GOOD] * 4)
    edges, density = radius_density(travel, (GOOD,), 4)
    np.testing.assert_allclose(edges, [0, 1, 2, 3, 4])
    np.testing.assert_allclose(density, [[0.25, 0.5, 0, 0.25]])


def test_one_position_far_out_does_not_stretch_the_axis_but_is_counted():
    radii = np.append(spread(4, 4999), 1e5)
    edges, density = radius_density(travel_of(radii[None], [GOOD] * 5000), (GOOD,))
    assert edges[-1] < 5.01
    assert density.sum() == pytest.approx(1)


def test_the_shell_is_that_of_the_chi_law():
    mean, low, high = shell(1000)
    assert mean == pytest.approx(31.615, abs=1e-3)
    assert (mean - low, high - mean) == pytest.approx(
        (1.645 * 0.707, 1.645 * 0.707), abs=0.01
    )  # nearly Gaussian, deviation 0.707


def test_the_shell_in_two_dimensions_is_rayleighs():
    assert shell(2) == pytest.approx((np.sqrt(np.pi / 2), np.sqrt(-2 * np.log(0.95)), np.sqrt(-2 * np.log(0.05))))


# ---- escape


def test_the_escape_curve_counts_positions_beyond_the_normals_radius_of_the_same_time():
    normal = np.array([range(101), range(100, 201)])
    hole = np.array([[98, 100, 120, 130], [98, 100, 120, 199.5]])
    unmarked = np.array([[200], [0]])
    curves = escape_curve(travel_of(np.hstack([normal, unmarked, hole]), [GOOD] * 101 + [UNMARKED] + ["hole"] * 4))
    assert list(curves) == [GOOD, "hole", UNMARKED]
    np.testing.assert_allclose(curves["hole"], [0.75, 0.25])
    np.testing.assert_allclose(curves[UNMARKED], [1, 0])
    np.testing.assert_allclose(curves[GOOD], 1 / 101)


def test_about_one_percent_of_normals_is_outside_at_every_time_by_construction():
    norm = np.random.default_rng(0).gamma(3, size=(6, 4000))
    np.testing.assert_allclose(escape_curve(travel_of(norm, [GOOD] * 4000))[GOOD], 0.01, atol=3e-4)


# ---- depth


@pytest.mark.parametrize("s", [0.5, 1.0, 2.0])
def test_the_depth_of_the_gaussian_well_is_that_of_its_quadratic_potential(s):
    """Data N(0, s^2) gives v = k(t) x, so that the potential along the radius is -k r^2 / 2 (closed form 2)."""
    t = np.linspace(0, 1, 5)
    start = np.random.default_rng(1).normal(scale=s, size=(4000, 8))
    x = np.stack([gaussian_flow_map(start, time, 0.0, s) for time in t])
    v = np.stack([gaussian_velocity(x[i], t[i], 0.0, s) for i in range(len(t))])
    norm = np.linalg.norm(x, axis=-1)
    travel = travel_of(norm, [GOOD] * 4000, radial=(v * x).sum(-1) / norm)
    slope = np.array([(time - (1 - time) * s**2) / ((1 - time) ** 2 * s**2 + time**2) for time in t])
    median, far = np.quantile(norm, [0.5, 0.99], axis=1)
    np.testing.assert_allclose(well_depth(travel), -slope * (far**2 - median**2) / 2, rtol=0.02, atol=1e-6)


def test_a_constant_pull_gives_the_distance_times_the_pull_and_a_push_the_negative():
    radii = spread(5, 1001)  # median 5, 99\N{NBSP}% quantile 5.98
    travel = travel_of(
        [radii, radii, radii], [GOOD] * 1001, radial=[np.full(1001, -2.0), np.full(1001, 2.0), np.zeros(1001)]
    )
    np.testing.assert_allclose(well_depth(travel), [1.96, -1.96, 0], atol=1e-5)


def test_the_depth_does_not_depend_on_how_many_defects_are_there():
    few, many = falling(8.0, 3), falling(8.0, 500)
    np.testing.assert_array_equal(well_depth(few), well_depth(many))


@pytest.mark.parametrize("n", [1, 2, 3, 12])
def test_few_normals_have_a_depth_between_those_of_their_pulls(n):
    radii = 5 + np.arange(n)
    travel = travel_of([radii], [GOOD] * n, radial=[np.full(n, -3.0)])
    climb = np.quantile(radii, 0.99) - np.median(radii)
    np.testing.assert_allclose(well_depth(travel), [3 * climb], rtol=1e-6)


def test_without_normals_there_is_a_sentence_instead_of_a_number():
    travel = travel_of([[1.0, 2.0]], ["hole", UNMARKED])
    for call in (well_radius, escape_curve, well_depth):
        with pytest.raises(FlowError, match="no positions of normal images"):
            call(travel)
    with pytest.raises(FlowError, match="no positions of good"):
        radius_density(travel, (GOOD,))


# ---- words


def said(travel: Travel) -> str:
    return " ".join(describe_well(travel))


def test_escape_is_told_with_the_shares_of_this_run():
    norm = falling(8.0).norm.copy()
    norm[1, 1001:1021] = 4.0  # 20 of 50 defects come to rest in the middle of the normals
    text = said(replace(falling(8.0), norm=norm))
    assert "At the end 1\N{NBSP}% of normal and 60\N{NBSP}% of defect positions lie outside the well" in text
    assert "fall toward the origin: median distance 10 at t = 0, 4 at t = 1" in text
    assert "inside the shell" in text
    assert "not escape" not in text


def test_it_says_when_defects_do_not_escape_more_than_normals():
    text = said(falling(4.0 - 1.5))
    assert "1\N{NBSP}% of normal and 0\N{NBSP}% of defect" in text
    assert "Defects do not escape more than normals" in text
    assert "Defects even end nearer to the origin than normals: median distance 2.5 against 4" in text


def test_a_share_little_above_the_normals_is_not_called_escape():
    norm = np.vstack([np.arange(1000.0)] * 2)
    defects = np.vstack([np.append(np.full(66, 500.0), 2000.0)] * 2)  # 1.5\N{NBSP}% against 1 %
    assert "hardly escape more" in said(travel_of(np.hstack([norm, defects]), [GOOD] * 1000 + ["hole"] * 67))


def test_growing_norms_are_not_called_a_fall():
    text = said(travel_of([spread(4, 200), spread(20, 200)], [GOOD] * 200))
    assert "do not fall but move away from the origin" in text
    assert "beyond the shell" in text
    still = said(travel_of([spread(10, 200), spread(10.01, 200)], [GOOD] * 200))
    assert "they do not fall" in still
    assert "on the shell" in still


def test_without_defects_nothing_is_claimed_about_them():
    text = said(travel_of([spread(10, 50), spread(4, 50)], [GOOD] * 50))
    assert "no defect positions here, so it is unknown what escapes" in text
    assert "of defect positions lie" not in text


def test_without_normals_there_is_one_sentence_and_what_to_do():
    (sentence,) = describe_well(travel_of([[1.0], [2.0]], ["hole"]))
    assert "choose normal images" in sentence


def test_unmarked_positions_enter_no_claim_but_are_counted():
    plain = falling(8.0)
    far = np.hstack([plain.norm, np.full((2, 7), 99.0)])
    mixed = travel_of(far, [*plain.positions.group, *[UNMARKED] * 7], radial=-far)
    *sentences, last = describe_well(mixed)
    assert tuple(sentences) == describe_well(plain)
    assert last.startswith("7 positions of defective images outside every mask are left out")


def test_the_types_that_escape_most_and_least_are_named():
    norm = np.hstack([np.vstack([spread(4, 101)] * 2), np.full((2, 5), 8.0), np.full((2, 5), 4.0)])
    assert "hole escapes most (100\N{NBSP}%), stain least (0\N{NBSP}%)" in said(
        travel_of(norm, [GOOD] * 101 + ["hole"] * 5 + ["stain"] * 5)
    )


def test_the_well_is_called_deep_only_where_the_field_pulls_inward():
    radii = np.vstack([spread(5, 1001)] * 2)
    inward = said(travel_of(radii, [GOOD] * 1001, radial=[np.full(1001, -1.0), np.full(1001, -2.0)]))
    assert "deepest at t = 1: a normal would climb a potential of 1.96 to get out; it is there at all times" in inward
    mixed = said(travel_of(radii, [GOOD] * 1001, radial=[np.full(1001, -1.0), np.full(1001, 1.0)]))
    assert "at 1 of 2 saved times it pushes outward instead" in mixed
    outward = said(travel_of(radii, [GOOD] * 1001, radial=[np.full(1001, 1.0), np.full(1001, 2.0)]))
    assert "in this sense there is no well" in outward


# ---- the two shares


def test_the_two_shares_are_those_of_the_escape_curve_with_all_types_together():
    travel = falling(6.0)
    half = np.where(np.arange(50) % 2, "hole", "stain").tolist()
    travel = replace(travel, positions=replace(travel.positions, group=np.array([GOOD] * 1001 + half)))
    curve, shares = escape_curve(travel), shares_outside(travel)
    assert np.array_equal(shares["normal"], curve[GOOD])
    np.testing.assert_allclose(shares["defect"], (curve["hole"] + curve["stain"]) / 2)


def test_what_no_mask_covers_is_neither_normal_nor_defect():
    travel = falling(6.0, kind=UNMARKED)
    assert set(shares_outside(travel)) == {"normal"}
    with pytest.raises(FlowError):
        shares_outside(travel_of([[1.0], [2.0]], ["hole"]))


@pytest.mark.parametrize(
    ("median", "words"),
    [
        ([3.0, 1.0, 2.0], "fall toward the origin and come out again: median distance 3 at t = 0, 1 at t = 0.5, 2"),
        ([3.0, 2.0, 1.0], "fall toward the origin: median distance 3 at t = 0, 1"),
        ([1.0, 1.5, 2.0], "do not fall but move away"),
        ([2.0, 2.01, 2.0], "they do not fall"),
    ],
)
def test_a_phrase_says_whether_normals_fall(median: list[float], words: str):
    assert words in moves_of_normals(np.array([0.0, 0.5, 1.0]), np.array(median))
