"""The images behind the points that were chosen on the map, with counts and ways on."""

from collections import Counter

import streamlit as st

from pages.ui import picture_cache, state, widgets
from pages.ui.errors import plain
from pages.ui.frame import link
from pages.ui.small_picture import show_small
from wtflow import numbers
from wtflow.plots.groups import group_words
from wtflow.records.flow import Travel
from wtflow.results import RunResults
from wtflow.store.runs import RunStore

PER_PAGE = 9
TILE_PX = 140
"""Least width of a picture next to the map: three in a row."""


HOW_TO_CHOOSE = (
    "Draw a lasso or a box around points to see the images behind them. Click a point to mark all points of its image."
)


def chosen_points(points: dict[str, list[int]], selected: list[int], picked: str | None) -> set[int]:
    """The points inside the last lasso, or those of the image that was picked."""
    return set(selected or (points[picked] if picked is not None else ()))


def show_chosen(
    store: RunStore,
    results: RunResults,
    travel: Travel,
    points: dict[str, list[int]],
    chosen: set[int],
    picked: str | None,
) -> None:
    """The images behind chosen points, with counts."""
    is_of_picked = picked is not None and chosen == set(points[picked])
    places = travel.positions
    of_group = Counter(str(places.group[i]) for i in chosen)
    of_image = {sample: inside for sample, members in points.items() if (inside := [i for i in members if i in chosen])}
    words = ", ".join(f"{n} {group_words(name)}" for name, n in sorted(of_group.items(), key=lambda item: -item[1]))
    what = f"Points of {plain(picked)}" if is_of_picked else "Chosen"
    st.markdown(
        f"**{what}: {numbers.count(len(chosen), 'point')} in {numbers.count(len(of_image), 'image')}** ({plain(words)})"
    )
    if picked:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(
                "They are ringed on the map." if is_of_picked else f"{plain(picked)} is marked.", width="content"
            )
            st.button("Unmark", icon=":material/close:", type="tertiary", on_click=state.put, args=("picked", None))
    ordered = sorted(of_image, key=lambda sample: (-len(of_image[sample]), sample))
    on_page = widgets.pager(len(ordered), PER_PAGE)
    by_id = results.table.set_index("sample_id")
    with st.spinner("Drawing the images"), st.grid(min_column_width=TILE_PX, key="chosen"):
        for sample in (ordered[i] for i in on_page):
            row, inside = int(by_id.row[sample]), of_image[sample]
            highest = max(inside, key=lambda i: float(places.score[i]))
            with st.container(key=f"tile-map_{row}", gap="xsmall"):
                show_small(
                    picture_cache.tile(store, results.run_id, row, "overlay"),
                    f"{sample}, {numbers.count(len(inside), 'point')}",
                )
                st.caption(f"**{numbers.count(len(inside), 'point')}** · {plain(short_name(sample))}")
                with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
                    there = {
                        "run": results.run_id,
                        "sample": sample,
                        "position": f"{places.grid_row[highest]},{places.grid_column[highest]}",
                    }
                    hint = "The image, with its highest chosen position"
                    link("localization", "Look", icon=":material/center_focus_strong:", help=hint, **there)
                    hint = "Its highest chosen position, from the image to the map"
                    link("follow", "Follow", icon=":material/conversion_path:", help=hint, **there)
                    mark = {"on_click": state.put, "args": ("picked", sample), "disabled": sample == picked}
                    st.button("Mark", key=f"mark_{row}", type="tertiary", help="Ring all its points on the map", **mark)


def short_name(sample: str) -> str:
    """A test image's id without what all of them have in common: good/003."""
    return sample.removeprefix("test/").rpartition(".")[0] or sample


def points_by_image(results: RunResults, travel: Travel) -> dict[str, list[int]]:
    """Sample id -> indices of its points, in the order of the positions."""
    ids = dict(zip(results.table.row.tolist(), results.table.sample_id.tolist(), strict=True))
    found: dict[str, list[int]] = {}
    for i, row in enumerate(travel.positions.row.tolist()):
        found.setdefault(ids[row], []).append(i)
    return found
