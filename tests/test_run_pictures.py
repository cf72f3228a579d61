"""A run shows what it scored: its own pictures, originals compared with what it recorded, hashed masks."""

import hashlib
import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from run_folders import train_here, write_tiny_category

from wtflow.datasets.images import load_image
from wtflow.datasets.pictures import decode_picture, encode_picture, shrink_picture, side_of
from wtflow.datasets.run_images import data_from_json
from wtflow.errors import DamagedRunError, DiskFullError, ImageChangedError, ImageReadError
from wtflow.export.folder import export_run
from wtflow.export.zip import pack_run
from wtflow.failures.facts import compute_facts
from wtflow.jobs.reporter import Reporter
from wtflow.jobs.train_worker import run_stages
from wtflow.pictures import CHANGED, GONE, full_picture_of, picture_at, picture_of, why_no_pictures
from wtflow.results import each_image, find_sample, open_results, outline_of
from wtflow.store import layout
from wtflow.store.notes import notes_of
from wtflow.store.runs import RunStore
from wtflow.studies.keep_run import keep_run
from wtflow.studies.probes import probe
from wtflow.studies.rescore import score_again
from wtflow.studies.what_if import compute_what_if

SAMPLE = "test/spot/000.png"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    store, root = RunStore(folder / "runs"), write_tiny_category(folder / "data", n_train=10, n_good=2, n_bad=2)
    for path in (root / "plate").rglob("*.png"):  # twice as wide as high, and larger than the run's size
        mode = Image.Resampling.NEAREST if "ground_truth" in str(path) else Image.Resampling.BICUBIC
        Image.open(path).resize((256, 128), mode).save(path)
    return store, root, train_here(store, root)


@pytest.fixture
def place(made, tmp_path):
    """A run and its images, both free to be changed."""
    store, root, run_id = made
    shutil.copytree(store.home, tmp_path / "runs")
    shutil.copytree(root, tmp_path / "data")
    own = RunStore(tmp_path / "runs")
    for name in (layout.CONFIG, layout.DATA):
        path = own.folder(run_id) / name
        path.write_text(path.read_text().replace(str(root), str(tmp_path / "data")))
    table = own.scores(run_id)
    for name in ("path", "mask_path"):
        table[name] = table[name].str.replace(str(root), str(tmp_path / "data"))
    own.write_scores(run_id, table)
    return own, tmp_path / "data" / "plate", run_id


def replace_image(category: Path) -> None:
    Image.fromarray(np.zeros((128, 256, 3), np.uint8)).save(category / SAMPLE)


# -- what is kept ------------------------------------------------------------------------------------------------------


def test_masks_are_hashed_into_the_facts_of_a_run_and_the_fingerprint_is_that_of_the_images(made):
    store, root, run_id = made
    values = store.data(run_id)
    found = {entry["id"]: entry.get("mask_sha256") for entry in values["samples"]}
    mask = (root / "plate/ground_truth/spot/000_mask.png").read_bytes()
    assert found[SAMPLE] == hashlib.sha256(mask).hexdigest()
    assert found["test/good/000.png"] is None and found["train/good/000.png"] is None
    data = data_from_json(values)
    assert data.to_json() == values
    for entry in values["samples"]:
        entry.pop("mask_sha256", None)
    assert data_from_json(values).fingerprint == data.fingerprint == values["fingerprint"]
    assert data_from_json(values).mask_hashes == ()


def test_every_scored_image_has_a_small_picture_of_its_own_in_its_own_aspect(made):
    store, _, run_id = made
    results = open_results(store, run_id)
    assert set(results.table.split) == {"test", "holdout"}
    for image in each_image(results.table):
        pixels = results.seen.own(int(image.row), image.sample_id)
        assert pixels is not None and pixels.shape == (64, 128, 3)
        whole = np.asarray(Image.open(image.path).convert("RGB").resize((128, 64), Image.Resampling.LANCZOS))
        assert np.abs(pixels.astype(int) - whole).mean() < 6
        assert len(store.picture(run_id, int(image.row))) < 20_000
    assert why_no_pictures(results) == ""


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((600, 300), (128, 64)), ((64, 64), (64, 64)), ((20, 30), (20, 30)), ((100, 2000), (13, 256))],
)
def test_a_picture_is_never_made_larger_and_a_strip_never_longer_than_four_times_the_runs_size(shape, expected):
    assert shrink_picture(np.zeros((*shape, 3), np.uint8), 64).shape == (*expected, 3)


