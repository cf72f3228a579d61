"""The demo: what is written, how it is drawn, and what happens when writing is interrupted, repeated or done twice
at once.
"""

import functools
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from waiting import PATIENCE_S

from wtflow.datasets.demo import images as demo_images
from wtflow.datasets.demo import write as demo
from wtflow.datasets.demo.capscrew import CapscrewScene
from wtflow.datasets.demo.images import Counts, DemoImage, Piece, draw_piece, expose, plan_category
from wtflow.datasets.scan import scan_category
from wtflow.errors import DatasetError, SettingsError

SMALL = Counts(train=1, good=1, defect=1)
DEFECT_TYPES = [(category, defect) for category, product in demo_images.PRODUCTS.items() for defect in product.defects]


@functools.cache
def defective(category: str, defect: str, index: int) -> tuple[DemoImage, Piece]:
    image = next(i for i in plan_category(category) if (i.defect, i.index) == (defect, index))
    return image, draw_piece(image, seed=0)


def normal(category: str, index: int, split: str = "train") -> DemoImage:
    return DemoImage(category, split, "good", index)


@pytest.fixture
def small(monkeypatch, tmp_path) -> Path:
    """A folder to write a demo of few images to."""
    monkeypatch.setattr(demo_images, "COUNTS", SMALL)
    return tmp_path / "demo"


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.png")}


@pytest.mark.parametrize("category", demo.DEMO_CATEGORIES)
def test_a_category_has_60_and_30_normals_and_12_images_of_each_of_4_defects(category):
    plan = plan_category(category)
    counts = {}
    for image in plan:
        counts[image.split, image.defect] = counts.get((image.split, image.defect), 0) + 1
    assert counts.pop(("train", "good")) == 60
    assert counts.pop(("test", "good")) == 30
    assert sorted(counts.values()) == [12, 12, 12, 12]
    assert len({image.path for image in plan}) == len(plan)


def test_a_written_demo_is_a_data_set_with_masks_of_the_size_of_their_images(small):
    demo.write_demo(small)
    for category in demo.DEMO_CATEGORIES:
        scanned = scan_category(small, category)
        assert len(scanned.of("train")) == SMALL.train
        assert scanned.defects == tuple(sorted(demo_images.PRODUCTS[category].defects))
        for sample in scanned.samples:
            with Image.open(sample.path) as image:
                assert (image.format, image.mode, image.size) == ("PNG", "RGB", (256, 256))
            if sample.is_defective:
                with Image.open(sample.mask_path) as mask:
                    values = np.unique(np.asarray(mask))
                    assert mask.size == (256, 256)
                assert values.tolist() == [0, 255]


@pytest.mark.parametrize(("category", "defect"), DEFECT_TYPES)
def test_a_defect_changes_what_its_mask_covers_and_nothing_else(category, defect):
    for index in (0, 11):
        image, piece = defective(category, defect, index)
        with_defect, without = (expose(picture, image, 0).astype(int) for picture in (piece.picture, piece.clean))
        changed = (with_defect != without).any(axis=2)
        assert not changed[~piece.mask].any()
        assert changed[piece.mask].mean() > 0.85  # the rest are pinholes that were closed and steps lost to rounding
        assert 14 <= piece.mask.sum() <= 0.35 * piece.mask.size
        assert piece.contrast >= 10


@pytest.mark.parametrize(("category", "defect"), DEFECT_TYPES)
def test_the_first_third_of_a_defect_type_shows_more_than_the_last(category, defect):
    effect = {i: p.mask.sum() * p.contrast for i in (0, 3, 8, 11) for _, p in [defective(category, defect, i)]}
    assert effect[0] + effect[3] > 1.1 * (effect[8] + effect[11])


