"""How does a run score images of my own?"""

import hashlib
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from pages.ui import cache, picture_cache, shelves, thresholds, widgets
from pages.ui.errors import plain, show_error, shown
from pages.ui.frame import open_page
from wtflow import numbers
from wtflow.datasets.images import load_image
from wtflow.datasets.offered import Offered, offer_path, stamps_of
from wtflow.errors import DamagedRunError, DatasetError, ImageReadError, WTFlowError
from wtflow.failures.score_origin import origin
from wtflow.numbers import score as format_score
from wtflow.plots.pictures import encode_jpeg, overlay
from wtflow.records.core import IMAGE_SUFFIXES, Tried
from wtflow.results import RunResults
from wtflow.store.runs import RunStore
from wtflow.store.tried import delete_tried, list_tried, save_tried, tried_map

TYPES = [suffix.removeprefix(".") for suffix in IMAGE_SUFFIXES]
OPACITY = 0.6
PER_PAGE = 10

Run = tuple[str, str, tuple[int, ...]]
"""Store, id and stamp of a run: what a score belongs to."""


@dataclass(frozen=True)
class Card:
    """An image as it is shown. place: where it stands among all, which tells images of one name apart."""

    offered: Offered
    tried: Tried
    digest: str
    place: str
    key: str
    is_kept: bool


def main(store: RunStore) -> None:
    results = widgets.open_run(store)
    left, right = st.columns([3, 2], gap="large")
    with left:
        offered = pick_images()
    with right:
        threshold = thresholds.show_threshold(results)
    damaged: list[DamagedRunError] = []
    kept = list_tried(store, results.run_id, damaged.append)
    if offered:
        st.subheader(numbers.count(len(offered), "image"), anchor=False)
        try:
            show_offered(store, results, threshold, offered, {entry["key"] for entry in kept})
        except WTFlowError as error:
            show_error(error)
    show_kept(store, results, threshold, kept, damaged)


def pick_images() -> list[Offered]:
    """What was dropped, then the images of a folder. Nothing is read."""
    dropped = st.file_uploader("Drop images here", type=TYPES, accept_multiple_files=True, key="dropped")
    path = st.text_input(
        "Or all images of a folder on this computer",
        key="tried_folder",
        persist_state="session",
        placeholder="Path of a folder",
        help=f"However many there are: the {PER_PAGE} on show are read, once.",
    )
    offered = [Offered(file.name, data=file.getvalue(), token=file.file_id) for file in dropped]
    if path.strip():
        try:
            offered += offer_path(path)
        except DatasetError as error:
            show_error(error)
    return offered


def show_offered(
    store: RunStore, results: RunResults, threshold: thresholds.Threshold, offered: list[Offered], kept: set[str]
) -> None:
    """One card for each image on the open page of the list, in turn, as soon as it is scored."""
    on_page = widgets.pager(len(offered), PER_PAGE)
    bar = st.empty()
    run = (str(store.home), results.run_id, cache.run_stamp(store, results.run_id))
    first: dict[str, int] = {}
    for i, stamp in zip(on_page, stamps_of([offered[i] for i in on_page]), strict=True):
        found = known(run, offered[i], stamp)
        if found is None:
            done = i - on_page.start
            bar.progress(
                done / len(on_page),
                text=f"Scoring image {done + 1} of {len(on_page)} (the first one loads the network: some seconds)",
            )
            found = score(store, run, offered[i], stamp)
        digest, tried = found
        place = f"{i + 1} of {len(offered)}"
        if digest and first.setdefault(digest, i) != i:
            place += f" · same contents as {first[digest] + 1}"
        card = Card(offered[i], tried, digest, place, f"{i}_{digest[:16]}", digest[:16] in kept)
        show_tried(store, results, threshold, card)
    bar.empty()


def known(run: Run, offered: Offered, stamp: Hashable) -> tuple[str, Tried] | None:
    """What `score` found before for the same contents and run. Reads nothing."""
    digest = shelves.digests().get(stamp)
    found = None if digest is None else shelves.tried().get((*run, offered.name, digest))
    return None if digest is None or found is None else (digest, found)


def score(store: RunStore, run: Run, offered: Offered, stamp: Hashable) -> tuple[str, Tried]:
    """The SHA-256 of an image, empty where it cannot be read, and its result. Both are kept: an image is read once."""
    try:
        content = offered.read()
    except ImageReadError as error:
        return "", Tried(offered.name, problem=str(error))
    digest = hashlib.sha256(content).hexdigest()
    shelves.digests().put(stamp, digest)
    if (found := known(run, offered, stamp)) is None:
        from wtflow.studies.try_images import try_images  # imports torch: seconds, paid only here

        found = digest, try_images(store, run[1], [(offered.name, content)])[0]
        shelves.tried().put((*run, offered.name, digest), found[1])
    return found


