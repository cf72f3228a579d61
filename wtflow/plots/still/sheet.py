"""The sheet of paper that all stills share: sizes, type, lines, and how a figure becomes PNG, SVG or PDF.

Everything is set on the figure and never in Matplotlib's global settings, because pages run in threads of one process.
Sizes are those of a journal's column (89 mm) and page (183 mm).
"""

import io
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import matplotlib
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colorizer import ColorizingArtist
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from wtflow.plots.groups import group_colours
from wtflow.plots.theme import COLOURS, HEAT
from wtflow.records.flow import UNMARKED, Spread

COLUMN_MM, FULL_MM = 89.0, 183.0
TYPE_PT = 8.0
DPI = 300
INK = "#222222"
HEAT_MAP = LinearSegmentedColormap.from_list(
    "heat", [(at, tuple(int(part) / 255 for part in colour[4:-1].split(","))) for at, colour in HEAT]
)
"""The theme's heat scale (written there as "rgb(r, g, b)")."""

DRAWING = threading.RLock()
"""Held while Matplotlib draws: its caches of fonts and layouts, and the settings that SVG and PDF
need, belong to the whole process.
"""

_SVG: dict[str, object] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "wtflow",
}  # text stays text; names of shapes do not change from one call to the next
_PDF: dict[str, object] = {"pdf.fonttype": 42}
_DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (5, 1.2, 1.2, 1.2)), (0, (8, 2)), (0, (3, 1, 1, 1, 1, 1)))
SHELL_DASH = (0, (1, 1.2))
_MARKERS = ("o", "^", "s", "D", "v", "P", "X")


@dataclass(frozen=True, slots=True)
class Look:
    """How a group is drawn. Dash and marker distinguish groups where colour cannot."""

    colour: str
    marker: str
    dash: object


def looks(groups: Sequence[str]) -> dict[str, Look]:
    """Group -> look, the same for the same groups in every figure."""
    colours = group_colours(groups)
    marked = [name for name in groups if name != UNMARKED]
    found = {
        name: Look(colours[name], _MARKERS[i % len(_MARKERS)], _DASHES[i % len(_DASHES)])
        for i, name in enumerate(marked)
    }
    return {name: found.get(name) or Look(colours[name], "o", ":") for name in groups}


def canvas_of(figure: Figure) -> FigureCanvasAgg:
    """The canvas that `new_sheet` gave the figure."""
    canvas = figure.canvas
    return canvas if isinstance(canvas, FigureCanvasAgg) else FigureCanvasAgg(figure)


def new_sheet(
    width_mm: float, height_mm: float, n_panels: int = 1, *, share_axes: bool = False
) -> tuple[Figure, list[Axes]]:
    """A white figure of exactly this size with panels side by side."""
    figure, (panels,) = _new_grid(width_mm, height_mm, 1, n_panels, sharex=share_axes, sharey=share_axes)
    return figure, panels


def new_rows(width_mm: float, height_mm: float, n_rows: int, n_columns: int) -> tuple[Figure, list[list[Axes]]]:
    """A white figure of exactly this size with rows of panels; those of a column share their x axis."""
    return _new_grid(width_mm, height_mm, n_rows, n_columns, sharex="col", sharey=False)


