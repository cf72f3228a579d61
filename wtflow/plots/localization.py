"""One image, its map and both in one: where the run saw a defect. A click on a picture selects a position."""

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from wtflow.plots.contours import outline
from wtflow.plots.pictures import encode_heat, encode_jpeg, overlay, thumbnail
from wtflow.plots.stretched import height_for, stretched
from wtflow.plots.theme import COLOURS, HEAT, SCORE_TITLE, style

PANELS = ("Image", "Anomaly map", "Overlay")

MAX_SIDE_PX = 640
"""A panel is seldom wider on a screen; larger pictures only make the figure heavier."""

TOP_PX = 86
"""Room above the panels: score title, colour bar with its ticks, panel titles."""

AROUND_PX = TOP_PX + 64
"""Room above and below the panels: ticks and axis titles, too."""

MAX_CLICKABLE = 48
"""Clickable positions per side; larger grids are thinned. At 64 the browser took 4 s for a zoom on a slow machine,
at 32 under 1 s.
"""


def plot_localization(
    image: np.ndarray,
    pixel_map: np.ndarray,
    mask: np.ndarray | None,
    *,
    color_range: tuple[float, float],
    opacity: float,
    grid_shape: tuple[int, int],
    position_scores: np.ndarray,
    selected: tuple[int, int] | None,
) -> go.Figure:
    """Three panels (image, map, overlay) that zoom and pan together, with the true defect's outline and one colour bar.

    image: uint8 (H, W, 3); pixel_map: float (S, S), stretched over the image; mask: bool (any size, stretched) or None;
    color_range: (low, high) scores at the ends of the colour scale; opacity: of the map in the overlay, 0 to 1;
    grid_shape: (h, w) of the scored positions; position_scores: float (h, w); selected: (row, column) to mark with a
    ring. Every panel holds invisible points at the positions, with `customdata = [row, column]`: hover shows the score,
    a click selects. A click moves the ring in the browser, in the panel clicked; drawing the figure again with that
    position as `selected` puts it in all panels, but Streamlit then forgets the zoom. Axes are in pixels of the image,
    y downwards.
    """
    height, width = image.shape[:2]
    figure = make_subplots(rows=1, cols=3, subplot_titles=PANELS, horizontal_spacing=0.025)
    style(figure, height=AROUND_PX + height_for(width, height, 280))
    small = thumbnail(image, MAX_SIDE_PX)
    heat = encode_heat(pixel_map, color_range, MAX_SIDE_PX)
    both = encode_jpeg(overlay(small, pixel_map, color_range, opacity))
    for column, encoded in enumerate((encode_jpeg(small), heat, both), start=1):
        figure.add_trace(stretched(encoded, width, height), row=1, col=column)

    if mask is not None and mask.any():
        _add_truth(figure, mask, width / mask.shape[1], height / mask.shape[0])
    points = _positions(width, height, grid_shape, position_scores, selected)
    for panel in (1, 2, 3):
        figure.add_trace(go.Scatter(points, xaxis=f"x{panel + 3}", yaxis=f"y{panel + 3}"))

    _tie_axes(figure, width, height)
    figure.update_annotations(font_size=14)
    _add_colour_bar(figure, color_range)
    figure.update_layout(
        margin={"t": TOP_PX, "pad": 0},
        dragmode="pan",
        hoverdistance=-1,  # every pixel belongs to its nearest position, however far one has zoomed in
        legend={"x": 0.53, "yref": "container", "y": 0.985, "yanchor": "top"},
    )
    return figure


def _positions(
    width: int, height: int, grid_shape: tuple[int, int], scores: np.ndarray, selected: tuple[int, int] | None
) -> go.Scatter:
    """Invisible points in the middle of each position;
    the chosen one shows as a ring, and no other changes when it does.

    Their scores are on the colour axis, which the colour bar needs. Coordinates stay lists: the
    browser returns `customdata`, and a typed array would come back as an object.
    """
    n_rows, n_columns = grid_shape
    rows, columns = (axis.ravel() for axis in np.meshgrid(_thinned(n_rows), _thinned(n_columns), indexing="ij"))
    chosen = None if selected is None else [int(np.argmin((rows - selected[0]) ** 2 + (columns - selected[1]) ** 2))]
    return go.Scatter(
        x=(columns + 0.5) * (width / n_columns),
        y=(rows + 0.5) * (height / n_rows),
        customdata=np.stack([rows, columns], axis=1).tolist(),
        selectedpoints=chosen,
        mode="markers",
        marker={
            "color": scores[rows, columns].astype(np.float32),
            "coloraxis": "coloraxis",
            "opacity": 0,
            "size": 13,
            "line": {"width": 2, "color": COLOURS["halo"]},
        },
        selected={"marker": {"opacity": 1, "color": COLOURS["ring"]}},
        unselected={"marker": {"opacity": 0}},
        hovertemplate="row %{customdata[0]}, column %{customdata[1]}<br>score %{marker.color:.4g}<extra></extra>",
        showlegend=False,
    )


