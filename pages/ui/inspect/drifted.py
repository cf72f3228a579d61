"""Whether camera or light have changed, not the parts: a sentence with numbers, images that show it, and a table."""

from collections.abc import Sequence

import streamlit as st

from pages.ui.errors import plain
from pages.ui.frame import link
from pages.ui.inspect import inspect_cache
from wtflow import numbers
from wtflow.errors import WTFlowError
from wtflow.numbers import percent, percent_range
from wtflow.numbers import score as format_score
from wtflow.records.drift import Drift
from wtflow.records.inspect import Inspected, Inspection
from wtflow.store.runs import RunStore

N_PICTURES = 6
NAMES = {
    "brightness": "Brightness (mean grey, 0 to 1)",
    "sharpness": "Sharpness",
    "centre_row": "Place of the part, share of the height",
    "centre_column": "Place of the part, share of the width",
    "features": "Mean features, in spreads of the normals",
    "level": "Level of the map",
}
PICTURE_PX = 160


def show_drift(store: RunStore, inspection: Inspection) -> Drift:
    """What images tell of camera and light as a whole, in a sentence."""
    drift = inspect_cache.drift(store, inspection)
    if drift.kind == "too few":
        st.caption(f":material/photo_camera: {plain(drift.sentence)}")
    elif drift.kind == "none":
        st.caption(
            f":material/photo_camera: Camera and light are as in training: {numbers.count(drift.n, 'image')} beside"
            f" {numbers.count(drift.n_normals, 'training normal')}."
        )
    else:
        st.warning(plain(drift.sentence), icon=":material/photo_camera:")
    return drift


def show_drifted(store: RunStore, inspection: Inspection, drift: Drift, rows: Sequence[Inspected]) -> None:
    """Images that show a change of camera or light best, and all that was measured in a fold."""
    if drift.kind == "changed":
        _show_pictures(store, inspection, drift, rows)
    if drift.kind != "too few":
        _show_numbers(drift)


def drift_badge(store: RunStore, inspection: Inspection) -> None:
    """A word in the list where camera or light have changed; nothing while it goes on, or where nothing has."""
    if inspection.problem or inspection.facts is None or inspection.status.is_active:
        return
    try:
        drift = inspect_cache.drift(store, inspection)
    except WTFlowError:
        return  # the page of the inspection says what is wrong
    if drift.kind == "changed":
        st.badge("camera or light", icon=":material/photo_camera:", color="yellow", help=plain(drift.sentence))


def _show_pictures(store: RunStore, inspection: Inspection, drift: Drift, rows: Sequence[Inspected]) -> None:
    by_name = {row.image: row for row in rows}
    shown = [by_name[image] for image in drift.images if image in by_name][:N_PICTURES]
    with st.grid(N_PICTURES, min_column_width=70, gap="small", key="drifted"):
        for at, row in enumerate(shown):
            with st.container(key=f"tile-image_drifted_{at}", gap="xsmall"):
                picture = inspect_cache.tile(store, inspection, row, with_map=False, size_px=PICTURE_PX)
                st.image(picture, width="stretch", alt=f"{row.image}, which shows it clearly")
                name = plain(row.image.rpartition("/")[2])
                link("inspect", name, inspection=inspection.inspection_id, image=row.image, help=plain(row.image))


def _show_numbers(drift: Drift) -> None:
    fold = st.expander("Camera and light in numbers", icon=":material/table_rows:", key="drift", on_change="rerun")
    if not fold.open:
        return
    lines = ["| | here | training normals | shift | by chance |", "|---|---|---|---|---|"]
    for shift in drift.shifts:
        is_vector = shift.name == "features"
        both = ("", "") if is_vector else (format_score(shift.now), format_score(shift.normals))
        mark = " :material/warning:" if shift.is_changed else ""
        lines.append(
            f"| {NAMES[shift.name]} | {both[0]} | {both[1]} | {shift.spreads:.2g}{mark} | {shift.by_chance:.2g} |"
        )
    with fold:
        st.markdown("\n".join(lines))
        st.caption(
            "Medians. Shift: how far they lie apart, in spreads of the normals; by chance: what as many normals reach"
            " in one of a thousand cases."
        )
        above = drift.above
        if above is not None:
            st.caption(
                f"{percent(above.value)} of the images (95\N{NBSP}% interval {percent_range(above.low, above.high)})"
                f" score above {format_score(drift.quantile)}, which {percent(0.99)} of {drift.n_scores:,} normals do"
                f" not. Stability index of the scores {drift.psi:.2f}; chance reaches {drift.psi_by_chance:.2f} in one"
                " of twenty cases. Both rise with defects, too."
            )
