"""What all lessons share: controls and their text in an address, checked numbers, scenes for the browser, and small
data sets in the plane.
"""

import base64
import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from wtflow.config import Coupling
from wtflow.errors import SettingsError

N_POINTS: Final = 256
"""Points of a data set: enough to show its shape, few enough for the browser to use all of them in every frame."""

MOST_OWN_POINTS: Final = 400
OWN_LIMIT: Final = 5.0
"""Coordinates of points drawn by hand lie within +- this limit; the pictures show about 3."""

OWN: Final = "drawn"
"""Name of the data set that a person drew."""


KINDS: Final[tuple[Coupling, ...]] = ("independent", "optimal", "worst")
"""Couplings in the order in which the lessons show them."""


@dataclass(frozen=True, slots=True)
class Control:
    """A setting of a lesson. slider: from low to high in steps; choice: an index into options; hidden: set by pointing
    into the picture and kept only in the address. A slider named t gets a play button. when: (name, value) of the
    choice with which alone the control is shown; its value counts always.
    """

    name: str
    label: str
    low: float
    high: float
    step: float
    start: float
    kind: Literal["slider", "choice", "hidden"] = "slider"
    options: tuple[str, ...] = ()
    when: tuple[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """A number of a lesson and its reference: a closed form, or a second method. tolerance: their largest allowed
    difference; source: where the reference comes from.
    """

    label: str
    computed: float
    exact: float
    tolerance: float
    source: str

    @property
    def holds(self) -> bool:
        return abs(self.computed - self.exact) <= self.tolerance

    @property
    def words(self) -> str:
        return f"computed {_number(self.computed)}, closed form {_number(self.exact)}"


@dataclass(frozen=True, slots=True)
class Scene:
    """The data of a lesson's picture: arrays, numbers, texts or lists of these by name, and the checked numbers."""

    data: Mapping[str, np.ndarray | float | str | list]
    checks: tuple[Check, ...] = ()

    def array(self, name: str) -> np.ndarray:
        """An array in `data`. Raises TypeError for anything else."""
        value = self.data[name]
        if not isinstance(value, np.ndarray):
            raise TypeError(f"{name} is not an array")
        return value

    def number(self, name: str) -> float:
        """A number in `data`. Raises TypeError for anything else."""
        value = self.data[name]
        if not isinstance(value, float):
            raise TypeError(f"{name} is not a number")
        return value


def encode_scene(scene: Scene, settings: Mapping[str, float]) -> dict[str, object]:
    """The scene as plain JSON values: `data` (arrays as base64 of little-endian float32 with their shape), `settings`,
    and `fingerprint`, a hash of the data alone. Equal data have equal fingerprints, so a moved slider does not restart
    the picture.
    """
    data = {name: _encode(value) for name, value in scene.data.items()}
    digest = hashlib.blake2b(json.dumps(data, sort_keys=True).encode(), digest_size=12)
    return {
        "data": data,
        "settings": {name: float(value) for name, value in settings.items()},
        "fingerprint": digest.hexdigest(),
    }


def read_settings(controls: tuple[Control, ...], text: str | None) -> dict[str, float]:
    """Values of all controls from "t:0.3,rho:-0.5". A control that is absent or not a number keeps its start value, an
    unknown name is ignored, the rest is moved into range.

    People type and shorten addresses, so a lesson always opens.
    """
    values = {control.name: float(control.start) for control in controls}
    given = dict(part.strip().split(":", 1) for part in (text or "").split(",") if ":" in part)
    for control in controls:
        try:
            value = float(given[control.name])
        except (KeyError, ValueError):
            continue
        if math.isfinite(value):
            value = round(value) if control.kind == "choice" else value
            values[control.name] = float(min(control.high, max(control.low, value)))
    return values


def write_settings(controls: tuple[Control, ...], values: Mapping[str, float]) -> str:
    """The text that `read_settings` reads: the values that differ from their start, to four decimals."""
    texts = {
        control.name: (f"{values.get(control.name, control.start):.4f}", f"{control.start:.4f}") for control in controls
    }
    return ",".join(f"{name}:{text.rstrip('0').rstrip('.')}" for name, (text, start) in texts.items() if text != start)


def own_points(text: str) -> np.ndarray:
    """Points drawn by hand, from "x,y;x,y": (n, 2) with 1 <= n <= 400. Raises SettingsError for anything else."""
    try:
        points = np.array(
            [[float(value) for value in pair.split(",")] for pair in text.split(";") if pair.strip()], dtype=np.float64
        )
    except ValueError:
        points = np.empty((0, 0))
    if (
        points.ndim != 2
        or points.shape[1] != 2
        or not 1 <= len(points) <= MOST_OWN_POINTS
        or not np.all(np.abs(points) <= OWN_LIMIT)
    ):
        raise SettingsError(
            f"The drawn points cannot be read: expected 1 to {MOST_OWN_POINTS} pairs x,y between -{OWN_LIMIT:g} and"
            f" {OWN_LIMIT:g}, found {text[:40]!r}.",
            fix="Remove `points` from the address, or draw them again.",
        )
    return points


def choose_points(data: str, own: str | None, seed: int, n: int = N_POINTS) -> np.ndarray:
    """Points of a data set by name, (n, 2), or those drawn by hand for "drawn".
    Raises SettingsError for an unknown name.
    """
    if data == OWN and own:
        return own_points(own)
    if data not in DATA_SETS:
        raise SettingsError(
            f"There is no data set {data!r}.", fix=f"Choose one of {', '.join(DATA_SETS)}, or draw points."
        )
    return DATA_SETS[data](n, np.random.default_rng(seed))


def moons(n: int, rng: np.random.Generator) -> np.ndarray:
    """Two interlocking half circles; (n, 2)."""
    angle, is_upper = rng.uniform(0, np.pi, n), np.arange(n) % 2 == 0
    x = np.where(is_upper, np.cos(angle), 1 - np.cos(angle))
    y = np.where(is_upper, np.sin(angle), 0.5 - np.sin(angle))
    return _scaled(np.stack([x, y], axis=1) + 0.05 * rng.standard_normal((n, 2)))


def rings(n: int, rng: np.random.Generator) -> np.ndarray:
    """Two circles around one centre, the outer with twice the radius and two thirds of the points; (n, 2)."""
    angle, radius = rng.uniform(0, 2 * np.pi, n), np.where(np.arange(n) % 3 == 0, 1.0, 2.0)
    return _scaled(
        radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1) + 0.04 * rng.standard_normal((n, 2))
    )


