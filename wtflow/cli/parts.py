"""What several commands share: arguments, options, help that lists choices, and how a known error ends a command."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from wtflow import console
from wtflow.config import WEIGHT_WORDS, choices
from wtflow.errors import WTFlowError

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object last on stdout.")]
Run = Annotated[str, typer.Argument(help="Id of a run, as `runs` lists it.")]
Root = Annotated[Path, typer.Argument(help="Folder that holds the categories (MVTec AD, VisA or BTAD layout).")]

Device = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Where networks compute: auto, cpu, cuda, cuda:1, mps or xpu. Default: WTFLOW_DEVICE or auto.",
    ),
]


def use_device(name: str | None) -> None:
    """Let this process and those that it starts compute there. Raises SettingsError where there is no such device."""
    if name is not None:
        from wtflow.machine.devices import pick_device

        pick_device(name)
        os.environ["WTFLOW_DEVICE"] = name


def one_of(words: Sequence[str]) -> str:
    """A sentence for help: "worst, independent or optimal."."""
    return f"{', '.join(words[:-1])} or {words[-1]}."


def choice_of(setting: str) -> str:
    """A sentence for help: the allowed values of a setting."""
    return one_of(choices(setting))


def weights_help() -> str:
    """A sentence for help: what `weights` may be."""
    return f"{', '.join(WEIGHT_WORDS)}, or a .safetensors or .pth file."


class Mistakes:
    """Turn a WTFlowError inside into one sentence and exit code 2."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind, error, trace) -> None:
        if isinstance(error, WTFlowError):
            console.fail(error, self.as_json)
