"""Parts of the page `failures`: measuring the defects, rates per type, and the images called wrongly, worst first."""

from typing import cast

import streamlit as st

from pages.ui import answers, cache, note_taking, picture_cache, state, thresholds, widgets
from pages.ui.errors import plain
from pages.ui.failures.rows import WrongRow
from pages.ui.flow import flow_words
from pages.ui.small_picture import show_small
from wtflow import numbers
from wtflow.failures.words import FailureStudy
from wtflow.numbers import score as format_score
from wtflow.plots.theme import OUTCOMES
from wtflow.results import RunResults, image_at
from wtflow.store.runs import RunStore
from wtflow.studies.compute import compute_answer
from wtflow.studies.requests import FactsRequest
from wtflow.studies.umap_clock import START_S

MEASURE_AT_ONCE = 300
"""Up to so many test images the defects are measured by themselves (some six seconds);
above, a separate process does it.
"""
S_PER_IMAGE = 0.022
"""Seconds per test image as measured on `screw` (512 px files at 320 px, one core), for a promise."""
N_STRIP = 4
FEW = 2 * N_STRIP
"""Wrong calls of one kind that all stand at the head of the page: two rows of pictures."""
PER_PAGE = 21
NARROW_PX = 90
"""Least width of a picture where a few stand side by side in half of a window."""
WRONG = ("FN", "FP")
SHORT = {"FN": "below", "FP": "above"}


def measure_defects(store: RunStore, results: RunResults, threshold: thresholds.Threshold) -> FailureStudy:
    """The study of this threshold; the images are measured first where that was not done, at once
    or after a button.
    """
    study = cache.failure_study(store, results.run_id, threshold.value)
    if "area" in study.table:
        return study
    n = len(results.test)
    request = FactsRequest()
    if n > MEASURE_AT_ONCE:
        what = f"Measure the defects of {n:,} images"
        answers.read_task(
            store,
            results.run_id,
            request,
            what,
            f"{flow_words.roughly(S_PER_IMAGE * n + START_S)} (size, contrast, place, AUPRO per type)",
        )
        return study
    bar = st.progress(0.0, text="Measuring the defects")

    def show(share: float) -> None:
        bar.progress(share, text=f"Measuring the defects: image {round(share * n):,} of {n:,}")

    compute_answer(store, results.run_id, request, show)
    bar.empty()
    return cache.failure_study(store, results.run_id, threshold.value)


def are_few(study: FailureStudy) -> bool:
    """Whether all wrong calls stand at the head of the page."""
    return bool((study.failures.outcome.value_counts() <= FEW).all())


def show_strip(store: RunStore, results: RunResults, study: FailureStudy, outcome: str) -> None:
    """The worst few of one kind side by side, or all of them where they are few."""
    rows = study.failures[study.failures.outcome == outcome]
    if rows.empty:
        st.caption(
            f"No {'defect is missed' if outcome == 'FN' else 'normal image is a false alarm'} at this threshold."
        )
        return
    n = len(rows) if are_few(study) else min(N_STRIP, len(rows))
    first = f"the farthest {SHORT[outcome]} the threshold first"
    st.caption(f"All of them, {first}." if n == len(rows) else f"{n} of {len(rows)}, {first}; all of them are below.")
    with st.grid(N_STRIP, min_column_width=NARROW_PX, key=f"strip_{outcome}"):
        for i in range(n):
            show_tile(store, results, cast(WrongRow, image_at(rows, i)), "strip")


def show_tile(store: RunStore, results: RunResults, image: WrongRow, where: str, side: bool = True) -> bool:
    """A picture under its map; pressing its label opens the image region by region; True when that was just
    done. side: show on which side of the threshold it lies.
    """
    margin = f"{image.margin:.2g} {SHORT[image.outcome]}" if side else f"{image.margin:.2g}"
    with st.container(key=f"tile-image_{where}_{image.row}", gap="xsmall"):
        show_picture(store, results, image)
        is_pressed = st.button(
            f"**{margin}** {plain(image.defect)}",
            key=f"take_apart_{where}_{image.row}",
            type="tertiary",
            on_click=state.put,
            args=("sample", image.sample_id),
            help=f"{plain(image.sample_id)}: see it region by region",
        )
        note_taking.show_note_line(thresholds.read_notes(results).note(image.sample_id))
    return is_pressed


def show_picture(store: RunStore, results: RunResults, image: WrongRow) -> None:
    """The image under its map."""
    show_small(
        picture_cache.tile(store, results.run_id, int(image.row), "overlay"),
        f"{image.sample_id}, {OUTCOMES[image.outcome]}, score {format_score(image.score)}",
    )


