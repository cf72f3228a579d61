"""`sweep --table`: categories by settings in the shell, and as a file."""

from dataclasses import asdict
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from wtflow import console
from wtflow.numbers import MISSING, duration
from wtflow.records.sweep_table import SweepTable
from wtflow.store import sweeps
from wtflow.store.runs import RunStore


def show_table(store: RunStore, name: str, metric: str, out: Path | None, as_json: bool) -> None:
    """Print the table of a metric; the best of each row stands in bold with a star. out: also write it there. Raises
    RunNotFoundError, SettingsError, StoreError.
    """
    from wtflow.sweeps.home import effect_words, write_home
    from wtflow.sweeps.table import sweep_table

    sweep = sweeps.read(store, name)
    with console.progress() as show:
        table = sweep_table(store, sweep, metric, console.steps(show, f"{name}: intervals"))
    _print(table)
    for sentence in (*table.notes, *(effect_words(one, table.title) for one in table.effects)):
        console.out.print(sentence, markup=False)
    console.out.print(f"{table.n_finished} of {table.n_all} runs are finished. {table.foot}.", markup=False)
    if out is not None:
        write_home(store, sweep, out, metric)
        console.err.print(f"Written to {out}.", markup=False)
    console.finish(as_json, asdict(table))


def _print(table: SweepTable) -> None:
    from wtflow.sweeps.home import cell_words, row_name

    shown = Table(box=None, pad_edge=False)
    for column in (table.title, *table.columns):
        shown.add_column(escape(column))
    for row in (*table.rows, *((table.means,) if table.means else ())):
        cells = [f"[bold]{cell_words(cell)} *[/bold]" if cell.is_best else cell_words(cell) for cell in row.cells]
        shown.add_row(escape(row_name(row.category, row.root)), *cells)
    if table.means is not None:
        if len(table.columns) > 1:
            shown.add_row("Mean rank", *(f"{rank:.2f}" for rank in table.ranks))
        seconds = [cell.seconds for cell in table.means.cells]
        shown.add_row("Time of a run", *(MISSING if one is None else duration(one) for one in seconds))
        memory = [cell.memory_mib for cell in table.means.cells]
        shown.add_row("Memory, MiB", *(MISSING if one is None else f"{one:.0f}" for one in memory))
    console.out.print(shown)
