"""The pictures of a run: never another one than was scored, whatever became of the files since."""

from dataclasses import dataclass

import numpy as np

from wtflow.datasets.masks.live import FileTruth
from wtflow.datasets.pictures import stretch_picture
from wtflow.errors import ImageChangedError, ImageReadError, WTFlowError
from wtflow.plots.pictures import no_picture, to_uint8
from wtflow.results import RunResults, ScoreRow

CHANGED = "The file has changed since this run scored it; this is the picture that was scored."
GONE = "The file is gone; this is the picture that was scored."
ALONE = "The run holds no picture of it, so its map stands alone."


@dataclass(frozen=True, slots=True)
class Shown:
    """What stands for a scored image."""

    pixels: np.ndarray
    """uint8 (H, W, 3). Where nothing is left of the image, a grey picture that is crossed out."""
    note: str = ""
    """Why this is not the file as it is now, in a sentence; empty where it is, and for the run's own small picture."""
    is_there: bool = True
    """False for the crossed-out picture."""


def picture_of(results: RunResults, image: ScoreRow) -> Shown:
    """The run's own small picture of a scored image; where it keeps none, the original if it is unchanged."""
    own = _own(results, image)
    if own is not None:
        return Shown(own)
    try:
        return Shown(to_uint8(results.seen.original(image.sample_id, None)))
    except ImageReadError as error:
        return _nothing(results, error)


def full_picture_of(results: RunResults, image: ScoreRow) -> Shown:
    """A scored image at its full size if the file is unchanged; else the run's own picture, and why."""
    try:
        return Shown(to_uint8(results.seen.original(image.sample_id, None)))
    except ImageReadError as error:
        own = _own(results, image)
        return _nothing(results, error) if own is None else Shown(own, _why(results, image, error))


def picture_at(results: RunResults, image: ScoreRow) -> np.ndarray:
    """float32 (H, W, 3) in [0, 1] of the run's shape, to measure facts on: the run's own picture, or the original if
    it keeps none. Raises ImageReadError.
    """
    own = _own(results, image)
    if own is None:
        return results.seen.original(image.sample_id, results.shape)
    return stretch_picture(own, results.shape)


def why_no_pictures(results: RunResults) -> str:
    """What a person should know of a run that keeps no pictures, in a sentence; empty where it keeps them."""
    if results.seen.holds_pictures():
        return ""
    why = "" if results.settings.keep_pictures else ": it was told to keep none"
    masks = " It holds no masks either: outlines follow the mask files as they are now."
    return (
        f"This run holds no pictures of its own{why}. Images are shown from where they lie, as long as the files are"
        f" those that it scored.{masks if isinstance(results.truth, FileTruth) else ''}"
    )


def _own(results: RunResults, image: ScoreRow) -> np.ndarray | None:
    try:
        return results.seen.own(int(image.row), image.sample_id)
    except WTFlowError:
        return None  # damaged: the original can still be the one that was scored


def _why(results: RunResults, image: ScoreRow, error: ImageReadError) -> str:
    if isinstance(error, ImageChangedError):
        return CHANGED
    return GONE if results.seen.is_gone(image.sample_id) else f"{error.message} This is the picture that was scored."


def _nothing(results: RunResults, error: ImageReadError) -> Shown:
    return Shown(no_picture(*results.shape), f"{error.message} {ALONE}", is_there=False)
