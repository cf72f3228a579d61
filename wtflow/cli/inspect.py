"""`python -m wtflow inspect`: new images looked at by a detector. Imports nothing heavy."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from wtflow import console, numbers
from wtflow.cli.follow import ctrl_c_noted
from wtflow.cli.parts import Device, Json, Mistakes, use_device
from wtflow.machine.environment import THREADS
from wtflow.records.drift import Drift
from wtflow.records.inspect import Inspected, Inspection, InspectSettings
from wtflow.records.runtimes import WISHES
from wtflow.store.runs import RunStore


def inspect(
    detector: Annotated[str, typer.Argument(metavar="RUN", help="Id of a run, as `runs` lists it, or a .wtf file.")],
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Folders, searched to the bottom, or images.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder for scores.csv, .parquet and .jsonl; the same again goes on there.")
    ] = None,
    maps: Annotated[bool, typer.Option("--maps", help="Also write maps/*.npy and *.png.")] = False,
    overlays: Annotated[bool, typer.Option("--overlays", help="Also write overlays/*.jpg.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Go on, and score new images as they come.")] = False,
    threshold: Annotated[
        float | None, typer.Option(help="Defective from this score on, instead of the run's own threshold.")
    ] = None,
    move_defective: Annotated[Path | None, typer.Option(help="Folder to move defective images to.")] = None,
    copy_defective: Annotated[Path | None, typer.Option(help="Folder to copy defective images to.")] = None,
    runtime: Annotated[
        str,
        typer.Option(
            metavar="|".join(WISHES),
            help="What computes the networks; auto: the fastest that agrees with torch and pays off here.",
        ),
    ] = "torch",
    device: Device = None,
    fail_on_defect: Annotated[
        bool, typer.Option("--fail-on-defect", help="Exit code 1 if there is any defective image.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Score any number of new images. Ctrl-C stops; the same command goes on where it stopped. Exit code 0; 1 with
    --fail-on-defect if there are defective images; 2 for a mistake.
    """
    if move_defective and copy_defective:
        raise typer.BadParameter("give --move-defective or --copy-defective, not both")
    for name, value in THREADS.items():
        os.environ.setdefault(name, value)  # before torch is loaded, which reads it once
    to = move_defective or copy_defective
    wish = next((one for one in WISHES if one == runtime), None)
    if wish is None:
        raise typer.BadParameter(f"{runtime!r} is none of {', '.join(WISHES)}", param_hint="--runtime")
    settings = InspectSettings(
        watch, defective_to=str(to.absolute()) if to else "", is_moved=move_defective is not None, runtime=wish
    )
    store = RunStore()
    with Mistakes(as_json), ctrl_c_noted() as stops:
        use_device(device)
        ended = _inspect(store, detector, paths, out, threshold, settings, stops)
        where = Path(ended.out) if ended.out else store.home / "inspections" / ended.inspection_id
        with console.progress() as show:
            written = _export(store, ended, where, maps, overlays, show)
        drift = _drift(store, ended)
    _print(ended, where, drift)
    console.finish(as_json, _facts(ended, where, written) | {"drift": {"kind": drift.kind, "sentence": drift.sentence}})
    if ended.status.state == "stopped" and not watch:
        console.err.print("Stopped. The same command goes on with the images that are left.", markup=False)
        raise typer.Exit(130)
    if fail_on_defect and ended.counts.n_defective:
        raise typer.Exit(1)


