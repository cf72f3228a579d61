"""Who may import whom, what importing costs, and how large a file may grow. Walks the sources; nothing is imported
here.
"""

import ast
import functools
import os
import subprocess
import sys
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
import sources
from sources import ROOT, tree_of
from waiting import PATIENCE_S

SOURCES = sources.SOURCES | {"app.py": ROOT / "app.py"}
MOST_LINES = 300
STDLIB = sys.stdlib_module_names


@functools.cache
def imports_of(path: Path) -> set[str]:
    """Dotted names of all modules imported anywhere in a file, also inside functions; `from a import b` gives a and
    a.b.
    """
    found = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written in full, found a relative one in line {node.lineno}"
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def packages_of(name: str) -> set[str]:
    """First parts of what a file imports, such as numpy."""
    return {module.split(".")[0] for module in imports_of(SOURCES[name])}


def below(*folders: str) -> list[str]:
    return [name for name in SOURCES if name.startswith(folders)]


def test_the_walk_finds_what_it_should():
    """An empty list of files would let every rule hold."""
    assert len(below("wtflow/")) > 30
    assert len(below("pages/")) > 10
    assert {"torch", "wtflow", "numpy"} <= packages_of("wtflow/studies/probes.py")
    assert "wtflow.jobs.trainings" in imports_of(SOURCES["wtflow/cli/runs.py"]), "imports inside functions count"


@pytest.mark.parametrize("name", ["app.py", *below("pages/")])
def test_pages_import_streamlit_wtflow_pages_and_the_standard_library(name):
    server = {"starlette"} if name == "pages/ui/access/start.py" else set()  # it hands Streamlit's server a middleware
    assert packages_of(name) - STDLIB <= {"streamlit", "wtflow", "pages"} | server


@pytest.mark.parametrize("name", below("wtflow/"))
def test_wtflow_knows_neither_streamlit_nor_pages(name):
    assert not packages_of(name) & {"streamlit", "pages", "app"}


STILL = "wtflow/plots/still/"


def test_matplotlib_is_loaded_for_still_figures_only():
    assert [name for name in SOURCES if "matplotlib" in packages_of(name) and not name.startswith(STILL)] == []


@pytest.mark.parametrize("name", below("wtflow/plots/"))
def test_plots_take_records_and_numbers_and_know_no_store_and_no_torch(name):
    drawing = {"matplotlib", "scipy"} if name.startswith(STILL) else {"plotly"}
    assert packages_of(name) - STDLIB <= {"numpy", "PIL", "wtflow"} | drawing
    own = {module for module in imports_of(SOURCES[name]) if module.startswith("wtflow.")}
    plain = ("wtflow.records", "wtflow.plots", "wtflow.errors", "wtflow.numbers")
    allowed = (*plain, "wtflow.metrics")  # the titles of metrics
    assert {module for module in own if not module.startswith(allowed)} == set()


@pytest.mark.parametrize("name", below("wtflow/store/"))
def test_the_store_knows_neither_torch_nor_what_computes(name):
    assert not packages_of(name) & {"torch", "timm", "torchvision", "safetensors", "plotly"}
    own = {module for module in imports_of(SOURCES[name]) if module.startswith("wtflow.")}
    allowed = (
        "wtflow.store",
        "wtflow.config",
        "wtflow.errors",
        "wtflow.numbers",
        "wtflow.records",
        "wtflow.permission",
        "wtflow.machine.systems",  # how a file is replaced
    )
    assert {module for module in own if not f"{module}.systems".startswith(allowed)} == set()


@pytest.mark.parametrize(
    ("package", "owner"),
    [
        ("timm", "wtflow/features/timm_models.py"),
        ("umap", "wtflow/studies/projection.py"),
        ("ray", "wtflow/sweeps/executors/ray.py"),
    ],
)
def test_one_module_alone_imports_it(package, owner):
    assert {name for name in SOURCES if package in packages_of(name)} <= {owner}


def test_the_loop_knows_no_files_and_the_flow_no_features():
    assert not packages_of("wtflow/training/loop.py") & {"pathlib", "os", "io", "json"}
    for name in below("wtflow/flow/"):
        own = {module for module in imports_of(SOURCES[name]) if module.startswith("wtflow.")}
        assert all(module.startswith(("wtflow.flow", "wtflow.errors", "wtflow.config")) for module in own), name


def test_the_closed_forms_and_metrics_are_an_independent_truth_without_torch():
    for name in (
        "wtflow/flow/exact.py",
        "wtflow/metrics.py",
        "wtflow/scoring/pixels.py",
        "wtflow/results.py",
        "wtflow/records/core.py",
        "wtflow/config/settings.py",
    ):
        assert "torch" not in packages_of(name), name


# -- folders -----------------------------------------------------------------------------------------------------------

MOST_LOOSE_MODULES = 10


def folder_of(module: str) -> str | None:
    """The folder of wtflow/ that a module lies in, or the loose module itself; None outside wtflow."""
    parts = module.split(".")
    return parts[1] if parts[0] == "wtflow" and len(parts) > 1 else None


def imports_between_folders() -> dict[str, set[str]]:
    """Folder (or loose module) of wtflow/ -> those that it imports from."""
    graph: dict[str, set[str]] = {}
    for name in below("wtflow/"):
        folder = folder_of(name.removesuffix(".py").replace("/", "."))
        imported = {folder_of(module) for module in imports_of(SOURCES[name])}
        graph.setdefault(folder, set()).update(imported - {None, folder, "__version__"})
    return graph


