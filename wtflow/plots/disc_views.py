"""The exact views of paths: distances from the origin around the well, drawn as a disc, with the shell of noise as a
ring. Shapes: S saved times, N positions.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from wtflow.numbers import NBSP, percent
from wtflow.plots.disc import disc_angles, disc_radius, draw_in
from wtflow.plots.field import Guide, Polar, View
from wtflow.records.core import GOOD
from wtflow.records.flow import PositionSet, Travel

Scale = Literal["over", "raw", "log"]
SCALES: Final[dict[Scale, str]] = {"over": "against the normals", "raw": "as it is", "log": "logarithmic"}
"""How a radius is drawn -> how the switch names it."""

ROUND_TIMES: Final = (1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0, 1000.0)
"""Multiples of the well's radius that get a circle beyond its rim, where there is room for it."""
ROUND_STEPS: Final = (1.0, 2.0, 5.0)
LEAST_GAP: Final = 0.2
"""Least distance of two labelled circles, as a share of the largest radius drawn: their labels must not touch."""

NEAREST: Final = 0.0025
"""Quantile of all distances on which the centre of a logarithmic disc lies: a logarithm has no zero."""

RADIUS_WORDS: Final[dict[Scale, str]] = {
    "over": (
        "Exact: the distance from the origin in all dimensions, over the radius that holds 99\N{NBSP}% of the normals"
        " at the same time. So the well stays still, and who escapes crosses its rim. Beyond the rim distances are"
        " drawn in logarithmically, nothing is cut off."
    ),
    "raw": (
        "Exact: the distance from the origin in all dimensions. The disc holds 99\N{NBSP}% of the normals, so it"
        " shrinks and grows with them."
    ),
    "log": (
        "The logarithm of the distance from the origin: equal factors are equal steps. The centre is the nearest"
        " position, not the origin."
    ),
}
ANGLE_OF_PLACE: Final = {
    True: "The angle comes from the UMAP of the ends (t = 1)",
    False: "The angle comes from two principal axes of the ends (t = 1)",
}
SPREAD_WORDS: Final = ", spread evenly over the ring: who ends alike lies in the same direction."
TURN_WORDS: Final = (
    "The angle is the true angle to where the feature started, so all paths begin on the right; one that reaches the"
    " left half has crossed over to the other side of the origin."
)


