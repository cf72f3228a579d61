"""Texts of the lessons as HTML: Markdown by markdown-it, formulas as MathML."""

import re
from typing import Final

from markdown_it import MarkdownIt

from wtflow.lessons.site.formulas import BREAK, to_mathml

_MARKDOWN: Final = MarkdownIt("commonmark", {"html": False}).enable("table")
_FORMULA: Final = re.compile(r"\$\$(?P<block>.+?)\$\$|\$(?P<inline>[^$\n]+?)\$", re.DOTALL)
_KEPT: Final = re.compile("(\\(?)\ue000(\\d+)\ue001([.,:;?!)]*)")
"""A formula's place, with what stands close to it. Private characters: no text has them, and Markdown keeps them."""
_OUTSIDE: Final = re.compile(r'<a href="(?!https?:|#)[^"]*">(.*?)</a>', re.DOTALL)


def to_html(markdown: str) -> str:
    """HTML of a text in Markdown with formulas between $ or $$. HTML in it is shown as letters. A link to another file
    of the project becomes its words: the file does not come along.
    """
    formulas: list[str] = []

    def keep(found: re.Match[str]) -> str:
        is_block = found["block"] is not None
        formulas.append(to_mathml(found["block"] or found["inline"], is_block=is_block))
        return f"\ue000{len(formulas) - 1}\ue001"

    html = _MARKDOWN.render(_FORMULA.sub(keep, markdown))
    html = _KEPT.sub(lambda found: _closed_up(found[1], formulas[int(found[2])], found[3]), html)
    return _OUTSIDE.sub(r"\1", html)


def _closed_up(before: str, formula: str, after: str) -> str:
    """No line begins with the comma after a formula, and none ends with the bracket before it."""
    pieces = formula.split(BREAK)
    pieces[0] = before + pieces[0]
    pieces[-1] += after
    ends = [f'<span class="formula">{piece}</span>' for piece in pieces]
    return BREAK.join(ends) if before or after else formula