def grid(n: int, rng: np.random.Generator) -> np.ndarray:
    """Sixteen small groups on a square lattice; (n, 2)."""
    place = np.arange(n) % 16
    return _scaled(np.stack([place % 4, place // 4], axis=1) - 1.5 + 0.08 * rng.standard_normal((n, 2)))


def letters(n: int, rng: np.random.Generator) -> np.ndarray:
    """The letters WT, filled with points; (n, 2)."""
    picture = Image.new("L", (260, 150), 0)
    ImageDraw.Draw(picture).text(
        (130, 75), "WT", fill=255, font=ImageFont.load_default(size=130), anchor="mm", stroke_width=2
    )
    rows, columns = np.nonzero(np.asarray(picture) > 127)
    chosen = rng.permutation(len(rows))[np.arange(n) % len(rows)]
    return _scaled(np.stack([columns[chosen], -rows[chosen]], axis=1) + rng.uniform(-0.5, 0.5, (n, 2)))


def one_gaussian(n: int, rng: np.random.Generator) -> np.ndarray:
    """One round cloud; (n, 2)."""
    return _scaled(rng.standard_normal((n, 2)))


DATA_SETS: Final[dict[str, Callable[[int, np.random.Generator], np.ndarray]]] = {
    "moons": moons,
    "rings": rings,
    "grid": grid,
    "letters": letters,
    "one_gaussian": one_gaussian,
}

DATA_TITLES: Final[dict[str, str]] = {
    "moons": "Two moons",
    "rings": "Rings",
    "grid": "Grid",
    "letters": "Letters",
    "one_gaussian": "One Gaussian",
    OWN: "Drawn by hand",
}


def _scaled(points: np.ndarray) -> np.ndarray:
    """The points around their mean, with mean squared norm 2, as that of standard noise in the plane."""
    centred = points - points.mean(axis=0)
    size = float(np.sqrt(np.square(centred).sum(axis=1).mean() / 2))
    return centred / size if size > 0 else centred


def _encode(value: object) -> object:
    if isinstance(value, np.ndarray):
        plain = np.ascontiguousarray(value, dtype="<f4")
        return {"shape": list(plain.shape), "f4": base64.b64encode(plain.tobytes()).decode()}
    if isinstance(value, list | tuple):
        return [_encode(item) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    return value


def _number(value: float) -> str:
    """Four decimals, or a power of ten for very small or large values."""
    size = abs(value)
    return f"{value:.2e}" if size >= 1e5 or 0 < size < 1e-3 else f"{value:.4f}"
