import os
import pickle
from pathlib import Path

import pytest
from image_folders import SHARED_DATA, make_btad, make_mvtec, make_visa, noise, save, write_split
from PIL import Image

from wtflow.datasets.health_folders import count_samples
from wtflow.datasets.roots import WrongRootError
from wtflow.datasets.scan import LAYOUTS, find_categories, scan_category
from wtflow.errors import LayoutError
from wtflow.records.reading import Reading


def masks_of(category):
    folder = category.root / category.name
    return {s.id: s.mask_path.relative_to(folder).as_posix() for s in category.samples if s.mask_path}


# Finding categories


def test_categories_of_a_root_are_listed_by_name(tmp_path):
    for name in ("screw", "bottle", "Teil groß 部品"):
        make_mvtec(tmp_path / name)
    found = find_categories(tmp_path)
    assert (found.root, found.layout, found.hint) == (tmp_path, "mvtec", "")
    assert found.categories == ("Teil groß 部品", "bottle", "screw")


def test_what_is_not_a_category_is_named_in_the_hint(tmp_path):
    make_mvtec(tmp_path / "screw")
    (tmp_path / "notes").mkdir()
    for junk in (".git", "__MACOSX", "@eaDir"):
        (tmp_path / junk).mkdir()
    assert find_categories(tmp_path).hint == "Not a category: notes."


def test_a_mixed_root_lists_the_more_frequent_layout_and_names_the_other(tmp_path):
    for name in ("screw", "bottle"):
        make_mvtec(tmp_path / name)
    make_btad(tmp_path / "01")
    found = find_categories(tmp_path)
    assert found.categories == ("bottle", "screw")
    assert found.hint == "01: BTAD layout, not listed; give these a root of their own."


@pytest.mark.parametrize(
    "given_path",
    ["screw", "screw/train", "screw/train/good", "screw/test", "screw/test/broken", "screw/ground_truth/broken"],
)
def test_a_root_too_low_offers_the_right_one(tmp_path, given_path):
    make_mvtec(tmp_path / "screw")
    with pytest.raises(WrongRootError) as caught:
        find_categories(tmp_path / given_path)
    assert caught.value.suggestion == tmp_path
    assert str(tmp_path) in caught.value.fix
    assert "screw" in caught.value.fix


@pytest.mark.parametrize("below", ["data", "mvtec/mvtec_anomaly_detection"])
def test_a_root_too_high_offers_the_right_one(tmp_path, below):
    make_mvtec(tmp_path / below / "screw")
    with pytest.raises(WrongRootError) as caught:
        find_categories(tmp_path)
    assert caught.value.suggestion == tmp_path / below
    assert "(screw)" in caught.value.message
    assert find_categories(caught.value.suggestion).categories == ("screw",)


def test_a_root_one_too_high_is_found_beside_other_folders(tmp_path):
    make_mvtec(tmp_path / "data/screw")
    (tmp_path / "docs/img").mkdir(parents=True)
    with pytest.raises(WrongRootError) as caught:
        find_categories(tmp_path)
    assert caught.value.suggestion == tmp_path / "data"


def test_several_possible_roots_are_all_named(tmp_path):
    make_mvtec(tmp_path / "first/screw")
    make_mvtec(tmp_path / "second/bottle")
    with pytest.raises(LayoutError, match="several folders with categories: first, second"):
        find_categories(tmp_path)


def test_a_wrong_root_keeps_its_suggestion_across_processes():
    error = pickle.loads(pickle.dumps(WrongRootError("Wrong.", fix="Right.", suggestion=Path("/a"))))
    assert (str(error), error.suggestion) == ("Wrong. Right.", Path("/a"))


def test_what_is_no_folder_is_refused_by_what_it_is(tmp_path):
    (tmp_path / "file.txt").touch()
    (tmp_path / "mvtec.tar.xz").touch()
    for given_root, reason in {
        tmp_path / "absent": "does not exist",
        tmp_path / "file.txt": "is not a folder",
        tmp_path / "mvtec.tar.xz": "is an archive",
        " ": "No folder is given",
        "a\0b": "No folder is given",
    }.items():
        with pytest.raises(LayoutError, match=reason):
            find_categories(given_root)


