"""The lessons as a course: what each one needs and gives, how long it takes, and two paths through them.

Each lesson's notes for teachers, assets/learn/notes/<name>.md, begin with its place:

    Needs: lines, pairs
    Gives: what one step and many steps give, in closed form
    Minutes: 10
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

from wtflow.errors import SettingsError
from wtflow.lessons import LESSONS
from wtflow.lessons.texts import FOLDER


@dataclass(frozen=True, slots=True)
class Place:
    """A lesson on the map. needs: lessons that it builds on; gives: what is known afterwards; minutes: alone, with its
    questions, an estimate of ours.
    """

    needs: tuple[str, ...]
    gives: str
    minutes: int


@dataclass(frozen=True, slots=True)
class CoursePath:
    """A way through the lessons. steps: name of the lesson -> minutes for it; the lesson's short form where there are
    fewer than on the map.
    """

    title: str
    words: str
    steps: dict[str, int]

    @property
    def minutes(self) -> int:
        return sum(self.steps.values())


PATHS: Final = (
    CoursePath(
        "Twenty minutes",
        "For a talk: the idea, the worst coupling, the well. One question each, by show of hands.",
        {"flow": 5, "pairs": 5, "average": 4, "well": 6},
    ),
    CoursePath(
        "Ninety minutes",
        "For a class at computers: students predict alone, look, then compare. Collect the answers at the end.",
        {
            "flow": 8,
            "lines": 9,
            "pairs": 10,
            "average": 12,
            "shell": 9,
            "singular": 10,
            "well": 12,
            "score": 10,
            "steps": 10,
        },
    ),
)


_LINES: Final = ("Needs: ", "Gives: ", "Minutes: ")


@cache
def course() -> dict[str, Place]:
    """The place of every lesson, in teaching order. Raises SettingsError for notes that do not begin as they should."""
    return {name: _place(name) for name in LESSONS}


def read_notes(name: str) -> str:
    """Notes for the teacher of one lesson, Markdown. Raises FileNotFoundError."""
    return _text(name).split("\n", len(_LINES))[-1].strip()


def _place(name: str) -> Place:
    lines = _text(name).splitlines()[: len(_LINES)]
    if [line.startswith(start) for line, start in zip(lines, _LINES, strict=False)] != [True] * len(_LINES):
        raise SettingsError(
            f"assets/learn/notes/{name}.md does not begin with {', '.join(start.strip() for start in _LINES)}.",
            fix="See those of the other lessons.",
        )
    needs, gives, minutes = (line.removeprefix(start).strip() for line, start in zip(lines, _LINES, strict=True))
    known = [one.strip() for one in needs.split(",") if one.strip() != "nothing"]
    return Place(tuple(known), gives, int(minutes))


def _text(name: str) -> str:
    return (FOLDER / "notes" / f"{name}.md").read_text(encoding="utf-8")