def _thinned(n: int) -> np.ndarray:
    """Indices of the clickable rows or columns, all of them up to MAX_CLICKABLE."""
    step = -(-n // MAX_CLICKABLE)
    return np.arange(step // 2, n, step)


def _add_truth(figure: go.Figure, mask: np.ndarray, scale_x: float, scale_y: float) -> None:
    """The outline in all panels: light within dark. One legend entry shows and hides it everywhere."""
    x: list[float | None] = []
    y: list[float | None] = []
    for line_x, line_y in outline(mask):
        x += [*(line_x * scale_x).tolist(), None]  # None lifts the pen
        y += [*(line_y * scale_y).tolist(), None]
    for column in (1, 2, 3):
        for name, thickness in (("halo", 3.5), ("truth", 1.5)):
            figure.add_trace(
                go.Scatter(
                    x=x,
                    y=y,
                    mode="lines",
                    line={"color": COLOURS[name], "width": thickness},
                    name="true defect",
                    legendgroup="truth",
                    showlegend=column == 1 and name == "truth",
                    hoverinfo="skip",
                ),
                row=1,
                col=column,
            )


def _tie_axes(figure: go.Figure, width: int, height: int) -> None:
    """One zoom for all panels, pixels square, row 0 on top;
    spare height is left below, so that titles stay at their panels.

    The points have their own axes over each panel's: only then does a click in one panel take the ring out of the
    others, because Plotly clears the traces of the clicked axes and of overlaid ones.
    """
    x_range, y_range = [0, width], [height, 0]
    quiet = {"constrain": "domain", "showgrid": False, "zeroline": False, "nticks": 5}
    tick = {"ticks": "outside", "ticklen": 4, "tickcolor": "rgba(0,0,0,0)"}
    figure.update_xaxes(
        quiet | tick | {"matches": "x", "range": x_range, "title": {"text": "x (pixels)", "standoff": 4}}
    )
    figure.update_yaxes(
        quiet | {"matches": "y", "range": y_range, "constraintoward": "top", "showticklabels": False, "ticks": ""}
    )
    figure.update_yaxes(
        tick | {"showticklabels": True, "title_text": "y (pixels)", "scaleanchor": "x", "scaleratio": 1}, col=1
    )
    for panel, below in enumerate(("", "2", "3"), start=1):
        own = panel + 3
        over = {"visible": False, "fixedrange": False}
        figure.layout[f"xaxis{own}"] = over | {
            "overlaying": f"x{below}",
            "matches": "x",
            "range": x_range,
            "anchor": f"y{own}",
        }
        figure.layout[f"yaxis{own}"] = over | {
            "overlaying": f"y{below}",
            "matches": "y",
            "range": y_range,
            "anchor": f"x{own}",
        }


def _add_colour_bar(figure: go.Figure, color_range: tuple[float, float]) -> None:
    """One scale for map and overlay, above the panels."""
    low, high = color_range
    place = {
        "orientation": "h",
        "x": 0,
        "xanchor": "left",
        "len": 0.5,
        "thickness": 10,
        "yref": "container",
        "y": 1,
        "yanchor": "top",
    }
    bar = place | {"xpad": 0, "ypad": 22, "outlinewidth": 0, "nticks": 6}
    figure.update_layout(
        coloraxis={"colorscale": HEAT, "cmin": low, "cmax": high if high > low else low + 1, "colorbar": bar}
    )
    # Not the bar's own title: Plotly draws that over the bar.
    above = {
        "xref": "paper",
        "yref": "paper",
        "x": 0,
        "y": 1,
        "xanchor": "left",
        "yanchor": "bottom",
        "yshift": TOP_PX - 22,
    }
    figure.add_annotation(above | {"text": SCORE_TITLE, "showarrow": False})
