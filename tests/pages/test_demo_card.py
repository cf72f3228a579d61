"""The demo on pages: drawn by a process that nobody has to wait for, and trained once it is there."""

from pathlib import Path

import pytest
import streamlit as st
from demo_process import Drawing, small_demo
from page_runs import OpenPage, texts
from run_folders import tiny_settings
from streamlit.testing.v1 import AppTest
from waiting import wait_until

from wtflow.config import Settings
from wtflow.datasets.demo.write import DEMO_CATEGORIES
from wtflow.errors import RunBusyError
from wtflow.jobs import demos, listing, processes, trainings
from wtflow.jobs.demos import demo_root, demo_state
from wtflow.records.core import RunStatus
from wtflow.store.runs import RunStore

FIRST = DEMO_CATEGORIES[0]


@pytest.fixture
def drawing(store: RunStore, monkeypatch: pytest.MonkeyPatch):
    with small_demo(store, monkeypatch) as drawing:
        yield drawing


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ids of the runs that were started; they stay queued, and a second one of a category is refused."""
    begun = []

    def start(store: RunStore, root: Path, category: str, settings: Settings) -> str:
        if begun:
            raise RunBusyError(f"{category} is already being trained.", fix="Wait.")
        run_id = store.create(root, category, tiny_settings())
        store.write_status(run_id, RunStatus(state="queued", heartbeat=1.0))
        begun.append(run_id)
        return run_id

    monkeypatch.setattr(trainings, "start", start)
    monkeypatch.setattr(
        trainings, "reconcile", lambda store, progress=None: listing.look(store)
    )  # else the queued run would start a process
    return begun


def press(page: AppTest, key: str) -> AppTest:
    return page.button(key=key).click().run()


def until(page: AppTest, store: RunStore, state: str, categories=DEMO_CATEGORIES) -> AppTest:
    """The page as it is once the drawing has come to a state."""
    wait_until(lambda: demo_state(store, categories).state == state, lambda: demo_state(store, categories))
    page.run()
    assert not page.exception
    return page


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The runs that pages have switched to, to watch them."""
    ids = []

    def go(name: str, **params: str):
        assert name == "train"
        ids.append(params["watch"])
        st.stop()

    monkeypatch.setattr("pages.ui.demo.go", go)
    return ids


@pytest.mark.parametrize("name", ["data", "train"])
def test_a_page_of_images_draws_nothing_unasked_and_opens_a_folder_of_ones_own(
    open_page: OpenPage, root: Path, drawing: Drawing, name: str
):
    page = open_page(name, way="folder")
    assert not page.exception
    assert page.button(key="draw_demo").label == "Draw the demo images"
    page.text_input(key="widget_typed_root").set_value(str(root)).run()
    assert "plate" in page.button_group(key="widget_category").options
    assert drawing.started == []


def test_the_demo_is_drawn_by_a_button_shows_its_progress_also_after_a_reload_and_is_there_at_its_end(
    open_page: OpenPage, store: RunStore, drawing: Drawing
):
    drawing.hold.touch()
    page = press(open_page("data", way="folder"), "draw_demo")
    wait_until(lambda: demo_state(store).share > 0)
    for shown in (page.run(), open_page("data", way="folder")):
        assert not [button for button in shown.button if button.key == "draw_demo"]
        assert "Drawing the demo images (once): 5\N{NBSP}%" in shown.get("progress")[0].proto.text
    drawing.hold.unlink()
    until(page, store, "ready")
    assert page.button_group(key="widget_category").options == sorted(DEMO_CATEGORIES)
    assert len(drawing.started) == 1


def test_while_it_is_drawn_other_folders_open(open_page: OpenPage, root: Path, drawing: Drawing):
    drawing.hold.touch()
    page = press(open_page("data", way="folder"), "draw_demo")
    page.text_input(key="widget_typed_root").set_value(str(root)).run()
    assert "ready: nothing to fix" in texts(page)


def test_categories_that_are_drawn_show_before_the_others_are(open_page: OpenPage, store: RunStore, drawing: Drawing):
    demos.draw_demo(store, (FIRST,))
    page = until(open_page("data", way="folder"), store, "ready", (FIRST,))
    assert page.button_group(key="widget_category").options == [FIRST]
    assert page.button(key="draw_demo").label == "Draw the demo images"


@pytest.mark.slow
def test_a_failure_is_a_sentence_and_the_next_try_succeeds(open_page: OpenPage, store: RunStore, drawing: Drawing):
    mine = demo_root(store) / FIRST / "mine.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    page = until(press(open_page("data", way="folder"), "draw_demo"), store, "failed")
    assert "mine.txt" in page.error[0].value.replace("\\", "")
    mine.unlink()
    assert page.button(key="draw_demo").label == "Draw them again"
    until(press(page, "draw_demo"), store, "ready")
    assert not page.error