def test_no_folder_imports_from_one_that_imports_from_it_in_turn():
    """The layers in pyproject.toml, which `make lint` checks, forbid more; this one needs no tool."""
    graph = imports_between_folders()
    assert {"records", "config", "errors"} <= graph["store"]
    order = list(TopologicalSorter(graph).static_order())  # raises CycleError, which names the circle
    assert order.index("errors") < order.index("store") < order.index("cli")


def test_few_modules_lie_outside_a_folder():
    loose = [name for name in below("wtflow/") if name.count("/") == 1]
    assert len(loose) <= MOST_LOOSE_MODULES, loose


@pytest.mark.parametrize("folder", sorted({str(Path(name).parent) for name in below("wtflow/")}))
def test_every_folder_describes_what_it_holds(folder):
    assert ast.get_docstring(tree_of(SOURCES[f"{folder}/__init__.py"]))


def test_every_folder_has_its_place_in_the_layers():
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ][0]
    placed = {name.strip() for layer in contract["layers"] for name in layer.split("|")}
    assert placed == imports_between_folders().keys() - {"__main__", "__init__"}
    assert contract["exhaustive"]


# -- what importing costs ----------------------------------------------------------------------------------------------

LIGHT = [
    "wtflow",
    "wtflow.results",
    "wtflow.metrics",
    "wtflow.scoring.pixels",
    "wtflow.export.folder",
    "wtflow.console",
    "wtflow.cli.app",
    "wtflow.flow.exact",
    "wtflow.jobs.trainings",
    "wtflow.jobs.train_worker",
    "wtflow.jobs.estimate",
    "wtflow.datasets.run_images",
    "wtflow.jobs.reporter",
    "wtflow.studies.requests",
    "wtflow.studies.duration",
    "wtflow.studies.answers",
    "wtflow.jobs.studies",
    "wtflow.jobs.study_worker",
    "wtflow.studies.positions",
    "wtflow.studies.well",
    "wtflow.studies.landscape",
    "wtflow.studies.projection",
    "wtflow.studies.paint",
    "wtflow.export.tables",
    "wtflow.compare.runs",
    "wtflow.compare.intervals",
    "wtflow.compare.pixel_tally",
    "wtflow.failures.calls",
    "wtflow.failures.words",
    "wtflow.failures.notes",
    "wtflow.export.zip",
    "wtflow.cli.report",
    "wtflow.config",
    "wtflow.lessons",
    "wtflow.flow.solvers",
    "wtflow.jobs.processes",
    "wtflow.studies.compute",
    "wtflow.machine.progress",
    "wtflow.plots.still",
]
LIGHT += [
    name.removesuffix(".py").replace("/", ".")
    for name in below("wtflow/store/", "wtflow/plots/", "wtflow/datasets/")
    if "__init__" not in name and not name.startswith(STILL)
]


def test_what_pages_need_to_show_results_loads_neither_torch_nor_timm():
    """One process imports them one after the other and names the first that brings a heavy package along."""
    code = f"""
import importlib, sys
for name in {LIGHT!r}:
    importlib.import_module(name)
    heavy = sorted({{"torch", "torchvision", "timm", "streamlit", "umap", "matplotlib"}} & sys.modules.keys())
    if heavy:
        sys.exit(f"{{name}} loads {{', '.join(heavy)}}")
"""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert result.returncode == 0, result.stderr


# -- form --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SOURCES)
def test_no_file_is_longer_than_a_person_reads(name):
    assert len(SOURCES[name].read_text(encoding="utf-8").splitlines()) <= MOST_LINES


def functions_of(name: str) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [
        node for node in ast.walk(tree_of(SOURCES[name])) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


@pytest.mark.parametrize("name", below("wtflow/"))
def test_no_public_function_swallows_settings_in_keyword_arguments(name):
    assert [
        function.name for function in functions_of(name) if function.args.kwarg and not function.name.startswith("_")
    ] == []


@pytest.mark.parametrize("name", below("wtflow/"))
def test_the_library_neither_prints_nor_checks_input_by_assertion(name):
    for node in ast.walk(tree_of(SOURCES[name])):
        assert not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"), (
            f"line {node.lineno}"
        )
        assert not isinstance(node, ast.Assert), f"line {node.lineno}: python -O would drop it"


@pytest.mark.parametrize("name", SOURCES)
def test_nothing_is_caught_without_saying_what(name):
    for node in ast.walk(tree_of(SOURCES[name])):
        assert not (isinstance(node, ast.ExceptHandler) and node.type is None), (
            f"line {node.lineno}: a bare except hides Ctrl-C"
        )


@pytest.mark.parametrize("name", [name for name in SOURCES if not name.endswith("__init__.py")])
def test_every_module_says_what_it_is_for(name):
    assert ast.get_docstring(tree_of(SOURCES[name]))


def test_every_error_for_a_person_is_in_the_tree_drawn_at_the_top():
    tree = tree_of(SOURCES["wtflow/errors.py"])
    drawing = ast.get_docstring(tree)
    classes = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    assert len(classes) > 10
    assert [name for name in classes if name not in drawing] == []
