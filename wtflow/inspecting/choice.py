"""Which images of an inspection are shown, and in which order."""

from collections.abc import Sequence
from typing import Final, Literal

from wtflow.records.inspect import Inspected

Call = Literal["defective", "normal", "problem", "noted"]
CALLS: Final[dict[Call, str]] = {
    "defective": "called defective",
    "normal": "called normal",
    "problem": "could not be read",
    "noted": "with a note",
}
Order = Literal["worst", "best", "closest", "name", "newest"]
ORDERS: Final[dict[Order, str]] = {
    "worst": "Highest score first",
    "best": "Lowest score first",
    "closest": "Closest to the threshold",
    "name": "By name",
    "newest": "Newest first",
}


def is_in(row: Inspected, call: Call, noted: frozenset[str]) -> bool:
    """Whether an image is one of those that a filter of this name shows. noted: images that somebody wrote on."""
    if call == "noted":
        return row.image in noted or bool(row.note)
    return bool(row.problem) if call == "problem" else row.verdict == call


def choose_rows(
    rows: Sequence[Inspected],
    calls: Sequence[Call] = (),
    order: Order = "worst",
    *,
    noted: frozenset[str] = frozenset(),
    score_range: tuple[float, float] | None = None,
) -> list[Inspected]:
    """The images that any of `calls` shows (none: all) with low <= score < high, in order; ties by name. Images that
    could not be read have no score and stand last wherever scores decide.
    """
    kept = [one for one in rows if not calls or any(is_in(one, call, noted) for call in calls)]
    if score_range is not None:
        kept = [one for one in kept if score_range[0] <= one.score < score_range[1]]
    kept.sort(key=lambda one: one.image)
    if order == "newest":
        kept.sort(key=lambda one: one.at, reverse=True)
    elif order != "name":
        sign = {"worst": -1.0, "best": 1.0, "closest": 1.0}[order]
        kept.sort(
            key=lambda one: (
                bool(one.problem),
                0.0 if one.problem else sign * (abs(one.score - one.threshold) if order == "closest" else one.score),
            )
        )
    return kept
