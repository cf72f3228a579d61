"""Masks of a data set: drawn, read from pictures, and from outlines of COCO and LabelMe."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from image_folders import noise, save

from wtflow.errors import ChangedMeanwhileError, DatasetError
from wtflow.intake.adding import add_folder
from wtflow.intake.mask_files import import_masks
from wtflow.intake.masks import read_mask, remove_mask, write_mask
from wtflow.intake.polygons import fill
from wtflow.records.intake import Labelled
from wtflow.store.datasets import create_set, open_set


@pytest.fixture
def plates(store, tmp_path):
    """Images of 8 x 12 pixels: a.png and b.png in two folders, so that a.png is a name of two."""
    for i, name in enumerate(("spot/a.png", "spot/b.png", "dent/a.png")):
        save(tmp_path / "bad" / name, noise(i, (8, 12)))
    create_set(store, "plates")
    add_folder(store, "plates", tmp_path / "bad", Labelled("defect", "x"), by_folder=True)
    return store


def id_of(store, name: str, defect: str = "spot") -> str:
    return next(one.id for one in open_set(store, "plates").of("defect") if (one.name, one.defect) == (name, defect))


def masks_of(store) -> dict[tuple[str, str], int]:
    """(type, name) -> marked pixels."""
    items = open_set(store, "plates").items.values()
    return {(one.defect, one.name): int(read_mask(store, "plates", one.id).sum()) for one in items if one.has_mask}


# -- outlines ----------------------------------------------------------------------------------------------------------


def test_a_polygon_marks_the_pixels_whose_centres_it_holds():
    square = fill(np.array([[1, 1], [4, 1], [4, 3], [1, 3]], float), (5, 6))
    assert square.sum() == 6
    assert square[1:3, 1:4].all()
    ring = fill(
        np.array([[0, 0], [4, 0], [4, 4], [0, 4], [0, 0], [1, 1], [1, 3], [3, 3], [3, 1], [1, 1]], float), (4, 4)
    )
    assert ring.tolist() == [[1, 1, 1, 1], [1, 0, 0, 1], [1, 0, 0, 1], [1, 1, 1, 1]], "a hole by the even-odd rule"
    assert not fill(np.array([[-9, -9], [-5, -9], [-5, -5]], float), (5, 6)).any()


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(-3, 12), st.floats(-3, 12)), min_size=3, max_size=3))
def test_a_triangle_holds_the_centres_that_lie_on_one_side_of_all_its_edges(corners):
    """A second method, for centres that do not lie on an edge."""
    triangle = np.array(corners)
    rows, columns = np.mgrid[:9, :9] + 0.5
    sides = []
    for (x, y), (x_next, y_next) in zip(triangle, np.roll(triangle, -1, 0), strict=True):
        sides.append((x_next - x) * (rows - y) - (y_next - y) * (columns - x))
    inside = (np.array(sides) > 0).all(0) | (np.array(sides) < 0).all(0)
    is_clear = (np.abs(sides) > 1e-6).all(0)
    assert (fill(triangle, (9, 9)) == inside)[is_clear].all()


def labelme(name: str, *shapes: dict, height: int = 8, width: int = 12) -> str:
    return json.dumps({"imagePath": name, "imageHeight": height, "imageWidth": width, "shapes": list(shapes)})


def test_labelme_shapes_are_read_by_image_name_and_others_are_said(plates, tmp_path):
    folder = tmp_path / "json"
    folder.mkdir()
    polygon = {"shape_type": "polygon", "points": [[0, 0], [4, 0], [4, 2], [0, 2]]}
    rectangle = {"shape_type": "rectangle", "points": [[6, 5], [8, 8]]}
    line = {"shape_type": "line", "points": [[0, 0], [5, 5]]}
    (folder / "b.json").write_text(labelme("..\\photos\\b.png", polygon, rectangle, line))
    (folder / "c.json").write_text(labelme("c.png", polygon))
    (folder / "a.json").write_text(labelme("a.png", polygon))
    (folder / "size.json").write_text(labelme("dent/a.png", polygon, height=9))
    read = import_masks(plates, "plates", folder)
    assert masks_of(plates) == {("spot", "b.png"): 8 + 6}
    reasons = {one.name.partition(":")[0]: one.reason for one in read.refused}
    assert "'line'" in reasons["b.json"]
    assert reasons["c.json"] == "No image of the set has this name."
    assert "2 images of the set have this name" in reasons["a.json"]
    assert reasons["size.json"] == "Drawn on 12 x 9 pixels; the image has 12 x 8."


def coco(*annotations: dict) -> dict:
    images = [{"id": 1, "file_name": "spot/a.png", "height": 8, "width": 12}, {"id": 2, "file_name": "b.png"}]
    return {"images": images, "annotations": [{"image_id": 1} | one for one in annotations]}


def test_coco_polygons_and_run_lengths_add_up(plates, tmp_path):
    runs = [0, 2, 94]  # the first two pixels of the first column
    values = coco(
        {"segmentation": [[2, 0, 4, 0, 4, 2, 2, 2], [6, 0, 7, 0, 7, 1, 6, 1]]},
        {"segmentation": {"size": [8, 12], "counts": runs}},
        {"bbox": [0, 0, 3, 3]},
        {"image_id": 2, "segmentation": [[0, 0, 1]]},
    )
    (tmp_path / "coco.json").write_text(json.dumps(values))
    read = import_masks(plates, "plates", tmp_path / "coco.json")
    assert masks_of(plates) == {("spot", "a.png"): 4 + 1 + 2}
    reasons = " ".join(one.reason for one in read.refused)
    assert "a box and no outline" in reasons
    assert "fewer than three corners" in reasons


def test_compressed_run_lengths_are_those_that_the_format_defines():
    """Worked out by hand: 5 bits a letter from 48 on; from the fourth count on, differences to the one before last."""
    from wtflow.intake.run_lengths import decode_runs

    # counts 6, 1, 40, 2, 47: 40 = 01000 + 1 more (32 + 8), so X1; 2 - 1 = 1; 47 - 40 = 7.
    found = decode_runs({"size": [8, 12], "counts": "61X117"}, (8, 12), "a")
    expected = np.repeat([False, True, False, True, False], [6, 1, 40, 2, 47]).reshape(12, 8).T
    assert np.array_equal(found, expected)


@pytest.mark.parametrize(
    "runs",
    [
        {"size": [12, 8], "counts": [96]},
        {"size": [8, 12], "counts": [95]},
        {"size": [8, 12], "counts": [-1, 97]},
        {"size": [8, 12], "counts": [10**30]},
        {"size": [8, 12], "counts": "~~~~"},
        {"size": [8, 12], "counts": None},
        {},
    ],
)
def test_run_lengths_that_do_not_fit_are_refused_with_a_sentence(plates, tmp_path, runs):
    (tmp_path / "coco.json").write_text(json.dumps(coco({"segmentation": runs})))
    read = import_masks(plates, "plates", tmp_path / "coco.json")
    assert read.ids == ()
    assert "run lengths" in read.refused[0].reason.lower()


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"a": 1}', "[" * 100_000, '{"shapes": 1}', "\ufeff{}"],
    ids=["empty", "cut off", "list", "other", "deep", "no list", "mark"],
)
def test_what_is_no_list_of_outlines_is_said(plates, tmp_path, text):
    (tmp_path / "x.json").write_text(text, encoding="utf-8")
    read = import_masks(plates, "plates", tmp_path / "x.json")
    assert read.ids == ()
    assert len(read.refused) == 1


def test_hostile_values_in_outlines_are_refused_one_by_one(plates, tmp_path):
    shapes = [
        {"shape_type": "polygon", "points": points}
        for points in (
            [[0, 0], [1, 1]],
            [[0, float("nan")]] * 3,
            [[0, 1e300]] * 3,
            "abc",
            [[1, 2, 3]] * 3,
            None,
            [{}] * 3,
        )
    ]
    (tmp_path / "x.json").write_text(labelme("b.png", *shapes, {}, width=12))
    read = import_masks(plates, "plates", tmp_path / "x.json")
    assert (read.ids, len(read.refused)) == ((), 1)


# -- pictures ----------------------------------------------------------------------------------------------------------


def drawn(value: int = 255) -> np.ndarray:
    mask = np.zeros((8, 12), np.uint8)
    mask[2:5, 3:6] = value
    return mask


def test_pictures_belong_to_the_image_of_their_name_and_folder(plates, tmp_path):
    save(tmp_path / "masks/spot/a_mask.png", drawn(1))
    save(tmp_path / "masks/dent/A.png", drawn(1))
    save(tmp_path / "masks/b.png", drawn(1)[:6])
    save(tmp_path / "masks/nobody.png", drawn(1))
    read = import_masks(plates, "plates", tmp_path / "masks")
    assert masks_of(plates) == {("spot", "a.png"): 9, ("dent", "a.png"): 9}
    reasons = {one.name: one.reason for one in read.refused}
    assert reasons["b.png"] == "The mask has 12 x 6 pixels, the image 12 x 8."
    assert reasons["nobody.png"] == "No image of the set has this name."


def test_masks_whose_values_are_not_certain_are_a_question(plates, tmp_path):
    mask = drawn(1)
    mask[6, 6] = 2
    save(tmp_path / "masks/b.png", mask)
    with pytest.raises(DatasetError, match="It is not certain what these masks mean") as error:
        import_masks(plates, "plates", tmp_path / "masks")
    assert "--mask-values defect=" in error.value.fix
    import_masks(plates, "plates", tmp_path / "masks", rule="defect=2")
    assert masks_of(plates) == {("spot", "b.png"): 1}


def test_a_source_without_masks_is_refused(plates, tmp_path):
    (tmp_path / "empty").mkdir()
    for path, why in ((tmp_path / "empty", "neither pictures"), (tmp_path / "nowhere", "does not exist")):
        with pytest.raises(DatasetError, match=why):
            import_masks(plates, "plates", path)


# -- drawn -------------------------------------------------------------------------------------------------------------


def test_a_drawn_mask_is_black_and_white_and_read_back_as_drawn(plates):
    key, mask = id_of(plates, "b.png"), drawn() > 0
    data = write_mask(plates, "plates", key, mask)
    assert data.items[key].has_mask
    assert np.array_equal(read_mask(plates, "plates", key), mask)
    assert not remove_mask(plates, "plates", key).items[key].has_mask
    assert read_mask(plates, "plates", key) is None
    write_mask(plates, "plates", key, mask)
    assert not write_mask(plates, "plates", key, mask & False).items[key].has_mask, "one that marks nothing is none"


def test_a_mask_of_another_size_and_one_drawn_in_two_windows_are_refused(plates):
    key, seen = id_of(plates, "b.png"), open_set(plates, "plates").serial
    with pytest.raises(DatasetError, match="has 8 x 8 pixels, the image 12 x 8"):
        write_mask(plates, "plates", key, np.ones((8, 8), bool))
    write_mask(plates, "plates", key, drawn() > 0, seen=seen)
    with pytest.raises(ChangedMeanwhileError):
        write_mask(plates, "plates", key, np.ones((8, 12), bool), seen=seen)
    assert read_mask(plates, "plates", key).sum() == 9
