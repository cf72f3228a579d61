"""Lesson 6, the singularity: how steep the field is near the data, how wrong few steps are, and what does not return.

Data are Gaussian with thickness s, paired with noise at correlation rho (0 independent, -1 worst), or finitely many
atoms. With slope a(t) the field of centred Gaussian data is a(t) x, so that Euler's method is a product of factors with
a closed form.

Sources: [Paper] arXiv 2508.05461 for the claim that linear-path flow matching is not invertible and singular at the
data end; the slopes, the meeting time and the figures of Euler's error are ours (METHOD 5.3, 5.4, 5.8, 5.10).
"""

from typing import TYPE_CHECKING, Final

import numpy as np

from wtflow.flow import exact
from wtflow.lessons.base import Check, Control, Scene, letters

if TYPE_CHECKING:
    from wtflow.plots.still.sheet import Axes, Figure

RHO: Final = (0.0, -0.9, -0.99, -0.999, -1.0)
CASES: Final = ("independent", "ρ = −0.9", "ρ = −0.99", "ρ = −0.999", "worst, ρ = −1", "finite data, independent")
FINITE: Final = 5
"""Index of the last case."""

CONTROLS: Final = (
    Control("t", "Time t", 0, 1, 0.001, 0.05),
    Control("s", "Data thickness s", 0.01, 1, 0.01, 0.1),
    Control("case", "Pairs", 0, 5, 1, 0, "choice", CASES),
    Control("steps", "Euler steps each way", 1, 200, 1, 8),
)
DATA: Final = ()

ATOMS: Final = np.array([-1.5, -0.75, 0.0, 0.75, 1.5])
"""Finite data on one axis."""

N_LETTERS: Final = 260
STEPS: Final = np.unique(np.round(np.geomspace(1, 4096, 49)).astype(int))
"""Numbers of steps at which errors are drawn."""

_SAMPLE: Final = 20_000
_SURE = 5.0
"""Standard errors within which a sampled number must lie: one seed in a million misses."""


def prepare(seed: int, points: np.ndarray | None, settings: dict[str, float]) -> Scene:
    """`letters` (260, 2): points that spell WT, each axis with mean 0 and standard deviation 1; `atoms` (5,). No
    points are used.
    """
    rng = np.random.default_rng(seed)
    word = letters(N_LETTERS, rng)
    word = (word - word.mean(axis=0)) / word.std(axis=0)
    return Scene({"letters": word, "atoms": ATOMS}, _checks(rng, settings))


def slope(t: np.ndarray | float, s: float, rho: float) -> np.ndarray:
    """a(t), the slope in x of the field of centred Gaussian data. Raises FlowError where it is singular."""
    return exact.gaussian_velocity(1.0, t, 0.0, s, rho)


def steepest(s: float, rho: float) -> tuple[float, float]:
    """The largest slope over all t and its time, for rho > -1 and s <= 1: 1/(2w) at c + w, where a(t) = (t - c) / ((t -
    c)^2 + w^2).

    c = s (s - rho) / A and w = s sqrt(1 - rho^2) / A with A = 1 + s^2 - 2 rho s. At rho = 0 this is (1 + s^2) / (2s) at
    s (1+s) / (1+s^2); toward rho = -1 the neck c tends to the meeting time s / (1+s) and its width w to 0.
    Source: ours.
    """
    centre, width = _neck(s, rho)
    return 1 / (2 * width), centre + width


def first_order(s: float, rho: float) -> float:
    """C, such that n Euler steps from t=0 to 1 miss a share C/n of the exact end for large n: C = (a(1) - a(0) +
    integral of a^2) / 2.

    At rho = 0 this is 1/2 + pi (1 + s^2) / (8 s): thin data need many steps. rho > -1. Source: ours, from the logarithm
    of Euler's product.
    """
    centre, width = _neck(s, rho)
    start, end = rho / s - 1, 1 - rho * s  # a(0) and a(1)
    angle = np.arctan((1 - centre) / width) + np.arctan(centre / width)
    return float((end - start) / 4 + angle / (4 * width))


def euler_there(n_steps: int, s: float, rho: float) -> float:
    """Where n Euler steps from t=0 end, as a share of the exact end x / s; NaN where a step meets the singular time of
    rho = -1.

    The way back, from t=1 to 0, keeps the same share of its exact end, so that a round trip multiplies by its square.
    """
    t = np.arange(n_steps) / n_steps
    if _meets(t, s, rho):
        return float("nan")
    return float(s * np.prod(1 + slope(t, s, rho) / n_steps))


