"""Rows of an inspection on disk: appended, read while more come, and whole again after any cut."""

from dataclasses import replace

import numpy as np
import pytest

from wtflow.errors import RunNotFoundError, SettingsError
from wtflow.inspecting import kept
from wtflow.records.decision import Decision
from wtflow.records.inspect import DetectorFacts, Inspected, InspectSettings
from wtflow.store import inspections
from wtflow.store.inspected_reading import read_map, read_picture_bytes, read_rows
from wtflow.store.inspected_rows import (
    EVENTS,
    MAPS,
    MEANS,
    PICTURES,
    ROWS,
    RowWriter,
)

FACTS = DetectorFacts(
    name="plate",
    fingerprint="f" * 16,
    decision=Decision(2.0, "by_hand", "Chosen by hand.", 1.0),
    shape=(8, 16),
    map_shape=(2, 4),
    n_features=3,
    score_kind="endpoint",
    top_fraction=0.0,
    color_range=(0.0, 1.0),
    background="black",
)


def row(i, **changes):
    return replace(Inspected(f"a/{i}.png", f"/x/a/{i}.png", float(i), "normal", 2.0, stamp=(i, i)), **changes)


def append(writer, *numbers, **changes):
    rows = [row(i, **changes) for i in numbers]
    maps = np.array([np.full(FACTS.map_shape, i, np.float32) for i in numbers])
    means = np.array([np.full(3, i, np.float32) for i in numbers])
    return writer.append(rows, maps, means, [f"jpeg {i}".encode() for i in numbers])


def test_rows_come_back_as_they_were_with_maps_features_and_pictures(tmp_path):
    broken = Inspected("a/9.png", "/x/a/\udcff9.png", problem="is damaged.", threshold=2.0)
    with RowWriter(tmp_path, FACTS) as writer:
        first = append(writer, 1, 2, nearest=(("train/good/0.png", 0.5),))
        writer.append([broken, row(3)], np.full((1, 2, 4), 1e9, np.float32), np.ones((1, 3), np.float32), [b"jpeg 3"])
    found = read_rows(tmp_path)
    assert found[:2] == tuple(first)
    assert found[2].path == broken.path
    assert found[2].problem == broken.problem
    assert np.isnan(found[2].score)
    assert [one.map_at for one in found] == [0, 1, -1, 2]
    assert (read_map(tmp_path, FACTS, 1) == 2).all()
    assert read_map(tmp_path, FACTS, 2).max() == 65504, "the largest number that a half holds"
    assert read_map(tmp_path, FACTS, 3) is None
    assert [read_picture_bytes(tmp_path, one) for one in found] == [b"jpeg 1", b"jpeg 2", None, b"jpeg 3"]


def test_of_two_rows_of_one_image_the_later_counts_and_notes_are_added_to_it(tmp_path):
    with RowWriter(tmp_path, FACTS) as writer:
        append(writer, 1, 2)
        assert len(read_rows(tmp_path)) == 2
        append(writer, 1, score=7.0)
        writer.note("a/1.png", "Moved.", "/y/1.png")
        writer.note("a/1.png", "No message.")
        assert [one.image for one in read_rows(tmp_path)] == ["a/1.png", "a/2.png"]
        latest = read_rows(tmp_path)[0]
    assert (latest.score, latest.note, latest.path) == (7.0, "Moved. No message.", "/y/1.png")


@pytest.mark.parametrize("name", [ROWS, MAPS, MEANS, PICTURES])
def test_wherever_a_file_was_cut_what_is_left_is_whole_and_can_be_appended_to(tmp_path, name):
    (tmp_path / "whole").mkdir()
    with RowWriter(tmp_path / "whole", FACTS) as writer:
        for i in range(4):
            append(writer, i)
    whole = read_rows(tmp_path / "whole")
    size = (tmp_path / "whole" / name).stat().st_size
    for length in range(0, size, max(1, size // 40)):
        folder = tmp_path / f"cut-{length}"
        folder.mkdir()
        for path in (tmp_path / "whole").iterdir():
            (folder / path.name).write_bytes(path.read_bytes()[: length if path.name == name else None])
        with RowWriter(folder, FACTS) as writer:
            found = read_rows(folder)
            assert found == whole[: len(found)]
            append(writer, *range(len(found), 4))
        assert read_rows(folder) == whole
        assert all((read_map(folder, FACTS, one.map_at) == one.score).all() for one in whole)
        assert [read_picture_bytes(folder, one) for one in whole] == [f"jpeg {i}".encode() for i in range(4)]


def test_a_half_written_line_is_not_read_until_it_is_whole(tmp_path):
    with RowWriter(tmp_path, FACTS) as writer:
        append(writer, 1, 2)
    content = (tmp_path / ROWS).read_bytes()
    (tmp_path / ROWS).write_bytes(content[:-5])
    assert [one.score for one in read_rows(tmp_path)] == [1.0]
    (tmp_path / ROWS).write_bytes(content)
    assert [one.score for one in read_rows(tmp_path)] == [1.0, 2.0]
    assert not (tmp_path / EVENTS).read_bytes()


# -- the folder of an inspection ---------------------------------------------------------------------------------------


def test_an_inspection_comes_back_as_it_was_written_and_is_listed_until_it_is_deleted(store):
    made = inspections.create(store, "plate", "20260101-000000-plate", ["/x/a"], threshold=2.0)
    known = replace(made, facts=FACTS, settings=InspectSettings(watch=True), notes=("A link was left out.",))
    inspections.write_plan(store, known)
    inspections.write_progress(store, known)
    assert inspections.read_inspection(store, made.inspection_id) == known
    assert inspections.ids(store) == [made.inspection_id]
    assert store.ids() == [], "an inspection is no run"
    inspections.delete(store, made.inspection_id)
    assert inspections.ids(store) == []
    with pytest.raises(RunNotFoundError):
        inspections.write_progress(store, known)


def test_no_id_leads_out_of_the_store(store):
    for text in ("", "..", "../x", "20260101-000000-a/../../b", "x" * 300):
        with pytest.raises(RunNotFoundError):
            inspections.folder_of(store, text)


def test_uploads_keep_their_names_but_never_leave_their_folder_nor_replace_each_other(store):
    names = ["a.png", "../../A.png", "C:\\photos\\b.jpg", ".hidden.png"]
    made = inspections.create(store, "plate", "r", [], uploads=[(name, name.encode()) for name in names])
    folder = inspections.folder_of(store, made.inspection_id) / "images"
    assert {path.name: path.read_bytes().decode() for path in folder.iterdir()} == {
        "a.png": "a.png",
        "A (2).png": "../../A.png",
        "b.jpg": "C:\\photos\\b.jpg",
        "hidden.png": ".hidden.png",
    }
    for name in ("", "..", "noending", "x" * 300 + ".png"):
        with pytest.raises(SettingsError):
            inspections.create(store, "plate", "r", [], uploads=[(name, b"")])


def test_the_table_has_the_columns_of_the_csv_and_no_numbers_for_a_broken_image(tmp_path):
    broken = Inspected("b.png", "/b.png", problem="is damaged.", threshold=2.0)
    table = kept.table_of([row(1, nearest=(("n.png", 0.5),), width=4, height=3, peak_row=1, peak_column=2), broken])
    assert tuple(table.columns) == kept.COLUMNS
    assert list(table.nearest_1) == ["n.png", ""]
    assert table.width.isna().tolist() == table.peak_row.isna().tolist() == table.score.isna().tolist() == [False, True]
    assert table.scored[0] == "1970-01-01T00:00:00Z"
    assert len(kept.table_of([])) == 0
