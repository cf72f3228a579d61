"""Outlines from annotation tools become masks: polygons and run lengths of COCO, shapes of LabelMe. Nothing of a file
is executed; what is not read is said.

A pixel belongs to a polygon where its centre lies inside, by the even-odd rule; several polygons of one image add up.
Source: the formats as cocodataset.org and labelme's README describe them.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from wtflow.errors import DatasetError
from wtflow.intake.run_lengths import decode_runs

MOST_BYTES = 500_000_000


@dataclass(slots=True)
class Outlines:
    """What is drawn on one image. name: its file, as the annotation calls it; shape: (height, width) that the
    annotation says, (0, 0) where it says none.
    """

    name: str
    shape: tuple[int, int] = (0, 0)
    polygons: list[np.ndarray] = field(default_factory=list)
    """float64 (P, 2) each: x and y, in pixels from the upper left corner of the image."""
    circles: list[tuple[float, float, float]] = field(default_factory=list)
    """x, y and radius."""
    runs: list[Any] = field(default_factory=list)
    """Run lengths as COCO writes them."""
    problems: list[str] = field(default_factory=list)
    """Why something that is drawn is not read."""


def read_outlines(content: bytes, title: str) -> list[Outlines]:
    """What a COCO or LabelMe file draws, image by image. Raises DatasetError for any other file."""
    if len(content) > MOST_BYTES:
        raise DatasetError(f"{title} is too large for a list of outlines.", fix="Export fewer images at once.")
    try:
        values = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DatasetError(
            f"{title} is no JSON that can be read ({error}).", fix="Export the annotations again."
        ) from error
    if isinstance(values, dict) and isinstance(values.get("shapes"), list):
        return [_labelme(values, title)]
    if isinstance(values, dict) and isinstance(values.get("images"), list):
        return _coco(values)
    raise DatasetError(
        f"{title} is neither a COCO file (images, annotations) nor one of LabelMe (shapes).",
        fix="Export polygons in one of the two, or masks as PNG.",
    )


def draw(outlines: Outlines, shape: tuple[int, int]) -> np.ndarray:
    """bool (H, W): all that is drawn on one image, at its size. Raises DatasetError for run lengths of another size."""
    mask = np.zeros(shape, bool)
    for polygon in outlines.polygons:
        mask |= fill(polygon, shape)
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    for x, y, radius in outlines.circles:
        mask |= (columns + 0.5 - x) ** 2 + (rows + 0.5 - y) ** 2 <= radius**2
    for runs in outlines.runs:
        mask |= decode_runs(runs, shape, outlines.name)
    return mask


def fill(polygon: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """bool (H, W): the pixels whose centres lie inside a polygon, (P, 2) of x and y, by the even-odd rule."""
    mask = np.zeros(shape, bool)
    x, y = polygon[:, 0], polygon[:, 1]
    x_next, y_next = np.roll(x, -1), np.roll(y, -1)
    first = max(0, int(np.floor(np.clip(y.min(), 0, shape[0]))))
    last = min(shape[0], int(np.ceil(np.clip(y.max(), 0, shape[0]))))
    for row in range(first, last):
        centre = row + 0.5
        crossed = (y <= centre) != (y_next <= centre)
        if not crossed.any():
            continue
        at = x[crossed] + (centre - y[crossed]) / (y_next[crossed] - y[crossed]) * (x_next[crossed] - x[crossed])
        # Of column c the centre c + 0.5 lies right of a crossing from c = ceil(at - 0.5) on.
        columns = np.sort(np.clip(np.ceil(at - 0.5), 0, shape[1])).astype(int)
        for begin, end in zip(columns[::2], columns[1::2], strict=True):
            mask[row, begin:end] = True
    return mask


# -- the two formats ---------------------------------------------------------------------------------------------------


def _labelme(values: dict[str, Any], title: str) -> Outlines:
    name = values.get("imagePath")
    found = Outlines(name if isinstance(name, str) and name else title, _shape(values, "imageHeight", "imageWidth"))
    for shape in values["shapes"]:
        kind = shape.get("shape_type", "polygon") if isinstance(shape, dict) else None
        points = _points(shape.get("points")) if isinstance(shape, dict) else None
        if kind == "polygon" and points is not None and len(points) >= 3:
            found.polygons.append(points)
        elif kind == "rectangle" and points is not None and len(points) == 2:
            (left, top), (right, bottom) = points
            found.polygons.append(np.array([[left, top], [right, top], [right, bottom], [left, bottom]]))
        elif kind == "circle" and points is not None and len(points) == 2:
            found.circles.append((*points[0], float(np.linalg.norm(points[1] - points[0]))))
        else:
            found.problems.append(f"a shape of type {str(kind)[:40]!r} encloses nothing that can be read")
    return found


def _coco(values: dict[str, Any]) -> list[Outlines]:
    found: dict[Any, Outlines] = {}
    for image in values["images"]:
        if (
            isinstance(image, dict)
            and isinstance(image.get("file_name"), str)
            and isinstance(image.get("id"), int | str)
        ):
            found[image["id"]] = Outlines(image["file_name"], _shape(image, "height", "width"))
    annotations = values.get("annotations")
    for annotation in annotations if isinstance(annotations, list) else ():
        key = annotation.get("image_id") if isinstance(annotation, dict) else None
        if isinstance(key, int | str) and key in found:
            _add_coco(found[key], annotation.get("segmentation"))
    return list(found.values())


def _add_coco(outlines: Outlines, segmentation: Any) -> None:
    if isinstance(segmentation, dict):
        outlines.runs.append(segmentation)
        return
    polygons = list(_coco_polygons(segmentation))
    if not polygons:
        outlines.problems.append("an annotation has a box and no outline")
    for polygon in polygons:
        if polygon is None or len(polygon) < 3:
            outlines.problems.append("a polygon has fewer than three corners, or corners that are no numbers")
        else:
            outlines.polygons.append(polygon)


def _coco_polygons(segmentation: Any) -> Iterator[np.ndarray | None]:
    """Each flat list x, y, x, y as corners; some programs write one without the list around it."""
    if isinstance(segmentation, list) and segmentation and not isinstance(segmentation[0], list):
        segmentation = [segmentation]
    for flat in segmentation if isinstance(segmentation, list) else ():
        is_even = isinstance(flat, list) and len(flat) % 2 == 0
        yield _points([flat[i : i + 2] for i in range(0, len(flat), 2)]) if is_even else None


def _points(values: Any) -> np.ndarray | None:
    """float64 (P, 2), None where these are no points."""
    try:
        points = np.array(values, np.float64)
    except (ValueError, TypeError, OverflowError):
        return None
    is_sound = points.ndim == 2 and points.shape[1] == 2 and np.isfinite(points).all() and np.abs(points).max() < 1e7
    return points if is_sound else None


def _shape(values: dict[str, Any], height: str, width: str) -> tuple[int, int]:
    sides = values.get(height), values.get(width)
    return (sides[0], sides[1]) if isinstance(sides[0], int) and isinstance(sides[1], int) else (0, 0)
