"""One training batch under three couplings beside what the learned field makes of it."""

from typing import Final

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from wtflow.plots.theme import COLOURS, TIME_TITLE, style
from wtflow.records_flow import Ideal

PANELS: Final = ("independent", "optimal", "worst", "learned")
PANEL_COLOURS: Final = {"independent": COLOURS["reference"], "optimal": COLOURS["normal"], "worst": COLOURS["defect"], "learned": COLOURS["time"]}
N_DRAWN = 160
"""Lines per panel: more only make a grey patch."""


def plot_ideal(ideal: Ideal) -> go.Figure:
    """Four panels on the same axes with a slider over t: lines from data to paired noise under each coupling, and the learned paths."""
    n = min(N_DRAWN, len(ideal.start))
    paths = {kind: _straight(ideal, kind)[:, :n] for kind in ideal.ends} | {"learned": ideal.learned[:, :n]}
    figure = make_subplots(rows=1, cols=4, subplot_titles=[_title(ideal, name) for name in PANELS], horizontal_spacing=0.02, shared_yaxes=True)
    style(figure, height=400)
    for column, name in enumerate(PANELS, start=1):
        x, y = (_broken(paths[name][..., axis]) for axis in (0, 1))
        line = {"color": PANEL_COLOURS[name], "width": 0.7}
        figure.add_trace(go.Scatter(x=x, y=y, mode="lines", line=line, opacity=0.35, hoverinfo="skip", showlegend=False), row=1, col=column)
    movers = list(range(len(figure.data), len(figure.data) + len(PANELS)))
    for column, name in enumerate(PANELS, start=1):
        figure.add_trace(_dots(paths[name][0], PANEL_COLOURS[name], name), row=1, col=column)
    at = lambda s: [go.Scatter(x=paths[name][s][:, 0], y=paths[name][s][:, 1]) for name in PANELS]  # noqa: E731
    frames = [go.Frame(name=f"{t:.2f}", data=at(s), traces=movers) for s, t in enumerate(ideal.t)]
    figure.frames = frames
    every = np.concatenate([path.reshape(-1, 2) for path in paths.values()])
    low, high = np.quantile(every, 0.002, axis=0), np.quantile(every, 0.998, axis=0)
    figure.update_xaxes(range=[low[0], high[0]], title_text="principal axis 1", zeroline=True)
    figure.update_yaxes(range=[low[1], high[1]], zeroline=True)
    figure.update_yaxes(title_text="principal axis 2", col=1)
    figure.update_annotations(font_size=13)
    step = {"frame": {"duration": 0, "redraw": False}, "mode": "immediate", "transition": {"duration": 0}}
    steps = [{"label": frame.name, "method": "animate", "args": [[frame.name], step]} for frame in frames]
    play = {"frame": {"duration": 120, "redraw": False}, "transition": {"duration": 100}, "fromcurrent": True, "mode": "immediate"}
    buttons = [{"label": "Play", "method": "animate", "args": [None, play]}, {"label": "Pause", "method": "animate", "args": [[None], step]}]
    menu = {"type": "buttons", "direction": "left", "buttons": buttons, "x": 0, "y": -0.25, "xanchor": "left", "yanchor": "top", "showactive": False}
    slider = {"steps": steps, "x": 0.13, "len": 0.87, "y": -0.2, "yanchor": "top", "currentvalue": {"prefix": "t = "}, "pad": {"t": 0}}
    return figure.update_layout(updatemenus=[menu], sliders=[slider], margin={"b": 110, "t": 56})


def plot_ideal_norms(ideal: Ideal) -> go.Figure:
    """Median distance from the origin against t: straight lines under each coupling, and the learned paths."""
    figure = style(go.Figure(), height=300)
    for name in PANELS:
        middle = np.median(ideal.norms[name], axis=1)
        line = {"color": PANEL_COLOURS[name], "width": 3 if name == "learned" else 2, "dash": "solid" if name == "learned" else "dash"}
        words = "learned field" if name == "learned" else f"straight lines, {name}"
        hover = "t = %{x:.2f}<br>median norm %{y:.4g}<extra>" + words + "</extra>"
        figure.add_trace(go.Scatter(x=ideal.t, y=middle, name=words, mode="lines", line=line, hovertemplate=hover))
    figure.update_xaxes(title_text=TIME_TITLE, range=[-0.02, 1.02])
    figure.update_yaxes(title_text="median norm", rangemode="tozero")
    return figure.update_layout(showlegend=True)


def _title(ideal: Ideal, name: str) -> str:
    if name == "learned":
        return f"<b>learned field</b><br>trained with {ideal.trained_with} coupling"
    return f"<b>{name}</b><br>mean cost {ideal.costs[name]:.0f}, γ = {ideal.strengths[name]:+.3f}"


def _straight(ideal: Ideal, kind: str) -> np.ndarray:
    """(S, N, 2) points of the straight lines at the saved times."""
    t = ideal.t[:, None, None]
    return (1 - t) * ideal.start + t * ideal.ends[kind]


def _broken(values: np.ndarray) -> np.ndarray:
    """Paths (S, N) as one line with a gap after each."""
    return np.concatenate([values, np.full((1, values.shape[1]), np.nan, values.dtype)]).T.ravel()


def _dots(points: np.ndarray, colour: str, name: str) -> go.Scatter:
    marker = {"color": colour, "size": 5, "line": {"width": 0}}
    return go.Scatter(x=points[:, 0], y=points[:, 1], mode="markers", marker=marker, name=name, showlegend=False, hoverinfo="skip")