def test_a_setting_keeps_no_pictures_and_the_run_says_so(tmp_path):
    store, root = RunStore(tmp_path / "runs"), write_tiny_category(tmp_path / "data", n_train=4, n_good=1, n_bad=1)
    run_id = train_here(store, root, keep_pictures=False)
    assert not (store.folder(run_id) / layout.PICTURES).exists()
    results = open_results(store, run_id)
    assert "told to keep none" in why_no_pictures(results)
    assert "masks" not in why_no_pictures(results), "what people drew is kept all the same"
    assert picture_of(results, find_sample(results, SAMPLE)).is_there


def test_pictures_come_back_by_row_and_the_rest_are_absent(place):
    store, _, run_id = place
    small = {row: encode_picture(np.full((8, 8, 3), 40 * row, np.uint8)) for row in (0, 2, 5)}
    store.write_pictures(run_id, small.items())
    assert [store.picture(run_id, row) for row in range(6)] == [small.get(row) for row in range(6)]
    store.write_pictures(run_id, [(1, small[2])])
    assert store.picture(run_id, 0) is None and store.picture(run_id, 1) == small[2]


def test_a_full_disk_while_pictures_are_written_leaves_those_that_were_there(place):
    store, _, run_id = place
    before = (store.folder(run_id) / layout.PICTURES).read_bytes()

    def fill():
        yield 0, b"half"
        raise OSError(28, "No space left on device")

    with pytest.raises(DiskFullError):
        store.write_pictures(run_id, fill())
    assert (store.folder(run_id) / layout.PICTURES).read_bytes() == before
    assert not [path for path in store.folder(run_id).iterdir() if path.name.startswith(".")]


def test_a_run_scored_again_and_kept_shares_the_pictures_and_records_the_same_images(place):
    store, _, run_id = place
    kept = keep_run(store, run_id, score_again(store, run_id, {"steps": 1}, lambda done, total: None))
    first, second = (store.folder(one) / layout.PICTURES for one in (run_id, kept))
    assert first.samefile(second)
    assert store.data(kept) == store.data(run_id)
    store.delete(run_id)
    results = open_results(store, kept)
    assert all(results.seen.own(int(image.row), "") is not None for image in each_image(results.table))


def test_a_damaged_file_of_pictures_costs_the_pictures_and_no_more(place):
    store, category, run_id = place
    path = store.folder(run_id) / layout.PICTURES
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DamagedRunError, match=r"pictures\.zip"):
        store.picture(run_id, 0)
    results = open_results(store, run_id)
    image = find_sample(results, SAMPLE)
    assert picture_of(results, image).is_there
    replace_image(category)
    assert not picture_of(results, image).is_there


def test_an_export_holds_the_pictures_that_the_run_keeps(place, tmp_path):
    store, _, run_id = place
    results = open_results(store, run_id)
    export_run(results, tmp_path / "out", lambda done, total: None)
    written = sorted((tmp_path / "out/pictures").iterdir())
    assert [path.read_bytes() for path in written] == [store.picture(run_id, row) for row in range(len(results.table))]
    assert written[0].stem == next((tmp_path / "out/maps").glob("00000_*.png")).stem


def test_a_second_pass_records_the_masks_that_it_counts(place):
    store, category, run_id = place
    Image.fromarray(np.eye(128, 256, dtype=np.uint8) * 255).save(category / "ground_truth/spot/000_mask.png")
    before = store.data(run_id)
    run_stages(store, run_id, Reporter(store, run_id))
    after = store.data(run_id)
    changed = [a["id"] for a, b in zip(after["samples"], before["samples"], strict=True) if a != b]
    assert changed == [SAMPLE] and after["fingerprint"] == before["fingerprint"]
    results = open_results(store, run_id)
    assert outline_of(results, find_sample(results, SAMPLE))[:8, :8].any()


def test_an_image_that_is_cut_into_tiles_has_a_larger_picture_within_limits():
    assert side_of(256, None) == 256
    assert side_of(256, (400, 1600)) == 400
    assert side_of(256, (2000, 3000)) == 512
    assert side_of(1024, (2000, 3000)) == 1024


# -- what is shown -----------------------------------------------------------------------------------------------------


def test_an_unchanged_original_is_shown_at_full_size_without_a_word(place):
    store, category, run_id = place
    results = open_results(store, run_id)
    shown = full_picture_of(results, find_sample(results, SAMPLE))
    assert shown.note == ""
    assert np.array_equal(shown.pixels, np.asarray(Image.open(category / SAMPLE).convert("RGB")))


