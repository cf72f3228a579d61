"""Server time of each page on finished runs of many images, against its heading alone."""

import json

from wtflow.bench.children import run_python
from wtflow.bench.figures import Figure, Target, milliseconds
from wtflow.bench.workshop import SHOWN_CATEGORY, Workshop
from wtflow.machine.places import STUDIO

TARGET = Target("value", "at most", 300.0)


def measure(shop: Workshop) -> list[Figure]:
    """Milliseconds of each page cold (its first visit in a new process) and cached (later visits,
    each in a new session).

    Two runs of the same images, so that there is something to compare. Pages that compute on a first visit do so when
    cold.
    """
    shown, n = shop.shown_runs, shop.sizes.run_images
    figures = []
    for page in _pages():
        arguments = [
            "-W",
            "ignore",
            "-m",
            "pages.ui.page_times",
            page,
            ",".join(shown.ids),
            str(shown.root),
            SHOWN_CATEGORY,
            str(shop.sizes.repeats),
        ]
        # Only errors: outside of a server Streamlit warns about each use of the session.
        seconds = json.loads(
            run_python(arguments, {"WTFLOW_HOME": str(shown.home), "STREAMLIT_LOGGER_LEVEL": "error"}).splitlines()[-1]
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


def _pages() -> list[str]:
    """The names of all pages; the address of an earlier version, which only leads on, is none."""
    files = (STUDIO / "pages").glob("*.py")
    return sorted(path.stem for path in files if "lead_on(" not in path.read_text(encoding="utf-8"))
