"""Processor seconds of the server for what a person does: `python -m pages.ui.measure.times actions RUNS REPEATS` and
`... first PAGE RUNS`, for the bench (store: WTFLOW_HOME).

Prints one JSON object last. `actions`: name of an action -> seconds of each repeat, with `heading`, a page's head with
nothing below it, in turn with them. `first`: what a page takes that nobody has opened in this process, until its first
picture and until it is complete.
"""

import dataclasses
import json
import sys
from collections.abc import Callable
from pathlib import Path

from pages.ui.frame import PAGES
from pages.ui.measure.running import FLOOR, Running
from pages.ui.measure.visitor import Spent, Visitor

SCRIPT = Path(__file__).with_name("app.py")
THRESHOLD = "Threshold: a score from here on is called defective"
OPACITY = "Opacity of the map"
N_HEADINGS = 3
CHANGES = ("results", "localization", "failures", "compare", "trajectories", "wells")
"""Pages that are changed to, each from the one before."""


def main(what: str, *arguments: str) -> None:
    running = Running(SCRIPT)
    if what == "first":
        page, runs = arguments
        visitor = Visitor(running)
        visitor.go("overview", {FLOOR: "overview"})  # what every page loads is no page's own time
        spent = dataclasses.asdict(visitor.go(page, choices(page, runs)))
        headings = [visitor.go("overview", {FLOOR: "overview"}).cpu_s for _ in range(N_HEADINGS)]
        sys.stdout.write(json.dumps(spent | {"heading": headings}) + "\n")
    else:
        sys.stdout.write(json.dumps(time_actions(running, arguments[0], int(arguments[1]))) + "\n")


def choices(page: str, runs: str, **more: str) -> dict[str, str | list[str]]:
    """What a page's address holds. runs: ids joined by commas; pages of one run show the first."""
    wanted: dict[str, str | list[str]] = {"run": runs.split(",")[0], "runs": runs.split(",")} | more
    return {name: value for name, value in wanted.items() if name in PAGES[page].params}


def time_actions(running: Running, runs: str, repeats: int) -> dict[str, list[float]]:
    """Seconds of each action in each repeat, after one that is not measured. An action whose control is not there
    costs the server nothing and is left out.
    """
    visitor = Visitor(running)
    seconds: dict[str, list[float]] = {}

    def take(name: str, act: Callable[[], Spent]) -> None:
        act()
        seconds[name] = [act().cpu_s for _ in range(repeats)]

    take("heading", lambda: visitor.go("overview", {FLOOR: "overview"}))
    for page in CHANGES:
        visitor.go(page, choices(page, runs))
    for _ in range(repeats):
        for page in CHANGES:
            seconds.setdefault(f"change to {page}", []).append(visitor.go(page, choices(page, runs)).cpu_s)
    visitor.go("results", choices("results", runs))
    if visitor.has("slider", THRESHOLD):
        take("threshold on results", lambda: visitor.move(THRESHOLD))
    take("gallery page", visitor.turn)
    visitor.go("localization", choices("localization", runs))
    take("next image", lambda: visitor.press("Next"))
    if visitor.has("slider", OPACITY):
        take("opacity", lambda: visitor.move(OPACITY))
    positions = iter(range(2 * repeats + 2))
    probe = lambda: visitor.go("localization", choices("localization", runs, position=f"3,{next(positions)}"))  # noqa: E731
    take("pixel probe", probe)
    return seconds


if __name__ == "__main__":
    main(*sys.argv[1:])
