"""What the score of one position is made of, along the path from data to noise."""

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from wtflow.plots.axes import format_score
from wtflow.plots.theme import COLOURS, TIME_TITLE, style
from wtflow.records import Probe


def plot_probe(probe: Probe) -> go.Figure:
    """Norm (left) and score (right) of the position at each saved time, with the shell sqrt(d) that noise lies on.

    A feature on the shell has a mean square of 1, so that its score is 1/2: the same line on the right.
    """
    figure = make_subplots(rows=1, cols=2, horizontal_spacing=0.17)
    style(figure, height=280)
    shell = float(np.sqrt(probe.n_channels))
    _add_path(figure, probe, probe.norm, 1, "norm of the feature", "norm")
    _add_path(figure, probe, probe.score, 2, "half mean square per channel", "score")
    _add_shell(figure, shell, 1, f"shell √d = {format_score(shell)} (typical norm of noise, d = {probe.n_channels})")
    _add_shell(figure, 0.5, 2, None)
    figure.update_xaxes(title_text=TIME_TITLE, range=[-0.03, 1.03])
    figure.update_yaxes(title_text="norm of the feature", rangemode="tozero", col=1)
    figure.update_yaxes(title_text="score (½ mean square)", rangemode="tozero", col=2)
    return figure


def _add_path(figure: go.Figure, probe: Probe, values: np.ndarray, column: int, name: str, word: str) -> None:
    hover = f"t = %{{x:.3g}}<br>{word} %{{y:.4g}}<extra></extra>"
    look = {"line": {"color": COLOURS["time"], "width": 2.5}, "marker": {"size": 7}}
    figure.add_trace(
        go.Scatter(x=probe.t, y=values, mode="lines+markers", name=name, showlegend=False, hovertemplate=hover, **look), row=1, col=column
    )


def _add_shell(figure: go.Figure, height: float, column: int, name: str | None) -> None:
    """A named line is listed in the legend; the second one belongs to the first."""
    line = {"color": COLOURS["reference"], "width": 1.5, "dash": "dot"}
    trace = go.Scatter(
        x=[0, 1], y=[height] * 2, mode="lines", line=line, name=name, showlegend=name is not None, legendgroup="shell", hoverinfo="skip"
    )
    figure.add_trace(trace, row=1, col=column)