def euler_back(n_steps: int, s: float, rho: float) -> float:
    """Where n Euler steps from t=1 back to 0 end, as a share of the exact end s y; NaN as in `euler_there`."""
    t = np.arange(n_steps, 0, -1) / n_steps
    if _meets(t, s, rho):
        return float("nan")
    return float(np.prod(1 - slope(t, s, rho) / n_steps) / s)


def finite_trip(starts: np.ndarray, n_steps: int, atoms: np.ndarray = ATOMS) -> np.ndarray:
    """Euler paths (2 n + 1, N) of starts (N,) through the field of finite data on a line (A,), from t=0 to 1 and
    back, independent pairs.
    """
    path, h = [np.asarray(starts, np.float64)], 1 / n_steps
    for k in range(2 * n_steps):
        t, sign = (k * h, 1) if k < n_steps else (2 - k * h, -1)
        path.append(
            path[-1]
            + sign * h * exact.finite_velocity(path[-1][:, None], min(t, 1.0), np.asarray(atoms)[:, None])[:, 0]
        )
    return np.array(path)


def _neck(s: float, rho: float) -> tuple[float, float]:
    """Time of the least spread of x_t, without bounds on t, and the width in time of that neck."""
    area = 1 + s**2 - 2 * rho * s
    return s * (s - rho) / area, s * float(np.sqrt(1 - rho**2)) / area


def _meets(t: np.ndarray, s: float, rho: float) -> bool:
    return rho == -1 and bool(np.any(np.abs(t - s / (1 + s)) < 1e-9))


def _checks(rng: np.random.Generator, settings: dict[str, float]) -> tuple[Check, ...]:
    s, t, n = settings["s"], settings["t"], int(settings["steps"])
    fine = np.concatenate([np.geomspace(1e-4, 1, 20_001), [0.0]])
    slopes = slope(fine, s, 0.0)
    checks = [
        Check(
            "largest slope on 20,000 times, independent, against (1 + s²) / (2s)",
            float(slopes.max()),
            float(exact.max_slope(s)),
            1e-5 * float(exact.max_slope(s)),
            "METHOD 5.4",
        ),
        Check(
            "its time against s (1 + s) / (1 + s²)",
            float(fine[slopes.argmax()]),
            float(exact.max_slope_time(s)),
            2e-3,
            "METHOD 5.4",
        ),
        _fitted_slope(rng, s, t),
        _atom_slope(min(max(t, 0.001), 0.5)),
        Check(
            "two Euler steps there and two back: share that returns, against s² / (1 + s²)²",
            euler_there(2, s, 0.0) * euler_back(2, s, 0.0),
            s**2 / (1 + s**2) ** 2,
            1e-12,
            "ours, by hand",
        ),
    ]
    many = int(500 * first_order(s, 0.0))
    lost = many * (1 - euler_there(many, s, 0.0))
    wanted = 0.5 + np.pi * (1 + s**2) / (8 * s)
    checks.append(
        Check(
            f"error of {many:,} Euler steps times their number, against 1/2 + π (1 + s²) / (8s)",
            lost,
            wanted,
            0.01 * wanted,
            "ours, first order",
        )
    )
    if int(settings["case"]) == FINITE:
        checks.append(_one_atom(s, n))
    return tuple(checks)


def _fitted_slope(rng: np.random.Generator, s: float, t: float) -> Check:
    """The slope at t by least squares on sampled pairs: what a network would learn from them."""
    data, noise = s * rng.standard_normal(_SAMPLE), rng.standard_normal(_SAMPLE)
    (found, _), covariance = np.polyfit((1 - t) * data + t * noise, noise - data, 1, cov=True)
    error = _SURE * float(np.sqrt(covariance[0, 0])) + 1e-9
    return Check(
        "slope at t, independent, fitted to 20,000 pairs",
        float(found),
        float(slope(t, s, 0.0)),
        error,
        "METHOD 5.2, by sampling",
    )


def _atom_slope(t: float) -> Check:
    """Slope of the finite field next to an atom, by a difference: 1/t while the next atom is many widths t away, as it
    is for t up to 0.5.
    """
    far, h = np.array([[0.0], [50.0]]), 1e-6
    low, high = exact.finite_velocity([[-h], [h]], t, far)[:, 0]
    return Check(
        f"slope next to an atom of finite data at t = {t:g}, against 1/t",
        float(high - low) / (2 * h),
        1 / t,
        1e-4 / t,
        "METHOD 5.4",
    )


