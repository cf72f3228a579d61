"""New images scored by a finished run: with the run's own scores, each once, whatever happens in between."""

import json
import os
import shutil
import signal
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from image_folders import encode, noise
from run_folders import train_here, write_tiny_category
from shell import call, last_json
from waiting import wait_until

from wtflow.datasets.images import hash_file, load_image
from wtflow.detector.looks import with_looks
from wtflow.detector.opened import open_run
from wtflow.errors import DatasetError, RunBusyError, SettingsError, StoreError
from wtflow.inspecting import kept, tasks
from wtflow.inspecting.work import inspect_here
from wtflow.records.inspect import Inspected, InspectSettings
from wtflow.results import open_results, pixel_map
from wtflow.store import inspections
from wtflow.store.inspected_rows import ROWS
from wtflow.store.runs import RunStore


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A store with one run, and the folder of its test images."""
    folder = tmp_path_factory.mktemp("inspect")
    store = RunStore(folder / "runs")
    run_id = train_here(store, write_tiny_category(folder / "data"))
    return store, run_id, folder / "data" / "plate" / "test"


@pytest.fixture
def photos(made, tmp_path):
    """Copies of the run's test images in folders of their own."""
    shutil.copytree(made[2], tmp_path / "photos")
    return tmp_path / "photos"


def run(made, *sources, **options):
    store, run_id, _ = made
    begun = tasks.create(store, run_id, sources, **options)
    return inspect_here(store, begun.inspection_id)


def facts_of_rows(rows):
    """What must come out the same each time: all but when it was scored, and where in files."""
    varying = {"at", "map_at", "picture"}
    return [tuple(str(getattr(row, one.name)) for one in fields(row) if one.name not in varying) for row in rows]


# -- one inspection ----------------------------------------------------------------------------------------------------


def test_the_runs_own_test_images_get_the_scores_maps_and_verdicts_that_the_run_gave_them(made):
    store, run_id, folder = made
    ended = run(made, folder)
    own = open_results(store, run_id)
    scores = {row.sample_id.removeprefix("test/"): row for row in own.test.itertuples()}
    rows = kept.rows(store, ended.inspection_id)
    assert [row.image for row in rows] == sorted(scores)
    assert ended.status.state == "finished"
    assert ended.counts.n_done == ended.counts.n_found == len(rows) == 8
    for row in rows:
        known = scores[row.image]
        assert row.score == pytest.approx(known.score, rel=1e-3)
        assert row.verdict == ("defective" if known.score >= ended.facts.decision.value else "normal")
        np.testing.assert_allclose(
            kept.pixel_map(store, ended, row), pixel_map(own, known.row), rtol=2e-3, atol=2e-3, err_msg=row.image
        )
        assert kept.pixel_map(store, ended, row)[row.peak_row, row.peak_column] == pytest.approx(row.score, rel=1e-2)
        assert row.sha256 == hash_file(folder / row.image)
        assert row.brightness == pytest.approx(load_image(folder / row.image, None).mean(), abs=1e-4)
    assert {row.verdict for row in rows} == {"normal", "defective"}
    assert ended.counts.n_defective == sum(row.verdict == "defective" for row in rows)


def test_the_nearest_normals_are_those_of_the_smallest_distances(made):
    store, run_id, folder = made
    ended = run(made, folder)
    rows = kept.rows(store, ended.inspection_id)
    ids, vectors = store.index(run_id)
    for row, mean in zip(rows, kept.means(store, ended, rows), strict=True):
        apart = np.sqrt(((vectors - mean) ** 2).sum(1))
        best = np.argsort(apart)[:3]
        assert [name for name, _ in row.nearest] == [ids[i] for i in best]
        np.testing.assert_allclose([one for _, one in row.nearest], apart[best], rtol=1e-4)


def test_a_broken_image_is_a_row_with_its_reason_and_no_other_row_changes(made, photos):
    store, *_ = made
    before = kept.rows(store, run(made, photos).inspection_id)
    (photos / "good" / "000b.png").write_bytes(b"no image")
    (photos / "good" / "empty.jpg").touch()
    ended = run(made, photos)
    rows = kept.rows(store, ended.inspection_id)
    broken = [row for row in rows if row.problem]
    assert [row.image for row in broken] == ["good/000b.png", "good/empty.jpg"]
    assert "0 bytes" in broken[1].problem
    assert all(row.verdict == "" and np.isnan(row.score) for row in broken)
    assert ended.counts.n_broken == 2
    same = {row.image: row for row in rows}
    for row in before:
        assert same[row.image].score == pytest.approx(row.score, rel=1e-4)


