import importlib
from pathlib import Path

import numpy as np
import pytest
from page_runs import OpenPage, texts

from wtflow.records.core import Tried
from wtflow.store.runs import RunStore
from wtflow.store.tried import list_tried


@pytest.fixture
def scored(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the images that were scored; the scores are 1, 2, 3 ... and no network is loaded."""
    names = []

    def try_images(store: RunStore, run_id: str, files: list[tuple[str, bytes]]) -> list[Tried]:
        found = []
        for name, _ in files:
            names.append(name)
            if "bad" in name:
                found.append(Tried(name, problem="bad.png cannot be read. Copy it again."))
            else:
                found.append(
                    Tried(name, float(len(names)), np.ones((64, 64), np.float32), np.zeros((64, 64, 3), np.uint8))
                )
        return found

    monkeypatch.setattr(importlib.import_module("wtflow.studies.try_images"), "try_images", try_images)
    return names


def test_it_asks_for_images_before_anything_is_scored(open_page: OpenPage, finished: str, scored: list[str]):
    page = open_page("try_image")
    assert not page.exception
    assert scored == []


def test_a_dropped_image_gets_score_and_verdict_once(open_page: OpenPage, root: Path, finished: str, scored: list[str]):
    page = open_page("try_image", run=finished)
    page.file_uploader[0].upload("new.png", (root / "plate/test/good/000.png").read_bytes(), "image/png").run()
    assert not page.exception
    assert "called normal" in texts(page)
    page.run()
    assert scored == ["new.png"]


def test_the_images_of_a_folder_are_scored_and_one_bad_file_stops_nothing(
    open_page: OpenPage, root: Path, finished: str, scored: list[str]
):
    folder = root / "plate/test/good"
    (folder / "bad.png").write_bytes(b"no image")
    page = open_page("try_image", run=finished)
    page.text_input(key="tried_folder").set_value(str(folder)).run()
    assert not page.exception
    assert len(scored) == 3
    assert "cannot be read" in page.error[0].value.replace("\\", "")
    assert "3 images" in texts(page)


def test_a_kept_image_is_listed_with_the_run_and_can_be_removed(
    open_page: OpenPage, store: RunStore, root: Path, finished: str, scored: list[str]
):
    page = open_page("try_image", run=finished)
    page.text_input(key="tried_folder").set_value(str(root / "plate/test/good")).run()
    next(button for button in page.button if button.label == "Keep in this run").click().run()
    assert not page.exception
    assert len(list_tried(store, finished)) == 1
    assert "Kept with this run: 1 image" in texts(page)
    next(button for button in page.button if button.label == "Remove").click().run()
    assert list_tried(store, finished) == []


def test_a_folder_without_images_gets_a_sentence(open_page: OpenPage, tmp_path: Path, finished: str):
    page = open_page("try_image", run=finished)
    page.text_input(key="tried_folder").set_value(str(tmp_path / "nowhere")).run()
    assert not page.exception
    assert "holds no images" in page.error[0].value
