"""The sources of the library and its pages, and their syntax, parsed once for all tests that walk it."""

import ast
import functools
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCES = {
    path.relative_to(ROOT).as_posix(): path
    for folder in ("wtflow", "pages")
    for path in sorted((ROOT / folder).rglob("*.py"))
}
"""Name below the project's folder -> file."""


@functools.cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))
