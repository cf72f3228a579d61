"""Painting on an image with soft-edged strokes, repeatable to the last bit. NumPy, SciPy and plain values.

Coordinates are pixels of the image: x to the right, y downwards, from 0 to W and H; the middle of the first pixel is
(0.5, 0.5). Strokes come from a browser, so everything about them is checked before it is used.
"""

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from scipy import ndimage
from scipy.spatial import KDTree

from wtflow.errors import SettingsError
from wtflow.records.shapes import Shape, shape_of

Kind = Literal["dark", "bright", "blur", "noise", "erase", "paste"]
KINDS: tuple[str, ...] = get_args(Kind)
CLEAR = "clear"
"""In a list from the browser: what came before no longer counts. Kept there, so that clearing can be undone."""

MAX_STROKES, MAX_POINTS = 200, 2000
MIN_RADIUS_PX, MAX_RADIUS_PX = 1.0, 512.0
FAR_PX = 200_000.0
"""Longer than any canvas of tiles; a pointer that leaves a canvas does not come so far."""
MAX_NAME = 500

HARD_SHARE = 0.5
"""Share of the brush's radius with full effect; from there it falls smoothly to none at the radius."""
STEP_PX = 0.5
"""A line is taken as points so near to each other: the distance to it is then right within a hundredth of the radius
of any brush in use.
"""
BLUR_SHARE = 0.5
"""Deviation of the blur at full strength, in radii of the brush."""
NOISE_DEVIATION = 0.35
"""Deviation of the noise at full strength, in units of full brightness."""
SEEN = 1 / 255 + 1e-6
"""A pixel counts as painted when a channel changed by more: one step of 8 bit is rounding, not paint."""

_FIX = "Undo that stroke, or clear the picture."


@dataclass(frozen=True, slots=True)
class Source:
    """Where a pasted patch comes from: pixel (x, y) of the picture shows (x + dx, y + dy) of the image called `key`."""

    key: str
    dx: float
    dy: float


@dataclass(frozen=True, slots=True)
class Stroke:
    """One stroke of the brush. `strength` is from 0 to 1; erasing is always complete. Raises SettingsError for
    values out of range.
    """

    kind: Kind
    points: tuple[tuple[float, float], ...]
    """The pointer's way, (x, y); one point is a dab."""
    radius_px: float
    strength: float
    source: Source | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise SettingsError(f"There is no brush {str(self.kind)[:40]!r}.", fix=f"Use one of: {', '.join(KINDS)}.")
        if not 1 <= len(self.points) <= MAX_POINTS:
            raise SettingsError(f"A stroke has {len(self.points)} points; expected 1 to {MAX_POINTS:,}.", fix=_FIX)
        if not all(
            len(point) == 2 and all(_is_number(value) and abs(value) <= FAR_PX for value in point)
            for point in self.points
        ):
            raise SettingsError(
                f"A stroke has a point that is not two finite numbers within {FAR_PX:.0f} px.", fix=_FIX
            )
        if not (_is_number(self.radius_px) and MIN_RADIUS_PX <= self.radius_px <= MAX_RADIUS_PX):
            raise SettingsError(
                f"A brush has the radius {self.radius_px!r:.40}; expected {MIN_RADIUS_PX:.0f} to"
                f" {MAX_RADIUS_PX:.0f} px.",
                fix=_FIX,
            )
        if not (_is_number(self.strength) and 0 <= self.strength <= 1):
            raise SettingsError(f"A brush has the strength {self.strength!r:.40}; expected 0 to 1.", fix=_FIX)
        if (self.source is not None) != (self.kind == "paste"):
            raise SettingsError(
                "Pasting, and no other brush, needs an image to paste from.",
                fix="Choose one below the picture, then paste again.",
            )
        if self.source and not (isinstance(self.source.key, str) and 0 < len(self.source.key) <= MAX_NAME):
            raise SettingsError("A stroke pastes from an image without a name.", fix=_FIX)
        if self.source and not all(
            _is_number(value) and abs(value) <= FAR_PX for value in (self.source.dx, self.source.dy)
        ):
            raise SettingsError(
                f"A stroke pastes from a place that is not two finite numbers within {FAR_PX:.0f} px.", fix=_FIX
            )


