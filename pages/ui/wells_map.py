"""The map of positions with its settings, and the gallery of the images behind chosen points."""

from collections import Counter

import streamlit as st

from pages.ui import cache, derived, state, widgets
from pages.ui.errors import plain
from pages.ui.field import field_state, show_field
from pages.ui.frame import link
from pages.ui.take_home import show_take_home
from wtflow.derive.requests import TravelRequest, UmapRequest, checked, default_wells
from wtflow.plots.groups import group_words
from wtflow.projection import METRICS
from wtflow.records_flow import Travel
from wtflow.results import RunResults
from wtflow.store.runs import RunStore
from wtflow.take_home import projection_csv, travel_csv

COUNTS = (1000, 2000, 4000, 10_000, 20_000, 50_000)
SAVES = (10, 20, 50)
FITS = (500, 1000, 2000, 5000)
HEIGHT_PX = 560
PER_PAGE = 14
UMAP_WORDS = "up to a minute with the settings that this page starts with, more with more points"


def pick_sample(results: RunResults) -> TravelRequest:
    """How many positions are looked at, and in how many steps they travel. Raises SettingsError."""
    start = default_wells(results.settings.solver).travel
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        n = _pick(
            "Positions",
            "n",
            COUNTS,
            start.n,
            "Half from good images, half inside the masks of defective ones, spread evenly over the images.",
        )
        saves = _pick("Steps", "saves", SAVES, start.steps, "Solver steps from t = 0 to t = 1.")
        st.caption("Half normal positions and half defect positions, as far as the masks have them.", width="content")
    return checked(TravelRequest, {"how": "balanced", "n": n, "steps": saves, "solver": results.settings.solver})


def show_map(store: RunStore, results: RunResults, request: TravelRequest, travel: Travel) -> None:
    """Map, its settings, and what is behind the chosen points."""
    umap = _pick_umap(request)
    projection = derived.read_task(store, results.run_id, umap, f"Compute the UMAP of {len(travel.positions):,} positions", UMAP_WORDS)
    if projection is None:
        st.caption("Meanwhile the map shows principal axes.")
    event = show_field(
        cache.wells_field(store, results.run_id, request, umap if projection is not None else None),
        key="map",
        height=HEIGHT_PX,
        choices={
            "view": state.get("view"), "colour": state.get("colour"), "t": state.get_number("t"),
            "playing_allowed": False, "marked": _points_of(results, travel, state.get("picked")),
        },
        can_select=True,
        on_change=_take_choice,
    )  # fmt: skip
    _show_files(results, travel, projection)
    if event.clicked is not None:
        sample = _sample_ids(results)[int(travel.positions.row[event.clicked])]
        state.put("picked", sample)
        st.rerun()
    show_chosen(store, results, travel, event.selected)


def show_chosen(store: RunStore, results: RunResults, travel: Travel, selected: list[int]) -> None:
    """The images behind the points inside the last lasso, with counts; or those of the image that was picked."""
    picked = state.get("picked")
    if not selected and not picked:
        st.caption("Draw a lasso or a box around points to see the images behind them. Click a point to see all points of its image.")
        return
    places, ids = travel.positions, _sample_ids(results)
    points = selected or _points_of(results, travel, picked)
    of_group = Counter(str(places.group[i]) for i in points)
    of_image = Counter(int(places.row[i]) for i in points)
    words = ", ".join(f"{n} {group_words(name)}" for name, n in sorted(of_group.items(), key=lambda item: -item[1]))
    with st.container(horizontal=True, vertical_alignment="center"):
        what = "Chosen" if selected else f"Points of {plain(picked or '')}"
        st.markdown(
            f"**{what}: {widgets.count(len(points), 'point')} in {widgets.count(len(of_image), 'image')}** ({plain(words)})",
            width="content",
        )
        if picked:
            st.button("Unmark", icon=":material/close:", type="tertiary", on_click=state.put, args=("picked", None))
    rows = [row for row, _ in of_image.most_common()]
    on_page = widgets.pager(len(rows), PER_PAGE)
    facts = results.table.set_index("row")
    with st.spinner("Drawing the images"), st.grid(min_column_width=widgets.TILE_PX, key="chosen"):
        for i in on_page:
            row = rows[i]
            sample = ids[row]
            with st.container(key=f"tile-map_{row}", gap="xsmall"):
                st.image(cache.heat(store, results.run_id, row, 0.6), width="stretch", alt=f"{sample}, {of_image[row]} points")
                st.caption(f"**{of_image[row]}** points · {plain(facts.defect[row])}")
                with st.container(horizontal=True, gap="xsmall"):
                    link("localization", "Look", icon=":material/center_focus_strong:", run=results.run_id, sample=sample, position=None)
                    st.button(
                        "Mark",
                        key=f"mark_{row}",
                        type="tertiary",
                        help="Ring all its points on the map",
                        on_click=state.put,
                        args=("picked", sample),
                    )


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
            "Distance between features", list(METRICS), **state.bound("metric", metric if metric in METRICS else start.metric)
        )
        seed = st.number_input("Seed", 0, 2**31 - 1, **state.bound("seed", _whole("seed", start.seed, 0, 2**31 - 1)))
    return checked(UmapRequest, {
        "travel": request, "n_fit": n_fit, "n_neighbors": int(neighbors), "min_dist": float(distance), "metric": metric, "seed": int(seed),
    })  # fmt: skip


def _take_choice() -> None:
    for name, value in field_state("map").choice.items():
        if name in state.VIEW and value is not None:
            state.put(name, state.to_text(value))


def _points_of(results: RunResults, travel: Travel, sample: str | None) -> list[int]:
    """Indices of the points of an image."""
    if sample is None:
        return []
    rows = {row for row, name in _sample_ids(results).items() if name == sample}
    return [i for i, row in enumerate(travel.positions.row.tolist()) if row in rows]


def _sample_ids(results: RunResults) -> dict[int, str]:
    return dict(zip(results.table.row.tolist(), results.table.sample_id.tolist(), strict=True))


def _show_files(results: RunResults, travel: Travel, projection) -> None:
    ids = results.table.sample_id.tolist()
    if projection is None:
        show_take_home("map", png=lambda: _axes(travel, "png"), svg=lambda: _axes(travel, "svg"), csv=lambda: travel_csv(travel, ids))
        return
    group = travel.positions.group
    show_take_home(
        "map",
        png=lambda: _still(projection, group, "png"),
        svg=lambda: _still(projection, group, "svg"),
        csv=lambda: projection_csv(projection, travel.positions, ids),
    )


def _still(projection, group, ending: str) -> bytes:
    from wtflow.plots import still

    return (still.to_png if ending == "png" else still.to_svg)(still.still_points(projection, group))


def _axes(travel: Travel, ending: str) -> bytes:
    from wtflow.plots import still

    return (still.to_png if ending == "png" else still.to_svg)(still.still_paths(travel, "plane"))


def _pick(label: str, name: str, options: tuple[int, ...], start: int, hint: str) -> int:
    found = state.get_number(name)
    value = int(found) if found in options else start
    st.selectbox(label, options, format_func=lambda n: f"{n:,}", help=hint, width=150, **state.bound(name, value))
    return value


def _whole(name: str, start: int, low: int, high: int) -> int:
    found = state.get_number(name)
    return start if found is None else int(min(max(found, low), high))
