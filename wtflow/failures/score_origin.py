"""Whether a place or the image as a whole determined an image's score, in sentences. NumPy only."""

from typing import Any

import numpy as np
import pandas as pd

from wtflow.failures.splits import counted
from wtflow.results import RunResults, pixel_map
from wtflow.scoring.origin import origin


def origin_of_score(results: RunResults, image: Any, threshold: float) -> str:
    """Where the score of a row of the score table comes from; "" where the run does not score whole images."""
    return origin(
        float(image.score),
        float(image.whole_score),
        pixel_map(results, int(image.row)),
        results.settings.top_fraction,
        threshold,
    )


def is_whole(table: pd.DataFrame) -> np.ndarray:
    """bool (N,): images whose score comes from the image as a whole."""
    return (table.whole_score >= table.score).to_numpy()


def share_of_wholes(table: pd.DataFrame) -> tuple[str, ...]:
    """How many of the images called defective have the score of the image as a whole; empty where the run does not
    score whole images or calls none defective. table: with `outcome`.
    """
    called = table[table.outcome.isin(("TP", "FP"))]
    if not table.whole_score.notna().any() or called.empty:
        return ()
    counts = {outcome: (int(is_whole(own).sum()), len(own)) for outcome, own in called.groupby("outcome")}
    parts = [
        f"{counts[outcome][0]} of {counted(counts[outcome][1], name)}"
        for outcome, name in (("TP", "hits"), ("FP", "false alarms"))
        if outcome in counts
    ]
    return (f"The score is that of the image as a whole, not of its highest pixels, in {' and '.join(parts)}.",)
