"""The study on disk: the whole answer, and what is done of one that goes on. Imports no torch."""

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from wtflow.records.coupling import CouplingStudy, FlowRow, Strength
from wtflow.store import derived

_ARRAYS = ("values", "drawn", "before")
_TUPLES = ("dimensions", "group_sizes", "grid")
R = TypeVar("R", Strength, FlowRow)
PART = "couplingpart"
"""In place of the kind of the answer, in the name of the file of what is done."""


def study_out(study: CouplingStudy) -> tuple[derived.Arrays, dict[str, Any]]:
    """As named arrays and plain values."""
    skipped = {*_ARRAYS, "strengths", "flows"}
    values = {one.name: getattr(study, one.name) for one in fields(CouplingStudy) if one.name not in skipped}
    values |= {"strengths": _plain(study.strengths), "flows": _plain(study.flows)}
    return {name: getattr(study, name) for name in _ARRAYS}, values


def study_in(arrays: derived.Arrays, values: dict[str, Any]) -> CouplingStudy:
    """The study again. Raises KeyError, TypeError or ValueError for anything else."""
    found: dict[str, Any] = values | {name: arrays[name] for name in _ARRAYS}
    found |= {name: tuple(values[name]) for name in _TUPLES}
    found |= {"strengths": tuple(_rows(Strength, values["strengths"])), "flows": tuple(_rows(FlowRow, values["flows"]))}
    return CouplingStudy(**found)


@dataclass(slots=True)
class Done:
    """What is done of a study, unit by unit."""

    strengths: dict[str, list[Strength]] = field(default_factory=dict)
    """Name of a unit -> what it measured."""
    flows: dict[str, list[FlowRow]] = field(default_factory=dict)
    scores: dict[str, np.ndarray] = field(default_factory=dict)
    """float64 (flows of the unit, M, 1 + R): of all images, then of the resamples."""
    before: dict[str, np.ndarray] = field(default_factory=dict)
    """float64 (2,): image AUROC and AUPRO of the norm before the flow."""
    seconds: float = 0.0

    def __contains__(self, name: str) -> bool:
        return name in self.strengths or name in self.flows

    def add_flows(self, name: str, rows: list[FlowRow], scores: np.ndarray) -> None:
        self.flows[name], self.scores[name] = rows, scores


def part_path(answer: Path) -> Path:
    """Where the part of an answer that is done lies."""
    return answer.with_name(f"{PART}-{answer.stem.partition('-')[2]}.npz")


def read_done(path: Path) -> Done:
    """What is done; nothing where there is no such file, or one that cannot be read, which is removed."""
    found = derived.read(path)
    if found is None:
        return Done()
    arrays, values = found
    try:
        return Done(
            {name: _rows(Strength, rows) for name, rows in values["strengths"].items()},
            {name: _rows(FlowRow, rows) for name, rows in values["flows"].items()},
            {name: arrays[name] for name in values["flows"]},
            {name: arrays[name] for name in values["strengths"]},
            float(values["seconds"]),
        )
    except (AttributeError, KeyError, TypeError, ValueError):  # of another version, or tampered with: start anew
        derived.discard(path)
        return Done()


def write_done(path: Path, done: Done) -> None:
    """Replace the file of what is done. Raises DiskFullError, StoreError."""
    strengths = {name: _plain(rows) for name, rows in done.strengths.items()}
    flows = {name: _plain(rows) for name, rows in done.flows.items()}
    derived.write(path, done.scores | done.before, {"strengths": strengths, "flows": flows, "seconds": done.seconds})


def _plain(rows) -> list[dict[str, Any]]:
    """Rows for JSON, which has no NaN."""
    return [{name: None if value != value else value for name, value in asdict(row).items()} for row in rows]


def _rows(kind: type[R], rows: list[dict[str, Any]]) -> list[R]:
    return [kind(**{name: np.nan if value is None else value for name, value in row.items()}) for row in rows]
