"""Parts of the page `failures`: what explains the wrong calls, and groups of them in feature space."""

from typing import cast

import streamlit as st

from pages.ui import answers, cache, state
from pages.ui.errors import plain
from pages.ui.failures.by_type import NARROW_PX, show_tile
from pages.ui.failures.rows import WrongRow
from pages.ui.flow import flow_words
from pages.ui.frame import go
from pages.ui.thresholds import Threshold
from pages.ui.words import glossed
from wtflow import numbers
from wtflow.failures.calls import PIXEL_QUANTILE
from wtflow.failures.groups import LEAST, LEAST_IMAGES, MOST_GROUPS
from wtflow.failures.splits import MISSES, describe_split
from wtflow.failures.words import FailureStudy, describe_alarms
from wtflow.numbers import percent, score
from wtflow.plots import theme
from wtflow.plots.failures import plot_alarms, plot_fact, plot_groups
from wtflow.results import RunResults, image_at
from wtflow.store.runs import RunStore
from wtflow.studies.requests import NearestRequest, map_request

FACTS = {
    "area": "Area",
    "contrast": "Contrast",
    "border": "Distance to border",
    "n_regions": "Regions",
    "nearest": "Nearest normal",
}
TYPICAL_CHANNELS = 512
"""Channels assumed where only a rough time is promised."""
N_OF_GROUP = 5
CONTRAST_WORDS = (
    "Contrast: distance of the mean colour inside the mask from that of a ring around it, in spreads of the ring's own"
    " colour; 1 is as far as the ring's pixels are from their mean on average."
)


def show_explanation(store: RunStore, results: RunResults, study: FailureStudy, threshold: Threshold) -> None:
    """Scores against one fact, and where normal images look defective. A click leads to the image's map."""
    st.subheader("What explains them", anchor=False)
    with st.container(key="pair_explain"):
        left, right = st.columns(2, gap="large")
    with left:
        show_fact(store, results, study, threshold)
    with right:
        show_alarm_map(store, results)


def show_fact(store: RunStore, results: RunResults, study: FailureStudy, threshold: Threshold) -> None:
    """The chosen fact; the one that separates misses best to begin with."""
    if not results.has_defects:
        st.caption(
            "There is no defective test image, so there are no sizes, contrasts and places to compare scores with."
        )
        return
    offered = [name for name in FACTS if name == "nearest" or name in study.table]
    best = next((split.fact for split in study.miss_splits), offered[0])
    fact = state.choose("fact", offered, best)
    st.segmented_control(
        "Score against", offered, required=True, format_func=FACTS.__getitem__, **state.bound("fact", fact)
    )
    if fact == "nearest" and "nearest" not in study.table:
        offer_nearest(store, results)
        return
    table = study.table if fact == "nearest" else study.table[study.table.is_defective]
    split = next((split for split in study.miss_splits if split.fact == fact), None)
    words = MISSES[fact]
    columns = table[fact].to_numpy(), table.score.to_numpy(), list(table.outcome), list(table.sample_id)
    bound = None if split is None else split.bound
    figure = plot_fact(*columns, threshold.value, words.title, bound=bound, is_share=words.is_share)
    follow(results, figure, f"fact_{fact}", f"Scores of {len(table)} test images against {words.title}")
    known = table[fact].notna().sum()
    words_below = (
        "It does not separate misses from hits beyond chance."
        if (table.outcome == "FN").any()
        else "No defect is missed at this threshold."
    )
    if split is not None:
        words_below = (
            f"{plain(describe_split(split, words, 'misses', 'hits'))} The dotted line is that bound, chosen on these"
            " very images."
        )
    st.caption(
        f"{words_below} {CONTRAST_WORDS if fact == 'contrast' else ''} {known} of {len(table)} images have this value."
        " Click a dot to see its map."
    )


def offer_nearest(store: RunStore, results: RunResults) -> None:
    """A task that looks for the nearest training normal of every test image."""
    st.caption(
        "How far each image's mean feature lies from the nearest training normal's, before the flow moves anything."
    )
    expected = (
        "some ten seconds where the features are still in the cache, else as long as the run took to compute those of"
        " its test images"
    )
    answers.read_task(store, results.run_id, NearestRequest(), "Find the nearest training normals", expected)


