"""What is said about a changed camera or light, in a sentence."""

from collections.abc import Sequence
from typing import Final

from wtflow.numbers import count, percent, score
from wtflow.records.drift import Shift

WORDS: Final = {
    "brightness": ("darker", "lighter"),
    "sharpness": ("less sharp", "sharper or noisier"),
    "centre_row": ("higher up", "further down"),
    "centre_column": ("further left", "further right"),
    "features": ("different as a whole", "different as a whole"),
    "level": ("lower all over", "raised all over"),
}
"""Measure -> what it is called below and above that of normals."""


def words_of(name: str, side: float) -> str:
    """What has changed; side: negative or positive."""
    return WORDS[name][side >= 0]


def too_few(n: int, n_normals: int, fewest: int, fewest_normals: int) -> str:
    """Why nothing can be told about camera and light."""
    if n < fewest:
        return f"{count(n, 'image')} are too few to tell whether camera or light have changed; it takes {fewest}."
    if n_normals == 0:
        return "What the training normals look like was not measured, so nothing is said about camera and light."
    return f"{count(n_normals, 'training normal')} are too few to compare with; it takes {fewest_normals}."


def sentence_of(leading: Shift, shifts: Sequence[Shift], n: int, n_normals: int, *, scores_moved: bool) -> str:
    """What has changed by which number, and what maps and scores make of it.

    scores_moved: scores lie otherwise than those of normals, beyond chance.
    """
    level = next(shift for shift in shifts if shift.name == "level")
    others = [
        shift.words for shift in shifts if shift.is_changed and shift.name not in (leading.name, "level", "features")
    ]
    also = f"; they are also {' and '.join(others)}" if others else ""
    if leading.name == "features":
        how = f"differ as a whole more than {percent(0.95)} of the {n_normals:,} training normals"
    else:
        how = f"are {_place(leading)}{leading.words} than {percent(0.95)} of the {n_normals:,} training normals"
    is_raised = level.is_changed and level.now > level.normals
    head = "has probably changed, not the parts" if is_raised else "is another one than in training"
    return (
        f"The camera or the light {head}:"
        f" {leading.n_beyond:,} of {count(n, 'image')} {how}"
        f" ({_numbers(leading)}){also}; {_maps(level, is_raised, scores_moved)}."
    )


def _place(shift: Shift) -> str:
    return "placed " if shift.name.startswith("centre") else ""


def _numbers(shift: Shift) -> str:
    if shift.name == "brightness":
        return f"median grey {percent(shift.now)} of white, usually {percent(shift.normals)}"
    if shift.name == "sharpness":
        return f"sharpness {percent(shift.now / max(shift.normals, 1e-12))} of the usual one"
    if shift.name.startswith("centre"):
        side = "height" if shift.name == "centre_row" else "width"
        return f"at {percent(shift.now)} of the {side}, usually at {percent(shift.normals)}"
    return f"features {score(shift.spreads)} times their usual spread away"


def _maps(level: Shift, is_raised: bool, scores_moved: bool) -> str:
    if is_raised:
        return f"their maps are raised all over, by {percent(level.now / max(level.normals, 1e-12) - 1)}"
    if scores_moved:
        return "their maps are not raised all over, but scores lie otherwise than those of normals"
    return "neither maps nor scores have moved with it so far"
