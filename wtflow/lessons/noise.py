"""Lesson 9, noise on the way: a stochastic equation that carries the crowd through the same densities as the flow,
while each particle forgets where it began.

Data lie on a line: one Gaussian or two groups. The browser moves crowds by the method of Euler and Maruyama; here the
laws that they must follow are compared with differences, recursions and sampling.

Sources: Song et al. 2021, arXiv 2011.13456, and Albergo et al. 2023, arXiv 2303.08797, for equations with the same
densities; what one Gaussian remembers is ours (METHOD 5.12).
"""

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.integrate import solve_ivp

from wtflow.flow import exact
from wtflow.lessons import groups
from wtflow.lessons.base import Check, Control, Scene

if TYPE_CHECKING:
    from wtflow.plots.still.sheet import Axes, Figure

WAYS: Final = ("data → noise", "noise → data")
CONTROLS: Final = (
    Control("t", "Time t", 0, 1, 0.01, 0.5),
    Control("g", "Noise g", 0, 1.5, 0.05, 0.8),
    Control("s", "Thickness s", 0.2, 1, 0.05, 0.4),
    Control("steps", "Steps", 10, 200, 1, 100),
    Control("data", "Data", 0, 1, 1, 1, "choice", groups.NAMES),
    Control("way", "Way", 0, 1, 1, 0, "choice", WAYS),
    Control("x", "Start x", -3, 3, 0.05, 1.4, "hidden"),
)
DATA: Final = ()

N_CROWD: Final = 600
"""Particles of the browser's crowds."""
_SAMPLE: Final = 2_000
_FINE: Final = 100
_SURE = 5.0
"""Standard errors within which a sampled number must lie: one seed in a million misses."""


def prepare(seed: int, points: np.ndarray | None, settings: dict[str, float]) -> Scene:
    """`g` (600, 2): independent standard normal values, from which starts are made; `seed`, from which the browser
    draws the noise on the way. No points are used.
    """
    rng = np.random.default_rng(seed)
    return Scene({"g": rng.standard_normal((N_CROWD, 2)), "seed": float(seed)}, _checks(rng, settings))


def travel(
    start: np.ndarray, g: float, n_steps: int, means: np.ndarray, s: float, is_back: bool, rng: np.random.Generator
) -> np.ndarray:
    """Paths (n_steps + 1, N) of Euler and Maruyama's method: dx = (v + g^2/2 slope) dt + g dW from t=0, or back from
    t=1 with -v. Source: METHOD 5.12.
    """
    h, path = 1 / n_steps, [np.asarray(start, np.float64)]
    for k in range(n_steps):
        t, x = (1 - k * h if is_back else k * h), path[-1]
        drift = (-1 if is_back else 1) * groups.velocity(x, t, means, s) + 0.5 * g**2 * groups.slope(x, t, means, s)
        path.append(x + h * drift + g * np.sqrt(h) * rng.standard_normal(len(x)))
    return np.array(path)