def read_strokes(values: Any) -> tuple[Stroke, ...]:
    """Strokes from the browser's list of objects (kind, points, radius, strength and, for paste, source); after the
    last CLEAR only.

    Raises SettingsError saying which entry is wrong, and what is wrong with it.
    """
    if not isinstance(values, list | tuple) or len(values) > 2 * MAX_STROKES:
        raise SettingsError(
            f"The painting is not a list of at most {2 * MAX_STROKES} strokes.",
            fix="Clear the picture and paint again.",
        )
    strokes: list[Stroke] = []
    for number, value in enumerate(values, start=1):
        if isinstance(value, dict) and value.get("kind") == CLEAR:
            strokes = []
            continue
        try:
            source = value.get("source")
            strokes.append(
                Stroke(
                    value["kind"],
                    tuple((x, y) for x, y in value["points"]),
                    value["radius"],
                    value["strength"],
                    None if source is None else Source(source["key"], source["dx"], source["dy"]),
                )
            )
        except SettingsError as error:
            raise SettingsError(f"Stroke {number}: {error.message}", fix=error.fix) from error
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise SettingsError(
                f"Stroke {number} is not complete ({type(error).__name__}: {error}).", fix=_FIX
            ) from error
    _check_count(strokes)
    return tuple(strokes)


def write_strokes(strokes: Sequence[Stroke]) -> list[dict[str, Any]]:
    """The strokes as plain values for JSON; `read_strokes` gives them back."""
    return [
        {"kind": s.kind, "points": [list(point) for point in s.points], "radius": s.radius_px, "strength": s.strength}
        | ({"source": {"key": s.source.key, "dx": s.source.dx, "dy": s.source.dy}} if s.source else {})
        for s in strokes
    ]


