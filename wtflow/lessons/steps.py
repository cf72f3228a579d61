"""Lesson 10, one step or many: what one Euler step from the data sees, what many steps see, and two ways to see it in
one: straightened pairs and the average velocity.

Data lie on a line, one Gaussian or two groups, with independent noise. On a line the exact flow keeps the order, so its
end is known for any data.

Sources: Liu et al. 2022, arXiv 2209.03003, for straightened pairs; Geng et al. 2025, arXiv 2505.13447, for the average
velocity; all closed forms are ours (METHOD 5.10 and 5.13).
"""

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.integrate import solve_ivp
from scipy.special import ndtri

from wtflow.flow import exact
from wtflow.lessons import groups
from wtflow.lessons.base import Check, Control, Scene
from wtflow.lessons.singular import euler_there, first_order

if TYPE_CHECKING:
    from wtflow.plots.still.sheet import Axes, Figure

FIELDS: Final = ("independent pairs", "straightened pairs", "average velocity")
CONTROLS: Final = (
    Control("t", "Time t", 0, 1, 0.01, 0),
    Control("steps", "Euler steps N", 1, 64, 1, 4),
    Control("s", "Thickness s", 0.1, 1, 0.05, 0.3),
    Control("data", "Data", 0, 1, 1, 1, "choice", groups.NAMES),
    Control("field", "Steps along", 0, 2, 1, 0, "choice", FIELDS),
    Control("x", "Start x", -3, 3, 0.05, 1.6, "hidden"),
)
DATA: Final = ()

N_DRAWN: Final = 12
N_STARTS: Final = 16
"""Starts by which errors are measured: the data's quantiles at the middles of as many equal parts."""
STEPS: Final = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
"""Numbers of steps at which errors are drawn."""


def prepare(seed: int, points: np.ndarray | None, settings: dict[str, float]) -> Scene:
    """`starts` (64,): a sample of standard normal values, from which the drawn paths start. No points are used."""
    """`g` (12, 2): independent standard normal values, from which the starts of the drawn paths are made. No points are
    used.
    """
    return Scene({"g": np.random.default_rng(seed).standard_normal((N_DRAWN, 2))}, _checks(settings))


def euler(start: np.ndarray, n_steps: int, means: np.ndarray, s: float) -> np.ndarray:
    """Paths (n_steps + 1, N) of Euler's method along the exact field of independent pairs, from t=0."""
    path = [np.asarray(start, np.float64)]
    for k in range(n_steps):
        path.append(path[-1] + groups.velocity(path[-1], k / n_steps, means, s) / n_steps)
    return np.array(path)


def one_step(x: np.ndarray, t: float, means: np.ndarray, s: float) -> np.ndarray:
    """Where one Euler step from t to 1 ends: the mean noise of the lines through x (N,), -t slope; 0 for every x at
    t=0. Source: METHOD 5.13.
    """
    return -t * groups.slope(x, t, means, s)


def average_velocity(x: np.ndarray, t: float, mean: float, s: float) -> np.ndarray:
    """The mean of the exact velocity from t < 1 to 1 along the path through x (N,), for one Gaussian: ((x - (1-t) m) /
    sqrt(V) - x) / (1-t). Source: METHOD 5.13.
    """
    return ((x - (1 - t) * mean) / np.sqrt(groups.variance(t, s)) - x) / (1 - t)


def quantiles(means: np.ndarray, s: float) -> np.ndarray:
    """The data's quantiles (16,) at the middles of equal parts, by bisection."""
    wanted = ndtri((np.arange(N_STARTS) + 0.5) / N_STARTS)
    low, high = np.full(N_STARTS, means.min() - 6 * s), np.full(N_STARTS, means.max() + 6 * s)
    for _ in range(60):
        middle = (low + high) / 2
        is_below = groups.end(middle, means, s) < wanted
        low, high = np.where(is_below, middle, low), np.where(is_below, high, middle)
    return (low + high) / 2


def share_lost(n_steps: int, means: np.ndarray, s: float) -> float:
    """Root mean square of the gap between Euler's ends and the exact ones over the quantiles, as a share of that of the
    exact ends; for one Gaussian |1 - `euler_there`|.
    """
    start = quantiles(means, s)
    wanted = groups.end(start, means, s)
    gap = euler(start, n_steps, means, s)[-1] - wanted
    return float(np.sqrt(np.mean(gap**2) / np.mean(wanted**2)))


def chosen(settings: dict[str, float]) -> tuple[float, int, float, np.ndarray, float]:
    """t, N, s, means and the start x."""
    means = groups.MEANS[int(settings["data"])]
    return settings["t"], int(settings["steps"]), settings["s"], means, settings["x"]


