"""Which mask belongs to which image, and which folders hold good images: truth, not guesses."""

import itertools
import json
import os
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from image_folders import DEFECT_MASK, make_btad, make_mvtec, make_visa, noise, save, write_split
from typer.testing import CliRunner

from wtflow.cli.app import app
from wtflow.datasets.files import as_spelt
from wtflow.datasets.good_names import sounds_good
from wtflow.datasets.health import check_category
from wtflow.datasets.health_folders import look_at_folders
from wtflow.datasets.layouts import tree_of
from wtflow.datasets.pairing import loose, pair_masks
from wtflow.datasets.scan import LAYOUTS, find_categories, layout_of_training, scan_category
from wtflow.records.reading import Reading


def pairs_of(images: list[str], masks: list[str]) -> dict[str, str]:
    found = pair_masks([Path("test") / name for name in images], [Path("truth") / name for name in masks])
    return {image.name: mask.name for image, mask in found.pairs.items()}


@pytest.fixture
def folder(tmp_path):
    """A sound category, to be damaged."""
    return make_mvtec(tmp_path / "part")


def scan(folder, **said):
    return scan_category(folder.parent, folder.name, Reading(**said))


def findings(folder, **said):
    """code -> finding of the whole check."""
    return {one.code: one for one in check_category(scan(folder, **said)).findings}


def pairs_in(folder):
    return {s.id: s.mask_path.name for s in scan(folder).samples if s.mask_path}


# -- names -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mask", ["7_mask.png", "7.png", "7_mask.BMP", "7.tif", "7_mask.jpg", "7_MASK.png"])
def test_a_mask_may_have_either_name_and_any_ending(mask):
    assert pairs_of(["7.jpg"], [mask]) == {"7.jpg": mask}


@pytest.mark.parametrize(
    ("images", "masks"),
    [
        (["7.png", "7.jpg"], ["7_mask.png"]),
        (["7.png", "7.jpg"], ["7_mask.png", "7.png"]),
        (["7.png", "7.PNG"], ["7.png"]),
        (["A.png", "a.png"], ["a_mask.png"]),
        (["Stück.png", "Stu\u0308ck.png"], ["Stück_mask.png"]),
        (["7.png"], ["7_mask.png", "7.png"]),
        (["7.png"], ["7_mask.png", "7_mask.bmp"]),
        (["7.png"], ["7_mask.png", "7_MASK.png"]),
        (["7.png", "7_mask.png"], ["7_mask.png"]),
        (["7.png", "7_mask.png"], ["7_mask.png", "7.png", "7_mask_mask.png"]),
    ],
)
def test_where_names_do_not_tell_nobody_gets_a_mask(images, masks):
    found = pair_masks([Path(name) for name in images], [Path(name) for name in masks])
    assert found.pairs == {}
    assert [(sorted(map(str, i)), sorted(map(str, m))) for i, m in found.clashes] == [(sorted(images), sorted(masks))]


@pytest.mark.parametrize(
    ("images", "masks", "pairs"),
    [
        (["Stück.png"], ["Stu\u0308ck_mask.png"], {"Stück.png": "Stu\u0308ck_mask.png"}),
        (["IMG.JPG"], ["img_mask.png"], {"IMG.JPG": "img_mask.png"}),
        (["7.png", "7_mask.png"], ["7.png", "7_mask.png"], {"7.png": "7.png", "7_mask.png": "7_mask.png"}),
        (
            ["7.png", "7_mask.png"],
            ["7_mask.png", "7_mask_mask.png"],
            {"7.png": "7_mask.png", "7_mask.png": "7_mask_mask.png"},
        ),
        (["A.png", "a.png"], ["A_mask.png", "a_mask.png"], {"A.png": "A_mask.png", "a.png": "a_mask.png"}),
        (["7_mask.png"], ["7_mask.png"], {"7_mask.png": "7_mask.png"}),
        (["7.png", "8.jpg"], ["8_mask.png"], {"8.jpg": "8_mask.png"}),
    ],
)
def test_where_there_is_one_way_only_it_is_taken(images, masks, pairs):
    assert pairs_of(images, masks) == pairs


