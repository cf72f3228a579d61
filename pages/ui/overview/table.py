"""All runs in one table that is sorted, filtered and chosen from in the browser, assets/runs.js.

A row is opened by a click; a star is set and rows are selected without leaving the table. It sorts and filters without
the server; the address tells by what.
"""

from typing import Any

import streamlit as st
from streamlit.components.v2 import component

from pages.ui import state
from pages.ui.errors import show_error
from pages.ui.frame import ASSETS, go
from pages.ui.overview.rows import COLUMNS
from wtflow.errors import WTFlowError
from wtflow.store.notes import star_run
from wtflow.store.runs import RunStore

KEY = "runs_table"

_mount = component(
    "wtflow_runs",
    html='<div class="runs"></div>',
    css=(ASSETS / "runs.css").read_text(encoding="utf-8"),
    js=(ASSETS / "runs.js").read_text(encoding="utf-8"),
)


def selected_runs() -> list[str]:
    """Ids that are selected in the table, also before it is drawn. Some may be gone."""
    found = st.session_state.get(KEY) or {}
    return [str(run_id) for run_id in found.get("selected") or ()]


def show_table(store: RunStore, rows: list[dict[str, Any]]) -> str | None:
    """Draw the table. Returns the run that a person wants to describe just now; leaves the page for one they open."""
    data = {
        "rows": rows,
        "columns": list(COLUMNS),
        "view": {"find": state.get("find") or "", "by": state.get("by") or "-created"},
    }
    found = _mount(
        key=KEY,
        data=data,
        default={"selected": [], "view": data["view"]},
        on_view_change=_keep_view,
        on_star_change=lambda: _star(store),
        on_selected_change=lambda: None,
        on_opened_change=lambda: None,
        on_edited_change=lambda: None,
    )
    if error := st.session_state.pop(_FAILED, None):
        show_error(error)
    pages = {row["id"]: row["page"] for row in rows}
    if found.opened in pages:
        if pages[found.opened] == "results":
            go("results", run=found.opened)
        go("train", watch=found.opened)
    return found.edited if found.edited in pages else None


_FAILED = "star_failed"
"""Session key: why the star that was pressed last could not be kept, until that was shown."""


def _keep_view() -> None:
    view = (st.session_state.get(KEY) or {}).get("view") or {}
    state.put("find", view.get("find") or None)
    state.put("by", None if view.get("by") == "-created" else view.get("by"))


def _star(store: RunStore) -> None:
    pressed = (st.session_state.get(KEY) or {}).get("star")
    if isinstance(pressed, dict):
        try:
            star_run(store, str(pressed.get("id")), bool(pressed.get("star")))
        except WTFlowError as error:
            st.session_state[_FAILED] = error