def test_an_unknown_structure_is_refused_with_what_was_found(tmp_path):
    with pytest.raises(LayoutError, match="found nothing"):
        find_categories(tmp_path)
    for i in range(3):
        save(tmp_path / f"{i}.png", noise(i))
    with pytest.raises(LayoutError, match=r"found 3 \.png files"):
        find_categories(tmp_path)
    for name in ("cats", "dogs"):
        save(tmp_path / f"train/{name}/0.png", noise(0))
        save(tmp_path / f"test/{name}/0.png", noise(1))
    with pytest.raises(LayoutError, match=r"found the folders test, train and 3 \.png files") as caught:
        find_categories(tmp_path)
    assert "ROOT/CATEGORY/train/good" in caught.value.fix


@pytest.mark.parametrize(
    ("folder", "layout"),
    [
        ("train/good/rgb", "MVTec 3D-AD"),
        ("test_public/good", "MVTec AD 2"),
        ("test/logical_anomalies", "MVTec LOCO AD"),
    ],
)
def test_a_related_layout_is_refused_by_its_name(tmp_path, folder, layout):
    make_mvtec(tmp_path / "thing")
    (tmp_path / "thing" / folder).mkdir(parents=True)
    for scan in (lambda: find_categories(tmp_path), lambda: scan_category(tmp_path, "thing")):
        with pytest.raises(LayoutError, match=f"has the layout of {layout}"):
            scan()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_locked_folder_is_named_or_passed_over(tmp_path):
    make_mvtec(tmp_path / "data/screw")
    locked = tmp_path / "data/locked"
    locked.mkdir(mode=0)
    try:
        assert find_categories(tmp_path / "data").categories == ("screw",)
        with pytest.raises(LayoutError, match="cannot be opened"):
            find_categories(locked)
    finally:
        locked.chmod(0o700)


def test_tilde_and_dots_are_resolved_and_links_are_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    make_mvtec(tmp_path / "real/screw")
    (tmp_path / "link").symlink_to("real")
    assert find_categories(Path("~/real/../link")).root == tmp_path / "link"


# Scanning a category


def test_images_come_in_the_order_of_their_ids_with_split_and_defect(tmp_path):
    make_mvtec(tmp_path / "screw", n_train=2, n_good=1, n_broken=1)
    category = scan_category(tmp_path, "screw")
    assert [(s.id, s.split, s.defect) for s in category.samples] == [
        ("test/broken/000.png", "test", "broken"),
        ("test/good/000.png", "test", "good"),
        ("train/good/000.png", "train", "good"),
        ("train/good/001.png", "train", "good"),
    ]
    assert all(s.path == tmp_path / "screw" / s.id for s in category.samples)
    assert masks_of(category) == {"test/broken/000.png": "ground_truth/broken/000_mask.png"}


def test_masks_are_paired_by_name_when_one_is_missing(tmp_path):
    make_mvtec(tmp_path / "screw", n_broken=5)
    (tmp_path / "screw/ground_truth/broken/001_mask.png").unlink()
    pairs = masks_of(scan_category(tmp_path, "screw"))
    assert pairs == {f"test/broken/00{i}.png": f"ground_truth/broken/00{i}_mask.png" for i in (0, 2, 3, 4)}


def test_all_extensions_are_images_and_junk_is_not(tmp_path):
    folder = make_mvtec(tmp_path / "screw", n_train=0) / "train/good"
    folder.mkdir(parents=True)
    names = ["a.PNG", "b.jpg", "c.JPEG", "d.bmp", "e.Tif", "f.tiff", "g.webp"]
    for name in [*names, ".hidden.png", "._a.png", "Thumbs.db", "desktop.ini", "notes.txt", "png", "h.png.tmp"]:
        (folder / name).touch()
    (folder / "folder.png").mkdir()
    assert [s.path.name for s in scan_category(tmp_path, "screw").of("train")] == names


def test_scanning_opens_no_image(tmp_path, monkeypatch):
    make_mvtec(tmp_path / "screw")
    monkeypatch.setattr(Path, "read_bytes", None)
    monkeypatch.setattr(Path, "open", None)
    monkeypatch.setattr(Image, "open", None)
    assert len(scan_category(tmp_path, "screw").samples) == 7


def test_a_category_without_train_or_without_test_is_scanned_for_the_report(tmp_path):
    make_mvtec(tmp_path / "a", n_train=0)
    make_mvtec(tmp_path / "b", n_good=0, n_broken=0)
    assert find_categories(tmp_path).categories == ("a", "b")
    assert count_samples(scan_category(tmp_path, "a")) == {"train": {}, "test": {"good": 2, "broken": 2}}
    assert count_samples(scan_category(tmp_path, "b")) == {"train": {"good": 3}, "test": {}}