def only_ways(images: list[str], masks: list[str]) -> dict[str, str] | None:
    """By trying all: the pairs if exactly one assignment gives each image one mask and leaves none over."""
    fits = [
        dict(zip(images, order, strict=True))
        for order in itertools.permutations(masks)
        if len(masks) == len(images)
        and all(Path(m).stem in (Path(i).stem, Path(i).stem + "_mask") for i, m in zip(images, order, strict=True))
    ]
    return fits[0] if len(fits) == 1 else None


NAMES = st.lists(st.sampled_from(["a", "a_mask", "a_mask_mask", "b", "b_mask"]), min_size=1, max_size=4)
ENDINGS = [".png", ".jpg", ".bmp", ".tif"]


@given(NAMES, NAMES)
@settings(deadline=None)
def test_pairing_finds_what_trying_every_assignment_finds(images, masks):
    images = sorted({f"{stem}{ENDINGS[images[:i].count(stem)]}" for i, stem in enumerate(images)})
    masks = sorted({f"{stem}{ENDINGS[masks[:i].count(stem)]}" for i, stem in enumerate(masks)})
    found = pair_masks([Path(name) for name in images], [Path(name) for name in masks])
    paired = {image.name: mask.name for image, mask in found.pairs.items()}
    assert len(set(paired.values())) == len(paired), "one mask, one image"
    clashing = [({i.name for i in ours}, {m.name for m in theirs}) for ours, theirs in found.clashes]
    for ours, theirs in clashing:
        assert only_ways(sorted(ours), sorted(theirs)) is None
    # What is neither paired nor in a clash is claimed by nobody.
    left_images = set(images) - set(paired) - set().union(*(ours for ours, _ in clashing))
    left_masks = set(masks) - set(paired.values()) - set().union(*(theirs for _, theirs in clashing))
    for image in images:
        for mask in masks:
            if Path(mask).stem in (Path(image).stem, Path(image).stem + "_mask"):
                assert image not in left_images
                assert mask not in left_masks
    # Groups do not claim each other, so pairs of one group are the only way to pair what the pairs hold.
    assert only_ways(sorted(paired), sorted(paired.values())) == paired


@given(st.sets(st.integers(0, 30), min_size=1), st.sets(st.integers(0, 30)))
def test_pairs_never_cross_whatever_is_missing(images, masks):
    pairs = pairs_of([f"{i}.png" for i in images], [f"{i}_mask.png" for i in masks])
    assert pairs == {f"{i}.png": f"{i}_mask.png" for i in images & masks}


@given(st.text(min_size=1))
def test_a_name_is_the_same_in_every_case_and_form(name):
    for form in ("NFC", "NFD"):
        assert loose(unicodedata.normalize(form, name)) == loose(name)


# -- masks in a category -----------------------------------------------------------------------------------------------


def test_a_mask_with_the_name_of_two_images_belongs_to_neither_and_both_are_named(folder):
    save(folder / "test/broken/000.jpg", noise(7))
    assert pairs_in(folder) == {"test/broken/001.png": "001_mask.png"}
    found = findings(folder)
    assert found.keys() == {"contested_mask"}, "not missing as well"
    assert found["contested_mask"].severity == "warning"
    assert found["contested_mask"].message == (
        "1 mask with the name of several images, and left to none: ground_truth/broken/000_mask.png"
        " (test/broken/000.jpg, test/broken/000.png)."
    )


def test_two_masks_of_one_image_are_both_left(folder):
    save(folder / "ground_truth/broken/000.png", DEFECT_MASK)
    assert pairs_in(folder) == {"test/broken/001.png": "001_mask.png"}
    found = findings(folder)
    assert found.keys() == {"several_masks"}
    assert (
        "test/broken/000.png (ground_truth/broken/000.png, ground_truth/broken/000_mask.png)"
        in found["several_masks"].message
    )


def test_two_images_of_one_name_are_mentioned_where_no_mask_is_at_stake(folder):
    save(folder / "train/good/000.jpg", noise(7))
    save(folder / "test/good/001.bmp", noise(8))
    found = findings(folder)
    assert found.keys() == {"same_name"}
    assert found["same_name"].severity == "info"
    assert found["same_name"].paths == ("test/good/001.png", "train/good/000.png")


def test_a_mark_in_the_mask_of_a_good_image_is_a_warning_and_an_empty_one_is_mentioned(folder):
    save(folder / "ground_truth/good/000_mask.png", DEFECT_MASK)
    save(folder / "ground_truth/good/001_mask.png", np.zeros((8, 8), np.uint8))
    found = findings(folder)
    assert {code: (one.severity, one.paths) for code, one in found.items()} == {
        "marked_good": ("warning", ("ground_truth/good/000_mask.png",)),
        "good_mask": ("info", ("ground_truth/good/001_mask.png",)),
    }
    assert pairs_in(folder).keys() == {"test/broken/000.png", "test/broken/001.png"}


