"""The command `new`: any images become a data set, or more of them its next version."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from wtflow import console
from wtflow.cli.findings import facts_of, print_findings
from wtflow.cli.parts import Json, Mistakes
from wtflow.errors import DatasetError, WTFlowError
from wtflow.numbers import count, metric
from wtflow.records.core import HealthReport
from wtflow.records.intake import Added, DataSet, Labelled, Pair, Version
from wtflow.store.runs import RunStore

MOST_PAIRS = 10
"""Near-duplicates that are named; the rest is counted."""


def new(
    name: Annotated[str, typer.Argument(help="Name of the data set; runs call their category so.")],
    good: Annotated[list[str] | None, typer.Option(help="Folder or zip of good images; repeatable.")] = None,
    defect: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[TYPE=]DIR",
            help="Folder or zip of defective images; without a type, folders in it name the types. Repeatable.",
        ),
    ] = None,
    unsorted: Annotated[
        list[str] | None, typer.Option(help="Folder or zip of images to be sorted later; repeatable.")
    ] = None,
    masks: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of masks named as their images, or COCO or LabelMe JSON; repeatable."),
    ] = None,
    mask_values: Annotated[str, typer.Option(help="What values of a mask mean, as `check` takes it.")] = "auto",
    test_share: Annotated[float | None, typer.Option(help="Share of good images that test (default 0.3).")] = None,
    seed: Annotated[int | None, typer.Option(help="Start of the split (default 0).")] = None,
    add: Annotated[bool, typer.Option("--add", help="Add to the data set and make its next version.")] = False,
    link: Annotated[
        bool, typer.Option("--link", help="Hard links in place of copies: saves room; do not edit the files then.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a data set of any images: photos of good parts, of defective ones, and masks if there are any. Prints what
    it holds, which images are nearly the same, what is wrong with it, and the line that trains it.
    """
    from wtflow.intake.near import find_pairs
    from wtflow.intake.versions import publish
    from wtflow.intake.words import state_words
    from wtflow.store.dataset_versions import version_root
    from wtflow.store.datasets import open_set

    store = RunStore()
    with Mistakes(as_json), _opened(store, name, add, test_share, seed):
        _refuse_nothing(good, defect, unsorted, masks, add)
        with console.progress() as show:
            added = _add_all(store, name, good or [], defect or [], unsorted or [], link, show)
            _say(added)
            _add_masks(store, name, masks or [], mask_values, show)
            pairs = find_pairs(store, name, console.steps(show, "looking for near-duplicates"))
        data = open_set(store, name)
        console.err.print(f"{name}: {state_words(data)}.", markup=False)
        version, report = None, None
        if data.of("good"):
            version = publish(store, name)
            report = _check(store, version)
            _print_version(store, data, version, pairs, report)
        else:
            console.err.print("No image is called good yet: sort them on the page Data, then publish.", markup=False)
    root = None if version is None else version_root(store, name, version.number)
    facts: dict[str, Any] = {
        "name": name,
        "version": None if version is None else version.number,
        "root": None if root is None else str(root),
        "counts": {} if version is None else version.counts,
        "labels": data.counts,
        "near_duplicates": [_pair_facts(data, pair) for pair in pairs],
        "added": len(added.added),
        "refused": [{"file": one.name, "reason": one.reason} for one in added.refused],
        "findings": [] if report is None else facts_of(report.findings),
        "train": None if root is None else _train_line(root, name),
    }
    console.finish(as_json, facts)


@contextmanager
def _opened(store: RunStore, name: str, add: bool, test_share: float | None, seed: int | None) -> Iterator[None]:
    """Make the set, or open it. A new one that could not be filled is removed again, so that the same line, put right,
    works.
    """
    from wtflow.intake.sorting import set_split
    from wtflow.store.datasets import create_set, delete_set, folder_of

    if add:
        folder_of(store, name)
        if test_share is not None or seed is not None:
            set_split(store, name, seed=seed, test_share=test_share)
        yield
        return
    create_set(store, name, seed=seed or 0, test_share=0.3 if test_share is None else test_share)
    try:
        yield
    except WTFlowError:
        delete_set(store, name)
        raise


def _refuse_nothing(good: Any, defect: Any, unsorted: Any, masks: Any, add: bool) -> None:
    if not (good or defect or unsorted) and not (add and masks):
        raise DatasetError("No images are given.", fix="Give --good FOLDER, and --defect FOLDER if there are any.")


