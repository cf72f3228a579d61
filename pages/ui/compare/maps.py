"""The same image in every run: maps side by side on a scale that can be compared, and one pixel in all of them."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from pages.ui import cache, picture_cache, state
from pages.ui.compare import compare_cache
from pages.ui.compare.run_choice import table
from pages.ui.errors import plain
from pages.ui.frame import link
from pages.ui.image_and_map import read_position, take_position
from pages.ui.stepping import step_buttons
from wtflow import numbers
from wtflow.compare.common_truth import outline_on
from wtflow.compare.runs import LETTERS, RARITY_RANGE, Comparison, rarity
from wtflow.numbers import score as format_score
from wtflow.pictures import Shown
from wtflow.plots import theme
from wtflow.plots.panels import plot_panels
from wtflow.records.compare import Panel
from wtflow.results import ScoreRow, image_of_row, pixel_map
from wtflow.store.runs import RunStore

SCALES = {"rarity": "How rare among normal pixels", "own": "Each run's own scale"}
NOTES = {
    "rarity": (
        "One scale for all: how many of the run's own normal pixels score as high. Bright means that hardly any normal"
        " pixel does."
    ),
    "own": (
        "Each map has the colours of its own run, from the median of its normal images to its highest scores. "
        "Raw scores of different runs are not on one scale: do not compare the brightness of two maps."
    ),
}
RARITY_TICKS = {0.0: "1 in 10", 0.25: "1 in 100", 0.5: "1 in 1,000", 0.75: "1 in 10,000", 1.0: "1 in 100,000"}
OWN_TICKS = {0.0: "median of its normals", 1.0: "its highest scores"}


def show_maps(
    store: RunStore,
    comparison: Comparison,
    on: compare_cache.Basis,
    names: Sequence[str],
    thresholds: Sequence[float],
    disagreed: list[str],
) -> None:
    """One image: what each run calls it, its maps, and one position in all of them."""
    st.subheader("The same image in each run", anchor=False)
    at = _pick_image(comparison, disagreed)
    image = image_of_row(comparison.runs[0].table, int(comparison.rows[0, at]))
    lines = []
    for k, name in enumerate(names):
        scores = comparison.scores[k]
        call = "defective" if scores[at] >= thresholds[k] else "normal"
        rank = int((scores > scores[at]).sum()) + 1
        lines.append([plain(name), format_score(scores[at]), format_score(thresholds[k]), call, f"{rank:,}"])
    st.markdown(f"True label: **{plain(image.defect)}**")
    table(["run", "score", "its threshold", "calls it", f"rank of {len(comparison.labels):,}, highest first"], lines)
    references = [compare_cache.normals_of(store, run.run_id) for run in comparison.runs]
    scales = list(SCALES) if all(reference is not None for reference in references) else ["own"]
    scale = state.choose("maps", scales, scales[0])
    found = state.get_number("opacity")
    opacity = 1.0 if found is None else min(max(found, 0.0), 1.0)
    shape = comparison.runs[0].maps.shape[1:]
    position = read_position(shape)
    key = f"maps-{image.sample_id}"
    run_ids = tuple(run.run_id for run in comparison.runs)
    shown = _picture(store, comparison, at)
    if shown.note:
        st.caption(f":material/info: {plain(shown.note)}")
    outline = outline_on(on.truth.truths[0] if on.truth.truths else on.own[0].truth, image)
    figure = compare_cache.figure(
        (*_files(store, run_ids, image), on.keys, shown.note, at, scale, opacity, position),
        lambda: _build(
            comparison, names, at, shown, outline, references if scale == "rarity" else None, opacity, position
        ),
    )
    st.plotly_chart(
        figure,
        key=key,
        on_select=lambda: take_position(key),
        selection_mode="points",
        config=theme.PICTURE_CONFIG,
        alt=f"{image.sample_id} and its anomaly map in {numbers.count(len(names), 'run')}",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.segmented_control(
            "Colours", scales, required=True, format_func=SCALES.__getitem__, **state.bound("maps", scale)
        )
        st.slider("Opacity of the maps", 0.0, 1.0, step=0.05, **state.bound("opacity", opacity), width=240)
    st.caption(NOTES[scale])
    if on.found.is_on(image.sample_id):
        st.caption(f"The outline is that of {on.truth.words or f'the masks of {LETTERS[0]}'}.")
    _show_position(comparison, names, at, references, position)
    with st.container(horizontal=True):
        for k, run in enumerate(comparison.runs):
            there = {"run": run.run_id, "sample": comparison.ids_of(k)[at]}
            link(
                "localization",
                f"Look at it in {LETTERS[k]}",
                icon=":material/center_focus_strong:",
                position=None,
                **there,
            )


def _files(store: RunStore, run_ids: tuple[str, ...], image: ScoreRow) -> tuple:
    """What names the runs and the files of one image as they are now."""
    stamps = [cache.file_stamp(Path(path)) for path in (image.path, image.mask_path) if path]
    return "maps", str(store.home), run_ids, compare_cache.compare_stamp(store, run_ids), *stamps


def _picture(store: RunStore, comparison: Comparison, at: int) -> Shown:
    """The image that all runs scored: at full size if it is unchanged, else the first picture that a run keeps."""
    first = picture_cache.full_picture(store, comparison.runs[0].run_id, int(comparison.rows[0, at]))
    others = (
        picture_cache.full_picture(store, run.run_id, int(comparison.rows[k, at]))
        for k, run in enumerate(comparison.runs[1:], start=1)
    )
    return first if first.is_there else next((one for one in others if one.is_there), first)


def _build(
    comparison: Comparison,
    names: Sequence[str],
    at: int,
    shown: Shown,
    outline,
    references: Sequence | None,
    opacity: float,
    position: tuple[int, int] | None,
):
    """The figure; with `references` on the common scale, else each map on its run's own. outline: bool, at the size of
    the first run's maps, or None.
    """
    panels = []
    for k, run in enumerate(comparison.runs):
        values = pixel_map(run, int(comparison.rows[k, at]))
        if references is not None:
            panels.append(Panel(names[k], rarity(values, references[k]), RARITY_RANGE))
        else:
            low, high = run.color_range
            panels.append(Panel(f"{names[k]}: {format_score(low)} to {format_score(high)}", values, run.color_range))
    return plot_panels(
        shown.pixels,
        panels,
        outline,
        opacity=opacity,
        grid_shape=comparison.runs[0].maps.shape[1:],
        selected=position,
        scale=(
            ("as many normal pixels score as high", RARITY_TICKS)
            if references is not None
            else ("each run's own scale", OWN_TICKS)
        ),
    )


def _pick_image(comparison: Comparison, disagreed: list[str]) -> int:
    """The image that the address names, else the first one that the runs disagree on, else the first run's highest;
    its place.
    """
    ids: list[str] = list(comparison.images.sample_id)
    start = disagreed[0] if disagreed else ids[int(comparison.scores[0].argmax())]
    wanted = state.choose("sample", ids, start)
    steps = disagreed if wanted in disagreed else ids
    at = steps.index(wanted)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox("Image", ids, **state.bound("sample", wanted), width=380)
        step_buttons("sample", steps, at)
        st.caption(
            f"{at + 1} of {len(steps)} {'images called differently' if steps is disagreed else 'images'}",
            width="content",
        )
    return ids.index(wanted)


def _show_position(
    comparison: Comparison, names: Sequence[str], at: int, references: Sequence, position: tuple[int, int] | None
) -> None:
    """The score of every run at the clicked place, the same place of the image for maps of any size."""
    if position is None:
        st.caption("Click a place in the pictures to read it in every run.")
        return
    shape = comparison.runs[0].maps.shape[1:]
    lines = []
    for k, (name, reference) in enumerate(zip(names, references, strict=True)):
        values = pixel_map(comparison.runs[k], int(comparison.rows[k, at]))
        row, column = (
            int((index + 0.5) / cells * side) for index, cells, side in zip(position, shape, values.shape, strict=True)
        )
        rare = (
            "–"
            if reference is None
            else f"1 in {10 ** float(rarity(values[row : row + 1, column], reference)[0]):,.0f}"
        )
        lines.append([plain(name), format_score(values[row, column]), rare])
    st.caption(f"Row {position[0]}, column {position[1]} of {shape[0]} x {shape[1]}:")
    table(["run", "score there", "normal pixels that score as high"], lines)
