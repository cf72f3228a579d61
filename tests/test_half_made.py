"""What is made of several files is there as a whole or not at all, wherever its process is killed."""

import os
import signal
from pathlib import Path

import pytest
from faults.places import INDEX
from run_folders import tiny_settings

from wtflow.inspecting import tasks
from wtflow.jobs import tidying, trainings
from wtflow.store import files, inspections
from wtflow.store.datasets import create_set, set_names
from wtflow.store.runs import RunStore

MAKE = {
    "run": lambda store: store.create(Path("/data"), "plate", tiny_settings()),
    "inspection": lambda store: tasks.create(store, "d.wtf", [], uploads=[("a.png", b"a"), ("b.png", b"b")]),
    "data set": lambda store: create_set(store, "plates"),
}


def listed(store: RunStore) -> list:
    found = [one.problem for one in trainings.live_summaries(store)]
    return [*found, *(one.problem for one in tasks.look_all(store)), *set_names(store)]


def killed_at(store: RunStore, make, number: int) -> bool:
    """Whether the process died: at its so many-th file, once the file is there."""
    pid = os.fork()
    if pid == 0:
        write, n = files.write_atomic, 0

        def counted(path, *rest, **more):
            nonlocal n
            write(path, *rest, **more)
            n += 1
            if n == number:
                os.kill(os.getpid(), signal.SIGKILL)

        files.write_atomic = inspections.write_atomic = counted
        make(store)
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(pid, 0)[1])


@pytest.mark.parametrize("kind", MAKE)
def test_killed_while_it_is_made_it_is_not_listed_and_nothing_of_it_stays(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(tidying, "_TIDY_AT", {})
    monkeypatch.setattr(trainings, "_advance", lambda *_: None)
    store = RunStore(tmp_path / "runs")
    store.home.mkdir()
    n = 1
    while killed_at(store, MAKE[kind], n):
        assert listed(store) == [], f"killed after {n} files"
        n += 1
    assert n > (1 if kind == "data set" else 2)
    assert len(listed(store)) == 1, "and made whole it is there, once"
    tidying._TIDY_AT.clear()
    trainings.reconcile(store)
    assert [path.name for path in store.home.rglob(".*") if path.name not in (".lock", *INDEX)] == []


def test_runs_made_in_one_second_have_folders_of_their_own(tmp_path):
    store = RunStore(tmp_path / "runs")
    made = [store.create(Path("/data"), "plate", tiny_settings()) for _ in range(2)]
    assert len(set(made)) == 2
    assert sorted(store.ids()) == sorted(made)
    assert [store.config(one).run_id for one in made] == made
