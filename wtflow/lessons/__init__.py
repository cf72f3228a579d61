"""Lessons: the computation behind each page of "Learn", and checks of its numbers.
One module per lesson, named as in `LESSONS`.

A lesson module has `CONTROLS` (what can be set), `DATA` (data sets it can be shown on, () for none), `prepare(seed,
points, settings)`, which returns a `Scene`, and `figure(scene, settings)`, which draws it for slides. The interactive
picture is assets/learn/<name>.js. The scene's data depend on seed and points alone, its checks also on the settings.

A lesson with data sets also has `beside_points(seed)`: what the browser needs besides points that are drawn by hand to
make their scene without Python. `sceneOf` in assets/learn/<name>.js does; a test compares it with `prepare`.
"""

import importlib
from types import ModuleType
from typing import Final

from wtflow.errors import SettingsError

LESSONS: Final[dict[str, str]] = {
    "flow": "From noise to data and back",
    "lines": "Conditional and marginal",
    "pairs": "Who pairs with whom",
    "average": "Crossing paths average",
    "shell": "The shell",
    "singular": "The singularity",
    "well": "The well and the escape",
    "score": "The score over time",
    "noise": "Noise on the way",
    "steps": "One step or many",
    "features": "On real features",
}
"""Name -> title, in teaching order. The name is that of the module here and of the files in assets/learn."""
SHOW_A_RUN: Final = frozenset({"features"})
"""Lessons about a run's own features: they have no figures for slides."""
WITH_FIGURES: Final = tuple(name for name in LESSONS if name not in SHOW_A_RUN)
"""Lessons that can be written as files for slides."""

STORED_SAMPLES: Final = 8
"""Samples of each data set that the site stores, unless asked otherwise: together it stays below 3 MB."""


def load_lesson(name: str) -> ModuleType:
    """The module of one lesson, imported now, so that one lesson does not load what another needs. Raises
    SettingsError for an unknown name.
    """
    if name not in LESSONS:
        raise SettingsError(f"There is no lesson {name!r}.", fix=f"Choose one of {', '.join(LESSONS)}.")
    return importlib.import_module(f"wtflow.lessons.{name}")
