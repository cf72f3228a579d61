"""A full disk, and a store that may only be read: what is shown, what is said, and what is started."""

import errno
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from run_folders import tiny_settings, train_here, write_tiny_category
from waiting import wait_until

from wtflow.errors import DiskFullError, ReadOnlyError, StoreError
from wtflow.jobs import processes, train_worker, trainings
from wtflow.records.core import RunStatus
from wtflow.store import derived, files, layout
from wtflow.store.features import FeatureCache
from wtflow.store.runs import RunStore


@pytest.fixture
def place(tmp_path) -> tuple[RunStore, Path]:
    return RunStore(tmp_path / "runs"), write_tiny_category(tmp_path / "data")


@pytest.fixture
def launched(monkeypatch) -> list[psutil.Process]:
    """The processes started in a test; they only sleep."""
    begun, really = [], subprocess.Popen

    def popen(command, **options):
        child = really([sys.executable, "-c", "import time; time.sleep(60)"], **options)
        begun.append(psutil.Process(child.pid))
        return child

    monkeypatch.setattr(processes.subprocess, "Popen", popen)
    yield begun
    for process in begun:
        if process.is_running():
            process.kill()
    wait_until(lambda: (processes.reap(), not any(process.is_running() for process in begun))[1])


def fill(monkeypatch, *names: str) -> None:
    """From now on no file with one of these names can be written; without names none at all."""
    really = Path.open

    def opened(self, mode="r", *rest, **more):
        is_meant = not names or any(name in self.name for name in names)
        if is_meant and set(mode) & set("wxa"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return really(self, mode, *rest, **more)

    monkeypatch.setattr(Path, "open", opened)


def test_on_a_full_disk_no_look_at_the_runs_starts_a_process_and_the_list_says_why_a_run_waits(
    place, launched, monkeypatch
):
    store, root = place
    run_id = store.create(root, "plate", tiny_settings())
    with monkeypatch.context() as full:
        fill(full)
        full.setattr(processes.shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(1, 1, 0))
        for _ in range(3):
            trainings.reconcile(store)
            (line,) = trainings.live_summaries(store)
            assert line.status.state == "queued"
            assert "is full" in line.status.message
            assert "Free some space" in line.status.fix
    assert launched == []
    trainings.reconcile(store)
    trainings.reconcile(store)
    assert len(launched) == 1, "with space it starts, once"
    assert trainings.live_status(store, run_id).state == "running"


def test_a_process_that_could_not_be_written_down_is_ended(place, launched, monkeypatch):
    store, root = place
    store.create(root, "plate", tiny_settings())
    really = RunStore.write_status

    def write_status(self, run_id, status):
        if status.state == "running":
            raise DiskFullError("full", fix="Free some space.")
        really(self, run_id, status)

    monkeypatch.setattr(RunStore, "write_status", write_status)
    for _ in range(3):
        trainings.reconcile(store)
    assert not any(process.is_running() for process in launched)


def failing_worker(store: RunStore, run_id: str, monkeypatch, error: Exception) -> int:
    """The exit code of a worker, run in this process, whose stages raise `error`."""

    def run_stages(*_):
        raise error

    monkeypatch.setattr(train_worker, "run_stages", run_stages)
    monkeypatch.setattr(train_worker, "RunStore", lambda: store)
    monkeypatch.setattr(processes, "give_way", lambda *_: None)
    return train_worker.main([run_id])


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "x"), DiskFullError("No space left.", fix="Free some space.")])
def test_the_status_of_a_run_that_ran_out_of_space_says_so_even_where_the_log_cannot(place, monkeypatch, error):
    store, root = place
    run_id = store.create(root, "plate", tiny_settings())

    def say(text):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(train_worker, "say", say)
    assert failing_worker(store, run_id, monkeypatch, error) == 1
    status = trainings.live_status(store, run_id)
    assert status.state == "failed"
    assert "space" in status.message.lower()
    assert "Free some space" in status.fix


def test_where_no_status_can_be_written_either_the_exit_code_tells(place, monkeypatch):
    store, root = place
    run_id = store.create(root, "plate", tiny_settings())
    monkeypatch.setattr(trainings, "end_without_results", _raise_full)
    code = failing_worker(store, run_id, monkeypatch, DiskFullError("full", fix="free"))
    assert code == processes.ENDED_WITHOUT_ROOM
    monkeypatch.setattr(processes, "_EXIT_CODES", {2**30: code})
    store.write_status(run_id, RunStatus(state="running", pid=2**30, pid_created=1.0, heartbeat=1.0))
    status = trainings.live_status(store, run_id)
    assert status.state == "lost"
    assert "No space was left" in status.message


def test_a_worker_that_may_not_write_how_it_ended_ends_without_a_traceback(place, monkeypatch, capfd):
    store, root = place
    run_id = store.create(root, "plate", tiny_settings())

    def refuse(*_):
        raise ReadOnlyError("read-only", fix="Choose another folder.")

    monkeypatch.setattr(trainings, "end_without_results", refuse)
    assert failing_worker(store, run_id, monkeypatch, ReadOnlyError("notes cannot be written", fix="")) == 1
    assert "notes cannot be written" in capfd.readouterr().out


