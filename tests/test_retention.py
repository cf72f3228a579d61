"""What could go is listed, what stays has a reason, and nothing goes that changed in between."""

import json
import os
import time
from pathlib import Path

import pytest
from hand_made_runs import write_finished_run
from run_folders import tiny_settings
from typer.testing import CliRunner

from wtflow.cli.app import app
from wtflow.errors import ChangedMeanwhileError, SettingsError
from wtflow.jobs import retention
from wtflow.records.core import RunStatus
from wtflow.records.decision import Decision
from wtflow.records.space import Plan
from wtflow.records.sweep import Combination, Sweep, SweepCategory
from wtflow.store import inspections, layout, sweeps
from wtflow.store.decisions import keep_decision
from wtflow.store.exported import exports_of, note_export
from wtflow.store.index import sizes
from wtflow.store.index.look import index_of
from wtflow.store.notes import archive_run, star_run
from wtflow.store.runs import RunStore


def make(store: RunStore, category: str, auroc: float | None = 0.5, seed: int = 0) -> str:
    return write_finished_run(store, tiny_settings().changed({"seed": seed}), category, metrics={"image_auroc": auroc})


@pytest.fixture
def three(store) -> list[str]:
    """Runs of one category, the best first. Ids tell the category, so each has the name of its place."""
    runs = [make(store, f"p{i}", auroc) for i, auroc in enumerate((0.9, 0.8, 0.7))]
    for run_id in runs:
        path = store.folder(run_id) / layout.CONFIG
        path.write_text(json.dumps(json.loads(path.read_text()) | {"category": "plate"}))
    return runs


def sweep_of(run_id: str) -> Sweep:
    category = SweepCategory("/data", "plate", 12, 120)
    return Sweep(
        "s", 0.0, "fast", {}, {}, (0,), (category,), (Combination({}, tiny_settings()),), runs={"cell": run_id}
    )


def going(plan: Plan) -> set[str]:
    return {one.run_id for one in plan.spare}


def reasons(plan: Plan) -> dict[str, str]:
    return {one.run_id: one.why for one in plan.kept}


def derive(store: RunStore, run_id: str, n_bytes: int = 1000, status: dict | None = None) -> Path:
    folder = store.folder(run_id) / layout.DERIVED
    folder.mkdir()
    (folder / "paths-00.npz").write_bytes(b"x" * n_bytes)
    if status is not None:
        (folder / "umap-00.status.json").write_text(json.dumps(status))
    return folder


def test_all_but_the_best_of_each_category_would_go(store, three):
    other = make(store, "disc", 0.1)
    plan = retention.plan_all_but_best(store)
    assert going(plan) == set(three[1:])
    assert set(reasons(plan)) == {three[0], other}, "the only run of a category is its best"
    assert going(retention.plan_all_but_best(store, 2)) == {three[2]}
    sizes_now = {one.run_id: one.n_bytes for one in plan.spare}
    for run_id in three[1:]:
        files = [path for path in store.folder(run_id).rglob("*") if path.is_file()]
        assert sizes_now[run_id] == sum(path.stat().st_size for path in files)


def test_runs_on_another_folder_of_images_are_no_rivals(store, three):
    path = store.folder(three[2]) / layout.CONFIG
    path.write_text(json.dumps(json.loads(path.read_text()) | {"root": "/elsewhere"}))
    assert going(retention.plan_all_but_best(store)) == {three[1]}


@pytest.mark.parametrize("reason", ["notes", "threshold", "archived", "inspections", "exports", "what-ifs", "sweep"])
def test_a_run_in_use_stays_and_is_named_unless_said_otherwise(store, three, reason):
    used = three[2]
    {
        "notes": lambda: star_run(store, used, True),
        "threshold": lambda: keep_decision(store, used, Decision(1.0, "set", "Set.", time.time(), "")),
        "archived": lambda: archive_run(store, used, True),
        "inspections": lambda: inspections.create(store, "plate", used, ["/new"]),
        "exports": lambda: note_export(store, used, "screw.wtf"),
        "what-ifs": lambda: (store.folder(used) / layout.WHAT_IFS).mkdir(),
        "sweep": lambda: sweeps.create(store, sweep_of(used)),
    }[reason]()
    plan = retention.plan_all_but_best(store)
    assert going(plan) == {three[1]} and reasons(plan)[used] == retention.WHY[reason]
    assert going(retention.plan_all_but_best(store, even=[reason])) == set(three[1:])


def test_notes_that_cannot_be_read_are_notes(store, three):
    (store.folder(three[2]) / layout.NOTES).write_text("{")
    assert going(retention.plan_all_but_best(store)) == {three[1]}


def test_what_is_not_finished_damaged_or_without_the_metric_stays(store, three):
    (store.folder(three[1]) / layout.CONFIG).write_text("{")
    store.write_status(three[2], RunStatus(state="running", pid=os.getpid(), heartbeat=time.time()))
    none = make(store, "p3", None)
    plan = retention.plan_all_but_best(store, even=list(retention.WHY))
    assert not plan.spare
    assert reasons(plan)[none] == "has no image_auroc" and "damaged" in reasons(plan)[three[1]]
    with pytest.raises(SettingsError):
        retention.plan_all_but_best(store, metric="no_such_metric")