def show_alarm_map(store: RunStore, results: RunResults) -> None:
    alarms = cache.alarm_map(store, results.run_id, PIXEL_QUANTILE)
    st.markdown("**Where normal images look defective**")
    if alarms is None:
        st.caption("There is no normal test image, so there can be no false alarm.")
        return
    ids = dict(zip(results.table.row.tolist(), results.table.sample_id.tolist(), strict=True))
    follow(
        results,
        plot_alarms(alarms, ids),
        "alarms",
        f"Share of {alarms.n_images} normal images above the pixel threshold at each position",
    )
    st.caption(
        glossed(
            f"Pixel threshold {score(alarms.threshold)}: the {percent(alarms.quantile)} quantile of all positions of"
        )
        + f" {alarms.n_images} normal test images. {' '.join(plain(sentence) for sentence in describe_alarms(alarms))}"
        " Click a place to see the image that is highest there."
    )


def follow(results: RunResults, figure, key: str, alt: str) -> None:
    """A figure whose points lead to their image's map."""
    event = st.plotly_chart(
        figure, key=f"explain_{key}", on_select="rerun", selection_mode="points", config=theme.CONFIG, alt=alt
    )
    points = [point for point in event.selection.points if point.get("customdata")]
    if points and points[0]["customdata"][0]:
        sample, position = points[0]["customdata"]
        go("localization", run=results.run_id, sample=sample, position=position or None)


def show_groups(store: RunStore, results: RunResults, study: FailureStudy, threshold: Threshold) -> None:
    """Failing images whose worst positions are neighbours in feature space."""
    st.subheader("Groups of wrong calls", anchor=False)
    n, n_wrong = len(results.test), len(study.failures)
    if n_wrong < LEAST or n < LEAST_IMAGES:
        st.caption(
            f"{numbers.count(n_wrong, 'wrong call')} of {numbers.count(n, 'test image')}: groups need at least {LEAST}"
            f" of {LEAST_IMAGES}. Look at them one by one above."
        )
        return
    request = map_request(n, results.settings.solver)
    expected = flow_words.expected_umap(store, request, n, TYPICAL_CHANNELS)
    projection = answers.read_task(
        store,
        results.run_id,
        request,
        f"Group the worst positions of {n:,} images",
        expected,
    )
    if projection is None:
        return
    found = cache.failure_map(store, results.run_id, request, threshold.value)
    table = study.table.set_index("row").loc[found.row]
    with st.container(key="pair_groups"):
        left, right = st.columns(2, gap="large")
    with left:
        figure = plot_groups(found.points, found.group, list(table.outcome), list(table.sample_id))
        follow(
            results,
            figure,
            "groups",
            f"UMAP of the worst position of {n} test images, {len(found.groups)} groups of wrong calls",
        )
        how = "they are too similar to separate"
        if found.silhouette is not None:
            how = (
                f"of 2 to {MOST_GROUPS} the number of the highest silhouette, {found.silhouette:.2f} (Ward; above 0.5"
                " is well separated)"
            )
        st.caption(
            f"{numbers.count(len(found.groups), 'group')}: {how}. "
            + glossed("Each dot is the worst position of one test image")
            + " before the flow moves it, placed by UMAP: it shows which points are near each other, not how"
            " far groups are apart."
            " Click a dot to see its map."
        )
    with right:
        for group in found.groups:
            show_group(store, results, study, group)


def show_group(store: RunStore, results: RunResults, study: FailureStudy, group) -> None:
    """What is in a group, and those nearest to its middle as pictures."""
    own = study.failures.set_index("row").loc[list(group.row)].reset_index()
    counts = own.defect.value_counts()
    words = ", ".join(f"{name} {count}" for name, count in counts.items())
    st.markdown(f"**Group {group.number}: {numbers.count(len(own), 'image')}** ({plain(words)})")
    with st.grid(N_OF_GROUP, min_column_width=NARROW_PX, key=f"group_{group.number}"):
        for i in range(min(N_OF_GROUP, len(own))):
            show_tile(store, results, cast(WrongRow, image_at(own, i)), f"group{group.number}", side=False)
