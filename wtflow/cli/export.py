"""Commands that write files to take away: `export` and `lesson`."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from wtflow import console
from wtflow.cli.parts import Json, Mistakes, Run, one_of
from wtflow.lessons import STORED_SAMPLES, WITH_FIGURES
from wtflow.numbers import count, percent
from wtflow.store.runs import RunStore

if TYPE_CHECKING:
    from wtflow.export.onnx.export import ExportedGraph


def export(
    run: Run,
    out: Annotated[Path | None, typer.Option(help="Folder to write to.")] = None,
    zip_file: Annotated[
        Path | None, typer.Option("--zip", help="One file to send: scores, metrics, notes, settings, overlays as PNG.")
    ] = None,
    detector: Annotated[
        Path | None, typer.Option(help="File (.wtf) that scores new images elsewhere, without the run.")
    ] = None,
    onnx: Annotated[
        Path | None,
        typer.Option(help="File (.onnx) for other programs, compared with the app; exit code 1 if they differ."),
    ] = None,
    with_paths: Annotated[
        bool, typer.Option("--with-paths", help="With --out: name the folders of data and weights on this machine.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Take a run home: --out writes scores.csv with people's notes, metrics.json, notes.json, all maps (PNG and NPY)
    and pictures; --zip one file to look at; --detector and --onnx one that scores new images.
    """
    from wtflow.export.folder import export_run
    from wtflow.export.zip import pack_run
    from wtflow.numbers import size
    from wtflow.results import open_results
    from wtflow.store.notes import notes_of

    if out is None and zip_file is None and detector is None and onnx is None:
        raise typer.BadParameter("there is nowhere to write to: give --out, --zip, --detector or --onnx")
    with Mistakes(as_json), console.progress() as show:
        results, notes = open_results(RunStore(), run), notes_of(RunStore(), run)
        written = export_run(results, out, console.steps(show, "writing"), notes, with_paths=with_paths) if out else []
        packed = pack_run(results, notes, zip_file, console.steps(show, "packing")) if zip_file else None
        n_bytes = write_detector(RunStore(), run, detector, console.steps(show, "normals")) if detector else 0
        graph = write_graph(RunStore(), run, onnx, console.steps(show, "comparing")) if onnx else None
    said = [f"{len(written)} files are in {out}."] * bool(out) + ([packed.words] if packed else [])
    said += [f"{detector}: {size(n_bytes)}. It opens without the run: python -m wtflow info {detector}"] * bool(
        detector
    )
    said += [f"{graph.path}: {size(graph.n_bytes)}, with {graph.script.name} and {graph.report.name}."] if graph else []
    console.err.print(" ".join(said), markup=False)
    for line in graph.check.lines if graph else ():
        console.out.print(line, markup=False)
    facts = {"run_id": run, "out": str(out) if out else None, "n_files": len(written)}
    facts |= packed.facts if packed else {}
    facts |= {"detector": str(detector), "n_detector_bytes": n_bytes} if detector else {}
    facts |= graph.facts if graph else {}
    console.finish(as_json, facts)
    if graph and not graph.check.is_equal:
        raise typer.Exit(1)


def write_detector(store: RunStore, run: str, path: Path, progress: Callable[[int, int], None]) -> int:
    """Write the run's detector; returns the bytes of its file. Imports torch."""
    from wtflow.detector.export import export_detector

    return export_detector(store, run, path, progress)


def write_graph(store: RunStore, run: str, path: Path, progress: Callable[[int, int], None]) -> "ExportedGraph":
    """Write the run's detector as a graph and compare it with the app. Imports torch."""
    from wtflow.export.onnx.export import export_graph

    return export_graph(store, run, path, progress)


