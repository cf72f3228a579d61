"""Answers on demand: requests, files, and the processes that make the long ones: watched, stopped, killed, deleted
under their feet.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import get_args

import numpy as np
import psutil
import pytest
from filelock import FileLock
from pydantic import ValidationError
from run_folders import train_here, write_tiny_category
from waiting import PATIENCE_S, wait_until

from wtflow.config import choices, limits
from wtflow.errors import FlowError, RunBusyError, RunNotFoundError, SettingsError, StoreError
from wtflow.failures.facts import compute_facts
from wtflow.jobs import processes, studies, study_worker, trainings
from wtflow.records.core import GOOD
from wtflow.records.flow import ReturnTrip, StepsRow
from wtflow.results import open_results
from wtflow.store import layout
from wtflow.store.pace import read_paces
from wtflow.store.runs import RunStore
from wtflow.studies import answers, compute, flow_answers, follow_answers, requests, run_flow
from wtflow.studies.answers import answer_path, ask, load_answer
from wtflow.studies.compute import compute_answer
from wtflow.studies.flow_answers import positions_of
from wtflow.studies.projection import METRICS, NEIGHBOURS
from wtflow.studies.requests import StepsRequest, TravelRequest, UmapRequest, checked, request_from_json

LONG = StepsRequest(plan=tuple(("heun", 200 - i) for i in range(20)), n_trips=2)
"""Some seconds of work on the tiny run, with a report at every evaluation."""


def quiet(share):
    pass


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("derive")
    store = RunStore(folder / "runs")
    return store, train_here(store, write_tiny_category(folder / "data"))


@pytest.fixture
def copy(place):
    """A run of its own to spoil."""
    store, run_id = place
    new = "20200101-000000-copy"
    shutil.copytree(store.folder(run_id), store.home / new)
    yield new
    shutil.rmtree(store.home / new, ignore_errors=True)


def assert_equal(a, b):
    """Two records are the same to the last bit."""
    assert type(a) is type(b)
    if is_dataclass(a):
        for field in fields(a):
            assert_equal(getattr(a, field.name), getattr(b, field.name))
    elif isinstance(a, np.ndarray):
        assert a.shape == b.shape
        assert a.dtype == b.dtype
        assert np.array_equal(a, b)
    else:
        assert a == b


# -- requests ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "request_", [TravelRequest(rows=(3,), at=(1, 2), n_probes=2), UmapRequest(travel=TravelRequest(n=5)), LONG]
)
def test_a_request_comes_back_from_json(request_):
    assert request_from_json(request_.model_dump_json()) == request_


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (TravelRequest, {"colour": 3}, "^colour: extra inputs"),
        (TravelRequest, {"n": 0}, "^n: .*greater than or equal to 1"),
        (TravelRequest, {"n": 50_001}, "^n: .*less than or equal to 50000"),
        (TravelRequest, {"steps": 201}, "^steps: "),
        (TravelRequest, {"how": "best"}, "^how: .*balanced"),
        (TravelRequest, {"solver": "rk4"}, "^solver: .*euler"),
        (TravelRequest, {"seed": -1}, "^seed: "),
        (TravelRequest, {"n_probes": 65}, "^n_probes: "),
        (TravelRequest, {"at": (1, 2)}, "^request: a single position needs exactly one image"),
        (TravelRequest, {"at": (1, 2), "rows": (1, 2)}, "exactly one image"),
        (UmapRequest, {}, "^travel: field required"),
        (UmapRequest, {"travel": TravelRequest(), "metric": "hamming"}, "^metric: "),
        (UmapRequest, {"travel": TravelRequest(), "n_neighbors": 1}, "^n_neighbors: "),
        (UmapRequest, {"travel": TravelRequest(), "min_dist": float("nan")}, "^min_dist: "),
        (StepsRequest, {"plan": ()}, "^plan: "),
        (StepsRequest, {"plan": (("euler", 0),)}, r"^plan\.0\.1: "),
        (StepsRequest, {"n_trips": 1}, "^n_trips: "),
    ],
)
def test_what_cannot_be_asked_is_a_sentence_that_names_it(kind, values, message):
    with pytest.raises(SettingsError, match=message) as caught:
        checked(kind, values)
    assert caught.value.fix


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"kind": "walk"}', '{"kind": "travel", "n": "many"}'])
def test_text_that_is_no_request_is_a_sentence(text):
    with pytest.raises(SettingsError):
        request_from_json(text)


def test_a_request_cannot_be_changed_afterwards():
    with pytest.raises(ValidationError):
        TravelRequest().n = 3


def test_the_same_images_in_another_order_are_the_same_question():
    assert TravelRequest(rows=(5, 2, 5)) == TravelRequest(rows=(2, 5))
    assert TravelRequest(rows=(2, 2), at=(0, 0)).rows == (2,)


def test_the_limits_are_those_of_the_parts_that_answer():
    schema = UmapRequest.model_json_schema()["properties"]
    assert tuple(schema["metric"]["enum"]) == METRICS
    assert (schema["n_neighbors"]["minimum"], schema["n_neighbors"]["maximum"]) == NEIGHBOURS
    schema = TravelRequest.model_json_schema()["properties"]
    assert tuple(schema["solver"]["enum"]) == choices("solver")
    assert (schema["steps"]["minimum"], schema["steps"]["maximum"]) == limits("steps")


# -- files -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options", [{}, {"n_probes": 2}, {"rows": (6,), "at": (3, 4)}], ids=["plain", "divergence", "one position"]
)
def test_a_travel_is_loaded_as_it_was_computed(place, options):
    request = TravelRequest(n=30, steps=3, how="random", **options)
    assert load_answer(*place, request) is None
    answer = compute_answer(*place, request, quiet)
    assert_equal(load_answer(*place, request), answer)
    assert (answer.divergence is None) == ("n_probes" not in options)
    assert len(answer.positions) == (1 if "at" in options else 30)


def test_a_study_of_steps_is_loaded_as_it_was_computed(place):
    request = StepsRequest(plan=(("euler", 1),), n_trips=10)
    answer = compute_answer(*place, request, quiet)
    assert answer[0]
    assert_equal(load_answer(*place, request), answer)


def test_an_answer_that_is_there_is_not_computed_again(place, monkeypatch):
    request, seen = TravelRequest(n=20, steps=2), []
    first = compute_answer(*place, request, quiet)
    monkeypatch.setattr(run_flow, "open_flow", lambda *args: pytest.fail("computed again"))
    assert_equal(compute_answer(*place, request, seen.append), first)
    assert seen == [1.0]


def test_a_questions_place_is_looked_up_once_and_once_more_after_the_work(place, monkeypatch):
    """Each time reads the stamps of the run's files."""
    seen, fingerprint = [], answers.derived.fingerprint
    monkeypatch.setattr(answers.derived, "fingerprint", lambda *args: seen.append(args) or fingerprint(*args))
    request = TravelRequest(n=20, steps=2, seed=3)
    compute_answer(*place, request, quiet)
    assert len(seen) == 2
    compute_answer(*place, request, quiet)
    assert len(seen) == 3
    studies.start_task(*place, request)
    assert len(seen) == 4


