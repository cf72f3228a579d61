"""How far from the origin positions end, normal ones above and those inside defects below one axis."""

from typing import Final

import numpy as np
import plotly.graph_objects as go

from wtflow.numbers import percent
from wtflow.plots.theme import COLOURS, style

N_BINS: Final = 48
HEIGHT_PX: Final = 360
FARTHEST: Final = 0.995
"""Quantile at which the axis ends; what lies beyond is counted in the last bar."""


def plot_ends(normal: np.ndarray, defect: np.ndarray) -> go.Figure:
    """Shares of positions by distance. normal (N,), defect (M,): distances in units of the normals' 99 % radius; the
    band up to 1 is the well.
    """
    figure = style(go.Figure(), height=HEIGHT_PX)
    everything = np.concatenate([normal, defect])
    end = max(1.2, float(np.quantile(everything, FARTHEST)))
    edges = np.linspace(0.0, end, N_BINS + 1)
    tallest = 0.0
    for values, meaning, words, sign in ((normal, "normal", "normal", 1), (defect, "defect", "inside defects", -1)):
        if not len(values):
            continue
        share = np.histogram(np.minimum(values, end), edges)[0] / len(values)
        tallest = max(tallest, float(share.max()))
        figure.add_trace(
            go.Bar(
                x=(edges[:-1] + edges[1:]) / 2,
                y=sign * share,
                width=np.diff(edges),
                name=f"{words} ({len(values):,})",
                marker={"color": COLOURS[meaning], "line": {"width": 0}},
                hovertext=[f"{percent(one)} of the positions {words}" for one in share],
                hoverinfo="text",
            )
        )
    well = {"type": "rect", "x0": 0, "x1": 1, "y0": 0, "y1": 1, "yref": "paper", "layer": "below"}
    rim = {"type": "line", "x0": 1, "x1": 1, "y0": 0, "y1": 1, "yref": "paper"}
    figure.update_layout(
        barmode="overlay",
        showlegend=True,
        shapes=[
            well | {"fillcolor": COLOURS["normal"], "opacity": 0.1, "line": {"width": 0}},
            rim | {"line": {"color": COLOURS["reference"], "width": 1.5, "dash": "dash"}},
        ],
        annotations=[
            {"x": 1, "y": 1, "yref": "paper", "xanchor": "left", "yanchor": "bottom", "showarrow": False}
            | {"text": "99\N{NBSP}% of normal positions end within"}
        ],
    )
    figure.update_xaxes(title_text="distance from the origin at t = 1, in units of the normals' 99\N{NBSP}% radius")
    figure.update_yaxes(range=[-1.1 * tallest, 1.1 * tallest], showticklabels=False, title_text="share of positions")
    return figure
