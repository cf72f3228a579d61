"""The story of one image: which one, the strip, the scores over time. For the page *follow* and the lesson."""

from collections.abc import Callable

import streamlit as st

from pages.ui import answers, state, thresholds
from pages.ui.downloads import MovieFormat, offer_still
from pages.ui.errors import plain, show_error
from pages.ui.follow import follow_cache
from pages.ui.follow.strip import COMPARES, HEIGHT, Choice, show_strip, strip_choice
from pages.ui.frame import link
from pages.ui.image_and_map import read_position
from pages.ui.stepping import find_or_stop, step_buttons
from wtflow import numbers
from wtflow.errors import WTFlowError
from wtflow.export.tables import story_csv
from wtflow.plots.follow import Beside, Story, alike_of, encode_beside
from wtflow.results import RunResults, ScoreRow, each_image
from wtflow.store.runs import RunStore
from wtflow.studies.duration import over_time_seconds

AT_ONCE_S = 120.0
"""The scores over time begin by themselves where they are expected to take no longer: they stand beside the map."""


def show_story(store: RunStore, results: RunResults, *, height: str = HEIGHT, is_guest: bool = False) -> None:
    """Everything below the run's name. height: of the panels, a CSS length; is_guest: on another page than *follow*,
    with fewer controls.
    """
    if results.test.empty:
        st.info(
            "This run has no test images, so there is nothing to follow. Add images to test/ and train again.",
            icon=":material/info:",
        )
        return
    threshold = thresholds.read_threshold(results).value
    with st.container(horizontal=True, vertical_alignment="center", key="follow_image"):
        image = pick_image(results)
        if not is_guest:
            show_ways(results, image)
        files = st.container(width="content")
    row = int(image.row)
    if answers.read_yardstick(store, results.run_id, follow_cache.YARDSTICK, results.settings.steps) is None:
        return
    try:
        with st.spinner("Moving the image (the first time loads the network: some seconds)"):
            encoded = follow_cache.encoded_story(store, results.run_id, row)
        choice = read_choice(results, image)
        near = read_nearest(store, results, row, choice)
    except WTFlowError as error:
        show_error(error)
        return
    if encoded["note"]:
        st.caption(f":material/info: {plain(str(encoded['note']))}")
    show_strip(
        encoded,
        key="follow",
        choice=choice,
        threshold=threshold,
        nearest=None if near is None else encode_beside(near, choice.position),
        on_change=take_choice,
        height=height,
    )
    with files:
        show_files(follow_cache.story(store, results.run_id, row), choice, near, threshold)
    show_below(store, results)


def pick_image(results: RunResults) -> ScoreRow:
    """The image that the address names, else the defect found with the highest score, with the ways to its neighbours
    in the order of scores. Ends the page where there is no such image.
    """
    ordered = results.test.sort_values(["score", "sample_id"], ascending=[False, True])
    ids = [image.sample_id for image in each_image(ordered)]
    wanted = state.get("sample") or first_found(results)
    image = find_or_stop(results, wanted)
    ids = ids if wanted in ids else [wanted, *ids]
    state.settle("sample", wanted)
    at = ids.index(wanted)
    st.selectbox("Image", ids, label_visibility="collapsed", **state.bound("sample", wanted), width=290)
    step_buttons("sample", ids, at, by_keys=False)
    return image


def show_ways(results: RunResults, image: ScoreRow) -> None:
    """To the image's highest position, and to its map in full."""
    highest = f"{image.peak_row},{image.peak_column}"
    st.button(
        "Highest position",
        icon=":material/my_location:",
        type="tertiary",
        on_click=state.put,
        args=("position", highest),
    )
    there = {"run": results.run_id, "sample": image.sample_id}
    link("localization", "Its map in full", icon=":material/center_focus_strong:", **there)


def first_found(results: RunResults) -> str:
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
    seconds = over_time_seconds(results)
    answers.read_task(
        store,
        results.run_id,
        follow_cache.OVER_TIME,
        f"Score all {numbers.count(len(results.test), 'test image')} as if the flow ended earlier",
        numbers.duration(seconds),
        at_once=seconds <= AT_ONCE_S,
    )


def read_nearest(store: RunStore, results: RunResults, row: int, choice: Choice) -> Beside | None:
    """The nearest normal patch of the training images, where the position is compared with that."""
    if choice.compare != "nearest":
        return None
    with st.spinner("Looking for the nearest normal patch"):
        return follow_cache.nearest(store, results.run_id, row, choice.position)


def show_files(story: Story, choice: Choice, near: Beside | None, threshold: float) -> None:
    """The strip at its time as PNG and SVG, its numbers, and the whole way as a movie."""
    beside = alike_of(story, choice.position) if choice.compare == "normal" else near
    followed = story, choice.position, beside

    def movie(ending: MovieFormat, progress: Callable[[int, int], None]) -> bytes:
        from wtflow.plots.still.follow import story_movie  # Matplotlib is loaded only when someone requests a file

        return story_movie(*followed, threshold, ending, progress)

    at = 1.0 if choice.t is None else choice.t
    offer_still("follow", "still_story", *followed, threshold, at, csv=lambda: story_csv(*followed), movie=movie)