def show_tried(store: RunStore, results: RunResults, threshold: thresholds.Threshold, card: Card) -> None:
    tried, name = card.tried, Path(card.tried.name).name
    title = f"**{plain(name)}** :gray[:small[{card.place}]]"
    with st.container(border=True):
        if tried.problem or tried.pixel_map is None or tried.image is None:
            st.error(f"{title}  \n{plain(tried.problem)}", icon=":material/broken_image:")
            return
        numbers, picture, heat, near = st.columns([2, 2, 2, 3], gap="medium")
        with numbers:
            st.markdown(title)
            st.metric(
                "Score (higher is worse)", format_score(tried.score), help=f"Threshold {format_score(threshold.value)}"
            )
            show_call(tried.score, threshold)
            if words := origin(
                tried.score, tried.whole_score, tried.pixel_map, results.settings.top_fraction, threshold.value
            ):
                st.caption(words)
            if card.is_kept:
                st.badge("kept with this run", icon=":material/bookmark_added:", color="gray")
            elif st.button("Keep in this run", icon=":material/bookmark_add:", key=f"keep_{card.key}"):
                try:
                    keep(store, results.run_id, card)
                except WTFlowError as error:
                    show_error(error)
        picture.image(tried.image, width="stretch", caption="as the network sees it", alt=f"{name}, resized")
        mixed = overlay(tried.image, tried.pixel_map, results.color_range, OPACITY)
        heat.image(encode_jpeg(mixed), width="stretch", caption="map on the run's scale", alt=f"Anomaly map of {name}")
        with near:
            show_nearest(store, results, tried)


def keep(store: RunStore, run_id: str, card: Card) -> None:
    """Keep an image with the run, if it still is the one that was scored."""
    content = card.offered.read()
    if hashlib.sha256(content).hexdigest() != card.digest:
        raise ImageReadError(
            f"{card.offered.name} has changed since it was scored.", fix="Load the page again: it is then scored anew."
        )
    save_tried(store, run_id, card.tried, content)
    name = plain(Path(card.tried.name).name)
    st.toast(f"{name} is kept with this run, apart from its test images.", icon=":material/bookmark:")
    st.rerun()


def show_call(score: float, threshold: thresholds.Threshold) -> None:
    """The verdict at the threshold as a coloured word."""
    if score >= threshold.value:
        st.badge("called defective", icon=":material/report:", color="orange")
    else:
        st.badge("called normal", icon=":material/check_circle:", color="blue")


def show_nearest(store: RunStore, results: RunResults, tried: Tried) -> None:
    """The training normals whose mean features are nearest."""
    st.caption("Nearest training normals, with the distance of their mean features")
    for column, (sample_id, distance) in zip(st.columns(3), tried.nearest[:3], strict=False):
        with column:
            try:
                picture = picture_cache.training_picture(store, results.run_id, sample_id)
                st.image(picture, width="stretch", alt=f"training normal {sample_id}")
            except ImageReadError as error:
                st.caption(f":material/broken_image: {plain(error.message)}")
            st.caption(f"{plain(Path(sample_id).name)} · {format_score(distance)}")


def show_kept(
    store: RunStore,
    results: RunResults,
    threshold: thresholds.Threshold,
    kept: list[dict[str, Any]],
    damaged: list[DamagedRunError],
) -> None:
    """Images kept with this run. They never count as test images."""
    if not kept and not damaged:
        return
    st.subheader(f"Kept with this run: {numbers.count(len(kept), 'image')}", anchor=False)
    st.caption("They are listed here only; no metric counts them.")
    for error in damaged:
        show_error(error)
    with st.grid(min_column_width=widgets.TILE_PX, key="kept"):
        for entry in kept:
            with st.container(key=f"tile-thumb_{entry['key']}"):
                show_one_kept(store, results, threshold, entry)


def show_one_kept(store: RunStore, results: RunResults, threshold: thresholds.Threshold, entry: dict[str, Any]) -> None:
    name, key = Path(entry["name"]).name, entry["key"]
    try:
        image = load_image(entry["image"], results.shape, results.settings.background)
        mixed = overlay(image, tried_map(entry), results.color_range, OPACITY)
        st.image(encode_jpeg(mixed), width="stretch", alt=f"{name} with its anomaly map, kept with this run")
    except WTFlowError as error:
        st.error(plain(error.message), icon=":material/broken_image:")
    st.caption(f"**{format_score(entry['score'])}** {plain(name)}")
    show_call(entry["score"], threshold)
    remove = {"on_click": delete_tried, "args": (store, results.run_id, [key])}
    st.button("Remove", icon=":material/delete:", type="tertiary", key=f"remove_{key}", **remove)


store = open_page("try_image")
with shown():
    main(store)
