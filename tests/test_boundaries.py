"""The dependency rules of README, enforced by walking the imports, and the size of files."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
SOURCES = sorted([*PROJECT.glob("wtflow/**/*.py"), *PROJECT.glob("pages/**/*.py"), PROJECT / "app.py"])
OWN = {"wtflow", "pages"}
COMPUTE = {"torch", "timm", "sklearn", "umap"}


def imported(path: Path) -> set[str]:
    """Full names of the modules that a file imports, wherever in the file."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def roots(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imported(path)} - set(sys.stdlib_module_names)


def below(folder: str) -> list[Path]:
    found = [path for path in SOURCES if path.is_relative_to(PROJECT / folder)]
    assert found, f"no sources below {folder}: this check would pass on nothing"
    return found


def name(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


@pytest.mark.parametrize("path", [*below("pages"), PROJECT / "app.py"], ids=name)
def test_pages_import_streamlit_wtflow_and_pages_only(path):
    assert roots(path) <= {"streamlit"} | OWN


@pytest.mark.parametrize("path", below("wtflow"), ids=name)
def test_wtflow_knows_neither_streamlit_nor_pages(path):
    assert not roots(path) & {"streamlit", "pages"}


@pytest.mark.parametrize("path", below("wtflow/plots"), ids=name)
def test_plots_know_records_and_figures_only(path):
    assert roots(path) <= {"numpy", "plotly", "PIL", "wtflow"}
    allowed = ("wtflow.plots", "wtflow.records")
    assert all(module.startswith(allowed) or module == "wtflow" for module in imported(path) if module.startswith("wtflow"))


@pytest.mark.parametrize("path", below("wtflow/store"), ids=name)
def test_the_store_computes_nothing(path):
    assert not roots(path) & COMPUTE


def test_only_the_backbone_knows_timm():
    assert [name(path) for path in below("wtflow") if "timm" in roots(path)] == ["wtflow/backbone.py"]


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_a_file_stays_within_300_lines(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


@pytest.mark.parametrize("path", below("wtflow"), ids=name)
def test_no_public_function_swallows_unknown_settings(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            assert node.args.kwarg is None, f"{node.name} takes **{node.args.kwarg.arg}"


def test_what_pages_read_with_loads_no_torch():
    modules = ", ".join(f"wtflow.{name}" for name in (
        "results", "store.runs", "store.tried", "training.jobs", "datasets.demo", "datasets.mvtec", "plots.localization",
    ))  # fmt: skip
    code = f"import sys, {modules}; print(sorted({{'torch', 'timm'}} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
