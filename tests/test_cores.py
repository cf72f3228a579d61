"""Portions side by side: the same results in the same order, one thread of torch each, and no thread left behind."""

import threading

import numpy as np
import pytest
import torch
from networks import stirred
from run_folders import tiny_settings, write_tiny_category
from waiting import PATIENCE_S

from wtflow.config import settings_from
from wtflow.datasets.images import hash_file, load_image
from wtflow.datasets.scan import scan_category
from wtflow.errors import FlowError
from wtflow.features.backbone import load_backbone
from wtflow.features.extract import PORTION, get_features
from wtflow.flow.path import interpolate, target_velocity
from wtflow.flow.velocity import build_velocity
from wtflow.machine.cores import MOST, helpers, n_cores, side_by_side
from wtflow.scoring.detector import Detector
from wtflow.scoring.normalise import fit_normaliser
from wtflow.store.features import FeatureCache
from wtflow.training.loop import FEWEST_ROWS, Trainer

WAIT_S = PATIENCE_S
"""Only a deadlock takes so long."""
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith(("portion", "prepare"))] == []


@pytest.fixture(params=[1, 2, 3])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.mark.parametrize("n_threads", [0, 1, 2, 5])
def test_results_come_in_the_order_of_the_portions(n_threads):
    with side_by_side(n_threads) as each:
        assert each(lambda portion: portion * portion, range(7)) == [portion * portion for portion in range(7)]
        assert each(str, []) == []


def test_portions_are_worked_on_at_the_same_time():
    meeting = threading.Barrier(2, timeout=WAIT_S)
    with side_by_side(2) as each:
        each(lambda portion: meeting.wait(), range(4))


def test_the_first_error_in_order_is_raised_and_the_threads_end():
    def work(portion):
        if portion:
            raise FlowError(f"Portion {portion} is broken.", fix="Nothing helps.")
        return portion

    with pytest.raises(FlowError, match="Portion 1"), side_by_side(2) as each:
        each(work, range(4))


def test_a_helper_has_one_thread_of_torch_and_so_takes_portions_in_turn(threads):
    with helpers(2, "portion") as pool:
        assert pool.submit(n_cores).result() == 1
    assert n_cores() == torch.get_num_threads() == threads


def test_no_more_portions_at_once_than_memory_is_planned_for(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 200)
    assert n_cores() == MOST


# -- what is split -----------------------------------------------------------------------------------------------------


def trainer(n_rows=4 * FEWEST_ROWS, **changes) -> Trainer:
    settings = settings_from(
        "fast", {"width": 16, "depth": 2, "batch_size": n_rows, "group_size": 16, "iterations": 1} | changes
    )
    return Trainer(build_velocity(settings, 5), settings, 1, CPU)


def batch(n_rows):
    generator = torch.Generator().manual_seed(0)
    return (*torch.randn(2, n_rows, 5, generator=generator), torch.rand(n_rows, generator=generator))


@pytest.mark.parametrize("n_rows", [4 * FEWEST_ROWS, 4 * FEWEST_ROWS + 1])
def test_a_batch_in_portions_has_the_loss_and_the_gradient_of_the_whole_batch(threads, n_rows):
    one = trainer(n_rows)
    stirred(one.velocity)
    x_data, x_noise, t = rows = batch(n_rows)
    expected = torch.nn.functional.mse_loss(
        one.velocity(interpolate(x_data, x_noise, t), t), target_velocity(x_data, x_noise)
    )
    expected.backward()
    gradients = [parameter.grad.clone() for parameter in one.velocity.parameters()]
    norm = torch.nn.utils.get_total_norm(gradients)
    losses = []
    one.run(lambda step: rows, lambda step, loss: losses.append(loss))
    assert losses == [pytest.approx(expected.item(), rel=1e-5)]
    for parameter, gradient in zip(one.velocity.parameters(), gradients, strict=True):
        assert torch.allclose(parameter.grad, gradient / max(1.0, norm), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "n_rows", "expected"),
    [({}, 4 * FEWEST_ROWS, 3), ({}, 2 * FEWEST_ROWS, 2), ({}, 32, 1), ({"network": "unet"}, 8, 1)],
)
def test_a_batch_is_split_where_rows_are_many_and_depend_on_no_other(monkeypatch, changes, n_rows, expected):
    monkeypatch.setattr("wtflow.training.loop.n_cores", lambda: 3)
    seen = []
    one = trainer(n_rows, **changes)
    nothing = torch.tensor(0.0), tuple(map(torch.zeros_like, one.velocity.parameters()))
    monkeypatch.setattr(one, "_loss_and_gradients", lambda portion: seen.append(portion) or nothing)
    one.run(lambda step: batch(n_rows), lambda step, loss: None)
    assert sum(share for _, share in seen) == pytest.approx(1)
    assert len(seen) == expected


def test_maps_are_the_same_whether_cores_share_the_images_or_not(threads):
    settings = settings_from("fast", {"width": 16, "depth": 2, "steps": 3})
    features = np.random.default_rng(0).normal(size=(5, 4, 3, 6)).astype(np.float16)
    velocity = stirred(build_velocity(settings, 6))
    detector = Detector(settings, fit_normaliser("pca", features.reshape(-1, 6), 0.5, 0), velocity)
    after, before, _ = detector.maps(features)
    assert after.shape == before.shape == (5, 4, 3)
    for i in range(5):
        alone = detector.maps(features[i : i + 1])
        np.testing.assert_allclose(after[i], alone[0][0], rtol=1e-5)
        np.testing.assert_allclose(before[i], alone[1][0], rtol=1e-5)


def test_features_do_not_depend_on_how_many_cores_share_the_images(tmp_path, threads):
    """Each portion is computed on one thread, whatever their number."""
    samples = scan_category(write_tiny_category(tmp_path / "images", n_train=2 * PORTION + 3), "plate").of("train")
    backbone, cache, seen = load_backbone(tiny_settings()), FeatureCache(tmp_path / "runs"), []
    key = get_features(
        backbone, samples, [hash_file(sample.path) for sample in samples], cache, lambda done, total: seen.append(done)
    )
    assert seen == [PORTION, 2 * PORTION, 2 * PORTION + 3]
    images = np.stack([load_image(sample.path, 64) for sample in samples])
    with helpers(1, "portion") as pool:
        for start in seen[:-1]:
            expected = pool.submit(backbone.compute, images[start : start + PORTION]).result()
            assert np.array_equal(cache.open(key)[start : start + PORTION], expected)
