"""The command `wtflow-studio` opens the app as `make app` does."""

import os
import re
import runpy
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from wtflow.cli import studio
from wtflow.machine import port

PROJECT = Path(__file__).resolve().parents[1]
RECIPE = re.search(r"^app:.*\n((?:\t.*\n)+)", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)[1]


@pytest.fixture
def started(monkeypatch):
    """(module, arguments) of what is run in place of the command, which is not started."""
    runs = []
    monkeypatch.setattr(sys, "argv", ["wtflow-studio"])
    monkeypatch.setattr(os, "environ", dict(os.environ))
    monkeypatch.setattr(runpy, "run_module", lambda name, run_name, alter_sys: runs.append((name, sys.argv)))
    return runs


def call(*arguments):
    return CliRunner().invoke(studio.app, arguments, catch_exceptions=False)


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind((port.HOST, 0))
        return str(probe.getsockname()[1])


def test_it_starts_what_make_starts_with_the_same_environment(started):
    number = free_port()
    assert call("--port", number).exit_code == 0
    [(module, arguments)] = started
    line = next(line for line in RECIPE.splitlines() if "streamlit run" in line)
    variables = dict(re.findall(r"\b([A-Z_]+)=(\S+)", line))
    assert len(variables) == 2
    assert {name: os.environ[name] for name in variables} == variables
    assert f"-m {module} run app.py --server.port $(PORT)" in line
    assert arguments == ["streamlit", "run", str(PROJECT / "app.py"), "--server.port", number]


def test_no_browser_is_opened_where_none_is_wanted(started):
    call("--port", free_port(), "--no-browser")
    assert started[0][1][-2:] == ["--server.headless", "true"]


@pytest.mark.parametrize("number", ["99999", "port", "0"])
def test_what_is_no_port_is_refused_with_what_to_type_instead(started, number):
    done = call("--port", number)
    assert done.exit_code == 2
    assert done.stderr.startswith(f"--port is '{number}', not a number from 1 to 65535.")
    assert done.stderr.endswith("Try: wtflow-studio --port 8502\n")
    assert started == []


def test_a_port_in_use_is_refused(started):
    with socket.socket() as other:
        other.bind((port.HOST, 0))
        other.listen()
        done = call("--port", str(other.getsockname()[1]))
    assert done.exit_code == 2
    assert "is in use" in done.stderr
    assert "For a second one: wtflow-studio --port " in done.stderr
    assert started == []


def test_without_a_package_of_the_app_it_says_so_before_it_starts(started, monkeypatch):
    monkeypatch.setattr(studio, "find_spec", lambda name: None if name == "umap" else object())
    done = call("--port", free_port())
    assert done.exit_code == 2
    assert done.stderr == (
        "`wtflow-studio` needs umap-learn, which is not installed. The extra app brings it:"
        " pip install 'wtflow-studio[app]'\n"
    )
    assert started == []


def test_nothing_that_counts_threads_is_loaded_before_their_number_is_set():
    code = "import sys, wtflow.cli.studio; sys.exit(bool({'numpy', 'torch', 'streamlit'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": str(PROJECT)}, check=False)
    assert done.returncode == 0