def _new_grid(
    width_mm: float,
    height_mm: float,
    n_rows: int,
    n_columns: int,
    sharex: bool | Literal["col"],
    sharey: bool,
) -> tuple[Figure, list[list[Axes]]]:
    figure = Figure(figsize=(width_mm / 25.4, height_mm / 25.4), dpi=DPI, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    rows = [list(row) for row in figure.subplots(n_rows, n_columns, squeeze=False, sharex=sharex, sharey=sharey)]
    panels = [axes for row in rows for axes in row]
    for axes in panels:
        axes.set_facecolor("white")
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set(linewidth=0.6, color=INK)
        axes.tick_params(
            which="both", labelsize=TYPE_PT, width=0.6, length=2.5, color=INK, labelcolor=INK, direction="out"
        )
    if len(panels) > 1:
        for axes, letter in zip(panels, "abcdef", strict=False):
            axes.set_title(letter, loc="left", fontsize=TYPE_PT, fontweight="bold", color=INK)
    return figure, rows


def name_axes(axes: Axes, x: str, y: str) -> None:
    axes.set_xlabel(x, fontsize=TYPE_PT, color=INK)
    axes.set_ylabel(y, fontsize=TYPE_PT, color=INK)


def add_legend(figure: Figure, panels: Sequence[Axes], n_columns: int) -> None:
    """One legend below all panels, with every label once, in as many columns as fit. The sheet grows by its height."""
    named: dict[str, Artist] = {}
    for axes in panels:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            named.setdefault(label, handle)
    if not named:
        return
    with DRAWING:
        n = min(n_columns, len(named))
        while True:
            legend = figure.legend(
                list(named.values()),
                list(named),
                loc="outside lower center",
                ncols=n,
                fontsize=TYPE_PT,
                frameon=False,
                labelcolor=INK,
                handlelength=2.2,
                columnspacing=1.2,
                handletextpad=0.5,
                borderpad=0.1,
            )
            extent = legend.get_window_extent(canvas_of(figure).get_renderer())
            if extent.width <= 0.98 * figure.bbox.width or n <= 1:
                break
            legend.remove()
            n -= 1
    figure.set_figheight(figure.get_figheight() + extent.height / figure.dpi)
    for handle in legend.legend_handles:
        if handle is not None:
            handle.set_alpha(1)


def add_bar(figure: Figure, drawn: ColorizingArtist, panels: Sequence[Axes], title: str) -> None:
    """A colour bar next to the panels."""
    bar = figure.colorbar(drawn, ax=list(panels), pad=0.02, aspect=25)
    bar.set_label(title, fontsize=TYPE_PT, color=INK)
    bar.ax.tick_params(labelsize=TYPE_PT, width=0.6, length=2.5, color=INK, labelcolor=INK)
    bar.outline.set(linewidth=0.6, edgecolor=INK)


def add_shell(axes: Axes, shell: Spread, *, along: str) -> None:
    """The shell of noise as a band with its middle line, upright (along="y") or lying (along="x")."""
    low, middle, high = shell
    fill, line = (axes.axhspan, axes.axhline) if along == "x" else (axes.axvspan, axes.axvline)
    fill(low, high, color=COLOURS["reference"], alpha=0.25, linewidth=0, zorder=0.5)
    line(middle, color=COLOURS["reference"], linewidth=0.9, linestyle=SHELL_DASH, label=shell_words(shell), zorder=0.6)


def shell_words(shell: Spread) -> str:
    return f"noise shell √d = {shell[1]:.3g}"


def log_axis(axes: Axes, which: str, ticks: Sequence[float] | None = None) -> None:
    """A logarithmic axis with plain numbers, at these ticks or at 1, 2 and 5 of each decade."""
    set_scale, axis = (axes.set_xscale, axes.xaxis) if which == "x" else (axes.set_yscale, axes.yaxis)
    set_scale("log", **({} if ticks is not None else {"subs": [2, 5]}))
    plain = FuncFormatter(
        lambda value, _: f"{value:g}"
    )  # the default writes mathematics, which SVG would not keep as text
    axis.set_major_formatter(plain)
    axis.set_minor_formatter(plain)
    if ticks is not None:
        axis.set_ticks(list(ticks))
        axis.set_ticks([], minor=True)


def to_png(figure: Figure) -> bytes:
    """PNG at 300 dots per inch. The same figure gives the same bytes."""
    with DRAWING, io.BytesIO() as file:
        figure.savefig(file, format="png", dpi=DPI, facecolor="white", metadata={"Software": None})
        return file.getvalue()


def to_svg(figure: Figure) -> bytes:
    """SVG whose text stays text, so that it can be searched and set in another type.
    The same figure gives the same bytes.
    """
    return _saved(figure, "svg", _SVG, {"Date": None, "Creator": None})


def to_pdf(figure: Figure) -> bytes:
    """PDF whose text stays text, in outline type, as publishers ask for. The same figure gives the same bytes."""
    return _saved(figure, "pdf", _PDF, {"CreationDate": None, "Creator": None, "Producer": None})


def _saved(figure: Figure, kind: str, settings: dict[str, object], metadata: dict[str, None]) -> bytes:
    """A figure as a file of this kind, with these settings of Matplotlib while it is written."""
    with DRAWING, io.BytesIO() as file:
        before = {name: matplotlib.rcParams[name] for name in settings}
        matplotlib.rcParams.update(settings)
        try:
            figure.savefig(file, format=kind, dpi=DPI, facecolor="white", metadata=metadata)
        finally:
            matplotlib.rcParams.update(before)
        return file.getvalue()
