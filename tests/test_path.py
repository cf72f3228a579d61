import pytest
import torch

from wtflow.errors import FlowError
from wtflow.flow.path import interpolate, spread_time, target_velocity


def test_the_path_starts_at_data_and_ends_at_noise():
    data, noise = torch.randn(2, 5, 3)
    assert torch.equal(interpolate(data, noise, 0.0), data)
    assert torch.equal(interpolate(data, noise, 1.0), noise)


def test_a_quarter_of_the_way_is_worked_by_hand():
    data, noise = torch.tensor([[4.0, 0.0]]), torch.tensor([[0.0, 8.0]])
    assert interpolate(data, noise, 0.25).tolist() == [[3.0, 2.0]]
    assert target_velocity(data, noise).tolist() == [[-4.0, 8.0]]


def test_every_row_of_a_grid_has_its_own_time():
    data, noise = torch.zeros(3, 2, 2, 4), torch.ones(3, 2, 2, 4)
    x_t = interpolate(data, noise, torch.tensor([0.0, 0.5, 1.0]))
    assert torch.equal(x_t[:, 1, 0, 2], torch.tensor([0.0, 0.5, 1.0]))


def test_the_target_is_the_time_derivative_of_the_path():
    data, noise = torch.randn(2, 6, 3, dtype=torch.float64)
    moved = interpolate(data, noise, 0.7) - interpolate(data, noise, 0.2)
    assert torch.allclose(moved, 0.5 * target_velocity(data, noise))


def test_a_time_takes_the_type_of_the_features():
    assert spread_time(0.5, torch.zeros(2, 3, dtype=torch.float64)).dtype == torch.float64
    assert spread_time(torch.tensor([0.1, 0.2], dtype=torch.float64), torch.zeros(2, 3)).dtype == torch.float32


@pytest.mark.parametrize("t", [torch.rand(4), torch.rand(3, 2)])
def test_times_that_fit_no_row_are_refused(t):
    with pytest.raises(FlowError, match=r"Times of shape .* do not fit"):
        interpolate(torch.zeros(3, 2), torch.zeros(3, 2), t)


def test_noise_of_another_shape_is_refused_and_not_broadcast():
    with pytest.raises(FlowError, match="differ"):
        interpolate(torch.zeros(3, 2), torch.zeros(1, 2), 0.5)
    with pytest.raises(FlowError, match="differ"):
        target_velocity(torch.zeros(3, 2), torch.zeros(2))
