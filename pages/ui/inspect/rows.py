"""A few inspected images one below the other, each with its picture, its map and the nearest training normals."""

from collections.abc import Sequence

import streamlit as st

from pages.ui import picture_cache
from pages.ui.errors import plain
from pages.ui.frame import link
from pages.ui.inspect import inspect_cache
from pages.ui.inspect.verdicts import show_verdict
from wtflow.errors import WTFlowError
from wtflow.inspecting.pictures import origin_words
from wtflow.numbers import score as format_score
from wtflow.records.inspect import Inspected, Inspection
from wtflow.store.inspection_words import InspectionWords
from wtflow.store.layout import is_run_id
from wtflow.store.runs import RunStore


def show_rows(store: RunStore, inspection: Inspection, rows: Sequence[Inspected], words: InspectionWords) -> None:
    """A card for each image."""
    first: dict[str, str] = {}
    for at, row in enumerate(rows):
        twin = first.setdefault(row.sha256, row.image) if row.sha256 else row.image
        with st.container(border=True, key=f"card-inspected_{at}"):
            _show_row(store, inspection, row, words.notes.get(row.image, ""), "" if twin == row.image else twin)


def show_nearest(store: RunStore, inspection: Inspection, row: Inspected) -> None:
    """The training normals whose mean features are nearest, with pictures where the run is here."""
    if not row.nearest:
        return
    st.caption("Nearest training normals, with the distance of their mean features")
    for column, (sample_id, distance) in zip(st.columns(3), row.nearest[:3], strict=False):
        with column:
            if is_run_id(inspection.detector):
                try:
                    picture = picture_cache.training_picture(store, inspection.detector, sample_id)
                    st.image(picture, width="stretch", alt=f"training normal {sample_id}")
                except WTFlowError as error:
                    st.caption(f":material/broken_image: {plain(error.message)}")
            st.caption(f"{plain(sample_id.rpartition('/')[2])} · {format_score(distance)}")


def _show_row(store: RunStore, inspection: Inspection, row: Inspected, note: str, twin: str) -> None:
    name = row.image.rpartition("/")[2]
    if row.problem:
        st.error(f"**{plain(name)}**  \n{plain(row.problem)}", icon=":material/broken_image:")
        return
    numbers, picture, heat, near = st.columns([2, 2, 2, 3], gap="medium")
    with numbers:
        same = f" :gray[:small[same contents as {plain(twin)}]]" if twin else ""
        st.markdown(f"**{plain(name)}**{same}")
        st.metric("Score (higher is worse)", format_score(row.score), help=f"Threshold {format_score(row.threshold)}")
        show_verdict(row)
        if words := origin_words(store, inspection, row):
            st.caption(words)
        for text in (note, row.note):
            if text:
                st.caption(f":material/comment: {plain(text)}")
        link(
            "inspect",
            "Open",
            icon=":material/center_focus_strong:",
            inspection=inspection.inspection_id,
            image=row.image,
            help="Zoom, probe a pixel, write a note, correct",
        )
    alone = inspect_cache.tile(store, inspection, row, with_map=False)
    picture.image(alone, width="stretch", caption="image", alt=row.image)
    mixed = inspect_cache.tile(store, inspection, row, with_map=True)
    heat.image(mixed, width="stretch", caption="map on the run's scale", alt=f"Anomaly map of {row.image}")
    with near:
        show_nearest(store, inspection, row)
