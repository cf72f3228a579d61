"""`python -m wtflow runs`: searched, sorted, cut and archived."""

import json

import pytest
from typer.testing import CliRunner

from wtflow.bench.many_runs import CATEGORIES, write_many_runs
from wtflow.cli.app import app
from wtflow.jobs import listing
from wtflow.records.run_list import RunQuery
from wtflow.store import layout
from wtflow.store.note_file import read_notes
from wtflow.store.runs import RunStore

N = 60


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("many") / "runs"
    write_many_runs(folder, N)
    return folder


@pytest.fixture(autouse=True)
def _here(home, monkeypatch):
    monkeypatch.setenv("WTFLOW_HOME", str(home))


def call(*words: str):
    return CliRunner().invoke(app, ["runs", *words])


def rows(*words: str) -> list[dict]:
    done = call(*words, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout.splitlines()[-1])["runs"]


def test_the_runs_made_by_hand_differ_and_most_are_sound(home):
    found = listing.look(RunStore(home)).find(RunQuery(states=("finished",)))
    assert found.n_all == N and found.n_found > 0.8 * N
    assert len({run.label for run in found.runs}) > 5 and all(not run.lack for run in found.runs)


def test_runs_are_listed_by_category_words_and_order(home):
    assert len(rows()) == N and len(rows("--limit", "7")) == 7
    screws = rows("--category", "screw")
    assert {row["category"] for row in screws} == {"screw"} and len(screws) == N // len(CATEGORIES)
    found = rows("--search", "coupling=optimal image_auroc>0.7", "--sort", "-image_auroc")
    scores = [row["metrics"]["image_auroc"] for row in found]
    assert found and scores == sorted(scores, reverse=True) and scores[-1] > 0.7
    store = RunStore(home)
    assert all(store.config(row["run_id"]).settings.coupling == "optimal" for row in found)


def test_a_terminal_is_told_how_many_there_are(home):
    done = call()
    assert f"50 of {N} runs" in done.stderr and len(done.stdout.splitlines()) == 51
    assert "None of 60 runs fits." in call("--search", "no such run").stderr


def test_a_column_shows_what_the_runs_are_sorted_by():
    assert "pixel_auroc" in call("--sort", "-pixel_auroc", "--limit", "3").stdout.splitlines()[0]


def test_a_name_that_no_run_has_is_a_mistake_in_words():
    done = call("--sort", "image_auroch")
    assert done.exit_code == 2 and "No run has a setting or metric" in done.stderr and "image_auroc" in done.stderr


def test_an_archived_run_is_hidden_until_it_is_asked_for(home):
    run_id = rows("--limit", "1")[0]["run_id"]
    try:
        assert run_id not in {row["run_id"] for row in rows("--archive", run_id)}
        assert [row["run_id"] for row in rows("--archived")] == [run_id] and rows("--archived")[0]["archived"]
        assert run_id in {row["run_id"] for row in rows("--all")}
        assert json.loads((home / run_id / layout.NOTES).read_text())["archived"] is True
    finally:
        assert run_id in {row["run_id"] for row in rows("--take-back", run_id)}
    assert "archived" not in (home / run_id / layout.NOTES).read_text(), "as an earlier version reads it"
    assert not read_notes(RunStore(home).folder(run_id)).archived
