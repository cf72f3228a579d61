"""A real tiny run for pages that move features, what they send to the field, and tasks as their status files tell of
them.
"""

import json
import shutil
from pathlib import Path

from page_runs import components
from run_folders import train_here, write_tiny_category
from streamlit.testing.v1 import AppTest

from wtflow.jobs import processes, studies
from wtflow.jobs.first_visits import first_requests
from wtflow.store.runs import RunStore
from wtflow.studies.answers import answer_path
from wtflow.studies.compute import compute_answer
from wtflow.studies.requests import Request


def train_apart(folder: Path) -> tuple[Path, str]:
    """A store with one finished run (two good, three defective test images of 8 x 8 positions), to be copied for each
    test.

    What its pages open with is there already.
    """
    store = RunStore(folder / "runs")
    run_id = train_here(store, write_tiny_category(folder / "images", n_good=2, n_bad=3))
    for request in first_requests(store.config(run_id).settings):
        compute_answer(store, run_id, request, lambda share: None)
    return store.home, run_id


def copy_store(home: Path, store: RunStore) -> None:
    shutil.copytree(home, store.home, dirs_exist_ok=True)


def field_of(page: AppTest) -> dict | None:
    """What the page sent to the particle field, None where it shows none."""
    found = components(page)
    return json.loads(found[0].proto.json) if found else None


def links_of(page: AppTest) -> dict[str, str]:
    """Label of each link -> its page and query."""
    return {link.proto.label: f"{link.proto.page}?{link.proto.query_string}" for link in page.get("page_link")}


def tell_of(store: RunStore, run_id: str, request: Request, **facts) -> None:
    """Put a task's status where its process would; a running one is said to be this very process."""
    path = answer_path(store, run_id, request)
    path.parent.mkdir(exist_ok=True)
    pid, created = processes.this_process()
    running = {"state": "running", "share": 0.0, "began": 0.0, "pid": pid, "pid_created": created}
    assert studies.write_status(store, path, (running if facts.get("state") == "running" else {}) | facts)