def test_infinite_return_errors_and_undefined_metrics_are_kept(place):
    huge = float(np.finfo(np.float32).max)
    row = StepsRow(
        "euler", 1, 1, 0.5, {"image_auroc": None, "pixel_auroc": 0.5, "aupro": None}, {GOOD: (1.0, 2.0, huge)}, True
    )
    answer = ((row,), (ReturnTrip("euler", 1, {GOOD: (0.0, 1.0, huge)}),))
    request = StepsRequest(seed=77)
    ask(*place, request).save(answer)
    assert_equal(load_answer(*place, request), answer)


def test_another_request_checkpoint_or_version_has_another_place(place, copy, monkeypatch):
    store, run_id = place
    request = TravelRequest()
    first = answer_path(store, copy, request)
    changes = ({"n": 1}, {"rows": (1,)}, {"steps": 3}, {"seed": 1}, {"how": "top"}, {"n_probes": 1}, {"solver": "heun"})
    others = [TravelRequest(**change) for change in changes]
    others += [
        UmapRequest(travel=request),
        UmapRequest(travel=request, times="start"),
        UmapRequest(travel=request, seed=1),
        StepsRequest(),
    ]
    assert len({answer_path(store, copy, other) for other in (request, *others)}) == len(others) + 1
    os.utime(store.folder(copy) / layout.CHECKPOINT, (1, 1))
    second = answer_path(store, copy, request)
    monkeypatch.setattr(answers, "VERSION", requests.VERSION + 1)
    assert len({first, second, answer_path(store, copy, request)}) == 3