def _checks(settings: dict[str, float]) -> tuple[Check, ...]:
    t, n, s, means, x = chosen(settings)
    at = np.array([x])
    wanted = float(groups.end(at, means, s)[0])
    one = float(euler(at, 1, means, s)[-1, 0])
    solved = solve_ivp(
        lambda time, y: groups.velocity(y, time, means, s), (0, 1), at, rtol=1e-9, atol=1e-11, dense_output=True
    )
    here = solved.sol(t)
    step = float(here[0] + (1 - t) * groups.velocity(here, t, means, s)[0])
    closed = float(one_step(here, t, means, s)[0])
    times, weights = np.polynomial.legendre.leggauss(200)
    along = t + (1 - t) * (times + 1) / 2
    mean = 0.5 * sum(w * groups.velocity(solved.sol(u), u, means, s)[0] for u, w in zip(along, weights, strict=True))
    words = "x at t plus (1 − t) times the average of v along its path, against the exact end"
    checks = [
        Check("score after one Euler step from x at t = 0", 0.5 * one**2, 0.0, 1e-12, "METHOD 5.1"),
        Check("one Euler step from t, against −t × the score function", step, closed, 1e-8, "METHOD 5.13"),
        Check(
            "many steps from x, against the place with as much noise below it",
            float(solved.y[0, -1]),
            wanted,
            1e-5,
            "METHOD 5.13",
        ),
        Check(words, float(here[0] + (1 - t) * mean), wanted, 1e-4, "METHOD 5.13"),
    ]
    if len(means) == 1:
        share = float(euler(at, n, means, s)[-1, 0])
        label = f"end of {n} Euler step{'' if n == 1 else 's'}, against their product"
        checks.append(Check(label, share, euler_there(n, s, 0.0) * wanted, 1e-9, "METHOD 5.10"))
        many = int(400 * first_order(s, 0.0))
        label = f"error of {many:,} Euler steps times their number, against C"
        lost = many * (1 - euler_there(many, s, 0.0))
        checks.append(Check(label, lost, first_order(s, 0.0), 0.01 * first_order(s, 0.0), "METHOD 5.10"))
        straight = float(x + exact.gaussian_velocity(x, 0.0, means[0], s, 1.0))
        checks.append(
            Check("one Euler step along straightened pairs, against (x − m) / s", straight, wanted, 1e-9, "METHOD 5.13")
        )
        if t < 1:
            form = float(average_velocity(here, t, means[0], s)[0])
            label = "average of v from t to 1 along the path, against its closed form"
            checks.append(Check(label, float(mean), form, 1e-4 / (1 - t), "METHOD 5.13"))
    else:
        ratio = share_lost(128, means, s) / share_lost(256, means, s)
        label = "error of 128 Euler steps over that of 256"
        checks.append(Check(label, ratio, 2.0, 0.1, "METHOD 5.10"))
    return tuple(checks)


def figure(scene: Scene, settings: dict[str, float]) -> "list[tuple[str, Figure]]":
    """Paths and Euler steps, starts against ends, and errors against the number of steps."""
    from wtflow.plots.still.sheet import FULL_MM, add_legend, log_axis, name_axes, new_sheet

    sheet, (paths, ends, errors) = new_sheet(FULL_MM, 66, 3)
    _draw_paths(paths, scene, settings)
    _draw_ends(ends, settings)
    _draw_errors(errors, settings)
    name_axes(paths, "t (0 = data, 1 = noise)", "x")
    name_axes(ends, "start x at t = 0", "end at t = 1")
    name_axes(errors, "Euler steps N", "share lost")
    log_axis(errors, "x", [1, 10, 100])
    log_axis(errors, "y", [0.001, 0.01, 0.1, 1])
    errors.set_ylim(1e-3, 2)
    add_legend(sheet, (paths, ends, errors), 4)
    return [("steps", sheet)]


def _draw_paths(axes: "Axes", scene: Scene, settings: dict[str, float]) -> None:
    from wtflow.plots.theme import COLOURS

    t, n, s, means, x = chosen(settings)
    starts = np.append(groups.sample(scene.array("g"), means, s), x)
    fine = euler(starts, 1_000, means, s)
    exact_ends, field = groups.end(starts, means, s), int(settings["field"])
    if field == 1:
        axes.plot([0, 1], np.stack([starts, exact_ends]), color=COLOURS["normal"], linewidth=0.8)
        stepped = np.linspace(starts, exact_ends, n + 1)
    else:
        axes.plot(np.linspace(0, 1, 1_001), fine, color=COLOURS["normal"], linewidth=0.8)
        stepped = euler(starts, n, means, s) if field == 0 else fine[np.round(np.linspace(0, 1_000, n + 1)).astype(int)]
    axes.plot(np.linspace(0, 1, n + 1), stepped, "--", color=COLOURS["selected"], linewidth=0.7)
    here = fine[round(1_000 * t), -1:] if field != 1 else (1 - t) * starts[-1:] + t * exact_ends[-1:]
    aim = one_step(here, t, means, s) if field == 0 else exact_ends[-1:]
    axes.plot([t, 1], [here[0], aim[0]], color=COLOURS["time"], linewidth=1.2)
    axes.plot(1, aim[0], "o", color=COLOURS["time"], markersize=4)
    axes.set(xlim=(0, 1.02), ylim=(-4, 4))


def _draw_ends(axes: "Axes", settings: dict[str, float]) -> None:
    from wtflow.plots.theme import COLOURS

    _, n, s, means, _ = chosen(settings)
    x = np.linspace(-3, 3, 241)
    axes.plot(x, groups.end(x, means, s), color=COLOURS["normal"], linewidth=1.2, label="exact end")
    label = f"{n} Euler step{'' if n == 1 else 's'}, independent pairs"
    axes.plot(x, euler(x, n, means, s)[-1], "--", color=COLOURS["selected"], linewidth=1, label=label)
    axes.plot(x, euler(x, 1, means, s)[-1], ":", color=COLOURS["defect"], linewidth=1.2, label="1 Euler step")
    axes.set(xlim=(-3, 3), ylim=(-4, 4))


def _draw_errors(axes: "Axes", settings: dict[str, float]) -> None:
    from wtflow.plots.theme import COLOURS

    _, n, s, means, _ = chosen(settings)
    lost = [share_lost(steps, means, s) for steps in STEPS]
    axes.plot(STEPS, lost, ".-", color=COLOURS["selected"], linewidth=1, markersize=3)
    last = first_order(s, 0.0) if len(means) == 1 else lost[-1] * STEPS[-1]
    axes.plot(STEPS, last / np.array(STEPS), ":", color=COLOURS["reference"], linewidth=1, label="C / N")
    axes.axvline(n, color=COLOURS["reference"], linewidth=0.8)
