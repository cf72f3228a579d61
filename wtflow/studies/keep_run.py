"""Keep what scoring a run again gave as a finished run of its own, so that both can be looked at side by side.
Imports torch.
"""

import os
import shutil
from pathlib import Path

import torch

from wtflow.machine.devices import pick_device
from wtflow.machine.memory import peak_mib
from wtflow.permission import changes
from wtflow.records.core import finished_status
from wtflow.store import layout, passes
from wtflow.store.files import explained, write_json
from wtflow.store.lock import locked
from wtflow.store.runs import RunStore
from wtflow.studies.rescore import Rescored

COPIED = (layout.CHECKPOINT, layout.INDEX, layout.STEPS)
"""What does not change with the scores: the new run stands on its own when the old one is deleted."""


@changes("make runs")
def keep_run(store: RunStore, run_id: str, found: Rescored) -> str:
    """Write a finished run with these scores and the training of `run_id`; returns its id. `scored_from` in its metrics
    names the old one.

    It is put together in a hidden folder and then moved: nobody sees, queues or resumes half a run. Raises StoreError,
    DiskFullError.
    """
    config, old = store.config(run_id), store.metrics(run_id)
    workshop = RunStore(store.home / f".keeping-{os.getpid()}")
    try:
        kept = workshop.create(Path(config.root), config.category, found.settings, config.reading)
        while (store.home / kept).exists():  # a training began in this very second: take the next one
            workshop.delete(kept)
            kept = workshop.create(Path(config.root), config.category, found.settings, config.reading)
        _fill(
            workshop,
            kept,
            store,
            run_id,
            found,
            {"scored_from": old.get("scored_from", run_id)}
            | {name: old.get(name) for name in ("source", "weights_hash")},
        )
        with explained(store.home), locked(store):
            workshop.folder(kept).rename(store.home / kept)
    finally:
        shutil.rmtree(workshop.home, ignore_errors=True)
    return kept


def _fill(
    workshop: RunStore, kept: str, store: RunStore, run_id: str, found: Rescored, origin: dict[str, str | None]
) -> None:
    fresh = passes.begin(workshop, kept)
    for name in COPIED:
        if (path := store.result_path(run_id, name)).is_file():
            target = fresh.result_path(kept, name) if name != layout.STEPS else workshop.folder(kept) / name
            with explained(target):
                target.parent.mkdir(exist_ok=True)
                shutil.copy2(path, target)
    _link_pictures(store.result_path(run_id, layout.PICTURES), fresh.result_path(kept, layout.PICTURES))
    if (data := store.data(run_id)) is not None:
        write_json(fresh.result_path(kept, layout.DATA), data)  # paths as they are now, as in the new run's own files
    n = max(1, len(found.table))
    fresh.write_scores(kept, found.table)
    fresh.write_maps(kept, found.maps)
    fresh.write_edges(kept, found.edges)
    fresh.write_whole(kept, found.whole)
    fresh.write_truth(kept, found.truth)
    passes.publish(
        fresh,
        kept,
        found.summary
        | origin
        | {
            "seconds": found.seconds,
            "rates": {
                "features": None,
                "train": None,
                "score": found.seconds["score"] / n,
                "metrics": found.seconds["metrics"] / n,
            },
            "peak_rss_mib": round(peak_mib(), 1),
            "device": str(pick_device()),
            "threads": torch.get_num_threads(),
        },
    )
    workshop.write_status(
        kept,
        finished_status(
            len(found.table), f"Scored again from {origin['scored_from']} in {sum(found.seconds.values()):.0f} s."
        ),
    )


def _link_pictures(path: Path, target: Path) -> None:
    """A second name for the pictures, which are never written in place; a copy where the disk has no such names."""
    if not path.is_file():
        return
    try:
        os.link(path, target)
    except OSError:
        with explained(target):
            shutil.copy2(path, target)
