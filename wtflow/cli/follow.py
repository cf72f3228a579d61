"""Follow a training from the shell: its progress until it ends, then its metrics. Ctrl-C stops it."""

import contextlib
import signal
import time
from collections.abc import Iterator
from typing import Any

import typer

from wtflow import console
from wtflow.errors import StoreError
from wtflow.records.core import RunStatus
from wtflow.records.pixel_images import pixel_images_of
from wtflow.store.runs import RunStore

POLL_S = 0.5


@contextlib.contextmanager
def ctrl_c_noted() -> Iterator[list[int]]:
    """Ctrl-C inside only adds to the list. Enter it before a run is started, so that no Ctrl-C leaves the run alone.

    The handler does no more than that, because the main thread may hold a lock.
    """
    noted: list[int] = []
    previous = signal.signal(signal.SIGINT, lambda *_: noted.append(1))
    try:
        yield noted
    finally:
        signal.signal(signal.SIGINT, previous)


def follow(store: RunStore, run_id: str, stops: list[int], as_json: bool, more: dict[str, Any] | None = None) -> None:
    """Show a run's progress until it ends, then print what it found. Anything in `stops` (Ctrl-C) stops the run.
    more: what goes into the JSON object as well.
    """
    from wtflow.jobs import trainings
    from wtflow.metrics import METRICS

    with console.progress() as show:
        while (status := _look(store, run_id)).is_active:
            if stops:
                trainings.request_stop(store, run_id)
            stage = status.stage or status.state
            if status.state == "queued":
                stage = status.message if status.fix else "waiting for another run"
            show(f"{run_id}: {stage}", status.percent)
            time.sleep(POLL_S)
    is_whole = status.state == "finished" and not status.fix  # a fix: the last pass ended, and older results stand
    if not is_whole:
        if stops:
            console.err.print(f"Stopped. Continue with: python -m wtflow resume {run_id}", markup=False)
            console.finish(as_json, {"run_id": run_id, "state": status.state})
            raise typer.Exit(130)
        raise StoreError(
            f"Run {run_id} is {status.state}: {status.message}", fix=status.fix or f"python -m wtflow resume {run_id}"
        )
    facts = store.metrics(run_id)
    print_metrics(facts)
    console.err.print(f"Run {run_id}: {status.message} Peak memory {facts['peak_rss_mib']:.0f} MiB.", markup=False)
    console.finish(
        as_json,
        {
            "run_id": run_id,
            "metrics": {name: facts["metrics"].get(name) for name in METRICS},
            "undefined": facts["undefined"],
            "pixel_images": pixel_images_of(facts).facts,
            "seconds": facts["seconds"],
            "peak_rss_mib": facts["peak_rss_mib"],
        }
        | (more or {}),
    )


def print_metrics(facts: dict[str, Any]) -> None:
    from wtflow.metrics import METRICS

    pixel_images = pixel_images_of(facts).words
    for name, metric in METRICS.items():
        value = facts["metrics"].get(name)
        words = f"-  {facts['undefined'].get(name, '')}" if value is None else f"{value:.4f}"
        if value is not None and metric.level == "pixel":
            words += f"  {pixel_images}"
        console.out.print(f"{name:<18} {words}", markup=False)


def _look(store: RunStore, run_id: str) -> RunStatus:
    from wtflow.jobs import trainings

    trainings.reconcile(store)
    return trainings.live_status(store, run_id)
