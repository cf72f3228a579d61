"""What a person is shown before saying what masks mean: rules in words, what each would mark, and pictures of it."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from image_folders import make_mvtec, noise, save

from wtflow.datasets.health import check_category, listed_pixel_images
from wtflow.datasets.masks.preview import example_of, preview_rule
from wtflow.datasets.masks.read import Surveyed, decide_masks, read_truths, survey_masks
from wtflow.datasets.masks.rule_words import rule_words
from wtflow.datasets.masks.words import expected_words, value_rows
from wtflow.datasets.scan import scan_category
from wtflow.plots.masks import STRIPES, TINT, colours_of, hatch, paint_truth, paint_values, side_by_side, stretched
from wtflow.plots.theme import COLOURS
from wtflow.records.core import Category
from wtflow.records.mask_rule import COLOUR, parse_rule

SIDE = 40


def rim_mask(inside: int = 1, rim: int = 255) -> np.ndarray:
    """Value `inside` in 10 x 10 pixels, `rim` in a rim of 2 around: 100 and 96 of 1600 pixels."""
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[8:22, 8:22] = rim
    mask[10:20, 10:20] = inside
    return mask


def odd_category(folder: Path, masks: list[np.ndarray]) -> Category:
    make_mvtec(folder / "part", n_broken=0)
    for i, mask in enumerate(masks):
        save(folder / f"part/test/spot/{i:03}.png", noise(300 + i, (SIDE, SIDE, 3)))
        save(folder / f"part/ground_truth/spot/{i:03}_mask.png", mask)
    return scan_category(folder, "part")


def counted(category: Category, *, alpha: bool = False) -> Surveyed:
    return survey_masks(category.of("test"), alpha=alpha)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("defect=1,ignore=255", "1 is the defect; 255 counts in neither class; everything else is normal."),
        ("defect=nonzero", "0 is normal; everything else is the defect."),
        ("invert,defect=255", "255 is normal; everything else is the defect."),
        ("invert,defect=nonzero,ignore=7", "0 is the defect; 7 counts in neither class; everything else is normal."),
        ("defect=1+2+128-255", "1, 2 and 128 to 255 are the defect; everything else is normal."),
        ("defect=#ff0000", "#ff0000 is the defect; everything else is normal."),
        ("alpha", "The transparency of the mask counts, not its colours: what is opaque is the defect."),
        ("alpha,invert", "The transparency of the mask counts, not its colours: what is clear is the defect."),
        ("alpha,defect=7", "The transparency of the mask counts, not its colours: 7 is the defect; everything else is"),
        ("invert", "As the app reads masks, but the other way round: what would be the defect is normal, the rest is"),
    ],
)
def test_a_rule_in_a_sentence_says_what_the_rule_does(rule, words):
    assert rule_words(rule).startswith(words)


@pytest.mark.parametrize("rule", ["defect=1,ignore=255", "defect=nonzero", "invert,defect=255", "defect=1-3,ignore=0"])
def test_the_sentence_and_the_rule_agree_on_every_value(rule):
    """The sentence is read back word by word, by a second method."""
    defect, ignored = parse_rule(rule).apply(np.arange(256))
    meaning = {}
    for part in rule_words(rule).rstrip(".").lower().split("; "):
        who, _, what = part.replace(" are ", " is ").replace(" count in ", " counts in ").partition(" is ")
        role = "out" if "neither" in part else "defect" if "the defect" in what else "normal"
        meaning[who.split(" counts")[0]] = role
    for value in range(256):
        role = "out" if ignored[value] else "defect" if defect[value] else "normal"
        named = next((meaning[who] for who in meaning if who != "everything else" and holds(who, value)), None)
        assert (named or meaning.get("everything else")) == role, value


def holds(who: str, value: int) -> bool:
    low, _, high = who.partition(" to ")
    return int(low) <= value <= int(high or low)


def test_a_preview_counts_what_the_rule_would_mark_in_all_masks(tmp_path):
    """100 of 1600 pixels are 6.2\N{NBSP}%, 96 are 6\N{NBSP}%."""
    found = counted(odd_category(tmp_path, [rim_mask(), rim_mask()]))
    preview = preview_rule(found, parse_rule("defect=1,ignore=255"))
    assert preview.shares == (0.0625, 0.0625) and preview.is_usable
    assert preview.words == "Marks 6.2\N{NBSP}% of the pixels as defect, in 2 of 2 masks; leaves 6\N{NBSP}% out."
    wide = preview_rule(found, parse_rule("defect=0"))
    assert wide.words == (
        "Marks 88\N{NBSP}% of the pixels as defect, in 2 of 2 masks; marks half of the picture or more in 2 of 2 masks."
    )
    auto = preview_rule(found, parse_rule("auto"))
    assert not auto.is_usable and auto.words == "Still not certain: masks hold 2 values besides 0: 1, 255."


def test_a_rule_that_no_mask_can_be_read_by_says_why(tmp_path):
    preview = preview_rule(counted(odd_category(tmp_path, [rim_mask()]), alpha=True), parse_rule("alpha"))
    assert not preview.is_usable
    assert preview.words.startswith("No mask can be read so: the first one")
    assert "has no transparency" in preview.words


def test_the_example_is_the_mask_that_shows_most(tmp_path):
    plain = np.where(rim_mask() == 1, 1, 0).astype(np.uint8)
    category = odd_category(tmp_path, [plain, rim_mask(), plain])
    assert example_of(counted(category)) == "test/spot/001.png"
    assert example_of(counted(category), "bent") is None


def test_the_table_says_of_each_value_where_it_is_and_what_it_is_taken_for(tmp_path):
    found = preview_rule(counted(odd_category(tmp_path, [rim_mask()])), parse_rule("defect=1,ignore=255"))
    assert value_rows(found.decision) == [
        ("0", "1 of 1", "88\N{NBSP}%", "normal"),
        ("1", "1 of 1", "6.2\N{NBSP}%", "the defect"),
        ("255", "1 of 1", "6\N{NBSP}%", "left out"),
    ]


def test_values_in_doubt_are_called_so_in_the_table(tmp_path):
    inverted = (255 * (rim_mask() == 0)).astype(np.uint8)
    found = preview_rule(counted(odd_category(tmp_path, [inverted])), parse_rule("auto"))
    assert ("255", "1 of 1", "88\N{NBSP}%", "the defect (in doubt)") in value_rows(found.decision)


# -- pictures ----------------------------------------------------------------------------------------------------------


def test_inside_the_line_is_tinted_and_the_rest_is_not():
    image = np.full((64, 64, 3), 100, np.uint8)
    defect = np.zeros((64, 64), bool)
    defect[16:48, 16:48] = True
    painted = paint_truth(image, (defect, np.zeros_like(defect)), 64)
    truth = np.array([int(COLOURS["truth"][i : i + 2], 16) for i in (1, 3, 5)])
    assert painted[32, 32] == pytest.approx(100 * (1 - TINT) + truth * TINT, abs=0.6)
    assert (painted[4, 4] == 100).all()
    assert not (painted[16] == painted[32]).all(), "there is a line"


def test_what_is_left_out_is_striped_black_and_white_and_nothing_else():
    image = np.full((64, 64, 3), 100, np.uint8)
    ignored = np.zeros((64, 64), bool)
    ignored[:32] = True
    striped = hatch(image, ignored)
    dark, light = 100 * (1 - STRIPES), 100 * (1 - STRIPES) + 255 * STRIPES
    assert {int(value) for value in np.unique(striped[:32])} == {round(dark), round(light)}
    assert (striped[32:] == 100).all()


def test_a_part_thinner_than_a_pixel_of_the_picture_still_shows():
    mask = np.zeros((400, 400), bool)
    mask[:, 201] = True
    assert stretched(mask, np.zeros((40, 40, 3))).any(axis=1).all()
    assert stretched(mask, np.zeros((40, 40, 3))).sum() == 40


def test_each_value_has_a_colour_of_its_own_and_colours_keep_theirs():
    colours = colours_of([0, 1, 2, 255, COLOUR + 0x123456])
    assert len(set(colours.values())) == 5
    assert colours[COLOUR + 0x123456] == (0x12, 0x34, 0x56)
    levels = colours_of(range(256))
    assert len(set(levels.values())) > 200 and levels[0] < levels[100] < levels[255]


def test_mask_and_image_stand_beside_each_other_at_one_height():
    mask = paint_values(np.array([[0, 1]]), colours_of([0, 1]), 64)
    assert mask.shape == (32, 64, 3) and tuple(mask[0, 0]) != tuple(mask[0, 63])
    joined = side_by_side(mask, np.zeros((32, 64, 3), np.uint8))
    assert joined.shape[0] == 32 and joined.shape[1] > 128


# -- of how many images pixel metrics will be --------------------------------------------------------------------------


def test_the_check_foresees_exactly_which_defects_a_run_leaves_out(tmp_path):
    """A type of each kind; the second method is the truth that a run reads."""
    good = (255 * (rim_mask() == 1)).astype(np.uint8)
    category = odd_category(tmp_path, [good, good, np.zeros_like(good), good[:20]])
    folder = tmp_path / "part"
    (folder / "ground_truth/spot/001_mask.png").write_bytes(b"no picture")
    for i in range(2):
        save(folder / f"test/dark/{i:03}.png", noise(400 + i, (SIDE, SIDE, 3)))
        save(folder / f"ground_truth/dark/{i:03}_mask.png", 255 - good)
    save(folder / "test/bare/000.png", noise(500, (SIDE, SIDE, 3)))
    category = scan_category(tmp_path, "part")
    report = check_category(category)
    decision = decide_masks(category.of("test"), category.reading)
    truth = read_truths(category.of("test"), decision, (8, 8), as_stored=False, progress=lambda *_: None)
    found = Counter(one.code for one in truth.left_out.values())
    assert report.pixel_images.left_out == found == {"missing": 1, "unreadable": 1, "size": 1, "empty": 1, "unclear": 2}
    assert (report.pixel_images.n, report.pixel_images.n_defects) == (3, 7), "two good images and one defect"
    assert listed_pixel_images(category).left_out == {"missing": 1}
    words = expected_words(report.pixel_images)
    assert words.startswith("Pixel metrics will be of 1 of 7 defects only: 6 of 7 defective images are left out:")
    assert "say what the masks mean and" in words


def test_nothing_is_foreseen_where_every_defect_has_a_mask_and_absence_where_none_has(tmp_path):
    category = odd_category(tmp_path, [(255 * (rim_mask() == 1)).astype(np.uint8)])
    assert expected_words(check_category(category).pixel_images) == ""
    (tmp_path / "part/ground_truth/spot/000_mask.png").unlink()
    assert expected_words(check_category(scan_category(tmp_path, "part")).pixel_images) == (
        "Pixel metrics will be absent: 1 of 1 defective image has no mask. To have them of all, add the masks before"
        " you train. Image metrics do not need masks."
    )
