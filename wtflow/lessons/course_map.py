"""The map of the course as a picture: a box for each lesson, an arrow from what it needs. SVG in the page's colours."""

from collections.abc import Callable
from html import escape
from typing import Final

from wtflow.lessons import LESSONS
from wtflow.lessons.course import course
from wtflow.lessons.texts import FOLDER

_BOX_W, _BOX_H, _GAP_X, _GAP_Y, _EDGE = 176, 54, 44, 18, 4
_STYLE: Final = (FOLDER / "map.css").read_text(encoding="utf-8")


def columns() -> list[list[str]]:
    """Lessons by how many others stand in a row before them, each column in teaching order."""
    depth: dict[str, int] = {}
    for name in LESSONS:
        depth[name] = 1 + max((depth[one] for one in course()[name].needs), default=-1)
    found: list[list[str]] = [[] for _ in range(1 + max(depth.values()))]
    for name, at in depth.items():
        found[at].append(name)
    return found


def draw_map(address: Callable[[str], str] | None = None) -> str:
    """The map as SVG to stand within a page. address: name of a lesson -> where its box leads, None for nowhere."""
    placed: dict[str, tuple[float, float]] = {}
    stacks = columns()
    rows = max(map(len, stacks))
    height = rows * (_BOX_H + _GAP_Y) - _GAP_Y + 2 * _EDGE
    for i, stack in enumerate(stacks):
        top = (height - len(stack) * (_BOX_H + _GAP_Y) + _GAP_Y) / 2
        for k, name in enumerate(stack):
            placed[name] = (_EDGE + i * (_BOX_W + _GAP_X), top + k * (_BOX_H + _GAP_Y))
    width = 2 * _EDGE + len(stacks) * (_BOX_W + _GAP_X) - _GAP_X
    arrows = [_arrow(placed[before], placed[name]) for name in placed for before in course()[name].needs]
    boxes = [
        _box(number, name, *placed[name], address(name) if address else None)
        for number, name in enumerate(LESSONS, start=1)
    ]
    title = "<title>Map of the lessons: an arrow leads from a lesson to those that build on it</title>"
    head = (
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 8 4 0 8Z"/></marker></defs>'
    )
    look = f'viewBox="0 0 {width} {height}" style="max-width:{width * 1.15:.0f}px"'
    return (
        f'<style>{_STYLE}</style><svg class="course" role="group" aria-label="Map of the lessons" {look}>'
        f"{title}{head}{''.join(arrows)}{''.join(boxes)}</svg>"
    )


def _arrow(start: tuple[float, float], end: tuple[float, float]) -> str:
    x0, y0, x1, y1 = start[0] + _BOX_W, start[1] + _BOX_H / 2, end[0] - 2, end[1] + _BOX_H / 2
    bend = (x1 - x0) / 2
    return f'<path d="M{x0} {y0}C{x0 + bend} {y0} {x1 - bend} {y1} {x1} {y1}" marker-end="url(#tip)"/>'


def _box(number: int, name: str, x: float, y: float, address: str | None) -> str:
    first, second = _two_lines(LESSONS[name])
    lines = f'<text x="{x + 38}" y="{y + (23 if second else 32)}">{escape(first)}</text>'
    lines += f'<text x="{x + 38}" y="{y + 41}">{escape(second)}</text>' if second else ""
    box = (
        f'<rect x="{x}" y="{y}" width="{_BOX_W}" height="{_BOX_H}" rx="8"/>'
        f'<text class="n" x="{x + 13}" y="{y + 32}">{number}</text>{lines}'
    )
    if address is None:
        return f"<g>{box}</g>"
    return f'<a href="{escape(address)}" aria-label="Lesson {number}: {escape(LESSONS[name])}">{box}</a>'


def _two_lines(title: str, letters: int = 17) -> tuple[str, str]:
    if len(title) <= letters:
        return title, ""
    words, first = title.split(), ""
    while len(words) > 1 and len(f"{first} {words[0]}".strip()) <= letters:
        first = f"{first} {words.pop(0)}".strip()
    return first, " ".join(words)
