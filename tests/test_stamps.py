"""Stamps of files: what they notice, and how often the disk is asked."""

import os
from pathlib import Path

import pytest
from image_folders import make_mvtec, make_visa

from wtflow.datasets.scan import scan_category
from wtflow.datasets.stamps import ABSENT, fingerprint, stamp_category, stamp_files, stamp_of


@pytest.fixture
def root(tmp_path: Path) -> Path:
    make_mvtec(tmp_path / "part")
    return tmp_path


def seen(root: Path, name: str = "part") -> int:
    category = scan_category(root, name)
    return fingerprint(category, stamp_category(category))


def rewrite(path: Path) -> None:
    """Other bytes under the old name, size and time, as a copy that keeps times leaves them."""
    before = path.stat()
    path.write_bytes(bytes(before.st_size))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("name", ["train/good/001.png", "test/broken/001.png", "ground_truth/broken/001_mask.png"])
@pytest.mark.parametrize("change", [rewrite, Path.unlink, Path.touch], ids=["rewritten", "removed", "touched"])
def test_a_changed_image_or_mask_is_noticed(root: Path, name: str, change):
    before = seen(root)
    assert seen(root) == before
    change(root / "part" / name)
    assert seen(root) != before


@pytest.mark.parametrize("name", ["train/good/009.png", "ground_truth/broken/000.png", "ground_truth/broken/999.png"])
def test_an_added_image_or_a_second_mask_is_noticed_and_a_mask_that_pairs_with_none_is_not(root: Path, name: str):
    before = seen(root)
    (root / "part" / name).write_bytes((root / "part/train/good/000.png").read_bytes())
    assert (seen(root) != before) == ("999" not in name)


def test_another_mask_under_the_same_image_is_noticed(root: Path):
    masks = root / "part/ground_truth/broken"
    before = seen(root)
    (masks / "001_mask.png").rename(masks / "001.png")
    assert seen(root) != before


def test_each_folder_is_listed_once_and_no_path_is_asked_for_alone(root: Path, monkeypatch: pytest.MonkeyPatch):
    category = scan_category(root, "part")
    listed, scandir = [], os.scandir
    monkeypatch.setattr(os, "scandir", lambda folder: listed.append(Path(folder)) or scandir(folder))
    monkeypatch.setattr(os, "stat", lambda *args, **named: pytest.fail(f"asked for {args[0]}"))
    stamps = stamp_category(category)
    monkeypatch.undo()
    folders = ("train/good", "test/good", "test/broken", "ground_truth/broken")
    assert sorted(listed) == sorted(root / "part" / folder for folder in folders)
    assert stamps == {path: stamp_of(path.stat()) for path in stamps}


def test_what_cannot_be_looked_at_is_absent_and_stops_no_other(tmp_path: Path):
    here, dead, circle = tmp_path / "here.png", tmp_path / "dead.png", tmp_path / "circle.png"
    here.write_bytes(b"1")
    dead.symlink_to(tmp_path / "nowhere")
    circle.symlink_to(circle)
    other = tmp_path / "no_folder" / "a.png"
    stamps = stamp_files([here, dead, circle, other])
    assert stamps == {here: stamp_of(here.stat()), dead: ABSENT, circle: ABSENT, other: ABSENT}


def test_a_link_counts_as_what_it_leads_to(tmp_path: Path):
    target, link = tmp_path / "target", tmp_path / "link.png"
    target.write_bytes(b"1")
    link.symlink_to(target)
    before = stamp_files([link])[link]
    target.write_bytes(b"22")
    assert stamp_files([link])[link] != before


def test_images_in_a_layout_with_a_split_file_are_noticed_too(tmp_path: Path):
    make_visa(tmp_path)
    before = seen(tmp_path, "candle")
    rewrite(next((tmp_path / "candle/Data/Masks").rglob("*.png")))
    assert seen(tmp_path, "candle") != before
