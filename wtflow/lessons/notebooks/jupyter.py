"""A lesson as a Jupyter notebook: plain JSON in the format nbformat 4.5, so that nothing has to be installed to write
it. Tests validate it with nbformat and run it.
"""

import json
from typing import Any

from wtflow.lessons import load_lesson
from wtflow.lessons.notebooks.words import CHECKS, FIGURES, settings_table, words_of

_IMPORTS = """\
from IPython.display import Image, display

from wtflow.lessons import load_lesson
from wtflow.lessons.base import choose_points, read_settings
from wtflow.plots.still.sheet import to_png

lesson = load_lesson({name!r})"""

_PREPARE = """\
seed = 0
change = ""  # as in the page's address, such as {example!r}
{points}

settings = read_settings(lesson.CONTROLS, change)
scene = lesson.prepare(seed, points, settings)
settings"""

_CHECKS = """\
for check in scene.checks:
    print("✓" if check.holds else "✗", f"{check.label}: {check.words} ({check.source})")
assert all(check.holds for check in scene.checks)"""

_FIGURES = """\
for name, figure in lesson.figure(scene, settings):
    display(Image(to_png(figure), width=720))"""


def notebook(name: str) -> str:
    """The notebook of a lesson with figures as JSON. The same every time."""
    words, lesson = words_of(name), load_lesson(name)
    first = lesson.CONTROLS[0]
    example = f"{first.name}:{first.high:g}"
    points = "points = None  # this lesson needs none"
    if lesson.DATA:
        points = f"points = choose_points({lesson.DATA[0]!r}, None, seed)  # or {', '.join(lesson.DATA[1:])}"
    cells = [
        _words(words.head),
        _code(_IMPORTS.format(name=name)),
        _words(f"## Settings\n\n{settings_table(name)}"),
        _code(_PREPARE.format(example=example, points=points)),
        _words(CHECKS),
        _code(_CHECKS),
        _words(FIGURES),
        _code(_FIGURES),
        *(_words(part) for asked, answer in words.questions for part in (asked, _folded(answer))),
        _words(words.sources),
    ]
    whole = {
        "cells": [cell | {"id": f"{name}-{k}"} for k, cell in enumerate(cells)],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def _folded(text: str) -> str:
    return f"<details><summary>Answer</summary>\n\n{text}\n\n</details>"


def _words(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": text.splitlines(keepends=True)}


def _code(text: str) -> dict[str, Any]:
    source = text.splitlines(keepends=True)
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": source}
