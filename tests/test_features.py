"""The cache of features: whole files or none, a size limit, reads that stay small, and a key that forgets nothing."""

import errno
import os
import time
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
from run_folders import tiny_settings, write_tiny_category

from wtflow.datasets.images import hash_file
from wtflow.datasets.scan import scan_category
from wtflow.errors import DatasetError, DiskFullError, ImageReadError, SettingsError
from wtflow.store.features import FeatureCache, feature_key

ROW = (2, 2, 4)
ROW_BYTES = 2 * 16


@pytest.fixture
def cache(tmp_path):
    return FeatureCache(tmp_path)


def grids(n, seed=0, shape=ROW):
    return np.random.default_rng(seed).normal(size=(n, *shape)).astype(np.float16)


def write(cache, key, values):
    with cache.writer(key, values.shape) as writer:
        for start in range(0, len(values), 2):
            writer.append(values[start : start + 2])
    return values


# -- the key -----------------------------------------------------------------------------------------------------------

KEY = {"hashes": ["aa", "bb"], "settings": tiny_settings(), "weights_hash": "w", "device": "cpu"}


@pytest.mark.parametrize(
    "change",
    [
        {"hashes": ["aa", "cc"]},
        {"hashes": ["bb", "aa"]},
        {"hashes": ["aa"]},
        {"weights_hash": "x"},
        {"device": "cuda"},
        {"settings": tiny_settings(backbone="resnet34")},
        {"settings": tiny_settings(backbone_args={"drop_rate": 0.5})},
        {"settings": tiny_settings(stages=(1,))},
        {"settings": tiny_settings(image_size=96)},
        {"settings": tiny_settings(padding="reflect")},
        {"settings": tiny_settings(pool_window=1)},
        {"settings": tiny_settings(pool_stride=3)},
        {"settings": tiny_settings(tile="side"), "canvas": (64, 64)},
    ],
)
def test_the_key_changes_with_everything_that_features_depend_on(change):
    assert feature_key(**KEY | change) != feature_key(**KEY)


def test_the_key_stays_the_same_under_settings_that_features_do_not_depend_on():
    other = tiny_settings(width=64, seed=9, score="deviation", coupling="optimal", normalise="channel", steps=7)
    assert feature_key(**KEY | {"settings": other}) == feature_key(**KEY)
    assert feature_key(**KEY) == feature_key(**KEY)


# -- reading and writing -----------------------------------------------------------------------------------------------


def test_features_come_back_bit_for_bit_mapped_and_in_batches(cache):
    values = write(cache, "a", grids(7))
    assert isinstance(cache.open("a"), np.memmap)
    assert np.array_equal(cache.open("a"), values)
    batches = list(cache.batches("a", 3))
    assert [(first, len(part)) for first, part in batches] == [(0, 3), (3, 3), (6, 1)]
    assert np.array_equal(np.concatenate([part for _, part in batches]), values)
    assert cache.used_bytes() == pytest.approx(7 * ROW_BYTES, abs=128)


def test_a_mapped_file_cannot_be_written_by_accident(cache):
    write(cache, "a", grids(2))
    with pytest.raises(ValueError, match="read-only"):
        cache.open("a")[0] = 0


def test_a_file_appears_only_once_it_is_whole(cache):
    values = grids(4)
    with cache.writer("a", values.shape) as writer:
        writer.append(values[:2])
        assert not cache.has("a")
        writer.append(values[2:])
        assert not cache.has("a")
    assert cache.has("a")


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt, ImageReadError("x", fix="y"), OSError(errno.ENOSPC, "No space left")]
)
def test_nothing_stays_behind_when_writing_is_interrupted(cache, error):
    with pytest.raises((KeyboardInterrupt, ImageReadError, DiskFullError)), cache.writer("a", (4, *ROW)) as writer:
        writer.append(grids(2))
        raise error
    assert list(cache.folder.iterdir()) == []


def test_a_file_with_rows_missing_is_never_kept(cache):
    with pytest.raises(ValueError, match="expected 4 rows of features, got 2"), cache.writer("a", (4, *ROW)) as writer:
        writer.append(grids(2))
    assert list(cache.folder.iterdir()) == []


