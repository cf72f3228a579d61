"""A painted image before and after: maps on the run's scale, norms along the path, score
against the strength of a spot.
"""

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from wtflow.numbers import PERCENT_SIGN
from wtflow.numbers import score as format_score
from wtflow.plots.pictures import encode_heat, outline
from wtflow.plots.stretched import height_for, stretched
from wtflow.plots.theme import COLOURS, HEAT, SCORE_TITLE, TIME_TITLE, style
from wtflow.records.what_if import Sweep, WhatIf

MAX_SIDE_PX = 384
"""A panel is seldom wider; the maps are smooth anyway."""
BELOW_PX = 76
"""Room below the maps: score title, colour bar with its ticks, legend."""
AROUND_PX = BELOW_PX + 30
"""Room above and below the maps."""
WIDTHS = (1.5, 2.75, 4.25)
"""Line widths of spots from small to large; more sizes than that take the last one."""


def plot_before_after(what_if: WhatIf, color_range: tuple[float, float]) -> go.Figure:
    """The anomaly map before and after, on one scale, with the outline of the paint in both.
    Axes in pixels, y downwards.
    """
    height, width = what_if.image.shape[:2]
    titles = [
        f"before, score {format_score(what_if.score_before)}",
        f"after, score {format_score(what_if.score_after)}",
    ]
    figure = make_subplots(rows=1, cols=2, subplot_titles=titles, horizontal_spacing=0.03)
    style(figure, height=AROUND_PX + height_for(width, height, 254))
    x, y = _lines(what_if.mask)
    for column, values in enumerate((what_if.pixel_before, what_if.pixel_after), start=1):
        small = encode_heat(values, color_range, MAX_SIDE_PX)
        figure.add_trace(stretched(small, width, height), row=1, col=column)
        for name, thickness in (("halo", 3.5), ("truth", 1.5)):
            line = {"color": COLOURS[name], "width": thickness}
            figure.add_trace(
                go.Scatter(
                    x=x,
                    y=y,
                    mode="lines",
                    line=line,
                    name="outline of the paint",
                    legendgroup="paint",
                    showlegend=bool(x) and column == 1 and name == "truth",
                    hoverinfo="skip",
                ),
                row=1,
                col=column,
            )
        figure.add_trace(
            _positions(what_if.grid_before if column == 1 else what_if.grid_after, width, height), row=1, col=column
        )
    quiet = {"constrain": "domain", "showgrid": False, "zeroline": False, "showticklabels": False, "ticks": ""}
    figure.update_xaxes(quiet | {"range": [0, width]})
    figure.update_yaxes(quiet | {"range": [height, 0], "constraintoward": "top"})
    figure.update_xaxes(matches="x", col=2)
    figure.update_yaxes(matches="y", col=2)
    figure.update_yaxes(scaleanchor="x", scaleratio=1, col=1)
    figure.update_annotations(font_size=13)
    low, high = color_range
    place = {
        "orientation": "h",
        "x": 0,
        "xanchor": "left",
        "len": 0.6,
        "thickness": 8,
        "yref": "container",
        "y": 0,
        "yanchor": "bottom",
    }
    bar = place | {"outlinewidth": 0, "xpad": 0, "ypad": 18, "nticks": 5}
    # Not the bar's own title: Plotly draws that over the bar.
    title = {
        "text": SCORE_TITLE,
        "showarrow": False,
        "xref": "paper",
        "yref": "paper",
        "x": 0,
        "xanchor": "left",
        "font": {"size": 12},
    }
    figure.add_annotation(title | {"y": 0, "yanchor": "top", "yshift": -6})
    figure.update_layout(
        coloraxis={"colorscale": HEAT, "cmin": low, "cmax": high if high > low else low + 1, "colorbar": bar},
        margin={"t": 30, "b": BELOW_PX, "l": 4, "r": 4},
        dragmode="pan",
        legend={"x": 1, "xanchor": "right", "yref": "container", "y": 0.02, "yanchor": "bottom"},
    )
    return figure


