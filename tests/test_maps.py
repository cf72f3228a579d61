import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - the name everyone knows

from wtflow.errors import FlowError
from wtflow.scoring.pixels import image_scores, upsample


@pytest.mark.parametrize(
    "grid, size_px",
    [
        ((32, 32), 256),
        ((8, 8), 100),
        ((5, 7), 16),
        ((1, 1), 4),
        ((9, 9), 9),
        ((16, 16), 7),
        ((4, 20), (64, 320)),
        ((9, 3), (31, 100)),
    ],
)
def test_upsampling_is_torch_bilinear_with_corners_not_aligned(grid, size_px):
    maps = np.random.default_rng(0).chisquare(5, (3, *grid)).astype(np.float32)
    expected = F.interpolate(torch.from_numpy(maps)[:, None], size=size_px, mode="bilinear", align_corners=False)[:, 0]
    large = upsample(maps, size_px, "endpoint")
    assert large.dtype == np.float32
    np.testing.assert_allclose(large, expected.numpy(), rtol=1e-5, atol=1e-6)


def test_twice_the_size_is_worked_by_hand():
    """Centres of the output lie a quarter beside those of the input; the rim is held."""
    large = upsample(np.array([[[0.0, 4.0], [0.0, 4.0]]]), 4, "deviation")
    assert large[0].tolist() == [[0.0, 1.0, 3.0, 4.0]] * 4


def test_stored_half_precision_maps_are_taken():
    maps = np.full((1, 2, 2), 3.0, np.float16)
    assert upsample(maps, 4, "endpoint").tolist() == [[[3.0] * 4] * 4]


def test_relative_is_zero_at_the_best_pixel_of_every_image_and_below_one():
    maps = np.random.default_rng(1).chisquare(5, (3, 6, 6))
    relative = upsample(maps, 24, "relative")
    assert relative.min(axis=(1, 2)).tolist() == [0, 0, 0]
    assert relative.max() < 1


def test_relative_is_worked_by_hand():
    maps = np.array([[[0.0, np.log(2)]]])
    np.testing.assert_allclose(upsample(maps, 1, "relative"), [[[0.0]]])
    np.testing.assert_allclose(upsample(np.tile(maps, (1, 2, 1)), 2, "relative"), [[[0.0, 0.5]] * 2], rtol=1e-6)


def test_a_defect_that_covers_everything_vanishes_from_the_relative_map_alone():
    maps = np.full((1, 4, 4), 7.0)
    assert upsample(maps, 8, "relative").max() == 0
    assert upsample(maps, 8, "endpoint").max() == pytest.approx(7)


def test_the_image_score_is_the_mean_of_the_highest_pixels():
    maps = np.arange(200.0).reshape(2, 10, 10)
    assert image_scores(maps, 0.03).tolist() == [98.0, 198.0]
    assert image_scores(maps, 1.0).tolist() == [49.5, 149.5]


@pytest.mark.parametrize("fraction", [0, 0.001, 0.019])
def test_at_least_one_pixel_counts(fraction):
    assert image_scores(np.arange(100.0).reshape(1, 10, 10), fraction).tolist() == [99.0]


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: upsample(np.zeros((4, 4)), 8, "endpoint"), "Cannot bring maps"),
        (lambda: upsample(np.zeros((1, 4, 4)), 0, "endpoint"), "Cannot bring maps"),
        (lambda: image_scores(np.zeros((4, 4)), 0.1), "No image score"),
        (lambda: image_scores(np.zeros((1, 4, 4)), 1.5), "No image score"),
        (lambda: image_scores(np.full((1, 4, 4), np.nan), 0.0), "not finite"),
        (lambda: image_scores(np.full((1, 4, 4), np.nan), 0.5), "not finite"),
    ],
)
def test_maps_that_cannot_be_scored_are_refused(call, message):
    with pytest.raises(FlowError, match=message):
        call()
