"""How far from the origin positions are at each time: a heat map for each group."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from wtflow.errors import SettingsError
from wtflow.plots.groups import group_words
from wtflow.plots.letters import still_letters
from wtflow.plots.still.sheet import FULL_MM, HEAT_MAP, SHELL_DASH, TYPE_PT, add_bar, name_axes, new_sheet, shell_words
from wtflow.plots.still.summary import noise_shell
from wtflow.plots.theme import TIME_TITLE

MOST_PANELS = 3


def still_radius(t: np.ndarray, edges: np.ndarray, shares: Mapping[str, np.ndarray], n_channels: int) -> Figure:
    """A panel for each group, normals first: share of its positions in each ring around the origin, against t.

    t: (S,) times; edges: (R + 1,) rising radii of the rings; shares: group -> (S, R), each row sums to 1 or less. The
    dotted line is the shell sqrt(d) of noise in `n_channels` dimensions. Raises SettingsError for no group or more than
    three.
    """
    if not 1 <= len(shares) <= MOST_PANELS:
        raise SettingsError(
            f"A radius figure holds 1 to {MOST_PANELS} groups, found {len(shares)}.", fix="Choose which groups to draw."
        )
    figure, panels = new_sheet(FULL_MM, 72, len(shares), share_axes=True)
    highest = max(float(np.max(share)) for share in shares.values()) or 1.0
    shell = noise_shell(n_channels)
    drawn = []
    for axes, (name, share) in zip(panels, shares.items(), strict=True):
        # One picture of squares in SVG, too: drawn one by one, viewers show seams between them.
        squares = axes.pcolormesh(
            _borders(t), edges, 100 * np.asarray(share).T, cmap=HEAT_MAP, vmin=0, vmax=100 * highest, rasterized=True
        )
        drawn.append(squares)
        axes.axhline(shell[1], color="white", linewidth=1, linestyle=SHELL_DASH)
        axes.annotate(
            shell_words(shell),
            (1, shell[1]),
            (-3, 2),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            ha="right",
            va="bottom",
            fontsize=TYPE_PT,
            color="white",
        )
        axes.set_title(still_letters(group_words(name)), fontsize=TYPE_PT)
        name_axes(axes, TIME_TITLE, "distance from the origin (norm)" if axes is panels[0] else "")
        axes.set_xlim(t[0], t[-1])
    add_bar(figure, drawn[-1], panels, "positions in the ring (%)")
    return figure


def _borders(t: np.ndarray) -> np.ndarray:
    """(S + 1,) borders of the columns: halfway between times, and the first and last time itself."""
    return np.concatenate([t[:1], (t[1:] + t[:-1]) / 2, t[-1:]])
