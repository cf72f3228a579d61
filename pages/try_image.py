"""How does a run score images of my own?"""

import hashlib
from pathlib import Path

import streamlit as st

from pages.ui import cache, thresholds, widgets
from pages.ui.errors import plain, show_error, shown
from pages.ui.frame import open_page
from wtflow.datasets.files import list_images
from wtflow.datasets.images import load_image
from wtflow.errors import DatasetError, WTFlowError
from wtflow.failures.score_origin import origin
from wtflow.plots.axes import format_score
from wtflow.plots.pictures import encode_jpeg, overlay
from wtflow.records.core import IMAGE_SUFFIXES, Tried
from wtflow.results import RunResults
from wtflow.store.files import explained
from wtflow.store.runs import RunStore
from wtflow.store.tried import delete_tried, list_tried, save_tried, tried_map

TYPES = [suffix.removeprefix(".") for suffix in IMAGE_SUFFIXES]
MOST_AT_ONCE = 64
OPACITY = 0.6
PER_PAGE = 10


def main(store: RunStore) -> None:
    results = widgets.open_run(store)
    left, right = st.columns([3, 2], gap="large")
    with left:
        files = pick_files()
    with right:
        threshold = thresholds.show_threshold(results)
    if files:
        st.subheader(widgets.count(len(files), "image"), anchor=False)
        files = [files[i] for i in widgets.pager(len(files), PER_PAGE)]
        kept = {(entry["name"], entry["score"]) for entry in list_tried(store, results.run_id)}
        for tried, (_, content) in zip(score(store, results, files), files, strict=True):
            show_tried(store, results, threshold, tried, content, is_kept=(tried.name, tried.score) in kept)
    show_kept(store, results, threshold)


def pick_files() -> list[tuple[str, bytes]]:
    """Names and bytes of what was dropped, or of the images of a folder."""
    dropped = st.file_uploader("Drop images here", type=TYPES, accept_multiple_files=True, key="dropped")
    path = st.text_input(
        "Or all images of a folder on this computer",
        key="tried_folder",
        persist_state="session",
        placeholder="Path of a folder",
        help=f"The first {MOST_AT_ONCE} images are scored.",
    )
    files = [(file.name, file.getvalue()) for file in dropped]
    if path.strip():
        found = list_images(Path(path.strip().strip('"')).expanduser())
        if not found:
            show_error(
                DatasetError(
                    f"{path.strip()} holds no images, or is not a folder.",
                    fix="Check the path; images lie directly in the folder.",
                )
            )
        if len(found) > MOST_AT_ONCE:
            st.caption(f"The first {MOST_AT_ONCE} of {len(found)} images.")
        for image in found[:MOST_AT_ONCE]:
            with explained(image):
                files.append((str(image), image.read_bytes()))
    return files[:MOST_AT_ONCE]


def score(store: RunStore, results: RunResults, files: list[tuple[str, bytes]]) -> list[Tried]:
    """One result per file, computed once per content."""
    stamp = cache.run_stamp(store, results.run_id)
    keys = [(str(store.home), results.run_id, stamp, name, hashlib.sha256(data).hexdigest()) for name, data in files]
    shelf = cache.tried()
    found = [shelf.get(key) for key in keys]
    missing = [i for i, tried in enumerate(found) if tried is None]
    if missing:
        with st.spinner(
            f"Scoring {widgets.count(len(missing), 'image')} (the first time loads the network: some seconds)"
        ):
            from wtflow.studies.try_images import try_images  # imports torch: seconds, paid only here

            for i, tried in zip(missing, try_images(store, results.run_id, [files[i] for i in missing]), strict=True):
                found[i] = tried
                shelf.put(keys[i], tried)
    return [tried for tried in found if tried is not None]


def show_tried(
    store: RunStore,
    results: RunResults,
    threshold: thresholds.Threshold,
    tried: Tried,
    content: bytes,
    *,
    is_kept: bool,
) -> None:
    name = Path(tried.name).name
    with st.container(border=True):
        if tried.problem or tried.pixel_map is None or tried.image is None:
            st.error(f"**{plain(name)}**  \n{plain(tried.problem)}", icon=":material/broken_image:")
            return
        numbers, picture, heat, near = st.columns([2, 2, 2, 3], gap="medium")
        with numbers:
            st.markdown(f"**{plain(name)}**")
            st.metric(
                "Score (higher is worse)", format_score(tried.score), help=f"Threshold {format_score(threshold.value)}"
            )
            show_call(tried.score, threshold)
            if words := origin(
                tried.score, tried.whole_score, tried.pixel_map, results.settings.top_fraction, threshold.value
            ):
                st.caption(words)
            if is_kept:
                st.badge("kept with this run", icon=":material/bookmark_added:", color="gray")
            elif st.button(
                "Keep in this run",
                icon=":material/bookmark_add:",
                key=f"keep_{hash((results.run_id, tried.name, tried.score))}",
            ):
                save_tried(store, results.run_id, tried, content)
                st.toast(
                    f"{plain(name)} is kept with this run, apart from its test images.", icon=":material/bookmark:"
                )
                st.rerun()
        picture.image(tried.image, width="stretch", caption="as the network sees it", alt=f"{name}, resized")
        mixed = overlay(tried.image, tried.pixel_map, results.color_range, OPACITY)
        heat.image(encode_jpeg(mixed), width="stretch", caption="map on the run's scale", alt=f"Anomaly map of {name}")
        with near:
            show_nearest(tried)


def show_call(score: float, threshold: thresholds.Threshold) -> None:
    """The verdict at the threshold as a coloured word."""
    if score >= threshold.value:
        st.badge("called defective", icon=":material/report:", color="orange")
    else:
        st.badge("called normal", icon=":material/check_circle:", color="blue")


def show_nearest(tried: Tried) -> None:
    """The training normals whose mean features are nearest."""
    st.caption("Nearest training normals, with the distance of their mean features")
    for column, (sample_id, path, distance) in zip(st.columns(3), tried.nearest[:3], strict=False):
        with column:
            st.image(cache.picture(path), width="stretch", alt=f"training normal {sample_id}")
            st.caption(f"{plain(Path(sample_id).name)} · {format_score(distance)}")


def show_kept(store: RunStore, results: RunResults, threshold: thresholds.Threshold) -> None:
    """Images kept with this run. They never count as test images."""
    kept = list_tried(store, results.run_id)
    if not kept:
        return
    st.subheader(f"Kept with this run: {widgets.count(len(kept), 'image')}", anchor=False)
    st.caption("They are listed here only; no metric counts them.")
    with st.grid(min_column_width=widgets.TILE_PX, key="kept"):
        for entry in kept:
            with st.container(key=f"tile-thumb_{entry['key']}"):
                show_one_kept(store, results, threshold, entry)


def show_one_kept(store: RunStore, results: RunResults, threshold: thresholds.Threshold, entry: dict) -> None:
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
