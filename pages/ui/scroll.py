"""Where a page is scrolled to when it opens: its top, or, coming back, where it was left (assets/scroll.js)."""

from streamlit.components.v2 import component

from wtflow.machine.places import ASSETS

_mount = component(
    "wtflow_scroll",
    js=(ASSETS / "scroll.js").read_text(encoding="utf-8"),
    isolate_styles=False,  # it draws nothing
)


def open_at_the_top(page: str, *, is_first: bool) -> None:
    """Tell the browser which page is open; it moves only when that changes. is_first: its address may be the bare
    one.
    """
    _mount(key="page_scroll", data={"page": page, "addresses": [page, ""] if is_first else [page]})
