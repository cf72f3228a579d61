"""A sweep: many runs over categories, settings and seeds, and how it stands. Plain values."""

import hashlib
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from wtflow.config import Settings
from wtflow.numbers import count
from wtflow.records.reading import Reading

MATTERS_NOT = ("niceness", "checkpoint_every_s", "keep_pictures", "prepare_pages", "umap_after", "seed")
"""Settings that change no figure, and the seed, which a cell has apart."""

Executor = Literal["local", "ray"]


@dataclass(frozen=True, slots=True)
class SweepCategory:
    """A category of a sweep, and how many images it had when it was added."""

    root: str
    name: str
    n_train: int
    n_test: int
    reading: Reading = Reading()


@dataclass(frozen=True, slots=True)
class Combination:
    """One point of the grid of varied settings: what it varies, and all settings that follow."""

    varied: Mapping[str, Any]
    settings: Settings

    @property
    def words(self) -> str:
        """What it varies in a few words; a sweep that varies nothing has one combination."""
        return ", ".join(f"{name} {value_words(value)}" for name, value in self.varied.items()) or "as set"


@dataclass(frozen=True, slots=True)
class Cell:
    """One run of a sweep."""

    key: str
    """From the category, all settings that matter, and the seed: the same key, the same run."""
    category: SweepCategory
    combination: Combination
    seed: int
    run_id: str = ""
    """Empty before it was begun."""

    @property
    def settings(self) -> Settings:
        return self.combination.settings.model_copy(update={"seed": self.seed})

    @property
    def words(self) -> str:
        return f"{self.category.name}, {self.combination.words}, seed {self.seed}"


@dataclass(frozen=True, slots=True)
class Way:
    """How a sweep's runs are computed. jobs: runs at once on this computer, 0 for as many as fit; address: of a Ray
    cluster, empty to start one here.
    """

    executor: Executor = "local"
    address: str = ""
    jobs: int = 0
    gpu_share: float = 1.0
    """Of a GPU that Ray gives to each run, where nodes have one."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a sweep consists of. Its cells are every combination of every category with every seed."""

    name: str
    created: float
    preset: str
    fixed: Mapping[str, Any]
    """Settings that differ from the preset, the same in all runs."""
    vary: Mapping[str, tuple[Any, ...]]
    """Settings with more than one value, in the order in which they were given."""
    seeds: tuple[int, ...]
    categories: tuple[SweepCategory, ...]
    combinations: tuple[Combination, ...]
    way: Way = Way()
    runs: Mapping[str, str] = field(default_factory=dict)
    """Key of a cell -> the run that was begun for it."""
    serial: int = 0
    """Counts the changes to what it consists of."""

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Category by category, then by settings, seeds last."""
        found = {}
        for category, combination, seed in itertools.product(self.categories, self.combinations, self.seeds):
            key = cell_key(category, combination.settings, seed)
            found.setdefault(key, Cell(key, category, combination, seed, self.runs.get(key, "")))
        return tuple(found.values())

    @property
    def words(self) -> str:
        """3 categories x 2 settings x 3 seeds."""
        n_settings = len(self.combinations)
        settings = f" x {count(n_settings, 'setting')}" if n_settings > 1 else ""
        n = len(self.categories)
        return f"{n} {'category' if n == 1 else 'categories'}{settings} x {count(len(self.seeds), 'seed')}"


@dataclass(frozen=True, slots=True)
class Node:
    """A computer that a sweep's runs are computed on."""

    name: str
    cpus: float
    cpus_free: float
    gpus: float = 0.0
    gpus_free: float = 0.0
    is_alive: bool = True


@dataclass(frozen=True, slots=True)
class SweepStatus:
    """Where a sweep stands, as its coordinator wrote it; `lost` is never written: it follows from the process."""

    state: Literal["new", "starting", "running", "stopping", "finished", "stopped", "failed", "lost"]
    pid: int | None = None
    pid_created: float | None = None
    host: str = ""
    heartbeat: float = 0.0
    n_all: int = 0
    n_finished: int = 0
    n_failed: int = 0
    n_running: int = 0
    percent: float = 0.0
    seconds_left: float | None = None
    message: str = ""
    fix: str = ""
    nodes: tuple[Node, ...] = ()
    n_tasks: int = 0
    """Handed to the executor and not over."""
    threads: int = 0

    @property
    def is_active(self) -> bool:
        return self.state in ("starting", "running", "stopping")


def cell_key(category: SweepCategory, settings: Settings, seed: int) -> str:
    """16 hex digits from what a run's figures depend on."""
    chosen = settings.model_dump(mode="json", exclude=set(MATTERS_NOT))
    text = json.dumps([category.root, category.name, seed, chosen], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def value_words(value: Any) -> str:
    """A value of a setting as the shell takes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
