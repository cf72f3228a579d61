"""One data set, step by step: each step in sight with how far it is, one of them open."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from pages.ui import state, widgets
from pages.ui.errors import plain, show_error
from pages.ui.intake import bring, draw, publish, sort, split
from pages.ui.intake.said import say, show_said
from wtflow import numbers
from wtflow.errors import WTFlowError
from wtflow.intake.versions import runs_of
from wtflow.records.intake import DataSet
from wtflow.store.dataset_versions import version_numbers
from wtflow.store.datasets import delete_set, open_set
from wtflow.store.runs import RunStore

N_EVENTS = 30


@dataclass(frozen=True)
class Step:
    """title, how far it is, and what shows it."""

    title: str
    words: Callable[[RunStore, DataSet, tuple[int, ...]], str]
    is_done: Callable[[DataSet, tuple[int, ...]], bool]
    show: Callable[[RunStore, DataSet], None]


STEPS: dict[str, Step] = {
    "bring": Step("Bring", lambda _, data, __: bring.words(data), lambda data, _: bool(data.items), bring.show_bring),
    "sort": Step(
        "Sort",
        lambda _, data, __: sort.words(data),
        lambda data, _: bool(data.of("good")) and not data.of("unsorted"),
        sort.show_sort,
    ),
    "masks": Step(
        "Masks", lambda _, data, __: draw.words(data), lambda data, _: draw.is_complete(data), draw.show_draw
    ),
    "split": Step("Split", lambda _, data, __: split.words(data), lambda _, versions: bool(versions), split.show_split),
    "version": Step(
        "Train",
        publish.words,
        lambda _, versions: bool(versions),
        publish.show_publish,
    ),
}


def show_set(store: RunStore, name: str) -> None:
    """The data set that the address names, at the step that it names."""
    data, versions = open_set(store, name), version_numbers(store, name)
    show_head(store, data)
    chosen = state.choose("step", STEPS, "sort" if data.items else "bring")
    show_steps(store, data, versions, chosen)
    show_said()
    STEPS[chosen].show(store, data)


def show_head(store: RunStore, data: DataSet) -> None:
    """The name of the set, the way to the others, its history, and the way out."""
    with st.container(horizontal=True, vertical_alignment="center", key="set_head"):
        st.button(
            "All my data sets", icon=":material/arrow_back:", type="tertiary", on_click=state.put, args=("photos", None)
        )
        st.subheader(plain(data.name), anchor=False, width="content")
        with st.popover("History", type="tertiary", icon=":material/history:"):
            for event in reversed(data.history[-N_EVENTS:]):
                st.caption(f"{widgets.moment(event.date)} · {plain(event.words)}")
        with st.popover("Delete", type="tertiary", icon=":material/delete:"):
            show_delete(store, data)


def show_delete(store: RunStore, data: DataSet) -> None:
    """A data set that runs were trained on stays."""
    if users := runs_of(store, data.name):
        st.write(f"{numbers.count(len(users), 'run')} were trained on it. Delete these first, or keep it.")
        return
    st.write(f"{numbers.count(len(data.items), 'photo')}, their labels, masks and versions are removed for good.")
    if st.button("Delete for good", type="primary", icon=":material/delete_forever:", key="delete_set"):
        try:
            delete_set(store, data.name)
        except WTFlowError as error:
            show_error(error)
            return
        state.put("photos", None)
        say([f"The data set {data.name} is gone."])
        st.rerun()


def show_steps(store: RunStore, data: DataSet, versions: tuple[int, ...], chosen: str) -> None:
    """One button for each step."""
    with st.container(horizontal=True, key="steps", gap="small"):
        for number, (key, step) in enumerate(STEPS.items(), start=1):
            is_done = step.is_done(data, versions)
            st.button(
                f"**{number}  {step.title}**  \n:small[{plain(step.words(store, data, versions))}]",
                icon=":material/check_circle:" if is_done else None,
                type="primary" if key == chosen else "secondary",
                key=f"step_{key}",
                on_click=state.put,
                args=("step", key),
                width="stretch",
            )
