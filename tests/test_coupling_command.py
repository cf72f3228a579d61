"""`python -m wtflow coupling-study` and its tab, on a tiny run."""

import pytest
from run_folders import train_here, write_tiny_category
from shell import call, last_json
from small_studies import TINY_STUDY

from wtflow.cli import coupling as command
from wtflow.jobs import studies
from wtflow.results import open_results
from wtflow.store.runs import RunStore
from wtflow.studies import requests
from wtflow.studies.coupling.clock import expected_seconds
from wtflow.studies.requests import FULL_COUPLING, QUICK_COUPLING


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("coupling_command")
    store = RunStore(folder / "runs")
    return store.home, train_here(store, write_tiny_category(folder / "data"))


@pytest.fixture
def run(home, monkeypatch):
    monkeypatch.setenv("WTFLOW_HOME", str(home[0]))
    monkeypatch.setattr(requests, "QUICK_COUPLING", TINY_STUDY)
    return home[1]


def test_the_command_says_how_long_it_takes_and_what_it_found_and_keeps_it(run, tmp_path, monkeypatch):
    monkeypatch.setattr("wtflow.export.coupling.STILLS", ())
    first = call("coupling-study", run, "--json")
    assert first.exit_code == 0, first.output
    assert "Takes about" in first.output
    facts = last_json(first.output)
    assert facts["sentences"][0].startswith("At the dimension used (")
    assert facts["sentences"][0] in first.output
    assert {one["coupling"] for one in facts["effects"]} == {"worst", "optimal"}
    again = call("coupling-study", run, "--out", tmp_path / "out", "--json")
    assert "Takes about" not in again.output, "it was kept with the run"
    assert last_json(again.output) == facts
    assert {path.name for path in (tmp_path / "out").iterdir()} >= {"coupling-flows.csv", "coupling.txt"}


def test_the_command_leaves_a_study_alone_that_the_app_computes(run, monkeypatch):
    monkeypatch.setattr(studies, "task_state", lambda *_: studies.TaskState("running"))
    found = call("coupling-study", run)
    assert found.exit_code == 2
    assert "computing this study" in found.output


def test_an_unknown_run_is_a_sentence(run):
    found = call("coupling-study", "20200101-000000-none")
    assert found.exit_code == 2
    assert command.coupling_study.__doc__


def test_the_full_form_is_promised_more_time_than_the_quick_one(run):
    store = RunStore()
    results = open_results(store, run)
    quick, full = (expected_seconds(store, results, request) for request in (QUICK_COUPLING, FULL_COUPLING))
    assert 0 < 4 * quick < full
