"""Figures that play over time in the browser: a frame for each time, and buttons."""

from collections.abc import Sequence
from typing import Any, Final

import plotly.graph_objects as go

from wtflow.numbers import flow_time
from wtflow.plots.theme import COLOURS

FRAME_MS: Final = 250
"""Milliseconds of a frame: 21 of them in 5 s, slow enough to see a surface turn over."""


def play_over_time(figure: go.Figure, t: Sequence[float], frames: Sequence[Sequence[Any]], at: int) -> go.Figure:
    """The figure with a frame for each time of t (S,), whose traces replace all of the figure's in their order; buttons
    and the time stand below it. at: the time that the figure shows now. A single time needs neither.
    """
    if len(t) < 2:
        return figure
    names = [flow_time(float(value)) for value in t]
    figure.frames = [
        go.Frame(name=str(s), data=list(data), layout={"title": {"text": names[s]}}) for s, data in enumerate(frames)
    ]
    jump = {"frame": {"duration": 0, "redraw": True}, "mode": "immediate", "transition": {"duration": 0}}
    play = jump | {"frame": {"duration": FRAME_MS, "redraw": True}, "fromcurrent": False}
    buttons = play_buttons(play, jump) | {"y": 0, "pad": {"t": 48}}
    title = {"text": names[at], "x": 0, "xanchor": "left", "y": 0.99, "yanchor": "top", "font": {"size": 18}}
    return figure.update_layout(updatemenus=[buttons], title=title, margin={"t": 40, "b": 96})


def play_buttons(play: dict[str, Any], jump: dict[str, Any]) -> dict[str, Any]:
    """The menu with *Play*, which animates by `play`, and *Pause*, left below the figure; whoever uses it says how far.

    Grey can be read on both grounds and on the near-white that Plotly puts under the pointer: the theme's text could
    not.
    """
    return {
        "type": "buttons",
        "direction": "left",
        "x": 0,
        "xanchor": "left",
        "yanchor": "top",
        "showactive": False,
        "bordercolor": COLOURS["reference"],
        "font": {"color": COLOURS["reference"]},
        "buttons": [
            {"label": "Play", "method": "animate", "args": [None, play]},
            {"label": "Pause", "method": "animate", "args": [[None], jump]},
        ],
    }
