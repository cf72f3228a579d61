"""The table of a sweep: mean and deviation over seeds, what is best beyond chance, and the effect of each setting."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean, stdev

import numpy as np
from scipy.stats import rankdata

from wtflow import __version__
from wtflow.compare.intervals import paired_intervals, resample
from wtflow.compare.runs import IMAGE_RESAMPLED
from wtflow.errors import SettingsError
from wtflow.metrics import METRICS
from wtflow.numbers import count
from wtflow.records.sweep import Sweep, SweepCategory
from wtflow.records.sweep_table import SweepTable, TableCell, TableRow
from wtflow.store.runs import RunStore
from wtflow.sweeps.collect import Found, collect, data_fingerprint
from wtflow.sweeps.effects import effects_of, t_interval

N_RESAMPLES = 1000
IMAGES_CHANGED = "The images of {names} changed between runs, so nothing is marked as best there."

Tell = Callable[[int, int], None]


def sweep_table(store: RunStore, sweep: Sweep, metric: str = "image_auroc", tell: Tell = lambda *_: None) -> SweepTable:
    """The table of a metric of finished runs. tell(categories done, in all). Raises SettingsError for no metric."""
    return build_table(sweep, collect(store, sweep), metric, tell)


def build_table(sweep: Sweep, found: Mapping[str, Found], metric: str, tell: Tell = lambda *_: None) -> SweepTable:
    """The same from what was found. Raises as `sweep_table`."""
    if metric not in METRICS:
        raise SettingsError(f"There is no metric {metric!r}.", fix=f"Metrics: {', '.join(METRICS)}.")
    names = [one.name for one in sweep.categories]
    rows, changed = [], []
    for i, category in enumerate(sweep.categories):
        of_row = [[one for one in found.values() if _is_of(one, category, k, sweep)] for k in range(_n(sweep))]
        if len({one.fingerprint for runs in of_row for one in runs}) > 1:
            changed.append(category.name)
        best = None if category.name in changed else _best(of_row, metric)
        cells = tuple(_cell(runs, metric, k == best) for k, runs in enumerate(of_row))
        rows.append(TableRow(category.name, cells, category.root if names.count(category.name) > 1 else ""))
        tell(i + 1, len(names))
    today, data = time.strftime("%Y-%m-%d", time.gmtime()), data_fingerprint(found)
    whole = [row for row in rows if all(cell.mean is not None for cell in row.cells)]
    return SweepTable(
        name=sweep.name,
        metric=metric,
        title=METRICS[metric].title,
        columns=tuple(one.words for one in sweep.combinations),
        rows=tuple(rows),
        means=_means(whole, _n(sweep)),
        ranks=_ranks(whole),
        effects=effects_of(sweep, found, metric),
        n_whole=len(whole),
        n_finished=len(found),
        n_all=len(sweep.cells),
        seeds=sweep.seeds,
        foot=f"{today}, WT-Flow Studio {__version__}, data {data}",
        notes=_notes(sweep, rows, whole, changed, metric),
    )


def best_rule(metric: str, n_seeds: int) -> str:
    """When something is marked as best, in a sentence."""
    over = "seeds"
    if metric in IMAGE_RESAMPLED:
        over = "test images and seeds" if n_seeds > 1 else "test images (one seed: another training may differ)"
    elif n_seeds < 2:
        return "With one seed nothing is marked as best in this metric."
    return f"Best: the 95\N{NBSP}% interval of the difference to every other, over {over}, lies above 0."


# -- inside ------------------------------------------------------------------------------------------------------------


def _n(sweep: Sweep) -> int:
    return len(sweep.combinations)


def _is_of(one: Found, category: SweepCategory, k: int, sweep: Sweep) -> bool:
    return one.cell.category == category and one.cell.combination is sweep.combinations[k]


def _value(one: Found, metric: str) -> float | None:
    value = one.metrics.get(metric)
    return None if value is None or math.isnan(value) else float(value)


def _cell(runs: Sequence[Found], metric: str, is_best: bool) -> TableCell:
    values = [value for one in runs if (value := _value(one, metric)) is not None]
    seconds = [one.seconds for one in runs if one.seconds is not None]
    memory = [one.memory_mib for one in runs if one.memory_mib]
    return TableCell(
        mean=fmean(values) if values else None,
        deviation=stdev(values) if len(values) > 1 else None,
        n_seeds=len(values),
        is_best=is_best,
        run_ids=tuple(one.cell.run_id for one in sorted(runs, key=lambda one: one.cell.seed)),
        seconds=fmean(seconds) if seconds else None,
        memory_mib=max(memory) if memory else None,
    )


def _best(of_row: Sequence[Sequence[Found]], metric: str) -> int | None:
    """The column that is better than every other beyond chance; None where there is none."""
    by_seed = [{one.cell.seed: one for one in runs if _value(one, metric) is not None} for runs in of_row]
    if len(by_seed) < 2 or not all(by_seed):
        return None
    means = [fmean(_value(one, metric) or 0.0 for one in runs.values()) for runs in by_seed]
    top = int(np.argmax(means))
    drawn = _drawn(by_seed, metric) if metric in IMAGE_RESAMPLED else None
    for k, other in enumerate(by_seed):
        seeds = sorted(by_seed[top].keys() & other.keys())
        if k != top and not (seeds and _is_above(by_seed[top], other, seeds, metric, drawn, (top, k))):
            return None
    return top


def _drawn(by_seed: Sequence[Mapping[int, Found]], metric: str) -> list[dict[int, np.ndarray]] | None:
    """(R,) values of every run on the same resamples of the test images; None where runs tested different ones."""
    first = next(iter(by_seed[0].values()))
    if len(set(first.labels)) < 2:
        return None
    weights = resample(first.labels, N_RESAMPLES)
    found = []
    for runs in by_seed:
        if not all(one.scores.index.equals(first.scores.index) for one in runs.values()):
            return None
        found.append(
            {
                seed: IMAGE_RESAMPLED[metric](one.scores.to_numpy(np.float64), one.labels, weights)
                for seed, one in runs.items()
            }
        )
    return found


def _is_above(
    top: Mapping[int, Found],
    other: Mapping[int, Found],
    seeds: Sequence[int],
    metric: str,
    drawn: list[dict[int, np.ndarray]] | None,
    columns: tuple[int, int],
) -> bool:
    """Whether the whole interval of the difference lies above 0: over images and seeds, or over seeds alone."""
    ours, theirs = ([_value(runs[seed], metric) or 0.0 for seed in seeds] for runs in (top, other))
    if metric not in IMAGE_RESAMPLED:
        found = t_interval(np.subtract(ours, theirs))
        return found is not None and found.low > 0
    if drawn is None:
        return False
    chosen = np.random.default_rng(0).integers(len(seeds), size=(N_RESAMPLES, len(seeds)))
    many = [
        np.take_along_axis(np.stack([drawn[k][seed] for seed in seeds], axis=1), chosen, axis=1).mean(axis=1)
        for k in columns[::-1]
    ]
    _, difference = paired_intervals([fmean(theirs), fmean(ours)], many)[1]
    return difference.low > 0


def _means(whole: Sequence[TableRow], n_columns: int) -> TableRow | None:
    """Means over categories, with the deviation between them; best by t over the categories' differences."""
    if not whole:
        return None
    values = np.array([[cell.mean for cell in row.cells] for row in whole], float)
    top = int(values.mean(axis=0).argmax())
    is_best = n_columns > 1 and all(
        (found := t_interval(values[:, top] - values[:, k])) is not None and found.low > 0
        for k in range(n_columns)
        if k != top
    )
    cells = tuple(
        TableCell(
            mean=float(values[:, k].mean()),
            deviation=float(values[:, k].std(ddof=1)) if len(whole) > 1 else None,
            n_seeds=min(row.cells[k].n_seeds for row in whole),
            is_best=is_best and k == top,
            seconds=_mean_of([row.cells[k].seconds for row in whole]),
            memory_mib=max((row.cells[k].memory_mib or 0.0 for row in whole), default=0.0) or None,
        )
        for k in range(n_columns)
    )
    return TableRow("Mean", cells)


def _mean_of(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _ranks(whole: Sequence[TableRow]) -> tuple[float, ...]:
    """Mean rank of each column, 1 the best; ties share theirs."""
    if not whole:
        return ()
    ranks = [rankdata([-(cell.mean or 0.0) for cell in row.cells]) for row in whole]
    return tuple(float(rank) for rank in np.mean(ranks, axis=0))


def _notes(
    sweep: Sweep, rows: Sequence[TableRow], whole: Sequence[TableRow], changed: Sequence[str], metric: str
) -> tuple[str, ...]:
    notes = [f"Mean ± deviation over {count(len(sweep.seeds), 'seed')}."]
    if len(sweep.combinations) > 1:
        notes.append(best_rule(metric, len(sweep.seeds)))
    if len(whole) < len(rows):
        notes.append(
            f"Mean and rank are over the {len(whole)} of {len(rows)} categories that have a run in every column."
        )
    if changed:
        notes.append(IMAGES_CHANGED.format(names=", ".join(changed)))
    return tuple(notes)
