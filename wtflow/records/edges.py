"""What maps of a run are divided by near the edge of the image."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from wtflow.errors import FlowError


@dataclass(frozen=True, slots=True)
class EdgeFactors:
    """What maps are divided by, at distance 0, 1, ... from the nearest edge:
    float32 (R,) each, 1 or above, never rising inward.
    """

    after: np.ndarray
    """For maps after the flow."""
    before: np.ndarray
    """For maps before it."""
    n_images: int
    """Training normals that they come from."""

    def to_json(self) -> dict[str, Any]:
        return {
            name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in asdict(self).items()
        }


def factors_from_json(values: Any) -> EdgeFactors:
    """Read what `to_json` gave. Raises FlowError when it is anything else."""
    try:
        after, before = (np.array(values[name], np.float32) for name in ("after", "before"))
        found = EdgeFactors(after, before, int(values["n_images"]))
        is_valid = all(
            one.ndim == 1 and len(one) and np.isfinite(one).all() and one.min() >= 1 for one in (after, before)
        ) and len(after) == len(before)
    except (KeyError, TypeError, ValueError) as error:
        raise FlowError(f"The edge factors are not as written ({error}).", fix="Score the run again.") from error
    if not is_valid:
        raise FlowError("The edge factors are not rows of numbers of 1 or above.", fix="Score the run again.")
    return found
