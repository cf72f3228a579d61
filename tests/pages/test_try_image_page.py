import importlib
import os
from pathlib import Path

import numpy as np
import pytest
from page_runs import OpenPage, texts
from streamlit.testing.v1 import AppTest

from wtflow.errors import WeightsError
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


def titles(page: AppTest) -> list[str]:
    """The first line of each card."""
    cards = [item.value for kind in (page.markdown, page.error) for item in kind]
    return sorted(text.splitlines()[0].replace("\\", "") for text in cards if " of " in text and ":small[" in text)


def drop(page: AppTest, *files: tuple[str, bytes]) -> AppTest:
    page.file_uploader[0].set_value([(name, content, "image/png") for name, content in files]).run()
    assert not page.exception
    return page


@pytest.fixture
def picture(root: Path) -> bytes:
    return (root / "plate/test/good/000.png").read_bytes()


@pytest.fixture
def other(root: Path) -> bytes:
    return (root / "plate/test/good/001.png").read_bytes()


def test_a_file_dropped_twice_gets_two_cards_and_the_second_says_so(
    open_page: OpenPage, finished: str, scored: list[str], picture: bytes
):
    page = drop(open_page("try_image", run=finished), ("000.png", picture), ("000.png", picture))
    assert titles(page) == [
        "**000.png** :gray[:small[1 of 2]]",
        "**000.png** :gray[:small[2 of 2 · same contents as 1]]",
    ]
    assert scored == ["000.png"]


def test_two_files_of_one_name_with_other_contents_are_two(
    open_page: OpenPage, store: RunStore, finished: str, scored: list[str], picture: bytes, other: bytes
):
    page = drop(open_page("try_image", run=finished), ("000.png", picture), ("000.png", other))
    assert titles(page) == ["**000.png** :gray[:small[1 of 2]]", "**000.png** :gray[:small[2 of 2]]"]
    assert len(scored) == 2
    keep_buttons = [button for button in page.button if button.label == "Keep in this run"]
    keep_buttons[1].click().run()
    assert list_tried(store, finished)[0]["image"].read_bytes() == other
    assert len([button for button in page.button if button.label == "Keep in this run"]) == 1


def test_two_names_of_one_picture_are_kept_as_one(
    open_page: OpenPage, store: RunStore, finished: str, scored: list[str], picture: bytes
):
    page = drop(open_page("try_image", run=finished), ("a.png", picture), ("b.png", picture))
    next(button for button in page.button if button.label == "Keep in this run").click().run()
    assert not [button for button in page.button if button.label == "Keep in this run"]
    assert len(list_tried(store, finished)) == 1


UNREADABLE = {
    "dead.png": lambda path: path.symlink_to("nowhere"),
    "circle.png": lambda path: path.symlink_to(path),
    "pipe.png": lambda path: os.mkfifo(path),
    "device.png": lambda path: path.symlink_to("/dev/zero"),
    "folder.png": lambda path: path.mkdir(),
}
ODD = ("a*b* :red[x] $y$.png", "[x](http:__y).png", "line\nfeed.png", "`<b>.png", "=1+1.PNG", "-.png")


def test_files_that_cannot_be_read_and_odd_names_get_a_card_each_and_stop_no_other(
    open_page: OpenPage, tmp_path: Path, finished: str, scored: list[str], picture: bytes
):
    folder = tmp_path / "mixed"
    folder.mkdir()
    for name, make in UNREADABLE.items():
        make(folder / name)
    for name in ODD:
        (folder / name).write_bytes(picture)
    with open(os.fsencode(folder) + b"/\xfc.png", "wb") as file:  # noqa: PTH123
        file.write(picture)
    page = open_page("try_image", run=finished)
    page.text_input(key="tried_folder").set_value(str(folder)).run()
    errors, cards = [error.value for error in page.error], titles(page)
    page.query_params["page"] = "2"
    page.run()
    assert not page.exception
    errors, cards = errors + [error.value for error in page.error], cards + titles(page)
    assert len(errors) == len(UNREADABLE)
    assert len(cards) == len(UNREADABLE) + len(ODD) + 1
    assert sorted(scored) == sorted([*(str(folder / name) for name in ODD), f"{folder}/\\xfc.png"])


def test_a_file_without_permission_gets_a_card(
    open_page: OpenPage, tmp_path: Path, finished: str, scored: list[str], picture: bytes, monkeypatch
):
    folder = tmp_path / "locked"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        (folder / name).write_bytes(picture)
    read = Path.read_bytes

    def read_bytes(path: Path) -> bytes:  # the tests may run as root, who may read everything
        if path.name == "a.png":
            raise PermissionError(13, "Permission denied")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    page = open_page("try_image", run=finished)
    page.text_input(key="tried_folder").set_value(str(folder)).run()
    assert "permission denied" in page.error[0].value
    assert scored == [str(folder / "b.png")]


