"""The particle field: positions on their way from data to noise, in several views, with linked
charts, as the browser draws it.

Shapes: S saved times, N particles, M images. An encoded field (field_encode.py) is drawn by assets/field*.js, mounted
by pages/ui/flow/field.py.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from wtflow.errors import FlowError
from wtflow.plots.groups import Shape

GuideKind = Literal["x", "y", "band_y", "circle", "disc", "ring", "scale"]
ROUND: tuple[GuideKind, ...] = ("circle", "disc", "ring", "scale")
"""Guides around the origin, which only axes of equal scale show round."""


@dataclass(frozen=True, slots=True)
class Guide:
    """Something to compare points with: a line at values[0] ("x" across the x axis, "y" across the y axis), a band of y
    between values[0] and values[1], or, around the origin, a dashed "circle", a filled "disc" with its rim, a dashed
    "ring", or a faint circle of a "scale" with its label on it. Those around the origin take one radius, or one for
    each saved time (S,).
    """

    kind: GuideKind
    values: tuple[float, ...]
    label: str


@dataclass(frozen=True, slots=True)
class Polar:
    """Places given by their distance from the origin (S, N) and their angle in radians, (N,) or (S, N)."""

    radius: np.ndarray
    angle: np.ndarray

    @property
    def xy(self) -> np.ndarray:
        """(S, N, 2)"""
        way = np.stack([np.cos(self.angle), np.sin(self.angle)], axis=-1)
        return np.asarray(self.radius)[..., None] * way


@dataclass(frozen=True, slots=True)
class View:
    """One projection: points (S, N, 2), and what its axes mean; without titles
    no axes are drawn. `note`: what it shows truly and what it distorts; equal: one unit is as long on both axes; ticks:
    its axes carry numbers. They are fixed, one range for all times, and cut where few points lie far out, unless it is
    whole.

    family, variant: views of one family are offered as one, with a switch between their variants.
    """

    key: str
    label: str
    points: np.ndarray | Polar
    titles: tuple[str, str] = ("", "")
    note: str = ""
    guides: tuple[Guide, ...] = ()
    equal: bool = False
    whole: bool = False
    ticks: bool = True
    family: str = ""
    variant: str = ""

    @property
    def xy(self) -> np.ndarray:
        return self.points.xy if isinstance(self.points, Polar) else self.points


@dataclass(frozen=True, slots=True)
class Colour:
    """What a particle's colour means. group: values (N,) are indices into `names`, `colours` (CSS) and `shapes` (discs
    if not given); value: values (N,) are numbers on the heat scale, NaN where there is none.
    Rare groups lie on top; back: the group below all.
    """

    key: str
    label: str
    kind: Literal["group", "value"]
    values: np.ndarray
    names: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()
    shapes: tuple[Shape, ...] = ()
    back: int | None = None


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

    names (M,): sample ids; of (N,): index of each particle's image, -1 for one without; place (N, 2): its centre as
    shares (x, y) of width and height; size: width and height of one grid position as shares.
    """

    names: tuple[str, ...]
    images: tuple[str, ...]
    maps: tuple[str, ...]
    of: np.ndarray
    place: np.ndarray
    size: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Reading:
    """A number that stands large beside t and moves with it: values (S,), shares from 0 to 1 or multiples of something;
    label: of what, and of how many. colour: CSS.
    """

    label: str
    values: np.ndarray
    kind: Literal["share", "times"]
    colour: str


@dataclass(frozen=True, slots=True)
class Lines:
    """Other ways of the same particles, drawn in grey under their own: by key of a view, points as in View."""

    label: str
    points: dict[str, np.ndarray | Polar]