@pytest.mark.parametrize("spoil", ["garbage", "other arrays", "wrong facts"])
def test_a_foreign_file_in_the_place_of_an_answer_counts_as_absent_for_all(place, spoil):
    request = (
        StepsRequest(plan=(("euler", 3),), n_trips=5)
        if spoil == "wrong facts"
        else TravelRequest(n=10, steps=2, seed=5)
    )
    path = answer_path(*place, request)
    path.parent.mkdir(exist_ok=True)
    if spoil == "garbage":
        path.write_bytes(b"nothing of the kind")
    elif spoil == "other arrays":
        np.savez(path, x=np.ones(3), facts=np.array("{}"))
    else:
        np.savez(path, facts=np.array('{"rows": [{"norms": [1, 2]}], "trips": []}'))
    assert load_answer(*place, request) is None
    assert studies.task_state(*place, request).state == "absent", "else nobody would compute it again"
    assert_equal(compute_answer(*place, request, quiet), load_answer(*place, request))


def test_an_answer_about_a_run_that_changed_meanwhile_is_not_kept(place, copy):
    store, _ = place
    request = TravelRequest(n=10, steps=2)

    def touch(share):
        os.utime(store.folder(copy) / layout.MAPS, (share, share))

    with pytest.raises(StoreError, match="changed while this was computed"):
        compute_answer(store, copy, request, touch)
    assert load_answer(store, copy, request) is None


def test_facts_are_computed_without_the_network_and_without_torch(place, copy):
    """In a fresh process, for a run without a checkpoint; the answer is the one that this process computes."""
    store, _ = place
    (store.folder(copy) / layout.CHECKPOINT).unlink()
    code = f"""
import sys
from pathlib import Path
from wtflow.store.runs import RunStore
from wtflow.studies.compute import compute_answer
from wtflow.studies.requests import FactsRequest
shares = []
compute_answer(RunStore(Path({str(store.home)!r})), {copy!r}, FactsRequest(), shares.append)
sys.exit(shares[-1] != 1.0 or bool({{"torch", "umap", "timm"}} & sys.modules.keys()))
"""
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent.parent, check=False).returncode == 0
    facts = load_answer(store, copy, requests.FactsRequest())
    again = compute_facts(open_results(store, copy), lambda done, total: None)
    for field in fields(facts):
        np.testing.assert_equal(getattr(facts, field.name), getattr(again, field.name), err_msg=field.name)


def test_every_kind_of_request_has_somebody_who_computes_it():
    kinds = {one.model_fields["kind"].default for one in get_args(requests._Kinds)}
    assert set(compute._COMPUTED_BY) == kinds
    assert set(answers._ENCODE) == set(answers._DECODE) == kinds
    with_network = flow_answers.COMPUTED_BY.keys() | follow_answers.COMPUTED_BY.keys()
    trained = {"normals", "coupling"}  # these train flows of their own
    assert with_network | trained == kinds - set(compute.WITHOUT_NETWORK)


# -- what is computed --------------------------------------------------------------------------------------------------


def test_a_request_means_these_positions(place):
    store, run_id = place
    results = open_results(store, run_id)
    one = positions_of(results, TravelRequest(rows=(6,), at=(3, 4)))
    assert (one.row.tolist(), one.grid_row.tolist(), one.grid_column.tolist()) == ([6], [3], [4])
    assert set(positions_of(results, TravelRequest(rows=(1, 6), n=10, how="random")).row.tolist()) == {1, 6}
    everything = positions_of(results, TravelRequest(n=50_000, how="random"))
    assert len(everything) == 8 * 64, "all test images and no held-out normal"
    for request, message in (
        (TravelRequest(rows=(99,)), "has no image row 99"),
        (TravelRequest(rows=(0,), at=(8, 0)), "no position"),
    ):
        with pytest.raises(FlowError, match=message):
            positions_of(results, request)


