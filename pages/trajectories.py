"""How do normal and defective features travel along the path?"""

import streamlit as st

from pages.ui import cache, derived, judge, state, widgets
from pages.ui.errors import plain, shown
from pages.ui.field import field_state, show_field
from pages.ui.frame import link, open_page
from pages.ui.paths_form import N_BENT, is_bent, show_paths_form
from pages.ui.paths_more import show_ideal, show_steps
from pages.ui.take_home import show_take_home
from wtflow.derive.requests import TravelRequest, UmapRequest
from wtflow.plots.groups import group_words
from wtflow.records_flow import Travel
from wtflow.results import RunResults
from wtflow.store.runs import RunStore
from wtflow.take_home import travel_csv
from wtflow.well import describe_well

MOST_DRAWN = 2000
HEIGHT_PX = 620
TABS = {"ideal": "Ideal against learned", "steps": "Few steps against many"}


def main(store: RunStore) -> None:
    summary = widgets.pick_run(store)
    with st.spinner("Reading the run"):
        results = cache.results(store, summary.run_id)
    widgets.show_untrained_note(results.settings.is_untrained)
    if results.test.empty:
        st.info("This run has no test images, so nothing can travel. Add images to test/ and train again.", icon=":material/info:")
        return
    request = show_paths_form(results, judge.read_threshold(results))
    travel = derived.read_travel(store, results.run_id, request)
    if travel is not None:
        show_paths(store, results, request, travel)
    show_more(store, results)


def show_paths(store: RunStore, results: RunResults, request: TravelRequest, travel: Travel) -> None:
    """The moving field, what it says in words, and the chosen position."""
    umap = None
    if is_bent():
        umap = UmapRequest(travel=request, times="all", n_fit=N_BENT)
        if derived.read_task(store, results.run_id, umap, f"UMAP of {len(travel.positions)} paths", "about a minute") is None:
            umap = None
    event = show_field(
        cache.paths_field(store, results.run_id, request, umap, MOST_DRAWN),
        key="paths",
        height=HEIGHT_PX,
        choices={"view": state.get("view"), "colour": state.get("colour"), "t": state.get_number("t")},
        can_select=False,
        on_change=take_view,
    )
    n = len(travel.positions)
    drawn = f"{MOST_DRAWN:,} of {n:,} positions, drawn evenly over the types" if n > MOST_DRAWN else f"All {widgets.count(n, 'position')}"
    st.caption(f"{drawn}. Click one to open its image. {' '.join(plain(line) for line in describe_well(travel))}")
    show_files(results, travel)
    if event.clicked is not None:
        open_position(results, travel, event.clicked)


def take_view() -> None:
    """View, colour and time go into the address once a person has chosen them."""
    for name, value in field_state("paths").choice.items():
        if name in state.VIEW and value is not None:
            state.put(name, state.to_text(value))


def open_position(results: RunResults, travel: Travel, i: int) -> None:
    """What one particle is, with the way to its image."""
    places = travel.positions
    sample = results.table.set_index("row").loc[int(places.row[i])].sample_id
    row, column = int(places.grid_row[i]), int(places.grid_column[i])
    with st.container(horizontal=True, vertical_alignment="center", key="clicked"):
        st.markdown(f"**{plain(sample)}**, row {row}, column {column}: {plain(group_words(str(places.group[i])))}", width="content")
        link(
            "localization",
            "Open its image",
            icon=":material/center_focus_strong:",
            run=results.run_id,
            sample=sample,
            position=f"{row},{column}",
        )


def show_files(results: RunResults, travel: Travel) -> None:
    """The figure, its numbers and its animation as files."""
    view = "plane" if state.get("view") == "plane" else "radius"
    ids = results.table.sample_id.tolist()
    show_take_home(
        "paths",
        png=lambda: _still(travel, view, "png"),
        svg=lambda: _still(travel, view, "svg"),
        csv=lambda: travel_csv(travel, ids),
        movie=lambda ending, progress: _movie(travel, view, ending, progress),
    )


def show_more(store: RunStore, results: RunResults) -> None:
    """Two studies of the same run. Only the one that is open is computed."""
    st.subheader("Look closer", anchor=False)
    wanted = state.get("tab") if state.get("tab") in TABS else None
    st.segmented_control("Study", list(TABS), format_func=TABS.__getitem__, label_visibility="collapsed", **state.bound("tab", wanted))
    if wanted == "ideal":
        show_ideal(store, results)
    elif wanted == "steps":
        show_steps(store, results)


def _still(travel: Travel, view: str, ending: str) -> bytes:
    from wtflow.plots import still

    return (still.to_png if ending == "png" else still.to_svg)(still.still_paths(travel, view))


def _movie(travel: Travel, view: str, ending: str, progress) -> bytes:
    from wtflow.plots import still

    return still.movie(travel, view, ending, 4.0, 20, progress)


store = open_page("trajectories")
with shown():
    main(store)
