"""Where did it see a defect in this image, and why this score?"""

from pathlib import Path
from typing import cast

import streamlit as st

from pages.ui import cache, picture_cache, state, thresholds, widgets
from pages.ui.errors import plain, show_error, shown
from pages.ui.flow import flow_cache
from pages.ui.frame import link, open_page
from pages.ui.image_and_map import read_position, show_image_and_map
from pages.ui.intake.correct import offer_correction, show_corrections
from pages.ui.localization.sizes import show_sizes
from pages.ui.localization.what_if import show_what_if
from pages.ui.note_taking import show_image_notes
from pages.ui.probe import show_followed
from pages.ui.relocation import show_where_images_are
from pages.ui.stepping import find_or_stop, step_buttons
from pages.ui.words import glossed
from wtflow import numbers
from wtflow.errors import ImageReadError, RunNotFoundError, WTFlowError
from wtflow.failures.score_origin import origin_of_score
from wtflow.numbers import of_threshold
from wtflow.numbers import score as format_score
from wtflow.plots import theme
from wtflow.plots.scores import plot_score_strip
from wtflow.plots.theme import OUTCOMES
from wtflow.results import CalledRow, RunResults, add_outcomes, image_at, image_of_row
from wtflow.store.runs import RunStore

IMAGE_PX = 300
NEIGHBOUR_PX = 110
"""Least width of a crop: six in a row where there is room."""


def main(store: RunStore) -> None:
    results = widgets.open_run(store)
    threshold = thresholds.read_threshold(results)
    image = pick_image(results, threshold)
    show_verdict(results, image, threshold)
    show_image_and_map(store, results, image, threshold.value)
    show_sizes(store, results, image)
    show_where_images_are(store, results, is_gone=results.seen.is_gone(image.sample_id))
    left, right = st.columns([3, 2], gap="large")
    with left:
        show_strip(results, image, threshold)
    with right:
        show_image_notes(store, results.run_id, image.sample_id)
        said = {"is_defective": bool(image.is_defective), "defect": image.defect}
        offer_correction(store, results.run_id, image.sample_id, Path(image.path), **said)
    show_probe(store, results, image)
    show_what_if(store, results, image, threshold)
    show_corrections(store, results.run_id)


def pick_image(results: RunResults, threshold: thresholds.Threshold) -> CalledRow:
    """The image that the address names, or the worst of the filter, with buttons and arrow keys to its neighbours."""
    chosen = thresholds.read_filter(results)
    rows = thresholds.rows_of(results, threshold, chosen)
    if rows.empty:
        chosen, rows = (
            thresholds.Filter((), (), None, chosen.sort),
            thresholds.rows_of(results, threshold, thresholds.Filter((), (), None, chosen.sort)),
        )
    if rows.empty:
        show_error(
            RunNotFoundError(
                f"Run {results.run_id} has no test images.",
                fix="Add images to test/ and train again, or inspect new images.",
            )
        )
        link("inspect", "Inspect new images", icon=":material/image_search:", **state.NO_INSPECTION)
        st.stop()
    ids = list(rows.sample_id)
    wanted = state.get("sample") or ids[0]
    row = find_or_stop(results, wanted)
    if wanted not in ids:  # a link to an image that the filter leaves out: step through all
        chosen, rows = (
            thresholds.Filter((), (), None, chosen.sort),
            thresholds.rows_of(results, threshold, thresholds.Filter((), (), None, chosen.sort)),
        )
        ids = list(rows.sample_id)
    ids = ids if wanted in ids else [wanted, *ids]
    at = ids.index(wanted)
    state.settle("sample", wanted)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.selectbox(
            "Image",
            ids,
            format_func=lambda i: i,
            **state.bound("sample", wanted),
            width=IMAGE_PX,
            label_visibility="collapsed",
        )
        step_buttons("sample", ids, at)
        where = f" with {plain(chosen.words)}" if chosen.is_active else ""
        st.caption(f"{at + 1} of {len(ids)}{where}, {thresholds.SORTS[chosen.sort].lower()}", width="content")
        link("results", "Gallery", icon=":material/grid_view:")
        link(
            "follow",
            "Follow this defect" if row.is_defective else "Follow this patch",
            icon=":material/conversion_path:",
            help="From the patch to its pixel in the map",
            run=results.run_id,
            sample=wanted,
            position=state.get("position"),
        )
    found = results.table[results.table.sample_id == wanted]
    return cast(CalledRow, image_at(add_outcomes(found, threshold.value), 0))


