"""Processor seconds of the server for what a person does on finished runs of many images, against a page's heading
alone.

Processor time, since other programs on the machine do not change it; a first picture is timed on the wall, for that is
how long a person waits.
"""

import json
import shutil

from wtflow.bench.children import run_python
from wtflow.bench.figures import Figure, Spread, Target
from wtflow.bench.workshop import Workshop
from wtflow.store import layout

TARGET = Target("value", "at most", 0.3)
FIRST_PICTURE = Target("value", "at most", 3.0)
FIRST_VISITS = ("wells", "trajectories", "compare", "localization")
"""Pages that have something to compute when a run is looked at for the first time."""
FLOOR = "a page's heading alone"


def measure(shop: Workshop) -> list[Figure]:
    """Seconds of the server for each action, once its page was open, and of each page's first visit in a new process
    that finds nothing computed.
    """
    n, runs = shop.sizes.run_images, ",".join(shop.shown_runs.ids)
    seconds = _ask(shop, "actions", runs, str(shop.sizes.repeats))
    heading = Spread.of(seconds.pop("heading"))
    figures = [
        Figure("actions", f"{action}, {n} images", "s", Spread.of(spent), FLOOR, heading, TARGET)
        for action, spent in seconds.items()
    ]
    for page in FIRST_VISITS:
        for run_id in shop.shown_runs.ids:
            shutil.rmtree(shop.shown_runs.home / run_id / layout.DERIVED, ignore_errors=True)
        found = _ask(shop, "first", page, runs)
        floor = Spread.of(found["heading"])
        what = f"first visit of {page}, {n} images"
        if found["picture_wall_s"] is not None:
            picture = Spread.of([found["picture_wall_s"]])
            figures.append(Figure("actions", f"{what}: wall until a picture", "s", picture, target=FIRST_PICTURE))
        figures.append(Figure("actions", f"{what}: wall until complete", "s", Spread.of([found["wall_s"]])))
        figures.append(Figure("actions", f"{what}: server", "s", Spread.of([found["cpu_s"]]), FLOOR, floor))
    return figures


def _ask(shop: Workshop, *arguments: str) -> dict:
    # Only errors: without a browser Streamlit warns of what it cannot know.
    changes = {"WTFLOW_HOME": str(shop.shown_runs.home), "STREAMLIT_LOGGER_LEVEL": "error"}
    said = run_python(["-W", "ignore", "-m", "pages.ui.measure.times", *arguments], changes)
    return json.loads(said.splitlines()[-1])
