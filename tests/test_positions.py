"""Choosing positions: cells counted by hand, groups against the masks on disk, draws that repeat and spread."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from run_folders import tiny_settings

from wtflow.errors import FlowError
from wtflow.records.core import GOOD, RunStatus
from wtflow.records.flow import UNMARKED, PositionSet, Travel
from wtflow.results import open_results
from wtflow.scoring.pixels import covered_share, grid_mask
from wtflow.store.layout import SCORE_COLUMNS
from wtflow.store.runs import RunStore
from wtflow.studies.positions import choose_positions, drawn_evenly, one_position, thin

GRID = (4, 4)
"""Cells of 16 pixels: the images are 64 pixels wide."""

# -- cells -------------------------------------------------------------------------------------------------------------


def test_a_cell_that_cuts_pixels_gets_its_share_of_them():
    """Three pixels on two cells: the middle pixel belongs half to each, so the first cell holds 1 + 1/2 of its 1.5
    pixels.
    """
    assert covered_share(np.array([[1, 0, 0]]), (1, 2)).tolist() == [[pytest.approx(2 / 3), 0]]
    assert covered_share(np.array([[0, 1, 0]]), (1, 2)).tolist() == [[pytest.approx(1 / 3), pytest.approx(1 / 3)]]
    square = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 0]])
    np.testing.assert_allclose(covered_share(square, (2, 2)), np.array([[4 + 1, 1], [1, 1]]) / 9)


def test_cells_smaller_than_a_pixel_take_its_value():
    np.testing.assert_allclose(covered_share(np.array([[1, 0]]), (3, 4)), np.tile([1.0, 1, 0, 0], (3, 1)))


@pytest.mark.parametrize("shape", [(3, 5), (7, 2), (64, 64), (20, 33)])
def test_shares_hold_the_area_of_the_mask_whatever_the_grid(shape):
    mask = np.random.default_rng(0).random((20, 33)) < 0.3
    shares = covered_share(mask, shape)
    assert shares.mean() == pytest.approx(mask.mean())
    assert shares.min() >= 0
    assert shares.max() <= 1 + 1e-12


def test_a_cell_counts_as_defective_from_half_of_its_area_on():
    mask = np.zeros((4, 8), bool)
    mask[:2, :4] = True  # half of the first cell
    mask[0, 4:] = mask[1, 4:7] = True  # 7 of the 16 pixels of the second
    assert grid_mask(mask, (1, 2)).tolist() == [[True, False]]


def test_halves_that_rounding_makes_smaller_count():
    """Half of every cell is covered; 7 cells on 10 pixels cut pixels at sevenths, which no float holds exactly."""
    mask = np.zeros((2, 10), bool)
    mask[0] = True
    assert grid_mask(mask, (1, 7)).all()


@pytest.mark.parametrize("pixel", [(0, 0), (5, 9), (19, 32)])
def test_a_defect_of_one_pixel_keeps_its_cell_and_no_mask_keeps_none(pixel):
    mask = np.zeros((20, 33), bool)
    assert not grid_mask(mask, GRID).any()
    mask[pixel] = True
    rows, columns = np.nonzero(grid_mask(mask, GRID))
    assert (pixel[0] * 4 // 20, pixel[1] * 4 // 33) in zip(rows.tolist(), columns.tolist(), strict=True)


# -- a run by hand -----------------------------------------------------------------------------------------------------


def make_run(home: Path, images: list[tuple[str, tuple[slice, slice] | None]]):
    """A finished run of 64 px images (defect, marked pixels); map i rises over its cells from i. Returns its
    results.
    """
    store, rows = RunStore(home / "runs"), []
    run_id = store.create(home, "plate", tiny_settings())
    for i, (defect, marked) in enumerate(images):
        path, mask_path = home / f"{i}.png", home / f"{i}_mask.png"
        Image.new("L", (64, 64)).save(path)
        if marked is not None:
            mask = np.zeros((64, 64), np.uint8)
            mask[marked] = 255
            Image.fromarray(mask).save(mask_path)
        rows.append(
            (
                i,
                f"test/{defect}/{i}.png",
                str(path),
                str(mask_path) if marked else "",
                "test",
                defect,
                defect != GOOD,
                1.0,
                0,
                0,
                1.0,
                np.nan,
            )
        )
    store.write_scores(run_id, pd.DataFrame(rows, columns=list(SCORE_COLUMNS)))
    store.write_maps(
        run_id, (np.arange(len(images))[:, None, None] + np.arange(16).reshape(GRID) / 100).astype(np.float32)
    )
    store.write_metrics(run_id, {"metrics": {}})
    store.write_status(run_id, RunStatus(state="finished"))
    return open_results(store, run_id)


LEFT_TOP = (slice(0, 32), slice(0, 32))  # cells 0, 1, 4, 5
DOT = (slice(63, 64), slice(63, 64))  # cell 15


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Rows: 0 and 1 good, 2 a scratch of four cells, 3 a dot of one pixel, 4 a dent without a mask."""
    return make_run(
        tmp_path_factory.mktemp("by_hand"),
        [(GOOD, None), (GOOD, None), ("scratch", LEFT_TOP), ("dot", DOT), ("dent", None)],
    )


