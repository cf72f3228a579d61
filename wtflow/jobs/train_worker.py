"""The process that trains one run: `python -m wtflow.jobs.train_worker RUN_ID` (store: WTFLOW_HOME, or ./runs).

Every stage can be repeated: features come from the cache, and training continues from the last checkpoint. So to resume
a run is to run it again. The process ends within seconds after a stop file appears.
"""

import contextlib
import sys
from dataclasses import asdict
from pathlib import Path

from wtflow.datasets.run_images import RunData, read_data
from wtflow.datasets.tiles import n_tiles
from wtflow.errors import DamagedRunError, DatasetError, DiskFullError, ReadOnlyError, WTFlowError
from wtflow.jobs import first_visits, processes, trainings
from wtflow.jobs.estimate import stages_of
from wtflow.jobs.reporter import Reporter
from wtflow.machine.memory import peak_mib
from wtflow.machine.progress import StopRequestedError, say
from wtflow.records.core import finished_status
from wtflow.store import layout, passes
from wtflow.store.lock import locked
from wtflow.store.passes import FreshResults
from wtflow.store.runs import RunStore


def main(arguments: list[str]) -> int:
    """Exit codes: 0 finished or stopped, 1 failed, 2 wrong call, ENDED_WITHOUT_ROOM: failed, and the disk is so full
    that the reason could not be written.
    """
    if len(arguments) != 1:
        say("Call it with one run id: python -m wtflow.jobs.train_worker RUN_ID")
        return 2
    processes.end_with_parent()
    store, run_id = RunStore(), arguments[0]
    try:
        settings = store.config(run_id).settings
        trainings.claim(store, run_id)
    except WTFlowError as error:
        with contextlib.suppress(OSError):
            say(str(error))
        return processes.ENDED_WITHOUT_ROOM if isinstance(error, DiskFullError) else 2
    reporter = Reporter(store, run_id)
    processes.give_way(settings.niceness, settings.threads)
    try:
        run_stages(store, run_id, reporter)
    except StopRequestedError:
        say("stopped on request")
        return 0  # `stopped` is written by the program that finds this process gone
    except Exception as error:
        failure = processes.failure_of(error, "The log has the details; if it happens again, report it with them.")
        return _fail(store, run_id, failure)
    return 0


def _fail(store: RunStore, run_id: str, failure: processes.Failure) -> int:
    """Write why the run failed, into its status first: there may be room for that only. Returns the exit code."""
    code = 1
    try:
        trainings.end_without_results(store, run_id, "failed", failure.message, failure.fix)
    except DiskFullError:
        code = processes.ENDED_WITHOUT_ROOM
    except ReadOnlyError:
        pass  # whoever finds the process gone sees that nothing can be written
    with contextlib.suppress(OSError):
        say(failure.log)
    return code


def run_stages(store: RunStore, run_id: str, reporter: Reporter) -> None:
    """All stages in order."""
    import torch

    from wtflow.datasets.masks.read import read_run_truth
    from wtflow.datasets.masks.words import decision_words
    from wtflow.features.extract import compute_features
    from wtflow.features.weight_sources import source_label
    from wtflow.machine.devices import pick_device
    from wtflow.records.shapes import shape_of
    from wtflow.scoring.evaluate import score_images, summarise
    from wtflow.training.crossfit import score_normals
    from wtflow.training.stages import train_flow

    config, device = store.config(run_id), pick_device()
    settings, fresh = config.settings, passes.begin(store, run_id)
    checkpoint = _checkpoint(store, fresh, run_id)
    say(
        f"run {run_id}: {settings.label}; device {device}, {torch.get_num_threads()} threads, niceness"
        f" {settings.niceness}"
    )

    with reporter.stage("read"):
        data = read_data(config, reporter.progress)
        _keep_data(store, fresh, run_id, data)
        n_images = len(data.train) + len(data.test)
        reporter.expected = trainings.estimate(store, len(data.train), len(data.test), settings, data.canvas).stages
        say(
            f"{len(data.train)} training normals, {len(data.held_out)} of them held out; {len(data.test)} test images;"
            f" fingerprint {data.fingerprint[:12]}"
        )
        if data.canvas is not None:
            height, width = data.canvas
            say(f"tiles: images become {width} x {height} px, cut into {n_tiles(settings, data.canvas)} squares")

    with reporter.stage("features"):
        keys = compute_features(store, data, settings, device, reporter.progress)

    with reporter.stage("train"):
        n_steps = train_flow(store, run_id, keys, data, settings, device, checkpoint, reporter.progress)

    with reporter.stage("score"):
        scored = score_images(fresh, run_id, keys, data, settings, device, checkpoint, reporter.progress)

    with reporter.stage("metrics"):
        shape = shape_of(scored.canvas or settings.image_size)
        decision, truth = read_run_truth(data, config.reading, shape, reporter.progress)
        say(decision_words(decision))
        fresh.write_truth(run_id, truth)
        table, summary = summarise(scored, truth, settings, reporter.progress)
        fresh.write_scores(run_id, table)

    if "normals" in stages_of(settings):
        with reporter.stage("normals"):
            fresh.write_normals(
                run_id, score_normals(fresh, run_id, keys, data, settings, device, checkpoint, table, reporter.progress)
            )

    seconds = reporter.seconds
    summary |= {
        "masks": asdict(decision),
        "seconds": seconds,
        "rates": {
            "features": seconds["features"] / n_images if keys.computed else None,
            "train": seconds["train"] / n_steps if n_steps else None,
            "score": seconds["score"] / max(1, len(table)),
            "metrics": seconds["metrics"] / max(1, len(table)),
        },
        "peak_rss_mib": round(peak_mib(), 1),
        "device": str(device),
        "threads": torch.get_num_threads(),
        "source": source_label(settings),
        "weights_hash": keys.weights_hash,
    }
    with locked(store):
        passes.publish(fresh, run_id, summary)
        store.write_status(run_id, finished_status(len(table), f"Finished in {sum(seconds.values()):.0f} s."))
    store.free_reserve(run_id)
    say(f"finished: {summary['metrics']}")
    first_visits.prepare(store, run_id)


def _checkpoint(store: RunStore, fresh: FreshResults, run_id: str) -> Path:
    """Where training finds and writes its checkpoint: in the run, so that it survives whatever happens. Only where
    finished results need a checkpoint that is lost or damaged, the new one is written with the new results.
    """
    if store.finished_before(run_id) is not None:
        try:
            store.check_checkpoint(run_id)
        except DamagedRunError:
            return fresh.result_path(run_id, layout.CHECKPOINT)
    return store.result_path(run_id, layout.CHECKPOINT)


def _keep_data(store: RunStore, fresh: FreshResults, run_id: str, data: RunData) -> None:
    """Record the images and masks of the run; refuse to resume with other images. Masks count as they are now."""
    previous, found = store.data(run_id), data.to_json()
    if previous is None or (previous != found and previous.get("fingerprint") == data.fingerprint):
        is_second = store.finished_before(run_id) is not None  # finished results need the list that goes with them
        (fresh if is_second else store).write_data(run_id, found)
    elif previous.get("fingerprint") != data.fingerprint:
        raise DatasetError(
            f"The images in {Path(store.config(run_id).root)} have changed since this run began.",
            fix="Start a new run; or put the images back, then resume.",
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
