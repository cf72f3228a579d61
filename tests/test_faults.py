"""The suite of faults can fail: deliberate mistakes are counted as lost or left behind, and nothing else is."""

import os
import subprocess
import sys
import time

import pytest
from faults import __main__ as runner
from faults import app_killed, broken_images, full_disk
from faults.acts import ACTS, Base, write_base
from faults.forked import HungError, in_child, result_in_child
from faults.outcome import Outcome, Round, check, table
from faults.places import figures, left_in
from run_folders import train_here, write_tiny_category
from waiting import wait_until

from wtflow.datasets import images
from wtflow.errors import ImageReadError
from wtflow.store import files, leftovers
from wtflow.store.runs import RunStore

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="faults are tried on Linux")  # noqa: PTH112


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Base:
    folder = tmp_path_factory.mktemp("base")
    return write_base(folder / "base", folder / "photos")


@pytest.fixture
def this(tmp_path) -> Round:
    return Round("app", tmp_path, seed=1)


def kill_everywhere(this: Round, base: Base, name: str, deaths: int = 24) -> Round:
    act = ACTS[name]
    n_calls, before, after = app_killed.expected(base, act, this.folder)
    for at in range(1, n_calls + 1, max(1, n_calls // deaths)):
        with this.attempt(f"{name} at {at}"):
            this.leave(name, app_killed.kill_once(base, act, at, before, after, this.folder))
    return this


def write_in_place(path, write, **_):
    """What `files.write_atomic` must not be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write(file)


def test_a_store_that_writes_as_it_should_loses_nothing_and_leaves_nothing(this, base):
    kill_everywhere(this, base, "tag")
    assert this.tried > 20
    assert (this.lost, this.left) == ([], [])


def test_a_store_that_writes_in_place_loses(this, base, monkeypatch):
    monkeypatch.setattr(files, "write_atomic", write_in_place)
    kill_everywhere(this, base, "tag", deaths=100)
    assert any("notes.json" in words for words in this.lost), this.lost


def test_half_written_files_that_nobody_removes_are_left_behind(this, base, monkeypatch):
    monkeypatch.setattr(leftovers, "_remove_half_written", lambda folder, older_than_s: None)
    kill_everywhere(this, base, "tag", deaths=100)
    assert this.lost == []
    assert any(".notes.json." in words for words in this.left), this.left


def test_figures_differ_where_one_seed_does_and_agree_bit_for_bit_where_none_does(tmp_path):
    root, store = write_tiny_category(tmp_path / "data"), RunStore(tmp_path / "runs")
    first, second, third = (train_here(store, root, seed=seed) for seed in (0, 0, 1))
    assert figures(store, first) == figures(store, second) != figures(store, third)
    assert left_in(store) == []


def test_a_picture_that_ends_a_reader_with_a_strange_error_is_lost(this, monkeypatch):
    def read(data, name, size):
        raise (ValueError("strange") if len(data) % 2 else ImageReadError("odd", fix="none"))

    monkeypatch.setattr(images, "load_image_bytes", read)
    this.share = 0.02
    broken_images.run(this)
    assert this.tried == 120
    assert 0 < len(this.lost) < 120
    assert all("strange" in words for words in this.lost)


def test_what_hangs_is_ended_and_counted(this):
    with this.attempt("a sleep"):
        result_in_child(lambda: time.sleep(1000), patience_s=0.1)
    assert "HungError" in this.lost[0]
    with pytest.raises(HungError):
        in_child(lambda: time.sleep(1000), patience_s=0.1)


def test_an_error_that_does_not_name_the_full_disk_is_none_for_people():
    full_disk._check_words("No space left while writing notes.json.")
    with pytest.raises(AssertionError):
        full_disk._check_words("[Errno 5] Input/output error")


def test_a_process_that_a_fault_leaves_running_is_found_and_ended():
    child = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"], env=os.environ | {runner.MARK: "this-test"}
    )
    wait_until(lambda: runner._end_marked("this-test"))
    assert child.wait(60) == -9


def test_the_table_counts_and_tells(this):
    with this.attempt("a", "kind"):
        pass
    with this.attempt("b", "kind"):
        check(False, "words")
    this.leave("b", ["file.npy"])
    found = this.outcome(1.0)
    text = table([found, Outcome("ray", skipped="since Ray is not installed.")], runner.TITLES)
    assert "| app killed in mid-write | 2 | 1 | 1 | 1 | 1 |" in text
    assert "| Ray node killed | not tried | - | - | - | - |" in text
    assert "LOST  app: b: AssertionError: words" in text
    assert "LEFT  app: b: file.npy" in text
    assert not found.is_sound
    assert Outcome("ray", skipped="x").is_sound


def test_every_fault_has_a_module_with_a_round():
    import importlib

    for title, module in runner.FAULTS.values():
        assert title
        assert callable(importlib.import_module(f"faults.{module}").run)
