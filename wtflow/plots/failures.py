"""What explains a run's wrong calls: scores against a fact, where normal images look defective, groups of failures, one
map cut at a threshold.

Points carry `customdata = [sample id, "row,column" or ""]`: a click leads to that image and, if given, to that
position.
"""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from PIL import Image, ImageColor

from wtflow.numbers import PERCENT_SIGN, percent
from wtflow.numbers import score as format_score
from wtflow.plots.axes import score_axis
from wtflow.plots.groups import DEFECT_COLOURS
from wtflow.plots.letters import figure_letters
from wtflow.plots.masks import hatch
from wtflow.plots.theme import COLOURS, HEAT, OUTCOMES, SCORE_TITLE, add_empty_note, style
from wtflow.records.failures import AlarmMap

HEIGHT_PX = 330
MOST_CLICKABLE = 48
"""Clickable positions per side, as in the panels of an image; larger grids are thinned."""
TINT = 0.55
"""Opacity of the colours over the picture: what lies below stays visible."""
SYMBOLS = {"TP": "circle-open", "TN": "circle-open", "FN": "diamond", "FP": "diamond"}
"""Wrong calls also differ in shape, because colour alone is not enough."""


def plot_fact(
    values: np.ndarray,
    scores: np.ndarray,
    outcome: Sequence[str],
    ids: Sequence[str],
    threshold: float,
    title: str,
    *,
    bound: float | None = None,
    is_share: bool = False,
) -> go.Figure:
    """Score against one fact, a dot per image by outcome, with the threshold and, if given, the
    bound that separates best.

    values, scores: float (N,); images whose value is NaN are left out. outcome: TP, FP, TN or FN each; title: of the
    fact's axis; is_share: its values are shown as percentages.
    """
    values, scores, outcomes = np.asarray(values, float), np.asarray(scores, float), np.asarray(outcome)
    known = np.flatnonzero(np.isfinite(values))
    scale, suffix = (100, PERCENT_SIGN) if is_share else (1, "")
    values = scale * values
    figure = style(go.Figure(), HEIGHT_PX)
    if not known.size:
        return add_empty_note(figure, "No image has this fact.")
    across, up = score_axis(values[known], padding=0.04), score_axis(np.append(scores[known], threshold), padding=0.04)
    for name in ("TP", "TN", "FN", "FP"):  # wrong calls last, so that they lie on top
        own = known[outcomes[known] == name]
        if own.size:
            figure.add_trace(
                _dots(values[own], scores[own], [ids[i] for i in own], f"{OUTCOMES[name]} ({own.size})", name)
            )
    figure.add_hline(threshold, line={"color": COLOURS["threshold"], "width": 2, "dash": "dash"})
    if bound is not None:
        figure.add_vline(scale * bound, line={"color": COLOURS["selected"], "width": 2, "dash": "dot"})
    figure.update_xaxes(across.layout(suffix) | {"title": {"text": title}})
    figure.update_yaxes(up.layout() | {"title": {"text": SCORE_TITLE}})
    return figure


def plot_alarms(alarms: AlarmMap, id_of_row: dict[int, str]) -> go.Figure:
    """Where normal images exceed the pixel threshold, in shares of the images;
    a click leads to the image that is highest there.
    """
    height, width = alarms.share.shape
    figure = style(go.Figure(), HEIGHT_PX + 60)
    bar = {
        "title": {"text": "share of normal images", "side": "right"},
        "ticksuffix": PERCENT_SIGN,
        "thickness": 12,
        "outlinewidth": 0,
    }
    figure.add_trace(
        go.Heatmap(
            z=100 * alarms.share,
            zmin=0,
            zmax=max(100 * float(alarms.share.max()), 1e-9),
            colorscale=HEAT,
            colorbar=bar,
            hoverinfo="skip",
        )
    )
    rows, columns = (axis.ravel() for axis in np.meshgrid(_thinned(height), _thinned(width), indexing="ij"))
    highest = [id_of_row.get(int(alarms.row[row, column]), "") for row, column in zip(rows, columns, strict=True)]
    figure.add_trace(
        go.Scatter(
            x=columns.tolist(),
            y=rows.tolist(),
            mode="markers",
            marker={"size": 12, "opacity": 0},
            showlegend=False,
            customdata=[[name, f"{row},{column}"] for name, row, column in zip(highest, rows, columns, strict=True)],
            text=[percent(share) for share in alarms.share[rows, columns]],
            hovertemplate=(
                "row %{y}, column %{x}<br>%{text} of normal images above the pixel threshold<br>highest:"
                " %{customdata[0]}<extra></extra>"
            ),
        )
    )
    figure.update_xaxes(
        range=[-0.5, width - 0.5], title_text="column of the grid", constrain="domain", showgrid=False, zeroline=False
    )
    figure.update_yaxes(
        range=[height - 0.5, -0.5],
        title_text="row",
        scaleanchor="x",
        scaleratio=1,
        constrain="domain",
        showgrid=False,
        zeroline=False,
    )
    figure.update_layout(hoverdistance=-1, margin={"t": 12})
    return figure


