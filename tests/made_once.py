"""What several test files work on, made once a session: its workers share it. Tests copy what they change."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock
from run_folders import train_answered, write_tiny_category

from wtflow.store.runs import RunStore

COMPLETE = "complete"


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The folder that `make` filled for whoever asked first."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "made_once" / name
    folder.parent.mkdir(exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not (folder / COMPLETE).is_file():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            (folder / COMPLETE).touch()
    return folder


def answered_run(factory: pytest.TempPathFactory, n_good: int, n_bad: int) -> tuple[Path, str]:
    """The home of a store, and the only run in it: of so many good and defective test images of 8 x 8 positions, with
    the answers that its pages open with.
    """

    def make(folder: Path) -> None:
        train_answered(RunStore(folder / "runs"), write_tiny_category(folder / "images", n_good=n_good, n_bad=n_bad))

    store = RunStore(made_once(factory, f"answered_{n_good}_{n_bad}", make) / "runs")
    (run_id,) = store.ids()
    return store.home, run_id


def copy_store(home: Path, store: RunStore) -> None:
    shutil.copytree(home, store.home, dirs_exist_ok=True)