def test_a_small_picture_is_of_the_image_upright_in_its_own_aspect_and_of_the_original_is_refused_what_changed(
    made, tmp_path
):
    store, *_ = made
    folder = tmp_path / "wide"
    folder.mkdir()
    (folder / "a.png").write_bytes(encode(noise(1, (40, 90, 3)), "PNG"))
    (folder / "b.tif").write_bytes(encode(noise(2, (700, 350), np.uint16), "TIFF"))
    ended = run(made, folder)
    rows = kept.rows(store, ended.inspection_id)
    assert [(row.height, row.width) for row in rows] == [(40, 90), (700, 350)]
    from wtflow.datasets.decode import decode_image

    shapes = [decode_image(kept.picture(store, ended, row), "picture").pixels.shape[:2] for row in rows]
    assert shapes == [(40, 90), (320, 160)]
    assert 0 <= rows[1].peak_row < 700
    assert kept.original(ended, rows[0]).shape == (40, 90, 3)
    (folder / "a.png").write_bytes(encode(noise(3, (40, 90, 3)), "PNG"))
    with pytest.raises(DatasetError, match="has changed"):
        kept.original(ended, rows[0])


def test_what_cannot_be_inspected_is_refused_with_a_sentence(made, tmp_path):
    store, run_id, folder = made
    with pytest.raises(SettingsError, match="nothing to inspect"):
        tasks.start(store, run_id, [])
    with pytest.raises(DatasetError, match="does not exist"):
        tasks.create(store, run_id, [tmp_path / "absent"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="holds no images"):
        run(made, tmp_path / "empty")
    failed = tasks.look_all(store)[0]
    assert failed.status.state == "failed"
    assert "holds no images" in failed.status.message
    with pytest.raises(SettingsError, match="is inspected itself"):
        run(made, folder, settings=InspectSettings(defective_to=str(folder)))


def test_the_looks_of_normals_are_measured_once_with_the_runs_own_scores(made):
    store, run_id, _ = made
    opened, counted = replace(open_run(store, run_id), normal_looks=None), []
    looks = with_looks(store, run_id, opened, lambda done, total: counted.append((done, total))).normal_looks
    assert len(looks) == counted[-1][0] == counted[-1][1] == 12
    held_out = open_results(store, run_id).holdout
    assert [name for name, own in zip(looks.ids, looks.is_held_out, strict=True) if own] == list(held_out.sample_id)
    np.testing.assert_allclose(looks.fair_scores, held_out.score, rtol=1e-3)
    ids, vectors = store.index(run_id)
    fitted = [looks.ids.index(name) for name in ids]
    np.testing.assert_allclose(looks.means[fitted], vectors, rtol=2e-2, atol=2e-2)
    n_before = len(counted)
    assert with_looks(store, run_id, opened, lambda done, total: counted.append((done, total))).normal_looks.ids
    assert len(counted) == n_before
    assert open_run(store, run_id).normal_looks.ids == looks.ids


# -- again -------------------------------------------------------------------------------------------------------------


def test_killed_in_the_middle_and_resumed_it_ends_with_the_table_of_an_uninterrupted_one(made, tmp_path):
    store, run_id, folder = made
    for i in range(12):
        for path in sorted(folder.glob("*/*.png")):
            copy = tmp_path / "many" / f"{i}" / f"{path.parent.name}{path.name}"
            copy.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, copy)
    begun = tasks.start(store, run_id, [tmp_path / "many"], settings=InspectSettings(threads=1, niceness=0))
    inspection_id = begun.inspection_id
    wait_until(lambda: len(kept.rows(store, inspection_id)) >= 8, lambda: tasks.look(store, inspection_id))
    os.kill(begun.status.pid, signal.SIGKILL)
    lost = wait_until(lambda: (one := tasks.look(store, inspection_id)).status.state == "lost" and one)
    n_before = len(kept.rows(store, inspection_id))
    assert 8 <= n_before < 96
    assert "killed" in lost.status.message
    with (inspections.folder_of(store, inspection_id) / ROWS).open("ab") as file:
        file.write(b'{"image": "0/good000.png", "sco')  # a torn line, as a full disk or a power cut leaves it
    ended = inspect_here(store, inspection_id)
    whole = run(made, tmp_path / "many")
    assert (ended.status.state, ended.counts.n_done) == ("finished", 96)
    assert facts_of_rows(kept.rows(store, inspection_id)) == facts_of_rows(kept.rows(store, whole.inspection_id))
    lines = (inspections.folder_of(store, inspection_id) / ROWS).read_bytes().splitlines()
    assert len(lines) == 96, "no image was scored twice"


