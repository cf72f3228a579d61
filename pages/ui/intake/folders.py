"""Folders of the server to choose from, below those that a page may read (WTFLOW_ROOTS, or the home folder)."""

from pathlib import Path

import streamlit as st

from pages.ui.errors import plain, show_error
from wtflow import numbers
from wtflow.datasets.allowed import allowed_roots, check_allowed, count_words, list_below
from wtflow.errors import DatasetError

MOST_SHOWN = 60
"""Folders that are listed at once; a filter finds the others."""


def browse(key: str) -> Path | None:
    """The folder that is open in the browser of this key; None where it cannot be. It stays open while a person works
    on other things.
    """
    roots = allowed_roots()
    at = Path(st.session_state.setdefault(key, str(roots[0])))
    try:
        folder = check_allowed(at)
        found = list_below(folder)
    except DatasetError as error:
        show_error(error)
        st.button("Begin again", icon=":material/home:", key=f"{key}_home", on_click=_open, args=(key, roots[0]))
        return None
    root = next(root for root in roots if folder == root or root in folder.parents)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key=f"{key}_crumbs"):
        if len(roots) > 1:
            st.selectbox(
                "Begin in",
                roots,
                index=roots.index(root),
                key=f"{key}_root",
                width=260,
                label_visibility="collapsed",
                on_change=lambda: _open(key, st.session_state[f"{key}_root"]),
            )
        for one in [root, *reversed([parent for parent in [folder, *folder.parents] if root in parent.parents])]:
            st.button(
                f"{plain(one.name or str(one))} ›",
                key=f"{key}_at_{one}",
                type="tertiary",
                on_click=_open,
                args=(key, one),
                disabled=one == folder,
            )
    st.caption(plain(str(folder)))
    wanted = ""
    if len(found) > MOST_SHOWN:
        wanted = st.text_input("Filter the folders", key=f"{key}_filter", width=260).strip().lower()
    shown = [one for one in found if wanted in one.path.name.lower()]
    with st.container(horizontal=True, gap="small", key=f"{key}_list"):
        for one in shown[:MOST_SHOWN]:
            st.button(
                f"{plain(one.path.name)} :gray[:small[{count_words(one)}]]",
                icon=":material/folder:",
                key=f"{key}_to_{one.path}",
                on_click=_open,
                args=(key, one.path),
                disabled=not one.is_open,
            )
    if len(shown) > MOST_SHOWN:
        st.caption(f"{numbers.count(len(shown) - MOST_SHOWN, 'folder')} more: filter by name.")
    elif not found:
        st.caption("No folders in this one.")
    return folder


def _open(key: str, folder: Path) -> None:
    st.session_state[key] = str(folder)
    st.session_state.pop(f"{key}_filter", None)
