"""What a row of the tables of a `FailureStudy` holds."""

from typing import Protocol

from wtflow.results import CalledRow


class WrongRow(CalledRow, Protocol):
    """A row of `FailureStudy.failures`: an image called wrongly."""

    margin: float
    """How far its score lies on the wrong side of the threshold."""


class MeasuredRow(CalledRow, Protocol):
    """A row of `FailureStudy.table`: a test image with what was measured of it. Without measurements only `nearest`
    may be there, or nothing.
    """

    area: float
    contrast: float
    border: float
    nearest: float
    nearest_id: str
    problem: str
