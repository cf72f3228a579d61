"""Dots and lines keep colours that everyone can see and distinguish."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from wtflow.plots.compare import NEITHER_COLOUR, RUN_COLOURS
from wtflow.plots.groups import DEFECT_COLOURS, UNMARKED_COLOUR, group_colours, group_shapes, group_words
from wtflow.plots.theme import COLOURS, GROUNDS, LEAST_CONTRAST
from wtflow.records.core import GOOD
from wtflow.records.flow import UNMARKED, ordered_groups

ROOT = Path(__file__).parents[1]

# Machado, Oliveira, Fernandes 2009: full deuteranopia and protanopia, on linear RGB.
EYES = {
    "all cones": np.eye(3),
    "no green cones": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "no red cones": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
}


def lab(colour: str, eye: np.ndarray) -> np.ndarray:
    """CIE L*a*b* (D65) of a hex colour as an eye sees it."""
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.clip(eye @ np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4), 0, 1)
    xyz = (
        np.array(
            [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
        )
        @ linear
    )
    x, y, z = np.where((ratio := xyz / [0.95047, 1, 1.08883]) > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def luminance(colour: str) -> float:
    """As the Web Content Accessibility Guidelines 2.1 define it."""
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return float(np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722])


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


MEANINGS = {name: COLOURS[name] for name in COLOURS if name not in ("truth", "ring", "halo", "defect", "tp")}
"""But for what lies on pictures, and for the colour that the first defect type has on purpose."""
DRAWN = {**MEANINGS, "defect": COLOURS["defect"], "unmarked": UNMARKED_COLOUR, "neither": NEITHER_COLOUR}
DRAWN |= {f"type {i}": colour for i, colour in enumerate(DEFECT_COLOURS)}
DRAWN |= {f"run {i}": colour for i, colour in enumerate(RUN_COLOURS)}


def apart(one: str, other: str, eye: str) -> float:
    return float(np.linalg.norm(lab(one, EYES[eye]) - lab(other, EYES[eye])))


def test_black_on_white_has_the_contrast_of_the_guidelines():
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("meaning", DRAWN)
def test_every_dot_and_line_stands_out_from_both_grounds(meaning, ground):
    assert contrast(DRAWN[meaning], GROUNDS[ground]) >= LEAST_CONTRAST


def test_the_grounds_are_those_of_the_theme():
    text = (ROOT / ".streamlit" / "config.toml").read_text("utf-8")
    for name, ground in GROUNDS.items():
        assert f'[theme.{name}]\nprimaryColor = "{COLOURS["selected"]}"\nbackgroundColor = "{ground}"' in text


@pytest.mark.parametrize("colour", DEFECT_COLOURS[1:])
def test_no_defect_type_looks_like_something_with_another_meaning(colour):
    """Some twenty are enough for small dots; types keep twice that from what they must not be taken for."""
    nearest = min(MEANINGS, key=lambda name: apart(colour, MEANINGS[name], "all cones"))
    assert apart(colour, MEANINGS[nearest], "all cones") > 35, nearest
    assert apart(colour, COLOURS["defect"], "all cones") > 35


def test_white_is_a_hundred_and_the_measure_sees_a_known_distance():
    assert lab("#FFFFFF", np.eye(3)) == pytest.approx([100, 0, 0], abs=0.02)
    assert lab("#FF0000", np.eye(3)) == pytest.approx(
        [53.24, 80.09, 67.20], abs=0.05
    )  # the textbook's values for pure red


GROUPS = (GOOD, "a", "b", "c", "d", "e", "f", UNMARKED)


@pytest.mark.parametrize("eye", EYES)
def test_any_two_groups_differ_for_every_eye(eye):
    """A distance of 2 is just noticeable; small dots need some ten times that, or another shape and half of it."""
    colours, shapes = group_colours(GROUPS), group_shapes(GROUPS)
    for one, other in combinations(GROUPS, 2):
        least = 20 if shapes[one] == shapes[other] else 12
        assert apart(colours[one], colours[other], eye) > least, (one, other)


def test_a_false_alarm_is_told_from_a_found_defect_by_every_eye():
    assert min(apart(COLOURS["fp"], COLOURS["tp"], eye) for eye in EYES) > 12


def test_defects_have_corners_and_the_rest_is_round():
    shapes = group_shapes(GROUPS)
    assert {shapes[GOOD], shapes[UNMARKED]} == {"disc"}
    assert "disc" not in {shapes[name] for name in GROUPS[1:-1]}


def test_many_types_repeat_no_pair_of_colour_and_shape():
    types = tuple(f"type {i:02}" for i in range(30))
    looks = zip(group_colours(types).values(), group_shapes(types).values(), strict=True)
    assert len(set(looks)) == 30


def test_normals_are_blue_and_types_take_colours_in_their_order():
    found = group_colours((GOOD, "crack", "dent", UNMARKED))
    assert list(found) == [GOOD, "crack", "dent", UNMARKED]
    assert (
        found[GOOD] == COLOURS["normal"] and found["crack"] == COLOURS["defect"] and found["dent"] == DEFECT_COLOURS[1]
    )


def test_more_types_than_colours_still_get_one_each():
    assert len(group_colours(tuple(f"type {i}" for i in range(20)))) == 20


def test_groups_are_said_in_words():
    assert [group_words(name) for name in (GOOD, UNMARKED, "crack")] == ["normal", "outside the masks", "crack"]


def test_groups_stand_normal_first_then_defects_by_name_then_what_no_mask_covers():
    assert ordered_groups(["stain", "unmarked", "good", "dent", "stain"]) == ("good", "dent", "stain", "unmarked")
