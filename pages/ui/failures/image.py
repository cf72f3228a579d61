"""Part of the page `failures`: one image region by region, its map cut at a pixel threshold, region by region."""

import math
from pathlib import Path
from typing import cast

import streamlit as st

from pages.ui import cache, note_taking, picture_cache, state, thresholds
from pages.ui.errors import plain, show_error
from pages.ui.failures.by_type import NARROW_PX, SHORT, rows_below
from pages.ui.failures.rows import MeasuredRow
from pages.ui.frame import link
from pages.ui.intake.correct import offer_correction
from pages.ui.masks.meaning import LEFT_OUT_KEY
from pages.ui.small_picture import show_small
from pages.ui.stepping import step_buttons
from pages.ui.words import glossed
from wtflow import numbers
from wtflow.errors import RunNotFoundError, WTFlowError
from wtflow.failures.calls import PIXEL_QUANTILE
from wtflow.failures.score_origin import origin_of_score
from wtflow.failures.words import FailureStudy
from wtflow.numbers import percent
from wtflow.numbers import score as format_score
from wtflow.plots.theme import OUTCOMES
from wtflow.records.failures import RegionReport
from wtflow.results import RunResults, find_sample, image_at, why_left_out
from wtflow.store.runs import RunStore

CUTS = (0.95, 0.99, 0.995, 0.999)
"""Quantiles of normal positions to choose the pixel threshold from."""
PICTURE_PX = 480
N_LISTED = 8


def show_one(store: RunStore, results: RunResults, study: FailureStudy, threshold: thresholds.Threshold) -> None:
    """The image that the address names; nothing where it names none."""
    wanted = state.get("sample")
    if wanted is None:
        return
    try:
        find_sample(results, wanted)
    except RunNotFoundError as error:
        show_error(error)
        return
    found = study.table[study.table.sample_id == wanted]
    if found.empty:
        st.info(
            "This image is a held-out training normal, not a test image. Localization shows it.",
            icon=":material/info:",
        )
        return
    image = cast(MeasuredRow, image_at(found, 0))
    with st.container(border=True, key="card-one"):
        show_head(results, study, image, threshold)
        cut, words = pick_cut(store, results, threshold)
        with st.container(key="pair_one"):
            left, right = st.columns([3, 2], gap="large")
        with left:
            report = show_pictures(store, results, image, cut)
        with right:
            show_numbers(results, study, image, report, words)
        note_taking.show_image_notes(store, results.run_id, image.sample_id)
        said = {"is_defective": bool(image.is_defective), "defect": image.defect}
        offer_correction(store, results.run_id, image.sample_id, Path(image.path), **said)


def show_head(results: RunResults, study: FailureStudy, image: MeasuredRow, threshold: thresholds.Threshold) -> None:
    """Which image, how wrong, links to its map and its path, and to the neighbours in the list."""
    ids = list(rows_below(results, study).sample_id)
    at = ids.index(image.sample_id) if image.sample_id in ids else None
    with st.container(horizontal=True, vertical_alignment="center", key="one_head"):
        st.markdown(f"#### {plain(image.sample_id)}", width="content")
        if at is not None:
            step_buttons("sample", ids, at, kind="tertiary")
            st.caption(f"{at + 1} of {len(ids)}", width="content")
        st.button("Close", icon=":material/close:", on_click=state.put, args=("sample", None), type="tertiary")
    with st.container(horizontal=True, vertical_alignment="center", key=f"verdict_{image.outcome}"):
        away = (
            f", {format_score(abs(image.score - threshold.value))} {SHORT[image.outcome]} the threshold"
            if image.outcome in SHORT
            else ""
        )
        st.markdown(
            f"**{OUTCOMES[image.outcome].capitalize()}**: score {format_score(image.score)}{away}. True label:"
            f" {plain(image.defect)}.",
            width="content",
        )
        there = {"run": results.run_id, "sample": image.sample_id, "position": f"{image.peak_row},{image.peak_column}"}
        link("localization", "Look at its map", icon=":material/center_focus_strong:", **there)
        link("follow", "Follow this defect", icon=":material/conversion_path:", **there)
        link(
            "trajectories",
            "Its worst position in fine steps",
            icon=":material/route:",
            images="one",
            how="clicked",
            **there,
        )
    if origin := origin_of_score(results, image, threshold.value):
        st.caption(origin)


def pick_cut(store: RunStore, results: RunResults, threshold: thresholds.Threshold) -> tuple[float, str]:
    """The pixel threshold in force and where it comes from, in words."""
    wanted = state.get_number("cut")
    quantile = wanted if wanted in CUTS else PIXEL_QUANTILE
    alarms = cache.alarm_map(store, results.run_id, quantile)
    if alarms is None:
        return threshold.value, "the image threshold, because there is no normal test image to choose one from"
    st.selectbox(
        "Pixel threshold",
        list(CUTS),
        format_func=lambda share: f"{percent(share)} of normal positions stay below",
        width=290,
        **state.bound("cut", quantile),
    )
    return (
        alarms.threshold,
        f"the {percent(quantile)} quantile of all positions of {alarms.n_images} normal test images",
    )


