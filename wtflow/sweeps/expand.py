"""From what a person asks for to the cells of a sweep: ordinary settings, all validated before anything starts."""

import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from wtflow.config import Settings, settings_from
from wtflow.datasets.health import refuse_errors
from wtflow.datasets.health_folders import look_at_folders
from wtflow.datasets.scan import find_categories, scan_category
from wtflow.errors import LayoutError, SettingsError
from wtflow.features.fitting import fitted
from wtflow.records.sweep import MATTERS_NOT, Combination, Sweep, SweepCategory, Way, value_words
from wtflow.store.readings import reading_of
from wtflow.store.runs import RunStore

ALL = "all"
MOST_CELLS = 20_000
"""Runs of one sweep: more would be a mistake in typing before they were a plan."""
OWN_OPTIONS = {"seed": "--seeds 0,1,2", "preset": "--preset", "threads": "--threads"}
"""Settings that a sweep has an option of its own for."""
LISTS = ("stages", "cells", "smaller_sizes")
"""Settings whose values hold commas."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asks for; None: not said. sets: setting -> its values as typed."""

    root: Path | None = None
    categories: Sequence[str] | None = None
    seeds: Sequence[int] | None = None
    preset: str | None = None
    sets: Mapping[str, Sequence[str]] | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A sweep as it would be, and what is worth saying of it, a sentence each."""

    sweep: Sweep
    said: tuple[str, ...]


def parse_sets(texts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """{"coupling": ("worst", "optimal")} from ["coupling=worst,optimal"]. A value of `stages` or `smaller_sizes` holds
    commas itself: there, | stands between two values. Raises SettingsError.
    """
    found: dict[str, tuple[str, ...]] = {}
    for text in texts:
        name, separator, values = (part.strip() for part in text.partition("="))
        if not separator or not name:
            raise SettingsError(
                f"--set {text!r} is not NAME=VALUE.", fix="Write it as --set name=value, or --set name=one,other."
            )
        between = "|" if "|" in values or name in LISTS else ","
        split = tuple(dict.fromkeys(part.strip() for part in values.split(between)))
        if "" in split and len(split) > 1:
            raise SettingsError(
                f"--set {text!r} holds an empty value.", fix="Leave no comma at the ends, and none twice."
            )
        if name in found:
            raise SettingsError(f"--set {name} stands there twice.", fix=f"Give all values at once: --set {name}=a,b.")
        found[name] = split
    return found


def parse_seeds(text: str) -> tuple[int, ...]:
    """0,1,2 or 0-4. Raises SettingsError."""
    seeds: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()) or (dash and int(last) - int(first) > 10_000):
            raise SettingsError(f"--seeds {text!r} is no list of seeds.", fix="Write them as 0,1,2 or 0-4.")
        seeds.extend(range(int(first), int(last) + 1) if dash else [int(first)])
    return tuple(dict.fromkeys(seeds))


def plan_new(store: RunStore, name: str, asked: Asked, threads: int, way: Way) -> Plan:
    """A sweep that is not there yet. threads: of every run, unless a setting says so, because figures depend on it.
    Raises SettingsError, DatasetError, BackboneError.
    """
    if asked.root is None:
        raise SettingsError("A new sweep needs the folder of the categories.", fix="python -m wtflow sweep ROOT")
    preset, sets = asked.preset or "fast", dict(asked.sets or {})
    _refuse_senseless(sets)
    vary = {key: tuple(values) for key, values in sets.items() if len(values) > 1}
    fixed: dict[str, Any] = {"prepare_pages": False, "threads": threads}
    fixed |= {key: values[0] for key, values in sets.items() if len(values) == 1}
    categories = _categories(store, asked.root, asked.categories)
    combinations, vary, said = _combinations(preset, fixed, vary, ())
    made = Sweep(
        name=name,
        created=time.time(),
        preset=preset,
        fixed=fixed,
        vary=vary,
        seeds=_seeds(asked.seeds or (0,)),
        categories=categories,
        combinations=combinations,
        way=way,
    )
    return Plan(_not_too_many(made), tuple(said))


def plan_more(store: RunStore, old: Sweep, asked: Asked, way: Way | None = None) -> Plan:
    """A sweep with categories, seeds and values added to what it has; nothing is taken away, and cells that it has keep
    their runs. Raises as `plan_new`.
    """
    if asked.preset not in (None, old.preset):
        raise SettingsError(
            f"The sweep {old.name} has the preset {old.preset}.", fix="Start another sweep for another preset."
        )
    sets = dict(asked.sets or {})
    _refuse_senseless(sets)
    first, vary = old.combinations[0].settings, dict(old.vary)
    for name, values in sets.items():
        before = vary.get(name, (getattr(first, name),))
        typed = [_typed(old, name, value) for value in values]
        vary[name] = tuple(dict.fromkeys((*before, *typed)))
    vary = {name: values for name, values in vary.items() if len(values) > 1}
    kept = tuple(
        Combination({name: one.varied.get(name, getattr(first, name)) for name in vary}, one.settings)
        for one in old.combinations
    )
    combinations, vary, said = _combinations(old.preset, old.fixed, vary, kept)
    categories = list(old.categories)
    if asked.root is not None:
        have = {(one.root, one.name) for one in categories}
        added = _categories(store, asked.root, asked.categories)
        categories += [one for one in added if (one.root, one.name) not in have]
    elif asked.categories is not None:
        raise SettingsError("More categories need their folder.", fix="python -m wtflow sweep ROOT --categories ...")
    made = replace(
        old,
        vary=vary,
        seeds=tuple(dict.fromkeys((*old.seeds, *_seeds(asked.seeds or ())))),
        categories=tuple(categories),
        combinations=combinations,
        way=way or old.way,
    )
    return Plan(_not_too_many(made), tuple(said))


# -- inside ------------------------------------------------------------------------------------------------------------


def _typed(old: Sweep, name: str, text: str) -> Any:
    """A value as the settings of the sweep hold it."""
    return getattr(fitted(settings_from(old.preset, {**old.fixed, name: text})).settings, name)


def _combinations(
    preset: str, fixed: Mapping[str, Any], vary: Mapping[str, Sequence[Any]], kept: Sequence[Combination]
) -> tuple[tuple[Combination, ...], dict[str, tuple[Any, ...]], list[str]]:
    """The grid as combinations, its values as the settings hold them, and what was noticed. kept: combinations that
    are there already, whose settings stay as they are.
    """
    found: list[Combination] = []
    known = {tuple(one.varied.values()): one for one in kept}
    said: list[str] = []
    same: list[str] = []
    by_settings: dict[str, Combination] = {}
    for values in itertools.product(*vary.values()):
        asked = dict(zip(vary, values, strict=True))
        if (one := known.get(values)) is None:
            settings = _settings(preset, {**fixed, **asked}, asked, said)
            one = Combination({name: getattr(settings, name) for name in vary}, settings)
        mark = one.settings.model_dump_json(exclude=set(MATTERS_NOT))
        if mark in by_settings:
            same.append(f"{one.words} is the same as {by_settings[mark].words}")
            continue
        by_settings[mark] = one
        found.append(one)
    if same:
        more = f" and {len(same) - 2} more" if len(same) > 2 else ""
        said.append(f"Counted once, because the settings come to the same: {'; '.join(same[:2])}{more}.")
    axes = {name: tuple(dict.fromkeys(one.varied[name] for one in found)) for name in vary}
    return tuple(found), axes, said


def _settings(preset: str, changes: Mapping[str, Any], asked: Mapping[str, Any], said: list[str]) -> Settings:
    """What a run with these would have; the name of the combination is put before what is wrong with it."""
    try:
        settings = settings_from(preset, dict(changes))
    except SettingsError as error:
        if not asked:
            raise
        words = ", ".join(f"{name}={value_words(value)}" for name, value in asked.items())
        raise SettingsError(
            f"{words} cannot be trained: {error.message}", fix=f"{error.fix} Nothing was started."
        ) from error
    if (weights_file := settings.weights_file) is not None:  # the worker has another current folder
        settings = settings.changed({"weights": str(weights_file.absolute())})
    fit = fitted(settings)
    said.extend(sentence for sentence in fit.said if sentence not in said)
    return fit.settings


def _categories(store: RunStore, root: Path, wanted: Sequence[str] | None) -> tuple[SweepCategory, ...]:
    """Raises LayoutError for one that is not there, DatasetError for one that cannot be trained."""
    scan = find_categories(root)
    if wanted is not None and ALL not in wanted:
        names = tuple(dict.fromkeys(wanted))
        if absent := [name for name in names if name not in scan.categories]:
            raise LayoutError(
                f"{scan.root} has no category {absent[0]!r}.", fix=f"Categories: {', '.join(scan.categories[:30])}."
            )
    else:
        names = tuple(scan.categories)
    found = []
    for name in names:
        reading = reading_of(store, scan.root, name)
        category = scan_category(scan.root, name, reading)
        refuse_errors(name, look_at_folders(category))
        n_train, n_test = len(category.of("train")), len(category.of("test"))
        found.append(SweepCategory(str(Path(scan.root).absolute()), name, n_train, n_test, reading))
    return tuple(found)


def _seeds(seeds: Sequence[int]) -> tuple[int, ...]:
    for seed in seeds:
        settings_from("fast", {"seed": seed})
    return tuple(dict.fromkeys(seeds))


def _refuse_senseless(sets: Mapping[str, Sequence[str]]) -> None:
    for name, values in sets.items():
        if name in ("seed", "preset"):
            raise SettingsError(f"--set {name} is not how a sweep takes it.", fix=f"Write {OWN_OPTIONS[name]}.")
        if len(values) < 2:
            if name == "image_size" and values[0] == "auto":
                raise SettingsError(
                    "A sweep has the same image size in all of its runs, so that they compare.",
                    fix="Give pixels: --set image_size=256.",
                )
            continue
        if name == "threads" or name in MATTERS_NOT:
            why = "figures depend on it, and would not compare" if name == "threads" else "it changes no figure"
            raise SettingsError(
                f"{name} is not a setting to vary: {why}.", fix=f"Give one value: --set {name}={values[0]}."
            )
        if name == "backbone_args":
            raise SettingsError("backbone_args cannot be varied.", fix="Make a sweep for each of them.")


def _not_too_many(sweep: Sweep) -> Sweep:
    n = len(sweep.categories) * len(sweep.combinations) * len(sweep.seeds)
    if n > MOST_CELLS:
        raise SettingsError(
            f"{sweep.words} are {n:,} runs; a sweep takes {MOST_CELLS:,}.", fix="Leave out values, or split it."
        )
    return sweep
