"""Every page begins with `open_page()`: navigation, title, logo, style and the choices in the address.

With a folder named `pages/`, the first request after the server's start runs the page file without app.py, and so do
tests of one page. So navigation is set here, on every page, whether or not app.py has done it in this run: setting it
twice is harmless, and the ids of widgets stay the same in both cases (they depend on how navigation was set).
"""

from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.ui import state, words
from pages.ui.access.visitor import let_in, show_visitor
from pages.ui.errors import PLACE, shown
from pages.ui.garbage import leave_libraries_out
from pages.ui.scroll import open_at_the_top
from wtflow.machine.places import ASSETS, STUDIO
from wtflow.store.runs import RunStore

APP_NAME = "WT-Flow Studio"


@dataclass(frozen=True)
class PageEntry:
    """A line of the navigation. `params` are the choices that the page keeps in its address."""

    title: str
    icon: str
    question: str
    params: tuple[str, ...] = ()


# File name (which is also the address) -> what the navigation shows. The first is the start page.
PAGES: dict[str, PageEntry] = {
    "overview": PageEntry("Overview", ":material/home:", "What is here, and what can I do next?", state.OVERVIEW),
    "data": PageEntry(
        "Data", ":material/photo_library:", "What does this data set contain, and is it ready for training?", state.DATA
    ),
    "train": PageEntry("Train", ":material/model_training:", "Configure, start and watch a run.", state.TRAIN),
    "sweep": PageEntry(
        "Sweep",
        ":material/grid_on:",
        "Many categories, settings and seeds: which is best, and what matters?",
        state.SWEEP,
    ),
    "results": PageEntry("Results", ":material/monitoring:", "How well did it do, and on which images?", state.RESULTS),
    "localization": PageEntry(
        "Localization", ":material/center_focus_strong:", "Where did it see a defect, and why this score?", state.IMAGE
    ),
    "failures": PageEntry(
        "Failures", ":material/troubleshoot:", "What does it get wrong, and is there a pattern?", state.FAILURES
    ),
    "compare": PageEntry(
        "Compare", ":material/compare_arrows:", "Which run is better, and where do they disagree?", state.COMPARE
    ),
    "trajectories": PageEntry(
        "Trajectories", ":material/route:", "How do features travel from data to noise?", state.PATHS
    ),
    "wells": PageEntry(
        "Wells", ":material/adjust:", "Where do they end: who falls into the well, who escapes?", state.WELLS
    ),
    "follow": PageEntry(
        "Follow", ":material/conversion_path:", "How does one patch become one pixel of the map?", state.FOLLOW
    ),
    "learn": PageEntry(
        "Learn",
        ":material/school:",
        "What is flow matching, and why does the worst transport make a well?",
        state.LEARN,
    ),
    "inspect": PageEntry(
        "Inspect", ":material/image_search:", "Which of my new images are defective, and can I trust it?", state.INSPECT
    ),
}

FIRST = next(iter(PAGES))

FORMER = {"try_image": "inspect"}
"""Address of an earlier version -> the page that does what stood there."""

GROUPS = {"results": "Judge", "trajectories": "Understand", "inspect": ""}
"""Page with which a group of the top bar begins -> what a person does on its pages."""

_PLACES: ContextVar[tuple[DeltaGenerator, DeltaGenerator]] = ContextVar("places_in_the_title_row")
"""Of the page that this thread is drawing: for the run, and for the page's own controls."""


def navigate() -> st.Page:
    """Set the navigation and return the page that the address names. A stranger gets no further."""
    leave_libraries_out()
    # Before the navigation, or the browser would fetch the open page's icon from another server as its favicon.
    st.set_page_config(page_icon=str(ASSETS / "icon.svg"), layout="wide")
    let_in()
    hidden = [_alias(), *(_former(name) for name in FORMER)]
    return st.navigation([*(page(name) for name in PAGES), *hidden], position="top")


def page(name: str) -> st.Page:
    """The page as links and navigation take it; the path is absolute, so it holds whichever file was run first."""
    entry, is_first = PAGES[name], name == FIRST
    return st.Page(
        STUDIO / "pages" / f"{name}.py",
        title=entry.title,
        icon=entry.icon,
        help=entry.question,
        url_path="start" if is_first else None,
        default=is_first,
    )


