import math

import pytest
import torch
from torchdiffeq import odeint

from wtflow.errors import FlowError
from wtflow.flow import exact
from wtflow.flow.integrate import integrate, integrate_moving, integrate_saved
from wtflow.flow.solvers import SOLVERS

MEAN, STD, RHO = 0.3, 0.6, -0.5
X = torch.tensor([[-1.0, 0.2], [0.9, 2.0]], dtype=torch.float64)


def curved(x, t):
    """A field with no closed form, smooth in both arguments."""
    return torch.sin(2 * x) + t * x - t.square()


def gaussian(x, t):
    return torch.from_numpy(exact.gaussian_velocity(x.numpy(), t.numpy(), MEAN, STD, RHO))


def gaussian_end(x):
    return torch.from_numpy(exact.gaussian_flow_map(x.numpy(), 1.0, MEAN, STD, RHO))


@pytest.mark.parametrize("solver, order", [("euler", 1), ("heun", 2)])
def test_the_error_falls_with_the_order_of_the_solver(solver, order):
    errors = [(integrate(gaussian, X, steps, solver) - gaussian_end(X)).abs().max().item() for steps in (160, 320, 640)]
    for coarse, fine in zip(errors, errors[1:], strict=False):
        assert coarse / fine == pytest.approx(2**order, rel=0.1)


def test_one_step_lands_on_the_barycentre():
    """One exact Euler step from t=0 ends at E[noise | data = x]."""
    y = integrate(gaussian, X, 1, "euler")
    assert torch.allclose(y, torch.from_numpy(exact.gaussian_barycentre(X.numpy(), MEAN, STD, RHO)))


def test_many_steps_end_at_the_standardised_value_whatever_the_coupling():
    for rho in (-0.9, 0.0, 1.0):
        y = integrate(
            lambda x, t, rho=rho: torch.from_numpy(exact.gaussian_velocity(x.numpy(), t.numpy(), MEAN, STD, rho)),
            X,
            800,
            "heun",
        )
        assert torch.allclose(y, (X - MEAN) / STD, atol=1e-3)


def test_euler_takes_the_steps_that_torchdiffeq_takes():
    times = torch.linspace(0, 1, 8, dtype=torch.float64)
    t, xs = integrate_saved(curved, X, 7, "euler")
    assert torch.allclose(t, times)
    assert torch.allclose(xs, odeint(lambda t, x: curved(x, t), X, times, method="euler"), atol=1e-13)


def test_heun_takes_the_steps_that_torchdiffeq_takes():
    """heun2 is the explicit trapezoid rule."""
    times = torch.linspace(0, 1, 8, dtype=torch.float64)
    assert torch.allclose(
        integrate_saved(curved, X, 7, "heun")[1],
        odeint(lambda t, x: curved(x, t), X, times, method="heun2"),
        atol=1e-13,
    )


def test_both_solvers_agree_with_an_adaptive_one_in_the_limit():
    end = odeint(
        lambda t, x: curved(x, t),
        X,
        torch.tensor([0.0, 1.0], dtype=torch.float64),
        method="dopri5",
        rtol=1e-10,
        atol=1e-12,
    )[-1]
    assert torch.allclose(integrate(curved, X, 300, "heun"), end, atol=1e-4)
    assert torch.allclose(integrate(curved, X, 3000, "euler"), end, atol=1e-2)


@pytest.mark.parametrize("solver", SOLVERS)
def test_going_back_from_noise_returns_to_the_data(solver):
    steps = 400
    there = integrate(curved, X, steps, solver)
    back = integrate(curved, there, steps, solver, t_start=1.0, t_end=0.0)
    assert torch.allclose(back, X, atol=2e-2 if solver == "euler" else 1e-4)


def test_part_of_the_way_and_the_rest_make_the_whole():
    half = integrate(curved, X, 5, "heun", t_end=0.5)
    assert torch.allclose(integrate(curved, half, 5, "heun", t_start=0.5), integrate(curved, X, 10, "heun"))


def test_saved_steps_hold_the_start_and_the_end():
    t, xs = integrate_saved(curved, X, 4, "heun", t_start=0.2, t_end=0.6)
    assert torch.allclose(t, torch.tensor([0.2, 0.3, 0.4, 0.5, 0.6], dtype=torch.float64))
    assert xs.shape == (5, *X.shape)
    assert torch.equal(xs[0], X)
    assert torch.equal(xs[-1], integrate(curved, X, 4, "heun", t_start=0.2, t_end=0.6))


def test_the_field_sees_times_of_the_features_type_without_axes():
    seen = []

    def watch(x, t):
        seen.append((t.dtype, t.shape, t.item()))
        return torch.zeros_like(x)

    integrate(watch, X.float(), 2, "heun")
    assert seen == [(torch.float32, (), time) for time in (0.0, 0.5, 0.5, 1.0)]


@pytest.mark.parametrize("solver, step", [("euler", 4), ("heun", 3)])
def test_values_that_explode_name_the_step(solver, step):
    """The field breaks at t=0.6, where Euler's fourth step of 0.2 starts and Heun's third one ends."""
    with pytest.raises(FlowError, match=f"not finite at step {step} of 5"):
        integrate(lambda x, t: torch.full_like(x, math.nan) if t >= 0.59 else x, X, 5, solver)


def test_features_that_start_infinite_are_refused():
    with pytest.raises(FlowError, match="before the first step"):
        integrate(curved, torch.tensor([1.0, math.inf]), 2, "euler")


@pytest.mark.parametrize(
    "x, steps, solver, message",
    [
        (X, 0, "euler", "in 0 steps"),
        (X, 2, "rk4", "no solver 'rk4'"),
        (torch.zeros(2, 2, dtype=torch.int64), 2, "euler", "Cannot move features"),
        (torch.zeros(0, 2), 2, "euler", "Cannot move features"),
    ],
)
def test_what_cannot_be_integrated_is_refused(x, steps, solver, message):
    with pytest.raises(FlowError, match=message):
        integrate(curved, x, steps, solver)


@pytest.mark.parametrize("solver, per_step", [("euler", 1), ("heun", 2)])
def test_moving_saves_the_same_points_and_the_field_at_each_for_one_evaluation_more(solver, per_step):
    calls = []

    def counted(x, t):
        calls.append(t)
        return curved(x, t)

    t, xs, vs = integrate_moving(counted, X, 5, solver)
    times, saved = integrate_saved(curved, X, 5, solver)
    assert torch.equal(t, times)
    assert torch.equal(xs, saved)
    assert torch.equal(vs, torch.stack([curved(x, time) for x, time in zip(saved, times, strict=True)]))
    assert len(calls) == 5 * per_step + 1


@pytest.mark.parametrize("solver", SOLVERS)
def test_following_a_few_of_many_that_push_each_other_gives_their_part_of_the_whole(solver):
    crowd = lambda x, t: curved(x, t) + x.mean(0)  # noqa: E731 - everyone's place counts
    whole = integrate_moving(crowd, X, 4, solver)
    few = integrate_moving(crowd, X, 4, solver, keep=lambda x: x[1:])
    assert torch.equal(few[0], whole[0])
    assert torch.equal(few[1], whole[1][:, 1:])
    assert torch.equal(few[2], whole[2][:, 1:])


def test_a_velocity_that_breaks_only_at_the_very_end_is_named():
    """The last evaluation moves nothing, so no point betrays it."""
    with pytest.raises(FlowError, match="not finite in the velocity at the end"):
        integrate_moving(lambda x, t: torch.full_like(x, math.nan) if t == 1 else x, X, 2, "euler")
