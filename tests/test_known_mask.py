"""The mask that a correction starts from: as drawn before, as the data set has it, as the run reads it."""

import io

import numpy as np
import pytest
from image_folders import noise, save
from PIL import Image
from run_folders import tiny_settings, write_tiny_category

from wtflow.datasets.images import hash_file
from wtflow.datasets.run_images import read_data
from wtflow.errors import ImageReadError
from wtflow.intake.copied import copy_images
from wtflow.intake.corrections import correct, correct_file, corrections_of
from wtflow.intake.known_mask import known_mask
from wtflow.intake.masks import write_mask
from wtflow.store.datasets import open_set
from wtflow.store.runs import RunStore

BAD = "test/spot/000.png"


@pytest.fixture
def run(store: RunStore, tmp_path):
    """(id, folder) of a run that lists the images of a category of somebody else's."""
    root = write_tiny_category(tmp_path / "photos", n_train=3, n_good=1, n_bad=2)
    run_id = store.create(root, "plate", tiny_settings())
    store.write_data(run_id, read_data(store.config(run_id), lambda *_: None).to_json())
    return run_id, root / "plate"


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))


def test_the_folders_own_mask_comes_as_the_run_reads_it_and_images_without_one_have_none(store, run):
    run_id, folder = run
    paths = sorted((folder / "ground_truth/spot").glob("*.png"))
    masks = [np.asarray(Image.open(path)) for path in paths]
    for path, mask in zip(paths, masks, strict=True):
        Image.fromarray(mask // 255).save(path)  # 1 marks the defect, as in VisA
    path, drawn = paths[0], masks[0]
    found = pixels(known_mask(store, run_id, BAD))
    assert np.array_equal(found, drawn) and set(np.unique(found)) == {0, 255}
    assert known_mask(store, run_id, "test/good/000.png") == b""
    Image.fromarray(drawn[:5]).save(path)
    with pytest.raises(ImageReadError, match="the image 64 x 64"):
        known_mask(store, run_id, BAD)


def test_what_was_drawn_last_comes_first_then_the_mask_of_the_copy(store, run, tmp_path):
    run_id, folder = run
    copy_images(store, run_id, "plate")
    item = next(one for one in open_set(store, "plate").items.values() if one.sha256 == hash_file(folder / BAD))
    mine, last = np.eye(64, dtype=bool), np.eye(64, dtype=bool)[::-1]
    write_mask(store, "plate", item.id, mine)
    assert np.array_equal(pixels(known_mask(store, run_id, BAD)) > 0, mine), "the next version would have it"
    correct(store, run_id, BAD, "defect", defect="spot", mask=last)
    assert np.array_equal(pixels(known_mask(store, run_id, BAD)) > 0, last)
    correct(store, run_id, BAD, "defect", defect="dent")  # said again without a mask: that of the copy stays
    assert np.array_equal(pixels(known_mask(store, run_id, BAD)) > 0, mine)


def test_an_inspected_image_has_the_mask_that_was_drawn_on_it_before(store, run, tmp_path):
    run_id, _ = run
    path = save(tmp_path / "line/new.png", noise(3, (64, 64)))
    assert known_mask(store, run_id, "new.png", hash_file(path)) == b""
    correct_file(store, run_id, path, "defect", defect="spot", mask=np.eye(64, dtype=bool))
    assert len(corrections_of(store, run_id)) == 1
    assert np.array_equal(pixels(known_mask(store, run_id, "new.png", hash_file(path))) > 0, np.eye(64, dtype=bool))
