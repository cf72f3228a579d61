"""Which setting matters: what each value changes against the first one, in cells that differ in that setting alone.

Every such pair is a difference on the same images with the same seed. Seeds of one category are not independent looks
at another category, so the interval is Student's t over the categories' mean differences; where the sweep has one
category, over its pairs. It covers other categories like these, and other seeds with them.
"""

from collections.abc import Mapping, Sequence
from statistics import fmean

import numpy as np
from scipy.stats import t as student

from wtflow.compare.intervals import CONFIDENCE
from wtflow.records.compare import Interval
from wtflow.records.sweep import Cell, Sweep, value_words
from wtflow.records.sweep_table import Effect
from wtflow.sweeps.collect import Found


def effects_of(sweep: Sweep, found: Mapping[str, Found], metric: str) -> tuple[Effect, ...]:
    """The effect of every value of every varied setting, those that change most first."""
    values = {
        _place(one.cell, one.cell.combination.varied): float(value)
        for one in found.values()
        if (value := one.metrics.get(metric)) is not None
    }
    effects = []
    for setting, levels in sweep.vary.items():
        for level in levels[1:]:
            pairs = [
                (one.cell, values[here] - values[there])
                for one in found.values()
                if one.cell.combination.varied[setting] == level
                and (here := _place(one.cell, one.cell.combination.varied)) in values
                and (there := _place(one.cell, {**one.cell.combination.varied, setting: levels[0]})) in values
            ]
            if pairs:
                effects.append(_effect(setting, value_words(level), value_words(levels[0]), pairs))
    return tuple(sorted(effects, key=lambda one: -abs(one.change)))


def t_interval(differences: Sequence[float] | np.ndarray, confidence: float = CONFIDENCE) -> Interval | None:
    """The mean and Student's t interval; None for fewer than two."""
    values = np.asarray(differences, float)
    if len(values) < 2:
        return None
    mean, n = float(values.mean()), len(values)
    half = float(student.ppf((1 + confidence) / 2, n - 1) * values.std(ddof=1) / n**0.5)
    return Interval(mean, mean - half, mean + half)


def _effect(setting: str, value: str, reference: str, pairs: Sequence[tuple[Cell, float]]) -> Effect:
    by_category: dict[tuple[str, str], list[float]] = {}
    for cell, change in pairs:
        by_category.setdefault((cell.category.root, cell.category.name), []).append(change)
    units = [fmean(changes) for changes in by_category.values()]
    if len(by_category) == 1:
        units = [change for _, change in pairs]
    return Effect(
        setting=setting,
        value=value,
        reference=reference,
        change=fmean(units),
        interval=t_interval(units),
        n_pairs=len(pairs),
        n_categories=len(by_category),
        n_seeds=len({cell.seed for cell, _ in pairs}),
    )


def _place(cell: Cell, varied: Mapping[str, object]) -> tuple:
    return (
        cell.category.root,
        cell.category.name,
        cell.seed,
        *sorted((name, repr(value)) for name, value in varied.items()),
    )