@pytest.mark.parametrize("wrong", [grids(2).astype(np.float32), grids(2, shape=(2, 2, 5))])
def test_features_of_another_type_or_shape_are_refused(cache, wrong):
    with pytest.raises(ValueError, match="expected float16"), cache.writer("a", (2, *ROW)) as writer:
        writer.append(wrong)


@pytest.mark.parametrize("share", [0, 0.05, 0.5, 0.99])
def test_a_file_left_short_by_a_power_cut_counts_as_absent_and_is_written_again(cache, share):
    values = write(cache, "a", grids(50))
    content = cache.path("a").read_bytes()
    cache.path("a").write_bytes(content[: int(share * len(content))])
    assert not cache.has("a")
    write(cache, "a", values)
    assert np.array_equal(cache.open("a"), values)


def test_streaming_reads_hold_one_batch_in_memory_whatever_the_size_of_the_file(cache):
    n, shape = 96, (64, 64, 64)  # 48 MiB in all, 1 MiB a read
    row = grids(1, shape=shape)
    with cache.writer("big", (n, *shape)) as writer:
        for _ in range(n):
            writer.append(row)
    process, highest = psutil.Process(), 0
    next(cache.batches("big", 2))  # whatever a first read loads
    before = process.memory_info().rss
    for _, part in cache.batches("big", 2):
        assert np.array_equal(part[-1], row[0])
        highest = max(highest, process.memory_info().rss - before)
    assert highest < 12 * 2**20


# -- the limit ---------------------------------------------------------------------------------------------------------


def aged(cache, key, age_s):
    then = time.time() - age_s
    os.utime(cache.path(key), (then, then))


def test_the_file_unused_for_longest_goes_first_and_opening_counts_as_use(tmp_path):
    size = 100 * ROW_BYTES + 128
    cache = FeatureCache(tmp_path, limit_gb=3.5 * size / 1e9)
    for age, key in enumerate(("c", "b", "a")):
        write(cache, key, grids(100, age))
        aged(cache, key, 100 * (age + 1))
    cache.open("a")  # the oldest, but used just now
    write(cache, "d", grids(100))
    assert {key for key in "abcd" if cache.has(key)} == {"a", "c", "d"}
    assert cache.used_bytes() <= cache.limit_bytes


def test_features_larger_than_the_whole_limit_are_refused_before_anything_is_evicted(tmp_path):
    cache = FeatureCache(tmp_path, limit_gb=100 * ROW_BYTES / 1e9)
    write(cache, "a", grids(10))
    with pytest.raises(DiskFullError, match="cache may hold") as caught, cache.writer("b", (101, *ROW)):
        pass
    assert "WTFLOW_CACHE_GB" in caught.value.fix
    assert cache.has("a")


def test_what_another_process_is_writing_is_neither_evicted_nor_cleared_until_it_is_an_hour_old(tmp_path):
    cache = FeatureCache(tmp_path, limit_gb=150 * ROW_BYTES / 1e9)
    write(cache, "a", grids(10))
    partial = cache.folder / ".b.12345678"
    partial.write_bytes(bytes(100 * ROW_BYTES))
    cache.clear()
    assert partial.exists()
    assert not cache.has("a")
    write(cache, "c", grids(100))
    assert partial.exists()
    then = time.time() - 3700
    os.utime(partial, (then, then))
    write(cache, "d", grids(100))
    assert not partial.exists(), "a crash left it"


def test_clearing_frees_everything_and_says_how_much(cache):
    assert cache.clear() == 0, "also before the folder exists"
    write(cache, "a", grids(10))
    write(cache, "b", grids(20))
    used = cache.used_bytes()
    assert cache.clear() == used
    assert cache.used_bytes() == 0


def test_the_limit_comes_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("WTFLOW_CACHE_GB", "1.5")
    assert FeatureCache(tmp_path).limit_bytes == 1_500_000_000
    monkeypatch.delenv("WTFLOW_CACHE_GB")
    assert FeatureCache(tmp_path).limit_bytes == 20_000_000_000