def cells(positions: PositionSet, row: int) -> list[int]:
    here = positions.row == row
    return (positions.grid_row[here] * 4 + positions.grid_column[here]).tolist()


ALL = np.arange(5)


def test_defect_positions_lie_inside_the_masks_and_the_highest_stand_in_where_there_is_none(results):
    positions = choose_positions(results, ALL, "defect", 9, 0)
    assert cells(positions, 2) == [0, 1, 4, 5]
    assert cells(positions, 3) == [15]
    assert cells(positions, 4) == [
        12,
        13,
        14,
        15,
    ], "the map rises towards the last cell; what the dot has no room for falls to the others"
    assert cells(positions, 0) == cells(positions, 1) == []
    assert [str(name) for name in positions.group] == ["scratch"] * 4 + ["dot"] + [UNMARKED] * 4
    assert positions.groups == ("dot", "scratch", UNMARKED)


def test_the_top_positions_are_the_highest_of_each_image(results):
    positions = choose_positions(results, ALL, "top", 10, 0)
    assert [cells(positions, row) for row in range(5)] == [[14, 15]] * 5
    np.testing.assert_allclose(positions.score, [row + x for row in range(5) for x in (0.14, 0.15)], rtol=1e-6)
    assert [str(name) for name in positions.group] == [GOOD] * 4 + [UNMARKED] * 2 + [UNMARKED, "dot"] + [UNMARKED] * 2


def test_balanced_is_half_good_images_and_half_defects(results):
    positions = choose_positions(results, ALL, "balanced", 11, 0)
    assert np.isin(positions.row, (0, 1)).sum() == 6
    assert (positions.row > 1).sum() == 5
    assert cells(positions, 3) == [15]
    assert set(cells(positions, 2)) <= {0, 1, 4, 5}


def test_balanced_without_good_images_takes_its_sound_half_from_outside_the_masks(results):
    positions = choose_positions(results, np.array([2]), "balanced", 10, 0)
    assert [(positions.group == name).sum() for name in ("scratch", UNMARKED)] == [
        4,
        5,
    ], "the mask has no more than four"
    assert cells(positions, 2) == sorted(cells(positions, 2)), "ordered by place although drawn in two parts"
    unmasked = choose_positions(results, np.array([4]), "balanced", 16, 0)
    assert len(set(cells(unmasked, 4))) == len(unmasked), "no position twice"


def test_balanced_without_defects_draws_anywhere(results):
    positions = choose_positions(results, np.array([0, 1]), "balanced", 7, 0)
    assert len(positions) == 7
    assert positions.groups == (GOOD,)


@pytest.mark.parametrize("how", ["balanced", "random", "top", "defect"])
def test_a_seed_repeats_its_draw_and_every_position_is_drawn_once(results, how):
    first, again = (choose_positions(results, ALL, how, 9, 3) for _ in range(2))
    assert all(
        np.array_equal(getattr(first, name), getattr(again, name))
        for name in ("row", "grid_row", "grid_column", "group", "score")
    )
    places = list(zip(first.row.tolist(), first.grid_row.tolist(), first.grid_column.tolist(), strict=True))
    assert len(first) == 9
    assert places == sorted(set(places)), "ordered by image, then by place"
    np.testing.assert_array_equal(first.score, results.maps[first.row, first.grid_row, first.grid_column])


def test_another_seed_draws_other_positions(results):
    assert len({tuple(cells(choose_positions(results, np.array([0]), "random", 5, seed), 0)) for seed in range(5)}) > 1


def test_the_order_and_number_of_mentions_of_images_change_nothing(results):
    a, b = (
        choose_positions(results, np.array([3, 0, 3, 2]), "random", 9, 1),
        choose_positions(results, np.array([0, 2, 3]), "random", 9, 1),
    )
    assert np.array_equal(a.row, b.row)
    assert np.array_equal(a.grid_column, b.grid_column)


def test_more_positions_than_there_are_give_all_of_them(results):
    assert len(choose_positions(results, ALL, "random", 1000, 0)) == 5 * 16
    assert len(choose_positions(results, np.array([2, 3]), "defect", 1000, 0)) == 5


