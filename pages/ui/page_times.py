"""How long the server works on a page: `python -m pages.ui.page_times PAGE RUNS ROOT CATEGORY
REPEATS`, for the bench (store: WTFLOW_HOME).

Streamlit's own test harness runs the page as the server does, with session, caches and widgets, but without a browser
or the wire. What the harness itself takes, some 200 ms, is left out: the clock runs inside the script. Prints one JSON
object last: seconds `cold` (one value: the first visit in this process), `cached` and `heading` (in turn, each visit in
a new session; `heading` is the page's head with nothing below it).
"""

import json
import sys
from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from pages.ui.frame import PAGES
from wtflow.machine.places import STUDIO

TIMEOUT_S = 300.0


def main(page: str, runs: str, root: str, category: str, repeats: str) -> None:
    """runs: ids joined by commas; pages of one run show the first."""
    choices = {"run": runs.split(",")[:1], "runs": runs.split(","), "root": [root], "category": [category]}
    params = {name: value for name, value in choices.items() if name in PAGES[page].params}
    _visit(_time_heading, page, params)  # what every page loads is no page's own time
    path = str(STUDIO / "pages" / f"{page}.py")
    seconds: dict[str, list[float]] = {"cold": [_visit(_time_page, path, params)], "cached": [], "heading": []}
    for _ in range(int(repeats)):
        seconds["heading"].append(_visit(_time_heading, page, params))
        seconds["cached"].append(_visit(_time_page, path, params))
    sys.stdout.write(json.dumps(seconds) + "\n")


def _visit(script: Callable[..., None], target: str, params: dict[str, list[str]]) -> float:
    """Seconds that the script takes for a new visitor, all its reruns together. Ends the program when it raises or
    shows an error.
    """
    seconds: list[float] = []
    app = AppTest.from_function(script, default_timeout=TIMEOUT_S, args=(target, seconds))
    for name, value in params.items():
        app.query_params[name] = value
    app.run()
    wrong = [*(one.message for one in app.exception), *(one.value for one in app.error)]
    if wrong:  # a page that gives up is quick
        sys.exit(f"{target} shows an error: {wrong[0]}")
    return sum(seconds)


# The harness takes the source of these alone, so each imports what it needs. Stopping and rerunning a page are
# exceptions.


def _time_page(path: str, seconds: list[float]) -> None:
    import runpy
    import time

    start = time.perf_counter()
    try:
        runpy.run_path(path)
    finally:
        seconds.append(time.perf_counter() - start)


def _time_heading(page: str, seconds: list[float]) -> None:
    import time

    from pages.ui.frame import open_page

    start = time.perf_counter()
    open_page(page)
    seconds.append(time.perf_counter() - start)


if __name__ == "__main__":
    main(*sys.argv[1:])