def show_types(results: RunResults, study: FailureStudy) -> None:
    """One line per defect type; a chosen line narrows the images below."""
    st.subheader("By defect type", anchor=False)
    lines = [
        {
            "Type": row.defect,
            "Images": row.n,
            "Found": row.n_found,
            "Found (%)": 100 * row.rate,
            "from": 100 * row.rate_low,
            "to": 100 * row.rate_high,
            "AUROC": row.auroc,
            "AUPRO": row.aupro,
            "Masks": row.n_marked,
            "Area (%)": None if row.median_area is None else 100 * row.median_area,
        }
        for row in study.types
    ]
    number = st.column_config.NumberColumn
    st.dataframe(
        lines,
        key="types",
        hide_index=True,
        width="stretch",
        on_select=lambda: take_type([line["Type"] for line in lines]),
        selection_mode="single-row",
        column_config={
            "Type": st.column_config.TextColumn(width=130),
            "Images": number(width=62),
            "Found": number(width=62),
            "Found (%)": st.column_config.ProgressColumn(format="%.0f", min_value=0, max_value=100, width=100),
            "from": number(format="%.0f", width=52, help="Lower end of the 95\N{NBSP}% interval of the share found."),
            "to": number(format="%.0f", width=52, help="Upper end of the 95\N{NBSP}% interval of the share found."),
            "AUROC": number(format="%.3f", width=64, help="This type against all normal test images."),
            "AUPRO": number(
                format="%.3f", width=64, help="Its images and all normal ones, up to 30\N{NBSP}% false pixels."
            ),
            "Masks": number(
                width=62,
                help="Images with a valid mask. AUPRO and area are of these; the other columns of all images.",
            ),
            "Area (%)": number(format="%.2g", width=66, help="Median area of a defect, over images with a valid mask."),
        },
    )
    st.caption(
        "From, to: Wilson's 95\N{NBSP}% interval, the range for other images of the same kind and the same run. Choose"
        " a line to see its images below."
    )


def take_type(names: list[str]) -> None:
    chosen = st.session_state["types"].selection.rows
    state.put("defect", [names[chosen[0]]] if chosen else None)


def rows_below(results: RunResults, study: FailureStudy):
    """The wrong calls that the filter leaves, worst first.
    A filter by outcomes that are right has no effect here.
    """
    chosen = thresholds.read_filter(results)
    rows = study.failures
    wanted = [outcome for outcome in WRONG if outcome in chosen.outcomes]
    if wanted:
        rows = rows[rows.outcome.isin(wanted)]
    if chosen.defects:
        rows = rows[rows.defect.isin(chosen.defects)]
    if chosen.sample_ids is not None:
        rows = rows[rows.sample_id.isin(list(chosen.sample_ids))]
    return rows


def show_worst_first(store: RunStore, results: RunResults, study: FailureStudy) -> None:
    """All wrong calls in pages, by kind, defect type and notes; nothing while all of them stand above and no filter is
    chosen. A filter redraws these alone, unless an image is open above: its neighbours are those that the filter
    leaves.
    """
    if not study.failures.empty and (thresholds.read_filter(results).is_active or not are_few(study)):
        (st.fragment(_show_all) if state.get("sample") is None else _show_all)(store, results, study)


def _show_all(store: RunStore, results: RunResults, study: FailureStudy) -> None:
    st.subheader("All wrong calls, worst first", anchor=False)
    chosen = thresholds.read_filter(results)
    counts = study.failures.outcome.value_counts()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        st.pills(
            "Kind",
            list(WRONG),
            selection_mode="multi",
            format_func=lambda name: f"{OUTCOMES[name]} ({counts.get(name, 0)})",
            **state.bound("outcome", [outcome for outcome in WRONG if outcome in chosen.outcomes]),
        )
        thresholds.show_types(results, chosen, study.failures.defect.value_counts().to_dict())
        note_taking.show_tag_filter(results, chosen)
    rows = rows_below(results, study)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        on_page = widgets.pager(len(rows), PER_PAGE)
    st.caption(f"{len(rows):,} of {numbers.count(len(study.failures), 'wrong call')}")
    if rows.empty:
        st.info("No wrong call passes this filter.", icon=":material/filter_alt:")
        return
    with st.spinner("Drawing the images"), st.grid(min_column_width=widgets.TILE_PX, key="failures"):
        for i in on_page:
            if show_tile(store, results, cast(WrongRow, image_at(rows, i)), "below"):
                st.rerun()  # the image is shown region by region at the head of the page
