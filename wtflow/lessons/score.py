"""Lesson 8, the score over time: where along t a defect shows, in the family where every score has a closed form.

Normals are N(0, diag(s^2)) in the plane, defects are normals displaced by one shift, noise is independent of both, and
the field is the exact one of the normals. Every score is a sum of squares; how often a defect scores higher than a
normal is one integral over an angle.

Sources: [Paper] arXiv 2508.05461 for `endpoint`; Flow Mismatching, arXiv 2605.23070, for `mismatch` and the question of
bias and variance over t; all closed forms are ours (METHOD 4 and 5.11).
"""

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import ndtr

from wtflow.flow import exact
from wtflow.lessons.base import Check, Control, Scene
from wtflow.lessons.groups import variance

if TYPE_CHECKING:
    from wtflow.plots.still.sheet import Axes, Figure

REACH: Final = 3.0
DRAWS: Final = (1, 4, 16)
"""Noises over which `mismatch` is averaged, by the index of the choice."""
CONTROLS: Final = (
    Control("t", "Time t", 0, 1, 0.01, 0.5),
    Control("s1", "Thickness s₁, across", 0.2, 1.5, 0.05, 1),
    Control("s2", "Thickness s₂, up", 0.2, 1.5, 0.05, 0.3),
    Control("draws", "Noises of the mismatch", 0, 2, 1, 0, "choice", tuple(map(str, DRAWS))),
    Control("dx", "Shift of the defects across", -REACH, REACH, 0.05, 0.5, "hidden"),
    Control("dy", "Shift of the defects up", -REACH, REACH, 0.05, 0.6, "hidden"),
)
DATA: Final = ()
SCORES: Final = ("endpoint", "deviation", "mismatch")

N_PAIRS: Final = 1000
"""Pairs of a normal and a defect that the browser counts."""
TIMES: Final = np.linspace(0, 1, 101)[1:]
"""Times at which scores are compared; at t = 0 deviation is 0 for every feature."""
_SAMPLE: Final = 20_000
_SURE = 5.0
"""Standard errors within which a sampled number must lie: one seed in a million misses."""
_ANGLES: Final = 720


def prepare(seed: int, points: np.ndarray | None, settings: dict[str, float]) -> Scene:
    """`g` (1000, 6): independent standard normal values, from which a normal, a defect and a noise are made per row. No
    points are used.
    """
    g = np.random.default_rng(seed).standard_normal((_SAMPLE, 6))
    return Scene({"g": g[:N_PAIRS]}, _checks(g, settings))


def endpoint(x: np.ndarray, t: float, s: np.ndarray) -> np.ndarray:
    """Half the mean square of where the exact flow has brought x (N, 2) by t; at t=1 half of Mahalanobis's squared
    distance, a coordinate. Source: METHOD 5.2.
    """
    return 0.5 * np.mean(variance(t, s) * np.square(x / s), axis=-1)


def deviation(x: np.ndarray, t: float, s: np.ndarray) -> np.ndarray:
    """mean_c (v((1-t) x, t) + x)^2 = mean_c (t x / V)^2 for x (N, 2). Source: METHOD 5.11."""
    return np.mean(np.square(t * x / variance(t, s)), axis=-1)


def mismatch(x: np.ndarray, noise: np.ndarray, t: float, s: np.ndarray) -> np.ndarray:
    """mean_c (v(x_t, t) - (z - x))^2 = mean_c ((t x - (1-t) s^2 z) / V)^2 for x and one noise each (N, 2).
    Source: METHOD 5.11.
    """
    return np.mean(np.square((t * x - (1 - t) * s**2 * noise) / variance(t, s)), axis=-1)


def mismatch_variance(t: np.ndarray | float, s: np.ndarray) -> np.ndarray:
    """What noise adds to the expected mismatch of every x: mean_c ((1-t) s^2 / V)^2. The rest is `deviation`, its
    squared bias. t: a number or (T, 1). Source: METHOD 5.11.
    """
    return np.mean(np.square((1 - np.asarray(t)) * s**2 / variance(t, s)), axis=-1)


def normal_mismatch(t: np.ndarray | float, s: np.ndarray) -> np.ndarray:
    """Expected mismatch of normals, mean_c s^2 / V: what is left of the loss of a perfect network.
    Source: METHOD 5.11.
    """
    return np.mean(s**2 / variance(t, s), axis=-1)