def lesson(
    name: Annotated[str | None, typer.Argument(help=one_of(WITH_FIGURES))] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the figures of the lesson NAME, or for what --answers joins.")
    ] = None,
    site: Annotated[Path | None, typer.Option(help="Folder for all lessons as static files, without a server.")] = None,
    samples: Annotated[int, typer.Option(min=1, help="With --site: samples stored of each data set.")] = STORED_SAMPLES,
    notebooks: Annotated[
        Path | None, typer.Option(help="Folder for a Jupyter and a marimo notebook per lesson.")
    ] = None,
    answers: Annotated[
        Path | None, typer.Option(help="Folder of the files that a class handed in: joined to a table and a bar chart.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Start of every random number.")] = 0,
    setting: Annotated[
        str, typer.Option("--set", help="Settings as in the page's address, such as t:0.3,rho:-0.5.")
    ] = "",
    data: Annotated[str | None, typer.Option(help="Data set, where the lesson has one.")] = None,
    points: Annotated[str | None, typer.Option(help="Points drawn by hand, as in the page's address.")] = None,
    as_json: Json = False,
) -> None:
    """Take lessons away: a lesson's figures for slides (PNG and SVG, and a GIF where it moves), all lessons as a site
    that opens from a disk or any web host, or notebooks. Or join what a class predicted (--answers).
    """
    if out is None and site is None and notebooks is None and answers is None:
        raise typer.BadParameter("there is nowhere to write to: give --out, --site, --notebooks or --answers")
    if answers is None and (name is None) != (out is None):
        raise typer.BadParameter("figures need both: the NAME of a lesson and --out")
    if answers is not None and name is not None:
        raise typer.BadParameter("--answers is about all lessons: leave out the NAME")
    if name is None and (seed or setting or data or points):
        raise typer.BadParameter("--seed, --set, --data and --points are for the figures that --out writes")
    facts: dict[str, object] = {}
    with Mistakes(as_json), console.progress() as show:
        if name is not None and out is not None:
            from wtflow.lessons.export import export_lesson

            drawing = console.steps(show, "drawing")
            facts |= _taken("out", out, export_lesson(name, out, seed, setting, data, points, drawing), lesson=name)
        if site is not None:
            from wtflow.lessons.site.write import write_site

            facts |= _taken("site", site, write_site(site, samples, progress=console.steps(show, "computing")))
        if notebooks is not None:
            from wtflow.lessons.notebooks.write import write_notebooks

            facts |= _taken("notebooks", notebooks, write_notebooks(notebooks))
        if answers is not None:
            facts |= _join_answers(answers, out or answers, console.steps(show, "writing"))
    console.finish(as_json, facts)


def _join_answers(folder: Path, out: Path, progress: Callable[[int, int], None]) -> dict[str, object]:
    """Join a class's files, print the table of the questions, and say which files were not counted."""
    from wtflow.lessons.answers import read_answers, write_answers
    from wtflow.lessons.predictions import all_predictions

    known = all_predictions()
    found = read_answers(folder, known)
    written = write_answers(found, known, out, progress)
    table = Table("question", "answered", "right", *"ABCD", box=None)
    for name, counts in found.counts.items():
        table.add_row(name, str(sum(counts)), percent(counts[known[name].right] / sum(counts)), *map(str, counts))
    console.out.print(table)
    said = [found.words, *(f"Not counted: {one}" for one in found.refused)]
    said += [f"{count(found.n_other, 'answer')} to other words than today's set aside."] * bool(found.n_other)
    said += [f"{', '.join(path.name for path in written)} are in {out}."]
    for line in said:
        console.err.print(line, markup=False)
    return {
        "answers": str(folder),
        "students": len(found.students),
        "questions": found.questions.to_dict("records"),
        "refused": list(found.refused),
        "other_words": found.n_other,
        "out": str(out),
    }


def _taken(kind: str, folder: Path, written: list[Path], **more: str) -> dict[str, object]:
    """Say what was written where; returns it as facts."""
    n_bytes = sum(path.stat().st_size for path in written)
    console.err.print(f"{len(written)} files are in {folder}.", markup=False)
    if kind == "out":
        return {**more, "out": str(folder), "files": [path.name for path in written]}
    return {kind: str(folder), f"n_{kind}_files": len(written), f"n_{kind}_bytes": n_bytes}
