"""One image and the maps of several runs next to each other, zooming together."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from wtflow.plots.contours import outline
from wtflow.plots.letters import figure_letters
from wtflow.plots.pictures import encode_heat, encode_jpeg, overlay, thumbnail
from wtflow.plots.stretched import height_for, stretched
from wtflow.plots.theme import COLOURS, HEAT, style
from wtflow.records.compare import Panel

MAX_SIDE_PX: Final = 480
MAX_CLICKABLE: Final = 32
"""Clickable positions per side; five panels of them must stay quick."""

TOP_PX: Final = 84
"""Room above the panels: colour bar with its title and ticks, panel titles."""


def plot_panels(
    image: np.ndarray,
    panels: Sequence[Panel],
    mask: np.ndarray | None,
    *,
    opacity: float,
    grid_shape: tuple[int, int],
    selected: tuple[int, int] | None,
    scale: tuple[str, Mapping[float, str]],
) -> go.Figure:
    """The image and each run's map next to it, zooming together, the true defect outlined, one position ringed in all.

    image: uint8 (H, W, 3); opacity: of the maps over the image, 1 for the map alone; grid_shape: positions that can be
    clicked, with `customdata = [row, column]`; scale: title of the colour bar and its ticks, share of the bar (0 to 1)
    -> words.
    """
    height, width = image.shape[:2]
    figure = style(
        make_subplots(
            rows=1,
            cols=1 + len(panels),
            subplot_titles=["Image", *(figure_letters(panel.title) for panel in panels)],
            horizontal_spacing=0.015,
        )
    )
    small = thumbnail(image, MAX_SIDE_PX)
    figure.add_trace(stretched(encode_jpeg(small), width, height), row=1, col=1)
    for column, panel in enumerate(panels, start=2):
        is_map = opacity >= 1
        over = (
            encode_heat(panel.values, panel.color_range, MAX_SIDE_PX)
            if is_map
            else encode_jpeg(overlay(small, panel.values, panel.color_range, opacity))
        )
        figure.add_trace(stretched(over, width, height), row=1, col=column)
    for column in range(1, 2 + len(panels)):
        if mask is not None and mask.any():
            _add_truth(figure, mask, width, height, column)
        figure.add_trace(_positions(width, height, grid_shape), row=1, col=column)
        if selected is not None:
            figure.add_trace(_ring(width, height, grid_shape, selected), row=1, col=column)
    quiet = {"constrain": "domain", "showgrid": False, "zeroline": False, "showticklabels": False, "ticks": ""}
    figure.update_xaxes(quiet | {"matches": "x", "range": [0, width]})
    figure.update_yaxes(quiet | {"matches": "y", "range": [height, 0], "constraintoward": "top"})
    figure.update_yaxes({"scaleanchor": "x", "scaleratio": 1}, col=1)
    figure.update_annotations(font_size=13)
    title, ticks = scale
    place = {
        "orientation": "h",
        "x": 0.03,
        "xanchor": "left",
        "len": 0.5,
        "thickness": 10,
        "yref": "container",
        "y": 1,
        "yanchor": "top",
    }
    words = {"tickvals": list(ticks), "ticktext": list(ticks.values()), "ticklabeloverflow": "allow"}
    bar = place | {"xpad": 0, "ypad": 22, "outlinewidth": 0} | words
    figure.update_layout(
        coloraxis={"colorscale": HEAT, "cmin": 0, "cmax": 1, "colorbar": bar},
        height=TOP_PX + height_for(width, height, 330),
        margin={"t": TOP_PX, "pad": 0},
        dragmode="pan",
        hoverdistance=-1,
        showlegend=False,
    )
    above = {
        "xref": "paper",
        "yref": "paper",
        "x": 0.03,
        "y": 1,
        "xanchor": "left",
        "yanchor": "bottom",
        "yshift": TOP_PX - 22,
    }
    figure.add_annotation(above | {"text": title, "showarrow": False, "font_size": 13})
    return figure


def _positions(width: int, height: int, shape: tuple[int, int]) -> go.Scatter:
    """Invisible points at the positions; their colour ties the colour bar to the figure.
    Lists, because the browser returns them.
    """
    rows, columns = (
        axis.ravel() for axis in np.meshgrid(*(np.arange(_step(n) // 2, n, _step(n)) for n in shape), indexing="ij")
    )
    return go.Scatter(
        x=(columns + 0.5) * (width / shape[1]),
        y=(rows + 0.5) * (height / shape[0]),
        customdata=np.stack([rows, columns], axis=1).tolist(),
        mode="markers",
        marker={"color": np.zeros(len(rows)), "coloraxis": "coloraxis", "opacity": 0, "size": 13},
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}},
        showlegend=False,
        hovertemplate="row %{customdata[0]}, column %{customdata[1]}<extra></extra>",
    )


def _step(n: int) -> int:
    return -(-n // MAX_CLICKABLE)


def _ring(width: int, height: int, shape: tuple[int, int], selected: tuple[int, int]) -> go.Scatter:
    marker = {"color": COLOURS["ring"], "size": 13, "line": {"width": 2, "color": COLOURS["halo"]}}
    place = {"x": [(selected[1] + 0.5) * width / shape[1]], "y": [(selected[0] + 0.5) * height / shape[0]]}
    return go.Scatter(**place, mode="markers", marker=marker, hoverinfo="skip", showlegend=False)


def _add_truth(figure: go.Figure, mask: np.ndarray, width: int, height: int, column: int) -> None:
    """The outline of the true defect: light within dark."""
    x: list[float | None] = []
    y: list[float | None] = []
    for line_x, line_y in outline(mask):
        x += [*(line_x * width / mask.shape[1]).tolist(), None]  # None lifts the pen
        y += [*(line_y * height / mask.shape[0]).tolist(), None]
    for name, thickness in (("halo", 3.5), ("truth", 1.5)):
        line = {"color": COLOURS[name], "width": thickness}
        figure.add_trace(
            go.Scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip", showlegend=False), row=1, col=column
        )
