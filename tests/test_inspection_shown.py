"""What an inspection shows and hands out: order and filter, pictures, notes, tables, the one before."""

import json
import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hand_made_inspections import FACTS, write_inspection
from PIL import Image
from run_folders import tiny_settings

from wtflow.compare.intervals import difference_interval, wilson_interval
from wtflow.errors import DamagedRunError, MetricError, RunNotFoundError, SettingsError
from wtflow.inspecting import kept
from wtflow.inspecting.choice import choose_rows
from wtflow.inspecting.compared import compare, one_before, share_called
from wtflow.inspecting.pictures import CHANGED, GONE, NOTHING, encode_inspected, full_picture, small_picture
from wtflow.inspecting.taken import pack_inspection, table_bytes
from wtflow.records.inspect import Counts, Inspected, Inspection
from wtflow.store import inspections
from wtflow.store.inspection_words import WORDS, InspectionWords, name_inspection, note_image, read_words
from wtflow.store.runs import RunStore

SCORES = {"b.png": 3.0, "a.png": 1.0, "c.png": "c.png is damaged.", "d.png": 1.9, "e.png": 3.0}


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "runs")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "week"
    folder.mkdir()
    for i, name in enumerate(SCORES):
        Image.fromarray(np.full((40, 40, 3), 40 * i, np.uint8)).save(folder / name)
    return folder


@pytest.fixture
def inspection(store: RunStore, folder: Path) -> Inspection:
    return write_inspection(store, store.create(folder, "plate", tiny_settings()), SCORES, folder)


def names(rows) -> str:
    return "".join(row.image[0] for row in rows)


@pytest.mark.parametrize(
    ("order", "expected"),
    [("worst", "bedac"), ("best", "adbec"), ("closest", "dabec"), ("name", "abcde"), ("newest", "edcab")],
)
def test_each_order_puts_ties_by_name_and_images_without_a_score_last(store, inspection, order, expected):
    assert names(choose_rows(kept.rows(store, inspection.inspection_id), (), order)) == expected


def test_filters_of_one_choice_add_up_and_a_range_of_scores_holds_its_lower_end_only(store, inspection):
    rows = kept.rows(store, inspection.inspection_id)
    assert names(choose_rows(rows, ["defective"])) == "be"
    assert names(choose_rows(rows, ["defective", "problem"])) == "bec"
    assert names(choose_rows(rows, ["noted"], noted=frozenset({"a.png"}))) == "a"
    assert names(choose_rows(rows, (), "name", score_range=(1.0, 3.0))) == "ad"


# -- pictures ----------------------------------------------------------------------------------------------------------


def test_a_picture_is_the_file_itself_only_while_it_is_the_one_that_was_inspected(store, folder, inspection):
    row = kept.row(store, inspection.inspection_id, "b.png")
    assert full_picture(store, inspection, row).pixels.shape == (40, 40, 3)
    Image.new("RGB", (40, 40), "red").save(folder / "b.png")
    changed = full_picture(store, inspection, row)
    assert (changed.pixels.shape, changed.note) == ((8, 8, 3), CHANGED)
    (folder / "b.png").unlink()
    assert full_picture(store, inspection, row).note == GONE
    encoded, jpeg, note = encode_inspected(store, inspection, row)
    assert encoded is not None and note == GONE and jpeg.startswith(b"\xff\xd8")
    assert encoded["truth"], "all of the map is above the threshold, so its border is outlined"


def test_without_file_and_picture_a_map_stands_on_a_crossed_out_ground(store, folder, tmp_path):
    run_id = store.create(folder, "plate", tiny_settings())
    (tmp_path / "empty").mkdir()
    bare = write_inspection(store, run_id, {"x.png": 3.0}, tmp_path / "empty", keeps_pictures=False)
    row = kept.row(store, bare.inspection_id, "x.png")
    assert full_picture(store, bare, row).note == NOTHING
    assert small_picture(store, bare, row, with_map=True, size_px=64).startswith(b"\xff\xd8")


# -- what people write -------------------------------------------------------------------------------------------------


def test_a_name_and_notes_come_back_and_empty_ones_take_them_away(store, inspection):
    at = inspection.inspection_id
    assert read_words(store, at) == InspectionWords()
    name_inspection(store, at, " week 48 ")
    note_image(store, at, "b.png", "oil on it\nagain")
    note_image(store, at, "a.png", "fine")
    note_image(store, at, "a.png", "  ")
    assert read_words(store, at) == InspectionWords("week 48", {"b.png": "oil on it\nagain"})
    name_inspection(store, at, "")
    assert read_words(store, at).name == ""


def test_a_damaged_file_of_words_is_named_and_never_overwritten(store, inspection):
    path = inspections.folder_of(store, inspection.inspection_id) / WORDS
    path.write_text('{"name": 3}')
    for call in (
        lambda: read_words(store, inspection.inspection_id),
        lambda: name_inspection(store, inspection.inspection_id, "x"),
    ):
        with pytest.raises(DamagedRunError, match=r"words\.json is damaged"):
            call()
    assert path.read_text() == '{"name": 3}'


