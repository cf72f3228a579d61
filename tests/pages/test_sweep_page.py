"""The page *sweep*: a plan with its figures, the start, what goes on, and the table."""

from dataclasses import replace
from pathlib import Path

import pytest
from page_runs import OpenPage, texts
from run_folders import TINY, tiny_settings

from wtflow.records.sweep import Way
from wtflow.store import sweeps
from wtflow.store.runs import RunStore
from wtflow.sweeps import tasks
from wtflow.sweeps.expand import Asked, plan_new

SMALL = {name: (str(value),) for name, value in TINY.items() if name not in ("stages", "threads", "prepare_pages")}


def button(page, label: str):
    return next(one for one in page.button if one.label == label)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Sweeps whose coordinator was asked for; no process is started."""
    asked: list[str] = []
    monkeypatch.setattr(tasks, "start", lambda store, name, way=None: asked.append(name))
    return asked


def test_the_form_says_how_many_runs_how_long_and_how_much_disk_and_starts_them(
    open_page: OpenPage, root: Path, started: list[str]
):
    page = open_page("sweep", root=str(root))
    assert not page.exception
    figures = {one.label: one.value for one in page.metric}
    assert figures["Runs"] == "9" and figures["Expected time"] and figures["Space on disk"]
    page.text_input(key="sweep_seeds").set_value("0-4")
    page.multiselect(key="sweep_values_coupling").set_value(["worst", "optimal"])
    page.text_input(key="sweep_shared").set_value("iterations=7 image_size=64").run()
    assert {one.label: one.value for one in page.metric}["Runs"] == "10"
    button(page, "Start all").click().run()
    assert not page.exception and started == ["images-1"]
    made = sweeps.read(RunStore(), "images-1")
    assert {(cell.settings.coupling, cell.seed, cell.settings.iterations) for cell in made.cells} == {
        (coupling, seed, 7) for coupling in ("worst", "optimal") for seed in range(5)
    }
    assert page.query_params["sweep"] in ("images-1", ["images-1"])


def test_a_mistake_in_the_form_is_a_sentence_and_nothing_starts(open_page: OpenPage, root: Path, started: list[str]):
    page = open_page("sweep", root=str(root))
    page.text_input(key="sweep_shared").set_value("group_size=4096").run()
    assert "group_size" in page.error[0].value.replace("\\", "") and button(page, "Start all").disabled
    page.text_input(key="sweep_shared").set_value("").run()
    page.text_input(key="sweep_seeds").set_value("one").run()
    assert "no list of seeds" in page.error[0].value and started == []


def test_the_page_of_a_sweep_shows_its_table_and_goes_on_by_a_click(
    open_page: OpenPage, root: Path, started: list[str], trained: str
):
    store = RunStore()
    plan = plan_new(store, "s", Asked(root, sets=SMALL | {"coupling": ("worst", "optimal")}), 1, Way())
    first = plan.sweep.cells[0]
    sweeps.create(store, replace(plan.sweep, runs={first.key: trained}))
    page = open_page("sweep", sweep="s", cell="0,0")
    assert not page.exception
    assert "1 of 2 runs finished" in texts(page)
    assert "too few" not in texts(page) and "coupling worst" in texts(page)
    button(page, "Resume").click().run()
    assert started == ["s"]
    assert tiny_settings().coupling == "worst"


def test_a_sweep_that_is_not_there_and_one_that_is_lost_are_said(open_page: OpenPage, root: Path):
    store = RunStore()
    page = open_page("sweep", sweep="../x")
    assert "no sweep" in page.error[0].value
    sweeps.create(store, plan_new(store, "s", Asked(root, sets=SMALL), 1, Way()).sweep)
    tasks.claim(store, "s")
    sweeps.write_status(store, "s", replace(sweeps.read_status(store, "s"), pid_created=1.0))
    page = open_page("sweep", sweep="s")
    assert "coordinator ended" in page.error[0].value and button(page, "Resume")
