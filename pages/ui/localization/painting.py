"""The canvas to paint a defect on, and what was painted on each image in this session."""

import streamlit as st

from pages.ui.canvas import show_canvas
from pages.ui.errors import plain, show_error
from wtflow.errors import ImageReadError, WTFlowError
from wtflow.plots.pictures import data_uri, encode_jpeg, encode_png
from wtflow.results import RunResults, ScoreRow, find_sample
from wtflow.studies.paint import Stroke, apply_strokes, read_strokes

PICTURES = "what_if_pictures"
"""Session key: what was painted, by run and row. A choice, not a result: everything shown follows from it."""


def picture_of(run_id: str, row: int) -> dict:
    """What was painted on this image in this session:
    `done` and `undone` strokes as the browser sends them, `serial`, `version`.
    """
    pictures = st.session_state.setdefault(PICTURES, {})
    return pictures.get((run_id, row), {"done": [], "undone": [], "serial": 0, "version": 0})


def take_picture(run_id: str, row: int, found: dict) -> None:
    """Keep what the canvas sent. Only the shape is looked at here; strokes are checked when they are used."""
    done, undone, serial = found.get("done"), found.get("undone"), found.get("serial")
    if isinstance(done, list) and isinstance(undone, list) and isinstance(serial, int):
        version = picture_of(run_id, row)["version"]
        st.session_state[PICTURES][run_id, row] = {"done": done, "undone": undone, "serial": serial, "version": version}


def put_picture(run_id: str, row: int, strokes: list[dict]) -> None:
    """Replace what is painted; an open canvas takes it over because the version is another."""
    old = picture_of(run_id, row)
    st.session_state[PICTURES][run_id, row] = {
        "done": strokes,
        "undone": [],
        "serial": old["serial"] + 1,
        "version": old["version"] + 1,
    }


def show_painting(results: RunResults, image: ScoreRow, pixels) -> tuple[Stroke, ...]:
    """Canvas and choice of the image to paste from. pixels: the unpainted image. Returns the strokes, none
    where they are not valid (an error then shows why).
    """
    run_id, row = results.run_id, int(image.row)
    picture = picture_of(run_id, row)
    shape = results.shape
    box = st.container()  # the choice below decides what the canvas pastes from, but stands under it
    key = pick_source(results, image)
    strokes, painted, source = (), "", ""
    problem = lack = None
    try:
        strokes = read_strokes(picture["done"])
        sources = {stroke.source.key for stroke in strokes if stroke.source}
        sources = {name: results.seen.original(find_sample(results, name).sample_id, shape) for name in sources}
        painted = data_uri(encode_png(apply_strokes(pixels, strokes, 0, sources)[0]))
    except WTFlowError as error:
        strokes, problem = (), error
    try:
        source = data_uri(encode_jpeg(results.seen.original(find_sample(results, key).sample_id, shape)))
    except ImageReadError as error:
        lack = error
    with box:
        show_canvas(
            f"paint_{run_id}_{row}",
            name=f"{image.sample_id}, to paint on",
            shape=shape,
            image=data_uri(encode_jpeg(pixels)),
            picture=picture,
            painted=painted,
            source={"key": key, "label": key, "image": source},
            on_change=lambda found: take_picture(run_id, row, found),
        )
        if problem is not None:
            show_error(problem)
    if lack is not None:
        st.caption(f":material/broken_image: Nothing can be pasted from it. {plain(lack.message)}")
    return strokes


def pick_source(results: RunResults, image: ScoreRow) -> str:
    """The id of the image to paste from: at first the worst defective one."""
    ordered = results.test.sort_values(["is_defective", "score"], ascending=False).sample_id
    ids = [str(name) for name in ordered if name != image.sample_id] + [image.sample_id]
    return st.selectbox(
        "Paste from",
        ids,
        key=f"paste_from_{results.run_id}_{image.row}",
        help="For the brush Paste: where patches are copied from.",
    )
