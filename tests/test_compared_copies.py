"""Runs on a folder and on a copy of it that calls its files otherwise: matched by content, masks and all."""

from dataclasses import replace

import numpy as np
import pytest
from test_compare import SIDE, data_of, results_of
from truths import drawn

from wtflow.compare.common_truth import common_truth, marks_anything
from wtflow.compare.differences import input_sentences, matched_words
from wtflow.compare.pixel_images import pixel_images_words
from wtflow.compare.runs import Comparison, align
from wtflow.compare.truths import OwnTruth, find_differences
from wtflow.records.truth import RunTruth, Truth
from wtflow.results import RunResults
from wtflow.store.dataset_versions import category_behind, version_root
from wtflow.store.datasets import create_set, data_home
from wtflow.store.runs import RunStore

COPY = {
    "test/good/000.png": "test/good/a-1f.png",
    "test/good/001.png": "test/good/b-2f.png",
    "test/crack/000.png": "test/bad/000.png",
    "test/dent/000.png": "test/bad/001.png",
}
"""What the copy calls four of the five test images; the names of two say nothing of their contents."""


def copied(run: RunResults, names: dict[str, str] = COPY) -> RunResults:
    return replace(run, table=run.table.replace({"sample_id": names}))


def contents_of(run: RunResults, original: RunResults) -> dict:
    """data.json of a copy: its names, the contents of the original."""
    samples = [one | {"id": name} for one, name in zip(data_of(original)["samples"], run.table.sample_id, strict=True)]
    return {"samples": samples, "held_out": []}


@pytest.fixture
def both() -> tuple[Comparison, list[dict]]:
    first, second = results_of(), copied(results_of())
    data = [data_of(first), contents_of(second, first)]
    return align([first, second], data), data


def test_images_of_a_copy_are_matched_by_content_and_that_is_said(both):
    comparison, _ = both
    assert comparison.is_same_set
    assert list(comparison.ids_of(1)) == [COPY.get(name, name) for name in comparison.images.sample_id]
    assert comparison.scores[0].tolist() == comparison.scores[1].tolist(), "each image got its own score"
    assert comparison.n_renamed == (0, 4)
    assert matched_words(comparison) == "equal by content: 4 have another name in B"
    same = align([results_of()] * 2, [data_of(results_of())] * 2)
    assert matched_words(same) == "equal by name and content"


def test_a_name_counts_before_content_and_every_image_is_matched_once():
    """The same picture lies twice in A, under two names, and once in B, under one of them."""
    first, second = results_of(), results_of()
    twice = data_of(first)
    twice["samples"][1]["sha256"] = twice["samples"][0]["sha256"]
    once = contents_of(copied(second, {"test/good/000.png": "test/good/x.png"}), second)
    found = align([first, copied(second, {"test/good/000.png": "test/good/x.png"})], [twice, once])
    assert "test/good/000.png" in set(found.images.sample_id) and "test/good/001.png" not in set(found.images.sample_id)
    once["samples"][1]["sha256"] = twice["samples"][0]["sha256"]  # now B has it as 001.png, and as x.png
    found = align([first, copied(second, {"test/good/000.png": "test/good/x.png"})], [twice, once])
    assert dict(zip(found.images.sample_id, found.ids_of(1), strict=True))["test/good/001.png"] == "test/good/001.png"
    assert found.is_same_set


def test_another_label_in_the_copy_is_said_and_no_image_is_common_by_it(both):
    first = results_of()
    second = copied(first, {"test/good/000.png": "test/crack/x.png"})
    is_defective = second.table.is_defective | (second.table.sample_id == "test/crack/x.png")
    second = replace(second, table=second.table.assign(is_defective=is_defective))
    data = [data_of(first), contents_of(second, first)]
    found = align([first, second], data)
    assert found.relabelled == ("test/good/000.png",) and len(found.images) == 4
    assert any("1 image is normal in one run and defective in another" in one for one in input_sentences(found, data))


