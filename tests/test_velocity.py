from itertools import pairwise

import pytest
import torch
from networks import stirred

from wtflow.config import settings_from
from wtflow.errors import FlowError
from wtflow.flow import exact
from wtflow.flow.integrate import integrate
from wtflow.flow.path import interpolate, target_velocity
from wtflow.flow.velocity import ResidualMLP, UNet, build_velocity


def n_parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


def test_an_untrained_mlp_points_to_the_origin_at_time_zero():
    x = torch.randn(20, 6)
    assert torch.allclose(ResidualMLP(6, 16, 2)(x, 0.0), -x, atol=1e-6)


def test_an_untrained_mlp_is_the_field_of_standard_gaussian_data():
    x = torch.randn(20, 6)
    for t in (0.1, 0.5, 0.8):
        expected = exact.gaussian_velocity(x.numpy(), t, 0.0, 1.0)
        assert torch.allclose(ResidualMLP(6, 16, 2)(x, t), torch.from_numpy(expected).float(), atol=1e-6)


def test_an_untrained_unet_stands_still():
    assert UNet(5, 8).eval()(torch.randn(2, 8, 8, 5), 0.3).abs().max() == 0


@pytest.mark.parametrize("make", [lambda: ResidualMLP(5, 16, 2), lambda: UNet(5, 8)], ids=["mlp", "unet"])
def test_a_time_per_row_gives_what_each_time_alone_gives(make):
    network, x, t = stirred(make()), torch.randn(3, 4, 4, 5), torch.tensor([0.0, 0.4, 1.0])
    together = network(x, t)
    assert together.shape == x.shape
    for i in range(3):
        assert torch.allclose(together[i], network(x[i : i + 1], t[i])[0], atol=1e-4)
        assert torch.allclose(together[i], network(x[i : i + 1], t[i].item())[0], atol=1e-4)
    assert not torch.allclose(network(x, 0.0), network(x, 0.4), atol=1e-2)


def test_the_mlp_sees_one_position_at_a_time():
    network, x = stirred(ResidualMLP(5, 16, 2)), torch.randn(2, 3, 4, 5)
    assert torch.allclose(network(x, 0.3).reshape(-1, 5), network(x.reshape(-1, 5), 0.3), atol=1e-5)
    assert torch.allclose(network(x, 0.3)[1, 2, 3], network(x[1, 2, 3], 0.3), atol=1e-5)


@pytest.mark.parametrize("t", [0.3, torch.tensor([0.0, 0.7])], ids=["one time", "a time a row"])
def test_without_gradients_the_mlp_saves_memory_but_gives_the_same_and_leaves_its_input_alone(t):
    network, x = stirred(ResidualMLP(5, 16, 2)), torch.randn(2, 3, 4, 5)
    before, with_gradients = x.clone(), network(x, t)
    assert with_gradients.requires_grad
    with torch.inference_mode():
        without = network(x, t)
    assert torch.equal(without, with_gradients)
    assert torch.equal(x, before)


@pytest.mark.parametrize("shape", [(5,), (7, 5), (2, 3, 4, 5)])
@pytest.mark.parametrize("start, end, n", [(0.0, 1.0, 1), (0.0, 1.0, 4), (1.0, 0.2, 7)])
def test_the_end_of_eulers_steps_is_known_without_making_x_between_them(shape, start, end, n):
    network, x = stirred(ResidualMLP(5, 16, 3)).double(), torch.randn(shape, dtype=torch.float64)
    times, before = torch.linspace(start, end, n + 1, dtype=torch.float64), x.clone()
    expected = x
    for t, t_next in pairwise(times):
        expected = expected + (t_next - t) * network(expected, t)
    assert (expected - x).abs().max() > 0.1
    assert torch.allclose(network.euler_end(x, times), expected, rtol=1e-10, atol=1e-10)
    assert torch.equal(x, before)
    with pytest.raises(FlowError, match="built for 5 channels"):
        network.euler_end(torch.zeros(3, 4), times)


@pytest.mark.parametrize("n", [1, 4])
def test_products_in_bfloat16_end_near_those_in_full_and_keep_the_type_of_x(n):
    """Its numbers are off by up to 2^-9 of themselves, so an end is off by a small share of the way there; never by
    as much as nothing is off.
    """
    network, x = stirred(ResidualMLP(48, 64, 3)), torch.randn(500, 48)
    times = torch.linspace(0, 1, n + 1)
    full, rounded = network.euler_end(x, times), network.euler_end(x, times, torch.bfloat16)
    assert rounded.dtype == torch.float32
    error = (rounded - full).norm(dim=-1) / (full - x).norm(dim=-1)
    assert 1e-5 < error.max() < 0.02
    exact = network.double().euler_end(x.double(), times.double())
    assert (full - exact).norm(dim=-1).max() < 0.01 * (rounded - exact).norm(dim=-1).max(), (
        "without a type nothing is rounded"
    )


def test_integrating_without_gradients_asks_for_the_end_and_takes_the_steps_only_to_say_where_they_break():
    network, x, calls = stirred(ResidualMLP(5, 16, 2)), torch.randn(6, 5), []
    with torch.no_grad():
        stepped = integrate(lambda x_t, t: network(x_t, t), x, 4)
        network.register_forward_pre_hook(lambda module, arguments: calls.append(arguments[1].item()))
        assert torch.allclose(integrate(network, x, 4), stepped, atol=1e-5)
        assert calls == []
        integrate(network, x, 2, "heun")
        assert calls == [0.0, 0.5, 0.5, 1.0]
        with torch.autocast("cpu", torch.bfloat16):
            integrate(network, x, 2)
        assert calls[4:] == [0.0, 0.5], "rounded to half, one matrix is not the other two"
        network.skip.weight.fill_(1e30)
        with pytest.raises(FlowError, match="not finite at step 2 of 3"):
            integrate(network, x, 3)


