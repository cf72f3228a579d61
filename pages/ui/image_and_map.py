"""Image, map and overlay of one image; a click chooses a position."""

import streamlit as st

from pages.ui import picture_cache, state
from pages.ui.errors import plain
from pages.ui.localization.picture import show_pictures
from wtflow.numbers import score as format_score
from wtflow.results import RunResults, ScoreRow, why_left_out
from wtflow.store.runs import RunStore

SCALES = ("run", "image")
OUTLINES = ("on", "off")
OWN_SCALE_NOTE = (
    "Colours are stretched to this image alone, so a normal image looks defective, too. Do not compare images on this"
    " scale."
)
OPACITY = 0.6


def show_image_and_map(store: RunStore, results: RunResults, image: ScoreRow, threshold: float) -> None:
    """Image, map and overlay; a click chooses a position."""
    found = picture_cache.localization(store, results.run_id, int(image.row))
    if found.note:
        st.caption(f":material/info: {plain(found.note)}")
    show_pictures(
        found.encoded,
        key="pictures",
        image_key=found.key,
        name=f"{image.sample_id}, score {format_score(image.score)}",
        threshold=threshold,
        look=read_look(),
        own_scale_note=OWN_SCALE_NOTE,
        selected=read_position(results.maps.shape[1:]),
        on_click=lambda position: state.put("position", position),
    )
    if not found.encoded["truth"] and image.is_defective:
        st.caption(f"The true defect is not outlined. {plain(why_left_out(results, image))}")


def read_look() -> dict[str, object]:
    """How the pictures look, as the address says."""
    opacity = state.get_number("opacity")
    return {
        "opacity": OPACITY if opacity is None else min(max(opacity, 0.0), 1.0),
        "scale": state.choose("scale", SCALES, "run"),
        "outline": state.choose("outline", OUTLINES, "on"),
    }


def take_position(key: str) -> None:
    points = [point for point in st.session_state[key].selection.points if point.get("customdata")]
    if points:
        row, column = points[0]["customdata"][:2]
        state.put("position", f"{int(row)},{int(column)}")


def read_position(shape: tuple[int, int]) -> tuple[int, int] | None:
    """The position that the address names, if the grid has it."""
    row, _, column = (state.get("position") or "").partition(",")
    if not (row.isdecimal() and column.isdecimal()):
        return None
    return (int(row), int(column)) if int(row) < shape[0] and int(column) < shape[1] else None