def test_umap_places_the_chosen_positions_as_they_lie_at_one_end_alone(place, monkeypatch):
    """project_umap has tests of its own; here: which features it is given, and what becomes of its points."""
    given = {}

    def project(x, t, fit_rows, *, n_neighbors, min_dist, metric, seed, tell):
        given.update(x=x, t=t, fit_rows=fit_rows, settings=(n_neighbors, min_dist, metric, seed))
        tell("epochs", 0.5, "epoch 250 of 500")
        return flow_answers.Projection("umap", np.array([t], np.float32), x[None, :, :2], fit_rows.size)

    monkeypatch.setattr(flow_answers, "project_umap", project)
    travel = TravelRequest(n=16, steps=4, seed=2)
    seen = []
    answer = compute_answer(
        *place, UmapRequest(travel=travel, n_fit=10, n_neighbors=5, min_dist=0.3, metric="cosine", seed=9), seen.append
    )
    norms = compute_answer(*place, travel, quiet).norm
    assert given["t"] == 1
    np.testing.assert_allclose(np.linalg.norm(given["x"], axis=-1), norms[-1], rtol=1e-5)
    assert 0 < answer.trust <= 1 and answer.n_trusted == 16
    assert given["settings"] == (5, 0.3, "cosine", 9)
    group = positions_of(open_results(*place), travel).group
    assert [(group[given["fit_rows"]] == name).sum() for name in (GOOD, "spot")] == [
        5,
        5,
    ], "drawn evenly over the groups"
    assert seen == sorted(seen) and 0 < seen[-1] <= 1
    assert "epoch 250 of 500" in {share.words for share in seen}
    assert {"umap_move", "umap_trust"} <= read_paces(place[0]).keys(), "kept for the next promise"
    assert_equal(
        load_answer(*place, UmapRequest(travel=travel, n_fit=10, n_neighbors=5, min_dist=0.3, metric="cosine", seed=9)),
        answer,
    )
    compute_answer(*place, UmapRequest(travel=travel, times="start"), quiet)
    assert given["t"] == 0
    np.testing.assert_allclose(np.linalg.norm(given["x"], axis=-1), norms[0], rtol=1e-5)


@pytest.mark.slow
def test_umap_of_a_few_real_positions_is_the_same_each_time(place, copy):
    """The other run has the same weights, so nothing but chance could make a difference."""
    request = UmapRequest(travel=TravelRequest(n=12, steps=2, how="random"), n_fit=8, n_neighbors=4)
    answer = compute_answer(*place, request, quiet)
    assert answer.points.shape == (1, 12, 2)
    assert answer.n_fitted == 8
    assert np.isfinite(answer.points).all()
    assert np.ptp(answer.points[0], axis=0).min() > 0
    assert_equal(compute_answer(place[0], copy, request, quiet), answer)


# -- the process, in this one ------------------------------------------------------------------------------------------


@pytest.fixture
def work_here(monkeypatch):
    """Run the worker's main in this process, with the request in place; returns its exit code."""
    monkeypatch.setattr(processes, "give_way", lambda niceness, threads: None)

    def work(store, run_id, request):
        monkeypatch.setenv("WTFLOW_HOME", str(store.home))
        path = answer_path(store, run_id, request)
        path.parent.mkdir(exist_ok=True)
        studies.request_file(path).write_text(request.model_dump_json())
        return study_worker.main([run_id, path.stem])

    return work


def leftovers(store, run_id, request):
    path = answer_path(store, run_id, request)
    return sorted(other.name.removeprefix(path.stem) for other in path.parent.glob(f"{path.stem}*"))


def test_the_worker_leaves_the_answer_and_nothing_beside_it(place, work_here):
    request = TravelRequest(n=10, steps=2, seed=11)
    assert work_here(*place, request) == 0
    assert leftovers(*place, request) == [".npz"]
    assert studies.task_state(*place, request).state == "ready"


@pytest.mark.parametrize(
    ("request_", "spoil", "message"),
    [
        (
            UmapRequest(travel=TravelRequest(n=4), n_neighbors=15),
            None,
            "UMAP with 15 neighbours needs at least 16 points",
        ),
        (TravelRequest(rows=(77,)), None, "has no image row 77"),
        (TravelRequest(rows=(0,), how="defect"), None, "None of the chosen images has a defect pixel"),
        (TravelRequest(), lambda folder: (folder / layout.CHECKPOINT).unlink(), "has no checkpoint"),
        (TravelRequest(), lambda folder: (folder / layout.CHECKPOINT).write_bytes(b"x" * 99), "cannot be read"),
        (StepsRequest(), lambda folder: (folder / layout.METRICS).unlink(), "metrics.json is missing"),
    ],
    ids=["few for umap", "no such image", "no defects", "no checkpoint", "broken checkpoint", "no metrics"],
)
def test_what_fails_says_why_and_may_be_tried_again(place, copy, work_here, request_, spoil, message, capfd):
    store, _ = place
    if spoil:
        spoil(store.folder(copy))
    assert work_here(store, copy, request_) == 1
    state = studies.task_state(store, copy, request_)
    assert (state.state, message in state.message, bool(state.fix)) == ("failed", True, True)
    assert message in capfd.readouterr().err, "in the log, too"
    studies.forget_failure(store, copy, request_)
    assert studies.task_state(store, copy, request_).state == "absent"
    assert leftovers(store, copy, request_) == []