def test_folders_that_a_person_called_good_are_looked_at_likewise(folder):
    save(folder / "test/Gut/9.png", noise(9))
    save(folder / "ground_truth/Gut/9_mask.png", DEFECT_MASK)
    assert findings(folder, good=("Gut",)).keys() == {"marked_good"}


def test_visa_masks_listed_twice_or_for_normal_images_are_told(tmp_path):
    make_visa(tmp_path)
    save(tmp_path / "candle/Data/Images/Anomaly/001.JPG", noise(9, (8, 8, 3)))
    rows = (tmp_path / "split_csv/1cls.csv").read_text().splitlines()
    mask = "candle/Data/Masks/Anomaly/000.png"
    write_split(tmp_path, [*rows, f"candle,test,anomaly,candle/Data/Images/Anomaly/001.JPG,{mask}"])
    assert pairs_in(tmp_path / "candle") == {}
    assert findings(tmp_path / "candle").keys() == {"contested_mask"}
    (tmp_path / "candle/Data/Images/Anomaly/001.JPG").unlink()
    save(tmp_path / "candle/Data/Masks/Normal/0002.png", DEFECT_MASK)
    normal = "candle,test,normal,candle/Data/Images/Normal/0002.JPG,"
    write_split(tmp_path, [row.replace(normal, normal + "candle/Data/Masks/Normal/0002.png") for row in rows])
    assert findings(tmp_path / "candle").keys() == {"marked_good"}


# -- folders -----------------------------------------------------------------------------------------------------------


def words(text: str) -> list[str]:
    return text.split()


GOOD_NAMES = words(
    "OK Good GOOD good2 normal Normal ok pass passed PASS no_defect no-defects NoDefect nodefect defect_free defectfree"
    " DefectFree non_defective not_defective good_images OK-Teile iO i.O. io gut Gutteile healthy intact flawless"
    " undamaged no_anomaly anomaly_free fehlerfrei negative test_good good_OK 正常 良品 合格 양품 무결함"
)
BAD_NAMES = words(
    "good_defect broken scratch NOK nok not_ok notok not_good no_good NG abnormal anomaly defect damaged crack"
    " missing_part no_screw niO n.i.O. nio contamination ok_but_dirty good_side_scratch normal_scratch 不良品 不合格"
    " bad ko fail failed 불량 unnormal free reject Rejected anomalous faulty 1 _ book token hook smoke passive"
)


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_a_name_that_says_good_is_noticed(name):
    assert sounds_good(name)


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_does_not_say_good_is_left_alone(name):
    assert not sounds_good(name)


@given(st.text())
def test_any_name_gets_an_answer(name):
    assert sounds_good(name) in (True, False)


def test_a_folder_whose_name_says_good_is_a_defect_type_until_a_person_takes_the_offer(folder):
    for i, name in enumerate(("OK", "OK", "Good")):
        save(folder / f"test/{name}/{i}.png", noise(50 + i))
    category = scan(folder)
    assert category.defects == ("Good", "OK", "broken")
    (found,) = look_at_folders(category)[:1]
    assert (found.code, found.severity) == ("sounds_good", "warning")
    assert found.message == (
        "test/Good (1 image, without a mask) and test/OK (2 images, without masks) count as defect types, but their"
        " names say good."
    )
    assert "--good Good --good OK" in found.fix
    assert [one.code for one in look_at_folders(category)] == ["sounds_good"], "and no mask is asked for"
    assert [offer.reading.good for offer in found.offers] == [("Good",), ("OK",), ("Good", "OK")]
    taken = scan_category(folder.parent, "part", found.offers[-1].reading)
    assert taken.defects == ("broken",)
    assert "sounds_good" not in {one.code for one in look_at_folders(taken)}


def test_a_folder_that_sounds_good_and_has_masks_is_asked_for_the_others(folder):
    for i in range(3):
        save(folder / f"test/OK/{i}.png", noise(50 + i))
    save(folder / "ground_truth/OK/1_mask.png", DEFECT_MASK)
    found = findings(folder)
    assert found["sounds_good"].message.startswith("test/OK (3 images, 1 with a mask) counts as a defect type")
    assert found["missing_mask"].paths == ("test/OK/0.png", "test/OK/2.png")


