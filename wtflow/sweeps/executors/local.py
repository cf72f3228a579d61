"""Runs as processes of this computer: as many at once as jobs, free memory and GPUs allow."""

import os
import platform
import time

import psutil

from wtflow.jobs import of_sweeps, processes
from wtflow.jobs.standing import status_now
from wtflow.machine.gpus import visible_gpus
from wtflow.records.sweep import Node
from wtflow.store.runs import RunStore
from wtflow.sweeps.estimate import SPARE_MIB
from wtflow.sweeps.executors.base import Need

OWN_EVERY_S = 5.0
"""How often trainings are counted that people started themselves: each takes one of the sweep's places."""
WARM_UP_S = 20.0
"""A process holds its memory only after a while: until then what it will need is set aside for it."""


class LocalExecutor:
    """jobs: runs at once. With GPUs each run has one to itself."""

    def __init__(self, store: RunStore, jobs: int) -> None:
        self.store, self.jobs = store, jobs
        self.gpus = visible_gpus()
        self._gpu_of: dict[str, str] = {}
        self._begun: dict[str, tuple[float, float]] = {}
        self._own, self._counted = 0, -OWN_EVERY_S

    def has_room(self, need: Need, n_active: int) -> bool:
        processes.reap()
        if n_active >= self.jobs or (self.gpus and len(self._gpu_of) >= len(self.gpus)):
            return False
        if time.monotonic() - self._counted >= OWN_EVERY_S:
            self._own, self._counted = of_sweeps.n_own_active(self.store), time.monotonic()
        if n_active and n_active + self._own >= self.jobs:
            return False
        return n_active == 0 or self._free_mib() >= need.memory_mib

    def submit(self, run_id: str, need: Need) -> None:
        more = {}
        if self.gpus:
            free = [gpu for gpu in self.gpus if gpu not in self._gpu_of.values()]
            more["CUDA_VISIBLE_DEVICES"] = self._gpu_of[run_id] = free[0]
            more["WTFLOW_DEVICE"] = "auto"  # the one that it sees
        try:
            of_sweeps.launch(self.store, run_id, more)
        except BaseException:
            self._gpu_of.pop(run_id, None)
            raise
        self._begun[run_id] = (time.monotonic(), need.memory_mib)

    def adopt(self, run_id: str) -> bool:
        process = status_now(self.store, run_id)
        if self.gpus and process.pid is not None:
            try:
                gpu = psutil.Process(process.pid).environ().get("CUDA_VISIBLE_DEVICES", "")
            except psutil.Error:
                gpu = ""
            if gpu in self.gpus:
                self._gpu_of[run_id] = gpu
        return True

    def over(self) -> dict[str, str]:
        """Nothing: the status of a run and its process on this computer tell all."""
        return {}

    def forget(self, run_id: str) -> None:
        self._gpu_of.pop(run_id, None)
        self._begun.pop(run_id, None)

    def cancel(self, run_id: str) -> None:
        """Nothing waits here: a run begins when it is handed over."""

    def nodes(self) -> tuple[Node, ...]:
        cores = os.cpu_count() or 1
        busy = min(cores, len(self._begun) * max(1, cores // self.jobs))
        n_gpus = len(self.gpus)
        return (Node(platform.node() or "this computer", cores, cores - busy, n_gpus, n_gpus - len(self._gpu_of)),)

    def close(self) -> None:
        """Runs go on by themselves."""

    def _free_mib(self) -> float:
        """Memory that a further run may take: what is free, less what young runs have yet to take."""
        now = time.monotonic()
        promised = sum(need for at, need in self._begun.values() if now - at < WARM_UP_S)
        return psutil.virtual_memory().available / 2**20 - SPARE_MIB - promised
