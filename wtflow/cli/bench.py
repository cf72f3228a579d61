"""`python -m wtflow bench`: its options. Imports nothing heavy, because every command loads this file."""

import os
from pathlib import Path
from typing import Annotated

import typer

from wtflow import console
from wtflow.cli.parts import Json, Mistakes
from wtflow.machine.environment import THREADS


def bench(
    parts: Annotated[str | None, typer.Option(help="Only these, such as features,train. Without: all.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Small and rough, to try it.")] = False,
    setting: Annotated[
        list[str] | None, typer.Option("--set", help="A setting of what is measured, NAME=VALUE; repeatable.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="File to write the JSON to.")] = None,
    as_json: Json = False,
) -> None:
    """Measure speed and memory on drawn images, each figure with a floor measured in the same run. Threads are set
    up as in a training.
    """
    for name, value in THREADS.items():
        os.environ.setdefault(name, value)  # before torch is loaded, which reads it once
    from wtflow.bench.command import run_bench

    with Mistakes(as_json), console.progress() as show:
        found = run_bench(parts, quick, setting or [], out, show)
    console.finish(as_json, found)
    if found["failed"]:
        raise typer.Exit(1)
