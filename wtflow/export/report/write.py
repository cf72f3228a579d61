"""Put a report together within a size and on the disk. What `python -m wtflow report` and the pages call."""

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from markupsafe import Markup

from wtflow.compare.common_truth import NOW
from wtflow.compare.runs import LETTERS, MOST_RUNS
from wtflow.errors import SettingsError, StoreError
from wtflow.export.report.comparison import ComparisonPart, align_runs, collect_comparison
from wtflow.export.report.figures import rates_figure, scores_figure, types_figure
from wtflow.export.report.html import Foot, RunSection, render
from wtflow.export.report.pictures import GROUPS, Gallery, Plan, disagreement_gallery, galleries_of
from wtflow.export.report.run_part import RunPart, Show, collect_run
from wtflow.numbers import size
from wtflow.results import open_results
from wtflow.store.files import write_atomic
from wtflow.store.runs import RunStore

MOST_MB: Final = 15.0
"""What mail servers take."""

THUMBNAIL_PX, PICTURE_PX = 200, 800
_EACH = 9
_SMALLER: Final = tuple(
    Plan(size, n) for size, n in ((400, _EACH), (200, _EACH), (160, _EACH), (120, _EACH), (120, 4), (120, 2), (120, 0))
)
"""What is tried, in this order, where a report turns out too large: smaller pictures first, then fewer."""

_COLLECTED, _COMPARED, _DRAWN = 75.0, 80.0, 97.0
"""Percents at which the runs' parts are collected, the runs compared, and pictures drawn."""


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """What a person may choose for a report. By default it holds thumbnails only, and no folder of the machine."""

    with_images: bool = False
    """Pictures of up to PICTURE_PX instead of thumbnails."""
    with_paths: bool = False
    """Folders of data and weights in settings and command."""
    on_common: bool = False
    """Compare runs of different test sets, on the images that all of them have."""
    truth: str | None = None
    """Where runs were counted on different masks: the run, or NOW, whose masks all of them are counted on. None: their
    pixel metrics are not compared then."""
    most_mb: float = MOST_MB


@dataclass(frozen=True, slots=True)
class Report:
    """The finished page. `shrunk`: what was done to keep it within its size, in words;
    empty where nothing had to be. `uncompared`: why pixel metrics of several runs are not compared; else empty.
    """

    html: bytes
    shrunk: str
    uncompared: str = ""

    @property
    def words(self) -> str:
        return size(len(self.html)) + (f"; to stay within its size it shows {self.shrunk}" if self.shrunk else "")


def make_report(
    store: RunStore,
    run_ids: Sequence[str],
    show: Show,
    options: ReportOptions | None = None,
    thresholds: Mapping[str, float] | None = None,
) -> Report:
    """The report of one to MOST_RUNS finished runs. thresholds: run -> threshold, by default where each run starts it.

    `show` is called often (once per image) and may raise to stop. Raises SettingsError for no run, too many or one
    twice, or a truth that is neither NOW nor one of the runs; MetricError for runs of different test sets unless
    `on_common`; RunNotFoundError, DamagedRunError, DiskFullError, StoreError.
    """
    options = options or ReportOptions()
    if not 1 <= len(run_ids) <= MOST_RUNS or len(set(run_ids)) < len(run_ids):
        raise SettingsError(
            f"A report takes 1 to {MOST_RUNS} different runs; these are {len(run_ids)}.",
            fix="Leave some out, or make several reports.",
        )
    if options.truth not in (None, NOW, *run_ids):
        raise SettingsError(
            f"{options.truth!r} names no masks to count the runs on.",
            fix=f"Give one of the runs of the report, or {NOW} for the masks as they are now.",
        )
    results = [open_results(store, run_id) for run_id in run_ids]
    aligned = align_runs(store, results, on_common=options.on_common) if len(results) > 1 else None
    span = _COLLECTED / len(results)
    runs = [
        collect_run(
            store,
            run,
            (thresholds or {}).get(run.run_id),
            lambda label, percent, first=i * span: show(label, first + percent / 100 * span),
        )
        for i, run in enumerate(results)
    ]
    comparison = None
    if aligned is not None:
        show("comparing", _COLLECTED)
        comparison = collect_comparison(
            store,
            aligned,
            runs,
            options.truth,
            lambda label, percent: show(label, _COLLECTED + percent / 100 * (_COMPARED - _COLLECTED)),
            with_paths=options.with_paths,
        )
    return _fit(runs, comparison, options, show)


