from itertools import permutations

import numpy as np
import ot
import pytest
import torch

from wtflow.errors import FlowError
from wtflow.flow.coupling import couple, coupling_strength, transport_cost


def pair(n, d, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, d, generator=generator), torch.randn(n, d, generator=generator)


def brute_force(data, noise, pick):
    """The permutation of least or greatest total squared distance, tried one by one."""
    return pick(permutations(range(len(data))), key=lambda p: float((data - noise[list(p)]).square().sum()))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("n", [2, 4, 6])
def test_no_other_pairing_is_better(n, seed):
    data, noise = pair(n, 3, seed)
    assert couple(data, noise, "worst", n).tolist() == list(brute_force(data, noise, max))
    assert couple(data, noise, "optimal", n).tolist() == list(brute_force(data, noise, min))


def test_a_three_cycle_is_not_returned_as_its_inverse():
    """Data i stands at angle 120 i degrees; the noise of data i, at the same angle, is row (i + 1) mod 3."""
    angle = torch.arange(3) * (2 * torch.pi / 3)
    data = torch.stack([angle.cos(), angle.sin()], 1)
    noise = data[[2, 0, 1]]
    assert couple(data, noise, "optimal", 3).tolist() == [1, 2, 0]
    assert couple(data, -noise, "worst", 3).tolist() == [1, 2, 0]


def test_on_a_line_optimal_pairs_sorted_with_sorted_and_worst_with_reversed():
    data, noise = pair(40, 1)
    rank = lambda x: x[:, 0].argsort().argsort()  # noqa: E731
    assert torch.equal(rank(noise[couple(data, noise, "optimal", 40)]), rank(data))
    assert torch.equal(rank(noise[couple(data, noise, "worst", 40)]), 39 - rank(data))


def test_the_gradient_of_a_convex_function_is_already_optimal():
    """phi(x) = sum(exp(x) + x^2) is strictly convex: noise = grad phi is optimal as it stands, -grad phi is worst."""
    data, _ = pair(64, 5)
    gradient = data.exp() + 2 * data
    assert couple(data, gradient, "optimal", 64).tolist() == list(range(64))
    assert couple(data, -gradient, "worst", 64).tolist() == list(range(64))


@pytest.mark.parametrize("kind, sign", [("optimal", 1), ("worst", -1)])
def test_the_cost_is_the_one_that_pot_finds(kind, sign):
    data, noise = pair(50, 4, seed=3)
    uniform = np.full(50, 1 / 50)
    plan_cost = sign * ot.emd2(uniform, uniform, sign * ot.dist(data.double().numpy(), noise.double().numpy()))
    assert transport_cost(data, noise[couple(data, noise, kind, 50)]) == pytest.approx(plan_cost, rel=1e-6)


def test_norms_do_not_change_the_pairing_of_noise_moved_as_one():
    data, noise = pair(30, 6)
    assert torch.equal(couple(data, noise, "worst", 30), couple(data + 5, 3 * noise - 2, "worst", 30))


def test_pairs_stay_inside_their_group_and_the_last_group_may_be_smaller():
    data, noise = pair(23, 3)
    partner = couple(data, noise, "worst", 10)
    assert torch.equal(partner // 10, torch.arange(23) // 10)
    assert partner.sort().values.tolist() == list(range(23))
    assert torch.equal(partner[20:] - 20, couple(data[20:], noise[20:], "worst", 3))


def test_independent_keeps_every_row():
    data, noise = pair(7, 2)
    assert couple(data, noise, "independent", 3).tolist() == list(range(7))


def test_whole_images_are_paired_as_one_vector_each():
    generator = torch.Generator().manual_seed(1)
    data, noise = torch.randn(2, 5, 4, 4, 3, generator=generator)
    partner = couple(data, noise, "worst", 5)
    assert partner.dtype == torch.int64
    assert partner.tolist() == list(brute_force(data, noise, max))


def test_cost_and_strength_are_worked_by_hand():
    data, noise = torch.tensor([[1.0, 0.0], [0.0, 2.0]]), torch.tensor([[-1.0, 0.0], [0.0, -1.0]])
    assert transport_cost(data, noise) == (4 + 9) / 2
    assert coupling_strength(data, noise) == (1 + 2) / 2 / 2


@pytest.mark.parametrize(
    "d, group, gamma", [(2, 8, 0.65), (2, 64, 0.855), (16, 8, 0.30), (16, 64, 0.51), (128, 64, 0.19)]
)
def test_the_strength_on_the_sphere_is_the_known_one(d, group, gamma):
    """Data on the sphere of radius sqrt(d), each channel of variance 1; large groups in 2-D tend to sqrt(pi) / 2 =
    0.886.
    """
    generator = torch.Generator().manual_seed(0)
    data = torch.nn.functional.normalize(torch.randn(1920, d, generator=generator), dim=1) * d**0.5
    noise = torch.randn(1920, d, generator=generator)
    assert coupling_strength(data, noise[couple(data, noise, "worst", group)]) == pytest.approx(gamma, abs=0.02)
    assert coupling_strength(data, noise) == pytest.approx(0, abs=0.05)


def test_worst_and_optimal_are_as_strong_as_each_other():
    data, noise = pair(512, 4)
    worst = coupling_strength(data, noise[couple(data, noise, "worst", 128)])
    optimal = coupling_strength(data, noise[couple(data, noise, "optimal", 128)])
    assert worst == pytest.approx(-optimal, abs=0.03)
    assert worst > 0.5


@pytest.mark.parametrize(
    "data, noise, kind, group, message",
    [
        (torch.zeros(3, 2), torch.zeros(4, 2), "worst", 2, "cannot be paired"),
        (torch.zeros(3), torch.zeros(3), "worst", 2, "cannot be paired"),
        (torch.zeros(0, 2), torch.zeros(0, 2), "worst", 2, "cannot be paired"),
        (torch.zeros(3, 2), torch.zeros(3, 2), "wurst", 2, "no coupling 'wurst'"),
        (torch.zeros(3, 2), torch.zeros(3, 2), "worst", 0, "Groups of 0"),
        (torch.full((3, 2), torch.nan), torch.zeros(3, 2), "worst", 2, "data .* not finite"),
        (torch.zeros(3, 2), torch.tensor([[0, 0], [0, torch.inf], [0, 0]]), "independent", 2, "noise .* not finite"),
    ],
)
def test_what_cannot_be_paired_is_refused(data, noise, kind, group, message):
    with pytest.raises(FlowError, match=message):
        couple(data, noise, kind, group)


def test_large_finite_values_are_not_called_infinite():
    data = torch.full((2, 4), 2e38)
    assert couple(data, torch.randn(2, 4), "independent", 2).tolist() == [0, 1]
