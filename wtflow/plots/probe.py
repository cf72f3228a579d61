"""What the score of one position is made of, along the path from data to noise."""

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from wtflow.numbers import PERCENT_SIGN
from wtflow.numbers import score as format_score
from wtflow.plots.theme import COLOURS, TIME_TITLE, style
from wtflow.records.core import Probe

TITLES = ("norm of the feature", "speed |v|", "score (½ mean square)", "endpoint score by channel")


def plot_probe(probe: Probe) -> go.Figure:
    """Norm, speed and score of the position at each saved time, and what its strongest channels
    add to the endpoint score.

    The shell sqrt(d) that noise lies on is drawn: a feature on it has a mean square of 1, so that its score is 1/2.
    Bars under the score show what each step added to it or took away.
    """
    figure = make_subplots(rows=1, cols=4, horizontal_spacing=0.075, subplot_titles=TITLES)
    style(figure, height=300)
    for column, (values, word) in enumerate(
        ((probe.norm, "norm"), (probe.speed, "speed"), (probe.score, "score")), start=1
    ):
        _add_path(figure, probe, values, column, word)
    _add_gains(figure, probe)
    shell = float(np.sqrt(probe.n_channels))
    _add_shell(figure, shell, 1, f"shell √d = {format_score(shell)} (typical norm of noise, d = {probe.n_channels})")
    _add_shell(figure, 0.5, 3, None)
    _add_channels(figure, probe)
    for column in (1, 2, 3):
        figure.update_xaxes(title_text=TIME_TITLE if column == 2 else "t", range=[-0.03, 1.03], col=column)
        figure.update_yaxes(rangemode="tozero", col=column)
    figure.update_annotations(font_size=13)
    return figure.update_layout(legend={"y": -0.3, "yanchor": "top"}, margin={"b": 64, "t": 40})


def _add_path(figure: go.Figure, probe: Probe, values: np.ndarray, column: int, word: str) -> None:
    hover = f"t = %{{x:.3g}}<br>{word} %{{y:.4g}}<extra></extra>"
    look = {"line": {"color": COLOURS["time"], "width": 2.5}, "marker": {"size": 7}}
    figure.add_trace(
        go.Scatter(x=probe.t, y=values, mode="lines+markers", name=word, showlegend=False, hovertemplate=hover, **look),
        row=1,
        col=column,
    )


def _add_gains(figure: go.Figure, probe: Probe) -> None:
    """One bar per step, from the score before it to the score after it."""
    gains = np.diff(probe.score)
    colours = [COLOURS["defect"] if gain > 0 else COLOURS["normal"] for gain in gains]
    figure.add_trace(
        go.Bar(
            x=(probe.t[1:] + probe.t[:-1]) / 2,
            width=np.diff(probe.t) * 0.6,
            base=probe.score[:-1],
            y=gains,
            marker_color=colours,
            opacity=0.3,
            customdata=gains,
            hovertemplate="this step: %{customdata:+.4g}<extra></extra>",
            showlegend=False,
        ),
        row=1,
        col=3,
    )


def _add_channels(figure: go.Figure, probe: Probe) -> None:
    """The strongest channels, largest on top."""
    if not probe.channels:
        return
    numbers, values, shares = zip(*reversed(probe.channels), strict=True)
    hover = "channel %{y}<br>endpoint %{customdata:.3g}<br>%{x:.1f}\N{NBSP}% of the score<extra></extra>"
    names = [f"c{number}" for number in numbers]
    figure.add_trace(
        go.Bar(
            x=[100 * share for share in shares],
            y=names,
            customdata=values,
            orientation="h",
            marker_color=COLOURS["selected"],
            hovertemplate=hover,
            showlegend=False,
        ),
        row=1,
        col=4,
    )
    figure.update_xaxes(ticksuffix=PERCENT_SIGN, title_text="share", rangemode="tozero", col=4)


def _add_shell(figure: go.Figure, height: float, column: int, name: str | None) -> None:
    """A named line is listed in the legend; the second one belongs to the first."""
    line = {"color": COLOURS["reference"], "width": 1.5, "dash": "dot"}
    trace = go.Scatter(
        x=[0, 1],
        y=[height] * 2,
        mode="lines",
        line=line,
        name=name,
        showlegend=name is not None,
        legendgroup="shell",
        hoverinfo="skip",
    )
    figure.add_trace(trace, row=1, col=column)
