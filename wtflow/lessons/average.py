"""Lesson 4, crossing paths average: what a field can learn from lines that cross, in the
family where everything is known.

Data is N(m, s^2), noise N(0, 1), and rho is the correlation of their standardised values: -1 is the worst, 0 the
independent, +1 the optimal coupling of the whole population. The browser draws with closed forms; here they are
compared with sampling and integration.

Sources: [Paper] arXiv 2508.05461 for the path and the worst coupling; the family and all numbers are ours (METHOD 5.1
to 5.3).
"""

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.integrate import solve_ivp

from wtflow.flow import exact
from wtflow.lessons.base import Check, Control, Scene

if TYPE_CHECKING:
    from wtflow.plots.still.sheet import Axes, Figure

CONTROLS: Final = (
    Control("rho", "Correlation ρ of data and noise", -1, 1, 0.05, 0),
    Control("s", "Data thickness s", 0.1, 2, 0.05, 0.7),
    Control("m", "Data mean m", -1, 1, 0.1, 0.5),
    Control("steps", "Euler steps", 1, 64, 1, 1),
    Control("x", "Position x", -3, 3, 0.05, 1.2),
    Control("t", "Time t", 0, 1, 0.01, 0.4),
)
DATA: Final = ()

N_LINES: Final = 200
_SAMPLE = 20_000
_SURE = 5.0
"""Standard errors within which a sampled number must lie: one seed in a million misses."""
_STARTS = np.linspace(-2, 2, 9)
"""Starting points of the drawn paths, in thicknesses from the mean."""


def prepare(seed: int, points: np.ndarray | None, settings: dict[str, float]) -> Scene:
    """`g` (200, 2): independent standard normal values, from which every pair is made, for any rho; see `lines`. No
    points are used.
    """
    g = np.random.default_rng(seed).standard_normal((_SAMPLE, 2))
    return Scene({"g": g[:N_LINES]}, _checks(g, settings))


def lines(g: np.ndarray, m: float, s: float, rho: float) -> tuple[np.ndarray, np.ndarray]:
    """Data m + s g_1 and noise rho g_1 + sqrt(1 - rho^2) g_2, both (n,), for g (n, 2)."""
    return m + s * g[:, 0], rho * g[:, 0] + np.sqrt(1 - rho**2) * g[:, 1]


def euler(start: np.ndarray, m: float, s: float, rho: float, n_steps: int) -> np.ndarray:
    """Paths (n_steps + 1, n) of Euler's method along the exact field from t=0.

    For rho = -1 and more than one step the field is undefined after the meeting time: NaN from there on.
    """
    end = float(exact.meeting_time(s)) if rho == -1 and n_steps > 1 else 1.0
    path = np.full((n_steps + 1, len(start)), np.nan)
    path[0] = start
    for k in range(n_steps):
        if (k + 1) / n_steps > end + 1e-12:
            break
        path[k + 1] = path[k] + exact.gaussian_velocity(path[k], k / n_steps, m, s, rho) / n_steps
    return path


def _checks(g: np.ndarray, settings: dict[str, float]) -> tuple[Check, ...]:
    rho, s, m, x, t = (settings[name] for name in ("rho", "s", "m", "x", "t"))
    z = (x - m) / s
    one_step = x + float(exact.gaussian_velocity(x, 0.0, m, s, rho))
    checks = [
        Check(
            "one exact Euler step, against ρ (x - m) / s", one_step, rho * z, 1e-9, "ours: barycentre of the coupling"
        )
    ]
    data, noise = lines(g, m, s, rho)
    if rho > -1:
        solved = solve_ivp(
            lambda time, y: exact.gaussian_velocity(y, time, m, s, rho), (0, 1), [x], rtol=1e-9, atol=1e-9
        )
        checks.append(
            Check("integration in many steps, against (x - m) / s", float(solved.y[0, -1]), z, 1e-5, "ours: flow map")
        )
        checks.append(_regression(data, noise, t, m, s, rho))
    else:
        # Two lines are enough to find a crossing, and any two must give the same.
        first, second = 0, int(np.argmax(np.abs(data - data[0])))
        gap, end_gap = data[first] - data[second], noise[first] - noise[second]
        meeting, source = float(exact.meeting_time(s)), "ours: the pairs of ρ = -1"
        spread = float(np.std((1 - meeting) * data + meeting * noise))
        before = float(exact.gaussian_flow_map(x, meeting, m, s, rho))
        checks.append(
            Check("time at which two lines cross, against s / (1 + s)", gap / (gap - end_gap), meeting, 1e-6, source)
        )
        checks.append(Check("spread of all lines at that time", spread, 0.0, 1e-9, source))
        checks.append(Check("the flow there, against the crossing, for any x", before, (1 - meeting) * m, 1e-6, source))
    checks.append(
        Check(
            "correlation of the pairs drawn",
            float(np.corrcoef(data, noise)[0, 1]),
            rho,
            _SURE / np.sqrt(_SAMPLE),
            "sampled",
        )
    )
    return tuple(checks)