def show_pictures(store: RunStore, results: RunResults, image: MeasuredRow, cut: float) -> RegionReport | None:
    """Image, map, and the cut map over the mask; returns the regions, None where there is nothing to compare."""
    report = None
    try:
        row = int(image.row)
        segments, report = picture_cache.segments(store, results.run_id, row, cut, PICTURE_PX)
        pictures = {
            "Image, true defect outlined": picture_cache.tile(store, results.run_id, row, "outlined", PICTURE_PX),
            "Anomaly map": picture_cache.tile(store, results.run_id, row, "map", PICTURE_PX),
            "Map cut at the pixel threshold": segments,
        }
    except WTFlowError as error:
        show_error(error)
        return None
    with st.grid(len(pictures), min_column_width=NARROW_PX, key="one_pictures"):
        for words, picture in pictures.items():
            with st.container(gap="xsmall"):
                show_small(picture, f"{image.sample_id}: {words}")
                st.caption(words)
    striped = f" &ensp; {LEFT_OUT_KEY}" if report is not None and report.n_left_out else ""
    st.html(
        '<span class="wt-badge wt-tp">defect found</span> <span class="wt-badge wt-fn">missed</span> <span'
        f' class="wt-badge wt-fp">false alarm</span>{striped}'
    )
    return report


def show_numbers(
    results: RunResults, study: FailureStudy, image: MeasuredRow, report: RegionReport | None, words: str
) -> None:
    """Areas, regions and facts of the image in numbers."""
    if report is None:
        st.caption(f"Areas and regions cannot be compared. {plain(why_left_out(results, image))}")
    else:
        lines = [f"Pixel threshold {format_score(report.threshold)}: {words}."]
        lines.append(f"Called beyond the mask: {percent(report.n_over / report.n_pixels)} of the image.")
        if report.defects:
            n_found = sum(region.is_found for region in report.defects)
            n_marked = report.n_both + report.n_under
            lines.append(f"Missed inside the mask: {percent(report.n_under / n_marked)} of the defect.")
            lines.append(
                f"Regions found: {n_found} of {len(report.defects)}; called regions outside every defect:"
                f" {len(report.alarms)}."
            )
            if report.n_small:
                lines.append(
                    f"Smaller than a pixel of the map: {numbers.count(report.n_small, 'region')} of the mask; each"
                    " counts as one region."
                )
        else:
            lines.append(f"Called regions: {len(report.alarms)}; all of them are false alarms.")
        if report.n_left_out:
            share = percent(report.n_left_out / (report.n_left_out + report.n_pixels))
            lines.append(f"Left out by the mask: {share} of the image; it counts in no other number.")
        st.markdown(glossed("\n".join(f"- {line}" for line in lines)))
        show_regions(report)
    show_facts(study, image)


def show_regions(report: RegionReport) -> None:
    """The largest regions of the mask, and those called where there is no defect, each with its overlap."""
    listed = [("defect", region) for region in report.defects] + [("alarm", region) for region in report.alarms]
    if not listed:
        return
    st.dataframe(
        [
            {
                "Region": "defect" if kind == "defect" else "called",
                "x (px)": round(region.column),
                "y (px)": round(region.row),
                "Area (px)": region.n_pixels,
                "Found": ("yes" if region.is_found else "no") if kind == "defect" else "false alarm",
                "Overlap (%)": 100 * region.overlap,
            }
            for kind, region in listed[:N_LISTED]
        ],
        hide_index=True,
        width="stretch",
        column_config={
            "Overlap (%)": st.column_config.NumberColumn(
                format="%.0f", help="Share of the region's pixels that both map and mask mark."
            )
        },
    )
    if len(listed) > N_LISTED:
        st.caption(f"{N_LISTED} of {len(listed)} regions.")


def show_facts(study: FailureStudy, image: MeasuredRow) -> None:
    """What was measured of the image, in a line."""
    if "area" not in study.table:
        return
    if image.problem:
        st.caption(f"Not measured: {plain(image.problem)}")
        return
    parts = []
    if image.is_defective:
        parts = [
            f"Defect area {percent(image.area)} of the image",
            "contrast unknown, because its picture is gone"
            if math.isnan(image.contrast)
            else f"contrast {image.contrast:.2g}",
            f"{percent(image.border)} of the side from the border",
        ]
    if "nearest" in study.table:
        parts.append(f"nearest training normal {plain(image.nearest_id)}, {image.nearest:.3g} away")
    if parts:
        st.caption(", ".join(parts) + ".")