def _alias() -> st.Page:
    """The start page under its own name: its address is the bare one, but /overview is what people try, too."""
    return st.Page(STUDIO / "pages" / f"{FIRST}.py", title=PAGES[FIRST].title, url_path=FIRST, visibility="hidden")


def _former(name: str) -> st.Page:
    """A page of an earlier version. It has a file: the first request after the server's start knows files alone."""
    return st.Page(STUDIO / "pages" / f"{name}.py", title=PAGES[FORMER[name]].title, visibility="hidden")


def lead_on(former: str) -> NoReturn:
    """Go from the address of an earlier version to the page that does what stood there, with the same choices."""
    navigate()
    found = {name: st.query_params.get_all(name) for name in st.query_params}
    st.switch_page(page(FORMER[former]), query_params=found)


def open_page(name: str) -> RunStore:
    """Set up what all pages share, write the page's heading, and return the store of runs.

    What the page draws next, under `shown()`, goes into a container of its own: what is left of another page while this
    one is being drawn stands in that page's container, which is hidden.
    """
    entry = PAGES[name]
    navigate()
    st.set_page_config(page_title=f"{entry.title} · {APP_NAME}")
    st.logo(str(ASSETS / "logo.svg"), size="large")
    st.html(ASSETS / "style.css")
    st.html(Path(__file__).with_name("head.css"))
    st.html(Path(__file__).with_name("pages.css"))
    st.html(_style_of(name))
    state.sync(name, entry.params)
    words.begin_page()
    st.html(Path(__file__).with_name("large.css") if is_large() else "<style></style>")
    open_at_the_top(name, is_first=name == FIRST)
    places = {one: st.container(key=f"page_of_{one}") for one in PAGES}  # each page's at an index of its own
    with places[name]:
        _show_head(entry)
    PLACE.set(places[name])
    with shown():
        store = RunStore()
    PLACE.set(places[name])
    return store


def _style_of(name: str) -> str:
    """Hides what is left of other pages, and names the groups in the top bar."""
    rules = [f'[class*="st-key-page_of_"]:not(.st-key-page_of_{name}) {{ display: none; }}']
    for first, group in GROUPS.items():
        item = f'[data-testid="stTopNav"] > .rc-overflow-item:has(a[href$="/{first}"])'
        rules += [
            f"{item} {{ border-left: 1px solid color-mix(in srgb, currentColor 25%, transparent); }}",
            f'{item}::before {{ content: "{group}"; }}',
        ]
    return f"<style>{' '.join(rules)}</style>"


def _show_head(entry: PageEntry) -> None:
    """The title row: title, place for the run, the page's question where there is room, place for a page's controls."""
    with st.container(horizontal=True, vertical_alignment="center", key="page_head"):
        st.title(entry.title, anchor=False, width="content")
        run = st.container(horizontal=True, vertical_alignment="center", width="content", key="page_run")
        with st.container(key="page_question"):
            st.caption(words.glossed(entry.question))
        tools = st.container(horizontal=True, vertical_alignment="center", width="content", key="page_tools")
        show_visitor()
        _offer_large_type()
        words.mount_words()
    _PLACES.set((run, tools))


def is_large() -> bool:
    """Whether large type was chosen, as for a projector."""
    return state.get("large") == "1"


def _offer_large_type() -> None:
    """A switch for large type (large.css)."""
    st.session_state["large_type"] = is_large()  # the address is the truth
    st.toggle(
        "Large type",
        key="large_type",
        on_change=lambda: state.put("large", None if is_large() else "1"),
        help="For projectors, on every page",
    )


def run_place() -> DeltaGenerator:
    """Where the title row shows the run that a page is about."""
    return _PLACES.get()[0]


def head() -> DeltaGenerator:
    """The right end of the title row, for a few small controls of a page: `with head(): st.popover(...)`."""
    return _PLACES.get()[1]


def go(name: str, **params: str | list[str] | None) -> NoReturn:
    """Switch to another page with these choices made. Ends this run of the script."""
    st.switch_page(page(name), query_params=state.address(PAGES[name].params, params))


def link(
    name: str, label: str, *, icon: str | None = None, help: str | None = None, **params: str | list[str] | None
) -> None:
    """A link to another page with these choices made; it opens in a new tab like any link."""
    st.page_link(
        page(name),
        label=label,
        icon=icon,
        help=help,
        width="content",
        query_params=state.address(PAGES[name].params, params),
    )
