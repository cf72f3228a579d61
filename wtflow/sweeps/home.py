"""The table of a sweep to take home: CSV with one row per run, Markdown, and LaTeX with booktabs."""

import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from wtflow import __version__
from wtflow.errors import SettingsError
from wtflow.export.tables import csv_bytes
from wtflow.metrics import METRICS
from wtflow.numbers import NBSP, count, percent
from wtflow.records.sweep import Sweep, value_words
from wtflow.records.sweep_table import Effect, SweepTable, TableCell
from wtflow.store.files import write_atomic
from wtflow.store.runs import RunStore
from wtflow.sweeps.collect import collect, data_fingerprint
from wtflow.sweeps.table import sweep_table

_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    NBSP: "~",
}


def write_home(store: RunStore, sweep: Sweep, path: Path, metric: str) -> None:
    """Write the file that its ending asks for. Raises SettingsError for another ending or metric, StoreError."""
    make = MAKERS.get(path.suffix.lower())
    if make is None:
        raise SettingsError(f"{path.name} ends in none of {', '.join(MAKERS)}.", fix="Choose one of these endings.")
    content = make(store, sweep, metric)
    write_atomic(path, lambda file: file.write(content))


def csv_of(store: RunStore, sweep: Sweep, metric: str = "") -> bytes:
    """One row per cell, with every metric; version, date and fingerprint of the data in columns of their own."""
    found = collect(store, sweep)
    whole, today = data_fingerprint(found), time.strftime("%Y-%m-%d", time.gmtime())
    rows: list[dict[str, object]] = []
    for cell in sweep.cells:
        one = found.get(cell.key)
        row: dict[str, object] = {"category": cell.category.name}
        row |= {name: value_words(value) for name, value in cell.combination.varied.items()}
        row |= {"seed": cell.seed, "run_id": cell.run_id, "state": "not finished" if one is None else "finished"}
        row |= {name: None if one is None else one.metrics.get(name) for name in METRICS}
        row |= {
            "seconds_without_features": None if one is None else one.seconds,
            "peak_rss_mib": None if one is None else one.memory_mib,
            "images_fingerprint": "" if one is None else one.fingerprint[:12],
            "sweep": sweep.name,
            "data_fingerprint": whole,
            "version": __version__,
            "date": today,
        }
        rows.append(row)
    table = pd.DataFrame(rows)
    return csv_bytes(table.astype(dict.fromkeys((*METRICS, "seconds_without_features", "peak_rss_mib"), float)))


def markdown_of(store: RunStore, sweep: Sweep, metric: str) -> bytes:
    """The table of one metric, best in bold, its effects, and its foot."""
    return markdown(sweep_table(store, sweep, metric)).encode()


def latex_of(store: RunStore, sweep: Sweep, metric: str) -> bytes:
    """A LaTeX table for booktabs."""
    return latex(sweep_table(store, sweep, metric)).encode()


def markdown(table: SweepTable) -> str:
    escape = lambda text: text.replace("|", "\\|")  # noqa: E731
    lines = [f"| {table.title} | {' | '.join(map(escape, table.columns))} |", "|---" * (len(table.columns) + 1) + "|"]
    for row in (*table.rows, *((table.means,) if table.means else ())):
        cells = [f"**{cell_words(cell)}**" if cell.is_best else cell_words(cell) for cell in row.cells]
        lines.append(f"| {escape(row_name(row.category, row.root))} | {' | '.join(cells)} |")
    if table.ranks and len(table.columns) > 1:
        lines.append(f"| Mean rank | {' | '.join(f'{rank:.2f}' for rank in table.ranks)} |")
    lines += ["", *(f"{note}  " for note in table.notes)]
    lines += [f"{effect_words(one, table.title)}  " for one in table.effects]
    return "\n".join([*lines, "", f"Sweep {table.name}, {table.foot}.", ""])


def latex(table: SweepTable) -> str:
    n = len(table.columns)
    lines = [
        r"% \usepackage{booktabs}",
        r"\begin{table}",
        r"\centering",
        rf"\begin{{tabular}}{{l{'r' * n}}}",
        r"\toprule",
        " & ".join(map(tex, (table.title, *table.columns))) + r" \\",
        r"\midrule",
    ]
    for row in table.rows:
        lines.append(_tex_row(row_name(row.category, row.root), row.cells))
    if table.means is not None:
        lines += [r"\midrule", _tex_row("Mean", table.means.cells)]
    if table.ranks and n > 1:
        lines.append(" & ".join(["Mean rank", *(f"{rank:.2f}" for rank in table.ranks)]) + r" \\")
    caption = tex(" ".join([*table.notes, f"Sweep {table.name}, {table.foot}."]))
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", rf"\caption{{{caption}}}", r"\end{table}", ""])


def cell_words(cell: TableCell) -> str:
    """.912 ± .004 as people write it; a dash without a run."""
    if cell.mean is None:
        return "–"
    return f"{cell.mean:.3f}" + ("" if cell.deviation is None else f"{NBSP}±{NBSP}{cell.deviation:.3f}")


def row_name(category: str, root: str) -> str:
    return f"{category} ({root})" if root else category


def effect_words(effect: Effect, title: str) -> str:
    """What a value changes, with its interval and of how many."""
    n = effect.n_categories
    categories = f"{n} {'category' if n == 1 else 'categories'}"
    of = f"{count(effect.n_pairs, 'pair')}, {categories}, {count(effect.n_seeds, 'seed')}"
    change = f"{effect.change:+.3f}".replace("-", "−")
    if effect.interval is None:
        certain = "too few to tell how certain"
    else:
        low, high = (f"{end:+.3f}".replace("-", "−") for end in (effect.interval.low, effect.interval.high))
        certain = f"{percent(0.95)} interval {low} to {high}" + ("" if effect.is_clear else ", within noise")
    return f"{effect.setting} {effect.value} instead of {effect.reference}: {change} {title} ({certain}; {of})."


def tex(text: str) -> str:
    """Text with what LaTeX would read as a command written out."""
    return "".join(_LATEX.get(letter, letter) for letter in text)


def _tex_row(name: str, cells: tuple[TableCell, ...]) -> str:
    words = [tex(cell_words(cell)).replace("–", "--") for cell in cells]
    bold = [rf"\textbf{{{one}}}" if cell.is_best else one for one, cell in zip(words, cells, strict=True)]
    return " & ".join([tex(name), *bold]) + r" \\"


MAKERS: dict[str, Callable[[RunStore, Sweep, str], bytes]] = {".csv": csv_of, ".md": markdown_of, ".tex": latex_of}
