"""The page *Inspect*: what is dropped is inspected, what was inspected is shown, found again and taken away."""

import io
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hand_made_inspections import FACTS, write_inspection
from page_runs import OpenPage, components, texts
from streamlit.testing.v1 import AppTest

from wtflow.inspecting import tasks
from wtflow.records.inspect import Inspection
from wtflow.store import inspections
from wtflow.store.inspection_words import read_words
from wtflow.store.runs import RunStore
from wtflow.store.tried import list_tried

SCORES = {"000.png": 3.0, "001.png": 1.0, "cut.png": "cut.png is cut off. Copy it again."}


@pytest.fixture
def good(root: Path) -> Path:
    return root / "plate/test/good"


@pytest.fixture
def inspection(store: RunStore, finished: str, good: Path) -> Inspection:
    return write_inspection(store, finished, SCORES, good)


def press(page: AppTest, label: str) -> AppTest:
    next(button for button in page.button if button.label == label).click().run()
    assert not page.exception
    return page


def said(page: AppTest) -> str:
    assert not page.exception
    return texts(page).replace("\\", "")


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list:
    """(images, settings) of inspections that would have begun: none is scored and no process starts."""
    found = []

    def begin(store: RunStore, run_id: str, sources=(), uploads=(), settings=None, *rest) -> Inspection:
        found.append(([name for name, _ in uploads] or [str(one) for one in sources], settings))
        return tasks.create(store, run_id, sources, uploads=list(uploads))

    monkeypatch.setattr(tasks, "start", begin)
    at_once = SimpleNamespace(inspect_now=lambda store, run, images, show: begin(store, run, (), images))
    monkeypatch.setitem(sys.modules, "wtflow.inspecting.at_once", at_once)  # without torch
    return found


def drop(page: AppTest, *files: tuple[str, bytes]) -> AppTest:
    page.file_uploader[0].set_value([(name, content, "image/png") for name, content in files]).run()
    assert not page.exception
    return page


def test_it_asks_for_images_and_says_from_which_score_on_they_are_called_defective(open_page: OpenPage, finished: str):
    page = open_page("inspect", run=finished)
    assert "Called defective from a score of" in said(page)
    assert {button.label for button in page.button if button.disabled} >= {"Inspect", "Watch"}


def test_a_few_images_are_answered_here_more_in_a_process_and_a_zip_is_opened(
    open_page: OpenPage, finished: str, good: Path, begun: list
):
    picture = (good / "000.png").read_bytes()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("x/a.png", "x/read.me", "__MACOSX/b.png"):
            archive.writestr(name, picture)
    drop(open_page("inspect", run=finished), ("new.png", picture), ("more.zip", packed.getvalue()))
    assert begun.pop() == (["new.png", "a.png"], None)
    many = [(f"{i}.png", picture) for i in range(65)]
    page = drop(open_page("inspect", run=finished), *many)
    assert len(begun.pop()[0]) == 65
    assert page.query_params["inspection"], "the page shows it at once, and its address leads back"


def test_a_folder_is_inspected_or_watched_and_one_that_is_not_there_gets_a_sentence(
    open_page: OpenPage, finished: str, good: Path, begun: list, monkeypatch: pytest.MonkeyPatch
):
    page = open_page("inspect", run=finished)
    page.text_input(key="inspect_folder").set_value("/no/such/place").run()
    press(page, "Inspect")
    assert "neither a folder nor an image" in page.error[0].value and not begun
    page.text_input(key="inspect_folder").set_value(str(good)).run()
    monkeypatch.setenv("WTFLOW_ROOTS", str(good / "elsewhere"))
    press(page, "Inspect")
    assert "outside the folders that may be read" in page.error[0].value and not begun
    monkeypatch.setenv("WTFLOW_ROOTS", str(good))
    press(page, "Watch")
    (sources, settings) = begun.pop()
    assert sources == [str(good)] and settings.watch


def test_an_archive_that_leads_out_of_itself_is_refused_in_a_sentence(open_page: OpenPage, finished: str, begun: list):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("../../a.png", b"x")
    page = drop(open_page("inspect", run=finished), ("bad.zip", packed.getvalue()))
    assert "leads out of the archive" in page.error[0].value and not begun


