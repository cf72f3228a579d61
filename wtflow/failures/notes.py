"""What people's notes mean for a run: metrics with and without images whose label they call wrong, tags counted, notes
for an export.

NumPy and pandas only. Pixel metrics are not computed again: they need every map and mask, and a wrong label of an image
concerns the image metrics.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

import pandas as pd

from wtflow.metrics import IMAGE_METRICS, image_metrics, undefined_reason
from wtflow.records.notes import RunNotes
from wtflow.results import OUTCOMES, RunResults, add_notes, add_outcomes

WRONG_LABEL, COMMENTED = " label is wrong", " has a comment"
"""Choices that are listed with the tags where images are chosen by their notes; no tag begins with a space."""


@dataclass(frozen=True, slots=True)
class FlaggedMetrics:
    """Image metrics of the test images with and without those whose label is called wrong; None where the remaining
    images do not define one.
    """

    n_flagged: int
    with_flagged: dict[str, float | None]
    without_flagged: dict[str, float | None]
    undefined: str | None
    """Why there are no numbers without the flagged images, in a sentence."""


def flagged_metrics(results: RunResults, notes: RunNotes) -> FlaggedMetrics:
    """Image metrics of a run with and without flagged test images. F1 is the highest that any threshold reaches,
    chosen for each separately.
    """
    test = results.test
    is_flagged = test.sample_id.isin(notes.flagged)
    left = test[~is_flagged]
    both = [image_metrics(table.score, table.is_defective) for table in (test, left)]
    with_flagged, without_flagged = ({name: metrics[name] for name in IMAGE_METRICS} for metrics in both)
    return FlaggedMetrics(int(is_flagged.sum()), with_flagged, without_flagged, undefined_reason(left.is_defective))


def count_tags(results: RunResults, notes: RunNotes, threshold: float) -> pd.DataFrame:
    """One row per tag, the most used first: `tag`, `n` test images, and how many of each outcome at this threshold
    (columns TP, FP, TN, FN).
    """
    table = add_outcomes(results.test, threshold)
    tags = table.sample_id.map(lambda sample_id: notes.note(sample_id).tags)
    pairs = table.assign(tag=tags).explode("tag").dropna(subset="tag")
    counts = pd.crosstab(pairs.tag, pairs.outcome).reindex(columns=list(OUTCOMES), fill_value=0)
    counts = counts.assign(n=counts.sum(axis=1)).rename_axis(columns=None).reset_index()
    return counts.sort_values(["n", "tag"], ascending=[False, True], ignore_index=True)[["tag", "n", *OUTCOMES]]


def noted_rows(results: RunResults, notes: RunNotes, threshold: float) -> pd.DataFrame:
    """The images that somebody wrote about, in the order of the score table, with the columns
    `outcome`, `tags`, `comment`, `label_is_wrong`.
    """
    is_noted = [not notes.note(sample_id).is_empty for sample_id in results.table.sample_id]
    return add_notes(add_outcomes(results.table[is_noted], threshold), notes)


def images_with(notes: RunNotes, chosen: Collection[str]) -> frozenset[str] | None:
    """Ids of the images that have any of these tags, or WRONG_LABEL or COMMENTED where chosen;
    None when nothing is chosen.
    """
    if not chosen:
        return None
    return frozenset(sample_id for sample_id in notes.images if not words_of(notes, sample_id).isdisjoint(chosen))


def count_words(table: pd.DataFrame, notes: RunNotes) -> dict[str, int]:
    """By what the images of a table can be chosen, and how many each leaves: tags, the most used first, then
    WRONG_LABEL and COMMENTED.
    """
    counts = Counter(
        word for sample_id in notes.images.keys() & set(table.sample_id) for word in words_of(notes, sample_id)
    )
    return {word: counts[word] for word in (*notes.image_tags, WRONG_LABEL, COMMENTED) if counts[word]}


def words_of(notes: RunNotes, sample_id: str) -> frozenset[str]:
    """By what an image can be chosen: its tags, WRONG_LABEL and COMMENTED."""
    note = notes.note(sample_id)
    return (
        frozenset(note.tags)
        | ({WRONG_LABEL} if note.label_is_wrong else set())
        | ({COMMENTED} if note.comment else set())
    )
