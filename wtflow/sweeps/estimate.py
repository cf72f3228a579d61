"""How many runs a sweep is, how long they take and how much disk they need, before it starts and while it goes on."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from wtflow.config import Settings
from wtflow.datasets.scan import scan_category
from wtflow.datasets.tiles import quick_canvas, quick_shape
from wtflow.errors import WTFlowError
from wtflow.jobs.estimate import MeasuredRun, estimate_from, measured_runs
from wtflow.machine.gpus import visible_gpus
from wtflow.numbers import count, duration, size
from wtflow.records.shapes import Shape
from wtflow.records.sweep import Cell, Sweep, SweepCategory
from wtflow.store.features import feature_key
from wtflow.store.runs import RunStore

ROUGH_MIB = 1500.0
"""Memory of a run where none with similar settings has been measured here; README's figure for preset `fast`."""
SPARE_MIB = 1024.0
"""Memory of this computer that runs leave to everything else."""
START_S = 4.0
"""What a process takes to begin, mostly importing torch."""
PICTURE_BYTES = 15_000


@dataclass(frozen=True, slots=True)
class SweepEstimate:
    """n_left: runs still to do. seconds: of work, one run after the other; wall_s: with `jobs` at once. cells: seconds
    of each run by its key. memory_mib: what one run holds at most. groups: key of a cell -> its features.
    """

    n_runs: int
    n_left: int
    jobs: int
    threads: int
    seconds: float
    wall_s: float
    n_bytes: int | None
    memory_mib: float
    basis: str
    cells: Mapping[str, float]
    groups: Mapping[str, str]
    feature_bytes: int

    @property
    def words(self) -> str:
        """One sentence on how many, how long and how much disk."""
        already = (
            f", {count(self.n_runs - self.n_left, 'run')} of {self.n_runs:,} done" if self.n_left < self.n_runs else ""
        )
        disk = "disk space unknown" if self.n_bytes is None else f"{size(self.n_bytes)} of disk"
        at_once = f"{self.jobs} at once with {count(self.threads, 'thread')} each"
        return f"{count(self.n_left, 'run')}{already}: about {duration(self.wall_s)}, {at_once}; {disk}."


def estimate_sweep(
    store: RunStore, sweep: Sweep, jobs: int, done: Iterable[str] = (), cells: tuple[Cell, ...] | None = None
) -> SweepEstimate:
    """done: keys of cells that are finished. Features are counted once for runs that share them, and not at all where a
    finished run has them already.
    """
    cells, finished = sweep.cells if cells is None else cells, set(done)
    measured = {id(one): _measured(store, one.settings) for one in sweep.combinations}
    canvases: dict[tuple[str, str, str], Shape | None] = {}
    seconds: dict[str, float] = {}
    groups = {cell.key: feature_group(cell.category, cell.combination.settings) for cell in cells}
    counted = {groups[cell.key] for cell in cells if cell.key in finished}
    n_bytes: int | None = 0
    feature_bytes, basis = 0, ""
    for cell in cells:
        if cell.key in finished:
            continue
        settings, category = cell.combination.settings, cell.category
        canvas = _canvas(canvases, category, settings)
        found = estimate_from(measured[id(cell.combination)], category.n_train, category.n_test, settings, canvas)
        basis = basis or found.basis
        is_first = groups[cell.key] not in counted
        counted.add(groups[cell.key])
        seconds[cell.key] = found.seconds + START_S - (0.0 if is_first else found.stages["features"])
        if found.n_bytes is None or found.feature_bytes is None or n_bytes is None:
            n_bytes = None
        else:
            n_bytes += found.n_bytes - (0 if is_first else found.feature_bytes) + category.n_test * PICTURE_BYTES
        feature_bytes += (found.feature_bytes or 0) if is_first else 0
    total, longest = sum(seconds.values()), max(seconds.values(), default=0.0)
    return SweepEstimate(
        n_runs=len(cells),
        n_left=len(seconds),
        jobs=jobs,
        threads=sweep.combinations[0].settings.threads,
        seconds=total,
        wall_s=max(longest, total / max(1, jobs)),
        n_bytes=n_bytes,
        memory_mib=memory_of(store, measured.values()),
        basis=basis,
        cells=seconds,
        groups=groups,
        feature_bytes=feature_bytes,
    )


def feature_group(category: SweepCategory, settings: Settings) -> str:
    """The same for runs that read the same features: images, backbone and everything that features depend on."""
    place = [category.root, category.name, str(settings.tile)]
    canvas = None if settings.tile == "off" else (1, 1)
    return feature_key(place, settings, settings.weights, "", is_opaque=False, canvas=canvas)


def memory_of(store: RunStore, measured: Iterable[MeasuredRun | None]) -> float:
    """MiB that one run holds at most: the largest that such runs were measured to hold here."""
    found = []
    for one in measured:
        try:
            found.append(float(store.metrics(one.run_id)["peak_rss_mib"]) if one else ROUGH_MIB)
        except (WTFlowError, KeyError, TypeError, ValueError):
            found.append(ROUGH_MIB)
    return max(found, default=ROUGH_MIB)


def fitting_jobs(wanted: int, n_cells: int, threads: int, memory_mib: float) -> int:
    """Runs at once on this computer: as many as wanted, or (0) one per GPU, or as cores and free memory allow.
    threads: of each run, 0 where that is not decided.
    """
    if wanted > 0:
        return wanted
    if n_gpus := len(visible_gpus()):
        return n_gpus
    free = psutil.virtual_memory().available / 2**20 - SPARE_MIB
    by_cores = (os.cpu_count() or 1) // max(1, threads)
    return max(1, min(by_cores, n_cells, int(free // memory_mib)))


def fitting_threads(jobs: int) -> int:
    """Threads of each run where so many are computed at once."""
    return max(1, (os.cpu_count() or 1) // max(1, jobs))


def _measured(store: RunStore, settings: Settings) -> MeasuredRun | None:
    return measured_runs(store, settings, [settings.image_size]).get(settings.image_size)


def _canvas(
    known: dict[tuple[str, str, str], Shape | None], category: SweepCategory, settings: Settings
) -> Shape | None:
    """What images of a category are resized to before they are cut into tiles; None without."""
    if settings.tile == "off":
        return None
    mark = (
        category.root,
        category.name,
        settings.model_dump_json(include={"tile", "image_size", "tile_overlap", "stages"}),
    )
    if mark not in known:
        images = scan_category(Path(category.root), category.name, category.reading).of("train")
        known[mark] = quick_canvas(quick_shape([sample.path for sample in images]), settings)
    return known[mark]
