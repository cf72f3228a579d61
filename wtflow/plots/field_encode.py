"""A particle field as plain JSON values, for assets/field*.js. Shapes: S saved times, N particles."""

import base64
import hashlib
import json
from typing import Final, Literal

import numpy as np

from wtflow.plots.field import ROUND, Chart, Colour, Field, Lines, Pictures, Polar, Reading, View
from wtflow.plots.field_axes import axis_range, bands, whole_range
from wtflow.plots.theme import COLOURS, HEAT, TIME_TITLE

COLOUR_ENDS: Final = (0.005, 0.995)
"""Quantiles at the ends of a colour scale; what lies beyond gets the end's colour."""

ALL: Final = ("all", COLOURS["time"])
"""Name and colour of the one group of charts without a group colour."""

TOUCH: Final = 1e-6
"""Share of the largest coordinate by which rounding may take a point of the upper half-plane below 0."""


def encode_field(field: Field) -> dict[str, object]:
    """The field as plain JSON values: arrays as base64 of little-endian float32 or int32 with
    their shapes, axes and bands computed.

    `fingerprint` is a hash of everything else: equal fields have equal ones, so that a rerun of the page disturbs
    nothing.
    """
    pool = _Pool()
    groups = next((colour for colour in field.colours if colour.kind == "group"), None)
    encoded: dict[str, object] = {
        "t": [float(value) for value in field.t],
        "ids": _array(field.ids, "i4"),
        "views": [_encode_view(view, pool) for view in field.views],
        "colours": [_encode_colour(colour) for colour in field.colours],
        "charts": [_encode_chart(chart, groups) for chart in field.charts],
        "chart_groups": {"of": groups.key if groups else None, "colours": list(groups.colours) if groups else [ALL[1]]},
        "pictures": _encode_pictures(field.pictures) if field.pictures else None,
        "readings": [_encode_reading(reading) for reading in field.readings],
        "readings_title": field.readings_title,
        "lines": _encode_lines(field.lines, pool) if field.lines else None,
        "portrait": field.portrait,
        "arrays": pool.arrays,
        "look": (
            {name: COLOURS[name] for name in ("time", "reference", "selected", "normal")}
            | {"heat": [[stop, colour] for stop, colour in HEAT], "time_title": TIME_TITLE}
        ),
        "alt": field.alt,
    }
    digest = hashlib.blake2b(json.dumps(encoded, sort_keys=True).encode(), digest_size=12)
    return encoded | {"fingerprint": digest.hexdigest()}


def _encode_view(view: View, pool: "_Pool") -> dict[str, object]:
    """`half`: around the origin only y >= 0 is in use, as with angles from 0 to 180 degrees, so the axis begins just
    below 0. There what is round may reach out to the left; elsewhere the axes hold it.
    """
    xy = view.xy
    is_round = any(guide.kind in ROUND for guide in view.guides)
    is_half = is_round and float(np.min(xy[..., 1])) >= -TOUCH * float(np.max(np.abs(xy)))
    reach = max((max(guide.values) for guide in view.guides if guide.kind in ("disc", "circle")), default=0.0)
    x_marks = [value for guide in view.guides if guide.kind == "x" for value in guide.values]
    y_marks = [value for guide in view.guides if guide.kind in ("y", "band_y") for value in guide.values]
    x_marks += [reach] if is_half else [-reach, reach] if reach else []
    y_marks += [0.0, reach] if is_half else [-reach, reach] if reach else []
    range_of = whole_range if view.whole else axis_range
    return {
        "key": view.key,
        "label": view.label,
        "titles": list(view.titles),
        "note": view.note,
        "equal": view.equal,
        "ticks": view.ticks,
        "half": is_half,
        "family": view.family,
        "variant": view.variant,
        "x": list(range_of(xy[..., 0], tuple(x_marks))),
        "y": list(range_of(xy[..., 1], tuple(y_marks))),
        "guides": [
            {"kind": guide.kind, "values": [float(v) for v in guide.values], "label": guide.label}
            for guide in view.guides
        ],
        "points": pool.points(view.points),
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
        look = {"colours": list(colour.colours), "shapes": list(colour.shapes or ("disc",) * len(colour.names))}
        return encoded | {"names": list(colour.names), "counts": counts.tolist(), "back": colour.back} | look
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


def _encode_reading(reading: Reading) -> dict[str, object]:
    values = [float(value) for value in reading.values]
    return {"label": reading.label, "values": values, "kind": reading.kind, "colour": reading.colour}


def _encode_lines(lines: Lines, pool: "_Pool") -> dict[str, object]:
    return {"label": lines.label, "points": {key: pool.points(points) for key, points in lines.points.items()}}


class _Pool:
    """Arrays of places, each encoded once however many views share it."""

    def __init__(self) -> None:
        self.arrays: list[dict[str, object]] = []
        self._known: dict[int, int] = {}

    def points(self, points: np.ndarray | Polar) -> dict[str, int]:
        """Where its parts lie: {"xy"}, or {"radius", "angle"}."""
        if isinstance(points, Polar):
            return {"radius": self._put(points.radius), "angle": self._put(points.angle)}
        return {"xy": self._put(points)}

    def _put(self, values: np.ndarray) -> int:
        if id(values) not in self._known:  # all of them live as long as the field does
            self._known[id(values)] = len(self.arrays)
            self.arrays.append(_array(values, "f4"))
        return self._known[id(values)]


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
