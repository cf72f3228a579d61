"""A figure as files: PNG, SVG, PDF, its data, and the animation as a movie. Nothing is drawn before a person requests
it.
"""

from collections.abc import Callable
from typing import Literal

import streamlit as st

from pages.ui import state, widgets
from pages.ui.errors import show_error
from wtflow.errors import WTFlowError
from wtflow.export.folder import file_stem
from wtflow.plots.still.encode import GET_FFMPEG, find_ffmpeg

MovieFormat = Literal["gif", "mp4"]
Make = Callable[[], bytes]
Film = Callable[[MovieFormat, Callable[[int, int], None]], bytes]
"""Takes "gif" or "mp4" and a progress callback (frames done, frames in all)."""

_STILLS = (
    ("PNG", "png", "image/png", "For text and slides, 300 dots per inch"),
    ("SVG", "svg", "image/svg+xml", "For papers: lines and text stay sharp"),
    ("PDF", "pdf", "application/pdf", "For papers that are written in LaTeX"),
)
_MOVIES: dict[MovieFormat, tuple[str, str]] = {"gif": ("GIF", "image/gif"), "mp4": ("MP4", "video/mp4")}


def show_downloads(
    name: str,
    *,
    png: Make,
    svg: Make,
    pdf: Make | None = None,
    csv: Make | None = None,
    movie: Film | None = None,
    label: str = "Download",
) -> None:
    """A small menu of files to download, named `<run>-<name>.png` and so on.
    `name` is also what sets it apart on its page.

    Each callable is called when its button is pressed, in a separate thread: it may use caches but must show nothing.
    The movie is drawn with progress, then offered.
    """
    with st.popover(label, icon=":material/download:", type="tertiary", key=f"downloads_{name}"):
        with st.container(horizontal=True):
            makes = {"png": png, "svg": svg, "pdf": pdf}
            for kind, ending, mime, hint in _STILLS:
                if (make := makes[ending]) is not None:
                    _offer(kind, make, name, ending, mime, hint)
            if csv is not None:
                _offer("CSV", csv, name, "csv", "text/csv", "The numbers behind the figure")
        if movie is not None:
            _show_movie(name, movie)


def offer_still(
    name: str,
    still: str,
    *records: object,
    csv: Make | None = None,
    movie: Film | None = None,
    label: str = "Download",
    with_pdf: bool = False,
) -> None:
    """The menu of a still figure: `still` is its function in wtflow.plots.still, `records` what that takes.
    Rest as in `show_downloads`.
    """
    show_downloads(
        name,
        png=lambda: _draw(still, records, "png"),
        svg=lambda: _draw(still, records, "svg"),
        pdf=(lambda: _draw(still, records, "pdf")) if with_pdf else None,
        csv=csv,
        movie=movie,
        label=label,
    )


def _draw(name: str, records: tuple, ending: str) -> bytes:
    """A Matplotlib figure as bytes; Matplotlib is loaded only when someone requests a file."""
    from wtflow.plots import still
    from wtflow.plots.still.sheet import to_pdf, to_png, to_svg

    write = {"png": to_png, "svg": to_svg, "pdf": to_pdf}[ending]
    return write(getattr(still, name)(*records))


def _offer(label: str, data: Make | bytes, name: str, ending: str, mime: str, hint: str | None = None) -> None:
    file = file_name(state.get("run"), name, ending)
    st.download_button(
        label, data, file, mime, key=f"take_{name}_{ending}", help=hint, icon=":material/download:", on_click="ignore"
    )


def file_name(run_id: str | None, name: str, ending: str) -> str:
    """`<run>-<name>.<ending>`, in characters that any system takes."""
    stem = file_stem(f"{run_id or 'figure'}-{name}.{ending}")
    return f"{stem}.{ending}"


@st.fragment
def _show_movie(name: str, movie: Film) -> None:
    """A fragment, so that drawing a movie leaves the rest of the page alone. The movie is offered until something
    else is pressed.
    """
    has_ffmpeg = find_ffmpeg() is not None
    with st.container(horizontal=True):
        wanted = [
            ending
            for ending, (label, _) in _MOVIES.items()
            if st.button(
                f"Make {label}",
                icon=":material/movie:",
                key=f"make_{name}_{ending}",
                disabled=ending == "mp4" and not has_ffmpeg,
            )
        ]
    if not has_ffmpeg:
        st.caption(f"An MP4 needs ffmpeg, which was not found. {GET_FFMPEG}")
    for ending in wanted:
        _make(name, movie, ending)


def _make(name: str, movie: Film, ending: MovieFormat) -> None:
    label, mime = _MOVIES[ending]
    bar = st.progress(0.0, text=f"Drawing the {label}")
    try:
        made = movie(ending, widgets.count_on(bar, lambda done, total: f"Frame {done} of {total}"))
    except WTFlowError as error:
        show_error(error)
    else:
        _offer(f"Save {label}", made, name, ending, mime)
    finally:
        bar.empty()
