"""`python -m wtflow coupling-study`: when does the coupling matter, on a run's own features?"""

from pathlib import Path
from typing import Annotated, Any

import typer

from wtflow import console
from wtflow.cli.follow import ctrl_c_noted
from wtflow.cli.parts import Json, Mistakes, Run
from wtflow.errors import RunBusyError
from wtflow.numbers import duration
from wtflow.store.runs import RunStore


def coupling_study(
    run: Run,
    full: Annotated[
        bool, typer.Option("--full", help="Every dimension with every group size, larger flows; about an hour.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the numbers (CSV), figures (PNG, SVG, PDF) and sentences.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Train small flows on a run's features under each coupling, by dimension and group size, and say what the worst
    coupling changes. Kept with the run; Ctrl-C stops, and the same command goes on.
    """
    from wtflow.export.coupling import sentences, write_study
    from wtflow.jobs import studies
    from wtflow.machine.progress import StopRequestedError
    from wtflow.results import open_results
    from wtflow.studies.answers import load_answer
    from wtflow.studies.compute import compute_answer
    from wtflow.studies.coupling.clock import expected_seconds
    from wtflow.studies.coupling.effects import figures_of
    from wtflow.studies.requests import FULL_COUPLING, QUICK_COUPLING

    request, store = FULL_COUPLING if full else QUICK_COUPLING, RunStore()
    with Mistakes(as_json), ctrl_c_noted() as stops:
        results = open_results(store, run)
        if studies.task_state(store, run, request).state == "running":
            raise RunBusyError(f"The app is computing this study of {run} now.", fix="Wait for it, or stop it there.")
        study = load_answer(store, run, request)
        if study is None:
            left = duration(expected_seconds(store, results, request))
            console.err.print(f"Takes about {left}. Ctrl-C stops it; what is done is kept.", markup=False)
            with console.progress() as show:

                def tell(share: float) -> None:
                    if stops:
                        raise StopRequestedError
                    show("small flows", 100 * share)

                try:
                    study = compute_answer(store, run, request, tell)
                except StopRequestedError:
                    again = f"python -m wtflow coupling-study {run}{' --full' * full}"
                    console.err.print(f"Stopped. Go on with: {again}", markup=False)
                    console.finish(as_json, {"run_id": run, "state": "stopped"})
                    raise typer.Exit(130) from None
        written = write_study(study, results.settings, out) if out else []
        said = sentences(study, results.settings)
    for sentence in said:
        console.out.print(sentence, markup=False)
    if out:
        console.err.print(f"{len(written)} files are in {out}.", markup=False)
    effects: list[dict[str, Any]] = [
        {
            "part": one.part,
            "dimension": one.dimension,
            "group_size": one.group_size,
            "coupling": one.coupling,
            "metric": one.key,
            "steps": one.steps,
            "change": one.interval.value,
            "interval": [one.interval.low, one.interval.high],
        }
        for one in figures_of(study).effects
    ]
    console.finish(as_json, {"run_id": run, "sentences": said, "effects": effects, "seconds": study.seconds})
