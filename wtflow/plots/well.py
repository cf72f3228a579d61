"""The potential well over time: where positions lie between origin and shell, which ones
escape, how deep the well is.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import plotly.graph_objects as go
from plotly.colors import hex_to_rgb
from plotly.subplots import make_subplots

from wtflow.numbers import PERCENT_SIGN
from wtflow.plots.groups import group_words
from wtflow.plots.letters import figure_letters
from wtflow.plots.theme import COLOURS, TIME_TITLE, add_empty_note, style
from wtflow.records.core import GOOD
from wtflow.records.flow import UNMARKED

DASHES: Final = ("solid", "dash", "dashdot", "longdash", "longdashdot")
"""Defect types use them in turn, so that they differ in more than colour."""

DENSEST: Final = 0.99
"""Quantile of the filled cells at which the colour is full: at t=1 all positions may crowd in a few cells."""

HEAT_HEIGHT_PX: Final = 380
RADIUS_HEIGHT_PX: Final = 330
"""Beside the map, above the words, inside a window of 768."""


def plot_radius_heat(
    edges: np.ndarray,
    density_normal: np.ndarray,
    density_defect: np.ndarray | None,
    t: np.ndarray,
    well_radius: np.ndarray,
    shell: tuple[float, float, float],
) -> go.Figure:
    """Distance from the origin over time, normals left and defects right, with the normals' 99 %
    radius and the shell of noise.

    edges: (B + 1,) of the radius bins; density_...: (S, B) share of positions per bin, summing to 1 at each time, None
    where there are no defects; t: (S,); well_radius: (S,); shell: mean, 5 % and 95 % quantile of the norm of noise.
    Colours fade into the ground, so that empty cells look empty in every theme; both panels share one scale.
    """
    figure = make_subplots(
        rows=1,
        cols=2,
        shared_yaxes=True,
        horizontal_spacing=0.04,
        subplot_titles=("Normal positions", "Defect positions"),
    )
    style(figure, height=HEAT_HEIGHT_PX)
    panels = [density for density in (density_normal, density_defect) if density is not None]
    filled = np.concatenate([density[density > 0] for density in panels])
    full = float(np.quantile(filled, DENSEST)) if filled.size else 1.0
    for column, (density, meaning) in enumerate(((density_normal, "normal"), (density_defect, "defect")), start=1):
        if density is None:
            middle = {"x": 0.5, "xref": f"x{column} domain", "y": 0.12, "yref": "paper"}
            figure.add_annotation(middle | {"text": "No defect positions here.", "showarrow": False, "font_size": 14})
            figure.add_trace(
                go.Scatter(x=[0, 1], y=[None, None], showlegend=False, hoverinfo="skip"), row=1, col=column
            )
        else:
            figure.add_trace(_heat(edges, density, t, COLOURS[meaning], full), row=1, col=column)
        _add_yardsticks(figure, column, t, well_radius, shell)
    top = max(float(edges[-1]), 1.02 * shell[2], 1.02 * float(np.max(well_radius)))
    figure.update_xaxes(title_text=TIME_TITLE, range=[-0.02, 1.02], showgrid=False, zeroline=False)
    figure.update_yaxes(range=[0, top], showgrid=False, zeroline=False)
    figure.update_yaxes(title_text="distance from the origin", col=1)
    figure.update_layout(margin={"t": 74}, legend={"y": 1.1})
    return figure


def plot_radius(
    t: np.ndarray, spreads: Mapping[str, np.ndarray], well_radius: np.ndarray | None, shell: tuple[float, float, float]
) -> go.Figure:
    """Distance from the origin over time, normals and defects on one axis: the median, in a band of nine tenths; with
    the normals' 99 % radius and the shell of noise.

    t: (S,); spreads: "normal" and "defect" -> (3, S) 5 % quantile, median, 95 % quantile; well_radius: (S,), None
    without normals; shell: mean, 5 % and 95 % quantile of the norm of noise.
    """
    figure = style(go.Figure(), height=RADIUS_HEIGHT_PX)
    if not spreads:
        return add_empty_note(figure, "No positions to show.")
    for kind, (low, middle, high) in spreads.items():
        red, green, blue = hex_to_rgb(COLOURS[kind])
        band = np.concatenate([high, low[::-1]])
        figure.add_trace(
            go.Scatter(
                x=np.concatenate([t, t[::-1]]),
                y=band,
                mode="lines",
                line={"width": 0},
                fill="toself",
                fillcolor=f"rgba({red}, {green}, {blue}, 0.2)",
                legendgroup=kind,
                showlegend=False,
                hoverinfo="skip",
            )
        )
        hover = f"{kind}, t = %{{x:.3g}}<br>median %{{y:.4g}}<extra></extra>"
        line = {"color": COLOURS[kind], "width": 3}
        figure.add_trace(
            go.Scatter(
                x=t,
                y=middle,
                mode="lines",
                line=line,
                name=kind,
                legendgroup=kind,
                hovertemplate=hover,
            )
        )
    _add_yardsticks(figure, None, t, well_radius, shell)
    tops = [float(high.max()) for _, _, high in spreads.values()] + [shell[2]]
    tops += [] if well_radius is None else [float(np.max(well_radius))]
    figure.update_xaxes(title_text=TIME_TITLE, range=[-0.02, 1.02])
    figure.update_yaxes(title_text="distance from the origin", range=[0, 1.04 * max(tops)], zeroline=False)
    figure.update_layout(showlegend=True, legend={"y": 1.02, "yanchor": "bottom"}, margin={"t": 56, "b": 48})
    return figure


def plot_escape(t: np.ndarray, curves: Mapping[str, np.ndarray], colours: Mapping[str, str]) -> go.Figure:
    """Share of positions farther out than the normals' 99 % radius at the same time, per group.

    t: (S,); curves: group -> (S,) shares from 0 to 1, in the order of the legend; colours: group -> colour. Normals lie
    at 1 % by construction and are drawn as the dotted line to compare with.
    """
    figure = style(go.Figure())
    if not curves:
        return add_empty_note(figure, "No positions to show.")
    n_defects = 0
    for group, share in curves.items():
        dash = "dot" if group in (GOOD, UNMARKED) else DASHES[n_defects % len(DASHES)]
        n_defects += group not in (GOOD, UNMARKED)
        words = figure_letters(group_words(group))
        name = f"{words} (1\N{NBSP}% by construction)" if group == GOOD else words
        line = {"color": colours[group], "dash": dash, "width": 2 if group in (GOOD, UNMARKED) else 2.5}
        hover = f"{words}<br>t = %{{x:.3g}}<br>%{{y:.1f}}{PERCENT_SIGN} outside<extra></extra>"
        mode = "lines" if len(t) > 1 else "markers"
        figure.add_trace(
            go.Scatter(
                x=t,
                y=100 * share,
                mode=mode,
                line=line,
                marker={"color": colours[group]},
                name=name,
                hovertemplate=hover,
            )
        )
    highest = 100 * max(float(np.max(share)) for share in curves.values())
    figure.update_xaxes(title_text=TIME_TITLE, range=[-0.02, 1.02])
    # At least 5 %, so that 1 % does not look like a lot.
    figure.update_yaxes(
        title_text="share outside the normals' 99\N{NBSP}% radius",
        ticksuffix=PERCENT_SIGN,
        range=[0, min(102, max(5, 1.08 * highest))],
    )
    figure.update_layout(showlegend=True)
    return figure


def plot_depth(t: np.ndarray, depth: np.ndarray) -> go.Figure:
    """Depth of the well (S,) against t (S,): the potential between the normals' median and their 99 % radius; below
    0 is no well.
    """
    figure = style(go.Figure(), height=260)
    hover = "t = %{x:.3g}<br>depth %{y:.4g}<extra></extra>"
    line = {"color": COLOURS["time"], "width": 2.5}
    figure.add_trace(
        go.Scatter(
            x=t,
            y=depth,
            mode="lines+markers",
            line=line,
            marker={"size": 6},
            name="depth",
            showlegend=False,
            hovertemplate=hover,
        )
    )
    side = "start" if abs(depth[0]) > abs(depth[-1]) else "end"  # where the curve leaves more room
    anchor = {"start": "left", "end": "right"}[side]
    words = {
        "text": "above: pulled inward",
        "textposition": side,
        "yanchor": "bottom",
        "xanchor": anchor,
        "padding": 4,
        "font": {"size": 12},
    }
    grey = {"color": COLOURS["reference"], "width": 1.5, "dash": "dot"}
    figure.add_shape(type="line", xref="paper", x0=0, x1=1, y0=0, y1=0, line=grey, label=words)
    low, high = min(0.0, float(np.min(depth))), max(0.0, float(np.max(depth)))
    room = 0.12 * (high - low) or 1.0
    figure.update_xaxes(title_text=TIME_TITLE, range=[-0.02, 1.02])
    figure.update_yaxes(title_text="depth of the well (potential)", range=[low - room, high + room], zeroline=False)
    return figure


def _heat(edges: np.ndarray, density: np.ndarray, t: np.ndarray, colour: str, full: float) -> go.Heatmap:
    middle = (edges[1:] + edges[:-1]) / 2
    red, green, blue = hex_to_rgb(colour)
    return go.Heatmap(
        x=t,
        y=middle,
        z=100 * density.T,
        zmin=0,
        zmax=100 * full,
        showscale=False,
        colorscale=[
            [0, f"rgba({red}, {green}, {blue}, 0)"],
            [0.1, f"rgba({red}, {green}, {blue}, 0.25)"],
            [1, f"rgba({red}, {green}, {blue}, 1)"],
        ],
        hovertemplate="t = %{x:.3g}<br>distance about %{y:.3g}<br>%{z:.1f}\N{NBSP}% of the positions<extra></extra>",
    )


def _add_yardsticks(
    figure: go.Figure,
    column: int | None,
    t: np.ndarray,
    well_radius: np.ndarray | None,
    shell: tuple[float, float, float],
) -> None:
    """The shell and its spread dotted, the normals' radius dashed; listed in the legend once. column: of the panel,
    None where there is one alone.
    """
    where = {} if column is None else {"row": 1, "col": column}
    mean, low, high = shell
    dotted = {"color": COLOURS["reference"], "width": 2, "dash": "dot"}
    band = {"mode": "lines", "line": {"width": 0}, "fill": "toself", "fillcolor": "rgba(123, 132, 148, 0.3)"}
    is_listed = column in (None, 1)
    common = {"showlegend": is_listed, "hoverinfo": "skip"}
    shaded = go.Scatter(
        x=[0, 1, 1, 0],
        y=[low, low, high, high],
        name="shell",
        legendgroup="shell",
        **band,
        **common | {"showlegend": False},
    )
    figure.add_trace(shaded, **where)
    words = f"shell of noise: {mean:.3g}, band holds 90\N{NBSP}%"
    name = f"noise: {mean:.3g}" if column is None else words
    figure.add_trace(
        go.Scatter(x=[0, 1], y=[mean, mean], mode="lines", line=dotted, name=name, legendgroup="shell", **common),
        **where,
    )
    if well_radius is None:
        return
    dashed = {"color": COLOURS["selected"], "width": 2.5, "dash": "dash"}
    hover = "t = %{x:.3g}<br>99\N{NBSP}% of the normals within %{y:.4g}<extra></extra>"
    radius = go.Scatter(
        x=t,
        y=well_radius,
        mode="lines",
        line=dashed,
        name="99\N{NBSP}% of normals" if column is None else "99\N{NBSP}% of the normals lie below",
        legendgroup="radius",
        showlegend=is_listed,
        hovertemplate=hover,
    )
    figure.add_trace(radius, **where)
