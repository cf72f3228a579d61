"""All runs in one table that is sorted, filtered and chosen from, assets/runs.js.

A row is opened by a click; a star is set and rows are selected without leaving the table. The browser sorts and filters
some hundred runs by itself; of more it has the page that is looked at, and the server does both. The address tells by
what.
"""

import streamlit as st
from streamlit.components.v2 import component

from pages.ui import state
from pages.ui.access.visitor import ONLY_LOOK
from pages.ui.errors import show_error
from pages.ui.frame import ASSETS, go
from pages.ui.overview.listed import PER_PAGE, Listed
from pages.ui.overview.rows import COLUMNS, rows_of
from wtflow import permission
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


def show_table(store: RunStore, listed: Listed, selected: list[str]) -> str | None:
    """Draw the table. selected: runs that are, and that are still there. Returns the run that a person wants to
    describe just now; leaves the page for one they open.
    """
    rows = rows_of(store, listed.runs)
    view = {"find": listed.find, "by": listed.by, "archived": listed.archived, "page": max(listed.page, 1)}
    data = {
        "rows": rows,
        "columns": list(COLUMNS),
        "view": view,
        "is_whole": listed.page == 0,
        "fits": list(listed.fits),
        "counts": {"found": listed.n_found, "all": listed.n_all, "archived": listed.n_archived},
        "per_page": PER_PAGE,
        "problem": listed.problem,
        "only_look": "" if permission.may_train() else ONLY_LOOK,
        "there": selected,
    }
    found = _mount(
        key=KEY,
        data=data,
        default={"selected": [], "view": view},
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
    state.put("archived", None if view.get("archived") == "no" else view.get("archived"))
    state.put("page", str(view["page"]) if isinstance(view.get("page"), int) and view["page"] > 1 else None)


def _star(store: RunStore) -> None:
    pressed = (st.session_state.get(KEY) or {}).get("star")
    if isinstance(pressed, dict):
        try:
            star_run(store, str(pressed.get("id")), bool(pressed.get("star")))
        except WTFlowError as error:
            st.session_state[_FAILED] = error
