"""Lesson 5, the shell: where noise and data lie in d dimensions, and how little the worst coupling can do there.

The norm of standard noise follows the chi law, close to sqrt(d); Gaussian data of thickness s lie at s sqrt(d); a layer
norm puts data exactly on sqrt(d). The browser draws the law in closed form; norms are sampled here, and so is the
coupling's strength (wtflow/lessons/gamma.py).

Sources: [Paper] arXiv 2508.05461 for noise on a shell and data within; the caution about layer norms and all numbers
are ours (METHOD 3, 5.9).
"""

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.stats import chi

from wtflow.lessons import gamma
from wtflow.lessons.base import Check, Control, Scene

if TYPE_CHECKING:
    from wtflow.plots.still.sheet import Axes, Figure

NORMS: Final = ("as they are", "after a layer norm")
CONTROLS: Final = (
    Control("k", "k, for the dimension d = 2ᵏ", 0, 12, 1, 1),
    Control("s", "Data thickness s", 0.1, 1.5, 0.05, 0.5),
    Control("norm", "Data", 0, 1, 1, 0, "choice", NORMS),
    Control("group", "Group size n", 0, 3, 1, 2, "choice", tuple(str(size) for size in gamma.GROUP_SIZES)),
)
DATA: Final = ()

N_NORMS: Final = 200
LIVE_DIMENSIONS: Final = gamma.DIMENSIONS[:9]
"""Dimensions measured while the page waits: up to 256."""
LIVE_GROUPS: Final = {2: 200, 8: 100, 64: 16}
"""Group size -> groups measured in each of these dimensions. Together they take about 0.1 s."""

N_PLACES: Final = 64
"""Positions of an 8 x 8 grid, over which an image's d values are spread."""

_SURE = 5.0
"""Standard errors within which a sampled number must lie: one seed in a million misses."""


def prepare(seed: int, points: np.ndarray | None, settings: dict[str, float]) -> Scene:
    """For each of the 13 dimensions 200 `noise` norms, 200 norms `data` of thickness 1 (multiply by s), 200 norms of
    such data after a layer norm `normed`, and 200 norms of its positions `places` (of 64 with d / 64 values each; 0
    where d < 128): (13, 200) each.

    `table` (53, 4): dimension, group size, gamma, standard error, stored; `live` (27, 4): the same, measured now;
    `method` (13, 3): dimension, group size and gamma as in METHOD. No points are used.
    """
    rng = np.random.default_rng(seed)
    data = dict(zip(("noise", "data", "normed", "places"), _norms(rng), strict=True))
    live = np.array(
        [(d, n, *gamma.measure(d, n, count, rng)) for n, count in LIVE_GROUPS.items() for d in LIVE_DIMENSIONS]
    )
    data |= {
        "live": live,
        "table": _table(),
        "method": np.array([(d, n, value) for (d, n), value in gamma.METHOD.items()]),
    }
    return Scene(data, _checks(data, settings))


def chosen(settings: dict[str, float]) -> tuple[int, int]:
    """Dimension and group size of the settings."""
    return 2 ** int(settings["k"]), gamma.GROUP_SIZES[int(settings["group"])]


def layer_norm(x: np.ndarray) -> np.ndarray:
    """Rows (N, d) without their mean, divided by their standard deviation: so their norm is sqrt(d). With one channel
    the result is 0.
    """
    centred = x - x.mean(axis=1, keepdims=True)
    return centred / np.maximum(centred.std(axis=1, keepdims=True), np.finfo(float).tiny)


