"""Where the paths of many positions run, from data to noise, in two dimensions."""

from typing import Final, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from wtflow.errors import SettingsError
from wtflow.plots.disc_views import Disc
from wtflow.plots.groups import group_words
from wtflow.plots.letters import still_letters
from wtflow.plots.still.disc import draw_disc
from wtflow.plots.still.sheet import (
    COLUMN_MM,
    INK,
    SHELL_DASH,
    TYPE_PT,
    add_legend,
    add_shell,
    looks,
    name_axes,
    new_sheet,
    shell_words,
)
from wtflow.plots.still.summary import counted, fair_sample, noise_shell, plane_titles
from wtflow.plots.theme import COLOURS
from wtflow.records.flow import UNMARKED, Spread, Travel

View = Literal["plane", "radius", "angle", "disc"]
VIEWS: Final = ("plane", "radius", "angle", "disc")

MOST_PATHS = 400
"""More lines than this on 89 mm hide each other, and an SVG of them is slow to open."""


def still_paths(travel: Travel, view: View, disc: Disc | None = None) -> Figure:
    """Paths with their starts (dots) and ends (marks), coloured by group, 400 at the most.

    view "plane": the first two principal axes of normal features at t=0, titled with the share of variance they
    explain; "radius": distance from the origin against alignment with the start; "angle": the same two as a point's
    distance and angle from the cross at the origin, so that all starts lie on the right; both with the shell of noise;
    "disc": the well as a disc, which `disc` describes. Raises SettingsError.
    """
    figure, (axes,) = new_sheet(COLUMN_MM, 74)
    x, y = coordinates(travel, view, disc)
    drawn, style = fair_sample(travel.positions, MOST_PATHS), looks(travel.positions.groups)
    for name, chosen in drawn.items():
        colour = style[name].colour
        lines = np.stack([x[:, chosen].T, y[:, chosen].T], axis=-1)  # (n, S, 2)
        axes.add_collection(LineCollection(list(lines), colors=colour, linewidths=0.4, alpha=0.45, zorder=2))
        axes.scatter(x[0, chosen], y[0, chosen], s=2, color=INK, alpha=0.6, linewidths=0, zorder=3)
    for name, chosen in drawn.items():  # above all lines
        label = counted(still_letters(group_words(name)), chosen.size, int((travel.positions.group == name).sum()))
        look = {
            "s": 8,
            "marker": style[name].marker,
            "color": style[name].colour,
            "edgecolors": "white",
            "linewidths": 0.2,
        }
        axes.scatter(x[-1, chosen], y[-1, chosen], label=label, zorder=4 - (name == UNMARKED) / 2, **look)
    axes.scatter([], [], s=2, color=INK, label="start (t = 0)")
    if disc is not None and view == "disc":
        draw_disc(axes, disc, travel)
        axes.set_title(f"at t = 1 {disc.words(travel, 1.0)}", fontsize=TYPE_PT - 1)
    else:
        dress(axes, travel, view)
    axes.autoscale_view()
    add_legend(figure, [axes], 2)
    return figure


def coordinates(travel: Travel, view: View, disc: Disc | None = None) -> tuple[np.ndarray, np.ndarray]:
    """x and y of every position at every saved time, (S, N) each. Raises SettingsError for a view that does not exist,
    and for a disc that is not described.
    """
    if view not in VIEWS:
        raise SettingsError(f"There is no view {view!r}.", fix=f"Choose one of {', '.join(VIEWS)}.")
    if view == "disc":
        if disc is None:
            raise SettingsError("The disc has no yardstick to be drawn by.", fix="Give its Disc.")
        places = disc.places(travel)
        return places[..., 0], places[..., 1]
    if view == "plane":
        return travel.plane[..., 0], travel.plane[..., 1]
    if view == "radius":
        return travel.norm, travel.alignment
    cosine = np.clip(travel.alignment, -1, 1)
    return travel.norm * cosine, travel.norm * np.sqrt(1 - cosine**2)


def dress(axes: Axes, travel: Travel, view: View) -> None:
    """Titles of the axes, and what the view is compared with."""
    if view == "plane":
        name_axes(axes, *plane_titles(travel.explained))
        axes.set_aspect("equal", adjustable="datalim")
    elif view == "radius":
        name_axes(axes, "distance from the origin (norm)", "alignment with the start (cosine)")
        axes.axhline(0, color=COLOURS["reference"], linewidth=0.5, zorder=0.5)
        add_shell(axes, noise_shell(travel.n_channels), along="y")
    else:
        name_axes(axes, "along the start's direction (|x| cos θ)", "away from it (|x| sin θ)")
        axes.plot(0, 0, "+", color=INK, markersize=6, markeredgewidth=0.8, label="origin", zorder=5)
        axes.set_aspect("equal", adjustable="datalim")
        _add_half_shell(axes, noise_shell(travel.n_channels))


def _add_half_shell(axes: Axes, shell: Spread) -> None:
    """The shell as the half circle that angles from 0 to 180 degrees reach."""
    angle = np.linspace(0, np.pi, 181)
    (low_x, x, high_x), (low_y, y, high_y) = np.outer(shell, np.cos(angle)), np.outer(shell, np.sin(angle))
    ring_x, ring_y = np.concatenate([low_x, high_x[::-1]]), np.concatenate([low_y, high_y[::-1]])
    axes.fill(ring_x, ring_y, color=COLOURS["reference"], alpha=0.25, linewidth=0, zorder=0.5)
    axes.plot(
        x, y, color=COLOURS["reference"], linewidth=0.9, linestyle=SHELL_DASH, label=shell_words(shell), zorder=0.6
    )
