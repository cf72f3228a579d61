"""Part of the page `localization`: the map taken apart by the sizes at which the run sees images."""

import streamlit as st

from pages.ui import cache
from pages.ui.errors import show_error
from wtflow.errors import WTFlowError
from wtflow.numbers import percent
from wtflow.plots.pictures import encode_heat
from wtflow.results import RunResults, ScoreRow
from wtflow.scoring.pixels import upsample
from wtflow.store.runs import RunStore

PICTURE_PX = 320


def show_sizes(store: RunStore, results: RunResults, image: ScoreRow) -> None:
    """A map for each size, folded until it is opened; nothing where the run sees images at one size."""
    sizes = results.settings.sizes
    if len(sizes) == 1:
        return
    title = f"Which size saw it: {' or '.join(map(str, sizes))} px"
    fold = st.expander(title, icon=":material/photo_size_select_large:", key="by_size", on_change="rerun")
    if not fold.open:
        return
    with fold:
        try:
            with st.spinner("Taking the map apart (the first time loads the network: some seconds)"):
                found = cache.by_size(store, results.run_id, int(image.row))
        except WTFlowError as error:
            show_error(error)
            return
        low, high = results.color_range
        scale = (low / len(sizes), high / len(sizes))
        shares = found.shares(int(image.peak_row), int(image.peak_column))
        for column, size, part, share in zip(st.columns(len(sizes)), sizes, found.maps, shares, strict=True):
            with column:
                st.markdown(f"**{size} px**: {percent(share)} of the highest position")
                heat = encode_heat(upsample(part[None], PICTURE_PX, "endpoint")[0], scale, PICTURE_PX)
                st.image(heat, alt=f"What {size} px adds to the map", width=PICTURE_PX)
        st.caption(
            "The run sees every image at each of these sizes; the map is the sum of both pictures."
            if len(sizes) == 2
            else "The run sees every image at each of these sizes; the map is the sum of these pictures."
        )
