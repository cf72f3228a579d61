"""A store of its own for every page test, a tiny category on disk, and a finished run of it."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import streamlit as st
from flow_runs import tell_of
from made_once import answered_run, copy_store
from page_runs import PAGES, OpenPage, write_run
from run_folders import write_tiny_category
from streamlit.testing.v1 import AppTest
from waiting import PATIENCE_S

from wtflow.errors import WTFlowError
from wtflow.jobs import studies
from wtflow.store.runs import RunStore
from wtflow.studies.compute import compute_answer
from wtflow.studies.requests import Request


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    """An empty store that the pages find; nothing is left in caches from another test."""
    monkeypatch.setenv("WTFLOW_HOME", str(tmp_path / "runs"))
    st.cache_data.clear()
    st.cache_resource.clear()
    return RunStore()


@pytest.fixture
def trained(store: RunStore, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A real finished run of two good and three defective test images, with the answers that its pages open with."""
    home, run_id = answered_run(tmp_path_factory, 2, 3)
    copy_store(home, store)
    return run_id


@pytest.fixture(autouse=True)
def answers_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a page has a process compute at once is computed in this one, before the page goes on; nothing ahead."""

    def start(store: RunStore, run_id: str, requests: Sequence[Request], *, is_ahead: bool = False) -> None:
        if is_ahead:
            return
        try:
            compute_answer(store, run_id, requests[0], lambda share: None)
        except WTFlowError as error:
            tell_of(store, run_id, requests[0], state="failed", message=error.message, fix=error.fix)

    monkeypatch.setattr(studies, "start_tasks", start)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_tiny_category(tmp_path / "images", n_good=2, n_bad=3)


@pytest.fixture
def open_page(store: RunStore) -> OpenPage:
    """Run a page file alone, as a deep link may, with these query parameters."""

    def open_(name: str, **params: str) -> AppTest:
        page = AppTest.from_file(PAGES / f"{name}.py", default_timeout=PATIENCE_S)
        for key, value in params.items():
            page.query_params[key] = value
        return page.run()

    return open_


@pytest.fixture
def finished(store: RunStore, root: Path) -> str:
    """A finished run of the tiny category, with an untrained backbone."""
    return write_run(store, root)
