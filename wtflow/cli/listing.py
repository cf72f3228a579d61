"""The command `runs`: the list of runs, searched, filtered and sorted; runs are archived and taken back by it, too."""

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from wtflow import console, numbers
from wtflow.cli.parts import Json, Mistakes
from wtflow.records.core import RunSummary
from wtflow.records.run_list import NEWEST_FIRST, Archived, RunPage, RunQuery
from wtflow.store.dataset_versions import title_of
from wtflow.store.runs import RunStore

SHOWN = ("image_auroc", "aupro")
"""Metrics that have a column of their own."""


def runs(
    category: Annotated[str | None, typer.Option(help="Only runs of this category.")] = None,
    search: Annotated[
        str,
        typer.Option(help='Words that a run holds, and comparisons: "night paper coupling=optimal image_auroc>0.9".'),
    ] = "",
    sort: Annotated[
        str, typer.Option(help="A setting, a metric, created, category, name, seconds or state; -NAME: highest first.")
    ] = NEWEST_FIRST,
    archived: Annotated[bool, typer.Option("--archived", help="Archived runs only, instead of all others.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Archived runs as well.")] = False,
    limit: Annotated[int | None, typer.Option(min=0, help="At most so many. Without: 50, and all with --json.")] = None,
    archive: Annotated[list[str] | None, typer.Option(help="Archive this run; repeatable.")] = None,
    take_back: Annotated[list[str] | None, typer.Option(help="Take this run back; repeatable.")] = None,
    as_json: Json = False,
) -> None:
    """List the runs, newest first; a star stands before the name of a run as *. Archived runs are left out of lists and
    pickers until they are asked for.
    """
    from wtflow.jobs import listing, trainings
    from wtflow.store.notes import archive_run

    which: Archived = "only" if archived else "also" if every else "no"
    with Mistakes(as_json), console.progress() as show:
        store, read = RunStore(), console.steps(show, "reading the runs, once")
        for run_ids, is_archived in ((archive, True), (take_back, False)):
            for run_id in run_ids or ():
                archive_run(store, run_id, is_archived)
        trainings.reconcile(store, read)
        most = limit if limit is not None or as_json else MOST
        found = listing.last_look(store).find(
            RunQuery(search=search, category=category, sort=sort, archived=which, limit=most)
        )
    if not found.runs:
        _say_none(store, found)
    else:
        console.out.print(_table(found.runs, sort.removeprefix("-")))
        if found.n_found > len(found.runs):
            console.err.print(f"{len(found.runs)} of {found.n_found:,} runs. --limit shows more.", markup=False)
    counts = {"found": found.n_found, "all": found.n_all, "archived": found.n_archived}
    console.finish(as_json, {"home": str(store.home), "counts": counts, "runs": [_facts(one) for one in found.runs]})


MOST = 50
"""Lines that a terminal is given unless more are asked for."""


def _say_none(store: RunStore, found: RunPage) -> None:
    if not found.n_all:
        words = f"No runs in {store.home} yet. Start one: python -m wtflow train ROOT CATEGORY"
    else:
        words = f"None of {numbers.count(found.n_all, 'run')} fits."
        words += (
            f" {numbers.count(found.n_archived, 'run')} archived: --archived lists them." if found.n_archived else ""
        )
    console.err.print(words, markup=False)


def _table(runs: tuple[RunSummary, ...], by: str) -> Table:
    table = Table(box=None, pad_edge=False)
    has_names = any(one.name or one.star for one in runs)
    extra = [by] if any(by in one.metrics for one in runs) and by not in SHOWN else []
    names = ("run", *(("name",) if has_names else ()), "category", "state", "image AUROC", "AUPRO", "AUPRO of")
    for name in (*names, *extra, "what"):
        table.add_column(name)
    for one in runs:
        values = ["" if one.metrics.get(name) is None else f"{one.metrics[name]:.3f}" for name in (*SHOWN, *extra)]
        state = one.status.state if one.status else "damaged"
        what = one.problem or ". ".join(part for part in (one.label, one.lack, "Archived." * one.archived) if part)
        # Brackets in names are not markup.
        of = one.pixel_images.short if one.pixel_images is not None and values[1] else ""
        named = (escape(f"* {one.name}" if one.star else one.name),) if has_names else ()
        title = escape(title_of(one.root, one.category))
        table.add_row(one.run_id, *named, title, state, *values[:2], of, *values[2:], escape(what))
    return table


def _facts(one: RunSummary) -> dict[str, object]:
    return {
        "run_id": one.run_id,
        "name": one.name,
        "tags": list(one.tags),
        "star": one.star,
        "archived": one.archived,
        "category": one.category,
        "scored_again": one.is_rescored,
        "seed": one.seed,
        "state": one.status.state if one.status else "damaged",
        "metrics": one.metrics,
        "pixel_images": None if one.pixel_images is None else one.pixel_images.facts,
        "problem": one.problem,
        "lack": one.lack,
    }