def test_only_new_and_changed_images_are_scored_again(made, photos):
    store, *_ = made
    first = run(made, photos)
    (photos / "good" / "new.png").write_bytes((photos / "spot" / "000.png").read_bytes())
    (photos / "good" / "001.png").write_bytes((photos / "spot" / "001.png").read_bytes())
    (photos / "good" / "002.png").rename(photos / "good" / "renamed.png")
    scored = []
    ended = inspect_here(store, first.inspection_id, each=lambda row: scored.append(row.image))
    assert sorted(scored) == ["good/001.png", "good/new.png"]
    rows = {row.image: row for row in kept.rows(store, ended.inspection_id)}
    assert rows["good/001.png"].sha256 == rows["spot/001.png"].sha256
    assert rows["good/001.png"].score == pytest.approx(rows["spot/001.png"].score, rel=1e-4)
    old = {row.image: row for row in kept.rows(store, first.inspection_id)}
    assert "good/002.png" not in rows
    assert rows["good/renamed.png"].map_at == 2
    assert ended.counts.n_done == len(rows) == len(old) == 9


def test_stopped_it_keeps_what_it_has_and_goes_on_there(made, photos, monkeypatch):
    monkeypatch.setattr("wtflow.inspecting.session.STATUS_EVERY_S", 0.0)
    store, run_id, _ = made
    inspection_id = tasks.create(store, run_id, [photos]).inspection_id
    stopped = inspect_here(store, inspection_id, each=lambda row: inspections.request_stop(store, inspection_id))
    assert stopped.status.state == "stopped"
    assert 0 < stopped.counts.n_done < 8
    assert tasks.look(store, inspection_id).status.state == "stopped"
    inspections.clear_stop(store, inspection_id)
    assert inspect_here(store, inspection_id).counts.n_done == 8


def test_a_detector_that_changed_since_does_not_write_into_the_old_table(made, photos):
    store, *_ = made
    ended = run(made, photos)
    inspections.write_plan(store, replace(ended, facts=replace(ended.facts, fingerprint="other")))
    with pytest.raises(StoreError, match="has changed since"):
        inspect_here(store, ended.inspection_id)


def test_an_active_inspection_is_neither_deleted_nor_taken_by_another_process(made, photos):
    store, run_id, _ = made
    begun = tasks.create(store, run_id, [photos])
    parent = replace(begun.status, state="running", pid=os.getppid())
    inspections.write_progress(store, replace(begun, status=parent))
    for refused in (tasks.claim, tasks.delete, tasks.resume):
        with pytest.raises(RunBusyError):
            refused(store, begun.inspection_id)
    inspections.write_progress(store, replace(begun, status=replace(parent, state="stopped")))
    tasks.delete(store, begun.inspection_id)
    assert begun.inspection_id not in inspections.ids(store)


# -- tables and the command --------------------------------------------------------------------------------------------


def inspect(*arguments):
    """The result of the command and what it says in JSON."""
    result = call("inspect", *arguments, "--json")
    return result, last_json(result.stdout)


@pytest.fixture
def shell(made, monkeypatch):
    monkeypatch.setenv("WTFLOW_HOME", str(made[0].home))
    return made[1]


