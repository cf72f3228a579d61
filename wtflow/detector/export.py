"""A run's detector written to one file. Imports torch."""

from pathlib import Path

from wtflow.detector.file import write_file
from wtflow.detector.looks import with_looks
from wtflow.detector.opened import open_run
from wtflow.machine.progress import Progress
from wtflow.store.exported import note_export
from wtflow.store.runs import RunStore


def export_detector(store: RunStore, run_id: str, path: Path, progress: Progress) -> int:
    """Write a .wtf file with the threshold in force and what normal images look like; returns its bytes.

    `progress(done, total)` counts normal images, which are measured once and then kept with the run, with
    the name of the file. Raises as `open_run` and `write_file`.
    """
    n_bytes = write_file(with_looks(store, run_id, open_run(store, run_id), progress), path)
    note_export(store, run_id, path.name)
    return n_bytes
