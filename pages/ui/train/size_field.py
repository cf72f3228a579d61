"""The image size on the page *train*: chosen from the normals and the time it takes here, or by a person. What each
size costs stands beside it.
"""

import re
from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.ui import data_cache, widgets
from wtflow import numbers
from wtflow.config import Settings, describe
from wtflow.datasets.sizes.choose import ENOUGH, LONGEST_S
from wtflow.jobs.sizes import AUTO, is_auto_default, size_for
from wtflow.records.core import Category
from wtflow.records.shapes import Shape
from wtflow.records.sizes import SizeChoice
from wtflow.store.runs import RunStore

KEY = "set_image_size"
"""Session key of the field: AUTO, or pixels as text."""
_MINUTES = "size_minutes"
"""Session key: minutes that the whole job may take at the size that is chosen."""
FIELD_PX = 220
"""Room for "auto: 512 px, 1 min 30 s"."""


def start_of(base: Settings) -> str:
    """What the field holds before a person touches it."""
    return AUTO if is_auto_default(base.preset) else str(base.image_size)


def suggest_size(
    store: RunStore, category: Category, stamp: int, shape: Shape | None, settings: Settings, place: DeltaGenerator
) -> SizeChoice:
    """The size that these settings, but for their own size, suggest. stamp: see `health.state_of`. place: where the
    progress is shown while normals are read. Raises DatasetError for tiles that do not fit.
    """
    seen = data_cache.normals_seen(category, stamp, settings)
    if seen is None:
        bar = place.progress(0.0, text="Looking at normals")
        told = widgets.count_on(bar, lambda done, total: f"Looking at normals: {done:,} of {total:,}")
        seen = data_cache.see_normals(category, stamp, settings, told)
        bar.empty()
    return size_for(store, category, settings, seen, shape, 60 * st.session_state.get(_MINUTES, LONGEST_S / 60))


def pick_size(base: Settings, suggested: SizeChoice) -> str:
    """Draw the field and return what it holds: AUTO or pixels as text. Its options say what each size costs."""
    st.session_state[KEY] = held = _read(st.session_state.get(KEY, start_of(base)))
    labels = {AUTO: f"auto: {suggested.size_px} px, {numbers.duration(suggested.cost.seconds)}"} | {
        str(cost.size_px): f"{cost.size_px} px, {numbers.duration(cost.seconds)}" for cost in suggested.costs
    }
    options: Sequence[str] = list(labels) if held in labels else [*labels, held]
    return st.selectbox(
        "Image size",
        options,
        key=KEY,
        format_func=lambda value: labels.get(value, f"{value} px" if value.isdigit() else value),
        accept_new_options=True,
        persist_state="session",
        width=FIELD_PX,
        help=f"{describe('image_size')} Larger shows smaller defects and takes longer. Type any other number.",
    )


def _read(text: str) -> str:
    """AUTO or a number from what the field held: a browser may send a label that has changed since, and people may
    type the unit. Anything else as it is: the settings refuse it.
    """
    found = re.fullmatch(rf"\s*({AUTO}|\d+)(: .*| *px(, .*)?)?\s*", text)
    return found[1] if found else text


def show_reason(base: Settings, suggested: SizeChoice, is_auto: bool, size_px: int) -> None:
    """Why this size, what the next larger would cost, and everything that it was chosen from, folded out. base: the
    preset's settings.
    """
    with st.container(horizontal=True, vertical_alignment="center", key="size_reason"):
        if is_auto:
            st.caption(
                f"**Image size {suggested.size_px} px:** {suggested.reason}.{suggested.also} {suggested.price}",
                width="content",
            )
        else:
            is_presets = start_of(base) == str(size_px)
            whose = f"as preset {base.preset} has it" if is_presets else "as you chose"
            st.caption(
                f"**Image size {size_px} px** {whose}; auto would be {suggested.size_px} px: {suggested.reason}.",
                width="content",
            )
        with st.popover("All sizes", icon=":material/photo_size_select_large:", type="tertiary"):
            _show_all(suggested)


def _show_all(suggested: SizeChoice) -> None:
    st.table(
        {
            "image size": [
                f"{cost.size_px} px{' (auto)' * (cost.size_px == suggested.size_px)}" for cost in suggested.costs
            ],
            "detail of normals": [
                numbers.MISSING if cost.shown is None else numbers.percent(cost.shown) for cost in suggested.costs
            ],
            "expected time": [numbers.duration(cost.seconds) for cost in suggested.costs],
        }
    )
    st.number_input(
        "Most minutes that auto may take for the whole job",
        min_value=1,
        max_value=1440,
        value=None if _MINUTES in st.session_state else round(LONGEST_S / 60),
        key=_MINUTES,
        persist_state="session",
    )
    st.caption(
        "Detail: gradients of the training normals that a size shows, less noise, as a share of what the largest size"
        " up to their own shows. Auto takes the smallest size with"
        f" {numbers.percent(ENOUGH)} of it. It knows nothing of your defects: where they are large, a smaller size may"
        " find them better, and where they are tiny, a larger one."
    )
