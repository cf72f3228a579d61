"""The command `correct`: what a run got wrong becomes data."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from wtflow import console
from wtflow.cli.parts import Json, Mistakes, Run
from wtflow.errors import DatasetError
from wtflow.numbers import count
from wtflow.store.runs import RunStore


def correct(
    run: Run,
    image: Annotated[
        str | None, typer.Argument(help="Id of an image, as the score table has it, or the path of a new one.")
    ] = None,
    good: Annotated[bool, typer.Option("--good", help="It is good after all.")] = False,
    defect: Annotated[str | None, typer.Option(metavar="TYPE", help="It is a defect of this type.")] = None,
    mask: Annotated[Path | None, typer.Option(help="PNG of the defect, at the size of the image; 0 is normal.")] = None,
    out: Annotated[bool, typer.Option("--out", help="Leave it out of the data set.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Take back what was said of it.")] = False,
    list_all: Annotated[bool, typer.Option("--list", help="List what was said and not applied yet.")] = False,
    apply: Annotated[
        bool, typer.Option("--apply", help="Make the next version of the data set, or a copy of a folder not ours.")
    ] = False,
    train: Annotated[bool, typer.Option("--train", help="With --apply: train again with the same settings.")] = False,
    as_json: Json = False,
) -> None:
    """Say of an image what it is after all, collect that, and make the next version of the data set of it. The images
    that the run read are never changed.
    """
    from wtflow.intake.corrected import correction_words, preview_words
    from wtflow.intake.corrections import corrections_of

    store = RunStore()
    facts: dict[str, Any] = {"run_id": run}
    with Mistakes(as_json):
        _refuse_unclear(image, [good, defect is not None, out, undo], list_all, apply, train, mask)
        if image is not None:
            _say(store, run, image, good, defect, mask, undo)
        said = corrections_of(store, run)
        if list_all or image is not None:
            for one in said:
                console.out.print(correction_words(one), markup=False)
            words = f"{preview_words(store, run)} Apply them: python -m wtflow correct {run} --apply"
            console.err.print(words if said else "Nothing is corrected.", markup=False)
        facts["corrections"] = [asdict(one) for one in said]
        if apply:
            facts |= _apply(store, run, train)
    console.finish(as_json, facts)


def _refuse_unclear(
    image: str | None, kinds: list[bool], list_all: bool, apply: bool, train: bool, mask: Path | None
) -> None:
    if image is None and not (list_all or apply):
        raise DatasetError(
            "No image is named.", fix="Name one with --good, --defect TYPE or --out; or --list, --apply."
        )
    if (image is not None) != (sum(kinds) == 1) or (train and not apply):
        raise DatasetError(
            "It is not clear what is to be done.",
            fix="Give one image with one of --good, --defect TYPE, --out or --undo; --train goes with --apply.",
        )
    if mask is not None and not kinds[1]:
        raise DatasetError("A mask marks a defect.", fix="Give it together with --defect TYPE.")


def _say(store: RunStore, run: str, image: str, good: bool, defect: str | None, mask: Path | None, undo: bool) -> None:
    from wtflow.datasets.decode import read_stored
    from wtflow.datasets.images import hash_file
    from wtflow.intake import corrections

    known = {one["id"]: one["sha256"] for one in (store.data(run) or {"samples": []})["samples"]}
    if undo:
        pending = {one.image: one.sha256 for one in corrections.corrections_of(store, run)}
        if image not in pending and image not in known:
            raise DatasetError(f"Nothing was said of {image!r}.", fix="See --list for what was.")
        corrections.take_back(store, run, pending.get(image) or known[image])
        return
    kind = "good" if good else "out" if defect is None else "defect"
    drawn = None
    if mask is not None:
        colour = read_stored(mask, str(mask)).colour
        drawn = np.asarray(colour > 0 if colour.ndim == 2 else (colour > 0).any(2))
    if image in known or not Path(image).expanduser().is_file():
        corrections.correct(store, run, image, kind, defect=defect or "", mask=drawn)
    elif (digest := hash_file(Path(image).expanduser())) in known.values():
        name = next(key for key, value in known.items() if value == digest)
        corrections.correct(store, run, name, kind, defect=defect or "", mask=drawn)
    else:
        corrections.correct_file(store, run, Path(image), kind, defect=defect or "", mask=drawn)


def _apply(store: RunStore, run: str, train: bool) -> dict[str, Any]:
    from wtflow.intake.corrected import apply_corrections
    from wtflow.jobs.again import train_again
    from wtflow.store.dataset_versions import version_root

    with console.progress() as show:
        applied = apply_corrections(store, run, console.steps(show, "applying"))
    version = applied.version
    root = version_root(store, version.name, version.number)
    copied = f"The images were copied to a data set of its own, {version.name}. " if applied.is_copied else ""
    done = f"{count(applied.n_applied, 'correction')} applied."
    console.err.print(f"{copied}{done} Version {version.number} is in {root}. {version.words}", markup=False)
    for problem in applied.problems:
        console.err.print(f"  {problem.name}: {problem.reason}", markup=False)
    fresh = train_again(store, run, version.name, version.number) if train else None
    if fresh:
        console.err.print(f"Run {fresh} trains on it with the same settings. Compare it with {run} then.", markup=False)
    return {
        "name": version.name,
        "version": version.number,
        "root": str(root),
        "words": version.words,
        "problems": [asdict(one) for one in applied.problems],
        "new_run": fresh,
    }
