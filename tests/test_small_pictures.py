"""Small pictures kept with a run: drawn once, right or absent, whoever draws them and whatever the disk says."""

import io
import os
import shutil
import threading

import numpy as np
import pytest
from PIL import Image
from run_folders import train_here, write_tiny_category

from wtflow.errors import DiskFullError
from wtflow.plots.pictures import encode_jpeg, overlay, thumbnail
from wtflow.results import open_results, outline_of, pixel_map
from wtflow.store import layout, small_files
from wtflow.store.runs import RunStore
from wtflow.studies import small_pictures
from wtflow.studies.small_pictures import OPACITY, fill_small, hover_px, open_small

LOOKS = [("overlay", 320), ("map", 64), ("outlined", 320), ("image", 64)]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    store, root = RunStore(folder / "runs"), write_tiny_category(folder / "data", n_train=10, n_good=2, n_bad=2)
    return store, root, train_here(store, root)


@pytest.fixture
def place(made, tmp_path):
    """A store that may be changed, and its run."""
    shutil.copytree(made[0].home, tmp_path / "runs")
    return RunStore(tmp_path / "runs"), made[2]


def opened(store, run_id):
    return open_small(store, run_id, lambda: open_results(store, run_id))


def files_in(store, run_id):
    return sorted(path for path in (store.folder(run_id) / layout.DERIVED).rglob("*") if path.is_file())


@pytest.fixture
def drawn(monkeypatch):
    """Rows whose pictures were drawn, in order."""
    rows, really = [], small_pictures.pixel_map
    monkeypatch.setattr(small_pictures, "pixel_map", lambda results, row: rows.append(row) or really(results, row))
    return rows


def test_filling_draws_all_test_images_once_and_a_page_finds_them(place, drawn):
    told = []
    fill_small(opened(*place), LOOKS, lambda done, total: told.append((done, total)))
    assert told == [(i, 4) for i in range(1, 5)]
    assert len(drawn) == 4 and len(files_in(*place)) == 4 * len(LOOKS)
    small = opened(*place)
    results = small.results
    row = int(results.test.row.iloc[-1])
    (image,) = [one for one in results.test.itertuples() if one.row == row]
    own = thumbnail(results.seen.own(row, image.sample_id), 320)
    expected = overlay(own, pixel_map(results, row), results.color_range, OPACITY, outline_of(results, image))
    assert small.picture(row, "overlay").jpeg == encode_jpeg(expected)
    assert max(Image.open(io.BytesIO(small.picture(row, "image", 64).jpeg)).size) <= 64
    fill_small(small, LOOKS, lambda *_: None)
    assert len(drawn) == 4, "nothing is drawn twice"


def test_filling_stops_when_its_progress_raises_and_goes_on_later(place, drawn):
    def stop(done: int, total: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        fill_small(opened(*place), LOOKS, stop)
    fill_small(opened(*place), LOOKS, lambda *_: None)
    assert len(drawn) == len(set(drawn)) == 4


@pytest.mark.parametrize("name", [layout.MAPS, layout.SCORES, layout.METRICS, layout.PICTURES, layout.TRUTH])
def test_a_run_that_was_written_again_gets_new_pictures_and_loses_the_old_ones(place, drawn, name):
    store, run_id = place
    opened(store, run_id).picture(0, "overlay")
    (old,) = files_in(store, run_id)
    path = store.folder(run_id) / name
    stat = path.stat()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    opened(store, run_id).picture(0, "overlay")
    (new,) = files_in(store, run_id)
    assert new != old and drawn == [0, 0]


def test_what_was_drawn_of_a_run_that_changed_meanwhile_is_not_kept(place):
    store, run_id = place
    small = opened(store, run_id)
    store.write_maps(run_id, np.array(store.maps(run_id)) * 2)
    assert small.picture(0, "overlay").jpeg
    assert files_in(store, run_id) == []


def test_results_of_before_a_second_scoring_are_never_taken_for_those_of_after(place):
    store, run_id = place
    before, after = open_results(store, run_id), []

    def open_run():
        if not after:  # the run is scored again while its results are opened
            store.write_maps(run_id, np.array(store.maps(run_id)) * 2)
            after.append(open_results(store, run_id))
            return before
        return after[0]

    assert open_small(store, run_id, open_run).results is after[0]


@pytest.mark.parametrize(
    "spoil", [lambda path: path.write_bytes(b""), lambda path: path.write_bytes(path.read_bytes()[:-9])]
)
def test_a_picture_that_is_cut_off_is_drawn_again(place, drawn, spoil):
    first = opened(*place).picture(0, "overlay")
    spoil(files_in(*place)[0])
    assert opened(*place).picture(0, "overlay") == first
    assert drawn == [0, 0]


def test_a_run_without_pictures_of_its_own_follows_its_images(made, tmp_path, drawn):
    """Each picture has a name by the file, so that one that is gone or changed is not shown as if it were there."""
    root = write_tiny_category(tmp_path / "data", n_train=4, n_good=1, n_bad=1)
    store = RunStore(tmp_path / "runs")
    run_id = train_here(store, root, keep_pictures=False)
    row = int(store.scores(run_id).set_index("sample_id").row["test/spot/000.png"])
    assert opened(store, run_id).picture(row, "overlay").note == ""
    (root / "plate/test/spot/000.png").unlink()
    assert "does not exist" in opened(store, run_id).picture(row, "overlay").note
    assert len(files_in(store, run_id)) == 1, "a crossed-out picture is not kept: the image may come back"


def test_a_disk_that_takes_nothing_costs_speed_alone(place, monkeypatch):
    kept = opened(*place).picture(0, "overlay")
    shutil.rmtree(place[0].folder(place[1]) / layout.DERIVED)

    def full(*args, **options):
        raise DiskFullError("No space left.", fix="Free some space.")

    monkeypatch.setattr(small_files, "write_atomic", full)
    assert opened(*place).picture(0, "overlay") == kept
    assert files_in(*place) == []


def test_a_deleted_run_does_not_come_back(place):
    store, run_id = place
    small = opened(store, run_id)
    store.delete(run_id)
    assert not small_files.keep_small(small.folder / "map-64-000000.jpg", b"\xff\xd9")
    assert not (store.home / run_id).exists()


def test_several_at_once_leave_whole_files_and_nothing_else(place):
    problems = []

    def work() -> None:
        try:
            fill_small(opened(*place), LOOKS, lambda *_: None)
        except Exception as error:
            problems.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    files = files_in(*place)
    assert len(files) == 4 * len(LOOKS)
    for path in files:
        Image.open(path).load()


def test_pictures_to_hover_over_shrink_where_there_are_many_so_that_together_they_stay_as_large():
    assert [hover_px(n) for n in (0, 1, 300, 600, 100_000)] == [112, 112, 112, 79, 64]
    assert 600 * hover_px(600) ** 2 == pytest.approx(300 * 112**2, rel=0.01)
