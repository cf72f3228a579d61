"""Whether runs were counted on the same masks, and one truth for all of them."""

import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from report_runs import write_category, write_run
from test_compare import compared, data_of, results_of
from truths import drawn, keep_truth

from wtflow.compare.common_truth import NOW, common_truth, truth_options
from wtflow.compare.differences import input_sentences, truth_sentences
from wtflow.compare.runs import align
from wtflow.compare.truths import OwnTruth, coarsened, find_differences, own_truth, same_truth
from wtflow.datasets.masks.shrink import truth_of_mask
from wtflow.records.reading import Reading
from wtflow.records.truth import RunTruth
from wtflow.results import open_results
from wtflow.store import layout
from wtflow.store.readings import keep_reading
from wtflow.store.runs import RunStore

SIDE = 48
boxes = st.lists(
    st.tuples(*(st.integers(0, SIDE - 6),) * 2, *(st.integers(1, 6),) * 2), min_size=1, max_size=4
)  # row, column, height, width


def mask_of(found) -> np.ndarray:
    mask = np.zeros((SIDE, SIDE), bool)
    for row, column, height, width in found:
        mask[row : row + height, column : column + width] = True
    return mask


# -- truths of one image -----------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(boxes, boxes, st.sampled_from([(24, 24), (16, 12), (6, 48), (1, 1)]))
def test_a_truth_on_a_coarser_grid_is_that_of_the_mask_itself(found, ignored, shape):
    """By way of a grid of the mask's own size, and of one half as fine, against the mask shrunk at once."""
    mask, left = mask_of(found), mask_of(ignored)
    once = truth_of_mask(mask & ~left, shape, left)
    for between in ((SIDE, SIDE), (24, 48)):
        if not (between[0] % shape[0] or between[1] % shape[1]):
            twice = coarsened(truth_of_mask(mask & ~left, between, left), shape)
            assert twice.shape == shape
            assert np.array_equal(twice.pixel, once.pixel) and np.array_equal(twice.region, once.region)
            assert twice.share == pytest.approx(once.share, abs=1e-6)
            assert np.array_equal(twice.left_pixel, once.left_pixel)
            assert twice.left_share == pytest.approx(once.left_share, abs=1e-6)


SIZES = st.sampled_from([(48, 48), (40, 40), (32, 24), (21, 21)])


@settings(deadline=None, max_examples=60)
@given(boxes, SIZES, SIZES)
def test_one_mask_is_the_same_truth_at_every_size_of_the_map(found, first, second):
    mask = mask_of(found)
    assert same_truth(truth_of_mask(mask, first), truth_of_mask(mask, second))


@settings(deadline=None, max_examples=60)
@given(boxes, boxes, st.sampled_from([(48, 48), (24, 24)]), st.sampled_from([(48, 48), (24, 24), (16, 16)]))
def test_masks_that_differ_on_the_common_grid_are_other_truths(found, other, first, second):
    one, two = mask_of(found), mask_of(other)
    grid = tuple(math.gcd(*sides) for sides in zip(first, second, strict=True))
    shares = [truth_of_mask(mask, grid).defect for mask in (one, two)]
    same = same_truth(truth_of_mask(one, first), truth_of_mask(two, second))
    if np.abs(shares[0] - shares[1]).max() > 1e-4:
        assert not same
    if np.array_equal(one, two):
        assert same


def test_what_is_left_out_belongs_to_the_truth():
    mask, ring = mask_of([(10, 10, 6, 6)]), mask_of([(20, 20, 4, 4)])
    plain, ringed = truth_of_mask(mask, (24, 24)), truth_of_mask(mask, (24, 24), ring)
    assert not same_truth(plain, ringed)
    assert not same_truth(plain, truth_of_mask(mask, (48, 48), ring))
    assert same_truth(ringed, truth_of_mask(mask, (48, 48), ring))


# -- truths of runs ----------------------------------------------------------------------------------------------------

BOX, CORNER = drawn(mask_of([(10, 10, 6, 6)])), drawn(mask_of([(0, 0, 6, 6)]))
IDS = ("test/crack/000.png", "test/crack/001.png", "test/dent/000.png")


def owned(**truths) -> OwnTruth:
    """A run's own truth: crack_0, crack_1, dent_0 -> truth; others have no mask."""
    names = dict(zip(("crack_0", "crack_1", "dent_0"), IDS, strict=True))
    return OwnTruth(RunTruth((SIDE, SIDE), {names[key]: truth for key, truth in truths.items()}, {}), True)


