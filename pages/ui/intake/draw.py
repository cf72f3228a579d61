"""Step 3: where the defects are, drawn on the photos. Optional."""

import streamlit as st

from pages.ui import state
from pages.ui.errors import plain
from pages.ui.intake import set_cache
from pages.ui.intake.addresses import address_of
from pages.ui.intake.mask_editor import show_mask_editor
from pages.ui.intake.mask_import import show_mask_import
from pages.ui.intake.onward import show_way_on
from pages.ui.intake.said import fail
from wtflow import numbers
from wtflow.errors import WTFlowError
from wtflow.intake.drawn import keep_drawn, mask_picture
from wtflow.records.intake import DataSet, Item
from wtflow.store.runs import RunStore


def words(data: DataSet) -> str:
    """How far this step is."""
    defective = data.of("defect")
    if not defective:
        return "optional"
    n = sum(item.has_mask for item in defective)
    return f"{n:,} of {len(defective):,} drawn, optional"


def is_complete(data: DataSet) -> bool:
    """Whether every defective photo has a mask."""
    defective = data.of("defect")
    return bool(defective) and all(item.has_mask for item in defective)


def show_draw(store: RunStore, data: DataSet) -> None:
    """What masks are for, the photos of defects, and the editor."""
    defective = sorted(data.of("defect"), key=lambda item: item.defect)
    n = sum(item.has_mask for item in defective)
    show_way_on(
        "Go on: split",
        "split",
        "A mask marks where a defect is. Training needs none: masks only tell how well the detector finds the place. A"
        f" few are enough to begin with. {n:,} of {numbers.count(len(defective), 'defective photo')}"
        f" {'has' if n == 1 else 'have'} one.",
    )
    if not defective:
        st.info("No photo is called defective, so there is nothing to mark.", icon=":material/check_circle:")
        return
    by = {item.id: item for item in defective}
    first = next((item.id for item in defective if not item.has_mask), defective[0].id)
    chosen = state.choose("picture", by, first)
    state.settle("picture", chosen)
    ids = list(by)
    at = ids.index(chosen)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox("Photo", ids, format_func=lambda key: _line(by[key]), width=360, **state.bound("picture", chosen))
        step = {"on_click": state.put, "disabled": len(ids) == 1}
        st.button("Previous", icon=":material/arrow_back:", args=("picture", ids[at - 1]), **step)
        st.button("Next", icon=":material/arrow_forward:", args=("picture", ids[(at + 1) % len(ids)]), **step)
        st.caption(f"{at + 1:,} of {len(ids):,}", width="content")
    item = by[chosen]
    show_mask_editor(
        "mask_editor",
        picture_key=f"{data.name}/{item.id}",
        name=f"{item.name}, {item.defect}",
        shape=(item.height, item.width),
        image=address_of(set_cache.large(store, data, item.id), "mask-image"),
        mask=mask_picture(store, data.name, item.id),
        on_save=lambda key, png, wants_next: _keep(store, data, key, png, wants_next),
        next_label="Save, next photo" if len(ids) > 1 else "Save",
    )
    show_mask_import(store, data.name)


def _line(item: Item) -> str:
    return f"{'✓ ' if item.has_mask else ''}{item.name} ({plain(item.defect)}){', has a mask' if item.has_mask else ''}"


def _keep(store: RunStore, data: DataSet, key: str, png: bytes, wants_next: bool) -> None:
    """Before the page runs again. data: as it was on the screen."""
    name, _, item_id = key.rpartition("/")
    try:
        fresh = keep_drawn(store, name, item_id, png)
    except WTFlowError as error:
        fail(error)
        return
    if wants_next and name == data.name:
        order = sorted(fresh.of("defect"), key=lambda item: item.defect)
        at = next((i for i, item in enumerate(order) if item.id == item_id), -1)
        others = [*order[at + 1 :], *order[: max(at, 0)]]
        following = next((item.id for item in others if not item.has_mask), None)
        state.put("picture", following or (others[0].id if others else item_id))
