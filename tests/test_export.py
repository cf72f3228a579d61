import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hand_made_runs import SCORES, write_finished_run
from PIL import Image

from wtflow.config import settings_from
from wtflow.errors import StoreError
from wtflow.export.folder import export_run, file_stem
from wtflow.export.tables import csv_bytes, scores_csv
from wtflow.records.notes import RunNotes
from wtflow.results import add_notes, add_outcomes, open_results, pixel_map
from wtflow.store.runs import RunStore


@pytest.fixture
def results(tmp_path):
    store = RunStore(tmp_path / "runs")
    return open_results(store, write_finished_run(store, settings_from("fast", {"image_size": 64})))


def quiet(done, total):
    pass


def test_an_export_holds_scores_metrics_settings_and_two_files_per_map(results, tmp_path):
    seen = []
    written = export_run(results, tmp_path / "out" / "deep", lambda *done: seen.append(done))
    assert {path for path in (tmp_path / "out").rglob("*") if path.is_file()} == set(written)
    assert len(written) == 3 + 2 * 7
    assert seen[-1] == (7, 7)
    scores = pd.read_csv(written[0])
    assert scores.score.tolist()[:5] == list(SCORES.values())
    metrics = json.loads(written[1].read_text())
    assert metrics.pop("threshold")["value"] == 1.75 and metrics == results.metrics
    assert json.loads(written[2].read_text())["settings"]["image_size"] == 64


def test_an_exported_map_is_the_raw_pixel_map_and_its_picture_has_its_size(results, tmp_path):
    export_run(results, tmp_path, quiet)
    values = np.load(tmp_path / "maps/00003_test_crack_001.npy")
    assert values.dtype == np.float32
    assert np.array_equal(values, pixel_map(results, 3))
    with Image.open(tmp_path / "maps/00003_test_crack_001.png") as picture:
        assert picture.size == (64, 64)


def test_pictures_share_the_scale_of_the_run(results, tmp_path):
    """Maps 4 and 6 lie at and beyond the end of the scale: one colour. Maps 1 and 3 differ."""
    export_run(results, tmp_path, quiet)

    def colour(row):
        (path,) = (tmp_path / "maps").glob(f"{row:05d}_*.png")
        with Image.open(path) as picture:
            return picture.convert("RGB").getpixel((5, 5))

    assert colour(4) == colour(6)
    assert colour(1) != colour(3)


def test_exporting_again_replaces_its_own_files_and_leaves_others_alone(results, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    first = export_run(results, tmp_path, quiet)
    first[0].write_text("spoilt")
    assert export_run(results, tmp_path, quiet) == first
    assert first[0].read_bytes().decode("utf-8-sig").startswith("row,sample_id")
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_target_that_is_a_file_is_a_sentence(results, tmp_path):
    (tmp_path / "taken").write_text("x")
    with pytest.raises(StoreError, match="cannot be read or written"):
        export_run(results, tmp_path / "taken", quiet)


@pytest.mark.parametrize(
    ("sample_id", "stem"),
    [
        ("test/crack/a b.png", "test_crack_a_b"),
        ("test/good/1.2.png", "test_good_1.2"),
        ("test/ß/ü.png", "test_"),
        ("../../x.png", ".._.._x"),
        ("noextension", "noextension"),
    ],
)
def test_a_file_name_is_one_that_any_system_takes(sample_id, stem):
    assert file_stem(sample_id).startswith(stem)
    assert "/" not in file_stem(sample_id)
    assert file_stem(sample_id).isascii()
    assert len(file_stem("x" * 500 + ".png")) == 120


def test_scores_csv_has_these_columns_in_this_order(results):
    own = "row sample_id path mask_path split defect is_defective score peak_row peak_column start_score whole_score"
    notes = RunNotes()

    def columns(*given, **choices):
        return scores_csv(results, *given, **choices).decode("utf-8-sig").splitlines()[0].split(",")

    assert columns() == own.split()
    called = ["outcome", "threshold", "threshold_rule", "threshold_kept"]
    assert columns(3.0) == [*own.split(), *called]
    assert columns(3.0, notes) == [*own.split(), *called, "tags", "comment", "label_is_wrong"]
    without = [name for name in own.split() if name not in ("path", "mask_path")]
    assert columns(None, notes, with_folders=False) == [*without, "tags", "comment", "label_is_wrong"]


def test_scores_csv_holds_the_score_table_as_it_is(results):
    assert scores_csv(results) == csv_bytes(results.table)
    called = add_outcomes(results.table, 3.0).assign(threshold=3.0, threshold_rule="by_hand", threshold_kept="")
    assert scores_csv(results, 3.0, RunNotes()) == csv_bytes(add_notes(called, RunNotes()))


def test_an_export_names_no_folder_of_this_computer_unless_asked(results, tmp_path):
    settings = settings_from("fast", {"weights": "/home/somebody/weights.pth", "backbone": "resnet34"})
    config = results.config.model_copy(update={"root": "/home/somebody/plate", "settings": settings})
    table = results.table.assign(path="/home/somebody/plate/a.png", mask_path="/home/somebody/plate/m.png")
    private = replace(results, config=config, table=table)

    def texts(folder):
        return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir() if path.is_file()}

    export_run(private, tmp_path / "to_send", quiet, RunNotes())
    assert len(texts(tmp_path / "to_send")) == 4
    assert not any("/home" in text for text in texts(tmp_path / "to_send").values())
    assert "weights.pth" in texts(tmp_path / "to_send")["config.json"]
    export_run(private, tmp_path / "own", quiet, RunNotes(), with_paths=True)
    found = texts(tmp_path / "own")
    assert "/home/somebody/plate/a.png" in found["scores.csv"]
    assert json.loads(found["config.json"])["root"] == "/home/somebody/plate"
