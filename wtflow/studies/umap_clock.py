"""How long the stages of a UMAP take: estimated from what they took on this machine, and told while they run."""

import importlib.util
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from wtflow.machine.pace import slowness
from wtflow.machine.progress import Share, ShareDone
from wtflow.store.pace import keep_paces
from wtflow.store.runs import RunStore

STAGES: Final = {
    "start": "starting",
    "move": "moving the positions",
    "load": "loading UMAP",
    "near": "finding neighbours",
    "compile": "compiling",
    "epochs": "laying out",
    "place": "placing the others",
    "trust": "measuring what it keeps",
}
"""The stages in their order, and what they are called while they run."""

COMPILE_ALL_S: Final = 24.0
"""Seconds of the first load of UMAP on a machine, which compiles it; later ones take LOAD_S."""
LOAD_S: Final = 1.5

START_S: Final = 5.0
"""Seconds from the launch of a process to the first position that moves: Python, torch and the network."""

SURE: Final = 0.04
"""From this share of a stage on its own pace counts more than what was expected."""


def stage_seconds(
    n: int, n_fit: int, d: int, metric: str, evaluations: int, *, is_compiled: bool = True
) -> dict[str, float]:
    """Stage -> seconds on the machine that they were measured on (one core, nothing else running), 15 neighbours.

    n positions of d channels, n_fit of them fitted; evaluations: of the velocity network for each position.
    """
    per_pair = 4e-10 * d if metric == "manhattan" else 1.3e-8 + 5.4e-11 * d
    per_point = 1.3e-3 if n_fit <= 10_000 else 5e-4  # UMAP runs 500 epochs over small sets, 200 over larger ones
    placed = n - n_fit
    return {
        "start": START_S,
        "move": 0.5 + 3.5e-5 * n * evaluations,
        "load": LOAD_S if is_compiled else COMPILE_ALL_S,
        "near": 0.05 + n_fit**2 * per_pair,
        "compile": 7.5,  # in every new process; UMAP keeps only a part of what it compiles
        "epochs": n_fit * per_point,
        "place": 1.5 + placed * (5e-4 + n_fit * per_pair) if placed else 0.0,
        "trust": 0.2 + 3e-7 * min(n, 2000) ** 2,
    }


def expected_stages(stages: Mapping[str, float], paces: Mapping[str, float], slowness: float) -> dict[str, float]:
    """Seconds of the stages on this machine now: times what they took here before, and how slow it is now."""
    return {name: seconds * paces.get(pace_name(name), 1.0) * slowness for name, seconds in stages.items()}


def pace_name(stage: str) -> str:
    """The name under which the pace of a stage is kept with those of other computations."""
    return f"umap_{stage}"


def keep_start(store: RunStore, seconds: float) -> None:
    """Keep how long a process took until it began to compute."""
    keep_paces(store, {pace_name("start"): seconds / (START_S * slowness())})


def is_compiled() -> bool:
    """Whether UMAP was compiled on this machine before: its folder, or the one that Numba was told of, holds code."""
    if folder := os.environ.get("NUMBA_CACHE_DIR"):
        return any(Path(folder).rglob("*.nbi"))
    found = importlib.util.find_spec("umap")
    places = [] if found is None else list(found.submodule_search_locations or ())
    return any(True for place in places for _ in Path(place).glob("__pycache__/*.nbi"))


class UmapClock:
    """Follows the stages of a UMAP and tells its watcher the share done and the seconds left, by real epochs."""

    def __init__(self, progress: ShareDone, expected: Mapping[str, float], now: Callable[[], float] = time.monotonic):
        self.progress, self.now = progress, now
        self.expected = {name: seconds for name, seconds in expected.items() if name != "start"}
        self.taken: dict[str, float] = {}
        self.began = self.stage_began = now()
        self.stage, self.share = "", 0.0

    def tell(self, stage: str, share: float, detail: str = "") -> None:
        """`share` of a stage is done, 0 to 1; stages come in the order of STAGES. An error that the watcher raises
        comes out.
        """
        if stage != self.stage:
            self.end()
            self.stage, self.stage_began = stage, self.now()
        left = self._left_here(share) + sum(self._later())
        spent = self.now() - self.began
        self.share = max(self.share, spent / (spent + left) if spent + left > 0 else 0.0)
        self.progress(Share(self.share, detail or STAGES[stage], left))

    def end(self) -> None:
        """Note what the stage that runs has taken."""
        if self.stage:
            self.taken[self.stage] = self.now() - self.stage_began

    def _left_here(self, share: float) -> float:
        spent, whole = self.now() - self.stage_began, self.expected.get(self.stage, 0.0)
        if share >= SURE:
            return spent * (1 - share) / share
        return max(whole - spent, 0.0)

    def _later(self) -> list[float]:
        names = list(STAGES)
        after = names[names.index(self.stage) + 1 :] if self.stage else names
        return [self.expected.get(name, 0.0) for name in after]
