"""The images of a run were moved: taken when all of them agree, refused with what differs, and every path follows."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from report_runs import write_category, write_run
from typer.testing import CliRunner

from wtflow.cli.app import app
from wtflow.datasets.relocate import relocate
from wtflow.datasets.run_images import read_data
from wtflow.errors import DamagedRunError, DatasetError, RunNotFoundError
from wtflow.results import open_results
from wtflow.store import layout
from wtflow.store.place import Place
from wtflow.store.runs import RunStore


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "runs")


@pytest.fixture
def moved(store: RunStore, tmp_path: Path) -> tuple[str, Path]:
    """A run of five test and two training images with three masks, and the folder that they were moved to."""
    run_id = write_run(store, write_category(tmp_path / "images"))
    (tmp_path / "disk").mkdir()
    (tmp_path / "images").rename(tmp_path / "disk" / "new")
    return run_id, tmp_path / "disk" / "new"


def quiet(done: int, total: int) -> None:
    pass


def recorded(store: RunStore, run_id: str) -> dict[str, bytes]:
    return {name: (store.folder(run_id) / name).read_bytes() for name in (layout.CONFIG, layout.DATA, layout.SCORES)}


def test_every_path_of_a_run_follows_its_images_and_what_it_recorded_stays(store, moved, tmp_path):
    run_id, root = moved
    before = recorded(store, run_id)
    told = []
    found = relocate(store, run_id, root, lambda done, total: told.append((done, total)))
    assert (found.n_agree, found.n, found.differ, found.missing) == (10, 10, (), ())
    assert told == [(done, 10) for done in range(1, 11)]
    assert recorded(store, run_id) == before
    results, data = open_results(store, run_id), store.data(run_id)
    assert results.config.root == store.config(run_id).root == store.summary(run_id).root == str(root)
    paths = [*results.table.path, *results.table.mask_path, *(entry["path"] for entry in data["samples"])]
    paths += [entry["mask"] for entry in data["samples"]]
    assert all(Path(path).is_file() and Path(path).is_relative_to(root) for path in paths if path)
    assert results.seen.original("test/spot/000.png", None).shape == (64, 64, 3)
    assert data["fingerprint"] == read_data(store.config(run_id), quiet).fingerprint


def test_the_folder_of_the_category_itself_is_understood(store, moved):
    run_id, root = moved
    assert relocate(store, run_id, root / "plate", quiet).root == root


@pytest.mark.parametrize("spoilt", ["image", "mask", "training image"])
def test_a_folder_in_which_one_file_differs_or_is_missing_is_refused_and_nothing_changes(store, moved, spoilt):
    run_id, root = moved
    name = {
        "image": "test/spot/001.png",
        "mask": "ground_truth/spot/001_mask.png",
        "training image": "train/good/000.png",
    }[spoilt]
    Image.fromarray(np.zeros((64, 64), np.uint8)).save(root / "plate" / name)
    (root / "plate/test/good/001.png").unlink()
    with pytest.raises(DatasetError) as refused:
        relocate(store, run_id, root, quiet)
    assert "8 of 10 images and masks agree" in refused.value.message
    assert f"1 differ ({name})" in refused.value.message
    assert "1 are missing (test/good/001.png)" in refused.value.message
    assert not (store.folder(run_id) / layout.PLACE).exists()
    assert store.config(run_id).root != str(root)


def test_another_folder_is_told_apart_before_anything_is_compared(store, moved, tmp_path):
    run_id, _ = moved
    with pytest.raises(DatasetError, match="has no folder plate"):
        relocate(store, run_id, tmp_path, quiet)


def test_masks_that_a_run_did_not_record_are_counted_as_not_compared(store, moved):
    run_id, root = moved
    path = store.folder(run_id) / layout.DATA
    values = json.loads(path.read_text())
    for entry in values["samples"]:
        entry.pop("mask_sha256", None)
    path.write_text(json.dumps(values))
    found = relocate(store, run_id, root, quiet)
    assert (found.n, found.n_unrecorded) == (7, 3)
    assert "3 masks cannot be compared" in found.words


def test_images_can_be_moved_again_and_back(store, moved, tmp_path):
    run_id, root = moved
    relocate(store, run_id, root, quiet)
    store.write_data(run_id, store.data(run_id))  # as a resumed run does, with paths as they are now
    for place in (tmp_path / "third", tmp_path / "images"):
        shutil.copytree(root, place)
        assert relocate(store, run_id, place, quiet).n_agree == 10
        assert all(Path(entry["path"]).is_relative_to(place) for entry in store.data(run_id)["samples"])


def test_a_root_below_the_old_one_moves_no_path_twice():
    place = Place("/data", "/data/moved", "moved")
    assert place.now("/data/moved/test/a.png") == "/data/moved/moved/test/a.png"
    assert place.now("/data/moved/moved/test/a.png") == "/data/moved/moved/test/a.png"
    assert place.now("/elsewhere/a.png") == "/elsewhere/a.png"
    assert place.now("") == ""


def test_a_run_from_another_system_finds_its_images_here(tmp_path):
    place = Place(r"D:\scans", str(tmp_path), "plate")
    assert place.now(r"D:\scans\plate\test\good\a b.png") == str(tmp_path / "plate/test/good/a b.png")


def test_a_run_without_a_list_of_images_has_nothing_to_compare(store, moved):
    run_id, root = moved
    (store.folder(run_id) / layout.DATA).unlink()
    with pytest.raises(RunNotFoundError, match="no list of its images"):
        relocate(store, run_id, root, quiet)


@pytest.mark.parametrize("content", ["{", "{}", '{"root": 3}', '{"root": "/a", "between": [1]}'])
def test_a_damaged_place_is_an_error_that_names_the_file(store, moved, content):
    run_id, _ = moved
    (store.folder(run_id) / layout.PLACE).write_text(content)
    with pytest.raises(DamagedRunError, match=r"place\.json"):
        store.config(run_id)


def test_the_command_says_how_many_agree_and_exits_with_2_where_not_all_do(store, moved, monkeypatch):
    run_id, root = moved
    monkeypatch.setenv("WTFLOW_HOME", str(store.home))
    (root / "plate/test/good/000.png").rename(root / "away.png")
    refused = CliRunner().invoke(app, ["relocate", run_id, str(root)])
    assert refused.exit_code == 2 and "9 of 10" in refused.output.replace("\n", " ")
    (root / "away.png").rename(root / "plate/test/good/000.png")
    done = CliRunner().invoke(app, ["relocate", run_id, str(root), "--json"])
    assert done.exit_code == 0
    assert json.loads(done.stdout.strip().splitlines()[-1])["n_agree"] == 10
