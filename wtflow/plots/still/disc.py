"""The well as a disc on paper and in movies, with the same places and guides as on the page."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle

from wtflow.plots.disc_views import Disc
from wtflow.plots.still.sheet import INK, TYPE_PT
from wtflow.plots.theme import COLOURS
from wtflow.records.flow import Travel


def draw_disc(axes: Axes, disc: Disc, travel: Travel) -> Circle:
    """Draw the well, its rim and circles to read distances off, and return the shell of noise at t = 1."""
    axes.set_axis_off()
    axes.set_aspect("equal", adjustable="datalim")
    normal = COLOURS["normal"]
    ring = Circle((0, 0), 1.0, fill=False, edgecolor=INK, linewidth=0.8, linestyle=(0, (4, 3)), zorder=0.7)
    for guide in disc.guides(travel):
        if guide.kind == "disc":
            axes.add_patch(Circle((0, 0), guide.values[0], facecolor=normal, alpha=0.12, linewidth=0, zorder=0.4))
            rim = Circle((0, 0), guide.values[0], fill=False, edgecolor=normal, linewidth=1.2, zorder=0.6)
            rim.set_label(guide.label)
            axes.add_patch(rim)
        elif guide.kind == "ring":
            ring.set_radius(guide.values[-1])
            ring.set_label("noise shell at t = 1")
            axes.add_patch(ring)
        else:
            faint = {"edgecolor": INK, "alpha": 0.25, "linewidth": 0.4, "zorder": 0.3}
            axes.add_patch(Circle((0, 0), guide.values[0], fill=False, **faint))
            along = guide.values[0] * np.sqrt(0.5)  # where a line at 45 degrees meets it
            look = {"fontsize": TYPE_PT - 2.5, "color": INK, "alpha": 0.7, "ha": "center", "zorder": 6}
            axes.text(along, along, guide.label, **look)
    return ring
