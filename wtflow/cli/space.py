"""The command `space`: what takes room, and what could go."""

import time
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from wtflow import console, numbers
from wtflow.cli.parts import Json, Mistakes, one_of
from wtflow.errors import SettingsError
from wtflow.records.space import Cleared, Plan
from wtflow.store.runs import RunStore

LARGEST = 10
LISTED = 40
"""Lines of a list that is still read; --json has them all."""


def space(
    delete_derived: Annotated[
        bool, typer.Option("--delete-derived", help="Delete what was computed from finished runs; it is made again.")
    ] = False,
    keep_best: Annotated[
        int | None, typer.Option(min=1, help="Delete all but so many finished runs of each category, the best.")
    ] = None,
    metric: Annotated[str, typer.Option(help="By which the best are found.")] = "image_auroc",
    even: Annotated[
        list[str] | None,
        typer.Option(
            help="Delete them even if they have this: notes, threshold, archived, inspections, exports or"
            " what-ifs; repeatable."
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Delete without a question.")] = False,
    as_json: Json = False,
) -> None:
    """Say what takes room in the store. With an option: list what would go and what stays, ask, and delete."""
    from wtflow.jobs import retention
    from wtflow.store.features import FeatureCache
    from wtflow.store.graphs import GraphCache
    from wtflow.store.index import sizes
    from wtflow.store.index.look import index_of

    with Mistakes(as_json), console.progress() as show:
        store, ways = RunStore(), tuple(even or ())
        if unknown := [one for one in ways if one not in retention.WHY]:
            raise SettingsError(f"{unknown[0]!r} is no reason to keep a run.", fix=f"Use {one_of(list(retention.WHY))}")
        if delete_derived and keep_best is not None:
            raise SettingsError("One deletion at a time.", fix="Give --delete-derived or --keep-best.")
        index, since = index_of(store), time.time()
        index.look(console.steps(show, "reading the runs, once"))
        while True:
            done, total = sizes.measure_some(index, since, 0.2)
            console.steps(show, "measuring")(done, total)
            if done >= total:
                break
        parts, largest = sizes.totals(index), sizes.largest(index, LARGEST)
        caches = {
            "feature cache": FeatureCache(store.home).used_bytes(),
            "graph cache": GraphCache(store.home).used_bytes(),
        }
        plan = None
        if delete_derived:
            plan = retention.plan_derived(store)
        elif keep_best is not None:
            known: dict[str, Any] = {reason: reason for reason in retention.WHY}
            plan = retention.plan_all_but_best(store, keep_best, metric, tuple(known[one] for one in ways))
    done = None
    if plan is None:
        _print_parts(parts, caches, largest)
        console.err.print(index.words, markup=False)
    else:
        _print_plan(plan)
        if plan.spare and (yes or (not as_json and typer.confirm(f"Delete this for good ({_size(plan)})?"))):
            with Mistakes(as_json), console.progress() as show:
                done = retention.carry_out(store, plan, console.steps(show, "deleting"))
            _print_done(done)
    console.finish(
        as_json,
        {
            "home": str(store.home),
            "bytes": parts | caches,
            "largest": [{"run_id": run_id, "bytes": n_bytes} for run_id, n_bytes in largest],
            "plan": None if plan is None else _facts(plan),
            "deleted": None if done is None else {"runs": list(done.run_ids), "bytes": done.n_bytes},
        },
    )


def _print_parts(parts: dict[str, int], caches: dict[str, int], largest: list[tuple[str, int]]) -> None:
    for head, rows in (("what", (*parts.items(), *caches.items())), ("largest runs", largest)):
        table = Table(box=None, pad_edge=False)
        table.add_column(head)
        table.add_column("size", justify="right")
        for name, n_bytes in rows:
            table.add_row(name, numbers.size(n_bytes))
        console.out.print(table)


def _print_plan(plan: Plan) -> None:
    what = "Derived files of" if plan.what == "derived" else "To be deleted:"
    console.out.print(f"{what} {numbers.count(len(plan.spare), 'run')}, {_size(plan)}.", markup=False)
    table = Table(box=None, pad_edge=False)
    for head in ("run", "what", plan.metric if plan.what == "runs" else "", "size", "why it stays"):
        table.add_column(head, justify="right" if head == "size" else "left")
    for one in plan.spare[:LISTED]:
        value = "" if one.value is None else numbers.metric(one.value)
        table.add_row(one.run_id, escape(one.title), value, numbers.size(one.n_bytes), "")
    if len(plan.spare) > LISTED:
        table.add_row(f"and {len(plan.spare) - LISTED:,} more")
    for one in plan.kept[:LISTED]:
        table.add_row(one.run_id, escape(one.title), "", "", one.why)
    if len(plan.kept) > LISTED:
        table.add_row(f"and {len(plan.kept) - LISTED:,} more stay")
    console.out.print(table)


def _print_done(done: Cleared) -> None:
    console.err.print(f"{numbers.count(len(done.run_ids), 'run')}: {numbers.size(done.n_bytes)} freed.", markup=False)
    for one in done.refused:
        console.err.print(f"{one.run_id} stays: {one.why}", markup=False)


def _size(plan: Plan) -> str:
    return numbers.size(plan.n_bytes)


def _facts(plan: Plan) -> dict[str, Any]:
    return {
        "what": plan.what,
        "metric": plan.metric,
        "bytes": plan.n_bytes,
        "delete": [
            {"run_id": one.run_id, "bytes": one.n_bytes, "value": one.value, "better": list(one.better)}
            for one in plan.spare
        ],
        "keep": [{"run_id": one.run_id, "why": one.why} for one in plan.kept],
    }
