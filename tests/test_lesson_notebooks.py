"""The lessons as notebooks: valid, and run to their end, where every number is compared again."""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbclient
import nbformat
import pytest
from typer.testing import CliRunner
from waiting import PATIENCE_S

from wtflow.cli.app import app
from wtflow.lessons import WITH_FIGURES, load_lesson
from wtflow.lessons.notebooks import jupyter, marimo
from wtflow.lessons.notebooks.write import write_notebooks

PROJECT = Path(__file__).resolve().parents[1]
FAST = "lines"
"""The lesson whose notebooks run with every `make test`; the others are slow."""
each_lesson = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name == FAST else pytest.mark.slow) for name in WITH_FIGURES]
)


@pytest.mark.parametrize("name", WITH_FIGURES)
def test_a_notebook_is_valid_and_carries_no_result_of_its_own(name):
    book = nbformat.reads(jupyter.notebook(name), as_version=4)
    nbformat.validate(book)
    assert [cell for cell in book.cells if cell.cell_type == "code" and (cell.outputs or cell.execution_count)] == []
    words = "".join(cell.source for cell in book.cells if cell.cell_type == "markdown")
    assert all(f"`{control.name}`" in words for control in load_lesson(name).CONTROLS)


@each_lesson
@pytest.mark.filterwarnings("ignore")  # of Jupyter's own messages and loops
def test_a_jupyter_notebook_runs_and_shows_every_figure_and_every_check(name, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    book = nbformat.reads(jupyter.notebook(name), as_version=4)
    nbclient.NotebookClient(book, timeout=PATIENCE_S, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]
    pictures = [one for one in outputs if "image/png" in one.get("data", {})]
    printed = "".join(one.text for one in outputs if one.output_type == "stream")
    scene, settings, figures = scene_of(name)
    assert len(pictures) == len(figures)
    assert [line for line in printed.splitlines() if not line.startswith("✓ ")] == []
    assert [check.words in printed for check in scene.checks] == [True] * len(scene.checks)


@each_lesson
def test_a_marimo_notebook_runs_as_a_program(name, tmp_path):
    [path] = [one for one in write_notebooks(tmp_path) if one.name == f"{name}.py"]
    environment = os.environ | {"PYTHONPATH": str(PROJECT), "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, str(path)], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert done.returncode == 0, done.stderr


def test_a_marimo_notebook_whose_numbers_differ_does_not_run_to_its_end(tmp_path):
    """The check of the one above can fail."""
    path = tmp_path / "lines.py"
    path.write_text(marimo.notebook("lines").replace("all(check.holds", "not all(check.holds"), encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(PROJECT), "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, str(path)], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert done.returncode != 0


def test_the_command_writes_both_kinds_of_every_lesson_with_figures(tmp_path):
    result = CliRunner().invoke(app, ["lesson", "--notebooks", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert {path.name for path in tmp_path.iterdir()} == {
        f"{name}.{end}" for name in WITH_FIGURES for end in ("ipynb", "py")
    }
    assert re.search(rf"{2 * len(WITH_FIGURES)} files are in", result.output)


def scene_of(name: str):
    """Scene, settings and figures at the start, as the notebook has them."""
    from wtflow.lessons.base import choose_points, read_settings

    lesson = load_lesson(name)
    settings = read_settings(lesson.CONTROLS, "")
    scene = lesson.prepare(0, choose_points(lesson.DATA[0], None, 0) if lesson.DATA else None, settings)
    return scene, settings, lesson.figure(scene, settings)
