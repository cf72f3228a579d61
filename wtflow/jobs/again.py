"""Train again: the settings of a run, on another version of its images."""

from pathlib import Path

from wtflow.jobs import trainings
from wtflow.records.reading import Reading
from wtflow.store.dataset_versions import version_root
from wtflow.store.runs import RunStore


def train_again(store: RunStore, run_id: str, name: str, number: int) -> str:
    """The id of a new run, started or queued, on a version of a data set made here with the settings of another run.
    Raises RunNotFoundError, RunBusyError.
    """
    root: Path = version_root(store, name, number)
    config = store.config(run_id)
    # Masks of a set made here are black and white, and its folders say what is good: nothing has to be said.
    return trainings.start(store, root, name, config.settings, Reading(), config.sized)