def show_verdict(results: RunResults, image: CalledRow, threshold: thresholds.Threshold) -> None:
    is_called = image.score >= threshold.value
    with st.container(horizontal=True, vertical_alignment="center", key=f"verdict_{image.outcome}"):
        st.markdown(f"**{OUTCOMES[image.outcome].capitalize()}**", width="content")
        share = of_threshold(float(image.score), threshold.value)
        words = share or f"{'at or above' if is_called else 'below'} the threshold"
        st.markdown(
            f"Score **{format_score(image.score)}** is {words} {format_score(threshold.value)}: called"
            f" {'defective' if is_called else 'normal'}. True label: {plain(image.defect)}.",
            width="content",
        )
        if origin := origin_of_score(results, image, threshold.value):
            st.caption(origin, width="content")


def show_strip(results: RunResults, image: CalledRow, threshold: thresholds.Threshold) -> None:
    st.subheader("Among all test images", anchor=False)
    test = results.test
    st.plotly_chart(
        plot_score_strip(test.score.to_numpy(), test.is_defective.to_numpy(), float(image.score), threshold.value),
        key="strip",
        config=theme.CONFIG,
        alt=f"Scores of all test images; this one has {format_score(image.score)}",
    )
    n_higher = int((test.score > image.score).sum())
    st.caption(
        f"{n_higher or 'None'} of {numbers.count(len(test), 'image')} score{'s' * (n_higher == 1)} higher."
        f" {threshold.words}"
    )


def show_probe(store: RunStore, results: RunResults, image: CalledRow) -> None:
    """What the score of one position is made of, at every saved time."""
    st.subheader("One position, step by step", anchor=False)
    position = read_position(results.maps.shape[1:])
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            glossed(
                "Click a pixel in the pictures above to follow its feature from the data (t = 0) to the noise (t = 1)."
            ),
            width="content",
        )
        peak = f"{image.peak_row},{image.peak_column}"
        st.button(
            "Highest position",
            icon=":material/my_location:",
            on_click=state.put,
            args=("position", peak),
            type="tertiary",
        )
        if position is not None:
            there = {"run": results.run_id, "sample": image.sample_id, "position": state.get("position")}
            link(
                "trajectories", "Follow it in fine steps", icon=":material/route:", images="one", how="clicked", **there
            )
    if position is None:
        return
    if show_followed(lambda: cache.probe(store, results.run_id, int(image.row), *position), position):
        show_neighbours(store, results, int(image.row), position)


def show_neighbours(store: RunStore, results: RunResults, row: int, position: tuple[int, int]) -> None:
    """What the feature resembles: crops around the nearest positions of training normals."""
    try:
        with st.spinner("Looking for the nearest normal positions"):
            found = flow_cache.neighbours(store, results.run_id, row, *position)
    except WTFlowError as error:
        show_error(error)
        return
    here = image_of_row(results.table, row)
    st.caption(
        glossed(
            "The position, and the nearest positions of normal training images before the flow moves anything, by the"
            " distance of their features."
        )
    )
    tiles = [(here.sample_id, *position, "this position")]
    tiles += [(one.sample_id, one.grid_row, one.grid_column, f"distance {format_score(one.distance)}") for one in found]
    with st.grid(len(tiles), min_column_width=NEIGHBOUR_PX, key="neighbours"):
        for i, (sample, grid_row, grid_column, words) in enumerate(tiles):
            with st.container(key=f"tile-near_{i}", gap="xsmall"):
                try:
                    st.image(
                        picture_cache.crop(
                            store, results.run_id, sample, grid_row, grid_column, results.maps.shape[1:]
                        ),
                        width="stretch",
                        alt=f"Crop around {words}",
                    )
                except ImageReadError as error:
                    st.error(plain(error.message), icon=":material/broken_image:")
                st.caption(f"**{words}**")
                st.caption(plain(sample.rpartition(".")[0]))


store = open_page("localization")
with shown():
    main(store)
