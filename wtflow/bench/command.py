"""The body of `python -m wtflow bench`: choose, measure, show a table, write a file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from wtflow import console
from wtflow.bench.figures import Figure, Spread, Target
from wtflow.bench.parts import choose_parts, run_parts
from wtflow.bench.workshop import FULL, QUICK, bench_settings
from wtflow.config import parse_pairs
from wtflow.store.files import write_json

VERSION = 2
"""Of the JSON; raise it when a name or a unit changes its meaning."""


def run_bench(
    parts: str | None, is_quick: bool, setting: list[str], out: Path | None, show: console.Show
) -> dict[str, Any]:
    """The whole bench as plain values, written to `out` if given. Raises SettingsError for a part or setting that
    does not exist.
    """
    names, settings = choose_parts(parts), bench_settings(parse_pairs(setting, option="--set"))
    figures, facts = run_parts(names, settings, QUICK if is_quick else FULL, show)
    found = {"version": VERSION, "is_quick": is_quick, **facts, "figures": [figure.to_json() for figure in figures]}
    if out is not None:
        write_json(out, found)
    _print(figures, facts)
    return found


def make_table(figures: Sequence[Figure]) -> Table:
    """One line a figure: median with the extremes of its repeats, its floor, their ratio, and the target with
    whether it is met.
    """
    table = Table(box=None, pad_edge=False)
    for name in ("part", "what", "median (low to high)", "unit", "repeats", "floor", "its median", "ratio", "target"):
        table.add_column(name, justify="right" if name in ("repeats", "its median", "ratio") else "left")
    for figure in figures:
        floor = "" if figure.floor is None else _number(figure.floor.median)
        ratio = "" if figure.ratio is None else _number(figure.ratio)
        table.add_row(
            figure.part,
            figure.name,
            _spread(figure.value),
            figure.unit,
            str(figure.value.repeats),
            figure.floor_name,
            floor,
            ratio,
            _target(figure.target, figure.is_met),
        )
    return table


def _print(figures: Sequence[Figure], facts: dict[str, Any]) -> None:
    machine = facts["machine"]
    console.out.print(make_table(figures))
    console.err.print(
        f"{machine['cpu']}, {machine['cores']} cores, {machine['threads']} threads, torch {machine['torch']}, device"
        f" {machine['device']}; load before: {machine['load_before']}.",
        markup=False,
    )
    for reason in facts["not_run"].values():
        console.err.print(reason, markup=False)
    for part, words in facts["failed"].items():
        console.err.print(f"Not measured, {part} failed: {words}", markup=False, style="red")


def _spread(spread: Spread) -> str:
    return (
        _number(spread.median)
        if spread.repeats == 1
        else f"{_number(spread.median)} ({_number(spread.low)} to {_number(spread.high)})"
    )


def _target(target: Target | None, is_met: bool | None) -> str:
    if target is None:
        return ""
    return f"{target.of} {target.bound} {_number(target.limit)}: {'met' if is_met else 'not met'}"


def _number(value: float) -> str:
    """Three digits that count, never in powers of ten."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}" if abs(value) >= 1e-3 else f"{value:.5f}"
