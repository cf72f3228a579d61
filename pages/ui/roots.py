"""Which folder of images is open: the demo, or one that a person typed. The last one is remembered with the runs."""

import contextlib
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.ui import data_cache, state
from pages.ui.demo import show_drawing
from pages.ui.errors import plain, show_error
from wtflow.datasets.allowed import check_typed
from wtflow.datasets.demo.write import DEMO_CATEGORIES
from wtflow.datasets.files import is_folder
from wtflow.datasets.roots import WrongRootError
from wtflow.datasets.scan import LAYOUTS, RootScan
from wtflow.errors import LayoutError, StoreError, WTFlowError
from wtflow.jobs.demos import demo_root
from wtflow.records.core import Category
from wtflow.store.files import read_json, write_json
from wtflow.store.runs import RunStore

_MEMORY = "app.json"
_TYPED = "widget_typed_root"


def pick_root(store: RunStore, drawing: DeltaGenerator | None = None) -> RootScan | None:
    """A field for the folder, with the demo as default, and what was found there; None when it holds no categories.
    The demo is drawn when somebody asks for it. drawing: where that is offered; right below the field without it.
    """
    root = state.get("root") or remembered(store) or str(demo_root(store))
    is_demo = root == str(demo_root(store))
    st.session_state[_TYPED] = "" if is_demo else root
    line = st.container(horizontal=True, vertical_alignment="bottom")
    line.text_input(
        "Folder with categories",
        key=_TYPED,
        on_change=_typed,
        placeholder="Demo images. Type the path of a folder of your own here.",
        help=(
            "The folder that holds the categories, each with train/good, test and ground_truth (MVTec AD), or the"
            " layout of VisA or BTAD."
        ),
    )
    if not is_demo:
        line.button("Use the demo", icon=":material/auto_awesome:", on_click=_open, args=(store, str(demo_root(store))))
    if is_demo and (drawn := data_cache.drawn_demo(store)) != DEMO_CATEGORIES:
        with drawing or st.container():
            show_drawing(store)
        if not drawn:
            return None
    try:
        check_typed(root, store.home)
        scan = data_cache.categories(root)
    except WrongRootError as error:
        show_error(error)
        if error.suggestion is not None:
            st.button(
                f"Use {plain(str(error.suggestion))}",
                icon=":material/drive_file_move:",
                on_click=_open,
                args=(store, str(error.suggestion)),
            )
        return None
    except LayoutError as error:
        show_error(error)
        return None
    _remember(store, str(scan.root))
    if scan.hint:
        st.caption(plain(scan.hint))
    return scan


def pick_category(store: RunStore, scan: RootScan, most_pills: int = 15) -> Category:
    """The category that the address names, or the first. most_pills: beyond these it is a list that folds out."""
    wanted = state.get("category")
    if wanted is not None and wanted not in scan.categories:
        st.warning(
            f"There is no category {plain(repr(wanted[:80]))} in this folder; this is {plain(scan.categories[0])}.",
            icon=":material/search_off:",
        )
    name = wanted if wanted in scan.categories else scan.categories[0]
    if len(scan.categories) <= most_pills:
        st.pills("Category", scan.categories, required=True, format_func=plain, **state.bound("category", name))
    else:
        st.selectbox("Category", scan.categories, **state.bound("category", name))
    return data_cache.category(store, scan.root, name)


def layout_name(scan: RootScan) -> str:
    return LAYOUTS[scan.layout].title


def _typed() -> None:
    text = st.session_state[_TYPED].strip().strip('"')
    state.put("root", text or None)


def _open(store: RunStore, root: str) -> None:
    state.put("root", root)
    _remember(store, root)


def remembered(store: RunStore) -> str | None:
    """The folder used last, if it is still there."""
    with contextlib.suppress(WTFlowError):
        root = read_json(store.home / _MEMORY).get("root")
        if isinstance(root, str) and is_folder(Path(root)):
            return root
    return None


def _remember(store: RunStore, root: str) -> None:
    """A folder that cannot be remembered can be looked at all the same."""
    if remembered(store) != root:
        with contextlib.suppress(StoreError):
            write_json(store.home / _MEMORY, {"root": root})