def test_a_name_of_two_lines_and_an_unknown_inspection_are_refused(store, inspection):
    with pytest.raises(SettingsError):
        name_inspection(store, inspection.inspection_id, "a\nb")
    with pytest.raises(RunNotFoundError):
        note_image(store, "../../etc", "a.png", "x")


# -- to take home ------------------------------------------------------------------------------------------------------


def test_the_three_tables_say_the_same_and_carry_what_people_wrote(store, inspection):
    words = InspectionWords("week 48", {"a.png": "=fine"})
    csv = pd.read_csv(BytesIO(table_bytes(store, inspection, "csv", words)), encoding="utf-8-sig")
    parquet = pd.read_parquet(BytesIO(table_bytes(store, inspection, "parquet", words)))
    lines = [json.loads(line) for line in table_bytes(store, inspection, "jsonl", words).splitlines()]
    for column in ("image", "score", "verdict", "problem"):
        cells = (csv[column], parquet[column], [line[column] for line in lines])
        found = [["" if pd.isna(cell) else cell for cell in one] for one in cells]
        assert found[0] == found[1] == found[2], column
    assert parquet.comment[1] == lines[1]["comment"] == "=fine"
    assert csv.comment[1] != "=fine", "a spreadsheet would run it as a formula"


def test_the_zip_holds_the_table_and_a_picture_of_every_image_that_was_read_worst_first(store, inspection, tmp_path):
    seen = []
    pack_inspection(store, inspection, tmp_path / "out.zip", InspectionWords(), lambda *done: seen.append(done))
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        listed = archive.namelist()
        assert json.loads(archive.read("inspection.json"))["threshold"]["value"] == 2.0
    assert listed[:2] == ["scores.csv", "inspection.json"]
    assert [name.split("_", 1)[1] for name in listed[2:]] == [
        "defective_b.jpg",
        "defective_e.jpg",
        "normal_d.jpg",
        "normal_a.jpg",
    ]
    assert seen[-1] == (4, 4)


# -- the one before ----------------------------------------------------------------------------------------------------


def test_newcombes_interval_is_that_of_his_table():
    """Newcombe 1998, table II, method 10: 56/70 - 48/80, 9/10 - 3/10, 10/10 - 0/10."""
    for counts, expected in (
        ((56, 70, 48, 80), (0.0524, 0.3339)),
        ((9, 10, 3, 10), (0.1705, 0.8090)),
        ((10, 10, 0, 10), (0.6075, 1.0)),
    ):
        assert difference_interval(*counts) == pytest.approx(expected, abs=5e-5)
    assert difference_interval(0, 0, 3, 9) == (-1.0, 1.0)
    with pytest.raises(MetricError):
        difference_interval(3, 2, 0, 1)


def rows_of(n_called: int, n: int) -> list[Inspected]:
    return [Inspected(f"{i}.png", "", 3.0 if i < n_called else 1.0, threshold=2.0) for i in range(n)]


def test_a_share_leaves_out_what_could_not_be_read_and_is_that_of_the_threshold_given():
    rows = [*rows_of(3, 10), Inspected("x.png", "", problem="damaged")]
    share = share_called(rows, 3.0)
    assert (share.k, share.n) == (3, 10)
    assert (share.low, share.high) == wilson_interval(3, 10)
    assert share_called(rows, 0.5).k == 10


@pytest.mark.parametrize(
    ("now", "before", "words"),
    [((60, 100), (30, 100), "More are called"), ((30, 100), (60, 100), "Fewer are"), ((3, 10), (4, 10), "is the same")],
)
def test_a_change_is_called_one_only_where_its_interval_leaves_out_nothing(now, before, words):
    found = compare(rows_of(*now), rows_of(*before), 2.0)
    assert words in found.words
    assert (found.low > 0 or found.high < 0) == ("same" not in words)
    assert "no image could be read" in compare(rows_of(1, 2), [], 2.0).words


def test_the_one_before_is_the_latest_older_one_by_the_same_detector_with_images_enough_to_compare():
    def made(name: str, created: float, **changes) -> Inspection:
        plain = Inspection(name, created, facts=FACTS, counts=Counts(25, 25, 1, 0))
        return replace(plain, **changes)

    other = replace(FACTS, fingerprint="0" * 16)
    here = made("e", 5.0)
    others = [
        made("a", 1.0),
        made("b", 2.0),
        made("c", 3.0, facts=other),
        made("d", 4.0, counts=Counts(25, 25, 0, 6)),
        made("f", 6.0),
        here,
    ]
    found = one_before(here, others)
    assert found is not None and found.inspection_id == "b"
    assert one_before(others[0], others) is None
    assert one_before(replace(here, counts=Counts(25, 25, 1, 6)), others) is None
