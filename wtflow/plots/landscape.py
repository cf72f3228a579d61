"""The field on a plane through feature space: its potential as a surface, and as contours with the field's arrows."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
from plotly.colors import hex_to_rgb, sequential

from wtflow.plots.play import play_over_time
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

ROUND: Final = 1.001
"""Share of the half width that is drawn: the circle that touches the edges, with what rounding needs."""

DOT: Final = 7
"""Size of a marked point on the surface, in pixels."""

PIN: Final = 0.1
"""How far pins rise above the highest point of the surface, as a share of its height."""

POTENTIAL_TITLE: Final = "above the origin"
HEIGHT_PX: Final = 460


def plot_landscape_surface(landscapes: Sequence[Landscape], at: int = 0) -> go.Figure:
    """The potential as a surface seen from above, which turns under the mouse; each marked point stands on it, and its
    pin is named at its top. With several times it plays, on one scale of heights, and shows time number `at` first.

    Heights are those above the origin: a well rises toward its rim, a hill falls. Only the round part of the plane is
    drawn, in which the fit counts.
    """
    figure = style(go.Figure(), height=HEIGHT_PX)
    shown = landscapes[at]
    heights = [_above_origin(one) for one in landscapes]
    low, high = min(float(np.nanmin(z)) for z in heights), max(float(np.nanmax(z)) for z in heights)
    top = high + PIN * ((high - low) or 1.0)
    hover = "%{x:.3g}, %{y:.3g}<br>%{z:.4g} above the origin<extra></extra>"
    lines = {"z": {"show": True, "color": "rgba(255, 255, 255, 0.45)", "width": 1, **_levels(low, high, 24)}}
    surface = go.Surface(
        x=shown.x,
        y=shown.y,
        z=heights[at],
        cmin=low,
        cmax=high,
        colorscale=HEIGHTS,
        contours=lines,
        hovertemplate=hover,
        colorbar={"title": {"text": POTENTIAL_TITLE}, "thickness": 10, "len": 0.6, "outlinewidth": 0},
        lighting={"ambient": 0.75, "diffuse": 0.5, "specular": 0.05},
    )
    figure.add_trace(surface)
    if shown.marks:
        figure.add_trace(_pins(shown, heights[at], top))
    # Not `color`: that would colour the text as well, which the page's theme does.
    quiet = {"showbackground": False, "gridcolor": COLOURS["reference"], "zeroline": False, "showspikes": False}
    figure.update_layout(
        scene={
            "xaxis": quiet | {"title": {"text": shown.axes[0]}},
            "yaxis": quiet | {"title": {"text": shown.axes[1]}},
            "zaxis": quiet | {"title": {"text": POTENTIAL_TITLE}, "range": [low, top]},
            "aspectmode": "manual",
            "aspectratio": {"x": 1, "y": 1, "z": 1.1 if len(landscapes) > 1 else 0.6},
            "camera": {"eye": {"x": 0.95, "y": -1.2, "z": 1.15}, "center": {"x": 0, "y": 0, "z": -0.05}},
            "bgcolor": "rgba(0,0,0,0)",
        },
        margin={"t": 8},
    )
    frames = [
        [go.Surface(z=z), *([_pins(one, z, top)] if one.marks else [])]
        for one, z in zip(landscapes, heights, strict=True)
    ]
    return play_over_time(figure, [one.t for one in landscapes], frames, at)


def plot_landscape_field(landscape: Landscape) -> go.Figure:
    """Contours of the potential, denser where it is deeper, with arrows of the field in the plane
    and the marked points.

    An arrow's length is proportional to the speed, and the longest is as long as the distance between
    arrows; the slowest are left out.
    """
    figure = style(go.Figure(), height=HEIGHT_PX)
    figure.add_traces(_field_traces(landscape))
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
    return figure.update_layout(margin={"t": 40, "b": 96})  # as the surface beside it


def _field_traces(landscape: Landscape) -> list[Any]:
    """Contours, arrows and, where there are any, marks."""
    speed = np.hypot(landscape.velocity[..., 0], landscape.velocity[..., 1])
    grey = "rgba({}, {}, {}, {{}})".format(*hex_to_rgb(COLOURS["reference"]))
    contours = go.Contour(
        x=landscape.x,
        y=landscape.y,
        z=landscape.potential,
        customdata=speed,
        showscale=True,
        colorscale=[[0, grey.format(0.6)], [1, grey.format(0)]],
        contours=_levels(float(landscape.potential.min()), float(landscape.potential.max())) | {"coloring": "heatmap"},
        line={"color": COLOURS["reference"], "width": 1},
        colorbar={"title": {"text": "potential"}, "thickness": 12, "outlinewidth": 0},
        hovertemplate="%{x:.3g}, %{y:.3g}<br>potential %{z:.4g}<br>speed in the plane %{customdata:.4g}<extra></extra>",
    )
    x, y = _arrows(landscape)
    arrows = {"color": COLOURS["time"], "width": 1.5}
    found: list[Any] = [contours]
    found.append(go.Scatter(x=x, y=y, mode="lines", line=arrows, name="field", showlegend=False, hoverinfo="skip"))
    if landscape.marks:
        labels, mark_x, mark_y = zip(*landscape.marks, strict=True)
        marker = {"size": 11, "color": COLOURS["selected"], "line": {"width": 1.5, "color": "white"}}
        found.append(
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
    return found


def _above_origin(landscape: Landscape) -> np.ndarray:
    """(G, G) the potential above that of the plane's centre, NaN outside the circle that touches the edges."""
    x, y = np.meshgrid(landscape.x, landscape.y)
    centre = _height_at(landscape.potential, landscape, 0.0, 0.0)
    is_round = np.hypot(x, y) <= ROUND * landscape.x[-1]
    return np.where(is_round, landscape.potential - centre, np.nan).astype(np.float32)


def _pins(landscape: Landscape, heights: np.ndarray, top: float) -> go.Scatter3d:
    """A dot on the surface for each mark, and a pin up to `top`. Labels on the surface could not be read in both
    themes; at the top of a pin they stand in front of the background.
    """
    x: list[float | None] = []
    y: list[float | None] = []
    z: list[float | None] = []
    text: list[str] = []
    for label, at_x, at_y in landscape.marks:
        x += [at_x, at_x, None]
        y += [at_y, at_y, None]
        z += [_height_at(heights, landscape, at_x, at_y), top, None]
        text += ["", label, ""]
    line = {"color": COLOURS["selected"], "width": 3}
    sizes = [DOT, 1, 1] * len(landscape.marks)
    return go.Scatter3d(
        x=x,
        y=y,
        z=z,
        mode="lines+markers+text",
        text=text,
        textposition="top center",
        line=line,
        marker={"size": sizes, "color": COLOURS["selected"], "line": {"width": 1, "color": "white"}},
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


def _levels(low: float, high: float, n: int = 14) -> dict[str, float]:
    """About n evenly spaced contour levels; one where the potential is flat."""
    size = (high - low) / n or 1.0
    return {"start": low + size / 2, "end": high, "size": size}


def _height_at(heights: np.ndarray, landscape: Landscape, x: float, y: float) -> float:
    """The height (G, G) at the grid point nearest to (x, y)."""
    return float(heights[np.abs(landscape.y - y).argmin(), np.abs(landscape.x - x).argmin()])
