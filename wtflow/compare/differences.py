"""What sets compared runs apart besides their settings, in sentences: images, labels, masks, weights.

Only where nothing differs can what differs in the results be chance.
"""

import functools
import operator
from collections import Counter
from collections.abc import Sequence
from typing import Any

from wtflow.compare.runs import LETTERS, Comparison
from wtflow.compare.truths import OwnTruth, TruthDifferences

MOST_NAMED = 5
"""Images that a sentence names."""


def input_sentences(comparison: Comparison, data: Sequence[dict[str, Any] | None]) -> tuple[str, ...]:
    """What went into the runs and differs, but for settings, test sets and masks. data: the content of each run's
    data.json.
    """
    found = []
    trained = [_training_images(one) for one in data]
    if any(images != trained[0] for images in trained[1:]):
        n_common = functools.reduce(operator.and_, trained).total()
        sizes = _per_run(f"{images.total():,}" for images in trained)
        found.append(f"They were trained on different images ({sizes}; {n_common:,} are the same by content).")
    if comparison.relabelled:
        n = len(comparison.relabelled)
        are = "image is" if n == 1 else "images are"
        found.append(f"{n:,} {are} normal in one run and defective in another: {named(comparison.relabelled)}.")
    readings = [run.config.reading for run in comparison.runs]
    if any(one != readings[0] for one in readings[1:]):
        words = _per_run(one.words or "as found" for one in readings)
        found.append(f"A person said differently how the images are to be read: {words}.")
    weights = [run.metrics.get("weights_hash") for run in comparison.runs]
    if all(weights) and len(set(weights)) > 1:
        found.append("The weights of their backbones differ.")
    return tuple(found)


def matched_words(comparison: Comparison) -> str:
    """By what the common images are the same, in a few words: content, and the name where all runs have the same."""
    renamed = [
        f"{n:,} {'has' if n == 1 else 'have'} another name in {letter}"
        for letter, n in zip(LETTERS, comparison.n_renamed, strict=False)
        if n
    ]
    return f"equal by content: {' and '.join(renamed)}" if renamed else "equal by name and content"


def trained_sentences(comparison: Comparison) -> tuple[str, ...]:
    """Which images are left out of the comparison because a run was trained on them. Empty where none is."""
    found = []
    for letter, ids in zip(LETTERS, comparison.trained_on, strict=False):
        if ids:
            are = "1 tested image is" if len(ids) == 1 else f"{len(ids):,} tested images are"
            found.append(
                f"{are} left out, because {letter} was trained on {'it' if len(ids) == 1 else 'them'} and what a run"
                f" has learned from is no test of it: {named(ids)}."
            )
    return tuple(found)


def truth_sentences(found: TruthDifferences, own: Sequence[OwnTruth], most: int = MOST_NAMED) -> tuple[str, ...]:
    """On how many images the masks of the runs differ, and on which; which runs hold no masks of their own. Empty where
    all hold the same.
    """
    sentences = []
    if n := len(found.differ):
        known = _listed([LETTERS[k] for k, one in enumerate(own) if one.truth is not None])
        has = "image has" if n == 1 else "images have"
        sentences.append(f"{n:,} {has} different masks in {known}: {named(found.differ, most)}.")
    for runs, ids in found.partly:
        has = "image has" if len(ids) == 1 else "images have"
        sentences.append(
            f"{len(ids):,} {has} a valid mask in {_listed([LETTERS[k] for k in runs])} only: {named(ids, most)}."
        )
    for k, one in enumerate(own):
        if one.truth is None:
            sentences.append(
                f"{LETTERS[k]} holds no masks of its own, and its images are gone: it cannot be told on which masks it"
                " was counted."
            )
        elif not one.is_kept and one.truth.truths:
            sentences.append(f"{LETTERS[k]} holds no masks of its own: it is counted on its masks as they are now.")
    return tuple(sentences)


def named(ids: Sequence[str], most: int = MOST_NAMED) -> str:
    """The first names, and how many more there are."""
    more = len(ids) - most
    return ", ".join(ids[:most]) + (f" and {more:,} more" if more > 0 else "")


def _training_images(data: dict[str, Any] | None) -> Counter[str]:
    """How often each content was trained on, whatever its files are called."""
    samples = (data or {}).get("samples", [])
    return Counter(one["sha256"] for one in samples if one.get("split") == "train")


def _per_run(words) -> str:
    return ", ".join(f"{letter} {word}" for letter, word in zip(LETTERS, words, strict=False))


def _listed(letters: Sequence[str]) -> str:
    return letters[0] if len(letters) == 1 else f"{', '.join(letters[:-1])} and {letters[-1]}"
