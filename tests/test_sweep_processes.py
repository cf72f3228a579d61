"""Sweeps as real processes: killed as a whole and resumed, on this computer and on a cluster of Ray."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from run_folders import TINY, write_tiny_category
from sources import ROOT
from waiting import wait_until

from wtflow.jobs import trainings
from wtflow.records.sweep import Way
from wtflow.store import layout, sweeps
from wtflow.store.runs import RunStore
from wtflow.sweeps import tasks
from wtflow.sweeps.expand import Asked, plan_new

pytestmark = pytest.mark.slow

SMALL = {name: (str(value),) for name, value in TINY.items() if name not in ("stages", "threads", "prepare_pages")}
PATIENCE_S = 600.0
HERE = Way()


def make(home, root, name, way=HERE, iterations=40, seeds=(0, 1)):
    store = RunStore(home)
    sets = SMALL | {"iterations": (str(iterations),), "checkpoint_every_s": ("0.5",), "coupling": ("worst", "optimal")}
    sweeps.create(store, plan_new(store, name, Asked(root, seeds=seeds, sets=sets), 1, way).sweep)
    return store


def ended(store, name):
    status = wait_until(
        lambda: (found := tasks.look(store, name)) and not found.is_active and found,
        lambda: sweeps.log_of(store, name).read_text(),
        PATIENCE_S,
    )
    assert status.state == "finished" and status.n_finished == status.n_all, sweeps.log_of(store, name).read_text()
    return status


def figures(store, name):
    """Key of a cell -> everything that must be the same to the last digit."""
    found = {}
    for cell in sweeps.read(store, name).cells:
        scores = store.scores(cell.run_id)
        maps = np.load(store.result_path(cell.run_id, layout.MAPS))
        found[cell.key] = (store.metrics(cell.run_id)["metrics"], scores.score.tolist(), maps.tobytes())
    return found


def kill(pid):
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def pids(store, name):
    return [trainings.live_status(store, run).pid for run in sweeps.read(store, name).runs.values()]


def test_a_sweep_that_is_killed_as_a_whole_goes_on_and_ends_with_the_figures_of_one_that_was_not(tmp_path):
    root = write_tiny_category(tmp_path / "data")
    whole = make(tmp_path / "whole", root, "s", iterations=400)
    tasks.start(whole, "s")
    ended(whole, "s")
    broken = make(tmp_path / "broken", root, "s", iterations=400)
    tasks.start(broken, "s")
    wait_until(
        lambda: any((broken.folder(run) / layout.CHECKPOINT).is_file() for run in broken.ids()),
        lambda: sweeps.log_of(broken, "s").read_text(),
        PATIENCE_S,
    )
    kill(tasks.look(broken, "s").pid)
    for pid in pids(broken, "s"):
        kill(pid)
    wait_until(lambda: tasks.look(broken, "s").state == "lost")
    before = {run: broken.status(run) for run in broken.ids() if broken.status(run).state == "finished"}
    tasks.start(broken, "s")
    ended(broken, "s")
    assert {run: broken.status(run) for run in before} == before, "finished runs are not repeated"
    assert len(broken.ids()) == 4
    assert figures(broken, "s") == figures(whole, "s")


CLUSTER = """
import sys, os
import ray
from ray.cluster_utils import Cluster
small = dict(num_cpus=1, object_store_memory=80 * 2**20)
cluster = Cluster(initialize_head=True, head_node_args=dict(include_dashboard=False, **small))
second = cluster.add_node(**small)
print(cluster.address, flush=True)
for line in sys.stdin:
    if line.strip() == "kill":
        cluster.remove_node(second, allow_graceful=False)
        print("killed", flush=True)
    else:
        break
cluster.shutdown()
"""


@pytest.fixture
def cluster():
    """Two nodes of one CPU each on this computer; skips with a word where Ray is not installed."""
    pytest.importorskip("ray", reason="needs requirements-ray.txt")
    environment = os.environ | {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0"}
    process = subprocess.Popen(
        [sys.executable, "-c", CLUSTER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
    )
    lines = iter(process.stdout.readline, "")
    address = next(line.strip() for line in lines if ":" in line and " " not in line.strip())

    def tell(word):
        process.stdin.write(f"{word}\n")
        process.stdin.flush()
        return next(lines).strip() if word == "kill" else ""

    yield address, tell
    process.stdin.close()
    process.wait(120)


def test_on_two_nodes_of_ray_a_node_is_killed_and_the_figures_are_those_of_this_computer(tmp_path, cluster):
    address, tell = cluster
    root = write_tiny_category(tmp_path / "data")
    local = make(tmp_path / "local", root, "s", iterations=400)
    tasks.start(local, "s")
    ended(local, "s")
    ray = make(tmp_path / "ray", root, "s", Way("ray", address), iterations=400)
    tasks.start(ray, "s")
    wait_until(
        lambda: len([run for run in ray.ids() if (ray.folder(run) / layout.CHECKPOINT).is_file()]) >= 2,
        lambda: sweeps.log_of(ray, "s").read_text(),
        PATIENCE_S,
    )
    assert tell("kill") == "killed"
    status = ended(ray, "s")
    assert sum(not node.is_alive for node in status.nodes) == 1
    assert figures(ray, "s") == figures(local, "s")


def test_without_ray_one_sentence_says_how_to_get_it(tmp_path):
    root = write_tiny_category(tmp_path / "data")
    store = make(tmp_path / "runs", root, "s", Way("ray"))
    hide = "import sys; sys.modules['ray'] = None; from wtflow.sweeps.coordinator import main; sys.exit(main(['s']))"
    environment = os.environ | {"WTFLOW_HOME": str(store.home), "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        [sys.executable, "-c", hide], env=environment, capture_output=True, text=True, timeout=PATIENCE_S
    )
    status = sweeps.read_status(store, "s")
    assert ran.returncode == 1 and status.state == "failed"
    assert "Ray is not installed" in status.message and "requirements-ray.txt" in status.fix
    assert store.ids() == [] and json.dumps(status.message) and time.time() > status.heartbeat