def plot_groups(points: np.ndarray, group: np.ndarray, outcome: Sequence[str], ids: Sequence[str]) -> go.Figure:
    """The map of all test images' worst positions, failing ones coloured by their group.

    points: (N, 2); group: int (N,), 0 for a correct call; outcome, ids: (N,). Axes have no unit: only which points are
    near each other counts.
    """
    figure = style(go.Figure(), HEIGHT_PX + 60)
    outcomes = np.asarray(outcome)
    for number in np.unique(group).tolist():
        own = np.flatnonzero(group == number)
        name = f"correct calls ({own.size})" if number == 0 else f"group {number} ({own.size})"
        dots = _dots(points[own, 0], points[own, 1], [ids[i] for i in own.tolist()], name, None)
        dots.update(
            marker={
                "color": COLOURS["reference"] if number == 0 else DEFECT_COLOURS[(number - 1) % len(DEFECT_COLOURS)],
                "size": 5 if number == 0 else 10,
                "opacity": 0.45 if number == 0 else 0.95,
                "symbol": [SYMBOLS[name] for name in outcomes[own]],
            },
            hovertemplate="%{hovertext}<br>%{text}<extra></extra>",
            text=[OUTCOMES[name] for name in outcomes[own]],
        )
        figure.add_trace(dots)
    quiet = {"showticklabels": False, "showgrid": False, "zeroline": False}
    figure.update_xaxes(quiet | {"title_text": "UMAP of worst positions at t = 0, no unit"})
    return figure.update_yaxes(quiet)


def paint_segments(image: np.ndarray, called: np.ndarray, mask: np.ndarray, ignored: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3): a picture with three kinds of pixels tinted: both called and marked (defect found), only
    called (false alarm), only marked (missed defect); and stripes over what counts in neither class.

    image: uint8 (H, W, 3); called, mask, ignored: bool (S, S), stretched over it without blurring.
    """
    called = called & ~ignored
    kind = np.where(called & mask, 1, np.where(called, 2, np.where(mask, 3, 0))).astype(np.uint8)
    kind = np.asarray(Image.fromarray(kind).resize((image.shape[1], image.shape[0]), Image.Resampling.NEAREST))
    tints = np.array([(0, 0, 0), *(ImageColor.getrgb(COLOURS[name]) for name in ("tp", "fp", "fn"))], np.float32)
    cover = TINT * (kind > 0)[..., None]
    return hatch(np.rint(image * (1 - cover) + tints[kind] * cover).astype(np.uint8), ignored)


def _dots(x: np.ndarray, y: np.ndarray, ids: list[str], name: str, outcome: str | None) -> go.Scatter:
    """Clickable dots. Coordinates stay lists: the browser returns `customdata`, and a typed array would come back
    as an object.
    """
    marker = (
        {}
        if outcome is None
        else {"color": COLOURS[outcome.lower()], "symbol": SYMBOLS[outcome], "size": 9, "opacity": 0.9}
    )
    return go.Scatter(
        x=np.asarray(x, float).tolist(),
        y=np.asarray(y, float).tolist(),
        mode="markers",
        name=name,
        marker=marker,
        customdata=[[sample_id, ""] for sample_id in ids],
        hovertext=[figure_letters(sample_id) for sample_id in ids],
        text=[format_score(value) for value in y],
        hovertemplate="%{hovertext}<br>score %{text}<br>%{x:.3g}<extra></extra>",
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 0.9}},
    )


def _thinned(n: int) -> np.ndarray:
    """Indices of the clickable rows or columns, all of them up to MOST_CLICKABLE."""
    step = -(-n // MOST_CLICKABLE)
    return np.arange(step // 2, n, step)
