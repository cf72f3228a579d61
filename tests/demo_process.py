"""The process that draws the demo, with six images a category, and held wherever a test wants to look at it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from waiting import wait_until

from wtflow.datasets.demo import images
from wtflow.jobs import demos, processes
from wtflow.jobs.processes import Started
from wtflow.store.runs import RunStore

SMALL = images.Counts(train=1, good=1, defect=1)

WORKER = f"""
import sys, time
from pathlib import Path

from wtflow.datasets.demo import images
from wtflow.jobs import demo_worker

images.COUNTS, draw = images.Counts{tuple(SMALL)}, demo_worker.write_demo


def write_demo(root, progress, categories):
    def show(done, total):
        progress(done, total)
        while Path("hold").exists():
            time.sleep(0.02)

    return draw(root, show, categories=categories)


demo_worker.write_demo = write_demo
demo_worker.STATUS_EVERY_S = 0
sys.exit(demo_worker.main(sys.argv[1:]))
"""


class Drawing:
    """The processes begun for a store, and the file that holds them after their first picture."""

    def __init__(self, store: RunStore) -> None:
        self.store, self.started = store, list[Started]()
        self.hold = store.home / "hold"

    def drew(self) -> bool:
        return any((demos.demo_root(self.store) / ".demo-work").rglob("*.png"))


@contextlib.contextmanager
def small_demo(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[Drawing]:
    """Draw six images a category in this store; whatever process is left is ended."""
    store.home.mkdir(parents=True, exist_ok=True)
    (store.home / "small_worker.py").write_text(WORKER)
    monkeypatch.setattr(images, "COUNTS", SMALL)
    drawing, launch = Drawing(store), processes.launch

    def launch_small(module: str, arguments: list[str], log: Path, home: Path, note) -> Started:
        assert module == "wtflow.jobs.demo_worker"
        drawing.started.append(launch("small_worker", arguments, log, home, note))
        return drawing.started[-1]

    monkeypatch.setattr(demos.processes, "launch", launch_small)
    yield drawing
    for began in drawing.started:
        if (process := processes.find(*began)) is not None:
            process.kill()
        wait_until(lambda began=began: processes.find(*began) is None)
