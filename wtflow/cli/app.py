"""`python -m wtflow`: the same work as the pages, from the shell."""

import signal
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from wtflow import console
from wtflow.cli.bench import bench
from wtflow.cli.report import report
from wtflow.config import parse_pairs, parse_value, settings_from
from wtflow.errors import StoreError, WTFlowError
from wtflow.records.core import HealthReport, RunStatus
from wtflow.store.runs import RunStore

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Train, check and browse WT-Flow anomaly detectors. Runs are kept in WTFLOW_HOME, or ./runs.",
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object last on stdout.")]
Run = Annotated[str, typer.Argument(help="Id of a run, as `runs` lists it.")]
Root = Annotated[Path, typer.Argument(help="Folder that holds the categories (MVTec AD, VisA or BTAD layout).")]

METRIC_NAMES = (
    "image_auroc",
    "image_ap",
    "image_f1_max",
    "pixel_auroc",
    "pixel_ap",
    "aupro",
    "image_auroc_start",
    "aupro_start",
)
POLL_S = 0.5


def main() -> None:
    """Entry point: a known error becomes one sentence and exit code 2."""
    app()


@app.command()
def demo(
    directory: Annotated[Path, typer.Argument(help="Folder to write the demo categories to.")], as_json: Json = False
) -> None:
    """Write the three procedural demo categories."""
    from wtflow.datasets.demo.write import DEMO_CATEGORIES, write_demo

    with _mistakes(as_json), console.progress() as show:
        root = write_demo(directory, progress=console.steps(show, "drawing the demo"))
    console.err.print(f"{', '.join(DEMO_CATEGORIES)} are in {root}.", markup=False)
    console.finish(as_json, {"root": str(root), "categories": list(DEMO_CATEGORIES)})


@app.command()
def check(
    root: Root, category: Annotated[str | None, typer.Option(help="Only this category.")] = None, as_json: Json = False
) -> None:
    """Say what a data set contains and whether it is sound. Exit code 1 when something stops training."""
    from wtflow.datasets.mvtec import check_category, find_categories, scan_category

    reports = []
    with _mistakes(as_json):
        found = find_categories(root)
        for name in [category] if category else found.categories:
            with console.progress() as show:
                reports.append(check_category(scan_category(found.root, name), progress=console.steps(show, name)))
            _print_report(reports[-1])
    console.finish(
        as_json,
        {"root": str(found.root), "layout": found.layout, "categories": [_report_facts(report) for report in reports]},
    )
    if any(report.errors for report in reports):
        raise typer.Exit(1)


