"""The particle field: positions on their way from data to noise, in several views, with linked
charts, as the browser draws it.

Shapes: S saved times, N particles, M images. The component that draws an encoded field is assets/field.js, mounted by
pages/ui/flow/field.py.
"""

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from wtflow.errors import FlowError
from wtflow.plots.field_axes import axis_range, bands
from wtflow.plots.theme import COLOURS, HEAT, TIME_TITLE

COLOUR_ENDS: Final = (0.005, 0.995)
"""Quantiles at the ends of a colour scale; what lies beyond gets the end's colour."""

ALL: Final = ("all", COLOURS["time"])
"""Name and colour of the one group of charts without a group colour."""


@dataclass(frozen=True, slots=True)
class Guide:
    """Something to compare points with: a line at values[0] ("x" across the x axis, "y" across the y axis), a band of y
    between values[0] and values[1], or a circle of radius values[0] around the origin (views with equal axes only).
    """

    kind: Literal["x", "y", "band_y", "circle"]
    values: tuple[float, ...]
    label: str


@dataclass(frozen=True, slots=True)
class View:
    """One projection: points (S, N, 2) and what its axes mean. `note`: what it shows truly and what it
    distorts; equal: one unit is as long on both axes. Its axes are fixed: one range for all times.
    """

    key: str
    label: str
    points: np.ndarray
    titles: tuple[str, str]
    note: str = ""
    guides: tuple[Guide, ...] = ()
    equal: bool = False


@dataclass(frozen=True, slots=True)
class Colour:
    """What a particle's colour means. group: values (N,) are indices into `names` and `colours` (CSS); value: values
    (N,) are numbers on the heat scale, NaN where there is none.
    """

    key: str
    label: str
    kind: Literal["group", "value"]
    values: np.ndarray
    names: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chart:
    """A quantity (S, N) against t, drawn next to the view as median and 5-95 % band per group of the field's first
    group colour. references: labelled horizontal lines.
    """

    key: str
    label: str
    values: np.ndarray
    y_title: str
    references: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Pictures:
    """What hovering shows: M thumbnails and heat maps as data URIs, and in which of them each particle lies and where.

    names (M,): sample ids; of (N,): index of each particle's image; place (N, 2): its centre as shares (x, y) of width
    and height; size: width and height of one grid position as shares.
    """

    names: tuple[str, ...]
    images: tuple[str, ...]
    maps: tuple[str, ...]
    of: np.ndarray
    place: np.ndarray
    size: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Field:
    """N particles at S rising times. ids (N,) are distinct integers that the component reports back; alt
    describes the field in words.

    Raises FlowError where shapes do not fit each other, a number is not finite, or an index is out of range.
    """

    t: np.ndarray
    ids: np.ndarray
    views: tuple[View, ...]
    colours: tuple[Colour, ...]
    charts: tuple[Chart, ...] = ()
    pictures: Pictures | None = None
    alt: str = ""

    def __post_init__(self) -> None:
        steps, count = np.size(self.t), np.size(self.ids)
        _expect(np.shape(self.t), (steps,), "t")
        _expect(np.shape(self.ids), (count,), "ids")
        if not steps or not count or np.any(np.diff(self.t) <= 0):
            raise _refuse(
                f"A field needs particles and rising times: found {count} particles, t = {list(np.ravel(self.t))[:4]}."
            )
        if len(np.unique(self.ids)) < count or np.abs(self.ids).max() > np.iinfo(np.int32).max:
            raise _refuse("The ids of a field's particles must be distinct integers of 32 bits.")
        for kind, parts in (("view", self.views), ("colour", self.colours), ("chart", self.charts)):
            if len({part.key for part in parts}) < len(parts) or (not parts and kind != "chart"):
                raise _refuse(
                    f"A field needs at least one view and one colour, each with its own key: {kind}s are"
                    f" {[part.key for part in parts]}."
                )
        for view in self.views:
            _expect(np.shape(view.points), (steps, count, 2), f"points of view {view.key}")
            _expect_finite(view.points, f"points of view {view.key}")
            if any(guide.kind == "circle" for guide in view.guides) and not view.equal:
                raise _refuse(f"View {view.key} has a circle, which only axes of equal scale show as one.")
        for chart in self.charts:
            _expect(np.shape(chart.values), (steps, count), f"values of chart {chart.key}")
            _expect_finite(chart.values, f"values of chart {chart.key}")
        for colour in self.colours:
            _expect(np.shape(colour.values), (count,), f"values of colour {colour.key}")
            if colour.kind == "group":
                _expect((len(colour.colours),), (len(colour.names),), f"colours of {colour.key}")
                _expect_index(colour.values, len(colour.names), f"groups of colour {colour.key}")
        if self.pictures:
            for name in ("images", "maps"):
                _expect((len(getattr(self.pictures, name)),), (len(self.pictures.names),), f"{name} of the pictures")
            _expect(np.shape(self.pictures.place), (count, 2), "places in the pictures")
            _expect(np.shape(self.pictures.of), (count,), "picture of each particle")
            _expect_index(self.pictures.of, len(self.pictures.names), "picture of each particle")