def test_a_mistake_of_ours_is_shown_with_its_type_and_where_the_details_are(place, work_here, monkeypatch, capfd):
    def broken(*args):
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(compute, "compute_answer", broken)
    request = TravelRequest(seed=21)
    assert work_here(*place, request) == 1
    state = studies.task_state(*place, request)
    assert state.message == "ZeroDivisionError: by nothing"
    assert "derived/travel-" in state.fix
    assert "Traceback" in capfd.readouterr().err
    studies.forget_failure(*place, request)


def test_a_worker_called_wrongly_ends_with_a_message(place, monkeypatch, capfd):
    monkeypatch.setenv("WTFLOW_HOME", str(place[0].home))
    for arguments in (
        [],
        ["x"],
        [place[1], "travel"],
        ["no-run", "travel-abc"],
        [place[1], "travel-abc"],
        [place[1], "../x-y"],
    ):
        assert study_worker.main(arguments) == 2
        assert capfd.readouterr().err


def test_the_worker_obeys_stop_and_notices_that_its_run_is_gone(place, copy, work_here, monkeypatch):
    store, _ = place
    monkeypatch.setattr(study_worker, "STATUS_EVERY_S", 0.0)
    request = TravelRequest(n=10, steps=2)
    path = answer_path(store, copy, request)

    def stop_first(store, run_id, request, progress):
        path.with_name(f"{path.stem}.stop").touch()
        progress(0.1)
        pytest.fail("went on")

    monkeypatch.setattr(compute, "compute_answer", stop_first)
    assert work_here(store, copy, request) == 0
    assert leftovers(store, copy, request) == []

    def delete_first(store, run_id, request, progress):
        store.delete(run_id)
        progress(0.1)
        pytest.fail("went on")

    monkeypatch.setattr(compute, "compute_answer", delete_first)
    assert work_here(store, copy, request) == 0
    assert not (store.home / copy).exists()


def test_an_answer_that_was_evicted_is_absent_not_failed(place):
    request = TravelRequest(n=10, steps=2, seed=31)
    path = answer_path(*place, request)
    compute_answer(*place, request, quiet)
    assert studies.task_state(*place, request).state == "ready"
    path.unlink()
    assert studies.task_state(*place, request).state == "absent"


def test_the_time_left_follows_the_pace_so_far():
    assert studies.TaskState("running", share=0.25, seconds=10).seconds_left == 30
    assert studies.TaskState("running", share=0.0, seconds=10).seconds_left is None


def test_an_unknown_run_is_a_sentence_for_every_question():
    store = RunStore(Path("/nowhere"))
    for question in (studies.task_state, studies.stop_task, load_answer, ask):
        with pytest.raises(RunNotFoundError):
            question(store, "20200101-000000-none", TravelRequest())


# -- real processes ----------------------------------------------------------------------------------------------------


def wait(store, run_id, request, check, timeout_s=PATIENCE_S):
    """Poll as the pages do; returns all states seen, the last one passing the check."""
    seen, end = [], time.monotonic() + timeout_s
    while time.monotonic() < end:
        seen.append(studies.task_state(store, run_id, request))
        if check(seen[-1]):
            return seen
        time.sleep(0.05)
    raise AssertionError(f"still {seen[-1]}; log: {[path.read_text() for path in store.home.glob('*/derived/*.log')]}")


@pytest.fixture
def no_zombies(place):
    """Afterwards every process has been reaped by a mere look at some task. Threads of a dead one may need a
    moment.
    """
    yield

    def look():
        studies.task_state(*place, TravelRequest())
        return not processes._CHILDREN

    wait_until(look)


def process_of(store, run_id, request) -> psutil.Process:
    return psutil.Process(studies._read_status(answer_path(store, run_id, request))["pid"])


def is_gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


@pytest.mark.slow
def test_a_task_runs_with_a_rising_share_to_its_end_even_if_the_page_forgets_it(no_zombies, place):
    store, run_id = place
    request = LONG.model_copy(update={"plan": LONG.plan[:5]})
    studies.start_task(store, run_id, request)
    process = process_of(store, run_id, request)
    studies.start_task(store, run_id, request)
    assert process_of(store, run_id, request).pid == process.pid, "asked for twice, made once"
    seen = wait(store, run_id, request, lambda state: state.share > 0)
    forgotten = dict(processes._CHILDREN)
    processes._CHILDREN.clear()  # as after a restart of the app
    studies.forget_failure(store, run_id, request)  # which must not touch one at work
    seen += wait(store, run_id, request, lambda state: state.state != "running")
    shares = [state.share for state in seen]
    assert {state.state for state in seen} == {"running", "ready"}
    assert shares == sorted(shares)
    assert len(set(shares)) > 3, "more than nothing, once and all"
    rows, _ = load_answer(store, run_id, request)
    assert len(rows) == 5 + 1
    wait_until(lambda: is_gone(process))
    assert leftovers(store, run_id, request) == [".npz"]
    processes._CHILDREN.update(forgotten)  # else nobody in this process could reap it