@pytest.mark.parametrize("text", ["plenty", "nan", "inf", "-1", "20 GB"])
def test_a_limit_that_is_no_number_is_a_sentence(monkeypatch, tmp_path, text):
    monkeypatch.setenv("WTFLOW_CACHE_GB", text)
    with pytest.raises(SettingsError, match="WTFLOW_CACHE_GB is"):
        FeatureCache(tmp_path)


# -- features of images ------------------------------------------------------------------------------------------------


class MeanColour:
    """Stands for the one expensive call: the "features" of an image are its mean colour on a 2 x 2 grid."""

    weights_hash, device = "w", SimpleNamespace(type="cpu")

    def __init__(self):
        self.settings, self.n_images = tiny_settings(), 0

    def compute(self, images):
        self.n_images += len(images)
        assert len(images) <= 4, "batches stay small"
        return images.reshape(len(images), 2, 32, 2, 32, 3).mean((2, 4)).astype(np.float16)


@pytest.fixture
def samples(tmp_path):
    return scan_category(write_tiny_category(tmp_path / "data"), "plate").of("train")


def test_features_of_a_category_lie_in_the_order_of_its_images_and_are_computed_once(cache, samples):
    from PIL import Image

    from wtflow.features.extract import get_features

    backbone, hashes, seen = MeanColour(), [hash_file(sample.path) for sample in samples], []
    key = get_features(backbone, samples, hashes, cache, lambda *done: seen.append(done))
    expected = [np.asarray(Image.open(sample.path), np.float64).mean() / 255 for sample in samples]
    np.testing.assert_allclose(cache.open(key).mean((1, 2, 3), dtype=np.float64), expected, atol=1e-3)
    assert seen == [(4, 12), (8, 12), (12, 12)]
    computed = backbone.n_images
    assert get_features(backbone, samples, hashes, cache, lambda *done: seen.append(done)) == key
    assert backbone.n_images == computed
    assert seen[-1] == (12, 12)


def hashes_of(samples):
    return [hash_file(sample.path) for sample in samples]


def test_stopping_in_the_middle_leaves_nothing_and_the_next_call_starts_afresh(cache, samples):
    from wtflow.features.extract import get_features

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        get_features(MeanColour(), samples, hashes_of(samples), cache, stop)
    assert list(cache.folder.iterdir()) == []
    key = get_features(MeanColour(), samples, hashes_of(samples), cache, lambda done, total: None)
    assert len(cache.open(key)) == 12


def test_an_image_that_cannot_be_read_is_named_and_nothing_stays(cache, samples):
    from wtflow.features.extract import get_features

    samples[9].path.write_bytes(b"not an image")
    with pytest.raises(ImageReadError, match=samples[9].path.name):
        get_features(MeanColour(), samples, hashes_of(samples), cache, lambda done, total: None)
    assert list(cache.folder.iterdir()) == []


def test_an_image_that_changed_after_it_was_hashed_is_named_and_nothing_stays(cache, samples):
    """Else the features of one picture would lie in the cache under the name of another, for every run to come."""
    from wtflow.features.extract import get_features

    hashes = hashes_of(samples)
    samples[9].path.write_bytes(samples[3].path.read_bytes() + b"x")
    with pytest.raises(DatasetError, match=rf"{samples[9].path.name} has changed"):
        get_features(MeanColour(), samples, hashes, cache, lambda done, total: None)
    assert list(cache.folder.iterdir()) == []


def test_training_and_test_features_that_do_not_fit_together_are_refused_with_the_remedy(tmp_path, monkeypatch):
    """Writing those of the test images evicts those of the training images; resuming would go round in circles."""
    import torch

    from wtflow.datasets.run_images import read_data
    from wtflow.features.extract import compute_features
    from wtflow.store.runs import RunStore

    store, root = RunStore(tmp_path / "runs"), write_tiny_category(tmp_path / "data")
    settings = tiny_settings(pool_stride=1)
    run_id = store.create(root, "plate", settings)
    data = read_data(store.config(run_id), lambda done, total: None)
    monkeypatch.setenv(
        "WTFLOW_CACHE_GB", str(1.2 * 12 * 16 * 16 * 192 * 2 / 1e9)
    )  # 12 training images, room for 2 more
    with pytest.raises(DiskFullError, match="do not fit into the cache"):
        compute_features(store, data, settings, torch.device("cpu"), lambda done, total: None)
