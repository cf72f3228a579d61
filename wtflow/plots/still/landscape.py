"""The field as arrows over the potential that explains it, on a plane through feature space."""

from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from wtflow.numbers import flow_time, percent
from wtflow.plots.still.sheet import COLUMN_MM, INK, TYPE_PT, add_bar, name_axes, new_sheet
from wtflow.plots.theme import COLOURS
from wtflow.records.flow import Landscape

MOST_ARROWS = 16
"""Arrows along a side; a longer grid is thinned."""

N_LEVELS = 12

# One hue and light throughout, so that arrows and marks stay readable on it; deep is dark.
_DEPTH = LinearSegmentedColormap.from_list("depth", ["#8FB4D6", "#FFFFFF"])


def still_landscape(landscape: Landscape) -> Figure:
    """Contours of the potential (dark is deep), the field's arrows, marks, and how much of the
    field the potential explains.
    """
    figure, (axes,) = new_sheet(COLUMN_MM, 84)
    x, y, potential = landscape.x, landscape.y, landscape.potential
    levels = MaxNLocator(N_LEVELS).tick_values(0, float(potential.max()) or 1.0)
    filled = axes.contourf(x, y, potential, levels=levels, cmap=_DEPTH)
    axes.contour(x, y, potential, levels=levels[1:], colors=COLOURS["reference"], linewidths=0.4)
    step = -(-len(x) // MOST_ARROWS)
    kept = slice(step // 2, None, step)
    arrows = landscape.velocity[kept, kept]
    axes.quiver(
        x[kept], y[kept], arrows[..., 0], arrows[..., 1], angles="xy", color=INK, width=0.004, pivot="mid", zorder=3
    )
    for label, mark_x, mark_y in landscape.marks:
        axes.plot(
            mark_x,
            mark_y,
            "o",
            color=COLOURS["selected"],
            markeredgecolor="white",
            markeredgewidth=0.6,
            markersize=5,
            zorder=4,
        )
        # A pale ground and not a white outline, which would turn the text into shapes in SVG.
        ground = {"boxstyle": "square,pad=0.1", "facecolor": "white", "alpha": 0.7, "linewidth": 0}
        axes.annotate(
            label,
            (mark_x, mark_y),
            (5, 4),
            textcoords="offset points",
            fontsize=TYPE_PT,
            color=INK,
            zorder=5,
            bbox=ground,
        )
    name_axes(axes, *landscape.axes)
    axes.set_aspect("equal")
    figure.suptitle(
        f"{flow_time(landscape.t)}. The potential explains {percent(landscape.share)}\nof the field in this plane,"
        f" which holds {percent(landscape.share_in_plane)} of all.",
        fontsize=TYPE_PT,
        color=INK,
        x=0.02,
        ha="left",
    )
    add_bar(figure, filled, [axes], "potential")
    return figure
