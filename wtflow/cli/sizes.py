"""`train --size`: a number of pixels, or a size that is chosen from the normals and the time they take here."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from wtflow import console, numbers
from wtflow.config import Settings, parse_value, settings_from
from wtflow.errors import SettingsError
from wtflow.records.core import Category
from wtflow.records.sizes import SizeChoice
from wtflow.store.runs import RunStore

Size = Annotated[
    str | None,
    typer.Option(
        metavar="PIXELS|auto",
        help="Image size, rounded to what the backbone takes; auto (preset fast): by normals and time.",
    ),
]
Within = Annotated[
    float | None, typer.Option(metavar="MINUTES", help="What the whole job may take where the size is chosen (10).")
]


def settings_but_size(
    preset: str, changes: dict[str, Any], size: str | None, within: float | None
) -> tuple[Settings, bool]:
    """The settings, and whether their size is still to be chosen. Raises SettingsError."""
    from wtflow.jobs.sizes import AUTO, is_auto_default, with_some_size

    given = changes.get("image_size") if size is None else parse_value(size)
    is_auto = given == AUTO or (given is None and is_auto_default(preset))
    if within is not None and not (is_auto and within > 0):
        raise SettingsError(
            f"--within {within:g} says nothing here." if within > 0 else f"--within {within:g} is no time.",
            fix="Give minutes, more than 0, together with --size auto.",
        )
    rest = {name: value for name, value in changes.items() if name != "image_size"}
    if is_auto:
        return with_some_size(preset, rest), True
    return settings_from(preset, rest if given is None else rest | {"image_size": given}), False


def choose_size(
    store: RunStore, category: Category, settings: Settings, within: float | None
) -> tuple[Settings, SizeChoice]:
    """The settings with a size, and how it was chosen, which is also printed. Raises DatasetError and BackboneError."""
    from wtflow.datasets.tiles import quick_shape
    from wtflow.jobs.sizes import LONGEST_S, at_chosen_size, look, size_for

    with console.progress() as show:
        told = console.steps(show, f"{category.name}: looking at normals")
        # By quarters: where a line stands for each step of a bar, sixteen images would be ten lines.
        seen = look(category, settings, lambda done, total: told(done, total) if 4 * done % total == 0 else None)
    shape = quick_shape([sample.path for sample in category.of("train")])
    sized = size_for(store, category, settings, seen, shape, LONGEST_S if within is None else 60 * within)
    console.err.print(f"Image size: {sized.words}", markup=False)
    return at_chosen_size(settings, sized.size_px), sized


def size_facts(settings: Settings, sized: SizeChoice | None) -> dict[str, Any]:
    """For --json: the size, and how it was chosen; `chosen` is null where it was given."""
    return {
        "image_size": {
            "size_px": settings.image_size,
            "chosen": None if sized is None else asdict(sized) | {"words": sized.words.replace(numbers.NBSP, " ")},
        }
    }
