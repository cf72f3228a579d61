"""What `python -m wtflow bench` does: choose, measure, show a table, write a file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from wtflow import console
from wtflow.bench.figures import Figure
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


HEADS = (
    ("part", "left"),
    ("what", "left"),
    ("unit", "left"),
    ("median", "right"),
    ("lowest", "right"),
    ("highest", "right"),
    ("repeats", "right"),
    ("floor", "left"),
    ("median of floor", "right"),
    ("ratio of medians", "right"),
    ("target", "left"),
    ("met", "left"),
)


def make_table(figures: Sequence[Figure]) -> Table:
    """One line a figure: its unit, median and extremes, its floor's median in the same unit, their ratio, and the
    target with whether it is met.
    """
    table = Table(box=None, pad_edge=False)
    for name, side in HEADS:
        table.add_column(name, justify=side)
    for figure in figures:
        value, target = figure.value, figure.target
        table.add_row(
            figure.part,
            figure.name,
            figure.unit,
            _number(value.median),
            _number(value.low) if value.repeats > 1 else "",
            _number(value.high) if value.repeats > 1 else "",
            str(value.repeats),
            figure.floor_name,
            "" if figure.floor is None else _number(figure.floor.median),
            "" if figure.ratio is None else _number(figure.ratio),
            "" if target is None else f"{target.of} {target.bound} {_number(target.limit)}",
            {True: "yes", False: "no", None: ""}[figure.is_met],
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
    for part, error in facts["failed"].items():
        console.err.print(f"Not measured, {part} failed: {error}", markup=False, style="red")


def _number(value: float) -> str:
    """Three significant digits, never in powers of ten."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}" if abs(value) >= 1e-3 else f"{value:.5f}"
