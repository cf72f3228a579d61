"""`python -m wtflow sweep`: many categories, settings and seeds as one job, its progress, and its table."""

import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from wtflow import console
from wtflow.cli.follow import POLL_S, ctrl_c_noted
from wtflow.cli.parts import Json, Mistakes, choice_of
from wtflow.cli.sweep_table import show_table
from wtflow.errors import SettingsError
from wtflow.numbers import duration
from wtflow.records.sweep import Sweep, SweepStatus, Way
from wtflow.store import sweeps
from wtflow.store.runs import RunStore


def sweep(
    root: Annotated[
        Path | None, typer.Argument(help="Folder that holds the categories; without it, all sweeps are listed.")
    ] = None,
    categories: Annotated[str | None, typer.Option(help="all, or names with commas between (all).")] = None,
    seeds: Annotated[str | None, typer.Option(help="Such as 0,1,2 or 0-4 (0).")] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", help="A setting, NAME=VALUE; NAME=ONE,OTHER varies it; repeatable."),
    ] = None,
    preset: Annotated[str | None, typer.Option(help=choice_of("preset"))] = None,
    executor: Annotated[str | None, typer.Option(help="local, or ray: Ray Core on one computer or a cluster.")] = None,
    address: Annotated[
        str | None, typer.Option(help="Ray: auto, ray://HOST:PORT or none, which starts a cluster here (none).")
    ] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Runs at once here (as many as fit).")] = None,
    gpu_share: Annotated[
        float | None, typer.Option(min=0.05, max=1.0, help="Ray: share of a GPU that each run gets (1).")
    ] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads of each run; the same for all.")] = None,
    name: Annotated[str | None, typer.Option(help="Of the sweep; of one that is there, to add to it.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Start without asking.")] = False,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Start, and return at once.")] = False,
    status: Annotated[str | None, typer.Option(metavar="NAME", help="How a sweep stands.")] = None,
    stop: Annotated[str | None, typer.Option(metavar="NAME", help="Stop all runs of a sweep.")] = None,
    resume: Annotated[str | None, typer.Option(metavar="NAME", help="Go on; finished runs are not repeated.")] = None,
    table: Annotated[str | None, typer.Option(metavar="NAME", help="Its table; --out takes it home.")] = None,
    metric: Annotated[str, typer.Option(help="Metric of the table.")] = "image_auroc",
    out: Annotated[Path | None, typer.Option(metavar="F.csv|.md|.tex", help="File for the table.")] = None,
    as_json: Json = False,
) -> None:
    """Train every category with every combination of settings and every seed, by one command. It goes on when the shell
    is closed; Ctrl-C stops it, and --resume goes on. The same --name adds categories, seeds or values later.
    """
    from wtflow.sweeps import tasks
    from wtflow.sweeps.expand import Asked, parse_seeds, parse_sets

    store = RunStore()
    with Mistakes(as_json):
        _one_of_them(root, status, stop, resume, table)
        if out is not None and table is None:
            raise SettingsError("--out is for a table.", fix="Add --table NAME.")
        if status is not None:
            _finish(store, status, tasks.look(store, status), as_json)
        elif stop is not None:
            tasks.stop(store, stop)
            console.err.print(f"The sweep {stop} is asked to stop. --resume {stop} goes on.", markup=False)
            console.finish(as_json, {"name": stop, "state": tasks.look(store, stop).state})
        elif resume is not None:
            old = sweeps.read(store, resume)
            tasks.start(store, resume, _way(old.way, executor, address, jobs, gpu_share))
            _follow(store, resume, no_wait, as_json)
        elif table is not None:
            show_table(store, table, metric, out, as_json)
        elif root is None and name is None:
            _list(store, as_json)
        else:
            asked = Asked(
                root,
                None if categories is None else [one.strip() for one in categories.split(",") if one.strip()],
                None if seeds is None else parse_seeds(seeds),
                preset,
                parse_sets(setting or []),
            )
            way = _way(Way(), executor, address, jobs, gpu_share)
            if name is not None and name in sweeps.names(store):
                _extend(
                    store,
                    name,
                    asked,
                    _way(sweeps.read(store, name).way, executor, address, jobs, gpu_share),
                    threads,
                    yes,
                )
            else:
                name = _create(store, name, asked, way, threads, yes)
            _follow(store, name, no_wait, as_json)


def _one_of_them(root: Path | None, *others: str | None) -> None:
    given = [one for one in others if one is not None]
    if len(given) > 1 or (given and root is not None):
        raise SettingsError(
            "--status, --stop, --resume and --table stand alone.", fix="Give one of them, without a folder."
        )


def _way(old: Way, executor: str | None, address: str | None, jobs: int | None, gpu_share: float | None) -> Way:
    if executor not in (None, "local", "ray"):
        raise SettingsError(f"There is no executor {executor!r}.", fix="Use local or ray.")
    if address not in (None, "auto", "none") and not address.startswith("ray://") and ":" not in address:
        raise SettingsError(f"{address!r} is no address of a Ray cluster.", fix="Give auto, ray://HOST:PORT or none.")
    if address is not None and (executor or old.executor) != "ray":
        raise SettingsError("--address is for Ray.", fix="Add --executor ray.")
    return Way(
        executor="ray" if (executor or old.executor) == "ray" else "local",
        address=old.address if address is None else "" if address == "none" else address,
        jobs=old.jobs if jobs is None else jobs,
        gpu_share=old.gpu_share if gpu_share is None else gpu_share,
    )


