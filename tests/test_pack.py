"""The zip of a run: what is in it, that it tells nothing about the machine, and that it is whole or not there."""

import errno
import io
import json
import os
import re
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from report_runs import GREY, SCALE, write_category, write_run
from shell import call

from wtflow.errors import DiskFullError
from wtflow.export.zip import pack_run, pack_runs
from wtflow.records.notes import RunNotes
from wtflow.results import open_results
from wtflow.store.notes import add_tag, flag_label, notes_of, set_comment


@pytest.fixture
def run_id(store, tmp_path):
    return write_run(store, write_category(tmp_path / "images"), weights="/secret/place/resnet18.pth")


def quiet(done, total):
    pass


def pack(store, run_id, path, **changes):
    return pack_run(open_results(store, run_id), notes_of(store, run_id), path, quiet, **changes)


def test_several_runs_are_one_zip_with_a_folder_for_each(store, run_id, tmp_path):
    other = write_run(store, write_category(tmp_path / "others", n_good=1, n_bad=1), scores=(2.0, 1.0))
    add_tag(store, other, "test/good/000.png", "glare")
    runs = [(open_results(store, one), notes_of(store, one)) for one in (run_id, other)]
    seen = []
    packed = pack_runs(runs, tmp_path / "runs.zip", lambda *done: seen.append(done))
    with zipfile.ZipFile(packed.path) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    for one in (run_id, other):
        alone = pack(store, one, tmp_path / f"{one}.zip")
        with zipfile.ZipFile(alone.path) as archive:
            assert {name: archive.read(name) for name in archive.namelist()} == {
                name.removeprefix(f"{one}/"): content for name, content in held.items() if name.startswith(f"{one}/")
            }
    assert packed.n_files == len(held)
    assert seen == [(i + 1, 7) for i in range(7)]


def table_of(path):
    with zipfile.ZipFile(path) as archive:
        return pd.read_csv(io.BytesIO(archive.read("scores.csv")), keep_default_na=False)


def pixels_of(path, name):
    with zipfile.ZipFile(path) as archive, Image.open(io.BytesIO(archive.read(name))) as picture:
        return np.asarray(picture)


def test_the_zip_holds_scores_metrics_settings_notes_and_one_picture_per_scored_image(store, run_id, tmp_path):
    seen = []
    packed = pack_run(
        open_results(store, run_id), RunNotes(), tmp_path / "deep" / "run.zip", lambda *done: seen.append(done)
    )
    with zipfile.ZipFile(packed.path) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        metrics = json.loads(archive.read("metrics.json"))
    threshold = metrics.pop("threshold")
    assert metrics == open_results(store, run_id).metrics
    assert (threshold["value"], threshold["rule"], threshold["kept"]) == (1.75, "best_f1", None)
    assert names[:4] == ["scores.csv", "metrics.json", "config.json", "notes.json"]
    assert names[4:] == [
        f"overlays/{i:05d}_test_{name}.png"
        for i, name in enumerate(["spot_000", "spot_001", "spot_002", "good_000", "good_001"])
    ]
    assert packed.n_files == len(names) and packed.n_bytes == packed.path.stat().st_size
    assert seen == [(i, 5) for i in range(1, 6)]


def test_scores_carry_the_outcome_at_the_threshold_given(store, run_id, tmp_path):
    pack(store, run_id, tmp_path / "a.zip", threshold=3.5)
    assert table_of(tmp_path / "a.zip").outcome.tolist() == ["FN", "TP", "TP", "TN", "TN"]
    pack(store, run_id, tmp_path / "b.zip")
    assert table_of(tmp_path / "b.zip").outcome.tolist() == ["TP", "TP", "TP", "TN", "FP"], "the run starts it at 1.75"


def test_notes_come_along_and_may_be_put_back_into_the_run(store, run_id, tmp_path):
    sample_id = "test/spot/001.png"
    add_tag(store, run_id, sample_id, "=cmd()")
    flag_label(store, run_id, sample_id, True)
    set_comment(store, run_id, None, "Ask the line.", 0)
    written = notes_of(store, run_id)
    pack(store, run_id, tmp_path / "run.zip")
    row = table_of(tmp_path / "run.zip").set_index("sample_id").loc[sample_id]
    assert row.tags == "'=cmd()", "no spreadsheet takes it for a formula"
    assert row.label_is_wrong
    with zipfile.ZipFile(tmp_path / "run.zip") as archive:
        (store.folder(run_id) / "notes.json").write_bytes(archive.read("notes.json"))
    assert notes_of(store, run_id) == written


def test_nothing_in_the_zip_tells_where_things_lie_on_the_machine(store, run_id, tmp_path):
    pack(store, run_id, tmp_path / "run.zip")
    with zipfile.ZipFile(tmp_path / "run.zip") as archive:
        content = b"".join(archive.read(name) for name in archive.namelist() if not name.endswith(".png"))
        assert json.loads(archive.read("config.json"))["settings"]["weights"] == "resnet18.pth"
    assert str(tmp_path).encode() not in content
    assert b"/secret" not in content


def test_where_the_map_is_at_the_low_end_of_the_scale_the_image_shows_as_it_is(store, run_id, tmp_path):
    """Position (0, 0) of the first image has the lowest score of the scale, so nothing covers its corner; the last
    image's is covered.
    """
    pack(store, run_id, tmp_path / "run.zip")
    first, last = (
        pixels_of(tmp_path / "run.zip", "overlays/00000_test_spot_000.png"),
        pixels_of(tmp_path / "run.zip", "overlays/00004_test_good_001.png"),
    )
    assert first.shape == (64, 64, 3)
    assert (first[6:8, :8] == GREY).all()
    assert np.abs(last[6:8, :8].astype(int) - GREY).min(axis=2).max() > 10


