"""Images seen at several sizes: features on one grid, a normaliser and a flow for each, maps that add up."""

import numpy as np
import pytest
import torch
from networks import stirred
from run_folders import tiny_settings, train_here, write_tiny_category
from torch.nn.functional import avg_pool2d

from wtflow.config import settings_from
from wtflow.detector.export import export_detector
from wtflow.detector.opened import open_any
from wtflow.detector.score import score_images
from wtflow.errors import BackboneError, FlowError, SettingsError
from wtflow.features.backbone import load_backbone
from wtflow.features.grids import of_all_sizes
from wtflow.flow.integrate import integrate
from wtflow.flow.unrolled import unrolled
from wtflow.flow.velocity import PerSize, build_velocity
from wtflow.results import open_results
from wtflow.scoring.maps import compute_map, endpoint_score, endpoints_by_size
from wtflow.scoring.normalise import fit_normaliser
from wtflow.store.runs import RunStore
from wtflow.studies.by_size import map_by_size
from wtflow.studies.probes import probe
from wtflow.training.pool import position_batches

TWO = {"pool_window": 1, "pool_stride": 1, "smaller_sizes": (32,)}
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sizes")
    store, root = RunStore(folder / "runs"), write_tiny_category(folder / "data")
    return store, train_here(store, root, **TWO)


# -- settings ----------------------------------------------------------------------------------------------------------


def test_sizes_are_read_from_text_and_fall():
    found = settings_from("fast", {"image_size": 512, "smaller_sizes": "128, 256"})
    assert (found.smaller_sizes, found.sizes) == ((256, 128), (512, 256, 128))
    assert "512 and 256 and 128 px" in found.label
    assert settings_from("fast").sizes == (256,) and settings_from("fast", {"smaller_sizes": ""}).smaller_sizes == ()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"smaller_sizes": "100"}, "whole multiple of every smaller size, found 100"),
        ({"smaller_sizes": "256"}, "whole multiple of every smaller size, found 256"),
        ({"smaller_sizes": "128", "tile": "side"}, "one size alone"),
        ({"smaller_sizes": "128,128"}, "different sizes"),
        ({"smaller_sizes": "16"}, "32 pixels or more"),
    ],
)
def test_sizes_that_do_not_go_together_are_refused_with_a_reason(changes, words):
    with pytest.raises(SettingsError, match=words):
        settings_from("fast", changes)


# -- features ----------------------------------------------------------------------------------------------------------


def test_a_smaller_size_is_the_mean_of_whole_squares_on_the_grid_of_the_largest():
    images = torch.rand(2, 3, 16, 16)
    found = of_all_sizes(images, (16, 8), lambda part: avg_pool2d(part, 4))
    torch.testing.assert_close(found[:, :3], avg_pool2d(images, 4))
    torch.testing.assert_close(found[:, 3:, ::2, ::2], avg_pool2d(images, 8))  # a mean of means
    for row, column in ((0, 1), (1, 0), (1, 1)):
        torch.testing.assert_close(found[:, 3:, row::2, column::2], found[:, 3:, ::2, ::2])


def test_grids_that_do_not_lie_on_one_another_are_refused():
    with pytest.raises(BackboneError, match="not 2 times as many"):
        of_all_sizes(torch.rand(1, 3, 12, 12), (12, 6), lambda part: avg_pool2d(part, 4))


def test_features_of_each_size_are_those_of_that_size_alone():
    images = np.random.default_rng(0).random((2, 64, 64, 3), np.float32)
    both = load_backbone(tiny_settings(**TWO))
    alone = load_backbone(tiny_settings(**TWO | {"smaller_sizes": ()}))
    found, n = both.compute(images), alone.channels
    assert (both.channels, found.shape[-1]) == (2 * n, 2 * n)
    np.testing.assert_array_equal(found[..., :n], alone.compute(images))
    reduced = images.reshape(2, 32, 2, 32, 2, 3).mean((2, 4))
    np.testing.assert_allclose(found[:, ::2, ::2, n:], alone.compute(reduced), atol=2e-3)


# -- normaliser, flow, batches -----------------------------------------------------------------------------------------


def test_each_size_has_its_own_components():
    positions = np.random.default_rng(0).normal(size=(500, 6)) @ np.random.default_rng(1).normal(size=(6, 6))
    both = fit_normaliser("pca", positions, 0.5, 2, 2)
    x = torch.from_numpy(positions).float()
    for half, kept in ((slice(0, 3), slice(0, 2)), (slice(3, 6), slice(2, 4))):
        alone = fit_normaliser("pca", positions[:, half], 0.5, 2)
        torch.testing.assert_close(both(x)[:, kept], alone(x[:, half]))
    torch.testing.assert_close(both(x), (x - both.mean) @ both.matrix)


