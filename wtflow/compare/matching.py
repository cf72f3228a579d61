"""Which test images of several runs are the same: by label and content, and by name where the runs agree on it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from wtflow.errors import DamagedRunError
from wtflow.results import RunResults


def tested_images(run: RunResults, data: dict[str, Any] | None) -> pd.DataFrame:
    """The run's test images with the hashes of their contents. data: the content of its data.json. Raises
    DamagedRunError where it lacks one.
    """
    try:
        hashes = {entry["id"]: str(entry["sha256"]) for entry in (data or {})["samples"]}
        return run.test.assign(sha256=[hashes[sample_id] for sample_id in run.test.sample_id])
    except (KeyError, TypeError) as error:
        raise DamagedRunError(
            f"Run {run.run_id} does not record the contents of its test images (data.json is absent or incomplete).",
            fix="Leave it out of the comparison, or train again.",
        ) from error


def places_of(first: pd.DataFrame, other: pd.DataFrame) -> np.ndarray:
    """int (N,): where the other table has each image of the first, -1 where it has none. Images of one name, content
    and label come first, then those of one content and label, in the order of the tables: a copy of a folder may call
    its files otherwise.
    """
    keys, others = (list(zip(one.sample_id, one.sha256, one.is_defective, strict=True)) for one in (first, other))
    at = {key: i for i, key in enumerate(others)}
    found = [at.get(key, -1) for key in keys]
    left: dict[tuple, list[int]] = {}
    for i in sorted(set(range(len(others))).difference(found), reverse=True):
        left.setdefault(others[i][1:], []).append(i)
    for i, key in enumerate(keys):
        if found[i] < 0 and left.get(key[1:]):
            found[i] = left[key[1:]].pop()
    return np.array(found, int)


def relabelled_ids(tables: Sequence[pd.DataFrame]) -> tuple[str, ...]:
    """Ids, in the first table, of images whose contents all runs tested, but with another label in one of them."""
    contents = [set(table.sha256) for table in tables]
    labels = [set(zip(table.sha256, table.is_defective, strict=True)) for table in tables]
    first = tables[0]
    return tuple(
        name
        for name, content, label in zip(first.sample_id, first.sha256, first.is_defective, strict=True)
        if all(content in one for one in contents) and any((content, label) not in one for one in labels)
    )


def trained_contents(data: dict[str, Any] | None) -> frozenset[str]:
    """Content hashes of what a run was trained on, held-out normals among them: they place its thresholds."""
    samples = (data or {}).get("samples", [])
    return frozenset(str(entry.get("sha256")) for entry in samples if entry.get("split") == "train")


def tested_of(tables: Sequence[pd.DataFrame], trained: frozenset[str]) -> tuple[str, ...]:
    """Ids of images with these contents that any run tested, as the first of them calls them."""
    found: list[str] = []
    seen: set[str] = set()
    for table in tables:
        own = table[table.sha256.isin(trained - seen)]
        found.extend(own.sample_id)
        seen.update(own.sha256)
    return tuple(found)
