"""Which of my new images are defective, where, and can I trust it?"""

import streamlit as st

from pages.ui import run_lists, state, widgets
from pages.ui.errors import plain, show_error, shown
from pages.ui.frame import link, open_page
from pages.ui.inspect.answer import show_answer
from pages.ui.inspect.earlier import show_tried
from pages.ui.inspect.gallery import show_gallery
from pages.ui.inspect.image import show_image
from pages.ui.inspect.listing import show_head, show_list
from pages.ui.inspect.live import show_life
from pages.ui.inspect.start import show_start
from pages.ui.inspect.watching import is_watching, show_watch
from pages.ui.intake.correct import show_corrections
from wtflow.errors import RunNotFoundError
from wtflow.inspecting import kept, tasks
from wtflow.records.inspect import Inspection
from wtflow.store.runs import RunStore

POLL_S = 3.0
"""How often the answer and the gallery are drawn again while images come in."""


def main(store: RunStore) -> None:
    inspection = open_inspection(store)
    if inspection is None:
        results = widgets.open_run(store)
        show_start(store, results)
        show_list(store, results.run_id)
        show_corrections(store, results.run_id)
        show_tried(store, results)
    elif state.get("image") is not None:
        pick_detector(store, inspection)
        show_image(store, inspection)
    else:
        pick_detector(store, inspection)
        show_inspection(store, inspection)


def open_inspection(store: RunStore) -> Inspection | None:
    """The inspection that the address names; None where it names none. Of one that is not there the page says so."""
    wanted = state.get("inspection")
    if wanted is None:
        return None
    try:
        return tasks.look(store, wanted)
    except RunNotFoundError as error:
        show_error(error)
        link("inspect", "All inspections", icon=":material/list:", **state.NO_INSPECTION)
        st.stop()


def pick_detector(store: RunStore, inspection: Inspection) -> None:
    """The picker of runs, on the inspection's own; nothing where its run is gone, or it is a detector's file."""
    run = run_lists.look(store).get(inspection.detector)
    if run is not None and widgets.is_finished(run):
        state.settle("run", inspection.detector)
        widgets.pick_run(store)


def show_inspection(store: RunStore, inspection: Inspection) -> None:
    show_head(store, inspection)
    if inspection.problem:
        st.error(f"**This inspection is damaged.**  \n{plain(inspection.problem)}", icon=":material/broken_image:")
        return
    show_life(store, inspection)
    if is_watching(inspection):
        show_watch(store, inspection)
    is_active = inspection.status.is_active
    st.fragment(_show_found, run_every=POLL_S if is_active else None)(store, inspection.inspection_id)


def _show_found(store: RunStore, inspection_id: str) -> None:
    """The answer and the images, as they are now."""
    with shown():
        inspection = tasks.look(store, inspection_id)
        rows = kept.rows(store, inspection_id)
        show_answer(store, inspection, rows)
        show_gallery(store, inspection, rows)


store = open_page("inspect")
with shown():
    main(store)
