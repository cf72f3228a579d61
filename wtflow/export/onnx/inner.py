"""The part of a detector that takes the time, as a graph for this app alone: networks, without what follows from them.

The app makes scores, levelled maps and nearest normals of it as it does of torch's. A graph that leaves the house is
that of `wtflow/export/onnx/graph.py`. Imports torch.
"""

from typing import NamedTuple

import numpy as np
from torch import Tensor, nn

from wtflow.detector.record import OpenedDetector
from wtflow.detector.score import Found, found_of
from wtflow.errors import BackboneError
from wtflow.export.onnx.graph import WholeDetector
from wtflow.scoring.whole import described_part, logarithm_of_spread


class Inner(NamedTuple):
    raw: Tensor
    """(N, h, w): maps after the flow, not levelled."""
    spread: Tensor
    """(N, K / number of image sizes): `scoring.whole.describe` of `described_part`."""
    means: Tensor
    """(N, K): mean normalised features."""


class InnerDetector(nn.Module):
    """Pixels (N, H, W, 3), float32 in [0, 1] -> `Inner`, float32."""

    def __init__(self, opened: OpenedDetector, grid: tuple[int, int]) -> None:
        """grid: (h, w) of the raw maps. Raises ExportError for tiles."""
        super().__init__()
        self.detector = WholeDetector(opened, grid)

    def forward(self, pixels: Tensor) -> Inner:
        x = self.detector.start(pixels)
        described = described_part(x, len(self.detector.settings.sizes))
        return Inner(self.detector.read(x), logarithm_of_spread(described), x.mean((1, 2)))


def found_by(opened: OpenedDetector, raw: np.ndarray, spread: np.ndarray, means: np.ndarray) -> Found:
    """What the app makes of an `Inner` in arrays, as `score_images` of torch's. Raises BackboneError for values that
    are not finite.
    """
    if not all(np.isfinite(one).all() for one in (raw, spread, means)):
        raise BackboneError(
            f"{opened.settings.backbone} gives features that are not finite.", fix="Inspect with --runtime torch."
        )
    whole = opened.detector.whole
    return found_of(opened, raw, np.full(len(raw), np.nan) if whole is None else whole.scores(spread), means)
