"""The field on a plane through feature space: its potential as a surface, and as contours with the field's arrows."""

from typing import Final

import numpy as np
import plotly.graph_objects as go
from plotly.colors import hex_to_rgb, sequential

from wtflow.plots.theme import COLOURS, style
from wtflow.records.flow import Landscape

HEIGHTS: Final = [
    [i / (len(sequential.Cividis) - 1), "rgb({}, {}, {})".format(*hex_to_rgb(colour))]
    for i, colour in enumerate(sequential.Cividis)
]
"""Colours of heights: cividis, made for all kinds of colour vision;
not the heat scale, because a height is not a score.
"""

ARROWS_PER_SIDE: Final = 15
"""More arrows than this run into each other."""

HEAD: Final = 0.3
"""Length of an arrow's head, as a share of the arrow."""

SHORTEST: Final = 0.02
"""Arrows below this share of the longest would be specks; they are left out."""

PIN: Final = 0.1
"""How far pins rise above the highest point of the surface, as a share of its height."""

POTENTIAL_TITLE: Final = "potential"
HEIGHT_PX: Final = 460


def plot_landscape_surface(landscape: Landscape) -> go.Figure:
    """The potential as a surface that turns under the mouse;
    each marked point is a pin that stands on it, named at its top.
    """
    figure = style(go.Figure(), height=HEIGHT_PX)
    hover = "%{x:.3g}, %{y:.3g}<br>potential %{z:.4g}<extra></extra>"
    lines = {"z": {"show": True, "color": "rgba(255, 255, 255, 0.45)", "width": 1, **_levels(landscape.potential)}}
    surface = go.Surface(
        x=landscape.x,
        y=landscape.y,
        z=landscape.potential,
        colorscale=HEIGHTS,
        contours=lines,
        hovertemplate=hover,
        colorbar={"title": {"text": POTENTIAL_TITLE}, "thickness": 12, "len": 0.7, "outlinewidth": 0},
        lighting={"ambient": 0.75, "diffuse": 0.5, "specular": 0.05},
    )
    figure.add_trace(surface)
    if landscape.marks:
        figure.add_trace(_pins(landscape))
    # Not `color`: that would colour the text as well, which the page's theme does.
    quiet = {"showbackground": False, "gridcolor": COLOURS["reference"], "zeroline": False, "showspikes": False}
    figure.update_layout(
        scene={
            "xaxis": quiet | {"title": {"text": landscape.axes[0]}},
            "yaxis": quiet | {"title": {"text": landscape.axes[1]}},
            "zaxis": quiet | {"title": {"text": POTENTIAL_TITLE}},
            "aspectmode": "manual",
            "aspectratio": {"x": 1, "y": 1, "z": 0.6},
            "camera": {"eye": {"x": 1.2, "y": -1.4, "z": 0.95}, "center": {"x": 0, "y": 0, "z": -0.15}},
            "bgcolor": "rgba(0,0,0,0)",
        },
        margin={"t": 8},
    )
    return figure


