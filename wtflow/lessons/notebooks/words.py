"""What both kinds of notebook say, as Markdown with formulas between $."""

from dataclasses import dataclass

from wtflow.lessons import LESSONS, load_lesson
from wtflow.lessons.base import Control
from wtflow.lessons.predictions import Prediction, predictions_of
from wtflow.lessons.texts import SOURCES, read_lesson

CHECKS = "## Its numbers\n\nEach is computed here and compared with its closed form, or with a second method."
FIGURES = "## Its figures\n\nThey are drawn from the same scene. Change the settings above and run the cells again."


@dataclass(frozen=True)
class Words:
    """head: title and text; questions: each with what there is to choose from, and its answer; sources: what citation
    keys mean.
    """

    head: str
    questions: tuple[tuple[str, str], ...]
    sources: str


def words_of(name: str) -> Words:
    """The words of a lesson's notebook."""
    text = read_lesson(name)
    return Words(
        f"# {list(LESSONS).index(name) + 1} {LESSONS[name]}\n\n{text.body}",
        tuple(_asked(one) for one in predictions_of(name)),
        f"{SOURCES} Needs `wtflow` (`pip install '.[app]'` in a copy of WT-Flow Studio).",
    )


def _asked(one: Prediction) -> tuple[str, str]:
    options = "\n".join(f"- **{letter}** {option}" for letter, option in zip("ABCD", one.options, strict=False))
    return f"## Predict, then look\n\n{one.question}\n\n{options}", f"**{'ABCD'[one.right]}.** {one.answer}"


def settings_table(name: str) -> str:
    """The lesson's settings as a table: name, meaning, values, start."""
    rows = [f"| `{one.name}` | {one.label} | {_values(one)} | {one.start:g} |" for one in load_lesson(name).CONTROLS]
    return "\n".join(["| setting | meaning | values | start |", "|---|---|---|---|", *rows])


def _values(control: Control) -> str:
    if control.kind == "choice":
        return ", ".join(f"{index}: {option}" for index, option in enumerate(control.options))
    return f"{control.low:g} to {control.high:g}"