def test_what_was_listed_is_deleted(store, three):
    done = retention.carry_out(store, retention.plan_all_but_best(store))
    assert set(done.run_ids) == set(three[1:]) and done.n_bytes > 0 and not done.refused
    assert store.ids() == [three[0]]


def _better(store, three):
    store.write_metrics(three[2], store.metrics(three[2]) | {"metrics": {"image_auroc": 0.95}})


def _noted(store, three):
    star_run(store, three[1], True)


def _resumed(store, three):
    store.write_status(three[1], RunStatus(state="queued"))


def _best_gone(store, three):
    store.delete(three[0])


@pytest.mark.parametrize("change", [_better, _noted, _resumed, _best_gone])
def test_nothing_is_deleted_where_a_run_of_the_list_changed_in_between(store, three, change):
    plan = retention.plan_all_but_best(store)
    change(store, three)
    left = store.ids()
    with pytest.raises(ChangedMeanwhileError, match="Nothing was deleted"):
        retention.carry_out(store, plan)
    assert store.ids() == left


def test_a_run_that_changes_while_others_are_deleted_stays(store, three):
    plan = retention.plan_all_but_best(store)
    last = plan.spare[-1].run_id

    def meanwhile(done: int, total: int) -> None:
        if done == 1:
            star_run(store, last, True)

    done = retention.carry_out(store, plan, meanwhile)
    assert [one.run_id for one in done.refused] == [last] and last in store.ids() and len(done.run_ids) == 1


def test_a_run_that_somebody_else_deleted_is_no_obstacle(store, three):
    plan = retention.plan_all_but_best(store)
    store.delete(three[2])
    assert retention.carry_out(store, plan).run_ids == (three[1],)


def test_derived_files_go_and_nothing_else(store, three):
    folder = derive(store, three[0])
    before = {path for path in store.home.rglob("*") if path.is_file() and folder not in path.parents}
    plan = retention.plan_derived(store)
    assert [(one.run_id, one.n_bytes) for one in plan.spare] == [(three[0], 1000)]
    retention.carry_out(store, plan)
    assert not folder.exists() and all(path.exists() for path in before if "index" not in path.name)


def test_derived_files_stay_while_something_is_computed(store, three):
    import psutil

    me = psutil.Process()
    status = {"state": "running", "pid": me.pid, "pid_created": me.create_time()}
    folder = derive(store, three[0], status=status)
    assert not retention.plan_derived(store).spare
    (folder / "umap-00.status.json").unlink()
    plan = retention.plan_derived(store)
    (folder / "umap-00.status.json").write_text(json.dumps(status))
    with pytest.raises(ChangedMeanwhileError):
        retention.carry_out(store, plan)
    assert (folder / "paths-00.npz").exists()


def test_sizes_are_measured_in_steps_and_again_after_a_change(store, three):
    index, since = index_of(store), time.time()
    index.look()
    assert sizes.measure_some(index, since, 0.0) == (0, 3)
    assert sizes.measure_some(index, since, 60.0) == (3, 3)
    found = sizes.totals(index)
    files = [path for run_id in three for path in store.folder(run_id).rglob("*") if path.is_file()]
    assert sum(found.values()) == sum(path.stat().st_size for path in files)
    assert found["maps"] == sum(path.stat().st_size for path in files if path.name == layout.MAPS)
    derive(store, three[1], 70_000)
    assert sizes.measure_some(index, time.time() + 3600, 0.0) == (0, 3), "that time has not come"
    assert sizes.measure_some(index, time.time(), 60.0) == (3, 3)
    assert sizes.totals(index)["derived"] == 70_000
    assert sizes.largest(index, 1)[0][0] == three[1]
    store.delete(three[1])
    index.look()
    assert sizes.totals(index)["derived"] == 0


def test_the_last_exports_are_remembered(store, three):
    for i in range(60):
        note_export(store, three[0], f"{i}.wtf")
    found = exports_of(store, three[0])
    assert [one["name"] for one in found][::49] == ["10.wtf", "59.wtf"] and len(found) == 50
    assert exports_of(store, three[1]) == []


def call(*words: str, text: str = ""):
    return CliRunner().invoke(app, ["space", *words], input=text)


def test_the_command_lists_asks_and_deletes(store, three):
    done = call()
    assert done.exit_code == 0 and "checkpoints" in done.stdout and "feature cache" in done.stdout
    done = call("--keep-best", "1", text="n\n")
    assert three[1] in done.stdout and "number 1 of its category" in done.stdout and len(store.ids()) == 3
    done = call("--keep-best", "1", "--json")
    plan = json.loads(done.stdout.splitlines()[-1])["plan"]
    assert {one["run_id"] for one in plan["delete"]} == set(three[1:]) and len(store.ids()) == 3, "only listed"
    done = call("--keep-best", "1", text="y\n")
    assert store.ids() == [three[0]] and "2 runs" in done.stderr
    assert call("--keep-best", "1", "--even", "nonsense").exit_code == 2
    assert call("--keep-best", "1", "--delete-derived").exit_code == 2