def test_a_folder_called_good_that_is_gone_is_told(folder):
    assert findings(folder, good=("OK",))["unknown_good"].severity == "warning"


@pytest.mark.parametrize("names", [("Train/Good", "Test", "Ground_Truth"), ("TRAIN/GOOD", "test", "ground_truth")])
def test_the_layouts_own_folders_are_found_in_any_case(tmp_path, names):
    folder = make_mvtec(tmp_path / "part")
    expected = {(s.defect, s.split, s.path.name, s.mask_path and s.mask_path.name) for s in scan(folder).samples}
    train, test, masks = names
    (folder / "train/good").rename(folder / "train/x")
    (folder / "train/x").rename(folder / "train" / Path(train).name)
    for old, new in (("train", Path(train).parent.name), ("test", test), ("ground_truth", masks)):
        (folder / old).rename(folder / f"{old}_")
        (folder / f"{old}_").rename(folder / new)
    (folder / masks / "broken").rename(folder / masks / "Broken")
    category = scan(folder)
    assert layout_of_training(category.of("train")[0].id) is LAYOUTS["mvtec"]
    assert find_categories(tmp_path).categories == ("part",)
    assert {(s.defect, s.split, s.path.name, s.mask_path and s.mask_path.name) for s in category.samples} == expected
    assert check_category(category).findings == ()


def test_names_alike_are_told_apart_where_the_disk_does(tmp_path):
    folder = make_mvtec(tmp_path / "part")
    save(folder / "test/Broken/5.png", noise(5))
    if len(list((folder / "test").iterdir())) < 3:
        pytest.skip("this file system ignores case")
    save(folder / "train/Good/6.png", noise(6))
    category = scan(folder)
    assert {s.id: s.mask_path and s.mask_path.name for s in category.samples if s.is_defective} == {
        "test/Broken/5.png": None,
        "test/broken/000.png": "000_mask.png",
        "test/broken/001.png": "001_mask.png",
    }
    assert findings(folder).keys() == {"missing_mask", "unused_image"}
    assert tree_of(folder).test == folder / "test"
    assert [as_spelt("a", names) for names in (["A"], ["A", "a"], ["A", "\u00e5"], [])] == ["A", "a", "A", "a"]


def test_normal_images_under_another_name_in_train_are_an_error_that_says_what_to_rename(tmp_path):
    folder = make_mvtec(tmp_path / "part")
    (folder / "train/good").rename(folder / "train/normal")
    found = findings(folder)["no_train"]
    assert found.severity == "error"
    assert found.fix.startswith("If train/normal holds the normal images, rename it to train/good.")


@pytest.mark.parametrize("make", [make_mvtec, make_btad])
def test_images_and_masks_one_folder_too_deep_are_told_with_the_folder_that_is_read(tmp_path, make):
    folder = make(tmp_path / "part")
    normal, defect = ("good", "broken") if make is make_mvtec else ("ok", "ko")
    places = [f"train/{normal}/batch1/a.png", f"test/{defect}/x/y/b.png", f"ground_truth/{defect}/x/c_mask.png"]
    for i, place in enumerate(places):
        save(folder / place, noise(60 + i))
    (folder / "test/deep").mkdir()
    (folder / f"test/{defect}/x/y/b.png").rename(save(folder / "test/deep/deep/b.png", noise(1)))
    found = {one.code: one for one in look_at_folders(scan(folder))}
    assert found.keys() == {"too_deep"}, "and test/deep is not called empty as well"
    assert found["too_deep"].severity == "warning"
    assert found["too_deep"].paths == (places[2], "test/deep/deep/b.png", places[0])
    assert found["too_deep"].message == (
        f"3 files one folder too deep, and not read: 1 in ground_truth/{defect}/x, 1 in test/deep/deep, 1 in"
        f" train/{normal}/batch1. Only what lies right in a folder such as ground_truth/{defect} is read."
    )


def test_most_files_too_deep_come_first(folder):
    for i in range(9):
        (folder / f"test/broken/{i}").mkdir()
        for k in range(i):
            save(folder / f"test/broken/{i}/{k}.png", noise(300 + 10 * i + k))
    message = findings(folder)["too_deep"].message
    assert message.startswith("36 files one folder too deep, and not read: 8 in test/broken/8, 7 in test/broken/7, ")
    assert "and more in 4 other folders" in message


