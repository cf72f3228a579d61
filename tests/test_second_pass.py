"""A second pass over a finished run: whatever happens in it, the old results or the new ones open whole."""

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hand_made_runs import plain_metrics, score_table
from run_folders import tiny_settings, train_here, write_tiny_category

from wtflow.errors import DamagedRunError, StoreError, WTFlowError
from wtflow.jobs import trainings
from wtflow.jobs.reporter import Reporter
from wtflow.jobs.train_worker import run_stages
from wtflow.records.core import RunStatus, finished_status
from wtflow.records.edges import EdgeFactors
from wtflow.records.whole import WholeImage
from wtflow.results import open_results
from wtflow.store import layout, passes
from wtflow.store.runs import RunStore

SETTINGS = tiny_settings(edge_quantile=0.9)


def write_pass(store: RunStore, run_id: str, mark: float, *, with_whole: bool) -> None:
    """The writes of a pass in the order of the worker, every file carrying `mark`, and the status last."""
    fresh = passes.begin(store, run_id)
    table = score_table()
    factors = np.full(4, mark, np.float32)
    fresh.write_edges(run_id, EdgeFactors(factors, factors, 3))
    if with_whole:
        fresh.write_whole(run_id, WholeImage(np.full(2, mark, np.float32), np.eye(2, dtype=np.float32), 0.0, 1.0, 90))
    fresh.write_index(run_id, ["train/good/002.png"], np.full((1, 3), mark, np.float32))
    fresh.write_maps(run_id, np.full((len(table), 4, 4), mark, np.float32))
    fresh.write_scores(run_id, table.assign(score=mark))
    passes.publish(fresh, run_id, plain_metrics(mark=mark))
    store.write_status(run_id, finished_status(len(table), "Finished."))


def marks(store: RunStore, run_id: str) -> set[float]:
    """The marks of all results of a run; also says whether the run has a file that its pass did not write."""
    results = open_results(store, run_id)
    found = {results.metrics["mark"], *results.table.score, *np.unique(results.maps)}
    found |= {*np.unique(store.edges(run_id).after), *np.unique(store.index(run_id)[1])}
    if (whole := store.whole(run_id)) is not None:
        found |= {*np.unique(whole.mean)}
    assert (whole is not None) == (layout.WHOLE in store.files_of(run_id))
    store.check_results(run_id)
    return {float(one) for one in found}


def finished_run(home: Path, *, with_whole: bool) -> tuple[RunStore, str]:
    store = RunStore(home)
    run_id = store.create(Path("/data"), "plate", SETTINGS)
    write_pass(store, run_id, 1.0, with_whole=with_whole)
    return store, run_id


def begin_second(store: RunStore, run_id: str) -> None:
    """As `resume` does for a run that has lost a file, and the worker's first status."""
    store.keep_finished(run_id, store.status(run_id))
    store.write_status(run_id, RunStatus(state="running", pid=2**30, pid_created=1.0, heartbeat=1.0))


class Killer:
    """Ends the process right after the n-th call that changes the disk, as kill -9 does; or lets all later ones fail,
    as a full disk does."""

    def __init__(self, n: int, how: str) -> None:
        self.n, self.how = n, how

    def wrapped(self, call):
        def changed(*args, **options):
            self.n -= 1
            if self.n < 0 and self.how == "full disk":
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            try:
                return call(*args, **options)
            finally:
                if self.n == 0 and self.how == "killed":
                    os._exit(9)

        return changed


