"""Every command on a console of any code page, with names that it lacks."""

import io
import json
import sys
from pathlib import Path

import pytest
from run_folders import train_here, write_tiny_category

from wtflow import console
from wtflow.cli.app import app
from wtflow.machine.environment import worker_environment
from wtflow.store.notes import set_comment
from wtflow.store.runs import RunStore

NAME = "螺丝 ü 😀"
CODE_PAGES = ("ascii", "cp1252", "cp437", "shift_jis")


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> tuple[RunStore, Path, str]:
    folder = tmp_path_factory.mktemp("consoles")
    root = write_tiny_category(folder / "bilder 螺", NAME)
    (root / NAME / "test/spot/000.png").rename(root / NAME / "test/spot/ü😀.png")
    store = RunStore(folder / "runs 螺")
    run_id = train_here(store, root, NAME)
    set_comment(store, run_id, None, "好", 0)
    return store, root, run_id


def run(code_page: str, *words: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command whose streams are strict, as Python makes them for a pipe."""
    streams = [io.TextIOWrapper(io.BytesIO(), code_page, write_through=True) for _ in range(2)]
    before, code = (sys.stdout, sys.stderr), 0
    sys.stdout, sys.stderr = streams
    try:
        console.use_any_code_page()
        app([str(word) for word in words])
    except SystemExit as end:
        code = end.code or 0
    finally:
        sys.stdout, sys.stderr = before
    return code, *(stream.buffer.getvalue().decode(code_page) for stream in streams)


@pytest.mark.parametrize("code_page", CODE_PAGES)
def test_every_command_says_what_it_has_to_say(place, code_page, monkeypatch, tmp_path):
    store, root, run_id = place
    monkeypatch.setenv("WTFLOW_HOME", str(store.home))
    commands = {"check": [root], "runs": [], "cache": []}
    if code_page == "ascii":
        commands |= {"evaluate": [run_id], "export": [run_id, "--out", tmp_path / "出"]}
        commands["report"] = [run_id, "--out", tmp_path / "出.html"]
    for name, words in commands.items():
        code, out, err = run(code_page, name, *words, "--json")
        assert code == 0, (name, out, err)
        assert "xa0" not in out + err, "a space that the console lacks is another space, no number"
        facts = json.loads(out.splitlines()[-1])
        if name == "check":
            assert facts["categories"][0]["category"] == NAME
    code, out, _ = run(code_page, "check", root)
    shown = NAME.encode(code_page, "backslashreplace").decode(code_page)
    assert shown in out, "what the code page has is shown, the rest as numbers"
    for words in (["check", root / "没有"], ["train", root, "没有"], ["export", "没有", "--out", "x"]):
        code, _, err = run(code_page, *words, "--json")
        assert code == 2, (words, err)


@pytest.mark.parametrize("code_page", ["ascii", "cp1252"])
def test_every_command_explains_itself(code_page):
    names = [command.callback.__name__.replace("_", "-") for command in app.registered_commands]
    for words in ([], *([name] for name in names)):
        code, out, _ = run(code_page, *words, "--help")
        assert code == 0
        assert "Usage" in out


def test_a_workers_log_is_utf_8_whatever_the_console_is(monkeypatch, tmp_path):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    assert worker_environment(tmp_path)["PYTHONIOENCODING"] == "utf-8:backslashreplace"


def test_streams_that_are_no_text_files_are_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    console.use_any_code_page()