@dataclass(frozen=True, slots=True)
class Yardstick:
    """What distances from the origin are compared with, at the same S times as the paths."""

    shell: tuple[float, float, float]
    """Mean, 5 % and 95 % quantile of the norm of noise."""
    well_radius: np.ndarray | None
    """(S,) radius that holds 99 % of the normals; None without normals, where there is no well."""
    shares: dict[str, np.ndarray]
    """ "normal" and "defect" -> (S,) share of such positions outside the well, of those present."""
    counts: dict[str, int]
    """ "normal" and "defect" -> how many there are."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """How one scale draws distances: a function of norms (S, ...), its guides, and whether all must fit."""

    scale: Scale
    norm: np.ndarray
    yardstick: Yardstick

    def radius(self, norm: np.ndarray) -> np.ndarray:
        """(S, n) float32 radii as drawn of distances (S, n) at the same times."""
        if self.scale == "over":
            return draw_in(disc_radius(norm, self._well), self._farthest).astype(np.float32)
        if self.scale == "log":
            return np.log(np.maximum(norm / self._nearest, 1.0)).astype(np.float32)
        return np.asarray(norm, dtype=np.float32)

    def guides(self) -> tuple[Guide, ...]:
        """The well, the shell of noise, and circles to read distances off."""
        shell = np.full((len(self.norm), 1), self.yardstick.shell[0])
        found = [
            Guide("ring", _plain(self.radius(shell)), f"noise shell √d, {self.yardstick.shell[0]:.3g} from the origin")
        ]
        if self.yardstick.well_radius is not None:
            found.insert(0, Guide("disc", _plain(self.radius(self._well[:, None])), "the well: 99\N{NBSP}% of normals"))
        return (*found, *(Guide("scale", (at,), words) for at, words in self._circles()))

    def _circles(self) -> list[tuple[float, str]]:
        if self.scale == "over":
            end, scale = self._farthest, lambda times: float(draw_in(np.array([times]), self._farthest)[0])
            marks = [(scale(times), f"{times:g}{NBSP}×") for times in ROUND_TIMES if times < end]
            last = (scale(end), f"farthest: {end:.3g}{NBSP}×")
            return [*_apart(marks, 1.0, last[0]), last] if end > 1 else []
        largest = float(self.norm.max())
        power = 10.0 ** np.floor(np.log10(max(largest, 1e-12)))
        rounds = [step * power * 10.0**k for k in (-1, 0) for step in ROUND_STEPS]
        of = lambda value: float(np.log(value / self._nearest)) if self.scale == "log" else value  # noqa: E731
        marks = [(of(value), f"{value:g}") for value in rounds if value < largest and of(value) > 0]
        return _apart(marks, 0.0, of(largest) * (1 + LEAST_GAP))

    @property
    def _well(self) -> np.ndarray:
        return np.ones(len(self.norm)) if self.yardstick.well_radius is None else self.yardstick.well_radius

    @property
    def _farthest(self) -> float:
        return max(1.0, float(disc_radius(self.norm, self._well).max()))

    @property
    def _nearest(self) -> float:
        return max(float(np.quantile(self.norm, NEAREST)), 1e-12)


@dataclass(frozen=True, slots=True)
class Disc:
    """What the disc of a travel is drawn from in files. umap_end: (N, 2) a UMAP of its ends, which then gives the
    angles. Needs a well.
    """

    yardstick: Yardstick
    umap_end: np.ndarray | None = None

    def places(self, travel: Travel) -> np.ndarray:
        """(S, N, 2) as on the page."""
        return Polar(self._drawn(travel).radius(travel.norm), end_angles(travel, self.umap_end)).xy

    def guides(self, travel: Travel) -> tuple[Guide, ...]:
        return self._drawn(travel).guides()

    def ring_at(self, travel: Travel, t: float) -> float:
        """Radius of the shell of noise as drawn; between saved times on a straight line, as the positions are."""
        values = next(guide.values for guide in self.guides(travel) if guide.kind == "ring")
        return float(np.interp(t, travel.t, np.broadcast_to(values, np.shape(travel.t))))

    def words(self, travel: Travel, t: float) -> str:
        """The shares outside at a time, such as "outside the well: 1 % of 500 normal, 79 % of 367 defect"."""
        shares = {kind: float(np.interp(t, travel.t, values)) for kind, values in self.yardstick.shares.items()}
        said = (
            f"{percent(round(share, 2))} of {self.yardstick.counts[kind]:,} {kind}" for kind, share in shares.items()
        )
        return f"outside the well: {', '.join(said)}" if shares else ""

    def _drawn(self, travel: Travel) -> Drawn:
        return Drawn("over", travel.norm, self.yardstick)


def scales_of(travel: Travel, yardstick: Yardstick) -> list[Drawn]:
    """The scales in which radii can be drawn, the one to begin with first: without normals there is nothing to divide
    by.
    """
    return [
        Drawn(scale, travel.norm, yardstick) for scale in SCALES if scale != "over" or yardstick.well_radius is not None
    ]


def disc_view(drawn: Drawn, places: Polar, is_umap: bool) -> View:
    """The well as a disc: radii as drawn, at the fixed angles of `end_angles`; is_umap: where these come from."""
    note = f"{RADIUS_WORDS[drawn.scale]} {ANGLE_OF_PLACE[is_umap]}{SPREAD_WORDS}"
    return View(
        key_of("disc", drawn.scale),
        "The well as a disc",
        places,
        note=note,
        guides=drawn.guides(),
        equal=True,
        whole=drawn.scale == "over",
        family="disc",
        variant=SCALES[drawn.scale],
    )


def radius_view(drawn: Drawn, places: Polar) -> View:
    """Distance from the origin and angle to the own start (`turn_of`): start on the right, origin at the centre."""
    titles = ("toward its own start", "away from its start's direction")
    return View(
        key_of("radius", drawn.scale),
        "Radius and angle to the own start",
        places,
        titles,
        f"{RADIUS_WORDS[drawn.scale]} {TURN_WORDS}",
        (Guide("x", (0.0,), ""), *drawn.guides()),
        equal=True,
        ticks=False,
        whole=drawn.scale == "over",
        family="radius",
        variant=SCALES[drawn.scale],
    )


def end_angles(travel: Travel, umap_end: np.ndarray | None = None) -> np.ndarray:
    """(N,) float32 angle of each position by where it ends, from a UMAP of the ends (N, 2) if given."""
    return disc_angles(travel.plane[-1], umap_end, is_normal(travel.positions)).astype(np.float32)


def is_normal(positions: PositionSet) -> np.ndarray:
    """(N,) bool: positions of normal images."""
    return positions.group == GOOD


def turn_of(alignment: np.ndarray) -> np.ndarray:
    """(S, N) float32 angle in radians, 0 to pi, of cosines that rounding may have taken beyond 1."""
    return np.arccos(np.clip(alignment, -1, 1)).astype(np.float32)


def key_of(family: str, scale: Scale) -> str:
    """The key of a family's view in a scale."""
    return family if scale == "over" else f"{family}_{scale}"


def _plain(radii: np.ndarray) -> tuple[float, ...]:
    """One radius where all times have the same, else one for each."""
    values = [float(value) for value in radii[:, 0]]
    return (values[0],) if len(set(values)) == 1 else tuple(values)


def _apart(marks: list[tuple[float, str]], start: float, end: float) -> list[tuple[float, str]]:
    """The marks that lie far enough from each other and from both ends."""
    kept, last, gap = [], start, LEAST_GAP * end
    for at, words in marks:
        if at - last >= gap and end - at >= gap:
            kept.append((at, words))
            last = at
    return kept
