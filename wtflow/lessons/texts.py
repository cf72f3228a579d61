"""The lessons in words: assets/learn/<name>.md in parts, Markdown with formulas between $."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wtflow.machine.places import ASSETS

FOLDER: Final = ASSETS / "learn"
"""Texts, pictures and stored networks of the lessons."""

SOURCES: Final = "[Paper] arXiv 2508.05461. *Ours*: derived for this app and checked in its tests."
"""What the citation keys of the texts mean; Markdown."""

PREDICT: Final = "Predict"
_HEADING: Final = re.compile(r"^## +(.+?) *$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class LessonText:
    """A lesson's text, each part Markdown without its heading, "" where the file has none.

    body: what stands before the first heading; predictions: what stands below each "## Predict"
    (`wtflow/lessons/predictions.py` reads them).
    """

    body: str
    predictions: tuple[str, ...] = ()


def read_lesson(name: str, folder: Path = FOLDER) -> LessonText:
    """The text of a lesson by name. Raises FileNotFoundError where there is none."""
    parts = split_parts((folder / f"{name}.md").read_text(encoding="utf-8"))
    return LessonText(parts[0][1], tuple(body for head, body in parts[1:] if head == PREDICT))


def read_glossary(folder: Path = FOLDER) -> str:
    """The words and symbols of all lessons: a Markdown table and its sources."""
    return (folder / "glossary.md").read_text(encoding="utf-8")


def split_parts(text: str) -> list[tuple[str, str]]:
    """Headings of second level with what stands below each, in order; first "" with what stands before. Stripped."""
    first, *rest = _HEADING.split(text)
    return [("", first.strip()), *((head, body.strip()) for head, body in zip(rest[::2], rest[1::2], strict=True))]
