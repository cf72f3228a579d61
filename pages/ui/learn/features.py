"""Lesson `features`: one patch of a run's own image from the image to the map, as the page *follow* shows it."""

import streamlit as st

from pages.ui import run_lists, widgets
from pages.ui.errors import shown
from pages.ui.follow.show import show_story
from pages.ui.frame import link
from wtflow.records.run_list import RunQuery
from wtflow.store.runs import RunStore

NO_RUN = (
    "There is no finished run yet. Train one, then this lesson follows a patch of its images; all other lessons need"
    " none."
)
HEIGHT = "clamp(19rem, calc(100vh - 26.5rem), 46rem)"
"""Of the panels: the lesson's own row stands above them, too."""


def show_features(store: RunStore) -> None:
    """The strip on the run that the address names, which the title row lets one choose, and links to more of it."""
    if not run_lists.look(store).find(RunQuery(states=("finished",), archived="also", limit=1)).runs:
        st.info(NO_RUN, icon=":material/info:")
        link("train", "Train a run", icon=":material/model_training:")
        return
    results = widgets.open_run(store)
    with shown():
        show_story(store, results, height=HEIGHT, is_guest=True)
    run_id = results.run_id
    with st.container(horizontal=True, key="lesson_features_links"):
        link("trajectories", "Watch all of them travel", icon=":material/route:", run=run_id)
        link("wells", "See where they end", icon=":material/adjust:", run=run_id)
        link("trajectories", "Few steps against many", icon=":material/stairs:", run=run_id, tab="steps")
        link("trajectories", "Ideal against learned", icon=":material/difference:", run=run_id, tab="ideal")