def encode_field(field: Field) -> dict[str, object]:
    """The field as plain JSON values: arrays as base64 of little-endian float32 or int32 with
    their shapes, axes and bands computed.

    `fingerprint` is a hash of everything else: equal fields have equal ones, so that a rerun of the page disturbs
    nothing.
    """
    groups = next((colour for colour in field.colours if colour.kind == "group"), None)
    encoded: dict[str, object] = {
        "t": [float(value) for value in field.t],
        "ids": _array(field.ids, "i4"),
        "views": [_encode_view(view) for view in field.views],
        "colours": [_encode_colour(colour) for colour in field.colours],
        "charts": [_encode_chart(chart, groups) for chart in field.charts],
        "chart_groups": {"of": groups.key if groups else None, "colours": list(groups.colours) if groups else [ALL[1]]},
        "pictures": _encode_pictures(field.pictures) if field.pictures else None,
        "look": (
            {name: COLOURS[name] for name in ("time", "reference", "selected")}
            | {"heat": [[stop, colour] for stop, colour in HEAT], "time_title": TIME_TITLE}
        ),
        "alt": field.alt,
    }
    digest = hashlib.blake2b(json.dumps(encoded, sort_keys=True).encode(), digest_size=12)
    return encoded | {"fingerprint": digest.hexdigest()}


def _encode_view(view: View) -> dict[str, object]:
    """`half`: around circles only y >= 0 is in use, as with angles from 0 to 180 degrees, so the
    axis begins just below 0.
    """
    circle = [sign * guide.values[0] for guide in view.guides if guide.kind == "circle" for sign in (-1, 1)]
    x_marks = [value for guide in view.guides if guide.kind == "x" for value in guide.values] + circle
    y_marks = [value for guide in view.guides if guide.kind in ("y", "band_y") for value in guide.values]
    is_half = bool(circle) and float(np.min(view.points[..., 1])) >= 0
    y_marks += [max(value, 0.0) for value in circle] if is_half else circle
    return {
        "key": view.key,
        "label": view.label,
        "titles": list(view.titles),
        "note": view.note,
        "equal": view.equal,
        "half": is_half,
        "x": list(axis_range(view.points[..., 0], tuple(x_marks))),
        "y": list(axis_range(view.points[..., 1], tuple(y_marks))),
        "guides": [
            {"kind": guide.kind, "values": [float(v) for v in guide.values], "label": guide.label}
            for guide in view.guides
        ],
        "points": _array(view.points, "f4"),
    }


def _encode_colour(colour: Colour) -> dict[str, object]:
    encoded: dict[str, object] = {
        "key": colour.key,
        "label": colour.label,
        "kind": colour.kind,
        "values": _array(colour.values, "f4"),
    }
    if colour.kind == "group":
        counts = np.bincount(np.asarray(colour.values, dtype=np.int64), minlength=len(colour.names))
        return encoded | {"names": list(colour.names), "colours": list(colour.colours), "counts": counts.tolist()}
    known = np.asarray(colour.values)[np.isfinite(colour.values)]
    if not known.size:
        known = np.array([0.0, 1.0])
    low, high = (float(end) for end in np.quantile(known, COLOUR_ENDS))
    is_cut = [bool(known.min() < low), bool(known.max() > high)]
    return encoded | {"range": [low, high if high > low else low + 1.0], "cut": is_cut}


def _encode_chart(chart: Chart, groups: Colour | None) -> dict[str, object]:
    values = np.asarray(chart.values)
    of, n_groups = (groups.values, len(groups.names)) if groups else (np.zeros(values.shape[1], dtype=np.int64), 1)
    drawn = bands(values, of, n_groups)
    ends = np.array([band for band in drawn if band is not None])
    return {
        "key": chart.key,
        "label": chart.label,
        "y_title": chart.y_title,
        "bands": drawn,
        "y": list(axis_range(ends, tuple(value for _, value in chart.references))),
        "references": [[label, float(value)] for label, value in chart.references],
        "values": _array(values, "f4"),
    }


def _encode_pictures(pictures: Pictures) -> dict[str, object]:
    return {
        "names": list(pictures.names),
        "images": list(pictures.images),
        "maps": list(pictures.maps),
        "of": _array(pictures.of, "i4"),
        "place": _array(pictures.place, "f4"),
        "size": [float(share) for share in pictures.size],
    }


def _array(values: np.ndarray, kind: Literal["f4", "i4"]) -> dict[str, object]:
    """Numbers as the browser's typed arrays hold them: row by row, little-endian."""
    plain = np.ascontiguousarray(values, dtype=f"<{kind}")
    return {"kind": kind, "shape": list(plain.shape), "data": base64.b64encode(plain.tobytes()).decode()}


def _refuse(message: str) -> FlowError:
    return FlowError(
        message, fix="Build the field from one set of positions, with arrays of the shapes its docstrings give."
    )


def _expect(found: tuple[int, ...], shape: tuple[int, ...], name: str) -> None:
    if tuple(found) != shape:
        raise _refuse(f"A field's {name} have shape {tuple(found)}, expected {shape}.")


def _expect_finite(values: np.ndarray, name: str) -> None:
    if not np.isfinite(values).all():
        particles = np.flatnonzero(~np.isfinite(np.moveaxis(values, 1, 0).reshape(np.shape(values)[1], -1)).all(axis=1))
        raise FlowError(
            f"A field's {name} are not finite for {len(particles)} particles, the first is number {particles[0]}.",
            fix=(
                "Leave these positions out. If there are many, the features or the trained field have overflowed: train"
                " again with a lower learning rate."
            ),
        )


def _expect_index(values: np.ndarray, n_names: int, name: str) -> None:
    values = np.asarray(values)
    if np.any(values != np.floor(values)) or values.min() < 0 or values.max() >= n_names:
        raise _refuse(
            f"A field's {name} must be whole numbers from 0 to {n_names - 1}, found {values.min()} to {values.max()}."
        )
