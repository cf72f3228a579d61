"""`python -m wtflow report`: its options, and what it prints."""

from pathlib import Path
from typing import Annotated

import typer

from wtflow import console
from wtflow.cli.parts import Json, Mistakes
from wtflow.store.runs import RunStore


def report(
    runs: Annotated[list[str], typer.Argument(help="One to four runs, as `runs` lists them.")],
    out: Annotated[Path, typer.Option(help="HTML file to write.")],
    with_images: Annotated[
        bool, typer.Option("--with-images", help="Pictures of up to 800 px instead of thumbnails of 200 px.")
    ] = False,
    with_paths: Annotated[
        bool, typer.Option("--with-paths", help="Name the folders of data and weights on this machine.")
    ] = False,
    common: Annotated[
        bool, typer.Option("--common", help="Compare runs of different test sets on the images that all of them have.")
    ] = False,
    truth: Annotated[
        str | None,
        typer.Option(
            metavar="RUN|now",
            help="Where the masks of the runs differ: count all of them on the masks of this run, or on the masks as"
            " they are now.",
        ),
    ] = None,
    most_mb: Annotated[
        float, typer.Option(min=1, help="Largest size in MB; pictures are shrunk, then left out, to fit.")
    ] = 15,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
    as_json: Json = False,
) -> None:
    """Write a report to send: settings, data, metrics with intervals, curves, images, failures and notes in one HTML
    file without network.
    """
    from wtflow.export.report.write import ReportOptions, write_report

    options = ReportOptions(
        with_images=with_images, with_paths=with_paths, on_common=common, truth=truth, most_mb=most_mb
    )
    with Mistakes(as_json), console.progress() as show:
        made = write_report(RunStore(), runs, out, show, options, is_replacing=force)
    console.err.print(f"{out}: {made.words}.", markup=False)
    if made.uncompared:
        console.err.print(f"Pixel metrics: {made.uncompared}", markup=False)
        if truth is None:
            console.err.print(
                "Choose the masks that all runs are counted on: --truth RUN or --truth now.", markup=False
            )
    facts = {"n_bytes": len(made.html), "shrunk": made.shrunk, "pixels_not_compared": made.uncompared}
    console.finish(as_json, {"runs": runs, "out": str(out)} | facts)
