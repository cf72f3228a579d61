"""One training batch under three couplings, and the paths along which the learned field moves it."""

from typing import Final

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from wtflow.plots.play import play_buttons
from wtflow.plots.theme import COLOURS, TIME_TITLE, style
from wtflow.records.flow import Ideal

PANELS: Final = ("independent", "optimal", "worst", "learned")
DASHES: Final = {"independent": "dot", "optimal": "dashdot", "worst": "dash", "learned": "solid"}

N_DRAWN: Final = 160
"""Lines per panel: more only make a grey patch."""

OUTER: Final = (0.002, 0.998)
"""Quantiles at which the axes end, so that a single far point does not press the rest together."""


def plot_ideal(ideal: Ideal) -> go.Figure:
    """Four panels on the same axes with a slider over t: lines from data to paired noise under each coupling, and
    the learned paths.
    """
    n = min(N_DRAWN, len(ideal.start))
    paths = {name: (ideal.learned if name == "learned" else _straight(ideal, name))[:, :n] for name in PANELS}
    figure = make_subplots(
        rows=1,
        cols=4,
        subplot_titles=[_title(ideal, name) for name in PANELS],
        horizontal_spacing=0.02,
        shared_yaxes=True,
    )
    style(figure, height=400)
    for column, name in enumerate(PANELS, start=1):
        figure.add_trace(_lines(paths[name], _colour(name)), row=1, col=column)
    for column, name in enumerate(PANELS, start=1):
        figure.add_trace(_dots(paths[name][0], _colour(name)), row=1, col=column)
    every = np.concatenate([path.reshape(-1, 2) for path in paths.values()])
    (left, bottom), (right, top) = np.quantile(every, OUTER, axis=0)
    figure.update_xaxes(range=[left, right], title_text="principal axis 1", zeroline=True)
    figure.update_yaxes(range=[bottom, top], zeroline=True)
    figure.update_yaxes(title_text="principal axis 2", col=1)
    figure.update_annotations(font_size=13)
    return _animate(figure, ideal.t, paths)


def plot_ideal_norms(ideal: Ideal) -> go.Figure:
    """Median distance from the origin against t: straight lines under each coupling, and the learned paths."""
    figure = style(go.Figure(), height=300)
    for name in PANELS:
        middle = np.median(ideal.norms[name], axis=1)
        line = {"color": _colour(name), "width": 3 if name == "learned" else 2, "dash": DASHES[name]}
        words = "learned field" if name == "learned" else f"straight lines, {name}"
        hover = "t = %{x:.2f}<br>median norm %{y:.4g}<extra>" + words + "</extra>"
        figure.add_trace(go.Scatter(x=ideal.t, y=middle, name=words, mode="lines", line=line, hovertemplate=hover))
    figure.update_xaxes(title_text=TIME_TITLE, range=[-0.02, 1.02])
    figure.update_yaxes(title_text="median norm", rangemode="tozero")
    return figure.update_layout(showlegend=True)


def _animate(figure: go.Figure, t: np.ndarray, paths: dict[str, np.ndarray]) -> go.Figure:
    """The same figure with a frame for each time, buttons and a slider. Its last traces are the dots, in the order
    of the panels.
    """
    dots = list(range((n := len(tuple(figure.data))) - len(PANELS), n))
    figure.frames = [
        go.Frame(
            name=str(s),
            data=[go.Scatter(x=paths[name][s, :, 0], y=paths[name][s, :, 1]) for name in PANELS],
            traces=dots,
        )
        for s in range(len(t))
    ]
    jump = {"frame": {"duration": 0, "redraw": False}, "mode": "immediate", "transition": {"duration": 0}}
    play = {
        "frame": {"duration": 120, "redraw": False},
        "mode": "immediate",
        "transition": {"duration": 100},
        "fromcurrent": True,
    }
    buttons, grey = play_buttons(play, jump) | {"y": -0.25}, COLOURS["reference"]
    slider = {
        "x": 0.13,
        "len": 0.87,
        "y": -0.2,
        "yanchor": "top",
        "currentvalue": {"prefix": "t = "},
        "pad": {"t": 0},
        "tickcolor": grey,
        "bordercolor": grey,
        "steps": [
            {"label": f"{value:.2f}", "method": "animate", "args": [[str(s)], jump]} for s, value in enumerate(t)
        ],
    }
    return figure.update_layout(updatemenus=[buttons], sliders=[slider], margin={"b": 110, "t": 56})


def _title(ideal: Ideal, name: str) -> str:
    if name == "learned":
        return f"<b>learned field</b><br>trained with {ideal.trained_with} coupling"
    cost = ideal.costs[name]
    return f"<b>{name}</b><br>mean cost {cost:{'.0f' if cost >= 100 else '.3g'}}, γ = {ideal.strengths[name]:+.3f}"


def _colour(name: str) -> str:
    """The lines of a coupling are there to compare with; the learned paths run along t."""
    return COLOURS["time" if name == "learned" else "reference"]


def _straight(ideal: Ideal, kind: str) -> np.ndarray:
    """(S, N, 2) points of the straight lines at the saved times."""
    t = ideal.t[:, None, None]
    return (1 - t) * ideal.start + t * ideal.ends[kind]


def _lines(path: np.ndarray, colour: str) -> go.Scatter:
    """Paths (S, N, 2) as one trace, with a gap after each."""
    gaps = np.full((1, *path.shape[1:]), np.nan, path.dtype)
    x, y = np.concatenate([path, gaps]).transpose(2, 1, 0).reshape(2, -1)
    return go.Scatter(
        x=x, y=y, mode="lines", line={"color": colour, "width": 0.7}, opacity=0.35, hoverinfo="skip", showlegend=False
    )


def _dots(points: np.ndarray, colour: str) -> go.Scatter:
    marker = {"color": colour, "size": 5, "line": {"width": 0}}
    return go.Scatter(x=points[:, 0], y=points[:, 1], mode="markers", marker=marker, hoverinfo="skip", showlegend=False)
