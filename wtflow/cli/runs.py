"""Commands that make runs: `train`, `resume` and `evaluate`."""

from typing import Annotated, Any

import typer

from wtflow import console
from wtflow.cli.findings import facts_of, look_before_training
from wtflow.cli.fitting import say_what_fits
from wtflow.cli.follow import ctrl_c_noted, follow, print_metrics
from wtflow.cli.parts import Device, Json, Mistakes, Root, Run, choice_of, use_device, weights_help
from wtflow.cli.reading import Good, MasksAsStored, MaskValues, reading_for
from wtflow.cli.sizes import Size, Within, choose_size, settings_but_size, size_facts
from wtflow.config import parse_pairs, parse_value
from wtflow.records.pixel_images import pixel_images_of
from wtflow.store.runs import RunStore


def train(
    root: Root,
    category: Annotated[str, typer.Argument(help="Category to train.")],
    preset: Annotated[str, typer.Option(help=choice_of("preset"))] = "fast",
    backbone: Annotated[str | None, typer.Option(help="timm model.")] = None,
    backbone_arg: Annotated[
        list[str] | None, typer.Option(help="The model's own argument, NAME=VALUE; repeatable.")
    ] = None,
    weights: Annotated[str | None, typer.Option(help=weights_help())] = None,
    stages: Annotated[str | None, typer.Option(help="Numbers or names, such as 2,3 or blocks.8.")] = None,
    size: Size = None,
    within: Within = None,
    tile: Annotated[
        str | None,
        typer.Option(
            metavar="[PIXELS]",
            help="Cut images into squares of so many of their pixels; alone: of their shorter side.",
        ),
    ] = None,
    coupling: Annotated[str | None, typer.Option(help=choice_of("coupling"))] = None,
    scope: Annotated[str | None, typer.Option(help=choice_of("scope"))] = None,
    width: Annotated[int | None, typer.Option(help="Width of the velocity network.")] = None,
    iterations: Annotated[int | None, typer.Option(help="Training steps.")] = None,
    steps: Annotated[int | None, typer.Option(help="Solver steps when scoring.")] = None,
    score: Annotated[str | None, typer.Option(help=choice_of("score"))] = None,
    seed: Annotated[int | None, typer.Option(help="Start of every random number.")] = None,
    device: Device = None,
    setting: Annotated[
        list[str] | None, typer.Option("--set", help="Any other setting, NAME=VALUE; repeatable.")
    ] = None,
    mask_values: MaskValues = None,
    good: Good = None,
    masks_as_stored: MasksAsStored = None,
    no_check: Annotated[
        bool, typer.Option("--no-check", help="Look at the folders only, not at every image, before it starts.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Train a category and report its metrics. What is wrong with its images is said before. Ctrl-C stops the run;
    `resume` continues it.
    """
    from wtflow.datasets.scan import find_categories, scan_category
    from wtflow.jobs import trainings

    named = {
        "backbone": backbone,
        "weights": weights,
        "stages": stages,
        "tile": tile,
        "coupling": coupling,
        "scope": scope,
        "width": width,
        "iterations": iterations,
        "steps": steps,
        "score": score,
        "seed": seed,
    }
    with Mistakes(as_json):
        use_device(device)
        changes: dict[str, Any] = parse_pairs(setting or [], option="--set") | {
            name: value for name, value in named.items() if value is not None
        }
        if backbone_arg:
            changes["backbone_args"] = {
                name: parse_value(text) for name, text in parse_pairs(backbone_arg, option="--backbone-arg").items()
            }
        settings, is_auto = settings_but_size(preset, changes, size, within)
        found = find_categories(root)
        store = RunStore()
        reading = reading_for(store, found.root, category, mask_values, good, masks_as_stored)
        scanned, sized = scan_category(found.root, category, reading), None
        if is_auto:
            settings, sized = choose_size(store, scanned, settings, within)
        settings, said = say_what_fits(settings)
        findings = look_before_training(scanned, not no_check, settings)
        with ctrl_c_noted() as stops:
            run_id = trainings.start(store, found.root, category, settings, reading, sized)
            told = {"findings": facts_of(findings), "said": said} | size_facts(settings, sized)
            follow(store, run_id, stops, as_json, told)


def resume(run: Run, device: Device = None, as_json: Json = False) -> None:
    """Continue a stopped, failed or lost run from its last checkpoint. A finished run is left as it is, unless a file
    of it is missing or damaged: that is written again.
    """
    from wtflow.jobs import trainings

    with Mistakes(as_json):
        use_device(device)
        store = RunStore()
        with ctrl_c_noted() as stops:
            trainings.resume(store, run)
            follow(store, run, stops, as_json)


def evaluate(
    run: Run,
    steps: Annotated[int | None, typer.Option(help="Solver steps.")] = None,
    solver: Annotated[str | None, typer.Option(help=choice_of("solver"))] = None,
    score: Annotated[str | None, typer.Option(help=choice_of("score"))] = None,
    setting: Annotated[
        list[str] | None, typer.Option("--set", help="Any other setting of scoring, NAME=VALUE; repeatable.")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the result as a separate run, to compare it.")] = False,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Score the test images of a run again, also with other solver steps or another score. The run does not change."""
    from wtflow.studies import rescore
    from wtflow.studies.keep_run import keep_run

    named, kept_as = {"steps": steps, "solver": solver, "score": score}, None
    with Mistakes(as_json), console.progress() as show:
        use_device(device)
        store = RunStore()
        changes: dict[str, Any] = parse_pairs(setting or [], option="--set") | {
            name: value for name, value in named.items() if value is not None
        }
        found = rescore.score_again(store, run, changes, console.steps(show, "scoring"))
        if keep:
            kept_as = keep_run(store, run, found)
    print_metrics(found.summary)
    if kept_as:
        console.err.print(f"Kept as run {kept_as}.", markup=False)
    console.finish(
        as_json,
        {
            "run_id": run,
            "changes": changes,
            "metrics": found.summary["metrics"],
            "undefined": found.summary["undefined"],
            "pixel_images": pixel_images_of(found.summary).facts,
            "kept_as": kept_as,
        },
    )