def test_stop_ends_the_process_and_only_so_many_run_at_once(no_zombies, place, monkeypatch):
    store, run_id = place
    monkeypatch.setattr(studies, "MAX_AT_ONCE", 1)
    studies.start_task(store, run_id, LONG)
    process = process_of(store, run_id, LONG)
    with pytest.raises(RunBusyError, match="1 computations are already running"):
        studies.start_task(store, run_id, TravelRequest(n=17))
    wait(store, run_id, LONG, lambda state: state.share > 0)
    monkeypatch.setattr(processes, "GRACE_S", PATIENCE_S)
    began = time.monotonic()
    studies.stop_task(store, run_id, LONG)
    assert time.monotonic() - began < processes.GRACE_S, "it obeyed, and was not killed"
    assert is_gone(process)
    assert studies.task_state(store, run_id, LONG).state == "absent"
    assert leftovers(store, run_id, LONG) == []


def test_a_killed_process_is_a_failure_that_says_so_and_starting_again_works(no_zombies, place, monkeypatch):
    """Killed while it is still importing: no need to wait for it."""
    store, run_id = place
    request = LONG.model_copy(update={"seed": 1})
    studies.start_task(store, run_id, request)
    first = process_of(store, run_id, request)
    os.kill(first.pid, signal.SIGKILL)
    state = wait(store, run_id, request, lambda state: state.state != "running")[-1]
    assert (state.state, state.fix) == ("failed", "Compute it again.")
    assert "ended without a message" in state.message
    studies.start_task(store, run_id, request)
    second = process_of(store, run_id, request)
    assert second.pid != first.pid
    assert studies.task_state(store, run_id, request).state == "running"
    os.kill(second.pid, signal.SIGSTOP)  # it cannot react
    monkeypatch.setattr(processes, "GRACE_S", 0.2)
    studies.stop_task(store, run_id, request)
    wait_until(lambda: is_gone(second))
    assert studies.task_state(store, run_id, request).state == "absent"


def test_a_number_that_belongs_to_another_process_by_now_is_not_taken_for_the_task(place):
    store, run_id = place
    request = TravelRequest(seed=41)
    path = answer_path(store, run_id, request)
    studies.write_status(store, path, {"state": "running", "pid": os.getpid(), "pid_created": 1.0})
    assert studies.task_state(store, run_id, request).state == "failed"
    studies.stop_task(store, run_id, request)  # must not end this very process
    own = {"pid": os.getpid(), "pid_created": psutil.Process().create_time()}
    studies.write_status(store, path, own | {"state": "running", "share": 0.5, "began": time.time() - 7})
    state = studies.task_state(store, run_id, request)
    assert (state.state, state.share) == ("running", 0.5)
    assert 7 <= state.seconds < 20
    path.with_name(f"{path.stem}.status.json").write_text("{broken")
    assert studies.task_state(store, run_id, request).state == "absent"


def test_a_store_that_another_program_keeps_locked_is_a_sentence(place, monkeypatch):
    store, run_id = place
    monkeypatch.setattr("wtflow.store.lock.PATIENCE_S", 0.1)
    with FileLock(store.home / ".lock"), pytest.raises(RunBusyError, match="has kept .* locked"):
        studies.start_task(store, run_id, TravelRequest(seed=51))
    assert studies.task_state(store, run_id, TravelRequest(seed=51)).state == "absent"


@pytest.mark.slow
def test_deleting_a_run_while_its_task_works_ends_the_task_and_leaves_no_folder(no_zombies, place, copy):
    store, _ = place
    studies.start_task(store, copy, LONG)
    process = process_of(store, copy, LONG)
    wait(store, copy, LONG, lambda state: state.share > 0)
    trainings.delete(store, copy)
    wait_until(lambda: is_gone(process))
    assert not (store.home / copy).exists()
    assert not list(store.home.glob(".deleted-*"))
    with pytest.raises(RunNotFoundError):
        studies.task_state(store, copy, LONG)