def test_links_to_images_and_folders_are_followed_and_broken_ones_listed(tmp_path):
    make_mvtec(tmp_path / "store/screw")
    root = tmp_path / "root"
    (root / "linked").mkdir(parents=True)
    (root / "linked/test").symlink_to(tmp_path / "store/screw/test")
    (root / "linked/train/good").mkdir(parents=True)
    (root / "linked/train/good/0.png").symlink_to(tmp_path / "store/screw/train/good/000.png")
    (root / "linked/train/good/1.png").symlink_to("nowhere.png")
    (root / "whole").symlink_to(tmp_path / "store/screw")
    (root / "circle").symlink_to("circle")
    assert find_categories(root).categories == ("linked", "whole")
    assert len(scan_category(root, "whole").samples) == 7
    assert [s.id for s in scan_category(root, "linked").of("train")] == ["train/good/0.png", "train/good/1.png"]


@pytest.mark.parametrize("name", ["", " ", ".", "..", "../screw", "a/b", "a\\b", "/etc", "screw/", "a\0b"])
def test_a_name_that_is_no_folder_name_is_refused(tmp_path, name):
    make_mvtec(tmp_path / "screw")
    with pytest.raises(LayoutError, match="is not the name of a category"):
        scan_category(tmp_path, name)


def test_an_absent_category_gets_a_suggestion(tmp_path):
    make_mvtec(tmp_path / "screw")
    with pytest.raises(LayoutError, match="no category 'screws'.*Did you mean screw"):
        scan_category(tmp_path, "screws")
    with pytest.raises(LayoutError, match="Categories there are: screw"):
        scan_category(tmp_path, "zzz")
    (tmp_path / "docs").mkdir()
    with pytest.raises(LayoutError, match="docs has no known layout: found nothing"):
        scan_category(tmp_path, "docs")
    with pytest.raises(WrongRootError):
        scan_category(tmp_path / "screw", "screw")


# BTAD


@pytest.mark.parametrize("extension", [".bmp", ".png"])
def test_btad_is_read_with_ok_as_good(tmp_path, extension):
    make_btad(tmp_path / "01", extension)
    assert find_categories(tmp_path).layout == "btad"
    category = scan_category(tmp_path, "01")
    assert category.layout == "btad"
    assert count_samples(category) == {"train": {"good": 3}, "test": {"good": 3, "ko": 3}}
    assert masks_of(category)[f"test/ko/0001{extension}"] == "ground_truth/ko/0001.png"


def test_a_btad_category_given_as_root_offers_the_right_one(tmp_path):
    make_btad(tmp_path / "01")
    with pytest.raises(WrongRootError) as caught:
        find_categories(tmp_path / "01/train/ok")
    assert caught.value.suggestion == tmp_path


# VisA


def test_visa_is_read_as_the_split_file_says(tmp_path):
    make_visa(tmp_path)
    found = find_categories(tmp_path)
    assert (found.layout, found.categories, found.hint) == ("visa", ("candle",), "")
    category = scan_category(tmp_path, "candle")
    assert [(s.id, s.split, s.defect) for s in category.samples] == [
        ("Data/Images/Anomaly/000.JPG", "test", "anomaly"),
        ("Data/Images/Normal/0000.JPG", "train", "good"),
        ("Data/Images/Normal/0001.JPG", "train", "good"),
        ("Data/Images/Normal/0002.JPG", "test", "good"),
    ]
    assert masks_of(category) == {"Data/Images/Anomaly/000.JPG": "Data/Masks/Anomaly/000.png"}


def test_visa_without_its_split_file_is_refused_by_name(tmp_path):
    make_visa(tmp_path)
    (tmp_path / "split_csv/1cls.csv").unlink()
    for scan in (lambda: find_categories(tmp_path), lambda: scan_category(tmp_path, "candle")):
        with pytest.raises(LayoutError, match=r"has the VisA layout, but split_csv/1cls.csv is missing"):
            scan()


@pytest.mark.parametrize("given_path", ["candle", "candle/Data", "candle/Data/Images/Normal"])
def test_a_visa_category_given_as_root_offers_the_right_one(tmp_path, given_path):
    make_visa(tmp_path)
    with pytest.raises(WrongRootError) as caught:
        find_categories(tmp_path / given_path)
    assert caught.value.suggestion == tmp_path


HEAD = "object,split,label,image,mask"


