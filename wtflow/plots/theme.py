"""The look that all figures share: colours by meaning, the heat scale, and a common layout.

Hues follow Okabe and Ito, "Color Universal Design" (2008), shifted until each has a contrast of at least
`LEAST_CONTRAST` to both grounds.
"""

from typing import Final

import plotly.graph_objects as go
from plotly.colors import hex_to_rgb, sequential

GROUNDS: Final[dict[str, str]] = {"light": "#FFFFFF", "dark": "#10141B"}
"""Theme -> what figures stand on."""
LEAST_CONTRAST: Final = 3.0
"""Of a dot or a line to its ground, as the Web Content Accessibility Guidelines 2.1 ask of graphics (1.4.11)."""

COLOURS: Final[dict[str, str]] = {
    "normal": "#1F7FC0",  # an image or position without a defect
    "defect": "#D55E00",  # an image or position with one
    "tn": "#1F7FC0",  # normal, called normal: the colour of its label, because the call is right
    "tp": "#D55E00",  # defective, called defective
    "fp": "#A08E50",  # false alarm
    "fn": "#CC79A7",  # missed defect
    "threshold": "#7B8494",  # where the call changes; neutral, so that it takes no side
    "reference": "#7B8494",  # chance lines, the shell: something to compare with
    "time": "#0B9470",  # anything that runs along t
    "selected": "#7463E0",  # what the person chose: this image, this run
    "truth": "#19D3C5",  # outline of the annotated defect; drawn over pictures, always with `halo` around it
    "ring": "rgba(255, 255, 255, 0.45)",  # the chosen position in a picture, with `halo` around it
    "halo": "#000000",
}
"""Meaning -> colour. All but `truth`, `ring` and `halo`, which lie on pictures, can be distinguished on white
and on near-black.
"""

HEAT: Final[list[tuple[float, str]]] = [
    (i / (len(sequential.Inferno) - 1), "rgb({}, {}, {})".format(*hex_to_rgb(colour)))
    for i, colour in enumerate(sequential.Inferno)
]
"""The one heat scale (inferno): perceptually uniform, dark is normal, bright is anomalous;
read without hue it still rises.

Written as rgb(): Streamlit takes hex colours from #000001 to #000040 for its own placeholders, and inferno begins with
#000004.
"""

OUTCOMES: Final[dict[str, str]] = {
    "TP": "defect found",
    "FP": "false alarm",
    "TN": "normal passed",
    "FN": "defect missed",
}
"""Outcome -> name of one such image, in the order in which they are listed."""

_OUTCOME_PLURALS: Final[dict[str, str]] = {
    "TP": "defects found",
    "FP": "false alarms",
    "TN": "normals passed",
    "FN": "defects missed",
}

TIME_TITLE: Final = "t (0 = data, 1 = noise)"
SCORE_TITLE: Final = "anomaly score (higher is worse)"

CONFIG: Final[dict[str, object]] = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["lasso2d", "select2d", "autoScale2d", "zoomIn2d", "zoomOut2d"],
}
"""Plotly's `config` for charts."""

PICTURE_CONFIG: Final[dict[str, object]] = CONFIG | {"scrollZoom": True}
"""Plotly's `config` for pictures: the wheel zooms, because reading a map is mostly zooming."""

CHART_HEIGHT_PX: Final = 340


def style(figure: go.Figure, height: int = CHART_HEIGHT_PX) -> go.Figure:
    """The same figure with the common layout: transparent, tight, legend on top, nearest point under the cursor."""
    figure.update_layout(
        height=height,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        margin={"l": 8, "r": 20, "t": 36, "b": 8},
        hovermode="closest",
        legend={
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": 1.02,
            "yanchor": "bottom",
            "title": None,
            "traceorder": "normal",
        },
        # Plotly derives the colours of its buttons from the background, and fails on a transparent one.
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": COLOURS["reference"], "activecolor": COLOURS["selected"]},
        uirevision="keep",  # a redraw with other values must not undo a zoom
    )
    figure.update_xaxes(automargin=True, title_standoff=10)
    figure.update_yaxes(automargin=True, title_standoff=10)
    return figure


def outcome_words(outcome: str, n: int) -> str:
    """An outcome (TP, FP, TN or FN) as it is named after the number n: singular for 1, otherwise plural."""
    return OUTCOMES[outcome] if n == 1 else _OUTCOME_PLURALS[outcome]


def add_empty_note(figure: go.Figure, text: str) -> go.Figure:
    """The same figure without axes and with one sentence in the middle: what is missing."""
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return figure.add_annotation(text=text, x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False, font_size=14)