def _inspect(
    store: RunStore,
    detector: str,
    paths: list[Path],
    out: Path | None,
    threshold: float | None,
    settings: InspectSettings,
    stops: list[int],
) -> Inspection:
    from wtflow.detector.opened import open_any
    from wtflow.inspecting import tasks
    from wtflow.inspecting.runtimes.pick import refuse_runtime
    from wtflow.inspecting.work import inspect_here
    from wtflow.machine.progress import StopRequestedError
    from wtflow.store import inspections

    opened = open_any(store, detector)
    if settings.runtime != "auto":
        refuse_runtime(opened, settings.runtime)
    value = opened.threshold.value if threshold is None else threshold
    found = tasks.to_continue(store, detector, paths, opened.fingerprint, value, out or "")
    if found is None:
        found = tasks.create(store, detector, paths, settings=settings, threshold=threshold, out=out or "")
    else:
        console.err.print(
            f"Inspection {found.inspection_id} goes on: {numbers.count(found.counts.n_done, 'image')} done before.",
            markup=False,
        )
        inspections.change_settings(store, found.inspection_id, settings)
        inspections.clear_stop(store, found.inspection_id)
    with console.progress() as show:

        def tell(inspection: Inspection) -> None:
            counts = inspection.counts
            rate = f", {counts.per_second:.3g} images/s" if counts.per_second and console.err.is_terminal else ""
            done = f"{counts.n_done:,} of {counts.n_found:,}{rate}" if console.err.is_terminal else "inspecting"
            if inspection.status.stage == "runtime":
                show(inspection.status.message, inspection.status.percent)
            elif not settings.watch:
                show(done, inspection.status.percent)
            if stops:
                raise StopRequestedError

        return inspect_here(store, found.inspection_id, tell, _say if settings.watch else lambda row: None, opened)


def _drift(store: RunStore, ended: Inspection) -> Drift:
    from wtflow.inspecting import kept

    return kept.drift(store, ended)


def _say(row: Inspected) -> None:
    """A line for an image that came into a watched folder."""
    if row.problem:
        console.out.print(f"could not be read  {row.problem}", markup=False)
    else:
        console.out.print(f"{row.verdict:<9} {numbers.score(row.score):>9}  {row.image}", markup=False)


def _export(store: RunStore, ended: Inspection, where: Path, maps: bool, overlays: bool, show: console.Show) -> int:
    """Number of files that were written besides the tables."""
    from wtflow.inspecting.tables import export_maps, export_overlays

    n = 0
    if maps:
        n += 2 * export_maps(store, ended, where, console.steps(show, "writing maps"))
    if overlays:
        n += export_overlays(store, ended, where, console.steps(show, "writing overlays"))
    return n


def _print(ended: Inspection, where: Path, drift: Drift) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, value in _lines(ended, where, drift):
        table.add_row(name, escape(value))
    console.out.print(table)


def _lines(ended: Inspection, where: Path, drift: Drift) -> list[tuple[str, str]]:
    counts, decision = ended.counts, ended.facts.decision if ended.facts else None
    n_read = counts.n_done - counts.n_broken
    share = f" ({numbers.percent(counts.n_defective / n_read)})" if n_read else ""
    lines = [("images", f"{counts.n_done:,}"), ("defective", f"{counts.n_defective:,}{share}")]
    lines += [("could not be read", f"{counts.n_broken:,}")]
    if decision is not None:
        lines.append(("threshold", f"{numbers.score(decision.value)}. {decision.words}"))
    if ended.runtime is not None and ended.runtime.words:
        lines.append(("computed by", ended.runtime.words))
    if drift.sentence:
        lines.append(("camera and light", drift.sentence))
    lines += [("note", note) for note in ended.notes]
    return [*lines, ("tables", f"{where}{os.sep}scores.csv, .parquet, .jsonl"), ("inspection", ended.inspection_id)]


def _facts(ended: Inspection, where: Path, n_written: int) -> dict[str, Any]:
    counts, facts = ended.counts, ended.facts
    return {
        "inspection_id": ended.inspection_id,
        "state": ended.status.state,
        "detector": ended.detector,
        "n": counts.n_done,
        "n_defective": counts.n_defective,
        "n_broken": counts.n_broken,
        "images_per_second": counts.per_second,
        "threshold": None if facts is None else facts.decision.value,
        "threshold_rule": None if facts is None else facts.decision.rule,
        "threshold_words": None if facts is None else facts.decision.words,
        "runtime": None if ended.runtime is None else ended.runtime.to_json(),
        "out": str(where),
        "n_pictures": n_written,
        "notes": list(ended.notes),
        "message": ended.status.message,
    }
