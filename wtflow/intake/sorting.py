"""What a person says of the images of a data set: labels, pinned sides, pairs that are no duplicates, the share of test
images. Each returns what undoing it needs.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from wtflow.errors import DatasetError
from wtflow.numbers import count, percent
from wtflow.records.intake import LABELS, DataSet, Labelled, Side
from wtflow.store.dataset_names import check_type_name
from wtflow.store.datasets import change_set
from wtflow.store.runs import RunStore


def set_labels(
    store: RunStore, name: str, labels: Mapping[str, Labelled], *, seen: int | None = None
) -> tuple[DataSet, dict[str, Labelled]]:
    """The new state, and id -> what each changed image was before: given back here, it undoes the change.

    A mask stays with its image, whatever it is called meanwhile; versions use it for defective ones only. Raises
    DatasetError for an unknown image, label or type, ChangedMeanwhileError.
    """
    wanted = {key: _checked(one) for key, one in labels.items()}
    before: dict[str, Labelled] = {}

    def change(old: DataSet) -> DataSet:
        _refuse_unknown(old, wanted)
        before.update({key: old.items[key].labelled for key, one in wanted.items() if old.items[key].labelled != one})
        changed = {
            key: replace(old.items[key], label=one.label, defect=one.defect)
            for key, one in wanted.items()
            if key in before
        }
        return replace(old, items={**old.items, **changed})

    kinds = ", ".join(sorted({labelled_words(one) for one in wanted.values()}))
    words = f"{count(len(wanted), 'image')} labelled: {kinds}."
    return change_set(store, name, change, words, seen=seen, ids=wanted), before


def pin(
    store: RunStore, name: str, sides: Mapping[str, Side | None], *, seen: int | None = None
) -> tuple[DataSet, dict[str, Side | None]]:
    """The new state, and id -> the side before. None lets the split choose again. Raises DatasetError for an unknown
    image, ChangedMeanwhileError.
    """
    before: dict[str, Side | None] = {}

    def change(old: DataSet) -> DataSet:
        _refuse_unknown(old, sides)
        before.update({key: old.items[key].pinned or None for key in sides})
        return replace(
            old, items={**old.items, **{key: replace(old.items[key], pinned=side or "") for key, side in sides.items()}}
        )

    words = f"{count(len(sides), 'image')} pinned to a side of the split, or released."
    return change_set(store, name, change, words, seen=seen, ids=sides), before


def say_apart(store: RunStore, name: str, pairs: Iterable[tuple[str, str]], *, are_apart: bool = True) -> DataSet:
    """The state in which these pairs of images show different parts, however alike they look; or, to undo that, may
    be near-duplicates again.
    """
    said = frozenset((min(pair), max(pair)) for pair in pairs)

    def change(old: DataSet) -> DataSet:
        _refuse_unknown(old, {key for pair in said for key in pair})
        return replace(old, apart=old.apart | said if are_apart else old.apart - said)

    what = "different parts" if are_apart else "perhaps the same part"
    return change_set(store, name, change, f"{count(len(said), 'pair')} called {what}.")


def set_split(store: RunStore, name: str, *, seed: int | None = None, test_share: float | None = None) -> DataSet:
    """The state with another seed or share of good images to test on. Images that are in a version keep their side.
    Raises DatasetError for a share that is none.
    """
    if test_share is not None and not 0 <= test_share < 1:
        raise DatasetError(
            f"{test_share} is no share of good images to test on.", fix="Give a number from 0 to below 1, such as 0.3."
        )

    def change(old: DataSet) -> DataSet:
        return replace(
            old,
            seed=old.seed if seed is None else seed,
            test_share=old.test_share if test_share is None else test_share,
        )

    shown = "" if test_share is None else f": {percent(test_share)} of the good images are tested"
    return change_set(store, name, change, f"The split was changed{shown}.")


def labelled_words(one: Labelled) -> str:
    """What an image is, in a word or two."""
    if one.label == "defect":
        return one.defect
    return {"good": "good", "unsorted": "not sorted", "out": "left out"}[one.label]


def _checked(one: Labelled) -> Labelled:
    if one.label not in LABELS:
        raise DatasetError(f"{one.label!r} is no label.", fix=f"Use one of {', '.join(LABELS)}.")
    return Labelled("defect", check_type_name(one.defect)) if one.label == "defect" else Labelled(one.label)


def _refuse_unknown(data: DataSet, ids: Iterable[str]) -> None:
    unknown = [key for key in ids if key not in data.items]
    if unknown:
        raise DatasetError(
            f"The data set {data.name} has no image {unknown[0][:80]!r}.", fix="Choose one of its images."
        )
