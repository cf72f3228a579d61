"""Image, map and overlay of one image, with what changes their look; a click chooses a position."""

import streamlit as st

from pages.ui import picture_cache, state
from pages.ui.errors import plain
from pages.ui.masks.meaning import LEFT_OUT_KEY
from wtflow.plots import theme
from wtflow.plots.axes import format_score
from wtflow.plots.localization import plot_localization
from wtflow.plots.masks import hatch
from wtflow.plots.pictures import to_uint8
from wtflow.results import RunResults, ScoreRow, outline_of, pixel_map, truth_to_draw, why_left_out
from wtflow.store.runs import RunStore

SCALES = {"run": "One scale for the run", "image": "This image's own scale"}
OWN_SCALE_NOTE = (
    "Colours are stretched to this image alone, so a normal image looks defective, too. Do not compare images on this"
    " scale."
)


def show_image_and_map(store: RunStore, results: RunResults, image: ScoreRow) -> None:
    """Image, map and overlay; a click chooses a position."""
    opacity_text, scale = state.get_number("opacity"), state.get("scale")
    opacity = 0.6 if opacity_text is None else min(max(opacity_text, 0.0), 1.0)
    scale = scale if scale in SCALES else "run"
    values = pixel_map(results, int(image.row))
    grid = results.maps[int(image.row)]
    shown, outline = picture_cache.full_picture(store, results.run_id, int(image.row)), outline_of(results, image)
    is_drawn = outline is not None and st.session_state.setdefault("show_truth", True)
    if shown.note:
        st.caption(f":material/info: {plain(shown.note)}")
    truth = truth_to_draw(results, image)
    pixels = hatch(to_uint8(shown.pixels), truth.ignored) if is_drawn and truth is not None else shown.pixels
    figure = plot_localization(
        pixels,
        values,
        outline if is_drawn else None,
        color_range=results.color_range if scale == "run" else (float(values.min()), float(values.max())),
        opacity=opacity,
        grid_shape=grid.shape,
        position_scores=grid,
        selected=read_position(grid.shape),
    )
    key = f"picture-{image.row}"
    st.plotly_chart(
        figure,
        key=key,
        on_select=lambda: take_position(key),
        selection_mode="points",
        config=theme.PICTURE_CONFIG,
        alt=f"{image.sample_id}: the image, its anomaly map, and both; score {format_score(image.score)}",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.slider("Opacity of the map", 0.0, 1.0, step=0.05, **state.bound("opacity", opacity), width=260)
        st.segmented_control(
            "Colours", list(SCALES), required=True, format_func=SCALES.__getitem__, **state.bound("scale", scale)
        )
        if outline is not None:
            st.toggle("Outline of the true defect", key="show_truth", persist_state="session")
            if truth is not None and len(truth.left_pixel):
                st.html(LEFT_OUT_KEY)
        elif image.is_defective:
            st.caption(f"The true defect is not outlined. {plain(why_left_out(results, image))}")
    if scale == "image":
        st.caption(f":material/warning: {OWN_SCALE_NOTE}")


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
