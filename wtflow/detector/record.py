"""A detector that is ready for new images, whether it came from a run or from a file. Imports torch."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from wtflow.config import Settings
from wtflow.features.backbone import Backbone
from wtflow.records.decision import Decision
from wtflow.records.looks import Looks
from wtflow.records.shapes import Shape
from wtflow.scoring.detector import Detector

Index = tuple[tuple[str, ...], np.ndarray]
"""Ids of training normals, and one mean feature each, float32 (N, K)."""


@dataclass(frozen=True)
class OpenedDetector:
    """Backbone, normaliser, flow, threshold, and what normal images scored."""

    name: str
    """What people call the run; else its category."""
    settings: Settings
    detector: Detector
    backbone: Backbone
    shape: Shape
    """(height, width) that images are brought to, and that pixel maps have."""
    threshold: Decision
    normal_scores: np.ndarray
    """float64 (N,): scores of the run's normal images that the flow did not learn from, for histograms."""
    normal_looks: Looks | None
    """How normal images look, to notice another camera or other light; None where the run did not measure it."""
    index: Index | None
    """Mean features of the training normals, to find the nearest ones."""
    facts: dict[str, Any]
    """Plain values on how it was trained: run, category, numbers of images, metrics, versions."""
    fingerprint: str
    """SHA-256 of all that scores depend on: two detectors with the same one score alike."""

    def with_threshold(self, decision: Decision) -> "OpenedDetector":
        """The same detector, calling images defective from another score on."""
        return replace(self, threshold=decision)