def _raise_full(*_):
    raise DiskFullError("full", fix="free")


@pytest.mark.parametrize(
    "code, free, words",
    [
        (-signal.SIGKILL, 10**9, "SIGKILL"),
        (None, 1000, "is full"),
        (None, 10**9, "killed, the disk was full, or the computer was restarted"),
        (1, 10**9, "ended without a message"),
    ],
)
def test_what_is_not_known_about_an_end_is_not_claimed(tmp_path, monkeypatch, code, free, words):
    monkeypatch.setattr(processes, "_EXIT_CODES", {} if code is None else {17: code})
    monkeypatch.setattr(processes.shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(1, 1, free))
    assert words in processes.why_it_ended(17, tmp_path)[0]


def test_a_small_disk_that_fills_up_leaves_room_for_the_last_status(tmp_path, place, monkeypatch):
    """A real file system, filled to the last byte once the worker has the run."""
    _, root = place
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("mounting a small file system needs root")
    try:
        store = RunStore(disk / "runs")
        run_id = store.create(root, "plate", tiny_settings())

        def fill_up(*_):
            with (disk / "filling").open("wb") as file:
                while True:
                    file.write(bytes(512))
                    file.flush()

        monkeypatch.setattr(train_worker, "run_stages", fill_up)
        monkeypatch.setattr(train_worker, "RunStore", lambda: store)
        monkeypatch.setattr(processes, "give_way", lambda *_: None)
        assert train_worker.main([run_id]) == 1
        assert "No space" in store.status(run_id).message
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


# -- read-only ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def read_only(monkeypatch):
    """Makes a folder refuse every change, as a read-only disk does. Returns that function."""

    def refuse(home: Path) -> None:
        def guarded(call, *, at: int = 0):
            def changed(*args, **options):
                if str(args[at]).startswith(str(home)):
                    raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(args[at]))
                return call(*args, **options)

            return changed

        for name in ("mkdir", "unlink", "rename", "replace", "rmdir", "utime"):
            monkeypatch.setattr(os, name, guarded(getattr(os, name)))
        really, os_open = Path.open, os.open

        def opened(self, mode="r", *rest, **more):
            if set(mode) & set("wxa+") and str(self).startswith(str(home)):
                raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(self))
            return really(self, mode, *rest, **more)

        def low(path, flags, *rest, **more):
            if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) and str(path).startswith(str(home)):
                raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))
            return os_open(path, flags, *rest, **more)

        monkeypatch.setattr(Path, "open", opened)
        monkeypatch.setattr(os, "open", low)
        may = os.access
        monkeypatch.setattr(os, "access", lambda path, how: may(path, how) and not (how & os.W_OK and path == home))

    return refuse


def test_a_store_that_may_only_be_read_shows_everything_and_refuses_changes_in_a_sentence(
    place, read_only, monkeypatch
):
    from typer.testing import CliRunner

    from wtflow.cli.app import app

    store, root = place
    run_id = train_here(store, root)
    store.create(root, "plate", tiny_settings())
    monkeypatch.setenv("WTFLOW_HOME", str(store.home))
    read_only(store.home)
    trainings.reconcile(store)
    waiting, finished = trainings.live_summaries(store)
    assert (waiting.status.state, finished.status.state) == ("queued", "finished")
    assert "may not be written" in waiting.status.message

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, words)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.output

    assert run("runs")[0] == 0
    assert run_id in run("runs")[1]
    assert run("evaluate", run_id)[0] == 0, "its features are in the cache"
    assert run("cache")[0] == 0
    assert run("check", str(root))[0] == 0
    assert run("export", run_id, "--zip", str(store.home.parent / "a.zip"))[0] == 0
    assert run("report", run_id, "--out", str(store.home.parent / "a.html"))[0] == 0
    for words in (
        ("evaluate", run_id, "--keep"),
        ("cache", "--clear"),
        ("train", str(root), "plate"),
        ("resume", waiting.run_id),
        ("check", str(root), "--good", "spot"),
    ):
        code, said = run(*words)
        assert code == 2, words
        assert "read-only" in said


def test_what_cannot_be_kept_with_a_run_is_kept_in_memory(tmp_path, read_only):
    store = RunStore(tmp_path / "runs")
    run_id = store.create(Path("/data"), "plate", tiny_settings())
    path = derived.path_of(store, run_id, "facts", "0" * 16)
    read_only(store.home)
    derived.write(path, {}, {"a": 1})
    assert derived.read(path) == ({}, {"a": 1})
    with pytest.raises(ReadOnlyError):
        files.write_json(path, {})
    with pytest.raises(StoreError), FeatureCache(store.home).writer("key", (1, 1, 1, 1)):
        pass
    assert not (store.folder(run_id) / layout.DERIVED).exists()