@pytest.mark.parametrize(
    "path",
    [
        "../secret.png",
        "candle/../../secret.png",
        "/etc/passwd",
        "other/Data/Images/Normal/0.JPG",
        "C:/x.png",
        "candle\\..\\..\\x.png",
        "candle",
        "",
        "candle/a\0b",
    ],
)
def test_visa_paths_stay_inside_the_category(tmp_path, path):
    make_visa(tmp_path)
    for row in (
        f"candle,train,normal,{path},",
        f"candle,test,anomaly,candle/Data/Images/Anomaly/000.JPG,{path or '..'}",
    ):
        write_split(tmp_path, [HEAD, row])
        with pytest.raises(LayoutError, match="line 2 names .*expected a path below candle/"):
            scan_category(tmp_path, "candle")


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (["object,split,image,mask"], "has no column label"),
        ([], "has no column object, split"),
        ([HEAD], "lists no image of 'candle'"),
        ([HEAD, "candle,valid,normal,candle/a.JPG,"], "line 2 has split 'valid'"),
        ([HEAD, "candle,test,odd,candle/a.JPG,"], "label 'odd'"),
        ([HEAD, "candle,train,anomaly,candle/a.JPG,"], "trains on the defective image"),
        (
            [HEAD, "candle,train,normal,candle/a.JPG,", "candle,test,normal,candle/a.JPG,"],
            "line 3 lists candle/a.JPG a second time",
        ),
        ([HEAD, "candle,train"], "line 2 has split 'train', label ''"),
        ([HEAD, 'candle,train,normal,"' + "x" * 200_000 + '",'], "cannot be read"),
    ],
)
def test_a_damaged_visa_split_file_is_refused_by_line(tmp_path, rows, reason):
    make_visa(tmp_path)
    write_split(tmp_path, rows)
    with pytest.raises(LayoutError, match=reason):
        scan_category(tmp_path, "candle")


def test_a_visa_split_file_in_another_encoding_is_refused(tmp_path):
    make_visa(tmp_path)
    (tmp_path / "split_csv/1cls.csv").write_bytes(
        b"object,split,label,image,mask\ncandle,train,normal,candle/\xff.JPG,\n"
    )
    with pytest.raises(LayoutError, match="cannot be read"):
        scan_category(tmp_path, "candle")


def test_rows_of_other_visa_categories_are_passed_over(tmp_path):
    make_visa(tmp_path)
    rows = (tmp_path / "split_csv/1cls.csv").read_text().splitlines()
    write_split(tmp_path, [*rows, "pcb1,odd,odd,../x,"])
    assert len(scan_category(tmp_path, "candle").samples) == 4


# The real data


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "n_train", "n_good", "defects"),
    [
        (
            "screw",
            320,
            41,
            {"manipulated_front": 24, "scratch_head": 24, "scratch_neck": 25, "thread_side": 23, "thread_top": 23},
        ),
        ("magnetic_tile", 240, 100, {"blowhole": 40, "break": 40, "crack": 40, "fray": 32, "uneven": 40}),
        ("pcb", 150, 60, {"defect": 60}),
    ],
)
def test_the_shared_data_has_the_counts_of_its_readme(name, n_train, n_good, defects):
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no shared data in {SHARED_DATA}")
    assert name in find_categories(SHARED_DATA).categories
    category = scan_category(SHARED_DATA, name)
    assert count_samples(category) == {"train": {"good": n_train}, "test": {"good": n_good, **defects}}
    assert all(s.mask_path is not None for s in category.of("test") if s.is_defective)


# The table of layouts


@pytest.mark.parametrize("key", LAYOUTS)
def test_every_layout_of_the_table_recognises_and_scans_its_own_folders(tmp_path, key):
    name = {"mvtec": "screw", "btad": "01", "visa": "candle"}[key]
    make_visa(tmp_path) if key == "visa" else {"mvtec": make_mvtec, "btad": make_btad}[key](tmp_path / name)
    layout = LAYOUTS[key]
    assert layout.key == key == find_categories(tmp_path).layout
    assert layout.scan(tmp_path, name, Reading()) == scan_category(tmp_path, name)
    assert layout.scan(tmp_path, name, Reading()).layout == key
    assert (tmp_path / name / layout.train_folder).is_dir()
    assert (tmp_path / name / layout.mask_folder).is_dir()
    found = next(sample for sample in layout.scan(tmp_path, name, Reading()).samples if sample.is_defective)
    assert (tmp_path / name / layout.expected_mask(found)) == found.mask_path