def _create(store: RunStore, name: str | None, asked: Any, way: Way, threads: int | None, yes: bool) -> str:
    """Plan a sweep, say what it takes, ask where somebody can answer, and start it."""
    from wtflow.sweeps import tasks
    from wtflow.sweeps.planning import plan_with_threads

    if asked.root is None:
        raise SettingsError(
            f"There is no sweep {name!r} yet.", fix=f"Begin it: python -m wtflow sweep ROOT --name {name}"
        )
    stem = asked.root.absolute().name
    chosen = name or sweeps.free_name(store, stem)
    plan, found = plan_with_threads(store, chosen, asked, way, threads)
    _say(plan.sweep, plan.said, found)
    _ask(yes, "Start?")
    sweeps.create(store, plan.sweep)
    tasks.start(store, chosen)
    return chosen


def _extend(store: RunStore, name: str, asked: Any, way: Way, threads: int | None, yes: bool) -> None:
    from wtflow.sweeps import tasks
    from wtflow.sweeps.expand import plan_more
    from wtflow.sweeps.planning import estimate_now

    if threads is not None:
        raise SettingsError(
            f"The threads of {name} are decided: figures depend on them.", fix="Leave --threads out, or start another."
        )
    plan = plan_more(store, sweeps.read(store, name), asked, way)
    _say(plan.sweep, plan.said, estimate_now(store, plan.sweep))
    _ask(yes, "Go on?")
    tasks.extend(store, name, plan.sweep)
    if not tasks.look(store, name).is_active:
        tasks.start(store, name, way)


def _say(made: Sweep, said: tuple[str, ...], found: Any) -> None:
    for sentence in (f"Sweep {made.name}: {made.words}.", *said, found.words, found.basis):
        if sentence:
            console.err.print(sentence, markup=False)


def _ask(yes: bool, question: str) -> None:
    """Nobody is asked who cannot answer: then it goes on, as `train` does."""
    if not yes and console.err.is_terminal and not typer.confirm(question, default=True, err=True):
        console.err.print("Nothing was started.", markup=False)
        raise typer.Exit(1)


def _follow(store: RunStore, name: str, no_wait: bool, as_json: bool) -> None:
    """Show the progress of the whole until it ends. Ctrl-C stops it."""
    from wtflow.sweeps import tasks

    if no_wait:
        console.err.print(f"Started. Look: python -m wtflow sweep --status {name}", markup=False)
        _finish(store, name, tasks.look(store, name), as_json)
        return
    with ctrl_c_noted() as stops, console.progress() as show:
        while (status := tasks.look(store, name)).is_active:
            if stops:
                tasks.stop(store, name)
            failed = f", {status.n_failed} failed" * bool(status.n_failed)
            show(f"{name}: {status.n_finished} of {status.n_all} runs{failed}", status.percent)
            time.sleep(POLL_S)
    if stops:
        console.err.print(f"Stopped. Go on with: python -m wtflow sweep --resume {name}", markup=False)
        console.finish(as_json, facts(store, name, status))
        raise typer.Exit(130)
    _finish(store, name, status, as_json)


def _finish(store: RunStore, name: str, status: SweepStatus, as_json: bool) -> None:
    """Say how a sweep stands; exit code 1 where it has ended and is not whole."""
    left = f" About {duration(status.seconds_left)} left." if status.seconds_left else ""
    n = f"{status.n_finished:,} of {status.n_all:,} runs finished"
    words = status.message or f"{n}, {status.n_running} running, {status.n_failed} failed."
    console.err.print(f"Sweep {name} is {status.state}. {words}{left} {status.fix}".rstrip(), markup=False)
    console.finish(as_json, facts(store, name, status))
    if status.state in ("failed", "lost", "stopped") or (
        status.state == "finished" and status.n_finished < status.n_all
    ):
        raise typer.Exit(1)


def facts(store: RunStore, name: str, status: SweepStatus) -> dict[str, Any]:
    """How a sweep stands, with the run of every cell, for --json."""
    found = sweeps.read(store, name)
    return {
        "name": name,
        **{key: value for key, value in asdict(status).items() if key not in ("pid", "pid_created")},
        "cells": [
            {
                "root": cell.category.root,
                "category": cell.category.name,
                "seed": cell.seed,
                "set": dict(cell.combination.varied),
                "run_id": cell.run_id or None,
            }
            for cell in found.cells
        ],
    }


def _list(store: RunStore, as_json: bool) -> None:
    from wtflow.sweeps import tasks

    known = sweeps.names(store)
    if not known:
        console.err.print(f"No sweeps in {store.home} yet. Start one: python -m wtflow sweep ROOT", markup=False)
    table, rows = Table(box=None, pad_edge=False), []
    for column in ("sweep", "state", "runs finished", "what"):
        table.add_column(column)
    for name in known:
        made, status = sweeps.read(store, name), tasks.look(store, name)
        table.add_row(escape(name), status.state, f"{status.n_finished} of {len(made.cells)}", escape(made.words))
        rows.append({"name": name, "state": status.state, "n_finished": status.n_finished, "n_all": len(made.cells)})
    if known:
        console.out.print(table)
    console.finish(as_json, {"home": str(store.home), "sweeps": rows})
