"""What images look like as a whole, one number or vector each: what tells a changed camera or light from a bad part.

`Looks` are those of a run's training normals, measured once; an inspected image has the same numbers in its row.
"""

from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np

from wtflow.errors import FlowError


class Look(NamedTuple):
    """One image, at the size that the network sees."""

    brightness: float
    """Mean grey, 0 to 1."""
    sharpness: float
    """Variance of the Laplacian of its grey values over their own variance, 0 or above. More or less light leaves it
    as it is.
    """
    centre_row: float
    centre_column: float
    """Where what differs from the usual grey of the image lies on average, as a share of its height and width: it moves
    with the part.
    """


@dataclass(frozen=True, slots=True)
class Looks:
    """Of N normal images."""

    ids: tuple[str, ...]
    """Their sample ids."""
    is_held_out: np.ndarray
    """bool (N,): the flow never saw it, so its score is that of a new normal."""
    scores: np.ndarray
    """float64 (N,): image scores."""
    levels: np.ndarray
    """float64 (N,): medians of their raw maps: high where a map is raised all over, not in one place."""
    brightness: np.ndarray
    sharpness: np.ndarray
    centre_row: np.ndarray
    centre_column: np.ndarray
    """float64 (N,) each, as in `Look`."""
    means: np.ndarray
    """float32 (N, K): mean over positions of the normalised features."""

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def fair_scores(self) -> np.ndarray:
        """Scores that are those of new normals: of the held-out ones, or of all where none was held out."""
        return self.scores[self.is_held_out] if self.is_held_out.any() else self.scores

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Plain arrays to write."""
        return {one.name: getattr(self, one.name) for one in fields(self)} | {"ids": np.array(self.ids, str)}


def looks_from_arrays(arrays: dict[str, np.ndarray]) -> Looks:
    """Read what `to_arrays` gave. Raises FlowError when it is anything else."""
    try:
        ids = tuple(str(one) for one in arrays["ids"])
        rest = {one.name: np.asarray(arrays[one.name]) for one in fields(Looks) if one.name != "ids"}
        if any(len(one) != len(ids) or one.ndim != 1 + (name == "means") for name, one in rest.items()):
            raise ValueError("lengths differ")
        rest = {name: one.astype(bool if name == "is_held_out" else float) for name, one in rest.items()}
        return Looks(ids=ids, **rest | {"means": rest["means"].astype(np.float32)})
    except (KeyError, TypeError, ValueError) as error:
        raise FlowError(
            f"What normal images look like is not as written ({error}).", fix="Delete the file: it is measured again."
        ) from error
