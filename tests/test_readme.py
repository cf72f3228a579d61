"""README describes what exists: its pictures, its commands with their options, its settings."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from wtflow.cli.app import app
from wtflow.config import PRESETS, Settings, choices

PROJECT = Path(__file__).resolve().parents[1]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
DEVELOP = (PROJECT / "assets/docs/develop.md").read_text(encoding="utf-8")
COMMANDS = [
    command.name or command.callback.__name__.replace("_", "-")  # as typer names them
    for command in app.registered_commands
]


def test_every_picture_is_there():
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    assert pictures
    assert all((PROJECT / picture).stat().st_size > 10_000 for picture in pictures)


def test_every_command_exists_and_none_is_left_out():
    named = set(re.findall(r"python -m wtflow ([\w-]+)", README)) | {"resume"}
    assert "`resume RUN`" in README
    assert named == set(COMMANDS)


@pytest.mark.parametrize("option", sorted(set(re.findall(r"(--[a-z][a-z-]+)", README)) - {"--clear"}))
def test_every_option_is_one_of_some_command(option):
    runner = CliRunner(env={"COLUMNS": "200"})
    assert any(option in runner.invoke(app, [command, "--help"]).output for command in COMMANDS)


@pytest.mark.parametrize("text", [README, DEVELOP], ids=["README", "develop"])
def test_every_make_target_named_is_in_the_makefile(text):
    targets = re.findall(r"^\.PHONY: (.*)$", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    named = set(re.findall(r"(?:`|^)make ([a-z]+)", text, re.MULTILINE))
    assert {"app", "test"} <= named <= set(targets[0].split())


def test_the_choices_named_are_the_choices_there_are():
    for setting in ("coupling", "score"):
        row = next(line for line in README.splitlines() if line.startswith(f"| `--{setting} "))
        assert set(re.findall(r"\w+", row.split("`")[1].removeprefix(f"--{setting}"))) == set(choices(setting))
    assert all(f"`--preset {preset}`" in README for preset in PRESETS)


def test_every_setting_named_is_a_setting():
    named = set(re.findall(r"--set ([a-z_]+)=", README))
    assert named
    assert named <= set(Settings.model_fields)


def test_every_variable_of_the_environment_is_named():
    used = set()
    for path in PROJECT.glob("wtflow/**/*.py"):
        used |= set(re.findall(r"environ(?:\.get)?[\[(]\"(WTFLOW_\w+)\"", path.read_text(encoding="utf-8")))
    assert used
    assert [name for name in sorted(used) if name not in README] == []
