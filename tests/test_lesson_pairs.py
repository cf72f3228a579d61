"""Lesson "who pairs with whom": its pairings, costs and crossings against hand-worked cases, sorting, and the
coupling that training uses.
"""

import itertools

import numpy as np
import pytest
import torch

from wtflow.flow.coupling import couple, transport_cost
from wtflow.lessons import pairs
from wtflow.lessons.base import DATA_SETS, read_settings

START = read_settings(pairs.CONTROLS, "")
ALL = np.arange(64)


def cloud(n=64, seed=0):
    """Points and noise (n, 2)."""
    return np.random.default_rng(seed).standard_normal((2, n, 2))


@pytest.mark.parametrize("seed", [0, 1, 7])
@pytest.mark.parametrize("data", pairs.DATA)
def test_every_number_the_lesson_shows_agrees_with_its_closed_form(data, seed):
    scene = pairs.prepare(seed, DATA_SETS[data](256, np.random.default_rng(seed)), START)
    assert len(scene.checks) == 9
    assert [check.label for check in scene.checks if not check.holds] == []


def test_a_cycle_of_three_is_paired_by_index_into_the_noise_and_not_by_its_inverse():
    """Noise i lies next to point i + 1, so the best partner of point i is noise i - 1; the inverse would be i + 1."""
    x = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    z = x[[1, 2, 0]] + 0.1
    assert pairs.pair(x, z, "optimal", 3, np.arange(3)).tolist() == [2, 0, 1]
    assert pairs.pair(-x, z, "worst", 3, np.arange(3)).tolist() == [2, 0, 1]


@pytest.mark.parametrize("kind", pairs.KINDS)
@pytest.mark.parametrize("batch", [1, 2, 24, 64])
def test_the_lesson_pairs_as_training_does(kind, batch):
    x, z = cloud()
    x_data, x_noise = torch.from_numpy(x), torch.from_numpy(z)
    partner = couple(x_data, x_noise, kind, batch)
    found = pairs.pair(x, z, kind, batch, ALL)
    assert pairs.total_cost(x, z, found) == pytest.approx(64 * transport_cost(x_data, x_noise[partner]))
    np.testing.assert_array_equal(found, partner.numpy())


def test_no_pairing_of_six_points_is_cheaper_than_optimal_or_dearer_than_worst():
    x, z = cloud(6)
    every = [pairs.total_cost(x, z, np.array(p)) for p in itertools.permutations(range(6))]
    optimal, worst = (pairs.total_cost(x, z, pairs.pair(x, z, kind, 6, np.arange(6))) for kind in ("optimal", "worst"))
    assert (optimal, worst) == pytest.approx((min(every), max(every)))


def test_costs_part_as_batches_double_and_never_pass_the_independent_cost():
    scene = pairs.prepare(3, None, START)
    assert scene.data["sizes"].tolist() == [1, 2, 4, 8, 16, 32, 64]
    for d, costs in enumerate(scene.data["costs"], 1):
        own = np.square(scene.data["x"][:, :d] - scene.data["z"][:, :d]).sum()
        assert costs[0] == pytest.approx([own, own]), "a batch of one leaves nothing to choose"
        assert np.all(np.diff(costs[:, 0]) <= 1e-9)
        assert np.all(np.diff(costs[:, 1]) >= -1e-9)
        assert costs[-1, 0] < 0.3 * own < own < costs[-1, 1]


def test_batches_do_not_mix():
    x, z = cloud(10)
    order = np.random.default_rng(1).permutation(10)
    partner = pairs.pair(x, z, "worst", 4, order)
    for rows in (order[:4], order[4:8], order[8:]):
        assert set(partner[rows]) == set(rows)


def test_in_one_dimension_three_pairs_worked_out_by_hand():
    """0, 1, 3 to 0, 2, 4: sorted 0 + 1 + 1 = 2, reversed 16 + 1 + 9 = 26; all three lines cross when reversed."""
    x, z = np.array([[3.0], [0.0], [1.0]]), np.array([[2.0], [4.0], [0.0]])
    costs = [pairs.total_cost(x, z, pairs.pair(x, z, kind, 3, np.arange(3))) for kind in pairs.KINDS]
    assert costs == [1 + 16 + 1, 2, 26]
    assert pairs.sorted_cost(x[:, 0], z[:, 0], is_reversed=False) == 2
    assert pairs.sorted_cost(x[:, 0], z[:, 0], is_reversed=True) == 26
    crossings = [pairs.count_crossings(x, z[pairs.pair(x, z, kind, 3, np.arange(3))]) for kind in pairs.KINDS]
    assert crossings == [2, 0, 3]


def test_the_diagonals_of_a_square_cross_and_its_sides_do_not():
    corners = np.array([[0.0, 0.0], [1.0, 0.0]])
    assert pairs.count_crossings(corners, np.array([[1.0, 1.0], [0.0, 1.0]])) == 1
    assert pairs.count_crossings(corners, np.array([[0.0, 1.0], [1.0, 1.0]])) == 0
    assert pairs.count_crossings(corners, np.array([[1.0, 0.0], [1.0, 1.0]])) == 0, "lines that touch do not count"


def test_optimal_points_may_cross_on_paper_but_never_meet_at_one_time():
    """What the answer claims: for every two points the squared distance has no zero between t=0 and t=1."""
    x, z = cloud(64, 5)
    ends = z[pairs.pair(x, z, "optimal", 64, ALL)]
    assert pairs.count_crossings(x, ends) > 0
    first, second = np.triu_indices(64, 1)
    gap, end_gap = x[first] - x[second], ends[first] - ends[second]
    assert np.all(
        (gap * end_gap).sum(1) >= -1e-12
    )  # no exchange helps, so |(1-t) gap + t end_gap|^2 >= (1-t)^2 |gap|^2 + t^2 |end_gap|^2
    least = min(float(np.linalg.norm((1 - t) * gap + t * end_gap, axis=1).min()) for t in np.linspace(0, 1, 201))
    assert least > 0


def test_points_dragged_by_hand_come_back_exactly_and_meet_the_same_noise():
    first = pairs.prepare(4, None, START)
    moved = first.data["x"].copy()
    moved[5] = [1.25, -0.5]
    again = pairs.prepare(4, moved, START)
    np.testing.assert_allclose(again.data["x"], moved, atol=1e-7)
    np.testing.assert_array_equal(again.data["z"], first.data["z"])
    np.testing.assert_array_equal(again.data["order"], first.data["order"])


def test_few_or_equal_points_are_paired_too():
    for points in (np.zeros((1, 2)), np.ones((5, 2)), np.array([[0.0, 0.0], [0.0, 0.0], [1.0, 2.0]])):
        scene = pairs.prepare(0, points, START)
        assert scene.data["z"].shape == points.shape
        assert [check.label for check in scene.checks if not check.holds] == []


@pytest.mark.parametrize("text", ["dimension:0,t:0.5", "batch:8", ""])
def test_the_slides_name_the_costs_of_all_three_couplings(text):
    settings = read_settings(pairs.CONTROLS, text)
    figures = dict(pairs.figure(pairs.prepare(0, None, settings), settings))
    assert list(figures) == ["pairs", "cost"]
    titles = [axes.get_title(loc="left") for axes in figures["pairs"].axes]
    assert [title.split("\n")[0][3:] for title in titles] == list(pairs.KINDS)
    costs = [float(title.split("cost ")[1].split(",")[0]) for title in titles]
    assert costs[1] < costs[0] < costs[2]