def write_report(
    store: RunStore,
    run_ids: Sequence[str],
    out: Path,
    show: Show,
    options: ReportOptions | None = None,
    *,
    is_replacing: bool = False,
) -> Report:
    """Make a report and put it at `out` in one step. Raises StoreError for a file that is there, unless
    `is_replacing`, and as `make_report`.
    """
    if out.exists() and not is_replacing:
        raise StoreError(f"{out} is there already.", fix="Give another name, or --force to replace it.")
    report = make_report(store, run_ids, show, options)
    write_atomic(out, lambda file: file.write(report.html))
    return report


def _fit(runs: Sequence[RunPart], comparison: ComparisonPart | None, options: ReportOptions, show: Show) -> Report:
    """Draw and render the page, with smaller and then fewer pictures until it is small enough; the last plan is taken
    as it comes.
    """
    first = Plan(PICTURE_PX if options.with_images else THUMBNAIL_PX, _EACH)
    plans = [first, *(plan for plan in _SMALLER if plan.size_px < first.size_px)]
    show("drawing figures", _COMPARED)
    figures = [_figures(run, lambda: show("drawing figures", _COMPARED)) for run in runs]
    curves = rates_figure(runs, comparison.names, comparison.pro) if comparison else Markup("")
    html, plan = b"", first
    for plan in plans:
        galleries, disagreements = _draw(runs, comparison, plan, show)
        sections = [RunSection(*parts) for parts in zip(LETTERS, runs, figures, galleries, strict=False)]
        words = f"It shows {plan.words}" + (
            "." if plan is first else f": smaller or fewer than planned, to stay under {options.most_mb:g} MB."
        )
        foot = Foot(time.time(), size(0), words, plan.size_px > THUMBNAIL_PX, options.with_paths)
        show("setting the page", _DRAWN)
        html = _with_size(functools.partial(render, sections, comparison, curves, disagreements), foot)
        if len(html) <= options.most_mb * 1e6 or plan is plans[-1]:
            break
    show("done", 100)
    return Report(html, "" if plan is first else plan.words, comparison.truth.reason if comparison else "")


def _figures(run: RunPart, progress: Callable[[], None]) -> dict[str, Markup]:
    """Without test images there is nothing to draw. `progress` is called after each figure."""
    drawn = dict.fromkeys(("rates", "scores", "types"), Markup(""))
    if run.results.test.empty:
        return drawn
    for name, draw in (
        ("rates", lambda run: rates_figure([run], [""], [run.pro])),
        ("scores", scores_figure),
        ("types", types_figure),
    ):
        drawn[name] = draw(run)
        progress()
    return drawn


def _draw(
    runs: Sequence[RunPart], comparison: ComparisonPart | None, plan: Plan, show: Show
) -> tuple[list[tuple[Gallery, ...]], list[Gallery]]:
    """The galleries of each run, and of the images that the first run and each other call differently."""
    n_all = plan.n_each * (len(GROUPS) * len(runs) + max(0, len(runs) - 1))
    n_done = 0

    def progress() -> None:
        nonlocal n_done
        n_done += 1
        show("drawing images", _COMPARED + (_DRAWN - _COMPARED) * min(1.0, n_done / n_all))

    galleries = [galleries_of(run.results, run.threshold, plan, progress) for run in runs]
    if comparison is None or not comparison.n_common:
        return galleries, []
    thresholds = tuple(run.threshold for run in runs)
    others = range(1, len(runs))
    return galleries, [
        disagreement_gallery(comparison.comparison, other, thresholds, comparison.names, plan, progress)
        for other in others
    ]


def _with_size(draw: Callable[[Foot], str], foot: Foot) -> bytes:
    """The page with its own size in it: rendered once to learn the size and once to state it,
    which moves it by a byte or two.
    """
    n_bytes = len(draw(foot).encode())
    return draw(replace(foot, size=size(n_bytes))).encode()
