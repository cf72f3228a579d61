"""What killed processes leave is removed, and nothing else."""

import json
import os
import time
from pathlib import Path

import pytest
from run_folders import tiny_settings

from wtflow.jobs import tidying, trainings
from wtflow.records.core import RunStatus
from wtflow.store import layout, leftovers
from wtflow.store.runs import RunStore

DEAD = 2**30
MORE = ("data/plate", "data/plate/originals", "inspections/20260101-000000-x", "corrections/0a-plate", "sweeps/grid")
OLD_S = leftovers.OLD_AFTER_S + 60


@pytest.fixture
def place(tmp_path, monkeypatch) -> tuple[RunStore, str, str]:
    """A store with a stopped and a running run."""
    monkeypatch.setattr(tidying, "_TIDY_AT", {})
    monkeypatch.setattr(tidying, "_LEFT", {})
    store = RunStore(tmp_path / "runs")
    stopped, running = (store.create(Path("/data"), name, tiny_settings()) for name in ("plate", "disc"))
    store.write_status(stopped, RunStatus(state="stopped"))
    store.write_status(running, RunStatus(state="running", pid=os.getpid(), heartbeat=time.time()))
    return store, stopped, running


def put(path: Path, age_s: float = 0.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"half")
    os.utime(path, (time.time() - age_s,) * 2)
    return path


def everything(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file() and not path.name.startswith((".lock", ".index"))}


def test_half_written_files_go_when_they_are_old_wherever_they_lie_and_others_stay(place):
    store, stopped, running = place
    places = ("", ".cache", ".readings", stopped, running)
    inside = ("", "checkpoints", "derived", "derived/small-0a", "tried", "what_ifs")
    folders = [store.home / a for a in places[:3]] + [store.home / a / b for a in places[3:] for b in inside]
    folders += [store.home / name for name in MORE]
    for folder in folders:
        put(folder / "kept.npz", OLD_S)
        put(folder / ".lock-of-somebody", OLD_S)
        put(folder / ".notes.json.0123456g", OLD_S)  # no name that the app gives
    kept = everything(store.home)
    fresh = {put(folder / ".maps.npy.0123abcd") for folder in folders}
    old = {put(folder / ".status.json.deadbeef", OLD_S) for folder in folders}
    assert len(old) == 20
    trainings.reconcile(store)
    assert everything(store.home) == kept | fresh
    put(old.pop(), OLD_S)
    trainings.reconcile(store)
    assert len(everything(store.home)) == len(kept | fresh) + 1, "it is looked for once an hour only"


def test_half_made_and_half_deleted_runs_go_once_their_process_is_gone(place):
    store, *_ = place
    versions, inspected = "data/plate/versions", "inspections"
    names = (
        f".keeping-{DEAD}",
        f".deleted-2026-x-{DEAD}",
        f"data/.deleted-plate-{DEAD}",
        f"{versions}/.making-3-{DEAD}",
    )
    dead = [put(store.home / name / "x" / "a.npy") for name in (*names, f"{inspected}/.deleted-2026-x-{DEAD}")]
    living = (f".keeping-{os.getpid()}", ".keeping-x", f"{versions}/.making-4-{os.getpid()}", f"{versions}/3")
    mine = [put(store.home / name / "b.npy") for name in living]
    trainings.reconcile(store)
    assert not any(path.parents[1].exists() for path in dead)
    assert all(path.exists() for path in mine)


def test_what_a_pass_wrote_goes_when_no_process_has_the_run(place):
    store, stopped, running = place
    for run_id in (stopped, running):
        put(store.folder(run_id) / layout.FRESH / "maps.npy")
        store.keep_reserve(run_id)
    trainings.reconcile(store)
    names = [{path.name for path in store.folder(run_id).iterdir()} for run_id in (stopped, running)]
    assert not {layout.FRESH, layout.RESERVE} & names[0]
    assert {layout.FRESH, layout.RESERVE} <= names[1]


def test_a_worker_that_takes_a_run_removes_what_the_one_before_it_left_at_once(place):
    store, stopped, _ = place
    folder = store.folder(stopped)
    left = [put(folder / ".maps.npy.0123abcd"), put(folder / "checkpoints/.last.safetensors.0123abcd")]
    other = put(folder / "derived/.umap.npz.0123abcd")
    trainings.claim(store, stopped)
    assert not any(path.exists() for path in left)
    assert other.exists(), "a study may be writing it"


def test_a_pass_that_was_complete_takes_its_place_once_nobody_is_at_work_on_the_run(place):
    store, stopped, running = place
    for run_id in (stopped, running):
        fresh = store.folder(run_id) / layout.FRESH
        put(fresh / layout.MAPS)
        (fresh / layout.COMPLETE).write_text(json.dumps({"names": [layout.MAPS]}))
    trainings.reconcile(store)
    assert (store.folder(stopped) / layout.MAPS).read_bytes() == b"half"
    assert not (store.folder(stopped) / layout.FRESH).exists()
    assert (store.folder(running) / layout.FRESH / layout.MAPS).exists(), "its process does it"


def test_an_empty_folder_of_corrections_goes_when_it_is_old_and_no_other(place):
    store, _, _ = place
    old, new, used = (store.home / layout.CORRECTIONS / name for name in ("0a-old", "0b-new", "0c-used"))
    for folder in (old, new, used):
        folder.mkdir(parents=True)
    put(used / "list.json")
    for folder in (old, used):
        os.utime(folder, (time.time() - OLD_S,) * 2)
    trainings.reconcile(store)
    assert [folder.exists() for folder in (old, new, used)] == [False, True, True]