def test_train_the_demo_draws_one_category_and_goes_on_to_train_it(
    open_page: OpenPage, store: RunStore, drawing: Drawing, trained: list[str], watched: list[str]
):
    drawing.hold.touch()
    page = press(open_page("overview"), "train_demo")
    assert "Drawing the demo images" in page.get("progress")[0].proto.text
    assert not [button for button in page.button if button.key == "train_demo"]
    assert trained == []
    drawing.hold.unlink()
    until(page, store, "ready", (FIRST,))
    assert watched == trained != []
    assert [name for name in DEMO_CATEGORIES if demo_state(store, (name,)).state == "ready"] == [FIRST]


@pytest.mark.slow
def test_a_page_loaded_again_meanwhile_goes_on_to_train_it_too(
    open_page: OpenPage, store: RunStore, drawing: Drawing, trained: list[str], watched: list[str]
):
    drawing.hold.touch()
    address = press(open_page("overview"), "train_demo").query_params
    assert address == {"demo": FIRST}
    again = open_page("overview", demo=FIRST)
    drawing.hold.unlink()
    until(again, store, "ready", (FIRST,))
    assert watched == trained != []


@pytest.mark.slow
def test_sessions_that_ask_together_share_one_drawing_and_one_training(
    open_page: OpenPage, store: RunStore, drawing: Drawing, trained: list[str], watched: list[str]
):
    drawing.hold.touch()
    pages = [press(open_page("overview"), "train_demo") for _ in range(3)]
    drawing.hold.unlink()
    for page in pages:
        until(page, store, "ready", (FIRST,))
    assert watched == trained * 3
    assert len(drawing.started) == len(trained) == 1


@pytest.mark.slow
def test_a_session_that_is_too_late_to_start_the_training_joins_it(
    open_page: OpenPage,
    store: RunStore,
    drawing: Drawing,
    trained: list[str],
    watched: list[str],
    monkeypatch: pytest.MonkeyPatch,
):
    """Between its look at the runs and its start another session starts."""
    demos.draw_demo(store, (FIRST,))
    page = until(open_page("overview"), store, "ready", (FIRST,))
    start = trainings.start

    def late(*arguments):
        start(*arguments)
        return start(*arguments)

    monkeypatch.setattr(trainings, "start", late)
    press(page, "train_demo")
    assert watched == trained != []


@pytest.mark.parametrize("is_drawn", [False, True])
def test_an_address_alone_neither_draws_nor_trains(
    open_page: OpenPage, store: RunStore, drawing: Drawing, trained: list[str], is_drawn: bool
):
    if is_drawn:
        demos.draw_demo(store, (FIRST,))
        wait_until(lambda: demo_state(store, (FIRST,)).state == "ready")
    page = open_page("overview", demo=FIRST)
    assert not page.exception
    assert (len(drawing.started), trained) == (int(is_drawn), [])
    assert page.button(key="train_demo") and not page.query_params


@pytest.mark.slow
def test_another_category_is_drawn_after_the_one_that_was_under_way(
    open_page: OpenPage, store: RunStore, drawing: Drawing, trained: list[str], watched: list[str]
):
    drawing.hold.touch()
    demos.draw_demo(store, ("flange",))
    page = press(open_page("overview"), "train_demo")
    drawing.hold.unlink()
    until(page, store, "absent", (FIRST,))
    until(page, store, "ready", (FIRST,))
    assert watched == trained != []


@pytest.mark.slow
def test_a_killed_drawing_is_a_sentence_on_the_overview_with_a_next_try(
    open_page: OpenPage, store: RunStore, drawing: Drawing, trained: list[str], watched: list[str]
):
    drawing.hold.touch()
    page = press(open_page("overview"), "train_demo")
    processes.find(*drawing.started[0]).kill()
    until(page, store, "failed", (FIRST,))
    assert "ended without a message" in page.error[0].value
    drawing.hold.unlink()
    press(page, "draw_demo")
    until(page, store, "ready", (FIRST,))
    assert watched == trained != []


def test_a_store_that_cannot_be_written_is_a_sentence(open_page: OpenPage, store: RunStore):
    store.home.write_text("a file")
    for name, key in (("overview", "train_demo"), ("data", "draw_demo")):
        page = press(open_page(name, way="folder"), key)
        assert not page.exception and page.error
