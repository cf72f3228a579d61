"""README's table "Where to change what": each change has one home. The tests look for the definition in the sources
and compare where they find it with what README names.
"""

import ast
import re
from collections.abc import Callable, Collection, Iterator

import pytest
import sources
from sources import ROOT, tree_of

from pages.ui.frame import FORMER, PAGES
from wtflow.config import WEIGHT_WORDS, choices, settings_from
from wtflow.datasets.scan import LAYOUTS
from wtflow.lessons import LESSONS
from wtflow.metrics import METRICS
from wtflow.plots.theme import COLOURS

Holds = Callable[[ast.AST], bool]


def named_in_readme() -> dict[str, str]:
    """Change -> file, from the table."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("## Where to change what")[1].split("\n## ")[0]
    return dict(re.findall(r"^\| ([^|]+?) \| `([^`]+)` \|$", section, re.MULTILINE))


def modules_with(holds: Holds, outside: Collection[str] = ()) -> list[str]:
    """Modules in which a node of the source holds, but for those below a folder in `outside`."""
    return [
        name
        for name, path in sources.SOURCES.items()
        if not name.startswith(tuple(outside)) and any(holds(node) for node in ast.walk(tree_of(path)))
    ]


def calls(*names: str) -> Holds:
    """A call of a function or method of one of these names."""

    def holds(node: ast.AST) -> bool:
        called = node.func if isinstance(node, ast.Call) else None
        return (isinstance(called, ast.Name) and called.id in names) or (
            isinstance(called, ast.Attribute) and called.attr in names
        )

    return holds


def texts(nodes: list[ast.expr] | list[ast.expr | None]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def maps(words: Collection[str], *kinds: type[ast.expr]) -> Holds:
    """A dictionary written out, from all these words, and to expressions of these kinds."""

    def holds(node: ast.AST) -> bool:
        return (
            isinstance(node, ast.Dict)
            and set(words) <= set(texts(node.keys))
            and any(isinstance(value, kinds) for value in node.values)
        )

    return holds


def lists(words: Collection[str]) -> Holds:
    """All these words in one dictionary, tuple, list or set, written out."""

    def holds(node: ast.AST) -> bool:
        parts = node.keys if isinstance(node, ast.Dict) else getattr(node, "elts", [])
        return set(words) <= set(texts(parts))

    return holds


def enumerates(words: Collection[str]) -> Holds:
    """All these words in one text, such as the help of an option."""
    return lambda node: (
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and set(words) <= set(re.findall(r"\w+", node.value))
    )


# -- the table ---------------------------------------------------------------------------------------------------------

DEFINED: dict[str, list[str]] = {
    "a coupling": modules_with(maps(choices("coupling"), ast.Lambda, ast.Name)),
    "a solver": modules_with(maps(choices("solver"), ast.Call)),
    "a weight source": modules_with(maps(WEIGHT_WORDS, ast.Call)),
    "a metric and its column": modules_with(maps(METRICS, ast.Call)),
    "a page": modules_with(maps(PAGES, ast.Call)),
    "a lesson": modules_with(lists(LESSONS)),
    "the colour of defects": modules_with(
        lambda node: (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and COLOURS["defect"].lower() in node.value.lower()
        )
    ),
    "a folder layout": modules_with(lists(LAYOUTS)),
    # Processes that the bench and the encoder of movies start for themselves are no runs; systems.py kills for it.
    "how a run is stopped": modules_with(
        calls("kill", "killpg", "terminate"), outside=["wtflow/bench/", "wtflow/plots/", "wtflow/machine/systems.py"]
    ),
    "a column of the CSV": modules_with(calls("to_csv")),
    "how a number is written": modules_with(
        lambda node: isinstance(node, ast.FunctionDef) and node.name in ("percent", "flow_time", "duration")
    ),
}
"""Change -> modules in which its definition was found."""


def test_readme_names_each_change_and_no_other():
    assert named_in_readme().keys() == DEFINED.keys()


@pytest.mark.parametrize("change", DEFINED)
def test_the_definition_is_in_the_one_file_that_readme_names(change):
    assert DEFINED[change] == [named_in_readme()[change]]


# -- the tables know every choice, and nothing else decides -----------------------------------------------------------


def test_one_module_pairs_by_assignment():
    """But for the lessons, which pair without torch, as their twins in the browser do, and the bench, which times the
    assignment alone.
    """
    found = modules_with(calls("linear_sum_assignment"), outside=["wtflow/lessons/", "wtflow/bench/"])
    assert found == [named_in_readme()["a coupling"]]


def test_no_text_lists_the_lessons():
    """The next lesson would be missing there."""
    assert modules_with(enumerates([name for name in LESSONS if name != "features"])) == []


def test_couplings_and_solvers_are_those_that_the_settings_offer():
    import torch

    from wtflow.flow.coupling import couple
    from wtflow.flow.solvers import SOLVERS

    assert set(SOLVERS) == set(choices("solver"))
    x = torch.arange(6.0).reshape(3, 2)
    for kind in choices("coupling"):
        assert sorted(couple(x, x.flip(0), kind, 3).tolist()) == [0, 1, 2]


def test_weight_sources_are_those_that_the_settings_offer():
    from wtflow.features.weight_sources import SOURCES

    assert set(SOURCES) == set(WEIGHT_WORDS)
    for word in WEIGHT_WORDS:
        settings = settings_from("fast", {"weights": word})
        assert settings.weights_file is None, "a word is no path"


def test_every_page_is_a_file_and_every_file_a_page():
    assert {*PAGES, *FORMER} == {path.stem for path in (ROOT / "pages").glob("*.py")}


def test_every_lesson_has_its_module_its_script_and_its_text():
    for name in LESSONS:
        assert (ROOT / f"wtflow/lessons/{name}.py").is_file()
        assert (ROOT / f"assets/learn/{name}.md").is_file()


@pytest.mark.parametrize("change", ["a solver", "a weight source"])
def test_no_other_module_compares_with_one_of_its_words(change):
    """`solver == "heun"` elsewhere would take a third solver for one of the two."""
    words = set(choices("solver") if change == "a solver" else WEIGHT_WORDS)

    def compares(node: ast.AST) -> bool:
        if not isinstance(node, ast.Compare) or not any(isinstance(op, ast.Eq | ast.NotEq | ast.In) for op in node.ops):
            return False
        parts = [part for side in node.comparators for part in getattr(side, "elts", [side])]
        return bool(words & set(texts(parts)))

    assert set(modules_with(compares, outside=["wtflow/config/"])) <= {named_in_readme()[change]}
