"""Lesson 1, from noise to data and back: particles in the exact field of finite data, in both directions of time. NumPy
float64, no torch.

Shapes: A atoms (data points), N particles, S times. Time runs from data (t=0) to standard Gaussian noise (t=1).
"""

from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import logsumexp

from wtflow.flow.exact import finite_estimate, finite_velocity
from wtflow.lessons.base import MOST_OWN_POINTS, Check, Control, Scene, choose_points

if TYPE_CHECKING:
    from wtflow.plots.still.sheet import Figure

N_TIMES: Final = 48
"""Saved times of a path; the browser takes the same."""

BEND: Final = 2.2
"""Times are (k/S)^BEND: close to each other near the data, where the field turns fast."""

REACH: Final = 3.2
"""The picture shows the plane to here."""

N_CHECKED: Final = 128
"""Particles followed for a check: at most half a second, because the page waits."""

CONTROLS = (
    Control("t", "Time", 0.0, 1.0, 0.01, 0.0),
    Control("way", "Follow", 0, 1, 1, 0, "choice", ("data to noise (rFM)", "noise to data (FM)")),
    Control("show", "Show", 0, 2, 1, 0, "choice", ("all", "trails", "arrows")),
    Control("mouse", "Mouse", 0, 2, 1, 0, "choice", ("look", "draw", "erase")),
)
DATA = ("moons", "rings", "grid", "letters")


def prepare(seed: int, points: np.ndarray | None, settings: dict[str, float]) -> Scene:
    """Atoms (A, 2), one noise per atom (A, 2) whose mean is 0 and whose mean squared norm is 2,
    and checks of the field.
    """
    atoms = choose_points(DATA[0], None, seed) if points is None else np.asarray(points, np.float64)
    noise = balanced_noise(len(atoms), seed)
    return Scene({"atoms": atoms, "noise": noise}, _checks(atoms.tobytes(), seed))


def beside_points(seed: int) -> dict[str, np.ndarray]:
    """`draws` (400, 2): the draws that `balanced_noise` shifts and scales. Fewer points take the first of them."""
    return {"draws": _draws(MOST_OWN_POINTS, seed)}


def balanced_noise(n: int, seed: int) -> np.ndarray:
    """Gaussian noise (n, 2), shifted to mean 0 and scaled to mean squared norm 2, so that few
    points represent the whole.

    A single draw is not changed.
    """
    noise = _draws(n, seed)
    if n < 2:
        return noise
    noise -= noise.mean(axis=0)
    return noise * np.sqrt(2 / np.square(noise).sum(axis=1).mean())


def _draws(n: int, seed: int) -> np.ndarray:
    return np.random.default_rng([seed, 1]).standard_normal((n, 2))


def path_times(n: int = N_TIMES) -> np.ndarray:
    """Times (n + 1,) from 0 to 1 at which paths are kept."""
    return (np.arange(n + 1) / n) ** BEND


def follow(start: np.ndarray, times: np.ndarray, atoms: np.ndarray) -> np.ndarray:
    """Where the exact field brings particles that are at `start` (N, 2) at times[0]; (S, N, 2).

    times rise from above 0, or fall to 0 or above. Between two times the estimate of the data is constant, the mean of
    both ends, while the rest of the field, linear in x, is solved exactly: (x - a) grows like t. So the singular end
    t=0 needs no small steps. Second order. Source: ours.
    """
    path = [np.asarray(start, np.float64)]
    for t, after in zip(times[:-1], times[1:], strict=True):
        x, share = path[-1], after / t
        held = finite_estimate(x, t, atoms)
        if after > 0:
            held = (held + finite_estimate(held + (x - held) * share, after, atoms)) / 2
        path.append(held + (x - held) * share)
    return np.stack(path)


def travel(
    atoms: np.ndarray, noise: np.ndarray, is_reversed: bool, n_times: int = N_TIMES
) -> tuple[np.ndarray, np.ndarray]:
    """Times (S + 1,) rising from 0 and positions (S + 1, N, 2) of one particle per noise, from data to noise
    (is_reversed) or the other way.

    noise: (N, 2) with N <= A, the partners of the first atoms. Data to noise cannot start on the atoms, because a
    whole bundle of paths leaves each of them: each particle starts on its own line at the first time above 0, which is
    an exact draw of x_t.
    """
    times = path_times(n_times)
    if not is_reversed:
        return times, follow(noise, times[::-1], atoms)[::-1]
    data = atoms[: len(noise)]
    begun = follow((1 - times[1]) * data + times[1] * noise, times[1:], atoms)
    return times, np.concatenate([data[None], begun])


@lru_cache(maxsize=4)
def _travel_again(atoms: bytes, noise: bytes, is_reversed: bool) -> tuple[np.ndarray, np.ndarray]:
    """`travel`, cached: a movie draws the same paths forty times."""
    return travel(np.frombuffer(atoms).reshape(-1, 2), np.frombuffer(noise).reshape(-1, 2), is_reversed)