def _one_atom(s: float, n: int) -> Check:
    """One atom and a start at distance s: u = x - (1-t) a grows from (1 - 1/n) s by (k+1)/k a step, to (n - 1) s."""
    end = finite_trip(np.array([0.75 + s]), n, np.array([0.75]))[n, 0]
    return Check(
        f"a start at distance s from a single atom after {n} steps, against (n − 1) s",
        float(end),
        (n - 1) * s,
        1e-9 * n,
        "ours, by hand",
    )


def figure(scene: Scene, settings: dict[str, float]) -> "list[tuple[str, Figure]]":
    """The slope with its maximum, the letters before and after a round trip, and errors against steps."""
    from wtflow.plots.still.sheet import FULL_MM, add_legend, log_axis, name_axes, new_sheet

    sheet, (steep, trip, errors) = new_sheet(FULL_MM, 66, 3)
    s, case = settings["s"], int(settings["case"])
    _draw_slope(steep, s)
    _draw_trip(trip, scene, settings)
    _draw_errors(errors, s, 0 if case == FINITE else case)
    name_axes(steep, "t (0 = data, 1 = noise)", "slope of the field")
    name_axes(trip, "along the data", f"across, in units of s = {s:g}")
    name_axes(errors, "Euler steps each way", "share lost")
    log_axis(steep, "x", [0.001, 0.01, 0.1, 1])
    log_axis(errors, "x", [1, 10, 100, 1000])
    log_axis(errors, "y", [0.001, 0.01, 0.1, 1])
    errors.set_ylim(5e-4, 3)
    add_legend(sheet, (steep, trip, errors), 3)
    return [("singular", sheet)]


def _draw_slope(axes: "Axes", s: float) -> None:
    from wtflow.plots.theme import COLOURS

    t, top = np.geomspace(1e-3, 1, 400), float(exact.max_slope(s))
    axes.plot(t, slope(t, s, 0.0), color=COLOURS["normal"], linewidth=1.1, label="slope, independent")
    axes.plot(t, 1 / t, "--", color=COLOURS["reference"], linewidth=0.9, label="finite data, near an atom: 1/t")
    axes.plot(
        float(exact.max_slope_time(s)), top, "o", color=COLOURS["defect"], markersize=4, label=f"largest: {top:.2f}"
    )
    axes.set_ylim(-1.5, 1.25 * top)


def round_trip(word: np.ndarray, s: float, case: int, n_steps: int) -> np.ndarray:
    """Points (N, 2) in units of (1, s) after n Euler steps to t=1 and n back. What a step brings to the singular time
    of rho = -1 stays at 0.

    Finite data: the second axis starts at s per unit from the middle atom; along the first the data are Gaussian with
    thickness 1.
    """
    rho = 0.0 if case == FINITE else RHO[case]
    along = word[:, 0] * np.nan_to_num(euler_there(n_steps, 1.0, rho) * euler_back(n_steps, 1.0, rho))
    if case == FINITE:
        return np.stack([along, finite_trip(s * word[:, 1], n_steps)[-1] / s], axis=1)
    return np.stack(
        [along, word[:, 1] * np.nan_to_num(euler_there(n_steps, s, rho) * euler_back(n_steps, s, rho))], axis=1
    )


def _draw_trip(axes: "Axes", scene: Scene, settings: dict[str, float]) -> None:
    from wtflow.plots.theme import COLOURS

    word, n = scene.array("letters"), int(settings["steps"])
    back = round_trip(word, settings["s"], int(settings["case"]), n)
    axes.plot(word[:, 0], word[:, 1], ".", color=COLOURS["reference"], markersize=2.5, label="start")
    axes.plot(
        back[:, 0], back[:, 1], ".", color=COLOURS["defect"], markersize=2.5, label=f"returned, {n} steps each way"
    )
    axes.set(xlim=(-2.5, 2.5), ylim=(-2.5, 2.5))


def _draw_errors(axes: "Axes", s: float, case: int) -> None:
    from wtflow.plots.theme import COLOURS

    for rho, colour in dict.fromkeys([(0.0, "normal"), (RHO[case], "defect" if case else "normal")]):
        end = np.array([euler_there(int(n), s, rho) for n in STEPS])
        axes.plot(STEPS, np.abs(1 - end**2), color=COLOURS[colour], linewidth=1.1, label=f"not returned, ρ = {rho:g}")
        axes.plot(
            STEPS, np.abs(1 - end), "--", color=COLOURS[colour], linewidth=0.8, label=f"error at t = 1, ρ = {rho:g}"
        )
        if rho > -1:
            axes.plot(STEPS, first_order(s, rho) / STEPS, ":", color=COLOURS[colour], linewidth=0.8)