def test_training_images_under_other_names_are_no_difference(both):
    comparison, data = both
    for one, names in zip(data, (("a.png", "b.png"), ("x.png", "y.png")), strict=True):
        trained = [("train/good/" + name, str(i)) for i, name in enumerate(names)]
        one["samples"] += [{"id": name, "sha256": content, "split": "train"} for name, content in trained]
    assert input_sentences(comparison, data) == ()
    data[1]["samples"][-1]["sha256"] = "another"
    assert input_sentences(comparison, data) == (
        "They were trained on different images (A 2, B 2; 1 are the same by content).",
    )


def box(at: int) -> Truth:
    mask = np.zeros((SIDE, SIDE), bool)
    mask[at : at + 8, at : at + 8] = True
    return drawn(mask)


def test_masks_are_found_in_each_run_under_the_name_that_the_image_has_there(both):
    comparison, data = both
    masks = {"test/crack/000.png": box(4), "test/crack/001.png": box(20), "test/dent/000.png": box(40)}
    truths = [
        RunTruth((SIDE, SIDE), masks, {}),
        RunTruth((SIDE, SIDE), {COPY.get(name, name): mask for name, mask in masks.items()}, {}),
    ]
    own = [OwnTruth(truth, True) for truth in truths]
    found = find_differences(comparison, own, data)
    assert found.are_same
    # one mask of the copy was drawn anew; both are then counted on those of A
    own[1] = OwnTruth(RunTruth((SIDE, SIDE), {**truths[1].truths, "test/bad/000.png": box(30)}, {}), True)
    found = find_differences(comparison, own, data)
    assert (found.differ, found.groups) == (("test/crack/000.png",), (0, 1))
    common = common_truth(RunStore(), comparison, own, found, data, comparison.runs[0].run_id)
    assert common.truths[0].truths == masks
    assert common.truths[1].truths == truths[1].truths, "the masks of A under the names of B"
    assert marks_anything(comparison, common.truths)
    assert pixel_images_words(comparison, own, common) == pixel_images_words(comparison, own[:1] * 2, common)


def test_masks_of_a_copy_that_were_written_anew_are_no_other_masks(both):
    """Maps of two sizes: files of one folder are told apart by their hashes, those of another folder are not."""
    comparison, data = both
    fine = OwnTruth(RunTruth((SIDE, SIDE), {"test/crack/000.png": box(8)}, {}), True)
    half = np.zeros((SIDE // 2, SIDE // 2), bool)
    half[4:8, 4:8] = True
    coarse = OwnTruth(RunTruth((SIDE // 2,) * 2, {"test/bad/000.png": drawn(half)}, {}), True)
    data[0]["samples"][2]["mask_sha256"], data[1]["samples"][2]["mask_sha256"] = "one", "another"
    assert data[0]["samples"][2]["id"] == "test/crack/000.png"
    assert not find_differences(comparison, [fine, coarse], data).are_same, "of one folder"
    first, second = comparison.runs
    apart = replace(second, config=second.config.model_copy(update={"root": "/runs/data/plate 2/versions/1"}))
    assert find_differences(replace(comparison, runs=(first, apart)), [fine, coarse], data).are_same


def test_the_category_behind_a_copy_is_that_of_the_folder_that_it_was_copied_from(store: RunStore):
    create_set(store, "plate 2", origin="/photos/plate")
    create_set(store, "mine")
    for name, category, behind in (("plate 2", "plate 2", "plate"), ("mine", "mine", "mine")):
        assert category_behind(store, version_root(store, name, 1), category) == behind
    assert category_behind(store, "/photos", "plate") == "plate"
    foreign = RunStore(store.home / "other")
    assert category_behind(foreign, version_root(store, "plate 2", 1), "plate 2") == "plate 2", "of another store"
    (data_home(store) / "plate 2/manifest.json").write_text("{")
    assert category_behind(store, version_root(store, "plate 2", 1), "plate 2") == "plate 2"
