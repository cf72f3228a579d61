"""The command `relocate`: the images of a run were moved."""

from pathlib import Path
from typing import Annotated

import typer

from wtflow import console
from wtflow.cli.parts import Json, Mistakes, Run
from wtflow.store.runs import RunStore


def relocate(
    run: Run,
    new_root: Annotated[Path, typer.Argument(help="Folder that holds the category now.")],
    as_json: Json = False,
) -> None:
    """Tell a run that its images were moved. Accepted if every image and mask there is the one that the run read."""
    from wtflow.datasets import relocate as places

    with Mistakes(as_json), console.progress() as show:
        found = places.relocate(RunStore(), run, new_root, console.steps(show, "comparing"))
    console.err.print(f"The images of {run} are in {found.root} now. {found.words}", markup=False)
    console.finish(
        as_json,
        {"run_id": run, "root": str(found.root), "n_agree": found.n_agree, "n_unrecorded_masks": found.n_unrecorded},
    )
