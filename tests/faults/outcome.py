"""What a fault's round found, and the table of all."""

import contextlib
import random
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MOST_WORDS = 600
"""Characters of one finding."""


@dataclass
class Outcome:
    """Of one fault: how often it was tried, and what went wrong. skipped: why it was not tried, a sentence."""

    fault: str
    tried: int = 0
    lost: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    skipped: str = ""
    of_which: dict[str, int] = field(default_factory=dict)
    """What the tries were, such as the stage that a worker was killed in."""
    seconds: float = 0.0

    @property
    def survived(self) -> int:
        return self.tried - len(self.lost)

    @property
    def is_sound(self) -> bool:
        return not self.lost and not self.left


@dataclass
class Round:
    """One fault being tried: what chance draws from, where it may write, how much of it, and what came of it so far."""

    fault: str
    folder: Path
    seed: int
    share: float = 1.0
    """Of the usual number of tries: less while a fault is being written."""
    is_long: bool = False
    tried: int = 0
    lost: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    skipped: str = ""
    of_which: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.chance = random.Random(f"{self.seed} {self.fault}")

    def count(self, usual: int) -> int:
        return max(1, round(usual * self.share))

    @contextlib.contextmanager
    def attempt(self, words: str, kind: str = "") -> Iterator[None]:
        """One try. Whatever is raised inside means that something was lost; the next one goes on.

        words: what is tried, enough to find it again. kind: under which it is counted.
        """
        self.tried += 1
        if kind:
            self.of_which[kind] += 1
        try:
            yield
        except Exception as error:
            at = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{Path(at.filename).name}:{at.lineno}"
            self.lost.append(f"{words}: {type(error).__name__}: {error} ({where})"[:MOST_WORDS])

    def leave(self, words: str, found: Sequence[object]) -> None:
        """Count what is left behind. words: after what."""
        self.left += [f"{words}: {one}"[:MOST_WORDS] for one in found]

    def outcome(self, seconds: float) -> Outcome:
        return Outcome(
            self.fault, self.tried, self.lost, self.left, self.skipped, dict(self.of_which), round(seconds, 1)
        )


def check(is_so: Any, words: object) -> None:
    """Raise AssertionError with these words unless it is so; `python -O` leaves no `assert` behind."""
    if not is_so:
        raise AssertionError(words)


def table(outcomes: Sequence[Outcome], titles: dict[str, str]) -> str:
    """The table in Markdown, one number a cell; below it what was skipped, lost and left behind."""
    rows = ["| fault | tried | survived | lost | left behind | seconds |", "|---|---|---|---|---|---|"]
    for one in outcomes:
        numbers: tuple[object, ...] = (one.tried, one.survived, len(one.lost), len(one.left), round(one.seconds))
        if one.skipped and not one.tried:
            numbers = ("not tried", "-", "-", "-", "-")
        rows.append(
            "| "
            + " | ".join([titles[one.fault], *(f"{n:,}" if isinstance(n, int) else str(n) for n in numbers)])
            + " |"
        )
    for one in outcomes:
        if one.of_which:
            rows.append(f"{titles[one.fault]}: " + ", ".join(f"{n:,} {what}" for what, n in one.of_which.items()) + ".")
        if one.skipped:
            rows.append(f"Not tried: {titles[one.fault]}, {one.skipped}")
        rows += [f"LOST  {one.fault}: {words}" for words in one.lost]
        rows += [f"LEFT  {one.fault}: {words}" for words in one.left]
    return "\n".join(rows)
