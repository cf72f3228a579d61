"""Runs as tasks of Ray Core, on a cluster of computers that share the folder of the store, or on one started here.

A task starts our worker, `python -m wtflow.jobs.train_worker RUN`, waits for it, and returns its exit code: nothing
goes through Ray's object store. Ray places tasks by CPUs, memory and GPUs; it retries none, because a run that is begun
again continues from its checkpoint, which the coordinator sees to. The only module that imports ray.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from wtflow.errors import MissingPackageError, SettingsError, StoreError
from wtflow.jobs import processes
from wtflow.jobs.standing import is_elsewhere, status_now
from wtflow.machine.environment import worker_environment
from wtflow.records.sweep import Node
from wtflow.store import layout
from wtflow.store.runs import RunStore
from wtflow.sweeps.executors.base import Need

HOW_TO_GET: Final = "Install it here and on every node: pip install -r requirements-ray.txt"
BACKLOG: Final = 8
"""Tasks that wait at Ray at most: it always has a next one, and little is to be taken back when the sweep stops."""
OBJECT_STORE_BYTES: Final = 80 * 2**20
"""Of a cluster that is started here, near Ray's least: only exit codes go through it."""
PASSED: Final = ("WTFLOW_", "HF_", "GOMP_", "KMP_", "OPENBLAS_", "PYTHON")
"""Beginnings of variables that a worker gets from the coordinator; the others are those of its node."""


class RayExecutor:
    """address: of a cluster (`auto`, `HOST:PORT`, `ray://HOST:PORT`), empty to start one on this computer. most: tasks
    at once, 0 for as many as fit. Raises MissingPackageError without Ray, StoreError where the cluster does not answer.
    """

    def __init__(self, store: RunStore, address: str = "", most: int = 0, gpu_share: float = 1.0) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing leaves this computer
        os.environ.setdefault("RAY_worker_niceness", "0")  # on nodes started here; the worker has a setting for it
        try:
            import ray
        except ModuleNotFoundError as error:
            raise MissingPackageError("Ray is not installed in this environment.", fix=HOW_TO_GET) from error
        self.ray: Any = ray
        self.store, self.most, self.gpu_share = store, most, gpu_share
        own: dict[str, Any] = {} if address else {"object_store_memory": OBJECT_STORE_BYTES}
        try:
            ray.init(
                address=address or "local", include_dashboard=False, log_to_driver=False, logging_level="ERROR", **own
            )
        except Exception as error:  # Ray raises many kinds
            raise StoreError(
                f"Ray at {address or 'this computer'} does not answer ({str(error).splitlines()[0][:200]}).",
                fix="Start it (ray start --head), give its --address, or none to start one here.",
            ) from error
        self._task = ray.remote(max_retries=0)(_make_work())
        self._refs: dict[str, Any] = {}

    def has_room(self, need: Need, n_active: int) -> bool:
        if self.most:
            return n_active < self.most
        cpus = sum(node["Resources"].get("CPU", 0.0) for node in self._alive())
        return n_active < int(cpus // max(1, need.threads)) + BACKLOG

    def submit(self, run_id: str, need: Need) -> None:
        alive = self._alive()
        cpus = max((node["Resources"].get("CPU", 0.0) for node in alive), default=0.0)
        if alive and need.threads > cpus:
            raise SettingsError(
                f"A run needs {need.threads} threads, and no node has more than {cpus:.0f} CPUs.",
                fix="Start another sweep with fewer --threads, or add larger nodes.",
            )
        memory = max((node["Resources"].get("memory", 0.0) for node in alive), default=0.0)
        has_gpus = any(node["Resources"].get("GPU", 0.0) for node in alive)
        task = self._task.options(
            num_cpus=need.threads,
            memory=int(min(need.memory_mib * 2**20, memory)) or None,
            num_gpus=self.gpu_share if has_gpus else 0,
            name=run_id,
        )
        log = self.store.folder(run_id) / layout.LOG
        self._refs[run_id] = task.remote(run_id, str(log), _passed(self.store.home), processes.PARENT)

    def adopt(self, run_id: str) -> bool:
        """What another driver began on another node ended with that driver; on this computer its process tells."""
        return not is_elsewhere(status_now(self.store, run_id))

    def over(self) -> dict[str, str]:
        if not self._refs:
            return {}
        by_ref = {ref: run_id for run_id, ref in self._refs.items()}
        done, _ = self.ray.wait(list(by_ref), num_returns=len(by_ref), timeout=0)
        found = {}
        for ref in done:
            run_id = by_ref[ref]
            del self._refs[run_id]
            found[run_id] = self._why(ref)
        return found

    def forget(self, run_id: str) -> None:
        """Ray frees the place itself when the task ends."""

    def cancel(self, run_id: str) -> None:
        if (ref := self._refs.get(run_id)) is not None and self.store.status(run_id).state == "queued":
            self.ray.cancel(ref)

    def nodes(self) -> tuple[Node, ...]:
        free = self._free()
        found = []
        for node in self.ray.nodes():
            have, left = node["Resources"], free.get(node["NodeID"], {})
            found.append(
                Node(
                    name=f"{node.get('NodeManagerHostname') or node['NodeName']} {node['NodeID'][:6]}",
                    cpus=have.get("CPU", 0.0),
                    cpus_free=left.get("CPU", 0.0),
                    gpus=have.get("GPU", 0.0),
                    gpus_free=left.get("GPU", 0.0),
                    is_alive=bool(node["Alive"]),
                )
            )
        return tuple(found)

    def close(self) -> None:
        self.ray.shutdown()

    def _alive(self) -> list[dict[str, Any]]:
        return [node for node in self.ray.nodes() if node["Alive"]]

    def _free(self) -> Mapping[str, Mapping[str, float]]:
        """What is free on each node. Ray has no public call for it; without it, nothing counts as free."""
        try:
            return self.ray._private.state.available_resources_per_node()
        except AttributeError:
            return {}

    def _why(self, ref: Any) -> str:
        """Why a task ended, where its worker could not say so itself."""
        try:
            self.ray.get(ref)
        except self.ray.exceptions.OutOfMemoryError:
            return "Out of memory: Ray ended the process, because its node ran low."
        except self.ray.exceptions.TaskCancelledError:
            return "Taken back."
        except self.ray.exceptions.RayError as error:
            return f"Ray: {(str(error).splitlines() or [type(error).__name__])[0][:200]}"
        return ""


def _passed(home: Path) -> dict[str, str]:
    ours = worker_environment(home)
    return {name: value for name, value in ours.items() if name.startswith(PASSED)}


def _make_work() -> Callable[[str, str, Mapping[str, str], str], int]:
    """The function of a task. It is made in here so that Ray sends its text: a node's own Python then needs nothing of
    ours before the worker starts.
    """

    def work(run_id: str, log: str, passed: Mapping[str, str], parent: str) -> int:
        import os
        import subprocess
        import sys

        environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
        command = [sys.executable, "-m", "wtflow.jobs.train_worker", run_id]
        with open(log, "ab") as output:  # noqa: PTH123
            return subprocess.call(  # which ends the worker where Ray interrupts the task
                command,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=environment | dict(passed) | {parent: str(os.getpid())},
                cwd=passed["WTFLOW_HOME"],
            )

    return work
