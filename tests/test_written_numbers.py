"""Texts for people write numbers as `wtflow/numbers.py` does. Walks the strings of the sources; docstrings are for
programmers.
"""

import ast
import re
from collections.abc import Iterator

import pytest
from sources import SOURCES, tree_of

OWNER = "wtflow/numbers.py"
FORBIDDEN = {
    # Plotly's own fields begin with %{.
    "a percent sign glued to its number, or parted from it by a space that breaks": r"[\d}] ?%(?!\{)",
    "a format that writes the percent sign itself": r":[^{}]*%\}|^\.?[~.\d]+%$",
    "a time without spaces": r"\bt=[\d{]",
}
CSS = re.compile(r"[\w-]+:\s*[^;{}]*\d%[^;]*;|<svg|calc\(|style=")


def texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and text of every string; of a formatted one with {} or {:format} where a value stands."""
    skipped = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            skipped |= {id(part) for part in node.values}
            skipped |= {
                id(part.format_spec)
                for part in node.values
                if isinstance(part, ast.FormattedValue) and part.format_spec
            }
    for node in ast.walk(tree):
        if id(node) not in skipped and (
            isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
        ):
            yield node.lineno, template(node)


def template(node: ast.JoinedStr | ast.Constant) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    return "".join(
        part.value
        if isinstance(part, ast.Constant)
        else "{" + (":" + template(part.format_spec) if part.format_spec else "") + "}"
        for part in node.values
    )


def faults(tree: ast.Module) -> list[tuple[int, str, str]]:
    return [
        (line, what, text)
        for line, text in texts(tree)
        for what, form in FORBIDDEN.items()
        if re.search(form, text) and not CSS.search(text)
    ]


@pytest.mark.parametrize(
    "source",
    ['f"{share:.0%}"', 'f"{x:.0f} %"', '"99% of all"', '"at t=0"', 'f"t={t}"', '"%{y:.1%}"', '".0%"', 'f"a{b:.1f}%"'],
)
def test_the_walk_finds_each_form(source):
    assert faults(ast.parse(f"said = {source}"))


@pytest.mark.parametrize(
    "source",
    ['"99\\N{NBSP}%"', '"t = 0"', '"%{x:.3f}"', 'f"{when:%H:%M}"', '"width: 50%;"', '"(%)"'],
)
def test_the_walk_lets_the_rest_be(source):
    assert not faults(ast.parse(f"said = {source}"))
    assert not faults(ast.parse('def f():\n    "99 %"')), "a docstring is read by programmers"


@pytest.mark.parametrize("name", [name for name in SOURCES if name != OWNER])
def test_numbers_in_texts_are_written_by_the_one_rule(name):
    assert faults(tree_of(SOURCES[name])) == [], f"write it with {OWNER}"
