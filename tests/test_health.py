import os
import tracemalloc

import numpy as np
import pytest
from image_folders import DEFECT_MASK, SHARED_DATA, encode, make_btad, make_mvtec, make_visa, noise, png_16, save

from wtflow.datasets.health import check_category
from wtflow.datasets.scan import scan_category


@pytest.fixture
def folder(tmp_path):
    """A valid category, to be damaged."""
    return make_mvtec(tmp_path / "screw")


def check(folder):
    return check_category(scan_category(folder.parent, folder.name))


def finding(folder, code):
    """The only finding, which has this code."""
    findings = check(folder).findings
    assert [f.code for f in findings] == [code]
    assert findings[0].fix
    return findings[0]


def test_a_sound_category_has_no_findings(folder):
    report = check(folder)
    assert report.findings == ()
    assert report.counts == {"train": {"good": 3}, "test": {"good": 2, "broken": 2}}
    assert report.sizes == {"8 x 8": 7}
    assert report.modes == {"grey 8 bit": 7}
    assert report.n_bytes == sum(path.stat().st_size for path in folder.rglob("*.png"))


@pytest.mark.parametrize("layout", ["btad", "visa"])
def test_a_sound_category_of_another_layout_has_no_findings(tmp_path, layout):
    name = "candle" if layout == "visa" else "01"
    make_visa(tmp_path) if layout == "visa" else make_btad(tmp_path / name)
    report = check(tmp_path / name)
    assert report.layout == layout
    assert report.findings == ()


def test_progress_counts_every_image_once(folder):
    seen = []
    check_category(scan_category(folder.parent, folder.name), lambda done, total: seen.append((done, total)))
    assert seen == [(i, 7) for i in range(8)]


# Masks


def test_missing_masks_are_one_warning_with_all_paths_and_the_expected_name(folder):
    for i in range(2):
        (folder / f"ground_truth/broken/00{i}_mask.png").unlink()
    found = finding(folder, "missing_mask")
    assert found.severity == "warning"
    assert (
        found.message
        == "2 defective test images without a mask: test/broken/000.png (expected ground_truth/broken/000_mask.png) and"
        " 1 more."
    )
    assert found.paths == ("test/broken/000.png", "test/broken/001.png")


def test_an_empty_mask_is_a_warning(folder):
    save(folder / "ground_truth/broken/001_mask.png", np.zeros((8, 8), np.uint8))
    found = finding(folder, "empty_mask")
    assert (found.severity, found.paths) == ("warning", ("ground_truth/broken/001_mask.png",))


def test_a_mask_of_another_size_is_a_warning_with_both_sizes(folder):
    save(folder / "ground_truth/broken/001_mask.png", np.full((8, 9), 255, np.uint8))
    assert finding(folder, "mask_size").message.endswith("ground_truth/broken/001_mask.png (9 x 8, image 8 x 8).")


def test_an_unreadable_mask_is_a_warning(folder):
    (folder / "ground_truth/broken/001_mask.png").write_bytes(b"")
    found = finding(folder, "unreadable_mask")
    assert found.severity == "warning"
    assert found.message.endswith("001_mask.png (is empty: it has 0 bytes).")


def test_masks_that_fit_no_image_are_a_warning(folder):
    save(folder / "ground_truth/broken/777_mask.png", DEFECT_MASK)
    save(folder / "ground_truth/bent/000_mask.png", DEFECT_MASK)
    found = finding(folder, "orphan_mask")
    assert found.severity == "warning"
    assert found.paths == ("ground_truth/bent/000_mask.png", "ground_truth/broken/777_mask.png")


def test_masks_of_good_images_are_only_mentioned(folder):
    save(folder / "ground_truth/good/000_mask.png", np.zeros((8, 8), np.uint8))
    assert finding(folder, "good_mask").severity == "info"


# Images


