"""A lesson as a marimo notebook: a Python file whose cells run again when a slider moves; Python alone runs it, too."""

import textwrap

from wtflow.lessons import load_lesson
from wtflow.lessons.notebooks.words import CHECKS, FIGURES, words_of

_HEAD = """\
import marimo

app = marimo.App(width="medium", app_title={title!r})
"""

_IMPORTS = """\
@app.cell
def _():
    import marimo as mo

    from wtflow.lessons import load_lesson
    from wtflow.lessons.base import choose_points
    from wtflow.plots.still.sheet import to_png

    lesson = load_lesson({name!r})
    return choose_points, lesson, mo, to_png
"""

_CONTROLS = """\
@app.cell
def _(lesson, mo):
    def widget(control):
        if control.kind == "choice":
            options = {{text: index for index, text in enumerate(control.options)}}
            return mo.ui.dropdown(options, value=control.options[int(control.start)], label=control.label)
        limits = (control.low, control.high, control.step)
        return mo.ui.slider(*limits, value=control.start, label=control.label, show_value=True)

    chosen = mo.ui.dictionary({{control.name: widget(control) for control in lesson.CONTROLS}})
    seed = mo.ui.number(0, 1000, 1, value=0, label="seed")
    data = mo.ui.dropdown([*lesson.DATA] or [""], value={first!r}, label="data")
    mo.vstack([mo.hstack([seed, {shown}], justify="start"), chosen.vstack()])
    return chosen, data, seed
"""

_SCENE = """\
@app.cell
def _(choose_points, chosen, data, lesson, seed):
    settings = {name: float(value) for name, value in chosen.value.items()}
    points = choose_points(data.value, None, seed.value) if data.value else None
    scene = lesson.prepare(seed.value, points, settings)
    return scene, settings
"""

_CHECKS = """\
@app.cell
def _(mo, scene):
    rows = [
        f"- {'✓' if check.holds else '✗'} **{check.label}**: {check.words} ({check.source})"
        for check in scene.checks
    ]
    assert all(check.holds for check in scene.checks), rows
    mo.md("\\n".join(rows))
    return
"""

_FIGURES = """\
@app.cell
def _(lesson, mo, scene, settings, to_png):
    mo.vstack([mo.image(to_png(figure), width=720) for _, figure in lesson.figure(scene, settings)])
    return
"""

_TAIL = """\
if __name__ == "__main__":
    app.run()
"""


def notebook(name: str) -> str:
    """The notebook of a lesson with figures as Python. The same every time."""
    words, lesson = words_of(name), load_lesson(name)
    first = lesson.DATA[0] if lesson.DATA else ""
    parts = [
        _HEAD.format(title=words.head.splitlines()[0].lstrip("# ")),
        _IMPORTS.format(name=name),
        _words(words.head),
        _CONTROLS.format(first=first, shown="data" if lesson.DATA else 'mo.md("")'),
        _SCENE,
        _words(CHECKS),
        _CHECKS,
        _words(FIGURES),
        _FIGURES,
        *(part for asked, answer in words.questions for part in (_words(asked), _answer(answer))),
        _words(words.sources),
        _TAIL,
    ]
    return "\n\n".join(parts)


def _words(markdown: str) -> str:
    return f"@app.cell(hide_code=True)\ndef _(mo):\n    mo.md({_quoted(markdown)})\n    return\n"


def _answer(markdown: str) -> str:
    folded = f"mo.accordion({{'Answer': mo.md({_quoted(markdown)})}})"
    return f"@app.cell(hide_code=True)\ndef _(mo):\n    {folded}\n    return\n"


def _quoted(markdown: str) -> str:
    """A raw string literal of the text, indented as its cell."""
    return 'r"""\n' + textwrap.indent(markdown, "    ") + '\n    """'
