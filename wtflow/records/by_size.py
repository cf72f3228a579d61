"""Which image size saw what: the map of an image, one for each size at which the run sees images."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class BySize:
    """The parts of one image's map."""

    sizes: tuple[int, ...]
    """In pixels, falling."""
    maps: np.ndarray
    """float32 (n, h, w): what each size adds to the map; their sum is the run's own map."""

    def shares(self, row: int, column: int) -> tuple[float, ...]:
        """The share of each size in the map at one position, 0 to 1."""
        parts = self.maps[:, row, column].astype(float)
        return tuple(float(part) for part in parts / max(parts.sum(), 1e-30))
