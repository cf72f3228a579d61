"""A node of a Ray cluster is killed while it trains: its run goes on elsewhere, and all runs end with the figures that
they have without Ray.
"""

import contextlib
import importlib.util
import os
import subprocess
import sys
import time
from pathlib import Path

from faults.outcome import Round, check
from faults.places import children, figures, half_written, images
from wtflow.jobs import trainings
from wtflow.store.runs import RunStore

KILLS = 3
CATEGORIES = ("a", "b")
PATIENCE_S = 900.0
SETTINGS = ("image_size=64", "iterations=2000", "width=16", "weights=untrained", "threads=1", "prepare_pages=false")


def run(this: Round) -> None:
    if why := unable():
        this.skipped = why
        return
    root = images(this.folder / "images", *CATEGORIES)
    alone = RunStore(this.folder / "alone")
    _sweep(alone, root, "local").wait(PATIENCE_S)
    wanted = _figures_of(alone)
    for number in range(this.count(KILLS)):
        with this.attempt(f"node killed, try {number + 1}"):
            _kill_once(this, RunStore(this.folder / f"ray{number}"), root, wanted)
    this.leave("after the cluster was ended", children())


def unable() -> str:
    """Why no Ray node can be killed here, the end of a sentence; empty where it can."""
    with contextlib.suppress(ModuleNotFoundError):
        if importlib.util.find_spec("wtflow.sweeps.executors.ray") is not None:
            return "" if importlib.util.find_spec("ray") is not None else "since Ray is not installed."
    return "since this version has no executor for Ray."


def _kill_once(this: Round, store: RunStore, root: Path, wanted: dict[str, str]) -> None:
    from ray.cluster_utils import Cluster  # type: ignore[import-not-found]

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    try:
        nodes = [cluster.add_node(num_cpus=1) for _ in CATEGORIES]
        sweep = _sweep(store, root, "ray", "--address", cluster.address)
        _until(lambda: len(_at(store, "train")) == len(CATEGORIES), "the runs do not begin")
        time.sleep(this.chance.uniform(0, 1))
        cluster.remove_node(nodes[0], allow_graceful=False)
        cluster.add_node(num_cpus=1)
        _until(lambda: sweep.poll() is not None, "the sweep does not end")
        check(_figures_of(store) == wanted, "figures differ from those of the local queue")
        this.leave("a killed node", half_written(store))
    finally:
        cluster.shutdown()


def _sweep(store: RunStore, root: Path, executor: str, *more: str) -> subprocess.Popen:
    words = [sys.executable, "-m", "wtflow", "sweep", str(root), "--categories", ",".join(CATEGORIES), "--json"]
    settings = [part for one in SETTINGS for part in ("--set", one)]
    store.home.mkdir(parents=True, exist_ok=True)
    return subprocess.Popen(
        [*words, *settings, "--executor", executor, *more], env=os.environ | {"WTFLOW_HOME": str(store.home)}
    )


def _at(store: RunStore, stage: str) -> list[str]:
    return [one for one in store.ids() if trainings.live_status(store, one).stage == stage]


def _figures_of(store: RunStore) -> dict[str, str]:
    check(len(store.ids()) == len(CATEGORIES), f"there are {len(store.ids())} runs")
    return {store.config(one).category: figures(store, one) for one in store.ids()}


def _until(is_so, words: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not is_so():
        check(time.monotonic() < end, words)
        time.sleep(0.05)