def test_the_command_writes_one_table_in_three_forms_and_maps_and_overlays(made, shell, photos, tmp_path):
    (photos / "good" / "=1+1.png").write_bytes((photos / "spot" / "000.png").read_bytes())
    (photos / "broken.png").write_bytes(b"")
    out = tmp_path / "out"
    result, said = inspect(shell, photos, "--out", out, "--maps", "--overlays")
    assert (result.exit_code, said["n"], said["n_broken"]) == (0, 10, 1)
    content = (out / "scores.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbfimage,score,verdict,")
    table = pd.read_csv(out / "scores.csv", encoding="utf-8-sig")
    assert tuple(table.columns) == kept.COLUMNS
    assert list(table.image) == ["broken.png", *(f"good/{i:03}.png" for i in range(4)), "good/=1+1.png"] + [
        f"spot/{i:03}.png" for i in range(4)
    ]
    parquet = pd.read_parquet(out / "scores.parquet")
    lines = [json.loads(line) for line in (out / "scores.jsonl").read_text(encoding="utf-8").splitlines()]
    assert list(parquet.image) == [line["image"] for line in lines] == list(table.image)
    np.testing.assert_allclose(parquet.score, table.score, rtol=1e-8)
    assert lines[0]["score"] is None
    assert lines[0]["problem"].startswith("broken.png is empty")
    assert len(list((out / "maps").glob("*.npy"))) == len(list((out / "overlays").glob("*.jpg"))) == 9


def test_the_same_command_again_scores_nothing_twice_and_another_threshold_is_another_inspection(
    made, shell, photos, tmp_path
):
    out = tmp_path / "out"
    _, first = inspect(shell, photos, "--out", out)
    result, again = inspect(shell, photos, "--out", out)
    assert again["inspection_id"] == first["inspection_id"]
    assert again["images_per_second"] is None
    assert "8 images done before" in result.stderr
    _, stricter = inspect(shell, photos, "--out", out, "--threshold", "1e-6")
    assert stricter["inspection_id"] != first["inspection_id"]
    assert (stricter["n_defective"], stricter["threshold_rule"]) == (8, "given")
    _, without = inspect(shell, photos)
    assert inspect(shell, photos)[1]["inspection_id"] != without["inspection_id"]


def test_exit_codes_tell_defects_from_mistakes(made, shell, photos, tmp_path):
    assert inspect(shell, photos, "--fail-on-defect")[0].exit_code == 1
    assert inspect(shell, photos)[0].exit_code == 0
    assert inspect(shell, photos / "good", "--fail-on-defect")[0].exit_code == 0
    for arguments in ([shell, tmp_path / "absent"], ["20200101-000000-absent", photos]):
        result, said = inspect(*arguments)
        assert result.exit_code == 2
        assert said["error"]
        assert said["fix"]


def test_defective_images_are_moved_once_and_found_where_they_lie(made, shell, photos, tmp_path):
    bad = tmp_path / "bad"
    (bad / "spot").mkdir(parents=True)
    (bad / "spot" / "000.png").write_bytes(b"of yesterday")
    contents = {hash_file(path) for path in photos.glob("spot/*.png")}
    _, said = inspect(shell, photos, "--move-defective", bad)
    assert sorted(path.name for path in photos.glob("*/*.png")) == [f"{i:03}.png" for i in range(4)]
    assert (bad / "spot" / "000.png").read_bytes() == b"of yesterday"
    moved = [row for row in kept.rows(made[0], said["inspection_id"]) if row.verdict == "defective"]
    assert {hash_file(Path(row.path)) for row in moved} == contents
    assert all(row.note.startswith(f"Moved to {bad}") for row in moved)
    assert said["n"] == 8


def test_a_row_survives_its_way_to_json_and_back():
    row = Inspected("a.png", "/a.png", 1.5, "normal", 2.0, nearest=(("n", 0.5),), stamp=(1, 2, 3), picture=(4, 5))
    from wtflow.records.inspect import inspected_from_json

    back = inspected_from_json(json.loads(json.dumps(row.to_json())))
    assert facts_of_rows([back]) == facts_of_rows([row])
    assert back.picture == (4, 5)
    assert inspected_from_json(row.to_json() | {"of a later version": 1}).image == "a.png"
    for wrong in (None, [], {"image": "a.png"}, {"image": 3, "path": "x"}):
        with pytest.raises((ValueError, TypeError)):
            inspected_from_json(wrong)
