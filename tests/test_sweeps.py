"""A sweep is computed to its end: failures stop no other run, and nothing that is finished is repeated."""

import json
from dataclasses import replace

import pytest
import torch
from run_folders import TINY, write_tiny_category
from typer.testing import CliRunner

from wtflow.cli.app import app
from wtflow.errors import RunBusyError
from wtflow.jobs import of_sweeps, processes, standing, trainings
from wtflow.jobs.reporter import Reporter
from wtflow.jobs.train_worker import run_stages
from wtflow.machine.progress import StopRequestedError
from wtflow.records.core import RunStatus
from wtflow.records.sweep import Node, SweepStatus, Way
from wtflow.store import sweeps
from wtflow.store.runs import RunStore
from wtflow.sweeps import tasks
from wtflow.sweeps.coordinate import MOST_TRIES, Coordinator
from wtflow.sweeps.executors.base import Executor, Need
from wtflow.sweeps.expand import Asked, plan_more, plan_new

SMALL = {name: (str(value),) for name, value in TINY.items() if name not in ("stages", "threads", "prepare_pages")}


class InThisProcess(Executor):
    """Computes each run, by the real stages, as soon as it is handed over."""

    def __init__(self, store):
        self.store, self.handed, self.needs = store, [], []

    def has_room(self, need: Need, n_active: int) -> bool:
        return n_active == 0

    def submit(self, run_id, need):
        self.handed.append(run_id)
        self.needs.append(need)
        trainings.claim(self.store, run_id)
        before = torch.get_num_threads()
        torch.set_num_threads(self.store.config(run_id).settings.threads)
        try:
            run_stages(self.store, run_id, Reporter(self.store, run_id))
        except Exception as error:
            found = processes.failure_of(error, "")
            trainings.end_without_results(self.store, run_id, "failed", found.message, found.fix)
        finally:
            torch.set_num_threads(before)

    def adopt(self, run_id):
        raise AssertionError("nothing goes on by itself here")

    def over(self):
        return {}

    def forget(self, run_id):
        pass

    def cancel(self, run_id):
        pass

    def nodes(self):
        return (Node("here", 1, 0),)

    def close(self):
        pass


class OutOfMemory(InThisProcess):
    def submit(self, run_id, need):
        if not self.handed:
            self.handed.append(run_id)
            self.needs.append(need)
            trainings.end_without_results(self.store, run_id, "failed", "OutOfMemoryError: CUDA out of memory.")
        else:
            super().submit(run_id, need)


class Killed(InThisProcess):
    """Every process is killed before it writes anything."""

    def submit(self, run_id, need):
        self.handed.append(run_id)

    def over(self):
        return dict.fromkeys(self.handed, "Its node died.")


@pytest.fixture
def place(tmp_path):
    root = write_tiny_category(tmp_path / "data")
    return RunStore(tmp_path / "runs"), root


def make(store, root, **asked) -> str:
    sets = SMALL | {"iterations": ("3",)} | asked.pop("sets", {})
    sweeps.create(store, plan_new(store, "s", Asked(root, sets=sets, **asked), 1, Way()).sweep)
    return "s"


def coordinate(store, executor):
    found = Coordinator(store, "s", executor, 1).run(lambda seconds: None)
    assert sweeps.read_status(store, "s") == found
    return found


def test_a_failed_run_says_why_and_stops_no_other_and_resuming_repeats_nothing_that_is_finished(place):
    store, root = place
    write_tiny_category(root, "disc")
    make(store, root, seeds=(0, 1))
    broken = next((root / "disc/train/good").iterdir())
    sound = broken.read_bytes()
    broken.write_bytes(b"no image")
    first = InThisProcess(store)
    ended = coordinate(store, first)
    assert (ended.n_all, ended.n_finished, ended.n_failed, ended.state) == (4, 2, 2, "finished")
    assert broken.name in ended.message and "disc" in ended.message and not ended.is_active
    finished = {run: store.metrics(run) for run in first.handed if store.status(run).state == "finished"}
    assert len(first.handed) == 4 and len(finished) == 2
    broken.write_bytes(sound)
    second = InThisProcess(store)
    ended = coordinate(store, second)
    assert (ended.n_finished, ended.n_failed, ended.fix) == (4, 0, "")
    assert set(second.handed) == set(first.handed) - set(finished), "the same runs go on"
    assert {run: store.metrics(run) for run in finished} == finished

    sweeps.change(store, "s", lambda old: replace(plan_more(store, old, Asked(seeds=(2,))).sweep, runs=old.runs))
    third = InThisProcess(store)
    assert coordinate(store, third).n_finished == 6
    assert len(third.handed) == 2 and not set(third.handed) & set(first.handed)
    store.delete(third.handed[0])
    fourth = InThisProcess(store)
    assert coordinate(store, fourth).n_finished == 6
    assert len(fourth.handed) == 1, "what was deleted is computed anew"


def test_a_run_that_ran_out_of_memory_is_given_more_and_tried_again(place):
    store, root = place
    make(store, root)
    executor = OutOfMemory(store)
    assert coordinate(store, executor).n_finished == 1
    assert len(executor.handed) == 2 and len(set(executor.handed)) == 1
    assert executor.needs[1].memory_mib > executor.needs[0].memory_mib


def test_a_run_whose_process_is_killed_again_and_again_is_given_up(place):
    store, root = place
    make(store, root)
    executor = Killed(store)
    ended = coordinate(store, executor)
    assert (ended.n_failed, len(executor.handed)) == (1, MOST_TRIES)
    assert "Its node died." in ended.message


