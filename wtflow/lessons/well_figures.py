"""Lesson 7 for slides. First act: the plane with paths and field, the map of scores, one step against many. Second act:
the exact field's paths, the map of its distance to the learned one, and scores against the number of steps.
"""

from typing import Any, Final

import numpy as np

from wtflow.flow import exact
from wtflow.lessons import small_net
from wtflow.lessons.well_ends import beside, exact_gap, exact_path, one_step_score
from wtflow.plots.still.sheet import COLUMN_MM, HEAT_MAP, TYPE_PT, add_bar, add_legend, name_axes, new_sheet
from wtflow.plots.theme import COLOURS

REACH: Final = 4.5
"""The pictures show x and y from -REACH to REACH."""

STEPS: Final = (1, 2, 3, 5, 8, 12, 20, 30, 50, 75, 100)
_SIZES, _WORDS = {"normal": 2.5, "defect": 5}, {"normal": "data", "defect": "A, B, C"}
_LOWEST = 1e-4
"""Scores below are drawn there: a logarithmic axis has no 0."""


def draw_well(
    weights: np.ndarray, atoms: np.ndarray, anomalies: np.ndarray, *, t: float, steps: int, many: int
) -> list[tuple[str, Any]]:
    """plane and map for this number of steps, 1 or `many`, and scores by one against `many`."""
    paths = {"normal": small_net.travel(weights, atoms, steps), "defect": small_net.travel(weights, anomalies, steps)}
    words = "one step" if steps == 1 else f"{steps} steps"
    plane = _plane(paths, lambda x: small_net.velocity(weights, x, t if steps > 1 else 0.0), t, words)
    chart = _map(
        lambda x: small_net.score(small_net.travel(weights, x, steps)[-1]), anomalies, f"score of a start, {words}"
    )
    scores, (axes,) = new_sheet(COLUMN_MM, COLUMN_MM)
    for name, starts in (("normal", atoms), ("defect", anomalies)):
        ends = small_net.score(small_net.travel(weights, starts, many)[-1])
        look = {"color": COLOURS[name], "markersize": _SIZES[name], "label": _WORDS[name]}
        axes.loglog(one_step_score(weights, starts), ends, "o", **look)
    name_axes(axes, "score, one step", f"score, {many} steps")
    add_legend(scores, [axes], 2)
    return [("plane", plane), ("map", chart), ("scores", scores)]


def draw_exact(
    weights: np.ndarray, atoms: np.ndarray, anomalies: np.ndarray, *, t: float, steps: int
) -> list[tuple[str, Any]]:
    """plane: exact paths of A, B, C and of places beside data; map: learned minus exact field; steps: both scores
    against the number of steps. weights: of independent pairs.
    """
    near = beside(atoms)
    paths = {"normal": exact_path(near, atoms, steps), "defect": exact_path(anomalies, atoms, steps)}
    words = "exact field, one step" if steps == 1 else f"exact field, {steps} steps"
    plane = _plane(paths, lambda x: exact.finite_velocity(x, t if steps > 1 else 0.0, atoms), t, words)
    chart = _map(lambda x: exact_gap(weights, atoms, x, t), anomalies, f"learned minus exact field, t = {t:.2f}")
    growth, (axes,) = new_sheet(COLUMN_MM, COLUMN_MM)
    for name, label, starts in (("normal", "beside data, median", near), ("defect", "A, B, C", anomalies)):
        for dash, field, ends in (
            ("--", "exact", [exact_path(starts, atoms, n)[-1] for n in STEPS]),
            ("-", "learned", [small_net.travel(weights, starts, n)[-1] for n in STEPS]),
        ):
            scores = small_net.score(np.stack(ends))
            lines = np.median(scores, axis=1) if name == "normal" else scores
            drawn = axes.loglog(STEPS, np.maximum(lines, _LOWEST), dash, color=COLOURS[name], linewidth=1.2)
            drawn[0].set_label(f"{label}, {field}")
    name_axes(axes, "number of Euler steps", "score")
    add_legend(growth, [axes], 2)
    return [("plane", plane), ("map", chart), ("steps", growth)]


def _plane(paths: dict[str, np.ndarray], velocity: Any, t: float, words: str) -> Any:
    """Field, data and anomalies at time t. velocity: places (N, 2) to (N, 2)."""
    figure, (axes,) = new_sheet(COLUMN_MM, COLUMN_MM)
    at = np.linspace(-REACH, REACH, 16)
    grid = np.stack(np.meshgrid(at, at), axis=-1).reshape(-1, 2)
    axes.quiver(*grid.T, *velocity(grid).T, angles="xy", color=COLOURS["reference"], alpha=0.6, width=0.003)
    bent = paths["defect"]
    axes.plot(bent[..., 0], bent[..., 1], color=COLOURS["time"], linewidth=1)
    for name, path in paths.items():
        place = min(t * (len(path) - 1), len(path) - 1 - 1e-9)
        low = int(place)
        now = path[low] + (place - low) * (path[low + 1] - path[low])
        axes.plot(*now.T, "o", color=COLOURS[name], markersize=_SIZES[name], label=_WORDS[name])
        if name == "defect":
            is_out = _point_beyond(axes, now, COLOURS["defect"])
            _point_beyond(axes, path[-1][~is_out], COLOURS["time"])
    axes.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH), aspect="equal")
    name_axes(axes, "x (arrow at the edge: distance from 0)", "y")
    axes.set_title(f"t = {t:.2f}, {words}", loc="left", fontsize=TYPE_PT)
    add_legend(figure, [axes], 3)
    return figure


def _point_beyond(axes: Any, places: np.ndarray, colour: str) -> np.ndarray:
    """For each of the places (N, 2) outside the picture an arrow at its edge, on the way there from the origin, and
    the distance. Returns (N,) which are outside.
    """
    size = np.abs(places).max(axis=1)
    for place in places[size > REACH]:
        edge = place * REACH / np.abs(place).max()
        arrow = {"arrowstyle": "-|>", "color": colour, "linewidth": 1.5, "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", xy=tuple(edge), xytext=tuple(0.88 * edge), arrowprops=arrow)
        axes.text(
            *(0.78 * edge), f"{np.linalg.norm(place):.1f}", ha="center", va="center", fontsize=TYPE_PT, color=colour
        )
    return size > REACH


def _map(value: Any, anomalies: np.ndarray, words: str) -> Any:
    """log10 of a value of places (N, 2) to (N,), over the plane."""
    figure, (axes,) = new_sheet(COLUMN_MM, COLUMN_MM)
    at = np.linspace(-REACH, REACH, 61)
    grid = np.stack(np.meshgrid(at, at), axis=-1).reshape(-1, 2)
    drawn = axes.pcolormesh(at, at, np.log10(value(grid).reshape(len(at), -1) + 1e-2), cmap=HEAT_MAP, rasterized=True)
    axes.plot(*anomalies.T, "o", color=COLOURS["defect"], markeredgecolor="white", markersize=5)
    axes.set_aspect("equal")
    name_axes(axes, "x", "y")
    add_bar(figure, drawn, [axes], f"log10 of {words}")
    return figure
