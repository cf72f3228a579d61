import os
import shutil
from collections import Counter
from pathlib import Path

import pytest
import streamlit as st
from page_runs import OpenPage, texts

from pages.ui.frame import PAGES
from wtflow.store.runs import RunStore


def test_a_category_is_counted_checked_and_shown(open_page: OpenPage, root: Path):
    page = open_page("data", root=str(root))
    assert not page.exception
    table = page.dataframe[0].value
    assert list(table.columns[:4]) == [
        "category",
        "normal training images",
        "normal test images",
        "defective test images",
    ]
    assert list(table.iloc[0][:4]) == ["plate", 12, 2, 3]
    assert "ready: nothing to fix" in texts(page)


def test_another_group_is_kept_in_the_address(open_page: OpenPage, root: Path):
    page = open_page("data", root=str(root))
    page.button_group(key="widget_group").set_value("test spot").run()
    assert not page.exception
    assert page.query_params["group"] == "test spot"
    assert "The line marks the true defect" in texts(page)


def test_a_root_one_level_too_low_offers_the_right_one(open_page: OpenPage, root: Path):
    page = open_page("data", root=str(root / "plate"))
    assert "is itself a category" in page.error[0].value.replace("\\", "")
    page.button[1].click().run()
    assert not page.error
    assert page.query_params["root"] == str(root)


def test_a_folder_that_is_not_there_gets_a_sentence(open_page: OpenPage, tmp_path: Path):
    page = open_page("data", root=str(tmp_path / "nowhere"))
    assert not page.exception
    assert "does not exist" in page.error[0].value


def test_the_folder_used_last_is_remembered_by_a_new_session(open_page: OpenPage, store: RunStore, root: Path):
    open_page("data", root=str(root))
    again = open_page("data")
    assert again.text_input[0].value == str(root)
    assert again.title[0].value == PAGES["data"].title


def test_an_unknown_category_in_the_address_falls_back_with_a_word(open_page: OpenPage, root: Path):
    page = open_page("data", root=str(root), category="nonsense")
    assert "no category" in page.warning[0].value
    assert not page.exception


def test_a_click_asks_the_disk_once_per_folder_and_for_no_file_alone(open_page: OpenPage, root: Path, monkeypatch):
    page = open_page("data", root=str(root))
    page.button_group(key="widget_group").set_value("test spot").run()
    asked, stat = [], os.stat
    listed, scandir = [], os.scandir
    monkeypatch.setattr(os, "stat", lambda path, *rest, **named: asked.append(str(path)) or stat(path, *rest, **named))
    monkeypatch.setattr(os, "scandir", lambda folder: listed.append(str(folder)) or scandir(folder))
    page.run()
    monkeypatch.undo()
    assert not page.exception
    assert [path for path in asked if path.endswith(".png")] == []
    # A second time where the last scan is older than some seconds.
    assert max(Counter(path for path in listed if path.startswith(str(root / "plate"))).values()) <= 2


def test_the_health_report_is_made_again_when_a_file_was_written_again(open_page: OpenPage, root: Path):
    page = open_page("data", root=str(root))
    (root / "plate/train/good/001.png").write_bytes(b"no image")
    page.run()
    assert "1 problem to fix before training" in texts(page)


def test_a_finding_offers_to_read_a_folder_as_good_and_the_choice_can_be_taken_back(open_page: OpenPage, root: Path):
    (root / "plate/test/good").rename(root / "plate/test/OK")
    page = open_page("data", root=str(root))
    assert list(page.dataframe[0].value.iloc[0][2:4]) == [0, 5]
    offer = next(button for button in page.button if button.label == "Read test/OK as good")
    offer.click().run()
    assert not page.exception
    assert list(page.dataframe[0].value.iloc[0][2:4]) == [2, 3]
    assert "ready: nothing to fix" in texts(page)
    assert "this reads test/OK as good" in texts(page)
    next(button for button in page.button if button.label == "Read as found").click().run()
    assert list(page.dataframe[0].value.iloc[0][2:4]) == [0, 5]
    assert not page.exception


def test_a_file_in_the_wrong_place_leaves_the_report_once_it_is_gone(open_page: OpenPage, root: Path):
    deep = root / "plate/train/good/batch1/x.png"
    deep.parent.mkdir()
    deep.write_bytes((root / "plate/train/good/000.png").read_bytes())
    assert "one folder too deep" in texts(open_page("data", root=str(root)))
    deep.unlink()
    st.cache_data.clear()  # folders are listed again after some seconds
    assert "too deep" not in texts(open_page("data", root=str(root)))


@pytest.mark.parametrize("name", ["data", "train"])
def test_a_category_that_cannot_be_listed_hides_no_other(open_page: OpenPage, root: Path, name: str, monkeypatch):
    shutil.copytree(root / "plate", root / "locked")
    scandir = os.scandir

    def refuse(folder):  # tests may run as root, who may open everything
        if Path(folder).is_relative_to(root / "locked" / "test"):
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    page = open_page(name, root=str(root))
    assert not page.exception
    assert page.button_group(key="widget_category").options == ["locked", "plate"]
    assert "cannot be opened" in page.error[0].value
    page.button_group(key="widget_category").set_value("plate").run()
    assert not page.error
    if name == "data":
        assert "cannot be opened (Permission denied)" in page.dataframe[0].value.iloc[0]["defect types"]
        assert "ready: nothing to fix" in texts(page)
