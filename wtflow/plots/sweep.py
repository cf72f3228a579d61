"""A sweep: its table in heat colours, and what each setting changes."""

from typing import Final

import plotly.graph_objects as go

from wtflow.numbers import NBSP, difference, metric
from wtflow.plots.letters import figure_letters
from wtflow.plots.theme import COLOURS, add_empty_note, style
from wtflow.records.sweep_table import SweepTable, TableCell

ROW_PX: Final = 38
FONT_PX: Final = 15
LEAST_SPAN: Final = 0.02
"""Of a metric, from the strongest colour of a row to none."""
GROUND: Final[list[tuple[float, str]]] = [(0.0, "rgba(123, 132, 148, 0.06)"), (1.0, "rgba(11, 148, 112, 0.28)")]
"""From the worst of a row to its best: so pale that text of either theme stands out."""


def plot_heat(table: SweepTable) -> go.Figure:
    """Categories by settings; colour tells how near a cell is to the best of its row. customdata: row, column."""
    figure = style(go.Figure(), height=90 + ROW_PX * len(table.rows))
    if not table.rows:
        return add_empty_note(figure, "No run has finished.")
    labels = [figure_letters(f"{row.category} ({row.root})" if row.root else row.category) for row in table.rows]
    names = [figure_letters(name) for name in table.columns]
    figure.add_trace(
        go.Heatmap(
            z=[_shares(row.cells) for row in table.rows],
            text=[[_words(cell) for cell in row.cells] for row in table.rows],
            customdata=[[(i, k) for k in range(len(table.columns))] for i in range(len(table.rows))],
            x=list(range(len(names))),
            y=list(range(len(labels))),
            hovertemplate="%{text}<extra></extra>",
            hoverongaps=False,
            colorscale=GROUND,
            zmin=0,
            zmax=1,
            xgap=2,
            ygap=2,
            showscale=False,
        )
    )
    # The words are a trace of their own: in this they have the theme's colour, and they can be clicked in Streamlit.
    figure.add_trace(
        go.Scatter(
            x=[k for _ in labels for k in range(len(names))],
            y=[i for i in range(len(labels)) for _ in names],
            customdata=[(i, k) for i in range(len(labels)) for k in range(len(names))],
            text=[_words(cell) for row in table.rows for cell in row.cells],
            mode="markers+text",
            textposition="middle center",
            textfont={"size": FONT_PX},
            marker={"size": 26, "opacity": 0.0, "color": COLOURS["selected"]},
            hoverinfo="skip",
            showlegend=False,
        )
    )
    figure.update_xaxes(side="top", tickvals=list(range(len(names))), ticktext=names, showgrid=False, zeroline=False)
    figure.update_xaxes(tickfont_size=FONT_PX - 1, ticks="")
    figure.update_yaxes(tickfont_size=FONT_PX - 1, ticks="")
    figure.update_yaxes(
        tickvals=list(range(len(labels))),
        ticktext=labels,
        autorange="reversed",
        showgrid=False,
        zeroline=False,
        automargin=True,
    )
    return figure.update_layout(showlegend=False)


def plot_effects(table: SweepTable) -> go.Figure:
    """What each value changes against the first one, with its interval; filled where it is beyond chance."""
    shown = table.effects
    figure = style(go.Figure(), height=90 + 36 * len(shown))
    if not shown:
        return add_empty_note(figure, "Nothing was varied.")
    places = list(range(len(shown)))[::-1]
    ends = [(one.interval.low, one.interval.high) if one.interval else (one.change, one.change) for one in shown]
    figure.add_trace(
        go.Scatter(
            x=[one.change for one in shown],
            y=places,
            mode="markers",
            marker={
                "size": 11,
                "color": COLOURS["selected"],
                "symbol": ["circle" if one.is_clear else "circle-open" for one in shown],
            },
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [high - one.change for one, (_, high) in zip(shown, ends, strict=True)],
                "arrayminus": [one.change - low for one, (low, _) in zip(shown, ends, strict=True)],
                "thickness": 2,
                "width": 5,
            },
            text=[f"{difference(one.change)}, {one.n_pairs} pairs" for one in shown],
            hovertemplate="%{text}<extra></extra>",
        )
    )
    line = {"color": COLOURS["reference"], "width": 2, "dash": "dot"}
    figure.add_shape(type="line", xref="x", yref="paper", x0=0, x1=0, y0=0, y1=1, line=line)
    figure.update_xaxes(title_text=f"change of {table.title} (right of 0 is better)", zeroline=False)
    figure.update_yaxes(
        tickvals=places,
        ticktext=[figure_letters(f"{one.setting} {one.value}, not {one.reference}") for one in shown],
        range=[-0.6, len(shown) - 0.4],
        automargin=True,
        zeroline=False,
    )
    return figure.update_layout(showlegend=False)


def _shares(cells: tuple[TableCell, ...]) -> list[float | None]:
    """Of each cell, how near it is to the best (1) of its row; 0 is the worst, or LEAST_SPAN or four deviations over
    seeds below the best where that is farther: what differs by chance looks alike.
    """
    known = [cell.mean for cell in cells if cell.mean is not None]
    deviations = [cell.deviation for cell in cells if cell.deviation is not None]
    high, low = max(known, default=0.0), min(known, default=0.0)
    span = max(high - low, LEAST_SPAN, 4 * sum(deviations) / max(1, len(deviations)))
    return [None if cell.mean is None else 1 - (high - cell.mean) / span for cell in cells]


def _words(cell: TableCell) -> str:
    if cell.mean is None:
        return "–"
    deviation = "" if cell.deviation is None else f"{NBSP}±{NBSP}{metric(cell.deviation)}"
    star = f"{NBSP}★" * cell.is_best
    return f"<b>{metric(cell.mean)}</b>{deviation}{star}" if cell.is_best else f"{metric(cell.mean)}{deviation}"