def same_as_mahalanobis(s: np.ndarray) -> float:
    """The time at which deviation orders features as Mahalanobis's distance does: r / (1 + r) with r = sqrt(s_1 s_2).
    Source: METHOD 5.11.
    """
    r = float(np.sqrt(np.prod(s)))
    return r / (1 + r)


def auroc(name: str, times: np.ndarray, s: np.ndarray, shift: np.ndarray, n_draws: int = 1) -> np.ndarray:
    """How often a defect scores higher than a normal, (T,), each with a noise of its own pair: 0.5 is chance.

    name: one of `SCORES`; times: (T,), above 0; shift: (2,) of the defects; n_draws: noises that `mismatch` is averaged
    over. Source: METHOD 5.11, an integral over an angle, here a sum at 720 of them.
    """
    t = np.asarray(times, np.float64)[:, None]
    v, mean = variance(t, s), shift / s / np.sqrt(2)
    weight = v if name == "endpoint" else s**2 / v**2
    blur = 1 + 2 * np.square((1 - t) * s / t) / n_draws if name == "mismatch" else np.ones_like(v)
    scaled = weight * np.sqrt(blur)
    q = np.sqrt(scaled[:, 1:] / scaled[:, :1])  # angles are packed where the integrand is steep
    angle = 2 * np.pi * np.arange(_ANGLES) / _ANGLES
    u = np.stack([q * np.cos(angle), np.broadcast_to(np.sin(angle), (len(t), _ANGLES))], axis=-1)
    length = np.linalg.norm(u, axis=-1)
    along = u @ mean / length
    across = (u[..., 0] * mean[1] - u[..., 1] * mean[0]) / length
    density = np.exp(-0.5 * mean @ mean) + np.sqrt(2 * np.pi) * along * np.exp(-0.5 * across**2) * ndtr(along)
    density *= q / length**2
    rise = (u * (weight * mean)[:, None]).sum(-1) / np.sqrt((np.square(u * weight[:, None]) * blur[:, None]).sum(-1))
    return (density * ndtr(rise)).sum(1) / density.sum(1)


def best_time(name: str, s: np.ndarray, shift: np.ndarray, n_draws: int = 1) -> tuple[float, float]:
    """The time of `TIMES` at which a score has its largest AUROC, and that AUROC."""
    values = auroc(name, TIMES, s, shift, n_draws)
    return float(TIMES[values.argmax()]), float(values.max())


def counted(g: np.ndarray, name: str, t: float, s: np.ndarray, shift: np.ndarray, n_draws: int = 1) -> float:
    """Share of pairs whose defect scores higher, in a sample g (N, 6): the second way to `auroc`."""
    pair = (g[:, :2] * s, g[:, 2:4] * s + shift)
    if name == "mismatch":  # pair i meets the noises i, i + 37, i + 74, ...
        draws = [np.roll(g[:, 4:], -37 * k, axis=0) for k in range(n_draws)]
        normal, defect = (np.mean([mismatch(x, z, t, s) for z in draws], axis=0) for x in pair)
    else:
        normal, defect = (endpoint(x, t, s) if name == "endpoint" else deviation(x, t, s) for x in pair)
    return float(np.mean(defect > normal))


def chosen(settings: dict[str, float]) -> tuple[float, np.ndarray, np.ndarray, int]:
    """Time (kept above 0), thicknesses (2,), shift (2,) and number of noises."""
    t = max(settings["t"], float(TIMES[0]))
    s, shift = (np.array([settings[a], settings[b]]) for a, b in (("s1", "s2"), ("dx", "dy")))
    return t, s, shift, DRAWS[int(settings["draws"])]


def _checks(g: np.ndarray, settings: dict[str, float]) -> tuple[Check, ...]:
    t, s, shift, n = chosen(settings)
    checks = []
    for name in SCORES:
        wanted = float(auroc(name, np.array([t]), s, shift, n)[0])
        error = _SURE * np.sqrt(wanted * (1 - wanted) / _SAMPLE) + 1 / _SAMPLE
        found = counted(g, name, t, s, shift, n)
        checks.append(Check(f"AUROC of {name} at t, counted in 20,000 pairs", found, wanted, error, "METHOD 5.11"))
    noise = g[:, 4:]
    values = mismatch(shift, noise, t, s)
    closed = float(deviation(shift, t, s)) + float(mismatch_variance(t, s))
    error = _SURE * float(values.std()) / np.sqrt(_SAMPLE) + 1e-9
    bias = "mismatch of the defects' mean over 20,000 noises, against bias² + variance"
    checks.append(Check(bias, float(values.mean()), closed, error, "METHOD 5.11"))
    values = mismatch(g[:, :2] * s, noise, t, s)
    error = _SURE * float(values.std()) / np.sqrt(_SAMPLE) + 1e-9
    left = "mismatch of 20,000 normals, against the mean of s² / V"
    checks.append(Check(left, float(values.mean()), float(normal_mismatch(t, s)), error, "METHOD 5.11"))
    u = (exact.gaussian_velocity((1 - t) * shift, t, 0.0, s) + shift) * variance(t, s) / t
    checks.append(Check("(v((1 − t) x, t) + x) V / t, against x, at the defects' mean", u[1], shift[1], 1e-9, "ours"))
    return tuple(checks)


