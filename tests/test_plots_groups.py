"""Groups keep colours that everyone can distinguish."""

from itertools import combinations

import numpy as np
import pytest

from wtflow.plots.groups import DEFECT_COLOURS, UNMARKED_COLOUR, group_colours, group_words
from wtflow.plots.theme import COLOURS
from wtflow.records.core import GOOD
from wtflow.records.flow import UNMARKED, ordered_groups

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


def test_white_is_a_hundred_and_the_measure_sees_a_known_distance():
    assert lab("#FFFFFF", np.eye(3)) == pytest.approx([100, 0, 0], abs=0.02)
    assert lab("#FF0000", np.eye(3)) == pytest.approx(
        [53.24, 80.09, 67.20], abs=0.05
    )  # the textbook's values for pure red


@pytest.mark.parametrize("name", EYES)
def test_any_two_groups_are_far_apart_for_every_eye(name):
    """A distance of 2 is just noticeable; small dots need some ten times that."""
    colours = [COLOURS["normal"], UNMARKED_COLOUR, *DEFECT_COLOURS]
    nearest = min(np.linalg.norm(lab(a, EYES[name]) - lab(b, EYES[name])) for a, b in combinations(colours, 2))
    assert nearest > 20


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