def recursion(n_steps: int, g: float, s: float, is_back: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Variances (n_steps + 1,) of one centred Gaussian's crowd after each step of that method, and the correlations
    with where it began. Source: ours, because every step is linear.
    """
    h, start = 1 / n_steps, 1.0 if is_back else s**2
    k = np.arange(n_steps)
    t = 1 - k * h if is_back else k * h
    drift = (-1 if is_back else 1) * exact.gaussian_velocity(1.0, t, 0.0, s) - 0.5 * g**2 / groups.variance(t, s)
    factor, spread = 1 + h * drift, [start]
    for square in np.square(factor).tolist():
        spread.append(square * spread[-1] + g**2 * h)
    covariance = start * np.concatenate([[1.0], np.cumprod(factor)])
    return np.array(spread), covariance / np.sqrt(start * np.array(spread))


def clock(t: float, s: float) -> float:
    """The integral of 1/V from 0 to t, in which time noise of g = 1 mixes: pi / (2 s) at t=1. Source: METHOD 5.12."""
    return float(np.arctan2(t, (1 - t) * s) / s)


def memory(g: float, s: float, t: float = 1.0) -> float:
    """Correlation of x_t with x_0 for one Gaussian: exp(-g^2 clock(t) / 2), at t=1 exp(-pi g^2 / (4 s)); the same on
    the way back. Source: METHOD 5.12.
    """
    return float(np.exp(-0.5 * g**2 * clock(t, s)))


def chosen(settings: dict[str, float]) -> tuple[float, float, float, np.ndarray, bool]:
    """t, g, s, means and whether the way leads back to the data."""
    return settings["t"], settings["g"], settings["s"], groups.MEANS[int(settings["data"])], settings["way"] > 0.5


def _checks(rng: np.random.Generator, settings: dict[str, float]) -> tuple[Check, ...]:
    t, g, s, means, is_back = chosen(settings)
    at = np.array([settings["x"]])
    h = 1e-4 * s
    difference = np.diff(np.log(groups.density(at + np.array([-h, h]), t, means, s)))[0] / (2 * h)
    now = float(groups.slope(at, t, means, s)[0])
    checks = [
        Check("score function at x and t, against a difference of log q", now, float(difference), 1e-4, "METHOD 5.12"),
        _fokker_planck(at, min(max(t, 0.01), 0.99), g, means, s),
    ]
    draws = rng.standard_normal((_SAMPLE, 2))
    start = draws[:, 0] if is_back else groups.sample(draws, means, s)
    path = travel(start, g, _FINE, means, s, is_back, rng)
    x = path[round((1 - t if is_back else t) * _FINE)]
    wanted = groups.mean_square(t, means, s)
    steps = abs(
        np.array(recursion(_FINE, g, s, is_back)[0][round((1 - t if is_back else t) * _FINE)]) - groups.variance(t, s)
    )
    error = _SURE * float(np.square(x).std()) / np.sqrt(_SAMPLE) + 2 * float(steps) + 0.01 * wanted
    label = "mean square of 2,000 noisy particles at t, against (1 − t)² mean(m²) + V"
    checks.append(Check(label, float(np.square(x).mean()), wanted, error, "METHOD 5.12, sampled"))
    many = float(recursion(20_000, g, s, is_back)[1][-1])
    label = "one Gaussian: correlation of start and end in 20,000 steps, against exp(−π g² / (4 s))"
    checks.append(Check(label, many, memory(g, s), 2e-3, "METHOD 5.12"))
    solved = solve_ivp(lambda time, y: groups.velocity(y, time, means, s), (0, 1), at, rtol=1e-8, atol=1e-10)
    label = "end of the flow from x, against the place with as much noise below it"
    checks.append(Check(label, float(solved.y[0, -1]), float(groups.end(at, means, s)[0]), 1e-4, "METHOD 5.13"))
    return tuple(checks)


def _fokker_planck(at: np.ndarray, t: float, g: float, means: np.ndarray, s: float) -> Check:
    """How fast the density changes at a place, by a difference in time, and by the stochastic equation's own law, with
    differences in place.
    """
    h, k = 1e-3 * s, 1e-4 * s
    change = float(groups.density(at, t + k, means, s)[0] - groups.density(at, t - k, means, s)[0]) / (2 * k)
    x = at + h * np.array([-1.0, 0.0, 1.0])
    q = groups.density(x, t, means, s)
    carried = q * (groups.velocity(x, t, means, s) + 0.5 * g**2 * groups.slope(x, t, means, s))
    law = -(carried[2] - carried[0]) / (2 * h) + 0.5 * g**2 * (q[2] - 2 * q[1] + q[0]) / h**2
    label = "change of the density at x and t, by Fokker and Planck's equation of the noisy way"
    return Check(label, float(law), change, 1e-3 * (1 + abs(change)), "METHOD 5.12, by differences")


def figure(scene: Scene, settings: dict[str, float]) -> "list[tuple[str, Figure]]":
    """Paths from one start, the crowds at t beside the exact density, and starts against ends."""
    from wtflow.plots.still.sheet import FULL_MM, add_legend, name_axes, new_sheet

    sheet, (paths, law, ends) = new_sheet(FULL_MM, 66, 3)
    t, g, s, means, is_back = chosen(settings)
    n, rng = int(settings["steps"]), np.random.default_rng(int(scene.number("seed")))
    draws = scene.array("g")
    start = draws[:, 0] if is_back else groups.sample(draws, means, s)
    crowd = travel(start, g, n, means, s, is_back, rng)
    flow = travel(start, 0.0, n, means, s, is_back, rng)
    _draw_paths(paths, settings, rng)
    k = round((1 - t if is_back else t) * n)
    _draw_law(law, (crowd[k], flow[k]), t, means, s)
    _draw_ends(ends, crowd, flow)
    name_axes(paths, "t (0 = data, 1 = noise)", "x")
    name_axes(law, f"x at t = {t:.2f}", "density")
    name_axes(ends, f"start at t = {int(is_back)}", f"end at t = {int(not is_back)}")
    add_legend(sheet, (paths, law, ends), 4)
    return [("noise", sheet)]


def _draw_paths(axes: "Axes", settings: dict[str, float], rng: np.random.Generator) -> None:
    from wtflow.plots.theme import COLOURS

    t, g, s, means, is_back = chosen(settings)
    n = int(settings["steps"])
    times = np.linspace(1, 0, n + 1) if is_back else np.linspace(0, 1, n + 1)
    noisy = travel(np.full(12, settings["x"]), g, n, means, s, is_back, rng)
    smooth = travel(np.array([settings["x"]]), 0.0, n, means, s, is_back, rng)
    axes.plot(times, noisy, color=COLOURS["selected"], linewidth=0.5, alpha=0.7)
    axes.plot(times, smooth, color=COLOURS["normal"], linewidth=1.2)
    axes.axvline(t, color=COLOURS["reference"], linewidth=0.8)
    axes.set(xlim=(0, 1), ylim=(-3.2, 3.2))


def _draw_law(axes: "Axes", crowds: tuple[np.ndarray, np.ndarray], t: float, means: np.ndarray, s: float) -> None:
    from wtflow.plots.still.sheet import INK
    from wtflow.plots.theme import COLOURS

    edges, x = np.linspace(-3.2, 3.2, 41).tolist(), np.linspace(-3.2, 3.2, 321)
    noisy, smooth = crowds
    axes.hist(noisy, edges, density=True, color=COLOURS["selected"], alpha=0.45, label="with noise (SDE)")
    axes.hist(smooth, edges, density=True, histtype="step", color=COLOURS["normal"], label="without (ODE)")
    axes.plot(x, groups.density(x, t, means, s), color=INK, linewidth=1.1, label="exact density")


def _draw_ends(axes: "Axes", crowd: np.ndarray, flow: np.ndarray) -> None:
    from wtflow.plots.theme import COLOURS

    axes.plot(crowd[0], crowd[-1], ".", color=COLOURS["selected"], markersize=2)
    order = np.argsort(flow[0])
    axes.plot(flow[0][order], flow[-1][order], color=COLOURS["normal"], linewidth=1.1)
    axes.set(xlim=(-3.2, 3.2), ylim=(-3.2, 3.2))
