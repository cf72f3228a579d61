"""Server time of each page on finished runs of many images, against its heading alone."""

import json

from wtflow.bench.children import PROJECT, run_python
from wtflow.bench.drawn import draw_category
from wtflow.bench.figures import Figure, Target, milliseconds
from wtflow.bench.scored_run import write_scored_run
from wtflow.bench.workshop import Workshop
from wtflow.store.runs import RunStore

TARGET = Target("value", "at most", 300.0)
CATEGORY = "scored"
TRAIN_SHARE = 4
"""One training normal for this many scored images."""


def measure(shop: Workshop) -> list[Figure]:
    """Milliseconds of each page cold (its first visit in a new process) and cached (later visits,
    each in a new session).

    Two runs of the same images, so that there is something to compare. Pages that compute on a first visit do so when
    cold.
    """
    home, root, n = shop.folder / "pages", shop.folder / "pages_images", shop.sizes.run_images
    draw_category(root, CATEGORY, max(2, n // TRAIN_SHARE), n - n // 2, n // 2, shop.settings.image_size)
    runs = [write_scored_run(RunStore(home), root, CATEGORY, shop.backbone, shop.training[1], seed) for seed in (0, 1)]
    figures = []
    for page in sorted(path.stem for path in (PROJECT / "pages").glob("*.py")):
        arguments = [
            "-W",
            "ignore",
            "-m",
            "pages.ui.page_times",
            page,
            ",".join(runs),
            str(root),
            CATEGORY,
            str(shop.sizes.repeats),
        ]
        # Only errors: outside of a server Streamlit warns about each use of the session.
        seconds = json.loads(
            run_python(arguments, {"WTFLOW_HOME": str(home), "STREAMLIT_LOGGER_LEVEL": "error"}).splitlines()[-1]
        )
        heading = milliseconds(seconds["heading"])
        for state, target in (("cold", None), ("cached", TARGET)):
            figures.append(
                Figure(
                    "pages",
                    f"{page}, {n} images, {state}",
                    "ms",
                    milliseconds(seconds[state]),
                    "its heading alone",
                    heading,
                    target,
                )
            )
    return figures