def mean_square(t: np.ndarray | float, atoms: np.ndarray) -> np.ndarray:
    """E|x_t|^2 = (1-t)^2 E|x_data|^2 + 2 t^2 in the plane: data and noise are independent, and noise has mean 0.
    Source: ours.
    """
    return (1 - np.asarray(t)) ** 2 * np.square(atoms).sum(axis=1).mean() + 2 * np.square(t)


@lru_cache(maxsize=16)
def _checks(atoms_bytes: bytes, seed: int) -> tuple[Check, ...]:
    """Checks that depend on the points alone and not on the settings."""
    # In random order, so that the first of them represent all.
    atoms = np.random.default_rng([seed, 2]).permutation(np.frombuffer(atoms_bytes).reshape(-1, 2))
    noise, place, t = balanced_noise(min(N_CHECKED, len(atoms)), seed), np.array([[0.7, -0.4]]), 0.4
    score = density_slope(place, t, atoms)
    other = float(np.linalg.norm(-(place + t * score) / (1 - t)))
    _, back = travel(atoms, noise, is_reversed=False, n_times=24)
    gap = np.linalg.norm(back[0][:, None] - atoms, axis=2).min(axis=1).max()
    _, there = travel(atoms, noise, is_reversed=True, n_times=24)
    size, step = (
        float(np.square(there[-1]).sum(axis=1).mean()),
        float(np.linalg.norm(place + finite_velocity(place, 0.0, atoms))),
    )
    return (
        Check(
            "speed at (0.7, -0.4), t = 0.4",
            float(np.linalg.norm(finite_velocity(place, t, atoms))),
            other,
            1e-5 + 1e-5 * other,
            "(x - E[data]) / t against -(x + t s) / (1 - t), s the slope of the log density, by differences (ours)",
        ),
        Check(
            "noise to data: largest distance of an endpoint from its nearest data point",
            float(gap),
            0.0,
            1e-3,
            "the field of finite data ends on data points (ours)",
        ),
        Check(
            "data to noise: mean squared distance from the origin at t = 1",
            size,
            2.0,
            4 * 2 / np.sqrt(len(noise)) + 0.01,
            f"2 for standard noise in the plane; {len(noise)} particles scatter around it",
        ),
        Check(
            "one step from t = 0 ends at",
            step,
            0.0,
            1e-12,
            "x + v(x, 0) is the mean noise, 0 for independent pairs (ours)",
        ),
    )


def density_slope(x: np.ndarray, t: float, atoms: np.ndarray, h: float = 1e-5) -> np.ndarray:
    """Gradient of log p_t at x (N, 2), by central differences of the density of (1-t) atom + t noise; (N, 2). Source:
    textbook.
    """

    def log_density(at: np.ndarray) -> np.ndarray:
        return logsumexp(-np.square(at[:, None] - (1 - t) * atoms).sum(-1) / (2 * t * t), axis=1)

    return np.stack([(log_density(x + h * axis) - log_density(x - h * axis)) / (2 * h) for axis in np.eye(2)], axis=1)


def figure(scene: Scene, settings: dict[str, float]) -> "list[tuple[str, Figure]]":
    """The particles and the field at time t, with their paths so far: [("flow", Figure)]."""
    from wtflow.plots.still.sheet import COLUMN_MM, TYPE_PT, add_legend, name_axes, new_sheet
    from wtflow.plots.theme import COLOURS

    atoms, t, is_reversed = scene.array("atoms"), settings["t"], settings["way"] == 0
    times, paths = _travel_again(atoms.tobytes(), scene.array("noise").tobytes(), is_reversed)
    now = np.stack([[np.interp(t, times, paths[:, i, k]) for k in (0, 1)] for i in range(paths.shape[1])])
    trail = (
        np.concatenate([paths[times <= t], now[None]])
        if is_reversed
        else np.concatenate([now[None], paths[times >= t]])
    )
    ticks = np.linspace(-REACH, REACH, 17)
    places = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
    field = finite_velocity(places, t, atoms)
    field /= 1 + np.linalg.norm(field, axis=1, keepdims=True) / 2  # shortens long arrows
    sheet, (axes,) = new_sheet(COLUMN_MM, COLUMN_MM)
    axes.quiver(*places.T, *field.T, color=COLOURS["reference"], angles="xy", scale_units="xy", scale=6, width=0.003)
    axes.plot(trail[..., 0], trail[..., 1], color=COLOURS["time"], linewidth=0.4, alpha=0.45)
    axes.plot(*atoms.T, "o", color=COLOURS["reference"], markersize=1.6, label="data points")
    axes.plot(*now.T, "o", color=COLOURS["normal"], markersize=2.6, label="particles")
    axes.set(aspect="equal", xlim=(-REACH, REACH), ylim=(-REACH, REACH))
    axes.set_title(f"t = {t:.2f} (0 = data, 1 = noise)", loc="left", fontsize=TYPE_PT)
    name_axes(axes, "x", "y")
    add_legend(sheet, [axes], 2)
    return [("flow", sheet)]
