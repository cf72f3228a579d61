"""A projection of features at three times: where the same positions lie at the start, on the way and at the end."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from wtflow.errors import SettingsError
from wtflow.plots.groups import group_words
from wtflow.plots.letters import still_letters
from wtflow.plots.still.sheet import FULL_MM, HEAT_MAP, TYPE_PT, add_bar, add_legend, looks, name_axes, new_sheet
from wtflow.plots.still.summary import counted, plane_titles
from wtflow.records.flow import UNMARKED, Projection, ordered_groups

MOST_SHAPES = 3_000
"""Points that an SVG holds as shapes; more are put in as one picture, which opens at once."""

# The heat scale without its end, which is too bright for points on white.
_ON_WHITE = LinearSegmentedColormap.from_list("heat on white", HEAT_MAP(np.linspace(0, 0.85, 64)))


def still_points(
    projection: Projection, values: np.ndarray, at: Sequence[int] | None = None, title: str = ""
) -> Figure:
    """Scatter of a projection at three of its times (indices `at`;
    first, middle and last if None), one panel each, the same axes.

    values: (N,) group names, or numbers shown on the heat scale under `title`. Raises SettingsError where they do not
    fit.
    """
    n_times, n = projection.points.shape[:2]
    at = tuple(at) if at is not None else tuple(sorted({0, n_times // 2, n_times - 1}))
    values = np.asarray(values)
    if values.shape != (n,):
        raise SettingsError(
            f"{n} points need as many values, found shape {values.shape}.", fix="Give one value for each point."
        )
    if not at or not all(0 <= i < n_times for i in at):
        raise SettingsError(
            f"The times to draw must be from 0 to {n_times - 1}, found {list(at)}.", fix="Choose among the saved times."
        )
    figure, panels = new_sheet(FULL_MM, 66 if _are_numbers(values) else 72, len(at), share_axes=True)
    drawn = None
    for axes, i in zip(panels, at, strict=True):
        drawn = _draw(axes, projection.points[i], values)
        axes.set_title(f"t = {projection.t[i]:.2f}", fontsize=TYPE_PT)
        x, y = plane_titles(projection.explained, projection.method)
        name_axes(axes, x, y if axes is panels[0] else "")
        axes.set_aspect("equal")
    _set_square(panels[0], projection.points[list(at)])
    if drawn is not None:
        add_bar(figure, drawn, panels, title)
    else:
        add_legend(figure, panels[:1], 6)
    return figure


def _are_numbers(values: np.ndarray) -> bool:
    return np.issubdtype(values.dtype, np.number)


def _set_square(axes: Axes, points: np.ndarray) -> None:
    """The same span on both axes, around all points (..., 2); the other panels follow."""
    flat = points.reshape(-1, 2)
    flat = flat[np.isfinite(flat).all(axis=1)]
    low, high = (flat.min(axis=0), flat.max(axis=0)) if len(flat) else (np.zeros(2), np.ones(2))
    half = 0.53 * (float((high - low).max()) or 1.0)  # a little room at the rim
    axes.set_xlim(*((low + high)[0] / 2 + [-half, half]))
    axes.set_ylim(*((low + high)[1] / 2 + [-half, half]))


def _draw(axes: Axes, points: np.ndarray, values: np.ndarray) -> PathCollection | None:
    size = {
        "s": float(np.clip(6_000 / max(len(points), 1), 1.5, 9)),
        "linewidths": 0,
        "rasterized": len(points) > MOST_SHAPES,
    }
    if _are_numbers(values):
        finite = values[np.isfinite(values)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
        order = np.argsort(values)  # the highest on top
        return axes.scatter(*points[order].T, c=values[order], cmap=_ON_WHITE, vmin=low, vmax=high, alpha=0.8, **size)
    groups = ordered_groups(values)
    for name, look in looks(groups).items():
        chosen = values == name
        label = counted(still_letters(group_words(name)), int(chosen.sum()), int(chosen.sum()))
        order = 1.9 if name == UNMARKED else 2  # what is not known lies below
        axes.scatter(
            *points[chosen].T, color=look.colour, marker=look.marker, alpha=0.6, label=label, zorder=order, **size
        )
    return None
