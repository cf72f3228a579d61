"""What pages that move features send to the field, and tasks as their status files tell of them."""

import json

from page_runs import components
from streamlit.testing.v1 import AppTest

from wtflow.jobs import processes, studies
from wtflow.store.runs import RunStore
from wtflow.studies.answers import answer_path
from wtflow.studies.requests import Request


def field_of(page: AppTest) -> dict | None:
    """What the page sent to the particle field, None where it shows none."""
    sent = [json.loads(one.proto.json) for one in components(page)]
    return next((one for one in sent if "items" not in one), None)  # the questions of a lesson have items


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
