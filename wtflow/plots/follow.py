"""One image's way into its map, as the browser draws it: every position's path, the normals beside it, the colours.

The component is assets/follow/*.js, mounted by pages/ui/follow/strip.py. Shapes: S saved states, (h, w) the grid, n
normals, T fine times.
"""

import base64
import hashlib
import json
from dataclasses import dataclass

import numpy as np

from wtflow.plots.contours import Line
from wtflow.plots.disc import OUTER_RIM
from wtflow.plots.pictures import data_uri, encode_jpeg
from wtflow.plots.theme import COLOURS, HEAT
from wtflow.records.follow import OverTime, OwnPaths, only


@dataclass(frozen=True, slots=True)
class Story:
    """All that the strip of one image shows, whichever of its positions is followed."""

    sample_id: str
    defect: str
    """Type of the image's defect, or GOOD."""
    is_defective: bool
    picture: np.ndarray
    """uint8 (H, W, 3), for the image and its enlarged patch."""
    note: str
    """Why the picture is not the file as it is now; empty where it is."""
    inside: np.ndarray | None
    """bool (h, w): positions in the true defect; None where the truth is unknown."""
    outline: tuple[Line, ...]
    """The true defect's border, in shares of width and height."""
    paths: OwnPaths
    """Of all positions, P is (h, w)."""
    factors: np.ndarray
    """(S, h, w): what a score is divided by after each step."""
    angles: np.ndarray
    """(h, w) on the ring of the disc."""
    normals: OwnPaths
    """P is (n,)."""
    normal_angles: np.ndarray
    well: np.ndarray
    """(T,) radius that holds 99 % of the normals."""
    median: np.ndarray
    """(T,) median distance of the normals."""
    times: np.ndarray
    n_normals: int
    """Normal positions that `well` and `median` are of."""
    farthest: float
    """Largest radius, over that of the well, that the disc must hold."""
    color_range: tuple[float, float]
    alike: np.ndarray
    """int (h, w): for each position the flat cell of the one outside the true defect that is most like it; -1: none."""
    about_normals: str
    """A sentence on whether the normals fall in."""
    score_note: str
    """What is shown where the run's own score is another; empty where the last map is the run's own."""
    over: OverTime | None


@dataclass(frozen=True, slots=True)
class Beside:
    """A patch that one path is compared with."""

    sample_id: str
    cell: tuple[int, int]
    """Row and column of the grid."""
    picture: np.ndarray
    """uint8 (H, W, 3), the whole image."""
    paths: OwnPaths
    """P is (1,)."""
    angle: float
    distance: float | None = None
    """Between the two features at t=0; None where it was not measured."""


def alike_of(story: Story, cell: tuple[int, int]) -> Beside | None:
    """The patch of the same image that is most like one at the start; None where there is none."""
    at = int(story.alike[cell])
    if at < 0:
        return None
    other = divmod(at, story.alike.shape[1])
    mask = np.zeros(story.alike.shape, bool)
    mask[other] = True
    return Beside(story.sample_id, other, story.picture, only(story.paths, mask), float(story.angles[other]))


def encode_story(story: Story) -> dict[str, object]:
    """The story as plain JSON values, arrays as in `wtflow.plots.field.encode_field`. `fingerprint`: of all of it."""
    paths, normals = story.paths, story.normals
    scale = 1.0 if story.farthest <= np.e ** (OUTER_RIM - 1) else (OUTER_RIM - 1) / float(np.log(story.farthest))
    encoded: dict[str, object] = {
        "sample": story.sample_id,
        "defect": story.defect,
        "is_defective": story.is_defective,
        "picture": data_uri(encode_jpeg(story.picture)),
        "note": story.note,
        "inside": None if story.inside is None else _array(story.inside, "i4"),
        "outline": [np.round(np.stack(line, axis=1), 4).ravel().tolist() for line in story.outline],
        "grid": list(story.paths.norm.shape[1:]),
        "t": paths.t.tolist(),
        "norm": _array(paths.norm, "f4"),
        "between": _array(paths.between, "f4"),
        "factors": _array(story.factors, "f4"),
        "angles": _array(story.angles, "f4"),
        "channels": paths.n_channels,
        "normal_norm": _array(normals.norm, "f4"),
        "normal_between": _array(normals.between, "f4"),
        "normal_angles": _array(story.normal_angles, "f4"),
        "times": story.times.tolist(),
        "well": story.well.tolist(),
        "median": story.median.tolist(),
        "n_normals": story.n_normals,
        "rim": [1.0 + scale * float(np.log(max(story.farthest, 1.0))), scale],
        "color_range": list(story.color_range),
        "alike": _array(story.alike, "i4"),
        "about_normals": story.about_normals,
        "score_note": story.score_note,
        "over": None if story.over is None else _over_time(story.over),
        "look": {name: COLOURS[name] for name in ("normal", "defect", "reference", "selected", "time", "truth", "halo")}
        | {"heat": [[stop, colour] for stop, colour in HEAT]},
    }
    digest = hashlib.blake2b(json.dumps(encoded, sort_keys=True).encode(), digest_size=12)
    return encoded | {"fingerprint": digest.hexdigest()}


def encode_beside(one: Beside, of: tuple[int, int]) -> dict[str, object]:
    """A patch of another image as plain JSON values. of: the position that it is compared with."""
    return {
        "of": list(of),
        "sample": one.sample_id,
        "cell": list(one.cell),
        "picture": data_uri(encode_jpeg(one.picture)),
        "path": {"norm": _array(one.paths.norm, "f4"), "between": _array(one.paths.between, "f4"), "angle": one.angle},
    }


def _over_time(over: OverTime) -> dict[str, object]:
    def numbers(values: np.ndarray) -> list[float | None]:
        return [None if np.isnan(value) else float(value) for value in values]

    return {
        "image_auroc": numbers(over.image_auroc),
        "places_auroc": numbers(over.places_auroc),
        "n_images": over.n_images,
        "n_defective": over.n_defective,
        "has_whole": over.has_whole,
        "is_own": over.is_own,
    }


def _array(values: np.ndarray, kind: str) -> dict[str, object]:
    plain = np.ascontiguousarray(values, dtype=f"<{kind}")
    return {"kind": kind, "shape": list(plain.shape), "data": base64.b64encode(plain.tobytes()).decode()}
