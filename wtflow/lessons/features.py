"""The last lesson, on real features: the same widgets on the open run. It has neither points nor a picture;
pages/ui/learn/features.py shows it.

Its pictures are those of the pages `trajectories` and `wells`, which offer them as files.
"""

from typing import Any, Final

import numpy as np

from wtflow.lessons.base import Control, Scene

CONTROLS: Final[tuple[Control, ...]] = ()
DATA: Final[tuple[str, ...]] = ()


def prepare(seed: int, points: np.ndarray | None, settings: dict[str, float]) -> Scene:
    """Nothing to send: what the lesson shows is read from the run."""
    return Scene({})


def figure(scene: Scene, settings: dict[str, float]) -> list[tuple[str, Any]]:
    """No figure."""
    return []