def _add_all(
    store: RunStore, name: str, good: list[str], defect: list[str], unsorted: list[str], link: bool, show: console.Show
) -> Added:
    from wtflow.intake.adding import joined
    from wtflow.intake.words import refuse_clashes
    from wtflow.store.datasets import open_set

    wanted = [(Path(text), Labelled("good"), False) for text in good]
    wanted += [_defective(text) for text in defect]
    wanted += [(Path(text), Labelled("unsorted"), False) for text in unsorted]
    parts = [_add(store, name, *one, link, show) for one in wanted]
    added = joined(parts)
    refuse_clashes(open_set(store, name), added)
    return added


def _defective(text: str) -> tuple[Path, Labelled, bool]:
    """(where, what, whether folders name the types) of an option --defect. Raises DatasetError for a type that is no
    name.
    """
    from wtflow.store.dataset_names import check_type_name

    kind, sign, path = text.partition("=")
    if not sign or Path(text).expanduser().exists():
        return Path(text), Labelled("defect", "defect"), True
    return Path(path), Labelled("defect", check_type_name(kind.strip())), False


def _add(
    store: RunStore, name: str, path: Path, labelled: Labelled, by_folder: bool, link: bool, show: console.Show
) -> Added:
    from wtflow.intake.adding import add_files, add_folder, add_zip

    path = path.expanduser()
    told = console.steps(show, f"reading {path.name}")
    if path.is_file() and path.suffix.lower() == ".zip":
        return add_zip(store, name, path, labelled, by_folder=by_folder, progress=told)
    if path.is_file():
        return add_files(store, name, [path.absolute()], labelled, is_linking=link, progress=told)
    return add_folder(store, name, path, labelled, by_folder=by_folder, is_linking=link, progress=told)


def _add_masks(store: RunStore, name: str, masks: list[Path], rule: str, show: console.Show) -> None:
    from wtflow.intake.mask_files import import_masks, masks_words

    for path in masks:
        read = import_masks(store, name, path, rule=rule, progress=console.steps(show, f"reading masks of {path.name}"))
        for sentence in masks_words(read):
            console.err.print(sentence, markup=False)


def _say(added: Added) -> None:
    from wtflow.intake.words import added_words

    for sentence in added_words(added):
        console.err.print(sentence, markup=False)


def _check(store: RunStore, version: Version) -> HealthReport:
    from wtflow.datasets.health import check_category
    from wtflow.datasets.scan import scan_category
    from wtflow.store.dataset_versions import version_root

    with console.progress() as show:
        root = version_root(store, version.name, version.number)
        return check_category(scan_category(root, version.name), console.steps(show, "checking"))


def _print_version(
    store: RunStore, data: DataSet, version: Version, pairs: tuple[Pair, ...], report: HealthReport
) -> None:
    from wtflow.store.dataset_versions import version_root

    root = version_root(store, version.name, version.number)
    console.out.print(f"{version.name} version {version.number} is in {root}. {version.words}", markup=False)
    for side, kinds in version.counts.items():
        console.out.print(
            f"  {side}: {', '.join(f'{n:,} {kind}' for kind, n in kinds.items()) or 'none'}", markup=False
        )
    if pairs:
        near = count(len(pairs), "pair")
        console.out.print(f"  nearly the same, on one side together: {near} (distance 0 is equal)", markup=False)
    for pair in pairs[:MOST_PAIRS]:
        facts = _pair_facts(data, pair)
        console.out.print(f"    {metric(pair.distance)}  {facts['first']}  {facts['second']}", markup=False)
    print_findings(report.findings, console.out)
    console.out.print(f"Train it: {_train_line(root, version.name)}", markup=False)


def _pair_facts(data: DataSet, pair: Pair) -> dict[str, Any]:
    from wtflow.intake.sorting import labelled_words

    first, second = (
        f"{item.name} ({labelled_words(item.labelled)})" for item in (data.items[pair.first], data.items[pair.second])
    )
    return {
        "first": first,
        "second": second,
        "distance": pair.distance,
        "ids": [pair.first, pair.second],
    }


def _train_line(root: Path, name: str) -> str:
    return f"python -m wtflow train {shlex.quote(str(root))} {shlex.quote(name)}"
