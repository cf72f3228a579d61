"""Work prepared ahead: the same items in the same order, errors where they belong, bounded, and no thread left
behind.
"""

import copy
import threading
from contextlib import closing
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from run_folders import tiny_settings, write_tiny_category
from waiting import PATIENCE_S

from wtflow.config import settings_from
from wtflow.datasets.images import hash_file, load_image
from wtflow.datasets.scan import scan_category
from wtflow.errors import FlowError, ImageReadError
from wtflow.features.backbone import load_backbone
from wtflow.features.extract import BATCH, get_features
from wtflow.flow.velocity import build_velocity
from wtflow.machine import prefetch
from wtflow.machine.prefetch import N_AHEAD, n_helpers, prepared, prepared_ahead, prepared_in_turns
from wtflow.store.features import FeatureCache
from wtflow.training.loop import Trainer
from wtflow.training.pool import position_batches

CPU = torch.device("cpu")
WAIT_S = PATIENCE_S
"""Only a deadlock takes so long."""


def helpers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("prepare")]


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    assert helpers() == []


# -- items -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_threads", [0, 1, 3])
@pytest.mark.parametrize("numbers", [range(0), range(1), range(5, 25)])
def test_every_item_comes_once_and_in_order(n_threads, numbers):
    expected = [number * number for number in numbers]
    assert list(prepared_ahead(lambda number: number * number, numbers, n_threads)) == expected
    assert list(prepared_in_turns(lambda number: number * number, numbers, max(1, n_threads), 2)) == expected


def test_an_item_that_takes_long_is_not_overtaken():
    second_is_done = threading.Event()

    def draw(number):
        if number == 0:
            assert second_is_done.wait(WAIT_S)
        else:
            second_is_done.set()
        return number

    assert list(prepared_ahead(draw, range(4), 2)) == [0, 1, 2, 3]


def test_the_next_item_is_drawn_while_the_caller_is_busy():
    next_is_drawn = threading.Event()

    def draw(number):
        if number == 1:
            next_is_drawn.set()
        return number

    with closing(prepared_ahead(draw, range(9), 1)) as items:
        assert next(items) == 0
        assert next_is_drawn.wait(WAIT_S), "item 1 waits until it is asked for"


def test_without_threads_nothing_is_drawn_before_it_is_asked_for():
    drawn = []
    items = prepared_ahead(lambda number: drawn.append(number), range(9), 0)
    next(items)
    assert drawn == [0]


@pytest.mark.parametrize("n_threads", [1, 2])
def test_no_more_is_drawn_ahead_than_the_bound(n_threads):
    drawn: set[int] = set()
    for number in prepared_ahead(lambda number: drawn.add(number) or number, range(60), n_threads):
        assert max(drawn) <= number + N_AHEAD * n_threads


def test_an_error_comes_out_where_its_item_would_have_come():
    def draw(number):
        if number == 3:
            raise FlowError("Step 3 cannot be drawn.", fix="Nothing helps.")
        return number

    got = []
    with pytest.raises(FlowError, match="Step 3"):
        for number in prepared_ahead(draw, range(9), 1):
            got.append(number)
    assert got == [0, 1, 2]


def test_closing_early_draws_nothing_more():
    drawn = []
    items = prepared_ahead(lambda number: drawn.append(number), range(1000), 1)
    next(items)
    items.close()
    assert helpers() == []
    assert len(drawn) <= 1 + N_AHEAD


def test_helpers_use_one_thread_of_torch_each_and_leave_the_count_of_others_as_it_was():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert set(prepared_ahead(lambda number: torch.get_num_threads(), range(4), 2)) == {1}
        assert torch.get_num_threads() == 2
        later = []
        thread = threading.Thread(target=lambda: later.append(torch.get_num_threads()))
        thread.start()
        thread.join()
        assert later == [2]
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(("cores", "expected"), [(1, 1), (4, 3), (64, 8)])
def test_a_gpu_gets_several_helpers_but_a_core_stays_for_the_thread_that_drives_it(monkeypatch, cores, expected):
    monkeypatch.setattr(prefetch.os, "cpu_count", lambda: cores)
    assert n_helpers() == expected


