"""Runs side by side: differences with their intervals, curves on one axis, scores against scores."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import numpy as np
import plotly.graph_objects as go

from wtflow.metrics import FPR_LIMIT
from wtflow.numbers import PERCENT_SIGN
from wtflow.plots.axes import score_axis
from wtflow.plots.letters import figure_letters
from wtflow.plots.theme import COLOURS, add_empty_note, style
from wtflow.records.compare import MetricRow
from wtflow.records.core import Curve

RUN_COLOURS: Final = ("#7463E0", "#0B9470", "#C27A00", "#B0508F")
"""One per run, in order; none of them means normal or defective."""

DASHES: Final = ("solid", "dash", "dot", "dashdot")
"""One per run, in order: lines can also be distinguished without colour."""

AGREEMENT: Final[dict[str, str]] = {
    "both": "both right",
    "first": "only {first} right",
    "second": "only {second} right",
    "neither": "both wrong",
}
NEITHER_COLOUR: Final = "#E0413A"

CURVES: Final[dict[str, tuple[str, str, str]]] = {
    "roc": ("ROC", "false alarms (of all normals)", "defects found (of all defective)"),
    "pr": ("Precision and recall", "recall (defects found)", "precision (calls that are right)"),
    "pro": ("PRO", "false-positive rate of the pixels", "overlap, mean over defect regions"),
}
"""Kind -> name, title of x, title of y."""


def plot_differences(rows: Sequence[MetricRow], titles: Mapping[str, str], names: Sequence[str]) -> go.Figure:
    """Each metric's difference to the first run with its interval, one colour per run.
    Rows without intervals are left out.
    """
    shown = [row for row in rows if row.differences]
    figure = style(go.Figure(), height=90 + 34 * len(shown) * max(1, len(names) - 1))
    if not shown:
        return add_empty_note(figure, "No difference to show.")
    places = np.arange(len(shown))[::-1]  # the first metric on top
    n_others = len(names) - 1
    for k in range(1, len(names)):
        found = [row.differences[k] for row in shown]
        value = np.array([one.value for one in found])
        offset = 0.22 * ((n_others + 1) / 2 - k)
        figure.add_trace(
            go.Scatter(
                x=value,
                y=places + offset,
                mode="markers",
                name=figure_letters(names[k]),
                customdata=[[one.low, one.high] for one in found],
                marker={"color": RUN_COLOURS[k], "size": 10, "line": {"width": 0}},
                error_x={
                    "type": "data",
                    "symmetric": False,
                    "array": [one.high - one.value for one in found],
                    "arrayminus": [one.value - one.low for one in found],
                    "thickness": 2.5,
                    "width": 5,
                },
                hovertemplate=(
                    "%{x:+.3f}, 95\N{NBSP}% interval %{customdata[0]:+.3f} to %{customdata[1]:+.3f}<extra></extra>"
                ),
            )
        )
    line = {"color": COLOURS["reference"], "width": 2, "dash": "dot"}
    figure.add_shape(type="line", xref="x", yref="paper", x0=0, x1=0, y0=0, y1=1, line=line)
    figure.update_xaxes(title_text=f"difference to {figure_letters(names[0])} (right of 0 is better)", zeroline=False)
    figure.update_yaxes(
        tickvals=places,
        ticktext=[titles[row.key] for row in shown],
        range=[-0.6, len(shown) - 0.4],
        showgrid=False,
        zeroline=False,
    )
    return figure


def plot_rates(curves: Sequence[tuple[str, Curve | None]], kind: Literal["roc", "pr", "pro"]) -> go.Figure:
    """The curve of every run on one axis; a run without one is left out.
    PRO is drawn up to a false-positive rate of 0.3.
    """
    _, x_title, y_title = CURVES[kind]
    figure = style(go.Figure(), height=400)
    for k, (name, curve) in enumerate(curves):
        if curve is not None:
            line = {"color": RUN_COLOURS[k], "width": 2.5, "dash": DASHES[k]}
            hover = f"%{{y:.1f}}{PERCENT_SIGN} at %{{x:.2f}}{PERCENT_SIGN}<br>threshold %{{customdata:.4g}}"
            data = {"x": 100 * curve.x, "y": 100 * curve.y, "customdata": [float(value) for value in curve.thresholds]}
            figure.add_trace(
                go.Scatter(**data, name=figure_letters(name), mode="lines", line=line, hovertemplate=hover)
            )
    if not figure.data:
        return add_empty_note(figure, "This curve needs normal and defective test images.")
    if kind == "roc":
        chance = {"color": COLOURS["reference"], "width": 1.5, "dash": "dot"}
        figure.add_trace(go.Scatter(x=[0, 100], y=[0, 100], name="chance", mode="lines", line=chance, hoverinfo="skip"))
    end = 100 * (FPR_LIMIT if kind == "pro" else 1.0)
    figure.update_xaxes(title_text=x_title, range=[-0.01 * end, 1.01 * end], ticksuffix=PERCENT_SIGN)
    figure.update_yaxes(title_text=y_title, range=[-2, 103], ticksuffix=PERCENT_SIGN)
    return figure


def plot_score_pairs(
    scores: tuple[np.ndarray, np.ndarray],
    is_defective: np.ndarray,
    agreement: Sequence[str],
    sample_ids: Sequence[str],
    *,
    thresholds: tuple[float, float],
    names: tuple[str, str],
    colours: tuple[str, str],
    selected: str | None,
) -> go.Figure:
    """Scores of one run against those of another, coloured by who is right, round where normal and
    square where defective.

    scores: two (N,); agreement: (N,) keys of AGREEMENT; `customdata` carries the sample id; `selected` is ringed.
    """
    figure = style(go.Figure(), height=460)
    if not len(sample_ids):
        return add_empty_note(figure, "No image to show.")
    names = (figure_letters(names[0]), figure_letters(names[1]))
    axes = [score_axis(values, padding=0.04) for values in scores]
    keys, ids = np.asarray(agreement), np.asarray(sample_ids, dtype=object)
    colour = {"both": COLOURS["reference"], "first": colours[0], "second": colours[1], "neither": NEITHER_COLOUR}
    for key, words in AGREEMENT.items():
        is_first = True
        for symbol, wanted, label in (("circle", False, "normal"), ("square", True, "defective")):
            members = (keys == key) & (is_defective == wanted)
            if members.any():
                name = words.format(first=names[0], second=names[1])
                figure.add_trace(
                    go.Scatter(
                        x=scores[0][members],
                        y=scores[1][members],
                        mode="markers",
                        name=name,
                        legendgroup=key,
                        showlegend=is_first,
                        customdata=[[sample] for sample in ids[members]],
                        hovertext=[figure_letters(sample) for sample in ids[members]],
                        opacity=0.55 if key == "both" else 0.95,
                        marker={"color": colour[key], "symbol": symbol, "size": 8, "line": {"width": 0}},
                        selected={"marker": {"opacity": 1}},
                        unselected={"marker": {"opacity": 0.55 if key == "both" else 0.95}},
                        hovertemplate=(
                            f"%{{hovertext}}<br>{label}, {name}<br>{names[0]} %{{x:.4g}}, {names[1]}"
                            " %{y:.4g}<extra></extra>"
                        ),
                    )
                )
                is_first = False
    chosen = np.flatnonzero(ids == selected)
    if chosen.size:
        ring = {"color": "rgba(0,0,0,0)", "size": 18, "line": {"color": COLOURS["selected"], "width": 3}}
        place = {"x": scores[0][chosen], "y": scores[1][chosen]}
        figure.add_trace(go.Scatter(**place, mode="markers", marker=ring, hoverinfo="skip", showlegend=False))
    line = {"color": COLOURS["threshold"], "width": 2, "dash": "dash"}
    x, y = (axis.clamp(value) for axis, value in zip(axes, thresholds, strict=True))
    figure.add_shape(type="line", xref="x", yref="paper", x0=x, x1=x, y0=0, y1=1, line=line)
    figure.add_shape(type="line", xref="paper", yref="y", x0=0, x1=1, y0=y, y1=y, line=line)
    for update, axis, name in ((figure.update_xaxes, axes[0], names[0]), (figure.update_yaxes, axes[1], names[1])):
        update(axis.layout() | {"title": {"text": f"score of {name}{', log scale' * axis.is_log}"}, "zeroline": False})
    return figure