@app.command()
def train(
    root: Root,
    category: Annotated[str, typer.Argument(help="Category to train.")],
    preset: Annotated[str, typer.Option(help="fast or paper.")] = "fast",
    backbone: Annotated[str | None, typer.Option(help="timm model.")] = None,
    backbone_arg: Annotated[
        list[str] | None, typer.Option(help="The model's own argument, NAME=VALUE; repeatable.")
    ] = None,
    weights: Annotated[
        str | None, typer.Option(help="embedded, imagenet, untrained, or a .safetensors or .pth file.")
    ] = None,
    stages: Annotated[str | None, typer.Option(help="Such as 2,3.")] = None,
    size: Annotated[int | None, typer.Option(help="Image size in pixels.")] = None,
    coupling: Annotated[str | None, typer.Option(help="worst, independent or optimal.")] = None,
    scope: Annotated[str | None, typer.Option(help="local or image.")] = None,
    width: Annotated[int | None, typer.Option(help="Width of the velocity network.")] = None,
    iterations: Annotated[int | None, typer.Option(help="Training steps.")] = None,
    steps: Annotated[int | None, typer.Option(help="Solver steps when scoring.")] = None,
    score: Annotated[str | None, typer.Option(help="endpoint, relative, deviation or mismatch.")] = None,
    seed: Annotated[int | None, typer.Option(help="Start of every random number.")] = None,
    setting: Annotated[
        list[str] | None, typer.Option("--set", help="Any other setting, NAME=VALUE; repeatable.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Train a category and report its metrics. Ctrl-C stops the run; `resume` continues it."""
    from wtflow.datasets.mvtec import find_categories, scan_category
    from wtflow.jobs import trainings

    named = {
        "backbone": backbone,
        "weights": weights,
        "stages": stages,
        "image_size": size,
        "coupling": coupling,
        "scope": scope,
        "width": width,
        "iterations": iterations,
        "steps": steps,
        "score": score,
        "seed": seed,
    }
    with _mistakes(as_json):
        changes: dict[str, Any] = parse_pairs(setting or [], option="--set") | {
            name: value for name, value in named.items() if value is not None
        }
        if backbone_arg:
            changes["backbone_args"] = {
                name: parse_value(text) for name, text in parse_pairs(backbone_arg, option="--backbone-arg").items()
            }
        settings = settings_from(preset, changes)
        found = find_categories(root)
        scan_category(found.root, category)
        store = RunStore()
        run_id = trainings.start(store, found.root, category, settings)
        _follow(store, run_id, as_json)


@app.command()
def resume(run: Run, as_json: Json = False) -> None:
    """Continue a stopped, failed or lost run from its last checkpoint."""
    from wtflow.jobs import trainings

    with _mistakes(as_json):
        store = RunStore()
        trainings.resume(store, run)
        _follow(store, run, as_json)


@app.command()
def evaluate(
    run: Run,
    steps: Annotated[int | None, typer.Option(help="Solver steps.")] = None,
    solver: Annotated[str | None, typer.Option(help="euler or heun.")] = None,
    score: Annotated[str | None, typer.Option(help="endpoint, relative, deviation or mismatch.")] = None,
    setting: Annotated[
        list[str] | None, typer.Option("--set", help="Any other setting of scoring, NAME=VALUE; repeatable.")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the result as a run of its own, to compare it.")] = False,
    as_json: Json = False,
) -> None:
    """Score the test images of a run again, with other solver steps or another score if you like. The run stays as
    it is.
    """
    from wtflow.studies import rescore
    from wtflow.studies.keep_run import keep_run

    named, store, kept_as = {"steps": steps, "solver": solver, "score": score}, RunStore(), None
    with _mistakes(as_json), console.progress() as show:
        changes: dict[str, Any] = parse_pairs(setting or [], option="--set") | {
            name: value for name, value in named.items() if value is not None
        }
        found = rescore.score_again(store, run, changes, console.steps(show, "scoring"))
        if keep:
            kept_as = keep_run(store, run, found)
    _print_metrics(found.facts)
    if kept_as:
        console.err.print(f"Kept as run {kept_as}.", markup=False)
    console.finish(
        as_json,
        {
            "run_id": run,
            "changes": changes,
            "metrics": found.facts["metrics"],
            "undefined": found.facts["undefined"],
            "kept_as": kept_as,
        },
    )


@app.command()
def runs(as_json: Json = False) -> None:
    """List the runs, newest first."""
    from wtflow.jobs import trainings

    with _mistakes(as_json):
        store = RunStore()
        trainings.reconcile(store)
        found = trainings.live_summaries(store)
    if not found:
        console.err.print(f"No runs in {store.home} yet. Start one: python -m wtflow train ROOT CATEGORY", markup=False)
    else:
        table = Table(box=None, pad_edge=False)
        for name in ("run", "category", "state", "image AUROC", "AUPRO", "what"):
            table.add_column(name)
        for one in found:
            numbers = [
                "" if one.metrics.get(name) is None else f"{one.metrics[name]:.3f}" for name in ("image_auroc", "aupro")
            ]
            state = one.status.state if one.status else "damaged"
            table.add_row(
                one.run_id, escape(one.category), state, *numbers, escape(one.problem or one.label)
            )  # brackets in names are no markup
        console.out.print(table)
    rows = [
        {
            "run_id": one.run_id,
            "category": one.category,
            "state": one.status.state if one.status else "damaged",
            "metrics": one.metrics,
            "problem": one.problem,
        }
        for one in found
    ]
    console.finish(as_json, {"home": str(store.home), "runs": rows})


@app.command()
def export(
    run: Run,
    out: Annotated[Path | None, typer.Option(help="Folder to write to.")] = None,
    zip_file: Annotated[
        Path | None, typer.Option("--zip", help="One file to send: scores, metrics, notes, settings, overlays as PNG.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write scores.csv with what people noted, metrics.json, notes.json and all maps (PNG and NPY) of a run."""
    from wtflow.export.folder import export_run
    from wtflow.export.zip import pack_run
    from wtflow.results import open_results
    from wtflow.store.notes import notes_of

    if out is None and zip_file is None:
        raise typer.BadParameter("there is nowhere to write to: give --out FOLDER, --zip FILE, or both")
    with _mistakes(as_json), console.progress() as show:
        results, notes = open_results(RunStore(), run), notes_of(RunStore(), run)
        n_files = len(export_run(results, out, console.steps(show, "writing"), notes)) if out else 0
        packed = pack_run(results, notes, zip_file, console.steps(show, "packing")) if zip_file else None
    console.err.print(
        " ".join([f"{n_files} files are in {out}."] * bool(out) + ([packed.words] if packed else [])), markup=False
    )
    console.finish(
        as_json,
        {"run_id": run, "out": str(out) if out else None, "n_files": n_files} | (packed.facts if packed else {}),
    )


app.command()(report)


@app.command()
def lesson(
    name: Annotated[str, typer.Argument(help="flow, lines, pairs, average, shell, singular or well.")],
    out: Annotated[Path, typer.Option(help="Folder to write to.")],
    seed: Annotated[int, typer.Option(help="Start of every random number.")] = 0,
    setting: Annotated[
        str, typer.Option("--set", help="Settings as in the page's address, such as t:0.3,rho:-0.5.")
    ] = "",
    data: Annotated[str | None, typer.Option(help="Data set, where the lesson has one.")] = None,
    points: Annotated[str | None, typer.Option(help="Points drawn by hand, as in the page's address.")] = None,
    as_json: Json = False,
) -> None:
    """Write a lesson's figures for slides: PNG and SVG, and a GIF where it moves."""
    from wtflow.lessons.export import export_lesson

    with _mistakes(as_json), console.progress() as show:
        written = export_lesson(name, out, seed, setting, data, points, console.steps(show, "drawing"))
    console.err.print(f"{len(written)} files are in {out}.", markup=False)
    console.finish(as_json, {"lesson": name, "out": str(out), "files": [path.name for path in written]})


@app.command()
def cache(
    clear: Annotated[bool, typer.Option("--clear", help="Delete all cached features.")] = False, as_json: Json = False
) -> None:
    """Show or clear the cache of backbone features. Runs keep their results; features are computed again when
    needed.
    """
    from wtflow.store.features import FeatureCache

    with _mistakes(as_json):
        store = FeatureCache(RunStore().home)
        freed = store.clear() if clear else 0
        used = store.used_bytes()
    console.err.print(
        f"{store.folder}: {used / 1e9:.2f} of {store.limit_bytes / 1e9:.0f} GB used"
        + f", {freed / 1e9:.2f} GB freed." * clear,
        markup=False,
    )
    console.finish(
        as_json,
        {"folder": str(store.folder), "used_bytes": used, "limit_bytes": store.limit_bytes, "freed_bytes": freed},
    )


app.command()(bench)


# -- helpers ----------------------------------------------------------------------------------------------------------


class _mistakes:  # noqa: N801 - reads as a word in `with _mistakes(...)`
    """Turn a WTFlowError inside into one sentence and exit code 2."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind, error, trace) -> None:
        if isinstance(error, WTFlowError):
            console.fail(error, self.as_json)


def _follow(store: RunStore, run_id: str, as_json: bool) -> None:
    """Show a run's progress until it ends, stop it on Ctrl-C, then print what it found."""
    from wtflow.jobs import trainings

    stops = []
    previous = signal.signal(
        signal.SIGINT, lambda *_: stops.append(1)
    )  # no more than that: a lock may be held just now
    try:
        with console.progress() as show:
            while (status := _look(store, run_id)).is_active:
                if stops:
                    trainings.request_stop(store, run_id)
                show(
                    f"{run_id}:"
                    f" {'waiting for another run' if status.state == 'queued' else status.stage or status.state}",
                    status.percent,
                )
                time.sleep(POLL_S)
    finally:
        signal.signal(signal.SIGINT, previous)
    if status.state != "finished":
        if stops:
            console.err.print(f"Stopped. Continue with: python -m wtflow resume {run_id}", markup=False)
            console.finish(as_json, {"run_id": run_id, "state": status.state})
            raise typer.Exit(130)
        raise StoreError(
            f"Run {run_id} is {status.state}: {status.message}", fix=status.fix or f"python -m wtflow resume {run_id}"
        )
    facts = store.metrics(run_id)
    _print_metrics(facts)
    console.err.print(f"Run {run_id}: {status.message} Peak memory {facts['peak_rss_mib']:.0f} MiB.", markup=False)
    console.finish(
        as_json,
        {
            "run_id": run_id,
            "metrics": {name: facts["metrics"].get(name) for name in METRIC_NAMES},
            "undefined": facts["undefined"],
            "seconds": facts["seconds"],
            "peak_rss_mib": facts["peak_rss_mib"],
        },
    )


def _look(store: RunStore, run_id: str) -> RunStatus:
    from wtflow.jobs import trainings

    trainings.reconcile(store)
    return trainings.live_status(store, run_id)


def _print_metrics(facts: dict[str, Any]) -> None:
    for name in METRIC_NAMES:
        value = facts["metrics"].get(name)
        console.out.print(
            f"{name:<18} {value:.4f}" if value is not None else f"{name:<18} -  {facts['undefined'].get(name, '')}",
            markup=False,
        )


def _print_report(report: HealthReport) -> None:
    counts = "; ".join(
        f"{split}: " + ", ".join(f"{n} {defect}" for defect, n in groups.items())
        for split, groups in report.counts.items()
    )
    console.out.print(f"{report.category} ({report.layout}) {counts}", markup=False)
    for finding in report.findings:
        console.out.print(f"  {finding.severity}: {finding.message} {finding.fix}", markup=False)
    if not report.findings:
        console.out.print("  sound: nothing to mend", markup=False)


def _report_facts(report: HealthReport) -> dict[str, Any]:
    findings = [
        {"severity": f.severity, "code": f.code, "message": f.message, "fix": f.fix, "paths": list(f.paths)}
        for f in report.findings
    ]
    return {
        "category": report.category,
        "layout": report.layout,
        "counts": report.counts,
        "sizes": report.sizes,
        "modes": report.modes,
        "n_bytes": report.n_bytes,
        "findings": findings,
    }
