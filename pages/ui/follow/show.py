"""The story of one image: which one, the strip, the scores over time. For the page *follow* and the lesson."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.ui import answers, state, thresholds, widgets
from pages.ui.errors import plain, show_error
from pages.ui.follow import follow_cache
from pages.ui.follow.strip import COMPARES, HEIGHT, Choice, show_strip, strip_choice
from pages.ui.frame import link
from pages.ui.image_and_map import read_position
from wtflow.errors import WTFlowError
from wtflow.results import RunResults, ScoreRow, each_image, find_sample
from wtflow.store.runs import RunStore
from wtflow.studies.duration import over_time_seconds


def show_story(store: RunStore, results: RunResults, *, height: str = HEIGHT) -> None:
    """Everything below the run's name. height: of the panels, a CSS length."""
    if results.test.empty:
        st.info(
            "This run has no test images, so there is nothing to follow. Add images to test/ and train again.",
            icon=":material/info:",
        )
        return
    threshold = thresholds.read_threshold(results)
    image = pick_image(results, threshold.value)
    run_id = results.run_id
    if answers.read_yardstick(store, run_id, follow_cache.YARDSTICK, results.settings.steps) is None:
        return
    try:
        with st.spinner("Moving the image (the first time loads the network: some seconds)"):
            story = follow_cache.encoded_story(store, run_id, int(image.row))
        choice = read_choice(results, image)
        near = _nearest(store, results, image, choice)
    except WTFlowError as error:
        show_error(error)
        return
    if story["note"]:
        st.caption(f":material/info: {plain(str(story['note']))}")
    show_strip(
        story,
        key="follow",
        choice=choice,
        threshold=threshold.value,
        nearest=near,
        on_change=take_choice,
        height=height,
    )
    show_below(store, results)


def pick_image(results: RunResults, threshold: float) -> ScoreRow:
    """The image that the address names, else the defect found with the highest score, with the ways to its neighbours
    in the order of scores. Ends the page where there is no such image.
    """
    ordered = results.test.sort_values(["score", "sample_id"], ascending=[False, True])
    ids = [image.sample_id for image in each_image(ordered)]
    wanted = state.get("sample") or first_found(results, threshold)
    try:
        image = find_sample(results, wanted)
    except WTFlowError as error:
        show_error(error)
        link("results", "Go to the gallery", icon=":material/grid_view:")
        st.stop()
    ids = ids if wanted in ids else [wanted, *ids]
    state.settle("sample", wanted)
    at = ids.index(wanted)
    with st.container(horizontal=True, vertical_alignment="center", key="follow_image"):
        st.selectbox("Image", ids, label_visibility="collapsed", **state.bound("sample", wanted), width=330)
        step = {"on_click": state.put, "disabled": len(ids) == 1}
        st.button("Previous", icon=":material/arrow_back:", args=("sample", ids[at - 1]), **step)
        st.button("Next", icon=":material/arrow_forward:", args=("sample", ids[(at + 1) % len(ids)]), **step)
        st.button(
            "Highest position",
            icon=":material/my_location:",
            type="tertiary",
            on_click=state.put,
            args=("position", f"{image.peak_row},{image.peak_column}"),
        )
        link(
            "localization", "Its map in full", icon=":material/center_focus_strong:", run=results.run_id, sample=wanted
        )
    return image


def first_found(results: RunResults, threshold: float) -> str:
    """The defective image with the highest score, which is the defect found with the highest one where any is found;
    without defective images the normal one with the highest score.
    """
    test = results.test.sort_values(["is_defective", "score", "sample_id"], ascending=[False, False, True])
    return str(test.sample_id.iloc[0])


def read_choice(results: RunResults, image: ScoreRow) -> Choice:
    """What the address names; the highest position of the image where it names none."""
    position = read_position(results.maps.shape[1:]) or (int(image.peak_row), int(image.peak_column))
    t = state.get_number("t")
    return Choice(position, state.choose("compare", COMPARES, "none"), None if t is None else min(max(t, 0.0), 1.0))


def take_choice() -> None:
    """Put what was done in the strip into the address."""
    found = strip_choice("follow")
    if found is None:
        return
    state.put("position", f"{found.position[0]},{found.position[1]}")
    state.put("compare", None if found.compare == "none" else found.compare)
    state.put("t", None if found.t is None else state.to_text(found.t))


def show_below(store: RunStore, results: RunResults) -> None:
    """What does not fit into the strip: the way to the scores over time until they are there."""
    answers.read_task(
        store,
        results.run_id,
        follow_cache.OVER_TIME,
        f"Score all {widgets.count(len(results.test), 'test image')} as if the flow ended earlier",
        widgets.duration(over_time_seconds(results)),
    )


def _nearest(store: RunStore, results: RunResults, image: ScoreRow, choice: Choice) -> Mapping[str, Any] | None:
    if choice.compare != "nearest":
        return None
    with st.spinner("Looking for the nearest normal patch"):
        return follow_cache.nearest(store, results.run_id, int(image.row), choice.position)
