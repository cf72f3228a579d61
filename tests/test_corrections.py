"""What people say of a run's images becomes the next version of its data; the folder of images is only read."""

import json
import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from image_folders import noise, save
from PIL import Image
from run_folders import tiny_settings, train_here, write_tiny_category
from typer.testing import CliRunner

from wtflow.cli.app import app
from wtflow.compare.differences import trained_sentences
from wtflow.compare.runs import align
from wtflow.datasets.health import check_category
from wtflow.datasets.scan import scan_category
from wtflow.errors import DamagedDataSetError, DatasetError, ImageChangedError
from wtflow.intake.adding import add_folder
from wtflow.intake.corrected import apply_corrections, preview_words
from wtflow.intake.corrections import correct, correct_file, corrections_of, folder_for, take_back
from wtflow.intake.rank import rank_unsorted
from wtflow.jobs.again import train_again
from wtflow.records.core import RunStatus
from wtflow.records.intake import Labelled
from wtflow.results import open_results
from wtflow.store.dataset_versions import newest_version, open_version, version_of, version_root
from wtflow.store.datasets import open_set, set_names
from wtflow.store.runs import RunStore


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory):
    """A store with one run on a folder that is not ours."""
    home = tmp_path_factory.mktemp("corrections")
    store = RunStore(home / "runs")
    return store, train_here(store, write_tiny_category(home / "photos"))


@pytest.fixture
def run(made, tmp_path, monkeypatch):
    """(store, run id, folder of the images): a copy of the store for each test; the images are shared."""
    store, run_id = made
    shutil.copytree(store.home, tmp_path / "runs")
    monkeypatch.setenv("WTFLOW_HOME", str(tmp_path / "runs"))
    return RunStore(), run_id, store.home.parent / "photos/plate"


def contents(folder) -> dict:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_last_thing_said_of_an_image_counts_and_can_be_taken_back(run):
    store, run_id, _ = run
    correct(store, run_id, "test/spot/000.png", "good")
    correct(store, run_id, "test/spot/001.png", "out")
    said = correct(store, run_id, "test/spot/000.png", "defect", defect="dent", mask=np.ones((64, 64), bool))
    assert [(one.image, one.kind, one.defect, bool(one.mask)) for one in said] == [
        ("test/spot/001.png", "out", "", False),
        ("test/spot/000.png", "defect", "dent", True),
    ]
    assert corrections_of(store, run_id) == said
    assert "2 corrections (1 left out, 1 dent) would make a data set of its own" in preview_words(store, run_id)
    take_back(store, run_id, said[1].sha256)
    assert [one.image for one in take_back(store, run_id, said[0].sha256)] == []
    assert not list(folder_for(store, run_id).glob("*.png")), "its mask is gone with it"


def test_what_cannot_be_said_is_refused(run, tmp_path):
    store, run_id, _ = run
    for image, kind, more, why in (
        ("test/spot/999.png", "good", {}, "has no image"),
        ("../../x.png", "good", {}, "has no image"),
        ("test/spot/000.png", "fine", {}, "nothing that an image can be"),
        ("test/spot/000.png", "defect", {"defect": "../x"}, "cannot name a type"),
        (
            "test/spot/000.png",
            "defect",
            {"defect": "x", "mask": np.ones((3, 3), bool)},
            "3 x 3 pixels, the image 64 x 64",
        ),
    ):
        with pytest.raises(DatasetError, match=why):
            correct(store, run_id, image, kind, **more)
    new = save(tmp_path / "x.png", noise(1))
    with pytest.raises(ImageChangedError, match="has changed since it was inspected"):
        correct_file(store, run_id, new, "good", sha256="0" * 64)
    with pytest.raises(DatasetError, match="Nothing was corrected yet"):
        apply_corrections(store, run_id)
    assert corrections_of(store, run_id) == ()


def test_a_damaged_list_is_said_and_stays(run):
    store, run_id, _ = run
    correct(store, run_id, "test/spot/000.png", "good")
    path = folder_for(store, run_id) / "list.json"
    path.write_text("{")
    with pytest.raises(DamagedDataSetError, match="list of corrections"):
        correct(store, run_id, "test/spot/001.png", "good")
    assert path.read_text() == "{"