def test_a_folder_is_read_page_by_page_and_nothing_twice(
    open_page: OpenPage, tmp_path: Path, finished: str, scored: list[str], picture: bytes, monkeypatch
):
    folder = tmp_path / "many"
    folder.mkdir()
    for i in range(72):
        (folder / f"{i:02}.png").write_bytes(picture + bytes([i]))
    offered, read, reads = importlib.import_module("wtflow.datasets.offered"), Path.read_bytes, []
    monkeypatch.setattr(offered, "read_bytes", lambda path, name: reads.append(path.name) or read(path))
    page = open_page("try_image", run=finished)
    page.text_input(key="tried_folder").set_value(str(folder)).run()
    assert "72 images" in texts(page)
    assert reads == [f"{i:02}.png" for i in range(10)]
    page.run()
    assert len(reads) == len(scored) == 10, "a rerun reads nothing"
    page.query_params["page"] = "8"
    page.run()
    assert reads[10:] == ["70.png", "71.png"]
    (folder / "70.png").write_bytes(picture + b"written again")
    page.run()
    assert reads[12:] == ["70.png"]
    assert len(scored) == 13


def test_a_file_that_changed_after_its_score_is_not_kept_under_it(
    open_page: OpenPage, store: RunStore, tmp_path: Path, finished: str, scored: list[str], picture: bytes, monkeypatch
):
    folder = tmp_path / "one"
    folder.mkdir()
    (folder / "a.png").write_bytes(picture)
    page = open_page("try_image", run=finished)
    page.text_input(key="tried_folder").set_value(str(folder / "a.png")).run()
    offered, read = importlib.import_module("wtflow.datasets.offered"), Path.read_bytes
    monkeypatch.setattr(offered, "read_bytes", lambda path, name: read(path) + b"changed")
    next(button for button in page.button if button.label == "Keep in this run").click().run()
    assert "has changed since it was scored" in page.error[0].value
    assert list_tried(store, finished) == []


def test_a_training_image_that_was_replaced_hides_no_score(
    open_page: OpenPage, store: RunStore, root: Path, finished: str, picture: bytes, monkeypatch
):
    name, data = "train/good/000.png", store.data(finished)
    entry = {"id": name, "path": str(root / "plate" / name), "split": "train", "defect": "good", "mask": ""}
    store.write_data(finished, data | {"samples": [*data["samples"], entry | {"sha256": "0" * 64}]})
    nearest = ((name, 0.5),)
    result = Tried("a.png", 2.0, np.ones((64, 64), np.float32), np.zeros((64, 64, 3), np.uint8), nearest)
    monkeypatch.setattr(importlib.import_module("wtflow.studies.try_images"), "try_images", lambda *args: [result])
    page = drop(open_page("try_image", run=finished), ("a.png", picture), ("b.png", picture + b"2"))
    assert len(titles(page)) == 2
    assert "000.png has changed since this run read it" in texts(page).replace("\\", "")


def test_a_damaged_kept_image_hides_no_other(
    open_page: OpenPage, store: RunStore, finished: str, scored: list[str], picture: bytes
):
    page = drop(open_page("try_image", run=finished), ("a.png", picture))
    next(button for button in page.button if button.label == "Keep in this run").click().run()
    (kept,) = list_tried(store, finished)
    (kept["map"].parent / "0000.json").write_text("{")
    page.run()
    assert not page.exception
    assert "0000" in page.error[0].value and "Kept with this run: 1 image" in texts(page)
    next(button for button in page.button if button.label == "Remove").click().run()
    assert not kept["image"].exists()


def test_a_folder_that_is_refused_hides_no_dropped_image(
    open_page: OpenPage, tmp_path: Path, finished: str, scored: list[str], picture: bytes
):
    page = drop(open_page("try_image", run=finished), ("a.png", picture))
    for path in (str(tmp_path / "nowhere"), "~nobody-of-this-name/x", "\0", "x" * 5000, str(tmp_path)):
        page.text_input(key="tried_folder").set_value(path).run()
        assert not page.exception
        assert "holds no images" in page.error[0].value
        assert len(titles(page)) == 1


def test_what_a_run_cannot_score_hides_no_kept_image(
    open_page: OpenPage, store: RunStore, finished: str, scored: list[str], picture: bytes, other: bytes, monkeypatch
):
    page = drop(open_page("try_image", run=finished), ("a.png", picture))
    next(button for button in page.button if button.label == "Keep in this run").click().run()

    def refuse(*arguments):
        raise WeightsError("The weights have changed.", fix="Train again.")

    monkeypatch.setattr(importlib.import_module("wtflow.studies.try_images"), "try_images", refuse)
    drop(page, ("b.png", other))
    assert "weights have changed" in page.error[0].value
    assert "Kept with this run: 1 image" in texts(page)
