"""What the flow could be trained to learn and what it learned:
lines under each coupling, the learned paths, and their norms.
"""

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from wtflow.plots.still.sheet import COLUMN_MM, FULL_MM, INK, TYPE_PT, add_legend, name_axes, new_sheet
from wtflow.plots.theme import COLOURS, TIME_TITLE
from wtflow.records.flow import Ideal

PANELS = ("independent", "optimal", "worst", "learned")
MOST_LINES = 160
"""More only make a grey patch."""
OUTER = (0.002, 0.998)
"""Quantiles at which the axes end, as on the page."""
_DASHES = {"independent": (0, (1.5, 1.2)), "optimal": (0, (5, 1.2, 1.2, 1.2)), "worst": (0, (5, 1.5)), "learned": "-"}


def still_ideal(ideal: Ideal) -> Figure:
    """Four panels on the same axes: straight lines from data (dots) to their noise under each
    coupling, and the learned paths.
    """
    figure, panels = new_sheet(FULL_MM, 56, 4, share_axes=True)
    paths = {name: _path(ideal, name) for name in PANELS}
    for axes, name in zip(panels, PANELS, strict=True):
        lines = paths[name][:, :MOST_LINES].transpose(1, 0, 2)
        axes.add_collection(LineCollection(list(lines), colors=_colour(name), linewidths=0.4, alpha=0.45, zorder=2))
        axes.scatter(lines[:, 0, 0], lines[:, 0, 1], s=2, color=INK, linewidths=0, zorder=3)
        axes.set_title(_title(ideal, name), fontsize=TYPE_PT - 1, color=INK)
        name_axes(axes, "principal axis 1", "principal axis 2" if axes is panels[0] else "")
    every = np.concatenate([path.reshape(-1, 2) for path in paths.values()])
    (left, bottom), (right, top) = np.quantile(every, OUTER, axis=0)
    panels[0].set_xlim(left, right)
    panels[0].set_ylim(bottom, top)
    return figure


def still_ideal_norms(ideal: Ideal) -> Figure:
    """Median distance from the origin against t: straight lines under each coupling, and the learned paths."""
    figure, (axes,) = new_sheet(COLUMN_MM, 60)
    for name in PANELS:
        label = "learned field" if name == "learned" else f"straight lines, {name}"
        axes.plot(
            ideal.t,
            np.median(ideal.norms[name], axis=1),
            color=_colour(name),
            linestyle=_DASHES[name],
            linewidth=1.3,
            label=label,
        )
    name_axes(axes, TIME_TITLE, "median norm")
    axes.set_xlim(ideal.t[0], ideal.t[-1])
    axes.set_ylim(bottom=0)
    add_legend(figure, [axes], 2)
    return figure


def _path(ideal: Ideal, name: str) -> np.ndarray:
    """(S, N, 2): the learned paths, or points of the straight lines at the saved times."""
    if name == "learned":
        return ideal.learned
    t = ideal.t[:, None, None]
    return (1 - t) * ideal.start + t * ideal.ends[name]


def _title(ideal: Ideal, name: str) -> str:
    if name == "learned":
        return f"learned ({ideal.trained_with})"
    return f"{name}, γ = {ideal.strengths[name]:+.3f}"


def _colour(name: str) -> str:
    return COLOURS["time" if name == "learned" else "reference"]
