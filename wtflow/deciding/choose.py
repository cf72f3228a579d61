"""A rule with its number, as a person gives it, applied to a run: for the page and the shell alike."""

import time
from dataclasses import dataclass, replace

from wtflow.deciding.cost import CostCurve
from wtflow.deciding.rules import (
    Evidence,
    Rule,
    Ruling,
    at_most_false_alarms,
    by_hand,
    highest_f1,
    miss_costs,
    no_missed,
)
from wtflow.errors import SettingsError
from wtflow.numbers import PERCENT_SIGN
from wtflow.records.decision import Decision


@dataclass(frozen=True, slots=True)
class Choice:
    """A rule and what belongs to it; the rest is not used."""

    rule: Rule
    share: float = 0.02
    """false_alarms: of new normals that may be called defective, on average."""
    types: tuple[str, ...] = ()
    """no_miss: defect types of which none may be missed; empty: of any."""
    times: float = 10.0
    """miss_costs: what a miss costs in false alarms."""
    defect_share: float | None = None
    """miss_costs: of the images that are defective where the threshold is used; None: as in the test set."""
    value: float = 0.0
    """by_hand: the threshold."""


def decide(evidence: Evidence, choice: Choice) -> tuple[Ruling, CostCurve | None]:
    """What the rule finds, and the curve of costs where it weighs them. Raises MetricError, SettingsError."""
    if choice.rule == "miss_costs":
        return miss_costs(evidence, choice.times, choice.defect_share)
    if choice.rule == "false_alarms":
        return at_most_false_alarms(evidence, choice.share), None
    if choice.rule == "no_miss":
        return no_missed(evidence, choice.types), None
    return (highest_f1(evidence) if choice.rule == "best_f1" else by_hand(evidence, choice.value)), None


def to_keep(ruling: Ruling, comment: str = "") -> Decision:
    """A ruling as what is kept in the run now."""
    words = f"{ruling.how[:1].upper()}{ruling.how[1:]}. {ruling.words}"
    return Decision(ruling.value, ruling.rule, words, time.time(), comment)


def again(old: Decision) -> Decision:
    """A decision of before as what is kept now."""
    return replace(old, date=time.time())


def read_share(text: str) -> float:
    """A share from text: "2%", "2 %" or "0.02". Raises SettingsError unless it lies between 0 and 1."""
    plain = text.strip()
    is_percent = plain.endswith("%")
    try:
        value = float(plain.removesuffix("%")) / (100 if is_percent else 1)
    except ValueError:
        value = -1.0
    if not 0 < value < 1:
        raise SettingsError(
            f"{text[:40]!r} is not a share between 0 and 1.", fix=f"Give one such as 0.02, which is 2{PERCENT_SIGN}."
        )
    return value
