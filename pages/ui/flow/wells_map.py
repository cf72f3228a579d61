"""The map of positions with its settings, and the gallery of the images behind chosen points."""

from collections import Counter

import streamlit as st

from pages.ui import answers, picture_cache, state, widgets
from pages.ui.downloads import offer_still
from pages.ui.errors import plain
from pages.ui.flow import flow_cache, flow_words
from pages.ui.flow.field import show_field
from pages.ui.frame import link
from pages.ui.small_picture import show_small
from wtflow.export.tables import projection_csv, travel_csv
from wtflow.plots.groups import group_words
from wtflow.records.flow import Travel
from wtflow.results import RunResults
from wtflow.store.runs import RunStore
from wtflow.studies.projection import METRICS
from wtflow.studies.requests import TravelRequest, UmapRequest, checked, default_wells

COUNTS = (1000, 2000, 4000, 10_000, 20_000, 50_000)
SAVES = (10, 20, 50)
FITS = (500, 1000, 2000, 5000)
HEIGHT_PX = 560
PER_PAGE = 9
TILE_PX = 140
"""Least width of a picture next to the map: three in a row."""


def pick_sample(results: RunResults) -> tuple[TravelRequest, UmapRequest]:
    """How many positions are looked at, in how many steps they travel, and how UMAP is to place them.
    Raises SettingsError.
    """
    start = default_wells(results.settings.solver).travel
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        hint = "Half from normal images, half inside the masks of defective ones, spread evenly over the images."
        n = _pick("Positions", "n", COUNTS, start.n, hint)
        saves = _pick("Steps", "saves", SAVES, start.steps, "Solver steps from t = 0 to t = 1.")
        request = checked(TravelRequest, {"how": "balanced", "n": n, "steps": saves, "solver": results.settings.solver})
        umap = _pick_umap(request)
    return request, umap


def show_map(store: RunStore, results: RunResults, travel: Travel, umap: UmapRequest) -> None:
    """The map, and next to it what is behind the chosen points and what to look for."""
    what = f"Compute the UMAP of {len(travel.positions):,} positions"
    projection = answers.read_task(store, results.run_id, umap, what, flow_words.expected_umap(umap, travel))
    flow_words.set_stand_in("map", "plane" if projection is None else None)
    points = points_by_image(results, travel)
    picked = state.choose("picked", points, None)
    with st.container(key="map_and_images"):
        left, right = st.columns([3, 2], gap="large")
    with left:
        meanwhile = "" if projection is not None else " Until the UMAP is there the map shows principal axes."
        st.caption(f"{flow_words.count_in_words(travel, umap.travel)}.{meanwhile}")
        event = show_field(
            flow_cache.wells_field(store, results.run_id, umap.travel, umap if projection is not None else None),
            key="map",
            height=HEIGHT_PX,
            choices={
                "view": flow_words.wanted_view(("umap", "plane"), "umap") if projection is not None else None,
                "colour": state.get("colour"),
                "t": state.get_number("t"),
                "playing_allowed": False,
                "marked": [] if picked is None else points[picked],
            },
            can_select=True,
            on_change=_take_choice,
        )
        _show_files(results, travel, projection)
    if event.clicked is not None and event.clicked < len(travel.positions):
        state.put("picked", next(sample for sample, members in points.items() if event.clicked in members))
        st.rerun()
    with right:
        show_chosen(store, results, travel, points, event.selected, picked)
        with st.container(border=True, key="card-words"):
            flow_words.show_words(travel)
            link("trajectories", "Watch them travel", icon=":material/route:", run=results.run_id)


def show_chosen(
    store: RunStore,
    results: RunResults,
    travel: Travel,
    points: dict[str, list[int]],
    selected: list[int],
    picked: str | None,
) -> None:
    """The images behind the points inside the last lasso, with counts; or those of the image that was picked."""
    chosen = set(selected or (points[picked] if picked is not None else ()))
    if not chosen:
        st.caption(
            "Draw a lasso or a box around points to see the images behind them. Click a point to mark all points of its"
            " image."
        )
        return
    places = travel.positions
    of_group = Counter(str(places.group[i]) for i in chosen)
    of_image = {sample: inside for sample, members in points.items() if (inside := [i for i in members if i in chosen])}
    words = ", ".join(f"{n} {group_words(name)}" for name, n in sorted(of_group.items(), key=lambda item: -item[1]))
    what = "Chosen" if selected or picked is None else f"Points of {plain(picked)}"
    st.markdown(
        f"**{what}: {widgets.count(len(chosen), 'point')} in {widgets.count(len(of_image), 'image')}** ({plain(words)})"
    )
    if picked:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"{plain(picked)} is marked." if selected else "They are ringed on the map.", width="content")
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
                    f"{sample}, {widgets.count(len(inside), 'point')}",
                )
                st.caption(f"**{widgets.count(len(inside), 'point')}** · {plain(short_name(sample))}")
                with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
                    link(
                        "localization",
                        "Look",
                        icon=":material/center_focus_strong:",
                        run=results.run_id,
                        sample=sample,
                        help="The image, with its highest chosen position",
                        position=f"{places.grid_row[highest]},{places.grid_column[highest]}",
                    )
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


def _take_choice() -> None:
    flow_words.take_choice("map")


def _pick_umap(request: TravelRequest) -> UmapRequest:
    """UMAP's settings, from a small menu."""
    start = default_wells(request.solver)
    with st.popover("Settings of the UMAP", icon=":material/tune:", type="tertiary"):
        n_fit = _pick(
            "Positions fitted",
            "fit",
            FITS,
            start.n_fit,
            "Evenly over normals and defect types, at three times each; the others are placed.",
        )
        neighbors = st.slider(
            "Neighbours",
            2,
            100,
            **state.bound("neighbors", _whole("neighbors", start.n_neighbors, 2, 100)),
            help="Few: fine detail. Many: the large picture.",
        )
        found = state.get_number("distance")
        distance = st.slider(
            "Least distance",
            0.0,
            0.99,
            step=0.01,
            **state.bound("distance", start.min_dist if found is None else min(max(found, 0.0), 0.99)),
        )
        metric = state.get("metric")
        metric = st.selectbox(
            "Distance between features",
            list(METRICS),
            **state.bound("metric", metric if metric in METRICS else start.metric),
        )
        seed = st.number_input(
            "Seed", 0, 2**31 - 1, **state.bound("umap_seed", _whole("umap_seed", start.seed, 0, 2**31 - 1))
        )
    return checked(
        UmapRequest,
        {
            "travel": request,
            "n_fit": n_fit,
            "n_neighbors": int(neighbors),
            "min_dist": float(distance),
            "metric": metric,
            "seed": int(seed),
        },
    )


def _show_files(results: RunResults, travel: Travel, projection) -> None:
    ids = results.table.sample_id.tolist()
    if projection is None:
        offer_still("map", "still_paths", travel, "plane", csv=lambda: travel_csv(travel, ids))
    else:
        offer_still(
            "map",
            "still_points",
            projection,
            travel.positions.group,
            csv=lambda: projection_csv(projection, travel.positions, ids),
        )


def _pick(label: str, name: str, options: tuple[int, ...], start: int, hint: str) -> int:
    found = state.get_number(name)
    value = int(found) if found in options else start
    st.selectbox(label, options, format_func=lambda n: f"{n:,}", help=hint, width=150, **state.bound(name, value))
    return value


def _whole(name: str, start: int, low: int, high: int) -> int:
    found = state.get_number(name)
    return start if found is None else int(min(max(found, low), high))