@dataclass(frozen=True, slots=True)
class Field:
    """N particles at S rising times. ids (N,) are distinct integers that the component reports back; alt
    describes the field in words.

    readings: what stands beside t, under a title; portrait: the picture that is shown large, with the marked particle.

    Raises FlowError where shapes do not fit each other, a number is not finite, or an index is out of range.
    """

    t: np.ndarray
    ids: np.ndarray
    views: tuple[View, ...]
    colours: tuple[Colour, ...]
    charts: tuple[Chart, ...] = ()
    pictures: Pictures | None = None
    alt: str = ""
    readings_title: str = ""
    readings: tuple[Reading, ...] = ()
    lines: Lines | None = None
    portrait: int | None = None

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
            _expect_points(view.points, steps, count, f"points of view {view.key}")
            if any(guide.kind in ROUND for guide in view.guides) and not view.equal:
                raise _refuse(f"View {view.key} has a circle, which only axes of equal scale show as one.")
            for guide in view.guides:
                if guide.kind in ROUND and len(guide.values) not in (1, steps):
                    raise _refuse(
                        f"A {guide.kind} of view {view.key} has {len(guide.values)} radii, expected 1 or {steps}."
                    )
        for chart in self.charts:
            _expect(np.shape(chart.values), (steps, count), f"values of chart {chart.key}")
            _expect_finite(chart.values, f"values of chart {chart.key}")
        for reading in self.readings:
            _expect(np.shape(reading.values), (steps,), f"values of the reading {reading.label}")
        for key, points in (self.lines.points if self.lines else {}).items():
            if key not in {view.key for view in self.views}:
                raise _refuse(f"There are lines for a view {key} that the field does not have.")
            _expect_points(points, steps, count, f"lines of view {key}")
        for colour in self.colours:
            _expect(np.shape(colour.values), (count,), f"values of colour {colour.key}")
            if colour.kind == "group":
                _expect((len(colour.colours),), (len(colour.names),), f"colours of {colour.key}")
                if colour.shapes:
                    _expect((len(colour.shapes),), (len(colour.names),), f"shapes of {colour.key}")
                _expect_index(colour.values, len(colour.names), f"groups of colour {colour.key}")
        if self.pictures:
            for name in ("images", "maps"):
                _expect((len(getattr(self.pictures, name)),), (len(self.pictures.names),), f"{name} of the pictures")
            _expect(np.shape(self.pictures.place), (count, 2), "places in the pictures")
            _expect(np.shape(self.pictures.of), (count,), "picture of each particle")
            _expect_index(self.pictures.of, len(self.pictures.names), "picture of each particle", lowest=-1)
        if self.portrait is not None and not (self.pictures and 0 <= self.portrait < len(self.pictures.names)):
            raise _refuse(f"There is no picture {self.portrait} to show large.")


def _refuse(message: str) -> FlowError:
    return FlowError(
        message, fix="Build the field from one set of positions, with arrays of the shapes its docstrings give."
    )


def _expect(found: tuple[int, ...], shape: tuple[int, ...], name: str) -> None:
    if tuple(found) != shape:
        raise _refuse(f"A field's {name} have shape {tuple(found)}, expected {shape}.")


def _expect_points(points: np.ndarray | Polar, steps: int, count: int, name: str) -> None:
    if isinstance(points, Polar):
        _expect(np.shape(points.radius), (steps, count), f"radii of the {name}")
        _expect(
            np.shape(points.angle), (steps, count) if np.ndim(points.angle) == 2 else (count,), f"angles of the {name}"
        )
        _expect_finite(points.radius, name)
        _expect_finite(np.broadcast_to(points.angle, (steps, count)), name)
        return
    _expect(np.shape(points), (steps, count, 2), name)
    _expect_finite(points, name)


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


def _expect_index(values: np.ndarray, n_names: int, name: str, lowest: int = 0) -> None:
    values = np.asarray(values)
    if np.any(values != np.floor(values)) or values.min() < lowest or values.max() >= n_names:
        raise _refuse(
            f"A field's {name} must be whole numbers from {lowest} to {n_names - 1}, found {values.min()} to"
            f" {values.max()}."
        )
