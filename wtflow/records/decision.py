"""The threshold that somebody decided on for a run, or that it starts from while nobody has."""

from dataclasses import dataclass
from typing import Literal


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


@dataclass(frozen=True, slots=True)
class ThresholdChoice:
    """A place to start the threshold from, and how it was chosen."""

    key: Literal["kept", "false_alarms", "best_f1", "holdout", "highest"]
    label: str
    value: float
    explanation: str

    @property
    def words(self) -> str:
        """Both in sentences."""
        return f"{self.label}. {self.explanation}"
