"""A store that the shell finds; and what a page sets for its whole server process ends with the test that ran it."""

import gc
import os
import sys

import pytest

from wtflow.store.runs import RunStore


@pytest.fixture
def store(tmp_path, monkeypatch):
    """An empty store, the one of WTFLOW_HOME."""
    monkeypatch.setenv("WTFLOW_HOME", str(tmp_path / "runs"))
    return RunStore()


@pytest.fixture(autouse=True, scope="session")
def wait_for_no_disk():
    """Nobody cuts the power while tests run, and on a busy disk each wait is some milliseconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


@pytest.fixture(autouse=True)
def search_everything_again():
    """Pages narrow the search for garbage, which hides objects from `gc.get_referrers`; Hypothesis asks it before it
    draws by a fixed seed.
    """
    yield
    garbage = sys.modules.get("pages.ui.garbage")
    if garbage is not None and garbage._after_search in gc.callbacks:
        gc.callbacks.remove(garbage._after_search)
        gc.unfreeze()
