"""From loose photos to the button *Start training*, in a browser: dropped, sorted, a mask drawn, split, published."""

import shutil
from pathlib import Path

import pytest
from app_server import PROJECT, served
from in_chromium import at_rest, browser, new_page, no_error_is_shown  # noqa: F401
from in_chromium import pytestmark as in_chromium
from run_folders import write_tiny_category

from wtflow.store.dataset_versions import open_version
from wtflow.store.datasets import open_set
from wtflow.store.runs import RunStore

pytestmark = [*in_chromium, pytest.mark.slow]


def loose(folder: Path, target: Path, first: int) -> list[Path]:
    """The images of a folder under names that say nothing."""
    target.mkdir()
    paths = sorted(folder.glob("*.png"))
    return [shutil.copy(path, target / f"IMG_{first + i:04d}.png") for i, path in enumerate(paths)]


def test_loose_photos_become_a_version_that_can_be_trained(browser, tmp_path, monkeypatch):
    root = write_tiny_category(tmp_path / "images", n_train=14, n_good=2, n_bad=3)
    good = loose(root / "plate/train/good", tmp_path / "mine", 1)
    bad = loose(root / "plate/test/spot", tmp_path / "other", 50)
    home = tmp_path / "home"
    home.mkdir()
    with served(PROJECT / "app.py", home) as address:
        page = new_page(browser)
        page.goto(f"{address}/data?way=photos")
        page.get_by_label("What do the photos show?").fill("my plate")
        page.get_by_role("button", name="Start").click()
        page.get_by_text("These are good").wait_for()
        page.locator("input[type=file]").nth(0).set_input_files(good)
        page.get_by_text("14 images added").wait_for()
        page.locator("input[type=file]").nth(2).set_input_files(bad)
        page.get_by_text("3 images added").wait_for()
        page.get_by_role("button", name="Go on: sort").click()
        page.locator(".tile").nth(2).wait_for()  # the unsorted ones are listed first
        page.locator(".tile").first.click()
        page.keyboard.press("Control+a")
        page.keyboard.press("d")
        page.get_by_text("14 good, 3 defective").first.wait_for()
        page.get_by_role("button", name="Go on: mark").click()
        page.locator(".mask[data-picture]").wait_for()
        at_rest(page)
        box = page.locator(".mask canvas").bounding_box()
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.get_by_text("1 of 3 drawn").first.wait_for()
        page.reload()
        page.get_by_text("1 of 3 drawn").first.wait_for()
        page.get_by_role("button", name="Go on: split").click()
        page.get_by_text("Good photos that train").wait_for()
        page.get_by_role("button", name="Go on: make a version").click()
        page.get_by_role("button", name="Make version 1").click()
        page.get_by_role("button", name="Train this").click()
        page.get_by_role("button", name="Start training").wait_for()
        no_error_is_shown(page)
    monkeypatch.setenv("WTFLOW_HOME", str(home))
    store = RunStore()
    data, version = open_set(store, "my plate"), open_version(store, "my plate", 1)
    assert data.counts == {"good": 14, "defect": 3, "unsorted": 0, "out": 0}
    assert sum(bool(member.mask) for member in version.members) == 1 and len(version.members) == 17