def test_images_are_named_whose_masks_differ_and_those_that_only_some_runs_have_a_mask_for():
    runs = [results_of()] * 3
    own = [
        owned(crack_0=BOX, crack_1=BOX),
        owned(crack_0=CORNER, crack_1=BOX, dent_0=BOX),
        owned(crack_0=BOX, crack_1=BOX),
    ]
    found = find_differences(compared(*runs), own, [None] * 3)
    assert found.differ == (IDS[0],)
    assert found.partly == (((1,), (IDS[2],)),)
    assert (found.groups, found.are_same, found.n) == ((0, 1, 0), False, 2)
    assert truth_sentences(found, own) == (
        f"1 image has different masks in A, B and C: {IDS[0]}.",
        f"1 image has a valid mask in B only: {IDS[2]}.",
    )


def test_many_names_are_counted():
    own = [owned(crack_0=BOX, crack_1=BOX, dent_0=BOX), owned(crack_0=CORNER, crack_1=CORNER, dent_0=CORNER)]
    found = find_differences(compared(results_of(), results_of()), own, [None] * 2)
    (sentence,) = truth_sentences(found, own, most=2)
    assert sentence == f"3 images have different masks in A and B: {IDS[0]}, {IDS[1]} and 1 more."


def test_a_run_whose_truth_is_gone_is_the_same_as_none():
    own = [owned(crack_0=BOX), OwnTruth(None, False)]
    found = find_differences(compared(results_of(), results_of()), own, [None] * 2)
    assert found.groups == (0, None) and not found.are_same
    (sentence,) = truth_sentences(found, own)
    assert sentence.startswith("B holds no masks of its own, and its images are gone")


def test_hashes_of_masks_tell_apart_what_maps_of_two_sizes_cannot():
    """Both masks cover the same of the common grid of 24 x 24, and their regions are equally large."""
    fine, other = drawn(mask_of([(10, 10, 1, 1)])), truth_of_mask(mask_of([(11, 11, 1, 1)]), (24, 24))
    own = [owned(crack_0=fine), OwnTruth(RunTruth((24, 24), {IDS[0]: other}, {}), True)]
    compared_runs = compared(results_of(), results_of())
    data = [{"samples": [{"id": IDS[0], "mask_sha256": content}]} for content in "ab"]
    assert find_differences(compared_runs, own, [None] * 2).are_same
    assert find_differences(compared_runs, own, data).differ == (IDS[0],)


# -- one truth for all -------------------------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "runs")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_category(tmp_path / "images")


def write_masks(root: Path, row: int) -> None:
    """Draw every mask anew: a square of 8 pixels at this row."""
    for path in (root / "plate/ground_truth/spot").glob("*.png"):
        mask = np.zeros((64, 64), np.uint8)
        mask[row : row + 8, 20:28] = 255
        Image.fromarray(mask).save(path)


def two_runs(store: RunStore, root: Path, sizes=(64, 64)) -> list[str]:
    """Two runs that hold their truth; masks were drawn anew between them."""
    ids = []
    for size_px, row in zip(sizes, (8, 40), strict=True):
        write_masks(root, row)
        ids.append(write_run(store, root, image_size=size_px))
        keep_truth(store, ids[-1])
    return ids


def study(store: RunStore, ids):
    runs = [open_results(store, run_id) for run_id in ids]
    data = [store.data(run_id) for run_id in ids]
    comparison, own = align(runs, data), [own_truth(run) for run in runs]
    found = find_differences(comparison, own, data)
    return comparison, own, found, lambda key: common_truth(store, comparison, own, found, data, key)


def assert_same(truth: RunTruth, other: RunTruth) -> None:
    assert truth.truths.keys() == other.truths.keys()
    assert all(same_truth(truth.truths[name], other.truths[name]) for name in truth.truths)


def test_nobody_chose_so_nothing_is_compared(store, root):
    ids = two_runs(store, root)
    comparison, _, found, choose = study(store, ids)
    assert len(found.differ) == 3
    assert choose(None).truths == () and "nobody has chosen" in choose(None).reason
    assert list(truth_options(store, comparison, found)) == [*ids, NOW]
    assert choose("20200101-000000-gone").truths == ()


def test_each_choice_gives_all_runs_the_same_truth(store, root):
    ids = two_runs(store, root)
    _, own, _, choose = study(store, ids)
    for key, truth in zip((*ids, NOW), (own[0].truth, own[1].truth, own[1].truth), strict=True):
        chosen = choose(key)
        assert not chosen.reason and not chosen.is_stored
        for one in chosen.truths:
            assert_same(one, truth)