def test_all_pictures_share_the_scale_of_the_run(store, run_id, tmp_path):
    """Two normal images under maps beyond the end of the scale look the same where the images do."""
    store.write_maps(
        run_id, np.full((5, 4, 4), 2 * SCALE[1], np.float32) * np.arange(1, 6, dtype=np.float32)[:, None, None]
    )
    pack(store, run_id, tmp_path / "run.zip")
    pictures = [pixels_of(tmp_path / "run.zip", f"overlays/0000{i}_test_good_00{i - 3}.png") for i in (3, 4)]
    assert np.array_equal(pictures[0][8:], pictures[1][8:])


def test_the_true_defect_is_outlined(store, run_id, tmp_path):
    pack(store, run_id, tmp_path / "run.zip")
    picture = pixels_of(tmp_path / "run.zip", "overlays/00000_test_spot_000.png").astype(int)
    truth = (0x19, 0xD3, 0xC5)
    rows, columns = np.nonzero((np.abs(picture - truth) < 3).all(axis=2))
    assert rows.min() in (15, 16) and rows.max() in (31, 32), "the mask covers rows 16 to 31"
    assert columns.min() in (15, 16) and columns.max() in (31, 32)


@pytest.mark.parametrize(
    "name",
    [
        "../../../etc/passwd",
        "/abs/x.png",
        "C:\\x\\y.png",
        "test/..\\..\\z.png",
        "test/a\nb\0c.png",
        "ü<script>.png",
        "x" * 400,
    ],
)
def test_members_have_names_that_any_system_takes_and_stay_in_their_folder(store, run_id, tmp_path, name):
    table = store.scores(run_id)
    table.loc[0, "sample_id"] = name
    store.write_scores(run_id, table)
    pack(store, run_id, tmp_path / "run.zip")
    with zipfile.ZipFile(tmp_path / "run.zip") as archive:
        names = archive.namelist()
        archive.extractall(tmp_path / "there")
    assert all(re.fullmatch(r"(overlays/)?[0-9A-Za-z_.-]{1,140}", one) for one in names)
    assert len(set(names)) == len(names) == len([path for path in (tmp_path / "there").rglob("*") if path.is_file()])


def test_the_same_run_gives_the_same_bytes(store, run_id, tmp_path):
    paths = [pack(store, run_id, tmp_path / name).path for name in ("a.zip", "b.zip")]
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_an_image_that_is_gone_leaves_its_map_and_is_named(store, run_id, tmp_path):
    Path(store.scores(run_id).path[0]).unlink()
    packed = pack(store, run_id, tmp_path / "run.zip")
    assert packed.unreadable == ("test/spot/000.png",)
    assert "1 of its images" in packed.words
    with zipfile.ZipFile(packed.path) as archive:
        assert archive.read("unreadable.txt").decode().splitlines()[1:] == ["test/spot/000.png"]
        assert len(archive.namelist()) == packed.n_files
    assert pixels_of(packed.path, "overlays/00000_test_spot_000.png").shape == (64, 64, 3)


# -- whole, or not there -----------------------------------------------------------------------------------------------


def test_an_interrupted_zip_leaves_the_old_one_and_nothing_else(store, run_id, tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "run.zip").write_bytes(b"old")

    def stop(done, total):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pack_run(open_results(store, run_id), RunNotes(), folder / "run.zip", stop)
    assert [path.name for path in folder.iterdir()] == ["run.zip"]
    assert (folder / "run.zip").read_bytes() == b"old"


def test_a_full_disk_gets_a_sentence_and_leaves_nothing(store, run_id, tmp_path, monkeypatch):
    """The disk takes the texts and the first picture, and no more."""
    really_write, n_written = zipfile.ZipFile.writestr, 0

    def write(archive, *arguments, **options):
        nonlocal n_written
        n_written += 1
        if n_written > 5:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return really_write(archive, *arguments, **options)

    monkeypatch.setattr(zipfile.ZipFile, "writestr", write)
    with pytest.raises(DiskFullError, match=r"No space left while writing run\.zip"):
        pack(store, run_id, tmp_path / "out" / "run.zip")
    assert list((tmp_path / "out").iterdir()) == []


# -- from the shell ----------------------------------------------------------------------------------------------------


def test_export_packs_a_zip_and_says_its_size(store, run_id, tmp_path):
    result = call("export", run_id, "--zip", tmp_path / "run.zip", "--json")
    facts = json.loads(result.stdout.splitlines()[-1])
    assert result.exit_code == 0
    assert facts["n_zip_bytes"] == (tmp_path / "run.zip").stat().st_size
    assert facts["n_zip_files"] == 9 and facts["out"] is None
    assert "9 files" in result.stderr


def test_folder_and_zip_may_be_asked_for_at_once_but_not_neither(store, run_id, tmp_path):
    result = call("export", run_id, "--zip", tmp_path / "run.zip", "--out", tmp_path / "out")
    assert result.exit_code == 0
    assert (tmp_path / "run.zip").is_file() and (tmp_path / "out/scores.csv").is_file()
    refused = call("export", run_id)
    assert refused.exit_code == 2 and "--zip" in refused.stderr