def plot_painted_norms(what_if: WhatIf) -> go.Figure:
    """Norm of the painted positions along the path, before and after: median (thick) and highest (thin), and the
    shell of noise.
    """
    figure = style(go.Figure(), height=270)
    shell = float(np.sqrt(what_if.n_channels))
    looks = (("before", "normal", what_if.norms_before), ("after", "selected", what_if.norms_after))
    for words, colour, norms in looks:
        for kind, values, line in (
            ("median", norms.median, {"width": 3}),
            ("highest", norms.highest, {"width": 1.5, "dash": "dash"}),
        ):
            figure.add_trace(
                go.Scatter(
                    x=what_if.t,
                    y=values,
                    mode="lines+markers",
                    name=f"{words}, {kind}",
                    line=line | {"color": COLOURS[colour]},
                    marker={"size": 6},
                    hovertemplate=f"{words}, {kind}<br>t = %{{x:.3g}}<br>norm %{{y:.4g}}<extra></extra>",
                )
            )
    line = {"color": COLOURS["reference"], "width": 1.5, "dash": "dot"}
    name = f"shell √d = {format_score(shell)}"
    figure.add_trace(go.Scatter(x=[0, 1], y=[shell, shell], mode="lines", line=line, name=name, hoverinfo="skip"))
    figure.update_xaxes(title_text=TIME_TITLE, range=[-0.03, 1.03])
    figure.update_yaxes(title_text="norm of the feature", rangemode="tozero")
    return figure


def plot_sweep(sweep: Sweep, threshold: float) -> go.Figure:
    """Score against the strength of the spot, a line per size (thicker is larger);
    rings where the threshold is first reached.

    No ring where the unpainted image reaches it already: then no strength makes the difference.
    """
    figure = style(go.Figure(), height=300)
    firsts = sweep.first_reaching(threshold) if sweep.score_before < threshold else ()
    for i, (radius, scores) in enumerate(zip(sweep.radii, sweep.scores, strict=True)):
        words = f"{2 * radius:.0f} px across"
        line = {"color": COLOURS["selected"], "width": WIDTHS[min(i, len(WIDTHS) - 1)]}
        hover = f"{words}<br>strength %{{x:.0f}}{PERCENT_SIGN}<br>score %{{y:.4g}}<extra></extra>"
        look = {"mode": "lines+markers", "line": line, "marker": {"size": 5 + 2 * min(i, 2)}}
        figure.add_trace(
            go.Scatter(x=[100 * s for s in sweep.strengths], y=scores, name=words, hovertemplate=hover, **look)
        )
    seen = [(100 * s, sweep.scores[i][sweep.strengths.index(s)]) for i, s in enumerate(firsts) if s is not None]
    if seen:
        ring = {"size": 15, "symbol": "circle-open", "color": COLOURS["defect"], "line": {"width": 2.5}}
        x, y = zip(*seen, strict=True)
        figure.add_trace(
            go.Scatter(x=x, y=y, mode="markers", marker=ring, name="first called defective", hoverinfo="skip")
        )
    for value, colour, dash, name in (
        (threshold, "threshold", "dash", f"threshold {format_score(threshold)}"),
        (sweep.score_before, "normal", "dot", f"unpainted {format_score(sweep.score_before)}"),
    ):
        line = {"color": COLOURS[colour], "width": 2, "dash": dash}
        figure.add_trace(go.Scatter(x=[0, 103], y=[value, value], mode="lines", line=line, name=name, hoverinfo="skip"))
    figure.update_xaxes(title_text="strength of the spot", range=[0, 103], ticksuffix=PERCENT_SIGN)
    figure.update_yaxes(title_text=SCORE_TITLE)
    return figure


def _positions(grid: np.ndarray, width: int, height: int) -> go.Scatter:
    """Invisible points in the middle of each position, for the score under the cursor and for the colour bar."""
    rows, columns = (axis.ravel() for axis in np.indices(grid.shape))
    return go.Scatter(
        x=(columns + 0.5) * (width / grid.shape[1]),
        y=(rows + 0.5) * (height / grid.shape[0]),
        mode="markers",
        showlegend=False,
        marker={"color": grid.ravel().astype(np.float32), "coloraxis": "coloraxis", "opacity": 0, "size": 8},
        hovertemplate="score %{marker.color:.4g}<extra></extra>",
    )


def _lines(mask: np.ndarray) -> tuple[list[float | None], list[float | None]]:
    x: list[float | None] = []
    y: list[float | None] = []
    for line_x, line_y in outline(mask) if mask.any() else ():
        x += [*line_x.tolist(), None]  # None lifts the pen
        y += [*line_y.tolist(), None]
    return x, y