def test_the_answer_counts_and_each_image_is_shown_or_says_why_not(
    open_page: OpenPage, finished: str, inspection: Inspection
):
    page = open_page("inspect", inspection=inspection.inspection_id)
    words = said(page)
    assert "1 of 2 images called defective" in words
    assert "50 %" in words.replace("\N{NBSP}", " ")
    assert "cut.png is cut off" in page.error[0].value
    assert page.selectbox(key="widget_run").value == finished, "the picker shows the run that inspected"
    press(page, "**1** could not be read")
    assert page.query_params["calls"] == "problem"
    assert "1 of 3 images: could not be read" in said(page)


def test_one_image_opens_by_its_address_and_keeps_a_note(
    open_page: OpenPage, store: RunStore, finished: str, inspection: Inspection
):
    page = open_page("inspect", inspection=inspection.inspection_id, image="000.png")
    assert "Called defective" in said(page)
    (pictures,) = components(page)
    assert pictures.key == "pictures"
    page.text_area[0].set_value("oil on the lens").run()
    assert not page.exception
    assert read_words(store, inspection.inspection_id).notes == {"000.png": "oil on the lens"}
    press(page, "Next")
    assert page.query_params["image"] == "001.png"
    assert open_page("inspect", inspection=inspection.inspection_id, image="no.png").error


def test_inspections_are_listed_named_and_deleting_asks_first(
    open_page: OpenPage, store: RunStore, finished: str, inspection: Inspection
):
    assert "Inspections" in said(open_page("inspect", run=finished))
    page = open_page("inspect", inspection=inspection.inspection_id)
    page.text_input[0].set_value("week 48").run()
    assert "week 48" in said(page)
    press(page, "Delete")
    assert {button.label for button in page.button} >= {"Keep it", "Delete for good"}


def test_an_inspection_outlives_its_run_and_one_that_is_gone_is_named(
    open_page: OpenPage, store: RunStore, finished: str, inspection: Inspection
):
    store.delete(finished)
    assert "1 of 2 images called defective" in said(open_page("inspect", inspection=inspection.inspection_id))
    page = open_page("inspect", inspection="20200101-000000-gone")
    assert not page.exception and "There is no inspection" in page.error[0].value.replace("\\", "")


def test_the_share_called_defective_is_compared_with_the_inspection_before(
    open_page: OpenPage, store: RunStore, finished: str, good: Path
):
    for n_called in (2, 15):
        made = write_inspection(store, finished, {f"{i}.png": 1.0 + 2 * (i < n_called) for i in range(30)}, good)
    page = open_page("inspect", inspection=made.inspection_id)
    assert "More are called defective than before" in said(page)


def test_what_stopped_says_so_and_offers_to_go_on(
    open_page: OpenPage, store: RunStore, finished: str, inspection: Inspection, monkeypatch: pytest.MonkeyPatch
):
    status = replace(inspection.status, state="stopped", message="Stopped. What it has scored is kept.")
    inspections.write_progress(store, replace(inspection, status=status))
    resumed = []
    monkeypatch.setattr(tasks, "resume", lambda store, at: resumed.append(at))
    page = open_page("inspect", inspection=inspection.inspection_id)
    assert "Stopped." in page.info[0].value
    press(page, "Resume")
    assert resumed == [inspection.inspection_id]


def test_images_that_an_earlier_version_kept_are_shown_and_can_be_removed(
    open_page: OpenPage, store: RunStore, finished: str, good: Path
):
    folder = store.folder(finished) / "tried"
    folder.mkdir()
    (folder / "ab.png").write_bytes((good / "000.png").read_bytes())
    np.save(folder / "ab.npy", np.ones((64, 64), np.float32))
    (folder / "ab.json").write_text('{"name": "mine.png", "score": 1.5, "image": "ab.png", "kept": 1.0, "nearest": []}')
    (folder / "cd.json").write_text("{")
    page = open_page("inspect", run=finished)
    assert "by an earlier version: 1 image" in said(page) and "mine.png" in said(page)
    assert "cd" in page.error[0].value, "a damaged one hides no other"
    press(page, "Remove")
    assert list_tried(store, finished, lambda error: None) == []


def test_a_detector_from_a_file_has_no_run_to_show_normals_of(
    open_page: OpenPage, store: RunStore, finished: str, inspection: Inspection
):
    inspections.write_plan(store, replace(inspection, detector="/elsewhere/screw.wtf", facts=FACTS))
    page = open_page("inspect", inspection=inspection.inspection_id, image="000.png", position="1,1")
    assert "This detector came from a file" in said(page)