def test_channels_of_one_size_move_without_those_of_the_other():
    settings = tiny_settings(smaller_sizes=(32,), steps=3)
    velocity = stirred(build_velocity(settings, 10))
    assert isinstance(velocity, PerSize)
    x, t = torch.randn(7, 10), torch.tensor(0.3)
    parts = [flow(part, t) for flow, part in zip(velocity.each, x.split(5, -1), strict=True)]
    torch.testing.assert_close(velocity(x, t), torch.cat(parts, -1))
    assert not torch.equal(parts[0], velocity.each[0](x[:, 5:], t)), "the flows differ"
    with torch.no_grad():
        ends = integrate(velocity, x, 3)
        torch.testing.assert_close(unrolled(velocity, 3, "euler")(x), ends)
    steps = x
    for i in range(3):
        steps = steps + velocity(steps, torch.tensor(i / 3)) / 3
    torch.testing.assert_close(ends, steps.detach(), rtol=1e-4, atol=1e-5)
    with pytest.raises(FlowError):
        velocity(torch.zeros(2, 9), t)


def test_the_map_is_the_mean_of_the_sizes_whether_repeated_positions_are_moved_once_or_not():
    settings = tiny_settings(smaller_sizes=(32,), steps=3)
    velocity = stirred(build_velocity(settings, 10))
    small = torch.randn(2, 3, 3, 5).repeat_interleave(2, 1).repeat_interleave(2, 2)
    x = torch.cat([torch.randn(2, 6, 6, 5), small], -1)
    found = compute_map(velocity, x, settings, 0)
    with torch.no_grad():
        plain = endpoint_score(integrate(velocity, x, 3))
        each = endpoints_by_size(velocity, x, settings)
    np.testing.assert_allclose(found, plain.numpy(), rtol=1e-5)
    np.testing.assert_allclose(found, each.mean(0).numpy(), rtol=1e-6)


def test_each_size_draws_positions_and_pairs_of_its_own():
    generator = torch.Generator().manual_seed(0)
    pool = torch.randn(400, 6, generator=generator)
    both = tiny_settings(smaller_sizes=(32,), rarity_power=0.0, batch_size=64, group_size=32)
    alone = both.changed({"smaller_sizes": ()})
    x, noise, t = position_batches(pool, both)(5)
    first, first_noise, _ = position_batches(pool[:, :3], alone)(5)
    torch.testing.assert_close(x[:, :3], first)
    torch.testing.assert_close(noise[:, :3], first_noise)
    rows = [int((pool[:, part] == one[part]).all(1).nonzero()[0]) for part in (slice(0, 3), slice(3, 6)) for one in x]
    assert rows[:64] != rows[64:] and (x.shape, t.shape) == ((64, 6), (64,))
    inner = lambda pairs: float((x * pairs).sum(1).mean())  # noqa: E731
    assert inner(noise) < -0.5 < inner(noise[torch.randperm(64, generator=generator)]), "worst in each size"


# -- a run -------------------------------------------------------------------------------------------------------------


def test_the_parts_of_a_map_add_up_to_it_and_a_probe_agrees(place):
    store, run_id = place
    results = open_results(store, run_id)
    found = map_by_size(store, run_id, 1)
    assert found.sizes == (64, 32)
    np.testing.assert_allclose(found.maps.sum(0), results.maps[1], rtol=1e-4)
    assert not np.allclose(found.maps[0], found.maps[1])
    assert sum(found.shares(2, 3)) == pytest.approx(1.0)
    followed = probe(store, run_id, 1, 2, 3)
    assert followed.score[-1] == pytest.approx(results.maps[1, 2, 3], rel=1e-4)
    assert followed.n_channels == 2 * 192


def test_the_file_of_a_detector_sees_the_same_sizes(place, tmp_path):
    store, run_id = place
    results, path = open_results(store, run_id), tmp_path / "plate.wtf"
    export_detector(store, run_id, path, lambda done, total: None)
    opened = open_any(store, str(path))
    image = results.seen.original(results.table.sample_id[0], results.shape)
    found = score_images(opened, image[None])
    np.testing.assert_allclose(found.maps[0], results.maps[0], rtol=5e-4)  # features in half precision


def test_a_run_of_one_size_has_no_parts(place):
    store, run_id = place
    with pytest.raises(FlowError, match="no parts by size"):
        map_by_size(store, train_here(store, store.config(run_id).root), 0)
