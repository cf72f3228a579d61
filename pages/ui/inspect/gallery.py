"""The images of an inspection as a grid of small pictures: filtered, sorted, in pages. A click opens one."""

from collections.abc import Sequence

import streamlit as st

from pages.ui import state, widgets
from pages.ui.errors import plain, show_error
from pages.ui.frame import link
from pages.ui.inspect import inspect_cache
from pages.ui.inspect.rows import show_rows
from pages.ui.inspect.verdicts import show_verdict
from wtflow import numbers
from wtflow.errors import WTFlowError
from wtflow.inspecting.choice import CALLS, ORDERS, Call, Order, choose_rows, is_in
from wtflow.numbers import score as format_score
from wtflow.records.inspect import Inspected, Inspection
from wtflow.store.inspection_words import InspectionWords, read_words
from wtflow.store.runs import RunStore

PER_PAGE = 28
"""Full rows of seven in a wide window and of four in a narrow one."""
IN_ROWS = 10
"""So many images, or fewer, are shown one below the other, each with its nearest normals."""
MOST_PER_PAGE = {"grid": PER_PAGE, "rows": IN_ROWS}
SHOWN_AS = {"grid": "Grid", "rows": "With nearest normals"}


def show_gallery(store: RunStore, inspection: Inspection, rows: Sequence[Inspected]) -> None:
    """The filter, and the images that pass it."""
    if not rows:
        return
    words = words_of(store, inspection)
    noted = frozenset(words.notes)
    chosen, order, between = read_calls(), read_order(), read_between()
    as_ = state.choose("cards", SHOWN_AS, "rows" if len(rows) <= IN_ROWS else "grid")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        _show_filter(rows, chosen, noted)
        st.selectbox("Order", list(ORDERS), format_func=ORDERS.__getitem__, width=200, **state.bound("order", order))
        st.selectbox(
            "Show as", list(SHOWN_AS), format_func=SHOWN_AS.__getitem__, width=200, **state.bound("cards", as_)
        )
    found = choose_rows(rows, chosen, order, noted=noted, score_range=between)
    on_page = widgets.pager(len(found), MOST_PER_PAGE[as_])
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(_count_words(len(found), len(rows), chosen, between), width="content")
        if chosen or between:
            st.button("Show all", icon=":material/filter_alt_off:", on_click=_clear, type="tertiary")
    if not found:
        st.info("No image passes this filter.", icon=":material/filter_alt:")
        return
    cards = [found[i] for i in on_page]
    if as_ == "rows":
        show_rows(store, inspection, cards, words)
        return
    with st.grid(min_column_width=widgets.TILE_PX, key="inspected"):
        for at, row in enumerate(cards):
            show_card(store, inspection, row, words.notes.get(row.image, ""), at)


def words_of(store: RunStore, inspection: Inspection) -> InspectionWords:
    """What people wrote about an inspection; where the file is damaged nothing, and the page says so."""
    try:
        return read_words(store, inspection.inspection_id)
    except WTFlowError as error:
        show_error(error)
        return InspectionWords()


def read_calls() -> list[Call]:
    """What the address filters by."""
    wanted = state.get_all("calls")
    return [call for call in CALLS if call in wanted]


def read_order() -> Order:
    worst: Order = "worst"
    return state.choose("order", ORDERS, worst)


def read_between() -> tuple[float, float] | None:
    low, separator, high = (state.get("between") or "").partition("~")
    try:
        return (float(low), float(high)) if separator else None
    except ValueError:
        return None


def show_card(store: RunStore, inspection: Inspection, row: Inspected, note: str, at: int) -> None:
    """One image of the grid: its picture under its map, score and verdict. All of it opens the image."""
    with st.container(key=f"tile-image_{at}", gap="xsmall"):
        if row.problem:
            st.markdown(":material/broken_image:", width="content")
        else:
            picture = inspect_cache.tile(store, inspection, row, with_map=True)
            st.image(picture, width="stretch", alt=f"{row.image}, score {format_score(row.score)}")
        label = plain(row.image.rpartition("/")[2])
        link(
            "inspect",
            label if row.problem else f"**{format_score(row.score)}** {label}",
            inspection=inspection.inspection_id,
            image=row.image,
            help=plain(row.image),
        )
        show_verdict(row)
        if row.problem:
            st.caption(plain(row.problem), help=plain(row.problem))
        for text in (note, row.note):
            if text:
                st.caption(f":material/comment: {plain(text)}", help=plain(text))


def _show_filter(rows: Sequence[Inspected], chosen: Sequence[Call], noted: frozenset[str]) -> None:
    n_of = {call: sum(is_in(row, call, noted) for row in rows) for call in CALLS}
    offered = [call for call in CALLS if n_of[call] or call in chosen]
    st.pills(
        "Show only",
        offered,
        selection_mode="multi",
        format_func=lambda call: f"{CALLS[call]} ({n_of[call]:,})",
        **state.bound("calls", list(chosen)),
    )


def _count_words(n: int, n_all: int, chosen: Sequence[Call], between: tuple[float, float] | None) -> str:
    parts = [CALLS[call] for call in chosen]
    if between:
        parts.append(f"score {format_score(between[0])} to {format_score(between[1])}")
    what = f": {' or '.join(parts)}" if parts else ""
    return f"{n:,} of {numbers.count(n_all, 'image')}{what}. Beside the verdict: the score as a share of the threshold."


def _clear() -> None:
    state.put("calls", None)
    state.put("between", None)
    st.session_state["n_inspected_histograms"] = st.session_state.get("n_inspected_histograms", 0) + 1