@pytest.mark.parametrize(("happens", "note"), [("replaced", CHANGED), ("gone", GONE)])
def test_what_was_scored_is_shown_whatever_became_of_the_file(place, happens, note):
    store, category, run_id = place
    scored = load_image(category / SAMPLE, None)
    replace_image(category) if happens == "replaced" else (category / SAMPLE).unlink()
    results = open_results(store, run_id)
    image = find_sample(results, SAMPLE)
    full = full_picture_of(results, image)
    assert full.note == note and full.is_there
    for pixels in (full.pixels, picture_of(results, image).pixels):
        assert abs(pixels.mean() / 255 - scored.mean()) < 0.02
    assert abs(picture_at(results, image).mean() - scored.mean()) < 0.02


@pytest.mark.parametrize("happens", ["replaced", "gone"])
def test_without_a_picture_of_its_own_nothing_stands_in_for_what_was_scored(place, happens):
    store, category, run_id = place
    (store.folder(run_id) / layout.PICTURES).unlink()
    replace_image(category) if happens == "replaced" else (category / SAMPLE).unlink()
    results = open_results(store, run_id)
    image = find_sample(results, SAMPLE)
    for shown in (picture_of(results, image), full_picture_of(results, image)):
        assert not shown.is_there and "map stands alone" in shown.note and SAMPLE in shown.note
        assert shown.pixels.shape == (*results.shape, 3)
    assert "holds no pictures of its own" in why_no_pictures(results)
    other = find_sample(results, "test/spot/001.png")
    assert picture_of(results, other).is_there


def test_what_reads_the_original_refuses_another_picture_under_its_name(place):
    store, category, run_id = place
    row = int(find_sample(open_results(store, run_id), SAMPLE).row)
    replace_image(category)
    for work in (
        lambda: probe(store, run_id, row, 0, 0),
        lambda: compute_what_if(store, run_id, row, []),
        lambda: open_results(store, run_id).seen.original(SAMPLE, 64),
    ):
        with pytest.raises(ImageChangedError, match=r"spot/000\.png has changed since this run read it"):
            work()
    (category / SAMPLE).unlink()
    with pytest.raises(ImageReadError, match=r"spot/000\.png does not exist.*relocate"):
        probe(store, run_id, row, 0, 0)


def test_a_run_that_recorded_no_contents_lets_no_file_stand_for_its_images(place):
    store, _, run_id = place
    (store.folder(run_id) / layout.DATA).unlink()
    with pytest.raises(ImageChangedError, match="does not record"):
        open_results(store, run_id).seen.original(SAMPLE, None)


def test_a_mask_that_was_redrawn_is_not_outlined_as_the_one_that_was_counted(place):
    store, category, run_id = place
    results = open_results(store, run_id)
    image = find_sample(results, SAMPLE)
    assert outline_of(results, image).any()
    Image.fromarray(np.eye(128, 256, dtype=np.uint8) * 255).save(category / "ground_truth/spot/000_mask.png")
    outline = outline_of(results, image)
    assert outline is None or not outline[:8, :8].any()


def test_the_zip_holds_the_pictures_that_were_scored_when_all_images_are_gone(place, tmp_path):
    store, category, run_id = place
    shutil.rmtree(category)
    results = open_results(store, run_id)
    packed = pack_run(results, notes_of(store, run_id), tmp_path / "run.zip", lambda done, total: None)
    assert packed.unreadable == () and packed.lack == ""


def test_facts_are_measured_on_the_runs_own_pictures(place):
    store, category, run_id = place
    results = open_results(store, run_id)
    before = compute_facts(results, lambda done, total: None)
    shutil.rmtree(category / "test/good")
    for path in (category / "test/spot").iterdir():
        Image.fromarray(np.zeros((128, 256, 3), np.uint8)).save(path)
    after = compute_facts(results, lambda done, total: None)
    assert np.array_equal(before.contrast, after.contrast, equal_nan=True)
    assert np.isfinite(after.contrast).any()


def test_a_picture_is_decoded_as_it_was_encoded():
    pixels = np.tile(np.arange(0, 256, 4, dtype=np.uint8)[None, :, None], (32, 1, 3))
    encoded = encode_picture(pixels)
    assert Image.open(io.BytesIO(encoded)).format == "WEBP"
    assert np.abs(decode_picture(encoded, "it").astype(int) - pixels).max() < 8