def _norms(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    noise, data, normed, places = (np.zeros((len(gamma.DIMENSIONS), N_NORMS)) for _ in range(4))
    for k, d in enumerate(gamma.DIMENSIONS):
        noise[k] = np.linalg.norm(rng.standard_normal((N_NORMS, d)), axis=1)
        x = rng.standard_normal((N_NORMS, d))
        data[k] = np.linalg.norm(x, axis=1)
        flat = layer_norm(x)
        normed[k] = np.linalg.norm(flat, axis=1)
        if d >= 2 * N_PLACES:
            places[k] = np.linalg.norm(flat.reshape(N_NORMS, N_PLACES, -1)[:, 0], axis=1)
    return noise, data, normed, places


def _table() -> np.ndarray:
    return np.array([(d, n, value, error) for (d, n), (value, error, _) in gamma.TABLE.items()])


def _checks(data: dict[str, np.ndarray], settings: dict[str, float]) -> tuple[Check, ...]:
    d, n = chosen(settings)
    k, s = int(settings["k"]), settings["s"]
    mean, std = gamma.chi_mean(d), gamma.chi_std(d)
    sure = _SURE * std / np.sqrt(N_NORMS)
    checks = [
        Check(f"mean norm of 200 noises at d = {d:,}", float(data["noise"][k].mean()), mean, sure, "chi law"),
        Check(
            f"mean norm of 200 data at d = {d:,}",
            s * float(data["data"][k].mean()),
            s * mean,
            s * sure,
            "chi law times s",
        ),
        Check(
            "root mean squared norm of the noises against √d",
            float(np.sqrt(np.square(data["noise"][k]).mean())),
            np.sqrt(d),
            _SURE / np.sqrt(2 * N_NORMS),
            "each channel has variance 1",
        ),
    ]
    if d > 1:
        furthest = data["normed"][k][np.abs(data["normed"][k] - np.sqrt(d)).argmax()]
        checks.append(
            Check(
                "norm of 200 data after a layer norm, the one furthest from √d, against √d",
                float(furthest),
                np.sqrt(d),
                1e-9,
                "METHOD 5.9",
            )
        )
    live = {(int(row[0]), int(row[1])): row[2:] for row in data["live"]}
    if (d, 2) in live:
        value, error = live[d, 2]
        label = f"γ of {LIVE_GROUPS[2]} groups of 2 at d = {d}, measured now"
        checks.append(Check(label, value, gamma.strength_of_pairs(d), _SURE * error, "closed form, ours"))
    if (d, n) in live and n > 2:
        (value, error), (stored, stored_error, _) = live[d, n], gamma.TABLE[d, n]
        both = float(np.hypot(error, stored_error))
        checks.append(
            Check(
                f"γ of {LIVE_GROUPS[n]} groups of {n} at d = {d}, measured now, against the table",
                value,
                stored,
                _SURE * both,
                "second sample",
            )
        )
    return tuple(checks)


def figure(scene: Scene, settings: dict[str, float]) -> "list[tuple[str, Figure]]":
    """The law of the norm at d, norms against d, and the strength of the worst coupling against d and group size."""
    from wtflow.plots.still.sheet import FULL_MM, add_legend, log_axis, name_axes, new_sheet

    sheet, (law, norms, strength) = new_sheet(FULL_MM, 66, 3)
    _draw_law(law, scene, settings)
    _draw_norms(norms, scene, settings)
    _draw_strength(strength, scene)
    name_axes(law, f"norm |x| at d = {chosen(settings)[0]:,}", "density")
    name_axes(norms, "dimension d", "norm |x|")
    name_axes(strength, "dimension d", "strength γ of the worst coupling")
    for axes in (norms, strength):
        log_axis(axes, "x", [1, 16, 256, 4096])
        log_axis(axes, "y", [0.01, 0.1, 1] if axes is strength else [0.1, 1, 10, 100])
    strength.set_ylim(0.005, 1)
    norms.set_ylim(0.05, 120)
    add_legend(sheet, (law, norms, strength), 4)
    return [("shell", sheet)]


def _draw_law(axes: "Axes", scene: Scene, settings: dict[str, float]) -> None:
    from wtflow.plots.theme import COLOURS

    d, s = chosen(settings)[0], settings["s"]
    k, is_normed = int(settings["k"]), settings["norm"] > 0
    top = max(1.0, s) * np.sqrt(d) + 4
    x = np.linspace(0, top, 801)[1:]
    axes.hist(
        scene.array("noise")[k],
        bins=np.linspace(0, top, 61).tolist(),
        density=True,
        color=COLOURS["reference"],
        alpha=0.3,
    )
    axes.plot(x, chi.pdf(x, d), color=COLOURS["reference"], linewidth=1.1, label="noise: chi law")
    axes.axvline(np.sqrt(d), color=COLOURS["time"], linewidth=0.9, linestyle="--", label="√d")
    if is_normed:
        axes.plot(
            scene.array("normed")[k],
            np.zeros(N_NORMS),
            "|",
            color=COLOURS["normal"],
            markersize=8,
            label="data after a layer norm",
        )
    else:
        axes.plot(x, chi.pdf(x / s, d) / s, color=COLOURS["normal"], linewidth=1.1, label="data of thickness s")
    axes.set_xlim(0, top)
    axes.set_ylim(bottom=0)


def _draw_norms(axes: "Axes", scene: Scene, settings: dict[str, float]) -> None:
    from wtflow.plots.theme import COLOURS

    d, s = np.array(gamma.DIMENSIONS), settings["s"]
    own = ("normed", 1.0, "normal") if settings["norm"] > 0 else ("data", s, "normal")
    for name, scale, colour in (("noise", 1.0, "reference"), own):
        low, middle, high = (scale * np.quantile(scene.array(name), q, axis=1) for q in (0.05, 0.5, 0.95))
        axes.fill_between(d, low, high, color=COLOURS[colour], alpha=0.25, linewidth=0)
        axes.plot(d, middle, "o", color=COLOURS[colour], markersize=2.5)
    axes.plot(d, np.sqrt(d), color=COLOURS["time"], linewidth=0.9, linestyle="--")


def _draw_strength(axes: "Axes", scene: Scene) -> None:
    from wtflow.plots.theme import COLOURS

    shades = dict(zip(gamma.GROUP_SIZES, ("reference", "normal", "selected", "defect"), strict=True))
    for n in gamma.GROUP_SIZES:
        rows = scene.array("table")[
            (scene.array("table")[:, 1] == n) & (scene.array("table")[:, 0] <= gamma.DIMENSIONS[-1])
        ]
        axes.plot(rows[:, 0], rows[:, 2], "-", color=COLOURS[shades[n]], linewidth=1, label=f"groups of {n}")
        live = scene.array("live")[scene.array("live")[:, 1] == n]
        if len(live):
            axes.errorbar(
                live[:, 0],
                live[:, 2],
                yerr=2 * live[:, 3],
                fmt="o",
                color=COLOURS[shades[n]],
                markersize=2,
                elinewidth=0.6,
            )
    axes.plot(
        gamma.DIMENSIONS,
        [gamma.strength_of_all(d) for d in gamma.DIMENSIONS],
        ":",
        color=COLOURS["time"],
        linewidth=1,
        label="infinite groups",
    )
