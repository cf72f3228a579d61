"""Nearest normal positions against brute force over all training positions of a real run, and crops of images
counted by hand.
"""

import os
import shutil

import numpy as np
import pytest
import safetensors.torch
from PIL import ImageColor
from run_folders import train_here, write_tiny_category

from wtflow.errors import RunNotFoundError
from wtflow.plots.pictures import CROP_CELLS, crop_around
from wtflow.plots.theme import COLOURS
from wtflow.records.flow import Neighbour
from wtflow.store import layout
from wtflow.store.runs import RunStore
from wtflow.studies import neighbours
from wtflow.studies.neighbours import N_NEIGHBOURS, nearest_positions
from wtflow.studies.run_flow import open_flow

N_TRAIN = 12


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A run whose test images are all its training images once more, and a defective one."""
    folder = tmp_path_factory.mktemp("neighbours")
    root = write_tiny_category(folder / "data", n_train=N_TRAIN, n_good=0, n_bad=1)
    for path in (root / "plate/train/good").iterdir():
        shutil.copy(path, root / "plate/test/good")
    store = RunStore(folder / "runs")
    return store, train_here(store, root, holdout_fraction=0.25)


@pytest.fixture
def copy(place):
    """A run of its own to spoil."""
    store, run_id = place
    new = "20200101-000000-copy"
    shutil.copytree(store.folder(run_id), store.home / new)
    yield new
    shutil.rmtree(store.home / new)


@pytest.fixture
def few(monkeypatch):
    """No more than so many training positions are searched; what was kept before is forgotten, before and after."""

    def at_most(n: int) -> None:
        neighbours._kept.cache_clear()
        monkeypatch.setattr(neighbours, "MOST_KEPT", n)

    yield at_most
    neighbours._kept.cache_clear()


def row_of(flow, sample_id: str) -> int:
    return int(flow.results.table.set_index("sample_id").loc[sample_id, "row"])


def feature(flow, row: int, grid_row: int, grid_column: int) -> np.ndarray:
    _, grid = next(flow.grids(np.array([row])))
    return flow.detector.start(grid[None])[0, grid_row, grid_column].numpy().astype(float)


def all_training(flow) -> tuple[list[tuple[str, int, int]], np.ndarray]:
    """Every position of every training image that the flow learned from, and its feature in full precision."""
    places, values = [], []
    for sample_id, grid in flow.training_grids(flow.training_ids()):
        x = flow.detector.start(grid[None])[0].numpy().astype(float)
        for r in range(x.shape[0]):
            for c in range(x.shape[1]):
                places.append((sample_id, r, c))
                values.append(x[r, c])
    return places, np.stack(values)


def where(found: tuple[Neighbour, ...]) -> list[tuple[str, int, int]]:
    return [(one.sample_id, one.grid_row, one.grid_column) for one in found]


# -- against brute force -----------------------------------------------------------------------------------------------


def test_brute_force_over_all_training_positions_finds_the_same_five(place):
    """Half precision may swap two that are equally far to three digits; where the sixth is farther than that, the
    five are the same.
    """
    store, run_id = place
    flow = open_flow(store, run_id)
    places, values = all_training(flow)
    spot, n_clear = row_of(flow, "test/spot/000.png"), 0
    for row, grid_row, grid_column in [(spot, r, c) for r in range(0, 8, 2) for c in range(1, 8, 3)]:
        far = np.linalg.norm(values - feature(flow, row, grid_row, grid_column), axis=1)
        order = np.argsort(far)
        found = nearest_positions(store, run_id, row, grid_row, grid_column)
        np.testing.assert_allclose([one.distance for one in found], far[order[:N_NEIGHBOURS]], rtol=2e-3)
        if far[order[5]] > 1.004 * far[order[4]]:
            n_clear += 1
            assert set(where(found)) == {places[i] for i in order[:N_NEIGHBOURS]}
        for one in found:
            assert far[places.index((one.sample_id, one.grid_row, one.grid_column))] == pytest.approx(
                one.distance, rel=2e-3
            )
    assert n_clear >= 3, "else the test shows nothing"


def test_a_training_images_own_position_is_its_own_nearest_at_almost_no_distance(place):
    store, run_id = place
    flow = open_flow(store, run_id)
    for name in flow.training_ids()[::3]:
        row = row_of(flow, name.replace("train/", "test/"))
        for at in ((0, 0), (3, 6), (7, 7)):
            first, second, *_ = nearest_positions(store, run_id, row, *at)
            assert where((first,)) == [(name, *at)]
            assert first.distance < 1e-3 * np.linalg.norm(feature(flow, row, *at)), (
                "the last bit of half precision is 5e-4"
            )
            assert second.distance > 10 * first.distance


def test_images_held_out_of_training_are_never_among_them_although_they_are_the_nearest(place):
    """A held-out image is in the score table itself: only its own positions would be at distance 0."""
    store, run_id = place
    flow = open_flow(store, run_id)
    assert len(flow.held_out) == 3
    for name in flow.held_out:
        found = nearest_positions(store, run_id, row_of(flow, name), 4, 4, n=10_000)
        assert {one.sample_id for one in found} == set(flow.training_ids())
        assert len(found) == 64 * (N_TRAIN - 3)
        assert found[0].distance > 0.05 * np.linalg.norm(feature(flow, row_of(flow, name), 4, 4))


def test_distances_rise(place):
    found = nearest_positions(*place, 0, 2, 2, n=50)
    assert len(found) == 50
    assert (np.diff([one.distance for one in found]) >= 0).all()
    assert len(set(where(found))) == 50


# -- how many are searched ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("most", "n_images", "n_each"), [(100, 9, 11), (9, 9, 1), (5, 5, 1), (1, 1, 1)])
def test_no_more_positions_are_kept_than_allowed_the_same_number_of_each_image(place, few, most, n_images, n_each):
    few(most)
    found = nearest_positions(*place, 0, 0, 0, n=10_000)
    counts = np.unique([one.sample_id for one in found], return_counts=True)[1]
    assert counts.tolist() == [n_each] * n_images
    assert len(set(where(found))) == len(found) <= most


def test_a_newer_checkpoint_is_noticed(place, copy):
    """The normaliser of the new one makes everything twice as far."""
    store, _ = place
    before = nearest_positions(store, copy, 0, 1, 1)
    path = store.folder(copy) / layout.CHECKPOINT
    tensors = safetensors.torch.load_file(path)
    tensors["normaliser.matrix"] *= 2
    stamp = path.stat().st_mtime_ns
    safetensors.torch.save_file(tensors, path)
    os.utime(path, ns=(stamp + 1, stamp + 1))  # however coarse the clock of the disk
    after = nearest_positions(store, copy, 0, 1, 1)
    np.testing.assert_allclose(
        [one.distance for one in after], [2 * one.distance for one in before], rtol=2e-3, atol=1e-4
    )


# -- what cannot be done -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [(99, 0, 0), (-1, 0, 0), (0, 8, 0), (0, 0, 8), (0, -1, 0), (0, 0, -1)])
def test_a_position_that_the_run_does_not_have_is_a_sentence(place, at):
    with pytest.raises(RunNotFoundError, match="has no position") as caught:
        nearest_positions(*place, *at)
    assert caught.value.fix


def test_a_run_all_of_whose_normals_were_held_out_is_a_sentence(place, copy, few):
    store, _ = place
    few(100)
    data = store.data(copy)
    store.write_data(copy, data | {"held_out": [entry["id"] for entry in data["samples"]]})
    with pytest.raises(RunNotFoundError, match="has no training images"):
        nearest_positions(store, copy, 0, 1, 1)


# -- crops -------------------------------------------------------------------------------------------------------------


def cells(n: int = 16, side: int = 8) -> np.ndarray:
    """uint8 (n side, n side, 3): red counts the rows of cells and green the columns, in steps of 10; blue is 0."""
    index = np.repeat(np.arange(n, dtype=np.uint8) * 10, side)
    return np.stack([*np.meshgrid(index, index, indexing="ij"), np.zeros((n * side, n * side), np.uint8)], axis=-1)


@pytest.mark.parametrize(
    ("at", "first"), [((8, 9), (5, 6)), ((0, 0), (0, 0)), ((15, 15), (9, 9)), ((1, 14), (0, 9)), ((3, 3), (0, 0))]
)
def test_a_crop_shows_seven_by_seven_positions_around_the_one_that_is_framed(at, first):
    """70 pixels for 7 cells: the middle of each is the cell's own colour, whatever was interpolated at its edges."""
    crop = crop_around(cells(), *at, (16, 16), 70)
    assert crop.shape == (70, 70, 3) and crop.dtype == np.uint8
    for r in range(CROP_CELLS):
        for c in range(CROP_CELLS):
            assert crop[10 * r + 5, 10 * c + 5].tolist() == [10 * (first[0] + r), 10 * (first[1] + c), 0]
    framed = np.argwhere((crop == ImageColor.getrgb(COLOURS["truth"])).all(-1)).mean(0)
    np.testing.assert_allclose(
        framed, [10 * (at[k] - first[k]) + 5 for k in (0, 1)], atol=1.5 if min(at) and max(at) < 15 else 3
    )


def test_a_grid_smaller_than_the_window_is_shown_whole():
    crop = crop_around(cells(4, 16), 1, 2, (4, 4), 80)
    assert [crop[20 * k + 10, 50, 0] for k in (0, 2, 3)] == [0, 20, 30]
    assert [crop[70, 20 * k + 10, 1] for k in range(4)] == [0, 10, 20, 30]


def test_cells_of_any_number_of_pixels_can_be_cut_out():
    """55 pixels in 7 cells make 54.99999999999999 or 55.00000000000001 again, and Pillow refuses both outside of the
    picture.
    """
    for height in (*range(20, 400, 35), 55, 97, 333):
        image = np.zeros((height, height + 3), np.uint8)
        for n in (1, 2, 3, 5, 6, 7, 8, 9, 11, 14):
            for at in ((0, 0), (n // 2, 6), (n - 1, 3)):
                assert crop_around(image, *at, (n, 7), 24).shape == (24, 24, 3)