def test_runs_of_the_same_masks_need_no_choice_and_keep_what_they_stored(store, root):
    first = write_run(store, root)
    second = write_run(store, root, image_size=128)
    for run_id in (first, second):
        keep_truth(store, run_id)
    _, own, found, choose = study(store, [first, second])
    assert found.are_same and truth_sentences(found, own) == ()
    chosen = choose(None)
    assert [one.shape for one in chosen.truths] == [(64, 64), (128, 128)] and chosen.is_stored


def test_a_truth_is_brought_to_a_coarser_map_and_to_a_finer_one_only_from_the_same_files(store, root):
    ids = two_runs(store, root, (128, 64))
    _, own, _, choose = study(store, ids)
    coarse = choose(ids[0])
    assert [one.shape for one in coarse.truths] == [(128, 128), (64, 64)]
    assert_same(coarse.truths[1], own[0].truth)
    fine = choose(ids[1])
    assert [one.shape for one in fine.truths] == [(128, 128), (64, 64)]
    assert_same(fine.truths[0], own[1].truth)
    write_masks(root, 20)
    refused = study(store, ids)[3](ids[1])  # 64 px cannot say where in a pixel of it a defect lies
    assert refused.truths == () and "64 x 64" in refused.reason and "128 x 128" in refused.reason
    write_masks(root, 40)
    assert study(store, ids)[3](ids[1]).truths
    data = store.data(ids[1])
    for entry in data["samples"]:
        entry.pop("mask_sha256", None)
    store.write_data(ids[1], data)
    assert study(store, ids)[3](ids[1]).truths == (), "whether these are the same masks is not known"


def test_masks_as_they_are_now_are_read_as_was_said_about_the_data_set(store, root):
    """Also masks that were drawn since, and never beside an image that was replaced."""
    ids = two_runs(store, root)
    write_masks(root, 20)
    for path in (root / "plate/ground_truth/spot").glob("*.png"):
        Image.fromarray((np.asarray(Image.open(path)) > 0).astype(np.uint8) * 7 + 1).save(path)
    keep_reading(store, root, "plate", Reading(masks="defect=8"))
    now = study(store, ids)[3](NOW)
    assert not now.reason
    mask = np.zeros((64, 64), bool)
    mask[20:28, 20:28] = True
    assert all(same_truth(one, drawn(mask)) for truth in now.truths for one in truth.truths.values())

    Image.new("RGB", (64, 64), (1, 2, 3)).save(root / "plate/test/spot/001.png")
    changed = study(store, ids)[3](NOW)
    assert changed.truths == () and "1 of 3 defective images are gone or have changed" in changed.reason
    shutil.rmtree(root)
    comparison, _, found, choose = study(store, ids)
    assert list(truth_options(store, comparison, found)) == ids, "what is not there is not offered"
    assert choose(NOW).truths == () and "gone" in choose(NOW).reason
    assert choose(ids[0]).truths, "the runs' own truths need no file"


def test_an_old_run_is_counted_on_the_truth_of_a_run_that_holds_one_when_its_images_are_gone(store, root):
    old, new = two_runs(store, root)
    (store.folder(old) / layout.TRUTH).unlink()
    _, own, found, _ = study(store, [old, new])
    assert found.are_same and not own[0].is_kept, "its masks as they are now are those of the newer run"
    assert "A holds no masks of its own" in truth_sentences(found, own)[0]
    shutil.rmtree(root)
    _, own, found, choose = study(store, [old, new])
    assert own[0].truth is None and not found.are_same
    assert_same(choose(new).truths[0], own[1].truth)
    assert choose(old).truths == ()


# -- other inputs ------------------------------------------------------------------------------------------------------


def test_training_images_labels_readings_and_weights_that_differ_are_told():
    first, second = results_of(weights_hash="1"), results_of(weights_hash="2")
    second = replace(second, config=second.config.model_copy(update={"reading": Reading(good=("ok",))}))
    second = replace(
        second,
        table=second.table.assign(
            is_defective=second.table.is_defective | (second.table.sample_id == "test/good/000.png")
        ),
    )
    comparison = compared(first, second)
    data = [data_of(first), data_of(second)]
    for one, contents in zip(data, ("ab", "bcd"), strict=True):
        one["samples"] += [{"id": name, "split": "train", "sha256": name} for name in contents]
    assert input_sentences(comparison, data) == (
        "They were trained on different images (A 2, B 3; 1 are the same by content).",
        "1 image is normal in one run and defective in another: test/good/000.png.",
        "A person said differently how the images are to be read: A as found, B --good ok.",
        "The weights of their backbones differ.",
    )
    assert input_sentences(compared(first, first), [data_of(first)] * 2) == ()
