"""What the page `failures` and a report show of a run at a threshold, in tables and sentences with their numbers.

Every claim rests on a significant test.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from wtflow.failures.calls import failures_of, type_rows
from wtflow.failures.score_origin import share_of_wholes
from wtflow.failures.splits import (
    ALARMS,
    LEAST,
    LEVEL,
    MISSES,
    FactWords,
    counted,
    describe_split,
    find_splits,
    gathering_types,
    p_words,
)
from wtflow.numbers import percent
from wtflow.records.failures import AlarmMap, ImageFacts, NearestNormals, Split, TypeRow
from wtflow.results import RunResults, add_outcomes

_NAMES = {
    "area": "area",
    "contrast": "contrast",
    "border": "distance to the border",
    "n_regions": "number of regions",
    "nearest": "nearest normal",
    "peak_border": "place of the highest position",
}
_COLUMNS = ("area", "contrast", "border", "n_regions", "peak_border", "peak_on_defect", "problem")


@dataclass(frozen=True, slots=True)
class FailureStudy:
    """What is wrong at a threshold, and what goes with it."""

    table: pd.DataFrame
    """The test images with `outcome` and a column per fact; facts that were not computed are absent."""
    failures: pd.DataFrame
    """The images called wrongly, worst first, with `outcome` and `margin`."""
    types: tuple[TypeRow, ...]
    misses: tuple[str, ...]
    """Sentences about missed defects; empty where none is missed or nothing is known about them."""
    alarms: tuple[str, ...]
    """Sentences about false alarms."""
    wholes: tuple[str, ...]
    """How many images are called defective as a whole rather than for one place;
    empty where the run has no such score.
    """
    miss_splits: tuple[Split, ...]
    alarm_splits: tuple[Split, ...]


def study_failures(
    results: RunResults, facts: ImageFacts | None, nearest: NearestNormals | None, threshold: float
) -> FailureStudy:
    """The whole study; facts and nearest normals enter as far as they were computed. Quick: no file is read."""
    table = fact_table(results, facts, nearest, threshold)
    defective, normal = (table[table.is_defective.to_numpy(bool) == flag] for flag in (True, False))
    missed, rejected = (defective.outcome == "FN").to_numpy(), (normal.outcome == "FP").to_numpy()
    miss_splits, alarm_splits = _splits(defective, missed, MISSES), _splits(normal, rejected, ALARMS)
    misses: tuple[str, ...] = ()
    if missed.any():
        separating = _separating(defective, missed, miss_splits, MISSES, "misses", "hits")
        misses = (*_which_types(defective, missed), *separating, *_where_it_looked(defective, missed))
    alarms = _separating(normal, rejected, alarm_splits, ALARMS, "false alarms", "passed") if rejected.any() else ()
    types = type_rows(results, facts, threshold)
    return FailureStudy(
        table,
        failures_of(results.test, threshold),
        types,
        misses,
        alarms,
        share_of_wholes(table),
        miss_splits,
        alarm_splits,
    )


def fact_table(
    results: RunResults, facts: ImageFacts | None, nearest: NearestNormals | None, threshold: float
) -> pd.DataFrame:
    """The test images with `outcome` and a column per fact;
    `nearest` (distance) and `nearest_id` where they were computed.
    """
    table = add_outcomes(results.test, threshold).reset_index(drop=True)
    if facts is not None:
        known = pd.DataFrame({name: getattr(facts, name) for name in ("row", *_COLUMNS)})
        table = table.merge(known, on="row", how="left")
    if nearest is not None:
        near = pd.DataFrame({"row": nearest.row, "nearest": nearest.distance, "nearest_id": nearest.sample_id})
        table = table.merge(near, on="row", how="left")
    return table


def describe_alarms(alarms: AlarmMap) -> tuple[str, ...]:
    """Where normal images look defective: at their border, if so, and the place where most of them do."""
    row, column = np.unravel_index(int(alarms.share.argmax()), alarms.share.shape)
    sentences = []
    n_differ = alarms.n_rim_higher + alarms.n_rim_lower
    p = float(binomtest(alarms.n_rim_higher, n_differ).pvalue) if n_differ else 1.0
    if p < LEVEL and alarms.n_rim_higher > alarms.n_rim_lower:
        sentences.append(
            f"Normal images look defective along their border: {percent(alarms.rim_share)} of what exceeds the pixel"
            f" threshold lies in the outermost positions, which are {percent(alarms.rim_area)} of all (more than"
            f" inside in {alarms.n_rim_higher} of {alarms.n_images} images, p {p_words(p)})."
        )
    sentences.append(
        f"The pixel threshold is exceeded most often at row {row}, column {column}: in"
        f" {percent(float(alarms.share.max()))} of {alarms.n_images} images, where an even spread would give"
        f" {percent(1 - alarms.quantile)}."
    )
    return tuple(sentences)


def _splits(own: pd.DataFrame, is_wrong: np.ndarray, words: dict[str, FactWords]) -> tuple[Split, ...]:
    return find_splits(
        {name: own[name].to_numpy(float) for name in words if name in own}, is_wrong, own.defect.to_numpy(str)
    )


def _separating(
    own: pd.DataFrame,
    is_wrong: np.ndarray,
    found: tuple[Split, ...],
    words: dict[str, FactWords],
    wrong: str,
    right: str,
) -> tuple[str, ...]:
    n_wrong, n_right = int(is_wrong.sum()), int((~is_wrong).sum())
    if min(n_wrong, n_right) < LEAST:
        return (
            (
                f"{counted(n_wrong, wrong)} and {counted(n_right, right)} are too few to distinguish a pattern from"
                f" chance: at least {LEAST} of each are needed."
            ),
        )
    tried = [name for name in words if name in own and own[name].notna().any()]
    if found:
        return tuple(describe_split(split, words[split.fact], wrong, right) for split in found)
    if not tried:
        return ()
    return (
        (
            f"Nothing tried separates {wrong} from {right} better than chance (n = {len(own)}):"
            f" {', '.join(_NAMES[name] for name in tried)}."
        ),
    )


def _which_types(own: pd.DataFrame, is_missed: np.ndarray) -> tuple[str, ...]:
    """The types in which misses concentrate, where the types differ by more than chance."""
    found = gathering_types(is_missed, own.defect.to_numpy(str))
    if found is None:
        return ()
    types, p = found
    named = " and ".join(
        f"{name} ({int((is_missed & (own.defect == name)).sum())} of {int((own.defect == name).sum())})"
        for name in types
    )
    others = ~own.defect.isin(types).to_numpy()
    rest = (
        f"; of the other types {int((is_missed & others).sum())} of {int(others.sum())} are missed"
        if others.any()
        else ""
    )
    return (f"Misses concentrate in {named}{rest} (n = {len(own)}, p {p_words(p)}).",)


def _where_it_looked(own: pd.DataFrame, is_missed: np.ndarray) -> tuple[str, ...]:
    """How often the highest position lies on the defect: a miss that was seen but too faintly differs from one that
    was not seen.
    """
    known = own.peak_on_defect.notna().to_numpy() if "peak_on_defect" in own else np.zeros(len(own), bool)
    if not (known & is_missed).any():
        return ()
    seen, hits = own.peak_on_defect.to_numpy() == 1, known & ~is_missed
    sentence = (
        f"The map is highest on or next to the defect in {int((seen & is_missed).sum())} of"
        f" {counted(int((known & is_missed).sum()), 'misses')}"
    )
    if hits.any():
        sentence += f" and in {int((seen & hits).sum())} of {counted(int(hits.sum()), 'hits')}"
    return (f"{sentence}.",)