@pytest.mark.parametrize("place", ["train/good/001.png", "test/good/001.png", "test/broken/001.png"])
def test_a_truncated_image_is_an_error_although_its_header_is_sound(folder, place):
    data = encode(noise(1, (64, 64)), "PNG")
    (folder / place).write_bytes(data[: len(data) // 2])
    found = finding(folder, "unreadable_image")
    assert (found.severity, found.paths) == ("error", (place,))
    assert found.message.startswith(f"1 image cannot be read: {place} (is damaged: ")


def test_empty_absent_and_foreign_files_are_errors_with_their_reasons(folder):
    (folder / "train/good/000.png").write_bytes(b"")
    (folder / "train/good/001.png").write_bytes(b"GIF89a")
    (folder / "train/good/009.png").symlink_to("nowhere.png")
    found = finding(folder, "unreadable_image")
    assert found.paths == ("train/good/000.png", "train/good/001.png", "train/good/009.png")
    assert found.message == "3 images cannot be read: train/good/000.png (is empty: it has 0 bytes) and 2 more."


def test_an_image_that_vanishes_after_the_scan_is_an_error(folder):
    category = scan_category(folder.parent, folder.name)
    (folder / "train/good/000.png").unlink()
    assert [f.code for f in check_category(category).findings] == ["unreadable_image"]


def test_a_listed_visa_image_that_is_not_there_is_an_error(tmp_path):
    make_visa(tmp_path)
    (tmp_path / "candle/Data/Images/Normal/0001.JPG").unlink()
    (tmp_path / "candle/Data/Masks/Anomaly/000.png").unlink()
    report = check(tmp_path / "candle")
    assert [(f.severity, f.code) for f in report.findings] == [
        ("error", "unreadable_image"),
        ("warning", "missing_mask"),
    ]
    assert "(expected Data/Masks/Anomaly/000.png)" in report.findings[1].message


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif"])
def test_a_training_image_in_test_is_found_by_content(folder, suffix):
    save(folder / f"test/broken/copy{suffix}", noise(1))
    save(folder / "ground_truth/broken/copy_mask.png", DEFECT_MASK)
    found = finding(folder, "test_in_train")
    assert found.severity == "warning"
    assert found.message.endswith(f"test/broken/copy{suffix} (same as train/good/001.png).")


def test_copies_inside_train_are_mentioned_and_near_copies_are_not(folder):
    save(folder / "train/good/copy.png", noise(1))
    near = noise(1)
    near[0, 0] ^= 1
    save(folder / "train/good/near.png", near)
    found = finding(folder, "duplicate_in_train")
    assert (found.severity, found.paths) == ("info", ("train/good/copy.png",))


def test_one_image_under_two_types_is_a_warning(folder):
    save(folder / "test/good/copy.png", noise(200))
    assert finding(folder, "two_labels").severity == "warning"


def test_12_bit_data_in_16_bit_files_is_a_warning(folder):
    for i in range(3):
        (folder / f"train/good/{i:03}.png").write_bytes(png_16(noise(i, (8, 8), np.uint16) >> 4))
    (folder / "test/good/000.png").write_bytes(png_16(noise(9, (8, 8), np.uint16)))
    report = check(folder)
    assert [f.code for f in report.findings] == ["low_range", "mixed_modes"]
    assert report.findings[0].paths == tuple(f"train/good/{i:03}.png" for i in range(3))
    assert "of 65535" in report.findings[0].message


def test_different_sizes_and_modes_are_mentioned(folder):
    save(folder / "train/good/000.png", noise(0, (9, 7, 3)))
    report = check(folder)
    assert [(f.severity, f.code) for f in report.findings] == [("info", "mixed_sizes"), ("info", "mixed_modes")]
    assert report.sizes == {"8 x 8": 6, "7 x 9": 1}
    assert report.modes == {"grey 8 bit": 6, "RGB 8 bit": 1}


# Numbers of images


def test_no_training_image_is_an_error(tmp_path):
    folder = make_mvtec(tmp_path / "screw", n_train=0)
    assert finding(folder, "no_train").message == "train/good is missing: there is nothing to learn from."
    save(folder / "train/good/nested/0.png", noise(0))
    report = check(folder)
    assert [f.code for f in report.findings] == ["no_train", "too_deep"]
    assert report.errors[0].message == "train/good holds no training image: there is nothing to learn from."
    assert report.findings[1].paths == ("train/good/nested/0.png",)


def test_one_training_image_is_an_error_and_two_are_enough(tmp_path):
    assert finding(make_mvtec(tmp_path / "one", n_train=1), "few_normals").severity == "error"
    assert check(make_mvtec(tmp_path / "two", n_train=2)).findings == ()


def test_absent_kinds_of_test_images_are_told_with_their_consequences(tmp_path):
    none = finding(make_mvtec(tmp_path / "a", n_good=0, n_broken=0), "no_test")
    assert none.severity == "warning"
    assert "no scores" in none.message
    good_only = finding(make_mvtec(tmp_path / "b", n_broken=0), "no_defects")
    assert good_only.severity == "info"
    assert "scores and heat maps work" in good_only.message
    bad_only = finding(make_mvtec(tmp_path / "c", n_good=0), "no_good_tests")
    assert bad_only.severity == "info"
    assert "image AUROC is absent" in bad_only.message


# Other files


def test_junk_and_licences_are_passed_over_and_other_files_mentioned(folder):
    for name in (
        "license.txt",
        "README.txt",
        ".DS_Store",
        "train/Thumbs.db",
        "test/good/._000.png",
        "train/good/desktop.ini",
    ):
        (folder / name).touch()
    assert check(folder).findings == ()
    (folder / "test/labels.csv").touch()
    (folder / "train/good/readme.txt").touch()
    found = finding(folder, "extra_file")
    assert (found.severity, found.paths) == ("info", ("test/labels.csv", "train/good/readme.txt"))


def test_images_in_unexpected_places_are_a_warning(folder):
    places = ["0.png", "test/0.png", "train/bad/0.png", "train/bad/deeper/0.png"]
    for i, place in enumerate(places):
        save(folder / place, noise(300 + i))
    found = finding(folder, "unused_image")
    assert (found.severity, found.paths) == ("warning", tuple(places))


def test_a_name_that_is_not_utf8_is_shown_and_not_used(folder):
    source = os.fsencode(folder / "train/good/000.png")
    try:
        os.link(source, os.fsencode(folder / "train/good") + b"/caf\xe9.png")
    except OSError:
        pytest.skip("this file system allows UTF-8 names only")
    found = finding(folder, "bad_name")
    assert found.paths == (r"train/good/caf\xe9.png",)
    assert found.message.encode()


def test_a_folder_that_links_to_its_parent_ends(folder):
    (folder / "train/loop").symlink_to("..")
    assert check(folder).findings == ()


# Size and real data


def test_one_image_is_in_memory_at_a_time(tmp_path):
    folder = make_mvtec(tmp_path / "screw")
    for i in range(12):
        save(folder / f"train/good/large{i}.bmp", np.full((1000, 1000), i, np.uint8))
    category = scan_category(tmp_path, "screw")
    tracemalloc.start()
    check_category(category)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6e6


@pytest.mark.real
def test_the_shared_data_is_sound():
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no shared data in {SHARED_DATA}")
    reports = {name: check(SHARED_DATA / name) for name in ("screw", "magnetic_tile", "pcb")}
    assert {name: [f.code for f in report.findings] for name, report in reports.items()} == {
        "screw": [],
        "magnetic_tile": ["strip", "small_regions", "mixed_sizes"],
        "pcb": ["duplicate_in_train"],
    }
    assert reports["screw"].sizes == {"512 x 512": 480}
    assert reports["pcb"].sizes == {"640 x 640": 270}