def test_in_turns_a_turn_is_drawn_side_by_side_and_whole_before_its_first_item_and_no_more():
    meeting, drawn = threading.Barrier(2, timeout=WAIT_S), []

    def draw(number):
        meeting.wait()  # two at a time, or never
        drawn.append(number)
        return number

    for number in prepared_in_turns(draw, range(12), 2, 2):
        assert sorted(drawn) == list(range(4 * (number // 4) + 4))


def test_in_turns_an_error_comes_out_where_its_item_would_have_come_and_the_threads_end():
    def draw(number):
        if number == 5:
            raise FlowError("Step 5 cannot be drawn.", fix="Nothing helps.")
        return number

    got = []
    with pytest.raises(FlowError, match="Step 5"):
        for number in prepared_in_turns(draw, range(12), 2, 2):
            got.append(number)
    assert got == [0, 1, 2, 3, 4]


def test_on_a_cpu_as_many_threads_draw_as_the_network_has_and_on_a_gpu_helpers_draw_ahead(monkeypatch):
    asked = []
    monkeypatch.setattr(
        prefetch,
        "prepared_in_turns",
        lambda draw, numbers, n_threads, n_each: asked.append(("turns", n_threads, n_each)),
    )
    monkeypatch.setattr(prefetch, "prepared_ahead", lambda draw, numbers, n_threads: asked.append(("ahead", n_threads)))
    monkeypatch.setattr(prefetch.os, "cpu_count", lambda: 4)
    monkeypatch.setattr(prefetch.torch, "get_num_threads", lambda: 2)
    prepared(str, range(3), CPU, 5)
    prepared(str, range(3), torch.device("cuda"), 5)
    assert asked == [("turns", 2, 5), ("ahead", 3)]


# -- training ----------------------------------------------------------------------------------------------------------

SETTINGS = settings_from("fast", {"width": 16, "depth": 1, "batch_size": 32, "group_size": 16, "iterations": 30})
POOL = torch.randn(500, 4, generator=torch.Generator().manual_seed(0)).half()


def new_trainer() -> Trainer:
    return Trainer(build_velocity(SETTINGS, 4), SETTINGS, SETTINGS.iterations, CPU)


def weights_of(trainer):
    return copy.deepcopy(trainer.velocity.state_dict())


def trained(n_threads):
    one = new_trainer()
    one.run(position_batches(POOL, SETTINGS), lambda step, loss: None, n_threads)
    return weights_of(one)


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert torch.equal(value, other[name]), name


@pytest.mark.parametrize("n_threads", [1, 3, None])
def test_training_with_batches_prepared_ahead_ends_with_the_same_weights_to_the_last_bit(n_threads):
    assert_same(trained(0), trained(n_threads))


def test_training_in_turns_with_several_threads_ends_with_the_same_weights(monkeypatch):
    turns = []

    def in_turns(draw, numbers, device, n_each):
        turns.append(n_each)
        return prepared_in_turns(draw, numbers, 3, n_each)

    monkeypatch.setattr("wtflow.training.loop.prepared", in_turns)
    assert_same(trained(0), trained(None))
    assert turns == [4]


def test_another_pairing_would_end_elsewhere():
    """Otherwise the test above could not fail."""
    shuffled = new_trainer()
    draw = position_batches(POOL, SETTINGS)
    shuffled.run(lambda step: draw(step ^ 1), lambda step, loss: None, 1)
    assert not all(torch.equal(value, weights_of(shuffled)[name]) for name, value in trained(0).items())


@pytest.mark.parametrize("threads", [(0, 1), (1, 0), (1, 1)])
def test_a_run_stopped_midway_and_restored_ends_with_the_same_weights(threads):
    class StopError(Exception):
        pass

    def stop(step, loss):
        if step == 13:
            raise StopError

    draw, first, second = position_batches(POOL, SETTINGS), new_trainer(), new_trainer()
    with pytest.raises(StopError):
        first.run(draw, stop, threads[0])
    assert helpers() == [], "stopping leaves no thread"
    second.velocity.load_state_dict(weights_of(first))
    second.restore(13, copy.deepcopy(first.optimiser_tensors()))
    second.run(draw, lambda step, loss: None, threads[1])
    assert_same(trained(0), weights_of(second))


def test_an_error_while_drawing_stops_training_before_its_step():
    draw, one = position_batches(POOL, SETTINGS), new_trainer()

    def broken(step):
        if step == 7:
            raise ImageReadError("The features are gone.", fix="Put them back.")
        return draw(step)

    with pytest.raises(ImageReadError, match="gone"):
        one.run(broken, lambda step, loss: None, 1)
    assert one.step == 7


# -- features ----------------------------------------------------------------------------------------------------------


def test_beside_a_gpu_helpers_read_and_the_caller_computes_the_same_features(tmp_path):
    samples = scan_category(write_tiny_category(tmp_path / "images", n_train=2 * BATCH + 3), "plate").of("train")
    hashes = [hash_file(sample.path) for sample in samples]
    backbone, cache, seen, computing = load_backbone(tiny_settings()), FeatureCache(tmp_path / "runs"), [], []

    def compute(images):
        computing.append((threading.current_thread(), len(helpers())))
        return backbone.compute(images)

    beside = SimpleNamespace(
        device=torch.device("cuda"), compute=compute, settings=backbone.settings, weights_hash=backbone.weights_hash
    )
    key = get_features(beside, samples, hashes, cache, lambda done, total: seen.append((done, total)))
    assert seen == [(8, 19), (16, 19), (19, 19)]
    assert {thread for thread, _ in computing} == {threading.main_thread()}
    assert all(n_reading >= 1 for _, n_reading in computing)
    for start in range(0, 19, BATCH):
        images = np.stack([load_image(sample.path, 64) for sample in samples[start : start + BATCH]])
        assert np.array_equal(cache.open(key)[start : start + BATCH], backbone.compute(images))


def test_an_image_that_cannot_be_read_stops_extraction_and_leaves_neither_a_file_nor_a_thread(tmp_path):
    samples = scan_category(write_tiny_category(tmp_path / "images", n_train=20), "plate").of("train")
    samples[17].path.write_bytes(b"no picture")
    hashes = [hash_file(sample.path) for sample in samples]
    cache = FeatureCache(tmp_path / "runs")
    with pytest.raises(ImageReadError, match=samples[17].path.name):
        get_features(load_backbone(tiny_settings()), samples, hashes, cache, lambda done, total: None)
    assert helpers() == []
    assert list(cache.folder.iterdir()) == []
