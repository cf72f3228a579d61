"""A run's normals as whole images: their Gaussian and the unit of its distances."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from wtflow.errors import FlowError

MARGIN = 0.75
"""Deviations by which an image as a whole must stand out more than its highest place does for the same score. Measured
on 15 runs of nine kinds, mean image AUROC and what a run loses at most: .5 gives .901 and .023, .75 .902 and .016, 1
.901 and .011.
"""


@dataclass(frozen=True, slots=True)
class WholeImage:
    """A Gaussian over descriptions of normal images, and what brings a distance from it to the unit of the run's maps.
    Ours.
    """

    mean: np.ndarray
    """float32 (K,)."""
    whiten: np.ndarray
    """float32 (K, K): a description less the mean, times this, has variance 1 in every direction."""
    centre: float
    """Mean of the logarithm of normals' distances, each image left out of the Gaussian that it is compared with."""
    spread: float
    """Its deviation, above 0."""
    n_images: int
    """Normals that the Gaussian comes from."""
    place_centre: float = 0.0
    """Mean of the logarithm of normals' highest places."""
    place_spread: float = 1.0
    """Its deviation, above 0."""

    def distances(self, descriptions: np.ndarray) -> np.ndarray:
        """Half the mean square of what the Gaussian's exact flow makes of descriptions (B, K): float64 (B,), above
        0. Source: METHOD 5.2.
        """
        ends = (descriptions - self.mean) @ self.whiten
        return np.maximum(0.5 * np.square(ends, dtype=np.float64).mean(-1), 1e-12)

    def scores(self, descriptions: np.ndarray) -> np.ndarray:
        """The same in the unit of the maps, float64 (B,): as far up among normals as a highest place of this height
        is, less `MARGIN`.
        """
        deviations = (np.log(self.distances(descriptions)) - self.centre) / self.spread
        return np.exp(np.minimum(self.place_centre + self.place_spread * (deviations - MARGIN), 80.0))  # fits float32

    def in_map_units(self, places_fitted: np.ndarray, places_held_out: np.ndarray) -> Self:
        """The same Gaussian in the unit of maps whose highest places among normals are these (N,) and (M,), M may be 0.

        The centre is that of the held-out normals, which the flow never saw; the deviation is that of both, each group
        about its own mean, because ten images alone estimate it poorly. Raises FlowError without any.
        """
        groups = [np.log(np.maximum(group, 1e-12)) for group in (places_held_out, places_fitted) if len(group)]
        if not groups:
            raise FlowError(
                "There is no normal image to measure the highest places of.", fix="Add normal images, then train again."
            )
        squares = sum(np.square(group - group.mean()).sum() for group in groups)
        spread = float(np.sqrt(squares / sum(map(len, groups))))
        return replace(self, place_centre=float(groups[0].mean()), place_spread=max(spread, 1e-6))

    def to_arrays(self) -> dict[str, np.ndarray]:
        numbers = [self.centre, self.spread, self.place_centre, self.place_spread, float(self.n_images)]
        return {"mean": self.mean, "whiten": self.whiten, "facts": np.array(numbers)}


def whole_from_arrays(arrays: dict[str, np.ndarray]) -> WholeImage:
    """Read what `to_arrays` gave. Raises FlowError when it is anything else."""
    try:
        mean, whiten, numbers = arrays["mean"], arrays["whiten"], np.asarray(arrays["facts"], float)
        is_valid = mean.ndim == 1 and whiten.shape == (len(mean), len(mean)) and numbers.shape == (5,)
        is_valid = (
            is_valid
            and all(np.isfinite(one).all() for one in (mean, whiten, numbers))
            and numbers[1] > 0
            and numbers[3] > 0
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FlowError(
            f"What is known of whole images is not as written ({error}).", fix="Score the run again."
        ) from error
    if not is_valid:
        raise FlowError("What is known of whole images does not fit together.", fix="Score the run again.")
    return WholeImage(
        mean, whiten, float(numbers[0]), float(numbers[1]), int(numbers[4]), float(numbers[2]), float(numbers[3])
    )
