"""Options of `check` and `train` that say how a data set is to be read, and what is remembered of them."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from wtflow import console
from wtflow.config.checking import build
from wtflow.errors import LayoutError
from wtflow.records.reading import AUTO, Reading
from wtflow.store.readings import keep_reading, reading_of
from wtflow.store.runs import RunStore

MaskValues = Annotated[
    str | None,
    typer.Option(
        help="What values of a mask mean: defect=1,ignore=255, or defect=nonzero, invert, alpha; auto forgets it."
    ),
]
Good = Annotated[
    list[str] | None,
    typer.Option(help="Name of a folder in test/ that holds good images; repeatable; auto forgets them."),
]
MasksAsStored = Annotated[
    bool | None,
    typer.Option(
        "--masks-as-stored/--masks-upright",
        help="Masks are drawn on images as stored, before the camera's orientation turns them; or on upright images.",
    ),
]


def good_of_each(root: Path, categories: Sequence[str], good: list[str] | None) -> dict[str, list[str] | None]:
    """Category -> the folders of --good that it has, where the option is for all of them; None where it has none.
    Raises LayoutError for a folder that no category has.
    """
    from wtflow.datasets.scan import good_folders

    if good is None or AUTO in good:
        return dict.fromkeys(categories, good)
    found: dict[str, list[str]] = {category: [] for category in categories}
    for name in good:
        n_before = sum(map(len, found.values()))
        for category in categories:
            with contextlib.suppress(LayoutError):
                found[category] += good_folders(root, category, (name,))
        if sum(map(len, found.values())) == n_before:
            raise LayoutError(f"No category has a folder test/{name}.", fix="Name folders that lie in test/.")
    return {category: names or None for category, names in found.items()}


def reading_for(
    store: RunStore,
    root: Path,
    category: str,
    masks: str | None,
    good: list[str] | None,
    masks_as_stored: bool | None,
) -> Reading:
    """What was said about a data set, now or before. What is said now is remembered, and what counts is printed.

    Raises SettingsError for words that mean nothing, LayoutError for a folder that is not there.
    """
    from wtflow.datasets.scan import good_folders

    kept = reading_of(store, root, category)
    changes: dict[str, Any] = {}
    if masks is not None:
        changes["masks"] = masks
    if good is not None:
        named = tuple(name for name in good if name != AUTO)
        changes["good"] = good_folders(root, category, named) if named else ()
    if masks_as_stored is not None:
        changes["masks_as_stored"] = masks_as_stored
    reading = build(Reading, kept.model_dump() | changes)
    if reading != kept:
        keep_reading(store, root, category, reading)
    if not reading.is_as_found:
        console.err.print(f"{category} is read with {reading.words} (remembered for this data set).", markup=False)
    elif not kept.is_as_found:
        console.err.print(f"{category} is read as found again.", markup=False)
    return reading
