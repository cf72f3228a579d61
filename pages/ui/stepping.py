"""One image of a run, and from one to the next."""

from collections.abc import Sequence
from typing import Literal

import streamlit as st

from pages.ui import state
from pages.ui.errors import show_error
from pages.ui.frame import link
from wtflow.errors import RunNotFoundError
from wtflow.results import RunResults, ScoreRow, find_sample


def find_or_stop(results: RunResults, sample_id: str) -> ScoreRow:
    """The image of this id; where the run has none, says so, shows a way on and ends the page."""
    try:
        return find_sample(results, sample_id)
    except RunNotFoundError as error:
        show_error(error)
        link("results", "Go to the gallery", icon=":material/grid_view:")
        st.stop()


def step_buttons(
    choice: str,
    ids: Sequence[str],
    at: int,
    *,
    kind: Literal["secondary", "tertiary"] = "secondary",
    by_keys: bool = True,
) -> None:
    """The ways from the image at this place to the one before and the one after it, by button or arrow key; from either
    end to the other. choice: the name of the choice that holds the image.
    """
    for label, icon, key, there in (
        ("Previous", ":material/arrow_back:", "Left", ids[at - 1]),
        ("Next", ":material/arrow_forward:", "Right", ids[(at + 1) % len(ids)]),
    ):
        st.button(
            label,
            icon=icon,
            shortcut=key if by_keys else None,
            type=kind,
            on_click=state.put,
            args=(choice, there),
            disabled=len(ids) == 1,
        )