@pytest.mark.parametrize("name", ["000_mask.png", "000-MASK.bmp", "000_gt.png"])
def test_masks_that_lie_among_the_images_are_told(folder, name):
    save(folder / "test/broken" / name, DEFECT_MASK)
    found = findings(folder)
    assert found["mask_among_images"].paths == (f"test/broken/{name}",)
    assert f"test/broken/{name} (beside 000.png)" in found["mask_among_images"].message


def test_an_image_with_a_mask_of_its_own_is_no_mask_whatever_its_name(folder):
    save(folder / "test/broken/000_mask.png", noise(5))
    save(folder / "ground_truth/broken/000_mask_mask.png", DEFECT_MASK)
    assert pairs_in(folder)["test/broken/000_mask.png"] == "000_mask_mask.png"
    assert findings(folder).keys() == set()


def test_a_folder_that_cannot_be_opened_is_told_and_stops_nothing(folder, monkeypatch):
    save(folder / "train/private/x.png", noise(4))
    scandir = os.scandir

    def guarded(path):
        if str(path).endswith("private"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    assert findings(folder)["locked_folder"].paths == ("train/private",)


@pytest.mark.parametrize(("shape", "is_strip"), [((8, 16), False), ((8, 17), True), ((17, 8), True), ((1, 2), False)])
def test_sides_beyond_two_to_one_are_told_with_tiles_as_the_answer(folder, shape, is_strip):
    save(folder / "train/good/000.png", noise(1, shape))
    found = findings(folder)
    assert ("strip" in found) == is_strip
    if is_strip:
        assert found["strip"].severity == "warning" and "--tile" in found["strip"].fix
        assert f"train/good/000.png ({shape[1]} x {shape[0]} px)" in found["strip"].message


def test_an_empty_folder_of_test_images_is_told(folder):
    (folder / "test/bent").mkdir()
    (folder / "test/cut").mkdir()
    found = findings(folder)
    assert found.keys() == {"empty_folder"}
    assert found["empty_folder"].paths == ("test/bent", "test/cut")


def test_a_link_upwards_brings_in_no_other_category(folder):
    make_mvtec(folder.parent / "other")
    (folder / "test/up").symlink_to("../..")
    assert findings(folder).keys() == {"empty_folder"}


def test_what_listing_shows_is_part_of_the_whole_check_and_opens_no_file(folder, monkeypatch):
    save(folder / "test/OK/1.png", noise(51))
    save(folder / "test/broken/000.jpg", noise(7))
    save(folder / "train/good/x/1.png", noise(8))
    category = scan(folder)
    whole = check_category(category).findings
    monkeypatch.setattr(Path, "read_bytes", None)
    monkeypatch.setattr(Path, "open", None)
    listed = look_at_folders(category)
    assert {one.code for one in listed} == {"sounds_good", "contested_mask", "too_deep"}
    assert set(listed) <= set(whole)


# -- the shell ---------------------------------------------------------------------------------------------------------


def test_check_offers_the_option_in_its_json(folder, monkeypatch):
    monkeypatch.setenv("WTFLOW_HOME", str(folder.parent.parent / "runs"))
    save(folder / "test/no defect/1.png", noise(51))
    result = CliRunner().invoke(app, ["check", str(folder.parent), "--json"], catch_exceptions=False)
    (found,) = (
        one
        for one in json.loads(result.stdout.splitlines()[-1])["categories"][0]["findings"]
        if one["code"] == "sounds_good"
    )
    reading = {"masks": "auto", "good": ["no defect"], "masks_as_stored": False}
    assert found["offers"] == [{"words": "Read test/no defect as good", "reading": reading}]
    assert "--good 'no defect'" in found["fix"]


def test_thousands_of_folders_are_paired_by_one_look_at_each(tmp_path, monkeypatch):
    """Comparing every folder with every other took seconds for 3,000 of them."""
    folder = make_mvtec(tmp_path / "part")
    for part in ("test", "ground_truth"):
        for i in range(300):
            (folder / part / f"d{i}").mkdir()
    compared = []
    monkeypatch.setattr("wtflow.datasets.layouts.loose", lambda name: compared.append(name) or loose(name))
    assert len(scan(folder).samples) == 7
    assert len(compared) < 2000