def apply_strokes(
    image: np.ndarray, strokes: Sequence[Stroke], seed: int, sources: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """The painted image, float32 (H, W, 3) in [0, 1], and its mask, bool (H, W):
    pixels that changed by more than 1/255.

    image: float32 (H, W, 3) in [0, 1]; sources: images of the same shape by the keys that strokes paste from; seed and
    the place in the list fix the noise. Changed pixels take whole steps of 8 bit, so that a saved PNG is the very
    picture that was scored; all others keep their bits. Raises SettingsError for too many strokes or a source that is
    not there.
    """
    if image.ndim != 3 or image.shape[2] != 3:
        raise SettingsError(f"Cannot paint on an image of shape {image.shape}.", fix="Give an image (H, W, 3).")
    _check_count(strokes)
    painted = image.astype(np.float32, copy=True)
    for number, stroke in enumerate(strokes):
        _paint(painted, image, stroke, np.random.default_rng([seed, number]), sources)
    levels = np.rint(np.clip(painted, 0, 1) * 255).astype(np.float32) / np.float32(255)
    change = np.abs(painted - image).max(axis=2)
    painted = np.where((change >= 0.5 / 255)[..., None], levels, image).astype(np.float32)
    return painted, np.abs(painted - image).max(axis=2) > SEEN


def cover(stroke: Stroke, size_px: int | Shape) -> tuple[tuple[slice, slice], np.ndarray] | None:
    """How much of the brush each pixel gets, float32 in [0, 1], with its (rows, columns); None outside the image.

    size_px: its side or (height, width). 1 up to HARD_SHARE of the radius from the pointer's way, then smoothly to 0 at
    the radius. A stroke that crosses itself covers once.
    """
    return _cover(stroke.points, float(stroke.radius_px), shape_of(size_px))


@functools.lru_cache(maxsize=100)  # each new stroke has the picture made again from all strokes before it
def _cover(
    points: tuple[tuple[float, float], ...], radius: float, shape: Shape
) -> tuple[tuple[slice, slice], np.ndarray] | None:
    way = _walk(np.asarray(points, float), STEP_PX)
    first = np.maximum(np.floor(way.min(0) - radius).astype(int), 0)
    last = np.minimum(np.ceil(way.max(0) + radius).astype(int), shape[::-1])
    if (first >= last).any():
        return None
    y, x = np.mgrid[first[1] : last[1], first[0] : last[0]] + 0.5
    distance, _ = KDTree(way).query(
        np.stack([x, y], axis=-1), distance_upper_bound=radius
    )  # infinite beyond the radius
    fall = np.clip((1 - distance / radius) / (1 - HARD_SHARE), 0, 1)
    share = (fall * fall * (3 - 2 * fall)).astype(np.float32)
    share.flags.writeable = False
    return (slice(int(first[1]), int(last[1])), slice(int(first[0]), int(last[0]))), share


# -- brushes -----------------------------------------------------------------------------------------------------------


def _paint(
    picture: np.ndarray,
    original: np.ndarray,
    stroke: Stroke,
    generator: np.random.Generator,
    sources: Mapping[str, np.ndarray],
) -> None:
    """One stroke, in place."""
    found = cover(stroke, picture.shape[:2])
    if found is None:
        return
    place, share = found
    own, share = picture[place], share[..., None]
    if stroke.kind == "erase":
        picture[place] = np.where(
            share > 0, original[place], own
        )  # never mixed: erased is as if it had never been painted
        return
    amount = share * np.float32(stroke.strength)
    if stroke.kind == "dark":
        picture[place] = own * (1 - amount)
    elif stroke.kind == "bright":
        picture[place] = own + amount * (1 - own)
    elif stroke.kind == "noise":
        # Drawn for the whole image and the same in all channels: grey stays grey, and a longer stroke does not shift
        # the grain.
        grain = generator.standard_normal(picture.shape[:2], np.float32)[place][..., None]
        picture[place] = np.clip(own + amount * np.float32(NOISE_DEVIATION) * grain, 0, 1)
    elif stroke.kind == "blur":
        deviation = BLUR_SHARE * stroke.strength * stroke.radius_px
        picture[place] = own + share * (_blurred(picture, place, deviation) - own)
    else:
        patch, is_there = _patch(stroke, place, picture.shape[:2], sources)
        picture[place] = own + amount * is_there[..., None] * (patch - own)


def _blurred(picture: np.ndarray, place: tuple[slice, slice], deviation: float) -> np.ndarray:
    """The part at `place`, blurred with what lies around it."""
    if deviation <= 0:
        return picture[place]
    rim = math.ceil(4 * deviation)
    wide = tuple(slice(max(part.start - rim, 0), part.stop + rim) for part in place)
    blurred = ndimage.gaussian_filter(picture[wide], (deviation, deviation, 0), mode="nearest")
    return blurred[
        tuple(slice(part.start - outer.start, part.stop - outer.start) for part, outer in zip(place, wide, strict=True))
    ]


def _patch(
    stroke: Stroke, place: tuple[slice, slice], shape: Shape, sources: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """What is pasted at `place`, and bool where the source image has such pixels."""
    source = stroke.source
    if source is None or source.key not in sources or sources[source.key].shape != (*shape, 3):
        raise SettingsError(
            f"The image {source.key[:120] if source else ''!r} to paste from is not available.",
            fix="Choose another one below the picture.",
        )
    rows, columns = (
        np.arange(part.start, part.stop) + round(shift)
        for part, shift in zip(place, (source.dy, source.dx), strict=True)
    )
    height, width = shape
    is_there = ((rows >= 0) & (rows < height))[:, None] & ((columns >= 0) & (columns < width))
    return sources[source.key][np.ix_(rows.clip(0, height - 1), columns.clip(0, width - 1))], is_there


def _walk(points: np.ndarray, step: float) -> np.ndarray:
    """(M, 2) along the line through `points` (N, 2), at most `step` apart, its corners included."""
    lengths = np.hypot(*np.diff(points, axis=0).T)
    # So many steps cross a 1024 px image fifty times; a longer way is a scribble off the canvas.
    step = max(step, float(lengths.sum()) / 100_000)
    counts = np.maximum(np.ceil(lengths / step).astype(int), 1)
    share = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    segment = np.repeat(np.arange(len(lengths)), counts)
    between = (
        points[segment] + (share / counts[segment])[:, None] * np.diff(points, axis=0)[segment]
        if len(lengths)
        else points[:0]
    )
    return np.concatenate([between, points[-1:]])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _check_count(strokes: Sequence[Stroke]) -> None:
    if len(strokes) > MAX_STROKES:
        raise SettingsError(
            f"The painting has {len(strokes)} strokes; at most {MAX_STROKES} are taken.",
            fix="Undo some, or save it and start again.",
        )