def test_fewer_positions_than_images_come_from_all_over_the_list_not_from_its_start(tmp_path):
    """Test images are sorted by defect type: taking the first ones would leave whole types out."""
    images = [(GOOD, None)] * 6 + [("a", LEFT_TOP)] * 6 + [("b", LEFT_TOP)] * 6
    positions = choose_positions(make_run(tmp_path, images), np.arange(18), "balanced", 8, 0)
    assert [(positions.group == name).sum() for name in (GOOD, "a", "b")] == [4, 2, 2]
    assert len(set(positions.row.tolist())) == 8, "never two of one image while another has none"


def test_a_position_by_itself_knows_its_group_and_score(results):
    for place, group in (((0, 0, 0), GOOD), ((2, 1, 1), "scratch"), ((2, 2, 1), UNMARKED), ((4, 3, 3), UNMARKED)):
        one = one_position(results, *place)
        assert (len(one), one.row[0], one.grid_row[0], one.grid_column[0], one.group[0]) == (1, *place, group)
        assert one.score[0] == results.maps[place]


@pytest.mark.parametrize("place", [(0, 4, 0), (0, 0, -1), (0, -1, 0)])
def test_a_position_outside_the_grid_is_a_sentence(results, place):
    with pytest.raises(FlowError, match=r"no position .* on a grid of 4 x 4"):
        one_position(results, *place)


@pytest.mark.parametrize(
    ("rows", "how", "n", "message"),
    [
        ([0], "best", 3, "Cannot choose 3 positions by 'best'"),
        ([0], "random", 0, "Cannot choose 0 positions"),
        ([], "random", 3, "No image is chosen"),
        ([0, 99], "random", 3, "has no image row 99"),
        ([-1], "random", 3, "has no image row -1"),
        ([0, 1], "defect", 3, "None of the chosen images has a defect pixel"),
    ],
)
def test_what_cannot_be_chosen_is_a_sentence(results, rows, how, n, message):
    with pytest.raises(FlowError, match=message):
        choose_positions(results, np.array(rows, int), how, n, 0)


def test_an_image_row_that_the_run_lacks_is_a_sentence_for_a_single_position_too(results):
    with pytest.raises(FlowError, match="has no image row 9"):
        one_position(results, 9, 0, 0)


def test_masks_that_are_not_sound_leave_positions_unmarked(tmp_path):
    """An unreadable mask, one of another size, an empty one, and an image that has gone."""
    results = make_run(tmp_path, [("dent", LEFT_TOP)] * 4)
    (tmp_path / "0_mask.png").write_bytes(b"no image")
    Image.new("L", (10, 10), 255).save(tmp_path / "1_mask.png")
    Image.new("L", (64, 64)).save(tmp_path / "2_mask.png")
    (tmp_path / "3.png").unlink()
    assert choose_positions(results, np.arange(4), "random", 64, 0).groups == (UNMARKED,)


# -- thinning ----------------------------------------------------------------------------------------------------------


def test_drawing_evenly_takes_the_same_number_of_each_group_as_far_as_it_has_them():
    group = np.array(["a"] * 50 + ["b"] * 3 + ["c"] * 10)
    chosen = drawn_evenly(group, 17, 0)
    assert [(group[chosen] == name).sum() for name in "abc"] == [7, 3, 7]
    assert chosen.tolist() == sorted(set(chosen.tolist()))
    assert np.array_equal(chosen, drawn_evenly(group, 17, 0))
    assert drawn_evenly(group, 1000, 0).tolist() == list(range(63))


def test_a_thinned_travel_keeps_each_positions_own_path():
    n = 30
    numbers = np.arange(n, dtype=np.float32)
    positions = PositionSet(
        numbers.astype(int), numbers.astype(int), numbers.astype(int), np.array([GOOD] * 25 + ["dent"] * 5), numbers
    )
    paths = {name: np.tile(numbers, (3, 1)) for name in ("norm", "speed", "alignment", "straightness", "radial")}
    travel = Travel(
        positions,
        np.arange(3.0),
        plane=np.tile(numbers[None, :, None], (3, 1, 2)),
        explained=(0.5, 0.2),
        n_channels=4,
        divergence=np.tile(numbers, (3, 1)),
        **paths,
    )
    few = thin(travel, 10)
    assert (few.positions.group == "dent").sum() == 5
    for values in (few.norm[2], few.radial[0], few.divergence[1], few.plane[1, :, 1], few.positions.grid_row):
        assert np.array_equal(values, few.positions.score)
    assert thin(travel, n) is travel
