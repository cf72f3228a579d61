"""The threshold that somebody decided on for a run, or that it starts from while nobody has."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Decision:
    """A threshold with how it came about. An image is called defective from `value` on."""

    value: float
    """In the unit of the run's image scores."""
    rule: str
    """A word for how it was found, such as `by_hand` or `best_f1`."""
    words: str
    """The same in a sentence for people."""
    date: float
    """Seconds since the epoch, UTC: when it was kept; of a start that nobody kept, when the run was made."""
    comment: str = ""