def _regression(data: np.ndarray, noise: np.ndarray, t: float, m: float, s: float, rho: float) -> Check:
    """Slope of the field at t, by least squares on sampled lines: what a network would learn from them."""
    x_t, target = (1 - t) * data + t * noise, noise - data
    (slope, value), covariance = np.polyfit(x_t - x_t.mean(), target, 1, cov=True)
    at = exact.gaussian_velocity(np.array([0.0, 1.0]), t, m, s, rho)
    error = _SURE * float(np.sqrt(covariance[0, 0])) + 1e-9
    label, source = (
        "slope of the field at t, fitted to 20,000 crossing lines",
        "ours: least squares learns the mean, sampled",
    )
    return Check(label, float(slope), float(at[1] - at[0]), error, source)


def figure(scene: Scene, settings: dict[str, float]) -> "list[tuple[str, Figure]]":
    """Lines of the pairs, the field with its paths, and the flow map, at the `settings`."""
    from wtflow.plots.still.sheet import FULL_MM, add_legend, name_axes, new_sheet

    sheet, (pairs, field, flow) = new_sheet(FULL_MM, 68, 3)
    _draw_pairs(pairs, scene, settings)
    _draw_field(field, settings)
    _draw_map(flow, settings)
    for axes, y in ((pairs, "x"), (field, "x")):
        name_axes(axes, "t (0 = data, 1 = noise)", y)
        axes.set(xlim=(0, 1), ylim=(-3.2, 3.2))
    name_axes(flow, "start x at t = 0", f"position at t = {settings['t']:.2f} and at t = 1")
    add_legend(sheet, (pairs, field, flow), 4)
    return [("average", sheet)]


def _draw_pairs(axes: "Axes", scene: Scene, settings: dict[str, float]) -> None:
    from wtflow.plots.theme import COLOURS

    rho, s, m = (settings[name] for name in ("rho", "s", "m"))
    data, noise = lines(scene.array("g")[:80], m, s, rho)
    axes.plot([0, 1], np.stack([data, noise]), color=COLOURS["time"], linewidth=0.5, alpha=0.5)
    if rho == -1:
        meeting = float(exact.meeting_time(s))
        axes.plot(
            meeting,
            (1 - meeting) * m,
            "o",
            color=COLOURS["defect"],
            markersize=4,
            label=f"all meet at t* = {meeting:.2f}",
        )


def _draw_field(axes: "Axes", settings: dict[str, float]) -> None:
    from wtflow.plots.theme import COLOURS

    rho, s, m, n_steps = settings["rho"], settings["s"], settings["m"], int(settings["steps"])
    end = float(exact.meeting_time(s)) - 1e-3 if rho == -1 else 1.0
    times, starts = np.linspace(0, end, 201), m + s * _STARTS
    t, x = np.meshgrid(np.linspace(0.03, end - 0.03, 14), np.linspace(-2.9, 2.9, 15))
    v = exact.gaussian_velocity(x, t, m, s, rho)
    long = np.hypot(1, v)  # all arrows equally long: the field's direction, not its speed
    axes.quiver(t, x, 1 / long, v / long, angles="xy", color=COLOURS["reference"], width=0.003, scale=18)
    smooth = exact.gaussian_flow_map(starts, times[:, None], m, s, rho)
    axes.plot(times, smooth, color=COLOURS["normal"], linewidth=0.9, label=["exact flow"] + [""] * (len(starts) - 1))
    stepped = euler(starts, m, s, rho, n_steps)
    words = f"{n_steps} Euler step{'' if n_steps == 1 else 's'}"
    axes.plot(
        np.arange(n_steps + 1) / n_steps,
        stepped,
        "--",
        color=COLOURS["selected"],
        linewidth=0.7,
        label=[words] + [""] * (len(starts) - 1),
    )


def _draw_map(axes: "Axes", settings: dict[str, float]) -> None:
    from wtflow.plots.theme import COLOURS

    rho, s, m, t = (settings[name] for name in ("rho", "s", "m", "t"))
    x = np.linspace(-3, 3, 61)
    axes.plot(
        x,
        exact.gaussian_barycentre(x, m, s, rho),
        color=COLOURS["selected"],
        linewidth=1,
        label="one step: ρ (x - m) / s",
    )
    if rho > -1:
        axes.plot(x, (x - m) / s, color=COLOURS["normal"], linewidth=1, label="many steps: (x - m) / s")
    if rho > -1 or t <= exact.meeting_time(s):
        axes.plot(
            x,
            exact.gaussian_flow_map(x, t, m, s, rho),
            ":",
            color=COLOURS["time"],
            linewidth=1.2,
            label="exact flow at t",
        )
    axes.set(xlim=(-3, 3), ylim=(-4, 4))
