"""Lesson 2, conditional and marginal: all lines through one place at one time, and their mean, which is the field.
NumPy float64, no torch.

Shapes: A atoms (data points). A line runs from an atom a at t=0 to a noise z at t=1; independent pairs.
"""

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import softmax

from wtflow.errors import FlowError
from wtflow.flow.exact import finite_velocity, mixture_score
from wtflow.lessons.base import Check, Control, Scene, choose_points

if TYPE_CHECKING:
    from wtflow.plots.still.sheet import Figure

REACH: Final = 3.0
"""Largest coordinate of the place."""

PICTURE: Final = 3.6
LEAST_OPACITY: Final = 0.03
"""Fainter lines are invisible and not drawn."""

CONTROLS = (
    Control("t", "Time", 0.0, 1.0, 0.01, 0.35),
    Control("field", "Field", 0, 1, 1, 0, "choice", ("here", "everywhere")),
    Control("px", "x", -REACH, REACH, 0.01, 0.6, "hidden"),
    Control("py", "y", -REACH, REACH, 0.01, 0.5, "hidden"),
)
DATA = ("moons", "rings", "grid", "letters", "one_gaussian")


def prepare(seed: int, points: np.ndarray | None, settings: dict[str, float]) -> Scene:
    """Atoms (A, 2), and the field at the chosen place and time by several methods."""
    atoms = choose_points(DATA[0], None, seed) if points is None else np.asarray(points, np.float64)
    return Scene({"atoms": atoms}, _checks(atoms, np.array([settings["px"], settings["py"]]), settings["t"]))


def beside_points(seed: int) -> dict[str, np.ndarray]:
    """Nothing: the scene is the points."""
    return {}


def lines_through(place: np.ndarray, t: float, atoms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Noises z (A, 2) of the lines that run from each atom through `place` (2,) at t, and how likely each line is (A,),
    summing to 1.

    z = (x - (1-t) a) / t; data are equally likely, so a line is as likely as its noise: exp(-|z|^2 / 2). Raises
    FlowError for t outside (0, 1]. Source: ours.
    """
    if not 0 < t <= 1:
        raise FlowError(
            f"At time {t} the lines through a place do not determine their noise.",
            fix="Choose a time above 0, at most 1.",
        )
    noise = (np.asarray(place, np.float64) - (1 - t) * atoms) / t
    return noise, softmax(-np.square(noise).sum(axis=1) / 2)


def _checks(atoms: np.ndarray, place: np.ndarray, t: float) -> tuple[Check, ...]:
    ours = []
    if t > 0:
        noise, weights = lines_through(place, t, atoms)
        mean, closed = weights @ (noise - atoms), finite_velocity(place[None], t, atoms)[0]
        ours = [
            Check(
                f"{axis} of the lines' mean velocity at t = {t:.2f}",
                float(mean[k]),
                float(closed[k]),
                1e-9 * (1 + abs(closed[k])) / t,
                "weighted mean of z - a against (x - E[data]) / t (ours)",
            )
            for k, axis in enumerate("xy")
        ]
    at = min(0.95, max(0.05, t))
    score = mixture_score(place[None], at, np.full(len(atoms), 1 / len(atoms)), atoms, np.full(len(atoms), 1e-6))
    slope = np.linalg.norm(-(place + at * score[0]) / (1 - at))
    speed = float(np.linalg.norm(finite_velocity(place[None], at, atoms)))
    a = atoms[np.square(atoms - place).sum(axis=1).argmin()]
    still = float(np.linalg.norm(finite_velocity(a[None], 1e-4, atoms)))
    return (
        *ours,
        Check(
            f"speed at t = {at:.2f}",
            speed,
            float(slope),
            1e-6 * (1 + speed),
            "(x - E[data]) / t against -(x + t s) / (1 - t), s the slope of the log density (ours)",
        ),
        Check(
            "value at t = 0, distance from -x",
            float(np.linalg.norm(finite_velocity(place[None], 0.0, atoms)[0] + place)),
            0.0,
            1e-12,
            "v(x, 0) = E[noise] - x = -x (ours)",
        ),
        Check(
            "speed at a data point at t = 0.0001", still, 0.0, 1e-6, "the limit from above is 0 there, not -x (ours)"
        ),
    )


def figure(scene: Scene, settings: dict[str, float]) -> "list[tuple[str, Figure]]":
    """The lines through the chosen place at time t, and their mean: [("lines", Figure)]. At t=0 only the arrow of
    the value -x.
    """
    from wtflow.plots.still.sheet import COLUMN_MM, TYPE_PT, add_legend, name_axes, new_sheet
    from wtflow.plots.theme import COLOURS

    atoms, t, place = scene.array("atoms"), settings["t"], np.array([settings["px"], settings["py"]])
    sheet, (axes,) = new_sheet(COLUMN_MM, COLUMN_MM)
    title = "t = 0: shown is the value v(x, 0) = -x"
    if t > 0:
        title = f"t = {t:.2f} (0 = data, 1 = noise)"
        noise, weights = lines_through(place, t, atoms)
        for a, z, opacity in zip(atoms, noise, np.sqrt(weights / weights.max()), strict=True):
            if opacity > LEAST_OPACITY:
                axes.plot(*np.stack([a, z]).T, color=COLOURS["reference"], alpha=0.75 * opacity, linewidth=0.6)
                axes.plot(*z, "o", color=COLOURS["reference"], alpha=opacity, markersize=2)
        axes.plot(
            *np.stack([weights @ atoms, weights @ noise]).T,
            color=COLOURS["time"],
            linewidth=2,
            label="mean of the lines: the field",
        )
    else:
        axes.quiver(
            *place, *-place, color=COLOURS["time"], angles="xy", scale_units="xy", scale=1, width=0.008, zorder=3
        )
    axes.plot(*atoms.T, "o", color=COLOURS["normal"], markersize=2, label="data points")
    axes.plot(*place, "o", color=COLOURS["selected"], markersize=5, label="the place")
    axes.set(aspect="equal", xlim=(-PICTURE, PICTURE), ylim=(-PICTURE, PICTURE))
    axes.set_title(title, loc="left", fontsize=TYPE_PT)
    name_axes(axes, "x", "y")
    add_legend(sheet, [axes], 3)
    return [("lines", sheet)]