def test_the_unet_sees_the_neighbourhood():
    network, x = stirred(UNet(5, 8)), torch.randn(1, 8, 8, 5)
    changed = x.clone()
    changed[0, 0, 0] += 1
    assert (network(x, 0.3) - network(changed, 0.3))[0, 5, 5].abs().max() > 1e-4


@pytest.mark.parametrize("grid", [(8, 8), (7, 5), (1, 1), (3, 10)])
def test_the_unet_takes_grids_of_any_size(grid):
    assert stirred(UNet(5, 8))(torch.randn(2, *grid, 5), 0.5).shape == (2, *grid, 5)


def test_the_unet_of_the_paper_has_about_21_million_parameters():
    with torch.device("meta"):  # counts without filling them
        assert n_parameters(UNet(1024, 128)) == pytest.approx(21e6, rel=0.05)


def test_the_default_mlp_stays_below_a_million_and_a_half_parameters():
    """What a processor trains on in a minute."""
    with torch.device("meta"):
        assert n_parameters(ResidualMLP(384, 512, 3)) < 1.5e6


@pytest.mark.parametrize(
    "changes, kind", [({}, ResidualMLP), ({"network": "unet", "batch_size": 8, "group_size": 8}, UNet)]
)
def test_weights_depend_on_the_seed_alone(changes, kind):
    first, again, other = (
        build_velocity(settings_from("fast", {"width": 16, "seed": seed} | changes), 4) for seed in (7, 7, 8)
    )
    assert isinstance(first, kind)
    assert first.training
    same = [torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True)]
    different = [torch.equal(a, b) for a, b in zip(first.parameters(), other.parameters(), strict=True)]
    assert all(same)
    assert not all(different)


def test_building_a_network_leaves_the_global_random_state_alone():
    before = torch.get_rng_state()
    build_velocity(settings_from("fast", {"width": 16}), 4)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("make", [lambda: ResidualMLP(4, 16, 2), lambda: UNet(4, 8)], ids=["mlp", "unet"])
def test_every_parameter_receives_a_gradient(make):
    network = make()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.05)
    network(torch.randn(4, 4, 4, 4), torch.rand(4)).square().mean().backward()
    silent = [
        name
        for name, parameter in network.named_parameters()
        if parameter.grad is None or not parameter.grad.abs().sum() > 0
    ]
    assert silent == []


@pytest.mark.parametrize("make", [lambda: ResidualMLP(4, 16, 2), lambda: UNet(4, 8)], ids=["mlp", "unet"])
def test_bfloat16_autocast_changes_little_and_keeps_float32(make):
    network, x = stirred(make()), torch.randn(2, 4, 4, 4)
    full = network(x, torch.tensor([0.2, 0.7]))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = network(x, torch.tensor([0.2, 0.7])).float()
    assert (half - full).abs().max() < 0.05 * full.abs().max()


def distance_to_truth(network, mean, std, t):
    """Root mean square error of v on the path, as a share of the spread of the exact v."""
    generator = torch.Generator().manual_seed(1)
    noise, z = torch.randn(2, 2000, 2, generator=generator)
    x_t = interpolate(mean + std * z, noise, t)
    truth = torch.from_numpy(exact.gaussian_velocity(x_t.numpy(), t, mean.numpy(), std)).float()
    with torch.no_grad():
        return ((network(x_t, t) - truth).square().mean().sqrt() / truth.std(0).mean()).item()


def test_a_trained_mlp_approaches_the_closed_form():
    """Gaussian data of spread 0.5 away from the origin: from an error as large as v itself to a fifth of its spread."""
    mean, std, times = torch.tensor([1.0, -0.5]), 0.5, (0.0, 0.3, 0.5, 0.9)
    network = build_velocity(settings_from("fast", {"width": 32, "depth": 2}), 2)
    assert max(distance_to_truth(network, mean, std, t) for t in times) > 1
    optimiser = torch.optim.Adam(network.parameters(), 1e-2)
    generator = torch.Generator().manual_seed(0)
    for step in range(400):
        optimiser.param_groups[0]["lr"] = 1e-2 * (1 - step / 400)
        noise, z = torch.randn(2, 512, 2, generator=generator)
        data, t = mean + std * z, torch.rand(512, generator=generator)
        loss = (network(interpolate(data, noise, t), t) - target_velocity(data, noise)).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert max(distance_to_truth(network, mean, std, t) for t in times) < 0.2


@pytest.mark.parametrize(
    "network, x, t, message",
    [
        (ResidualMLP(4, 8, 1), torch.zeros(3, 5), 0.1, "built for 4 channels"),
        (ResidualMLP(4, 8, 1), torch.zeros(3, 4), torch.zeros(2), r"Times of shape \(2,\)"),
        (UNet(4, 8), torch.zeros(2, 4, 4, 5), 0.1, "built for 4 channels"),
        (UNet(4, 8), torch.zeros(2, 4), 0.1, "expects grids"),
        (UNet(4, 8), torch.zeros(2, 4, 4, 4), torch.zeros(3), r"Times of shape \(3,\)"),
    ],
)
def test_features_that_do_not_fit_are_refused(network, x, t, message):
    with pytest.raises(FlowError, match=message):
        network(x, t)


def test_features_without_channels_have_no_network():
    with pytest.raises(FlowError, match="0 channels"):
        build_velocity(settings_from("fast"), 0)