def test_corrections_of_a_folder_that_is_not_ours_make_a_copy_and_its_second_version(run, tmp_path, monkeypatch):
    monkeypatch.setattr("wtflow.intake.versions.find_pairs", lambda *_: ())
    store, run_id, folder = run
    before = contents(folder)
    correct(store, run_id, "test/spot/000.png", "good")
    correct(store, run_id, "test/spot/001.png", "out")
    correct(store, run_id, "test/good/000.png", "defect", defect="dent", mask=np.eye(64, dtype=bool))
    correct_file(store, run_id, save(tmp_path / "line/new.png", noise(9, (64, 64))), "defect", defect="spot")
    applied = apply_corrections(store, run_id)
    assert (applied.version.name, applied.version.number, applied.n_applied, applied.is_copied) == ("plate", 2, 4, True)
    assert contents(folder) == before
    assert corrections_of(store, run_id) == ()
    assert open_set(store, "plate").origin == str(folder)
    first = open_version(store, "plate", 1)
    assert {one.path for one in first.members} == {
        path.relative_to(folder).as_posix() for path in folder.rglob("*.png") if "ground_truth" not in path.parts
    }, "the copy has the names of the folder"
    paths = {one.path for one in applied.version.members}
    assert {"test/spot/000.png", "test/spot/001.png"}.isdisjoint(paths)
    assert {"test/dent/000.png", "test/good/000.png"} <= paths, "they changed places"
    moved = {one.sha256: one.side for one in first.members}
    assert all(one.side == moved.get(one.sha256, one.side) for one in applied.version.members), "nobody changes sides"
    root = version_root(store, "plate", 2)
    report = check_category(scan_category(root, "plate"))
    assert report.counts["test"] == {"good": 4, "dent": 1, "spot": 3}
    mask = Image.open(root / "plate/ground_truth/dent/000_mask.png")
    assert np.array_equal(np.asarray(mask) > 0, np.eye(64, dtype=bool))
    # said again of the same run, the copy goes on
    correct(store, run_id, "test/spot/002.png", "good")
    again = apply_corrections(store, run_id)
    assert (again.version.name, again.version.number, again.is_copied) == ("plate", 3, False)
    assert set_names(store) == ("plate",)


def test_two_runs_are_compared_on_images_that_neither_was_trained_on(run, monkeypatch):
    """A test image that is good after all stays a test image; one that trains by then is left out and said."""
    monkeypatch.setattr("wtflow.intake.versions.find_pairs", lambda *_: ())
    store, run_id, _ = run
    correct(store, run_id, "test/spot/000.png", "out")
    version = apply_corrections(store, run_id).version
    root = version_root(store, version.name, version.number)
    moved = root / "plate/test/good/001.png"
    moved.rename(root / "plate/train/good/moved.png")
    new = train_here(store, root)
    compared = align([open_results(store, one) for one in (run_id, new)], [store.data(one) for one in (run_id, new)])
    assert sorted(compared.images.sample_id) == [f"test/good/{i:03}.png" for i in (0, 2, 3)] + [
        f"test/spot/{i:03}.png" for i in (1, 2, 3)
    ]
    assert trained_sentences(compared)[0].startswith("1 tested image is left out, because B was trained on it")
    # and a run on a version of ours keeps its list with the set, and ranks what is not sorted
    assert version_of(store.config(new).root) == ("plate", 2)
    for i in range(2):
        save(store.home.parent / f"more/{i}.png", np.full((64, 64), 120 + 130 * i, np.uint8))
    add_folder(store, "plate", store.home.parent / "more", Labelled("unsorted"))
    ranked, refused = rank_unsorted(store, new, "plate")
    scores = [score for _, score in ranked]
    assert (len(ranked), refused) == (2, ())
    assert scores == sorted(scores, reverse=True)
    correct(store, new, "test/spot/001.png", "good")
    assert apply_corrections(store, new).version.number == 3
    assert newest_version(store, "plate").number == 3


def test_training_again_takes_the_settings_of_the_run_and_the_images_of_the_version(run, monkeypatch):
    monkeypatch.setattr("wtflow.intake.versions.find_pairs", lambda *_: ())
    store, run_id, _ = run
    busy = store.create(Path("/data"), "another", tiny_settings())
    store.write_status(busy, RunStatus(state="running", pid=os.getpid(), heartbeat=time.time()))
    correct(store, run_id, "test/spot/000.png", "out")
    version = apply_corrections(store, run_id).version
    new = train_again(store, run_id, version.name, version.number)
    config = store.config(new)
    assert store.status(new).state == "queued", "another training goes on"
    assert config.settings == store.config(run_id).settings
    assert version_of(config.root) == (version.name, version.number)
    assert config.category == version.name


def shell(*arguments: str) -> tuple[int, dict, str]:
    result = CliRunner().invoke(app, [*arguments, "--json"])
    return result.exit_code, json.loads(result.stdout.splitlines()[-1]), result.output


def test_the_shell_corrects_lists_and_takes_back_and_mistakes_give_a_sentence(run):
    _, run_id, folder = run
    code, facts, _ = shell("correct", run_id, "test/spot/000.png", "--defect", "dent")
    assert (code, [one["defect"] for one in facts["corrections"]]) == (0, ["dent"])
    code, facts, output = shell("correct", run_id, str(folder / "test/spot/001.png"), "--good")
    assert [one["image"] for one in facts["corrections"]] == ["test/spot/000.png", "test/spot/001.png"]
    assert "test/spot/001.png: good after all" in output
    assert len(shell("correct", run_id, "test/spot/001.png", "--undo")[1]["corrections"]) == 1
    for arguments, why in (
        ((), "No image is named"),
        (("test/spot/000.png",), "not clear"),
        (("test/spot/000.png", "--good", "--out"), "not clear"),
        (("test/spot/000.png", "--good", "--mask", "x.png"), "A mask marks a defect"),
        (("--train",), "No image is named"),
        (("nothing.png", "--good"), "has no image"),
        (("nothing.png", "--undo"), "Nothing was said"),
    ):
        code, facts, _ = shell("correct", run_id, *arguments)
        assert code == 2
        assert why in facts["error"]