def run_in_child(killer: Killer, work) -> int:
    """Run `work` in a forked process with every call that changes the disk counted. 0: it came to its end."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            freeing = () if killer.how == "full disk" else ("unlink", "replace", "rename", "rmdir")
            for name in ("mkdir", "open", *freeing):
                setattr(Path, name, killer.wrapped(getattr(Path, name)))
            os.fsync = killer.wrapped(os.fsync)
            if freeing:
                shutil.rmtree = killer.wrapped(shutil.rmtree)
            work()
            code = 0
        except (WTFlowError, OSError):
            pass
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.parametrize("how", ["killed", "full disk"])
@pytest.mark.parametrize("before, after", [pytest.param(True, False, marks=pytest.mark.slow), (False, True)])
def test_wherever_a_second_pass_ends_the_old_or_the_new_results_open_whole_and_the_run_is_finished(
    tmp_path, how, before, after
):
    """`before`, `after`: whether the old and the new pass have a Gaussian of whole images, so that a file comes and
    goes."""
    store, run_id = finished_run(tmp_path / "before", with_whole=before)
    begin_second(store, run_id)
    seen = []
    for n in range(1, 200):
        home = tmp_path / str(n)
        shutil.copytree(tmp_path / "before", home)
        store = RunStore(home)
        code = run_in_child(Killer(n, how), lambda: write_pass(store, run_id, 2.0, with_whole=after))  # noqa: B023
        assert len(found := marks(store, run_id)) == 1, "read by somebody who may not write"
        trainings.reconcile(store)
        status = trainings.live_status(store, run_id)
        assert (status.state, store.status(run_id).state) == ("finished", "finished")
        assert store.summary(run_id).lack in ("", f"{run_id} has no checkpoint. " + _no_checkpoint().fix)
        assert marks(store, run_id) == found
        assert store.finished_before(run_id) is None
        assert not (store.folder(run_id) / layout.FRESH).exists()
        if found == {1.0}:
            assert "results of before are kept" in status.message
        seen += found
        shutil.rmtree(home)
        if code == 0:
            break
    assert code == 0, "every place of a pass was tried"
    assert seen == sorted(seen), "from one moment on it is the new ones"
    assert set(seen) == {1.0, 2.0}


def _no_checkpoint() -> DamagedRunError:
    store = RunStore(Path("/nowhere"))
    store.folder = lambda run_id: Path("/nowhere")
    with pytest.raises(DamagedRunError) as caught:
        store.check_checkpoint("20260101-000000-x")
    return caught.value


@pytest.mark.parametrize("how", ["killed", "full disk"])
def test_wherever_a_first_pass_ends_there_are_whole_results_or_none(tmp_path, how):
    states = []
    for n in range(1, 200):
        store = RunStore(tmp_path / str(n))
        run_id = store.create(Path("/data"), "plate", SETTINGS)
        store.write_status(run_id, RunStatus(state="running", pid=2**30, pid_created=1.0, heartbeat=1.0))
        code = run_in_child(Killer(n, how), lambda: write_pass(store, run_id, 2.0, with_whole=True))  # noqa: B023
        trainings.reconcile(store)
        states.append(trainings.live_status(store, run_id).state)
        if states[-1] == "finished":
            assert marks(store, run_id) == {2.0}
        else:
            assert states[-1] == "lost"
            with pytest.raises(StoreError):
                open_results(store, run_id)
        if code == 0:
            break
    assert code == 0
    assert states == sorted(states, reverse=True), "lost, and from one moment on finished"


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[RunStore, Path, str]:
    folder = tmp_path_factory.mktemp("made")
    store, root = RunStore(folder / "runs"), write_tiny_category(folder / "data")
    return store, root, train_here(store, root, edge_quantile=0.9)


@pytest.fixture
def trained(made, tmp_path) -> tuple[RunStore, Path, str]:
    """A copy of the store; a test puts the images back where it moves them."""
    shutil.copytree(made[0].home, tmp_path / "runs")
    return RunStore(tmp_path / "runs"), *made[1:]


@pytest.fixture
def moved(trained) -> Iterator[Path]:
    """The images, moved away until the test is over, at the latest."""
    root = trained[1]
    away = root.rename(root.with_name("moved"))
    yield away
    if away.exists():
        away.rename(root)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_resuming_a_finished_run_is_refused_and_changes_nothing(trained, moved):
    store, _, run_id = trained
    before = contents(store.folder(run_id))
    with pytest.raises(StoreError, match="has finished: there is nothing to resume") as caught:
        trainings.resume(store, run_id)
    assert f"evaluate {run_id}" in caught.value.fix
    assert contents(store.folder(run_id)) == before
    assert store.summary(run_id).lack == ""


@pytest.mark.parametrize("name", [layout.MAPS, layout.EDGES, layout.INDEX, layout.CHECKPOINT, layout.DATA])
def test_resuming_a_finished_run_that_lost_a_file_writes_it_again_or_keeps_the_rest(trained, moved, name, monkeypatch):
    """First with images that are gone, then with the images back."""
    monkeypatch.setattr(trainings, "_max_running", lambda: 0)
    store, root, run_id = trained
    path = store.folder(run_id) / name
    lost = path.read_bytes()
    path.unlink()
    before = contents(store.folder(run_id))
    if name != layout.DATA:
        assert Path(name).name in store.lack(run_id) or "no checkpoint" in store.lack(run_id)
    else:
        (store.folder(run_id) / layout.INDEX).unlink()  # a lost list alone is not noticed

    def second_pass():
        trainings.resume(store, run_id)
        trainings.claim(store, run_id)
        run_stages(store, run_id, Reporter(store, run_id))

    with pytest.raises(WTFlowError) as caught:
        second_pass()
    trainings.end_without_results(store, run_id, "failed", caught.value.message, caught.value.fix)
    assert store.status(run_id).state == "finished"
    assert "results of before are kept" in store.status(run_id).message
    same = before.keys() - {layout.STATUS, layout.INDEX if name == layout.DATA else ""}
    after = contents(store.folder(run_id))
    assert {key: after.get(key) for key in same} == {key: before[key] for key in same}
    moved.rename(root)
    second_pass()
    assert store.status(run_id).message.startswith("Finished in")
    assert store.summary(run_id).lack == ""
    assert sorted(path.read_bytes()) == sorted(lost), "the same seed gives the same file, up to the order in its head"
