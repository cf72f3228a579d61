"""`python -m wtflow new`: photos in, a data set and the line that trains it out; mistakes give a sentence and leave
nothing behind.
"""

import json

import numpy as np
import pytest
from image_folders import noise, save
from PIL import Image
from typer.testing import CliRunner

from wtflow.cli.app import app
from wtflow.store.datasets import set_names


def shell(*arguments: object) -> tuple[int, dict, str]:
    result = CliRunner().invoke(app, ["new", *map(str, arguments), "--json"])
    return result.exit_code, json.loads(result.stdout.splitlines()[-1]), result.output


def part(seed: int) -> np.ndarray:
    """A picture of 96 pixels with details of 6 that a camera would see again."""
    return np.kron(np.random.default_rng(seed).integers(40, 220, (16, 16)), np.ones((6, 6))).astype(np.uint8)


@pytest.fixture
def photos(tmp_path):
    for i in range(8):
        save(tmp_path / f"good/IMG_{i}.png", part(i))
    Image.fromarray(part(0)).save(tmp_path / "good/again.jpg", quality=80)
    for i in range(2):
        save(tmp_path / f"bad/scratch/{i}.png", part(100 + i))
        save(tmp_path / f"masks/scratch/{i}_mask.png", np.pad(np.full((4, 4), 255, np.uint8), 46))
    return tmp_path


def test_photos_become_a_version_with_near_duplicates_on_one_side_and_more_photos_the_next(store, photos):
    code, facts, output = shell(
        "plates", "--good", photos / "good", "--defect", photos / "bad", "--masks", photos / "masks"
    )
    assert code == 0, output
    assert (facts["version"], facts["root"]) == (1, str(store.home / "data/plates/versions/1"))
    assert facts["counts"] == {"train": {"good": 6}, "test": {"good": 3, "scratch": 2}}
    assert [(pair["first"], pair["second"]) for pair in facts["near_duplicates"]] in (
        [("again.jpg (good)", "IMG_0.png (good)")],
        [("IMG_0.png (good)", "again.jpg (good)")],
    )
    assert [one["code"] for one in facts["findings"] if one["severity"] != "info"] == []
    assert facts["train"] == f"python -m wtflow train {facts['root']} plates"
    assert facts["train"] in output
    save(photos / "more/x.png", part(50))
    code, facts, output = shell("plates", "--add", "--good", photos / "more", "--test-share", "0.3")
    assert (code, facts["version"], facts["labels"]["good"]) == (0, 2, 10)
    assert "Against version 1: 1 image added." in output


def test_photos_that_are_not_sorted_wait(store, photos):
    save(photos / "one/a.png", noise(1))
    code, facts, output = shell("later", "--unsorted", photos / "one")
    assert (code, facts["version"], facts["labels"]["unsorted"]) == (0, None, 1)
    assert "sort them on the page Data" in output


def test_a_mistake_gives_a_sentence_exit_code_2_and_no_data_set(store, photos):
    save(photos / "same/a.png", part(0))
    (photos / "no.zip").write_bytes(b"no zip")
    good = ("--good", photos / "good")
    for arguments, why in (
        (("plates",), "No images are given"),
        (("../plates", *good), "cannot name a data set"),
        (("plates", "--good", photos / "nowhere"), "is no folder"),
        (("plates", "--good", photos / "no.zip"), "is no zip archive"),
        (("plates", *good, "--defect", f"a/b={photos / 'bad'}"), "cannot name a type"),
        (("plates", *good, "--defect", photos / "same"), "one image cannot have two labels"),
        (("plates", *good, "--test-share", "30"), "no share of good images"),
        (("plates", *good, "--masks", photos / "bad"), "It is not certain what these masks mean"),
        (("plates", "--add", *good), "There is no data set 'plates'"),
    ):
        code, facts, _ = shell(*arguments)
        assert (code, set_names(store)) == (2, ()), why
        assert why in facts["error"]
