"""Derived files: a name that covers what they depend on, and a file that is right or absent."""

import os
import time

import numpy as np
import pytest
from hand_made_runs import write_finished_run
from run_folders import tiny_settings

from wtflow.datasets.stamps import stamp_of
from wtflow.errors import DiskFullError, RunNotFoundError, StoreError
from wtflow.store import derived, layout
from wtflow.store.files import write_array
from wtflow.store.runs import RunStore


@pytest.fixture
def place(tmp_path):
    store = RunStore(tmp_path / "runs")
    run_id = write_finished_run(store, tiny_settings())
    (store.folder(run_id) / "checkpoints").mkdir()
    (store.folder(run_id) / layout.CHECKPOINT).write_bytes(b"weights")
    return store, run_id


def path_in(place, key="a1"):
    return derived.path_of(*place, "travel", key)


def test_what_is_written_comes_back_with_its_types(place):
    arrays = {
        "x": np.arange(6, dtype=np.float32).reshape(2, 3),
        "names": np.array(["good", "Kratzer ü"]),
        "empty": np.zeros((0, 2), np.int32),
    }
    facts = {"n": 3, "share": 0.25, "nothing": None, "words": ["a", "ü"]}
    derived.write(path_in(place), arrays, facts)
    found, values = derived.read(path_in(place))
    assert values == facts
    assert found.keys() == arrays.keys()
    assert all(
        found[name].dtype == values.dtype and np.array_equal(found[name], values) for name, values in arrays.items()
    )
    assert path_in(place).parent == place[0].folder(place[1]) / "derived"


def test_an_absent_file_is_none_and_leaves_no_folder(place):
    assert derived.read(path_in(place)) is None
    assert not path_in(place).parent.exists()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-40]),
        lambda path: path.write_bytes(path.read_bytes()[:100] + b"\0" * 60 + path.read_bytes()[160:]),
        lambda path: path.write_bytes(np.random.default_rng(0).bytes(500)),
        lambda path: np.savez(path, x=np.ones(3)),
        lambda path: np.savez(path, facts=np.array("{not json")),
        lambda path: np.savez(path, facts=np.array({"a": 1}, object)),
        lambda path: write_array(path, np.ones(3)),
    ],
    ids=["empty", "cut off", "bits lost", "garbage", "no facts", "facts no JSON", "pickled", "a single array"],
)
def test_a_file_that_is_not_sound_counts_as_absent_and_is_removed(place, spoil):
    """Removed, because whoever sees the file waits for nothing and computes nothing."""
    path = path_in(place)
    derived.write(path, {"x": np.arange(100.0)}, {})
    spoil(path)
    assert derived.read(path) is None
    assert not path.exists()


def test_reading_leaves_the_time_of_writing_by_which_caches_know_a_file(place):
    path = path_in(place)
    derived.write(path, {"x": np.ones(2)}, {})
    os.utime(path, (1000, 1000))
    derived.read(path)
    assert path.stat().st_mtime == 1000


def test_a_file_that_was_used_lately_is_not_touched_so_that_caches_know_it_again(place):
    path = path_in(place)
    derived.write(path, {"x": np.ones(2)}, {})
    before = stamp_of(path.stat())
    derived.read(path)
    derived.read(path)
    assert stamp_of(path.stat()) == before


def test_beyond_the_limit_the_files_unused_for_longest_go_first(place, monkeypatch):
    for name in ("a", "b", "c"):
        derived.write(path_in(place, name), {"x": np.zeros(1000)}, {})
    for age, name in enumerate(("c", "a", "b")):
        os.utime(path_in(place, name), (1000 - age, 1000 + age))  # written in the opposite order of use
    derived.read(path_in(place, "b"))  # used now, so the order from stale to fresh is a, c, b
    monkeypatch.setattr(derived, "LIMIT_BYTES", 30_000)
    derived.write(path_in(place, "d"), {"x": np.zeros(1000)}, {})
    assert sorted(path.stem for path in path_in(place).parent.glob("*.npz")) == ["travel-b", "travel-c", "travel-d"]
    later = path_in(place, "b").stat().st_atime + 1
    os.utime(
        path_in(place, "d"), (later, later)
    )  # a file system's clock moves in steps: written within the same one, d may look older than b
    derived.write(path_in(place, "e"), {"x": np.zeros(2000)}, {})
    assert sorted(path.stem for path in path_in(place).parent.glob("*.npz")) == ["travel-d", "travel-e"]


def test_the_fingerprint_changes_with_what_is_asked_and_with_the_runs_files_alone(place):
    store, run_id = place
    seen = {derived.fingerprint(store, run_id, params) for params in ({"n": 1}, {"n": 2}, {"m": 1}, {})}
    assert len(seen) == 4
    first = derived.fingerprint(store, run_id, {"n": 1, "m": 2})
    assert derived.fingerprint(store, run_id, {"m": 2, "n": 1}) == first, "the order of the parameters means nothing"
    derived.write(path_in(place), {"x": np.ones(2)}, {})
    store.write_status(run_id, store.status(run_id))
    assert derived.fingerprint(store, run_id, {"n": 1, "m": 2}) == first
    seen = {first}
    for name in (layout.CHECKPOINT, layout.SCORES, layout.MAPS):
        path = store.folder(run_id) / name
        os.utime(path, (time.time() + 10, time.time() + 10))
        seen.add(derived.fingerprint(store, run_id, {"n": 1, "m": 2}))
    (store.folder(run_id) / layout.CHECKPOINT).unlink()
    seen.add(derived.fingerprint(store, run_id, {"n": 1, "m": 2}))
    assert len(seen) == 5


@pytest.mark.parametrize(
    ("what", "key"),
    [("../travel", "a1"), ("travel", "../a1"), ("travel", ""), ("a/b", "a1"), ("travel", "a" * 65), ("", "a1")],
)
def test_names_that_leave_the_folder_are_refused(place, what, key):
    with pytest.raises(StoreError, match="not the name of a result"):
        derived.path_of(*place, what, key)


def test_an_unknown_run_is_named(place):
    store, unknown = place[0], "20200101-000000-x"
    for ask in (
        lambda: derived.path_of(store, unknown, "travel", "a"),
        lambda: derived.fingerprint(store, unknown, {}),
    ):
        with pytest.raises(RunNotFoundError, match="no run '20200101-000000-x'"):
            ask()


def test_a_full_disk_is_a_sentence_and_leaves_nothing_half_written(place, monkeypatch):
    def full(file, **arrays):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(DiskFullError, match="No space left"):
        derived.write(path_in(place), {"x": np.ones(2)}, {})
    assert list(path_in(place).parent.iterdir()) == []


def test_numbers_that_json_does_not_know_are_refused_before_anything_is_written(place):
    with pytest.raises(ValueError, match="JSON"):
        derived.write(path_in(place), {}, {"value": float("nan")})
    assert not path_in(place).exists()


def test_reading_again_and_again_leaves_a_file_the_same_for_caches(place):
    """Their stamps hold the time at which a file's facts changed: marking each use would make each a new file."""
    path = path_in(place)
    derived.write(path, {"x": np.ones(2)}, {})
    os.utime(path, (1000, 1000))
    derived.read(path)
    before = stamp_of(path.stat())
    derived.read(path)
    assert stamp_of(path.stat()) == before
