"""What a class predicted: bars for each question, the right answer in its own colour."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from wtflow.plots.still.sheet import FULL_MM, TYPE_PT, name_axes, new_rows
from wtflow.plots.theme import COLOURS

_ACROSS = 2
_LINE, _SPACE_MM, _BAR_MM = 46, 17.0, 6.5
"""Letters of a line, and heights of what surrounds the bars, and of each bar."""


@dataclass(frozen=True, slots=True)
class Bars:
    """A question and how often each of its options was chosen. right: index into options."""

    id: str
    question: str
    options: tuple[str, ...]
    right: int
    counts: tuple[int, ...]


def draw_answers(questions: Sequence[Bars], words: str) -> Figure:
    """Two questions side by side, as many rows as it takes. words: what stands above, of how many students it is."""
    n_rows = max(1, -(-len(questions) // _ACROSS))
    options = max((len(one.options) for one in questions), default=3)
    figure, rows = new_rows(FULL_MM, n_rows * (_SPACE_MM + _BAR_MM * options) + 8, n_rows, _ACROSS)
    panels = [axes for row in rows for axes in row]
    most = max((max(one.counts) for one in questions), default=1)
    for axes, one in zip(panels, questions, strict=False):
        places = range(len(one.options))
        colours = [COLOURS["time"] if i == one.right else COLOURS["reference"] for i in places]
        axes.barh(places, one.counts[: len(one.options)], color=colours, height=0.62)
        for i in places:
            axes.annotate(
                str(one.counts[i]),
                (one.counts[i], i),
                (3, 0),
                textcoords="offset points",
                va="center",
                fontsize=TYPE_PT,
            )
        axes.set_yticks(places, [_wrapped(option, 30) for option in one.options])
        axes.set(ylim=(len(one.options) - 0.5, -0.5), xlim=(0, most * 1.12))
        axes.set_title(_wrapped(f"{one.id}: {one.question}", _LINE), loc="left", fontsize=TYPE_PT)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        name_axes(axes, "students", "")
    for axes in panels[len(questions) :]:
        axes.set_axis_off()
    figure.suptitle(f"{words} Green: the right answer.", fontsize=TYPE_PT, x=0.01, ha="left")
    return figure


def _wrapped(text: str, letters: int) -> str:
    """Lines of about so many letters; a formula is not broken."""
    parts = text.split("$")
    whole = "$".join(part.replace(" ", "\0") if i % 2 else part for i, part in enumerate(parts))
    return "\n".join(textwrap.wrap(whole, letters, break_long_words=False)).replace("\0", " ")