@pytest.mark.parametrize("category", demo.DEMO_CATEGORIES)
def test_the_same_seed_draws_the_same_pixels_and_another_seed_others(category):
    image = normal(category, 0)
    first, again, other = (expose(draw_piece(image, seed).picture, image, seed) for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert np.mean(first != other) > 0.5


@pytest.mark.parametrize("category", demo.DEMO_CATEGORIES)
def test_normals_differ_from_each_other_by_more_than_noise(category):
    images = [normal(category, 0), normal(category, 1), normal(category, 0, "test")]
    pictures = [draw_piece(image, 0).picture for image in images]
    for a, b in ((0, 1), (0, 2), (1, 2)):
        assert np.abs(pictures[a] - pictures[b]).mean() * 255 > 2.0


def test_the_shadow_of_a_screw_falls_to_the_lower_right_at_any_angle():
    for seed in range(6):
        scene = CapscrewScene((seed,))
        rows, columns = np.mgrid[:512, :512]
        table = scene.light().mean(axis=2)
        body = scene._cover > 0
        dark = np.maximum(0.85 * np.median(table) - table, 0) * ~body
        for axis in (rows, columns):
            assert np.average(axis, weights=dark) > np.average(axis, weights=body) + 2


def test_progress_counts_every_image_once(small):
    seen = []
    demo.write_demo(small, lambda done, total: seen.append((done, total)), categories=("capscrew",))
    assert seen == [(i, 6) for i in range(1, 7)]


def test_a_complete_demo_is_left_as_it_is(small):
    only = ("capscrew",)
    demo.write_demo(small, seed=5, categories=only)
    before = {path: path.stat().st_mtime_ns for path in small.rglob("*")}
    assert demo.write_demo(small, lambda done, total: pytest.fail("something was drawn"), categories=only) == small
    assert {path: path.stat().st_mtime_ns for path in small.rglob("*")} == before
    assert demo.is_demo_complete(small, only)


def test_the_order_of_categories_and_the_folder_do_not_change_the_pixels(small):
    both = ("capscrew", "flange")
    demo.write_demo(small / "a", categories=both)
    for category in reversed(both):
        assert not demo.is_demo_complete(small / "b", both)
        demo.write_demo(small / "b", categories=(category,))
    assert files_of(small / "a") == files_of(small / "b")
    assert demo.is_demo_complete(small / "b", both)


def test_an_interrupted_write_leaves_no_half_category_and_is_finished_later(small):
    def stop(done: int, total: int) -> None:
        if done == 8:  # in the second of two categories with six images each
            raise KeyboardInterrupt

    both = ("capscrew", "flange")
    with pytest.raises(KeyboardInterrupt):
        demo.write_demo(small, stop, categories=both)
    assert sorted(path.name for path in small.iterdir() if path.is_dir()) == ["capscrew"]
    assert not demo.is_demo_complete(small, both)
    seen = []
    demo.write_demo(small, lambda done, total: seen.append(total), categories=both)
    assert seen == [6] * 6
    assert demo.is_demo_complete(small, both)


def test_a_category_that_lost_images_is_drawn_again_with_its_seed_and_the_others_are_not(small):
    both = ("capscrew", "fabric")
    demo.write_demo(small, seed=2, categories=both)
    before = files_of(small)
    (small / "fabric/test/cut/000.png").unlink()
    (small / "fabric/ground_truth/oil_stain/000_mask.png").write_bytes(b"")
    assert not demo.is_demo_complete(small, both)
    seen = []
    demo.write_demo(small, lambda done, total: seen.append(total), categories=both)
    assert seen == [6] * 6
    assert files_of(small) == before


def test_a_demo_of_another_version_or_seed_is_drawn_again(small, monkeypatch):
    demo.write_demo(small, categories=("flange",))
    before = files_of(small)
    monkeypatch.setattr(demo, "DEMO_VERSION", demo.DEMO_VERSION + 1)
    assert not demo.is_demo_complete(small, ("flange",))
    demo.write_demo(small, categories=("flange",))
    assert files_of(small) == before
    demo.write_demo(small, seed=1, categories=("flange",))
    assert files_of(small) != before


def test_a_swap_cut_off_in_the_middle_is_repaired(small):
    demo.write_demo(small, categories=("fabric",))
    record = json.loads((small / "demo.json").read_text())
    record["categories"]["fabric"]["state"] = "replacing"
    (small / "demo.json").write_text(json.dumps(record))
    (small / ".demo-work/old").mkdir(parents=True)
    (small / "fabric").rename(small / ".demo-work/old/fabric")
    demo.write_demo(small, categories=("fabric",))
    assert demo.is_demo_complete(small, ("fabric",))
    assert not (small / ".demo-work").exists()


def test_the_record_names_each_defective_image_with_its_difficulty(small):
    demo.write_demo(small, categories=("fabric",))
    entry = json.loads((small / "demo.json").read_text())["categories"]["fabric"]
    assert (entry["version"], entry["seed"]) == (demo.DEMO_VERSION, 0)
    assert entry["images"]["train/good/000.png"] == {}
    mask = np.asarray(Image.open(small / "fabric/ground_truth/cut/000_mask.png"))
    assert entry["images"]["test/cut/000.png"]["difficulty"] == 0
    assert entry["images"]["test/cut/000.png"]["area_px"] == np.count_nonzero(mask)


@pytest.mark.parametrize("name", ["fabric/notes.txt", "fabric/test/good/mine.png"])
def test_files_that_the_demo_did_not_write_are_never_deleted(small, name):
    mine = small / name
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    with pytest.raises(DatasetError, match=f"such as {name.removeprefix('fabric/')}"):
        demo.write_demo(small)
    assert mine.read_text() == "mine"
    assert not (small / "demo.json").exists()


@pytest.mark.parametrize("text", ["{", "[]", '{"categories": {"fabric": {"seed": "one", "images": {}}}}'])
def test_a_record_that_cannot_be_read_is_reported(small, text):
    small.mkdir()
    (small / "demo.json").write_text(text)
    assert not demo.is_demo_complete(small)
    with pytest.raises(DatasetError, match="not the record of a demo"):
        demo.write_demo(small)


def test_a_wrong_request_gets_a_sentence(small):
    with pytest.raises(DatasetError, match="no demo category 'carpet'"):
        demo.write_demo(small, categories=("carpet",))
    with pytest.raises(SettingsError, match="found -1"):
        demo.write_demo(small, seed=-1)
    small.write_text("a file")
    with pytest.raises(DatasetError, match="cannot be written"):
        demo.write_demo(small)


def test_two_processes_at_once_draw_the_demo_once(small):
    script = (
        "import sys; from pathlib import Path; from wtflow.datasets.demo import images, write\nimages.COUNTS ="
        f" images.Counts{tuple(SMALL)}\ndrawn = []; write.write_demo(Path(sys.argv[1]), lambda done, total:"
        " drawn.append(done), categories=['capscrew']);print(len(drawn))"
    )
    command = [sys.executable, "-c", script, str(small)]
    root = Path(__file__).parents[1]
    writers = [subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [writer.communicate(timeout=PATIENCE_S)[0].strip() for writer in writers]
    assert sorted(outputs) == ["0", "6"]
    assert demo.is_demo_complete(small, ("capscrew",))