def figure(scene: Scene, settings: dict[str, float]) -> "list[tuple[str, Figure]]":
    """Normals and defects with the scores' level lines, AUROC over t, and expected mismatch over t."""
    from wtflow.plots.still.sheet import FULL_MM, add_legend, name_axes, new_sheet

    sheet, (plane, rates, parts) = new_sheet(FULL_MM, 66, 3)
    _draw_plane(plane, scene, settings)
    _draw_rates(rates, settings)
    _draw_parts(parts, settings)
    name_axes(plane, "x", "y")
    name_axes(rates, "t (0 = data, 1 = noise)", "AUROC")
    name_axes(parts, "t (0 = data, 1 = noise)", "expected mismatch")
    add_legend(sheet, (plane, rates, parts), 4)
    return [("score", sheet)]


_LOOK: Final = {"endpoint": ("time", "-"), "deviation": ("selected", "--"), "mismatch": ("fp", "-.")}
"""Score -> colour and dash."""


def _draw_plane(axes: "Axes", scene: Scene, settings: dict[str, float]) -> None:
    from wtflow.plots.theme import COLOURS

    t, s, shift, _ = chosen(settings)
    g = scene.array("g")[:200]
    for name, x in (("normal", g[:, :2] * s), ("defect", g[:, 2:4] * s + shift)):
        axes.plot(*x.T, ".", color=COLOURS[name], markersize=2, alpha=0.6, label=f"{name}s")
    angle = np.linspace(0, 2 * np.pi, 181)
    for name in ("endpoint", "deviation"):
        axis = s / np.sqrt(variance(t, s)) if name == "endpoint" else variance(t, s)
        size = float(np.linalg.norm(shift / axis))
        colour, dash = _LOOK[name]
        axes.plot(
            size * axis[0] * np.cos(angle), size * axis[1] * np.sin(angle), dash, color=COLOURS[colour], linewidth=1
        )
    axes.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH), aspect="equal")


def _draw_rates(axes: "Axes", settings: dict[str, float]) -> None:
    from wtflow.plots.theme import COLOURS

    t, s, shift, n = chosen(settings)
    for name in SCORES:
        colour, dash = _LOOK[name]
        axes.plot(TIMES, auroc(name, TIMES, s, shift, n), dash, color=COLOURS[colour], linewidth=1.1, label=name)
        axes.plot(*best_time(name, s, shift, n), "o", color=COLOURS[colour], markersize=4)
    axes.axvline(t, color=COLOURS["reference"], linewidth=0.8)
    axes.axhline(0.5, color=COLOURS["reference"], linewidth=0.8, linestyle=":")
    axes.set(xlim=(0, 1), ylim=(0.45, 1.02))


def _draw_parts(axes: "Axes", settings: dict[str, float]) -> None:
    from wtflow.plots.theme import COLOURS

    t, s, shift, _ = chosen(settings)
    spread = mismatch_variance(TIMES[:, None], s)
    bias = np.array([float(deviation(shift, time, s)) for time in TIMES])
    axes.fill_between(TIMES, 0, spread, color=COLOURS["reference"], alpha=0.3, label="variance, the same for all")
    axes.plot(TIMES, normal_mismatch(TIMES[:, None], s), color=COLOURS["normal"], linewidth=1.1, label="mean normal")
    axes.plot(TIMES, spread + bias, color=COLOURS["defect"], linewidth=1.1, label="defects' mean: bias² + variance")
    axes.axvline(t, color=COLOURS["reference"], linewidth=0.8)
    axes.set(xlim=(0, 1), ylim=(0, 1.1 * float((spread + bias).max())))