def test_runs_of_a_sweep_are_left_to_its_coordinator_and_are_no_second_start_of_a_category(place, monkeypatch):
    store, root = place
    make(store, root, seeds=(0, 1))
    launched = []
    monkeypatch.setattr(trainings, "launch", lambda store, run_id, more=None: launched.append(run_id))
    queued = [
        of_sweeps.begin(store, cell, "s", lambda run, key=cell.key: sweeps.note_run(store, "s", key, run))
        for cell in sweeps.read(store, "s").cells
    ]
    trainings.reconcile(store)
    assert launched == [] and len(queued) == 2
    assert "sweep s" in trainings.live_status(store, queued[0]).message
    own = trainings.start(store, root, "plate", sweeps.read(store, "s").combinations[0].settings)
    assert launched == [own], "a person's own training does not wait for the sweep"
    with pytest.raises(RunBusyError):
        trainings.start(store, root, "plate", sweeps.read(store, "s").combinations[0].settings)
    assert of_sweeps.n_own_active(store) == 1


def test_a_run_that_a_killed_coordinator_made_and_did_not_write_down_is_removed(place):
    store, root = place
    make(store, root)
    cell = sweeps.read(store, "s").cells[0]
    orphans = {of_sweeps.begin(store, cell, "s", lambda run: None) for _ in range(2)}
    executor = InThisProcess(store)
    assert coordinate(store, executor).n_finished == 1
    assert store.ids() == executor.handed and len(orphans) == 2


def test_a_process_on_another_computer_is_judged_by_its_reports(place, monkeypatch):
    store, root = place
    make(store, root)
    run = of_sweeps.begin(store, sweeps.read(store, "s").cells[0], "s", lambda run: None)
    trainings.claim(store, run)
    here = store.status(run)
    assert here.host == processes.this_host() and here.sweep == "s"
    monkeypatch.setattr(processes, "this_host", lambda: "another")
    assert trainings.live_status(store, run).state == "running", "the number of its process says nothing here"
    with pytest.raises(RunBusyError, match=here.host):
        trainings.claim(store, run)
    silent = here.heartbeat - standing.LOST_ELSEWHERE_AFTER_S - 1
    store.write_status(run, replace(here, heartbeat=silent))
    assert trainings.live_status(store, run).state == "lost"
    trainings.claim(store, run)
    assert store.status(run).host == "another"


def test_a_worker_whose_run_was_given_to_another_process_writes_no_more(place):
    store, root = place
    make(store, root)
    run = of_sweeps.begin(store, sweeps.read(store, "s").cells[0], "s", lambda run: None)
    trainings.claim(store, run)
    reporter = Reporter(store, run)
    with reporter.stage("read"):
        reporter._last = -1e9
        reporter.progress(1, 2)
        of_sweeps.begin_again(store, run, "s", is_over=True)
        given = store.status(run)
        reporter._last = -1e9
        with pytest.raises(StopRequestedError):
            reporter.progress(2, 2)
    assert store.status(run) == given


def test_a_coordinator_that_is_gone_leaves_a_lost_sweep_and_one_that_is_there_is_the_only_one(place):
    store, root = place
    make(store, root)
    assert tasks.look(store, "s").state == "new"
    tasks.claim(store, "s")
    assert tasks.look(store, "s").state == "running"
    with pytest.raises(RunBusyError):
        tasks.start(store, "s")
    tasks.stop(store, "s")
    assert tasks.look(store, "s").state == "stopping"
    mine = sweeps.read_status(store, "s")
    sweeps.write_status(store, "s", replace(mine, pid_created=1.0))
    assert tasks.look(store, "s").state == "lost" and "Resume" in tasks.look(store, "s").fix


def test_a_sweep_that_is_asked_to_stop_takes_back_what_has_not_begun(place):
    store, root = place
    make(store, root, seeds=(0, 1, 2))

    class StopsAfterOne(InThisProcess):
        def submit(self, run_id, need):
            super().submit(run_id, need)
            sweeps.request_stop(self.store, "s")

    executor = StopsAfterOne(store)
    ended = coordinate(store, executor)
    assert ended.state == "stopped" and ended.n_finished == 1 and len(executor.handed) == 1
    assert isinstance(ended, SweepStatus) and isinstance(store.status(executor.handed[0]), RunStatus)


def test_the_shell_lists_sweeps_and_says_what_is_wrong(place, monkeypatch):
    store, root = place
    make(store, root, seeds=(0, 1))
    monkeypatch.setenv("WTFLOW_HOME", str(store.home))

    def call(*arguments):
        found = CliRunner().invoke(app, ["sweep", *arguments, "--json"])
        return found.exit_code, json.loads(found.stdout.splitlines()[-1])

    code, told = call()
    assert code == 0 and told["sweeps"] == [{"name": "s", "state": "new", "n_finished": 0, "n_all": 2}]
    code, told = call("--status", "s")
    assert code == 0 and len(told["cells"]) == 2 and told["cells"][1]["seed"] == 1
    for arguments, words in (
        (["--status", "t"], "no sweep 't'"),
        (["--status", "s", "--stop", "s"], "stand alone"),
        ([str(root), "--executor", "cloud"], "no executor"),
        ([str(root), "--address", "auto"], "for Ray"),
        ([str(root), "--set", "coupling=worst,bad"], "coupling=bad cannot"),
        (["--name", "s", "--threads", "2", "--seeds", "5"], "decided"),
        (["--name", "u"], "no sweep 'u' yet"),
    ):
        code, told = call(*arguments)
        assert code == 2 and words in told["error"], told
    assert sweeps.names(store) == ["s"] and store.ids() == []
