"""One number of many positions against t: the median of each group and the band that holds nine in ten."""

from collections.abc import Mapping
from typing import Final, Literal

import numpy as np
from matplotlib.figure import Figure

from wtflow.errors import SettingsError
from wtflow.plots.groups import group_words
from wtflow.plots.letters import still_letters
from wtflow.plots.still.sheet import COLUMN_MM, add_legend, add_shell, looks, name_axes, new_sheet
from wtflow.plots.still.summary import band, noise_shell
from wtflow.plots.theme import COLOURS, TIME_TITLE
from wtflow.records.flow import Travel

Quantity = Literal["norm", "speed", "radial", "straightness", "alignment", "divergence"]
TITLES: Final[dict[str, str]] = {
    "norm": "distance from the origin (norm)",
    "speed": "speed (norm of the velocity)",
    "radial": "speed away from the origin",
    "straightness": "cosine to the straight line",
    "alignment": "alignment with the start (cosine)",
    "divergence": "divergence of the velocity",
}


def still_over_time(travel: Travel, quantity: Quantity) -> Figure:
    """Median and 5-95 % band of each group against t; for the norm also the shell of noise.

    Raises SettingsError for a quantity that does not exist or was not computed.
    """
    values = quantity_of(travel, quantity)
    figure, (axes,) = new_sheet(COLUMN_MM, 64)
    for name, look in looks(travel.positions.groups).items():
        low, median, high = band(values[:, travel.positions.group == name])
        axes.fill_between(travel.t, low, high, color=look.colour, alpha=0.18, linewidth=0)
        axes.plot(
            travel.t,
            median,
            color=look.colour,
            linestyle=look.dash,
            linewidth=1.3,
            label=still_letters(group_words(name)),
        )
    if quantity == "norm":
        add_shell(axes, noise_shell(travel.n_channels), along="x")
        axes.set_ylim(bottom=0)
    name_axes(axes, TIME_TITLE, TITLES[quantity])
    axes.set_xlim(travel.t[0], travel.t[-1])
    add_legend(figure, [axes], 3)
    return figure


def quantity_of(travel: Travel, quantity: Quantity) -> np.ndarray:
    """The (S, N) values of a quantity. Raises SettingsError for one that does not exist or was not computed."""
    if quantity not in TITLES:
        raise SettingsError(f"There is no quantity {quantity!r}.", fix=f"Choose one of {', '.join(TITLES)}.")
    values = getattr(travel, quantity)
    if values is None:
        raise SettingsError(
            "The divergence of these paths was not computed.", fix="Choose it when the paths are computed."
        )
    return values


def still_depth(t: np.ndarray, depth: np.ndarray) -> Figure:
    """Depth of the well against t: above zero the field holds normals in, below it pushes them out. t, depth: (S,)."""
    figure, (axes,) = new_sheet(COLUMN_MM, 60)
    axes.axhline(0, color=COLOURS["reference"], linewidth=0.6)
    axes.plot(t, depth, color=COLOURS["time"], linewidth=1.3, marker="o", markersize=2.5)
    name_axes(axes, TIME_TITLE, "depth of the well (potential)")
    axes.set_xlim(t[0], t[-1])
    return figure


def still_escape(t: np.ndarray, curves: Mapping[str, np.ndarray]) -> Figure:
    """Share of each group's positions outside the normals' radius against t. t: (S,); curves: group -> (S,) shares,
    0 to 1.
    """
    figure, (axes,) = new_sheet(COLUMN_MM, 64)
    for name, look in looks(list(curves)).items():
        axes.plot(
            t,
            100 * np.asarray(curves[name]),
            color=look.colour,
            linestyle=look.dash,
            linewidth=1.3,
            label=still_letters(group_words(name)),
        )
    name_axes(axes, TIME_TITLE, "outside the normals' radius (%)")
    axes.set_xlim(t[0], t[-1])
    axes.set_ylim(-2, 102)
    add_legend(figure, [axes], 3)
    return figure
