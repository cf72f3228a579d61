"""Images that are offered: listed without being read, and each with its own reason where it cannot be read."""

import os
from pathlib import Path

import pytest
from image_folders import noise, save

from wtflow.datasets.offered import Offered, offer_path, stamps_of
from wtflow.errors import DatasetError, ImageReadError

REASONS = {
    "dead.png": (lambda path: path.symlink_to("nowhere"), "is a link to a file that is not there"),
    "circle.png": (lambda path: path.symlink_to(path), "cannot be opened"),
    "pipe.png": (os.mkfifo, "is not a file"),
    "device.png": (lambda path: path.symlink_to("/dev/zero"), "is not a file"),
    "folder.png": (Path.mkdir, "is not a file"),
}


@pytest.mark.parametrize("name", REASONS)
def test_what_cannot_be_read_is_listed_and_says_why(tmp_path: Path, name: str):
    make, reason = REASONS[name]
    make(tmp_path / name)
    save(tmp_path / "sound.png", noise(0))
    offered = {Path(one.name).name: one for one in offer_path(str(tmp_path))}
    assert offered.keys() == {name, "sound.png"}
    with pytest.raises(ImageReadError, match=reason) as caught:
        offered[name].read()
    assert caught.value.fix
    assert offered["sound.png"].read() == (tmp_path / "sound.png").read_bytes()


def test_all_images_are_listed_by_name_and_nothing_else(tmp_path: Path):
    names = ["10.PNG", "9.tif", "a.jpeg", "Ä ö 部.webp"]
    for name in (*names, "notes.txt", ".hidden.png", "Thumbs.db"):
        (tmp_path / name).write_bytes(b"")
    assert [Path(one.name).name for one in offer_path(f' "{tmp_path}" ')] == names


def test_a_name_that_is_no_utf8_is_shown_as_text_and_read(tmp_path: Path):
    with open(os.fsencode(tmp_path) + b"/\xfc.png", "wb") as file:  # noqa: PTH123
        file.write(b"content")
    (one,) = offer_path(str(tmp_path))
    assert one.name.encode() == f"{tmp_path}/\\xfc.png".encode()
    assert one.read() == b"content"


def test_one_image_may_be_given_instead_of_its_folder(tmp_path: Path):
    path = save(tmp_path / "one.png", noise(0))
    assert [one.path for one in offer_path(str(path))] == [path]


@pytest.mark.parametrize("text", ["", "nowhere", "~nobody-of-this-name", "\0", "notes.txt", "nothing", "x" * 5000])
def test_where_nothing_is_there_is_a_sentence(tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").touch()
    (tmp_path / "nothing").mkdir()
    with pytest.raises(DatasetError, match="holds no images") as caught:
        offer_path(text)
    assert caught.value.fix


def test_a_folder_that_may_not_be_opened_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def scandir(folder):  # tests may run as root, who may open everything
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(DatasetError, match="Permission denied"):
        offer_path(str(tmp_path))


def test_the_stamp_of_a_file_follows_its_contents_and_that_of_a_drop_is_its_token(tmp_path: Path):
    path = save(tmp_path / "one.png", noise(0))
    offered = [
        *offer_path(str(path)),
        Offered("one.png", data=b"1", token="a"),
        Offered("one.png", data=b"1", token="b"),
    ]
    before = stamps_of(offered)
    assert len(set(before)) == 3 and stamps_of(offered) == before
    path.write_bytes(b"other")
    assert [a == b for a, b in zip(before, stamps_of(offered), strict=True)] == [False, True, True]