def plot_landscape_field(landscape: Landscape) -> go.Figure:
    """Contours of the potential, denser where it is deeper, with arrows of the field in the plane
    and the marked points.

    An arrow's length is proportional to the speed, and the longest is as long as the distance between arrows; the
    slowest are left out.
    """
    figure = style(go.Figure(), height=HEIGHT_PX)
    speed = np.hypot(landscape.velocity[..., 0], landscape.velocity[..., 1])
    grey = "rgba({}, {}, {}, {{}})".format(*hex_to_rgb(COLOURS["reference"]))
    figure.add_trace(
        go.Contour(
            x=landscape.x,
            y=landscape.y,
            z=landscape.potential,
            customdata=speed,
            showscale=True,
            colorscale=[[0, grey.format(0.6)], [1, grey.format(0)]],
            contours=_levels(landscape.potential) | {"coloring": "heatmap"},
            line={"color": COLOURS["reference"], "width": 1},
            colorbar={"title": {"text": POTENTIAL_TITLE}, "thickness": 12, "outlinewidth": 0},
            hovertemplate=(
                "%{x:.3g}, %{y:.3g}<br>potential %{z:.4g}<br>speed in the plane %{customdata:.4g}<extra></extra>"
            ),
        )
    )
    x, y = _arrows(landscape)
    arrows = {"color": COLOURS["time"], "width": 1.5}
    figure.add_trace(go.Scatter(x=x, y=y, mode="lines", line=arrows, name="field", showlegend=False, hoverinfo="skip"))
    if landscape.marks:
        labels, mark_x, mark_y = zip(*landscape.marks, strict=True)
        marker = {"size": 11, "color": COLOURS["selected"], "line": {"width": 1.5, "color": "white"}}
        figure.add_trace(
            go.Scatter(
                x=mark_x,
                y=mark_y,
                mode="markers+text",
                text=labels,
                textposition="top center",
                marker=marker,
                showlegend=False,
                hovertemplate="%{text}<extra></extra>",
                cliponaxis=False,
            )
        )
    edge = {"showgrid": False, "zeroline": False, "constrain": "domain"}
    figure.update_xaxes(edge | {"title_text": landscape.axes[0], "range": [landscape.x[0], landscape.x[-1]]})
    figure.update_yaxes(
        edge
        | {
            "title_text": landscape.axes[1],
            "range": [landscape.y[0], landscape.y[-1]],
            "scaleanchor": "x",
            "scaleratio": 1,
        }
    )
    figure.update_layout(margin={"t": 16})
    return figure


def _pins(landscape: Landscape) -> go.Scatter3d:
    """Labels on the surface could not be read in both themes;
    at the top of a pin they stand in front of the background.
    """
    top = float(landscape.potential.max()) + PIN * (float(np.ptp(landscape.potential)) or 1.0)
    x: list[float | None] = []
    y: list[float | None] = []
    z: list[float | None] = []
    text: list[str] = []
    for label, at_x, at_y in landscape.marks:
        x += [at_x, at_x, None]
        y += [at_y, at_y, None]
        z += [_height_at(landscape, at_x, at_y), top, None]
        text += ["", label, ""]
    line, marker = {"color": COLOURS["selected"], "width": 4}, {"size": 4, "color": COLOURS["selected"]}
    return go.Scatter3d(
        x=x,
        y=y,
        z=z,
        mode="lines+markers+text",
        text=text,
        textposition="top center",
        line=line,
        marker=marker,
        showlegend=False,
        hoverinfo="skip",
    )


def _arrows(landscape: Landscape) -> tuple[list[float | None], list[float | None]]:
    """One pen line for all arrows: shaft and head of each, lifted between them by None.
    Each begins at its own point.
    """
    every = max(1, -(-len(landscape.x) // ARROWS_PER_SIDE))
    chosen = slice((len(landscape.x) - 1) % every // 2, None, every)
    x, y = np.meshgrid(landscape.x[chosen], landscape.y[chosen])
    v = landscape.velocity[chosen, chosen]
    speed = np.hypot(v[..., 0], v[..., 1])
    fastest = float(speed.max())
    if fastest == 0:
        return [], []
    spacing = every * min(landscape.x[1] - landscape.x[0], landscape.y[1] - landscape.y[0])
    shown = speed > SHORTEST * fastest
    start = np.stack([x[shown], y[shown]], 1)
    step = v[shown] * (spacing / fastest)
    across = np.stack([-step[:, 1], step[:, 0]], 1)
    tip = start + step
    left, right = (tip - HEAD * step + side * HEAD * 0.6 * across for side in (1, -1))
    pen = np.stack([start, tip, left, tip, right, np.full_like(tip, np.nan)], 1)  # (A, 6, 2)
    lines = [[None if np.isnan(value) else float(value) for value in pen[..., axis].ravel()] for axis in (0, 1)]
    return lines[0], lines[1]


def _levels(potential: np.ndarray, n: int = 14) -> dict[str, float]:
    """About n evenly spaced contour levels; one where the potential is flat."""
    low, high = float(potential.min()), float(potential.max())
    size = (high - low) / n or 1.0
    return {"start": low + size / 2, "end": high, "size": size}


def _height_at(landscape: Landscape, x: float, y: float) -> float:
    """The potential at the grid point nearest to (x, y)."""
    return float(landscape.potential[np.abs(landscape.y - y).argmin(), np.abs(landscape.x - x).argmin()])
