"""The page `wells` run alone: the map with its gallery, the well in numbers, the landscape, whatever the address
says.
"""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from flow_runs import field_of, links_of, tell_of
from page_runs import OpenPage, texts
from run_folders import train_here, write_tiny_category
from streamlit.testing.v1 import AppTest

from pages.ui.flow import flow_words
from wtflow.jobs import studies
from wtflow.numbers import percent
from wtflow.records.core import GOOD
from wtflow.records.flow import Projection, Travel
from wtflow.results import open_results
from wtflow.store.runs import RunStore
from wtflow.studies.answers import ask
from wtflow.studies.compute import compute_answer
from wtflow.studies.requests import TravelRequest, UmapRequest, default_wells

UMAP = default_wells("euler")
RADIUS, ESCAPE = "Distance from the origin over time, normals and defects", "Share outside the well over time"


def train(store: RunStore, folder: Path, n_good: int, n_bad: int, **settings) -> str:
    return train_here(store, write_tiny_category(folder / "images", n_good=n_good, n_bad=n_bad), **settings)


def travel_of(store: RunStore, run_id: str) -> Travel:
    return compute_answer(store, run_id, UMAP.travel, lambda share: None)


def keep_umap(store: RunStore, run_id: str, request: UmapRequest = UMAP) -> Projection:
    """A UMAP as if it had been computed: what the page does with it is asked here, not what UMAP does."""
    n = len(travel_of(store, run_id).positions)
    points = np.random.default_rng(1).normal(size=(1, n, 2)).astype(np.float32)
    time = np.array([request.times == "end"], np.float32)
    projection = Projection("umap", time, points, n_fitted=n, trust=0.93, n_trusted=n)
    ask(store, run_id, request).save(projection)
    return projection


def button(page: AppTest, label: str):
    return next(one for one in page.button if one.label.startswith(label))


def figures_of(page: AppTest) -> dict[str, dict]:
    """The Plotly figures of a page by their alternative text."""
    return {one.proto.alt: json.loads(one.proto.spec) for one in page.get("plotly_chart")}


# -- what is there -----------------------------------------------------------------------------------------------------


def test_an_empty_store_says_what_to_do_first(open_page: OpenPage):
    page = open_page("wells")
    assert not page.exception
    assert "No finished run yet" in texts(page)


def test_a_run_opens_with_principal_axes_its_numbers_and_its_well(open_page: OpenPage, store: RunStore, trained: str):
    page = open_page("wells")
    assert not page.exception and not page.error
    field = field_of(page)
    assert [view["family"] or view["key"] for view in field["views"]] == ["disc"] * 3 + ["plane"] * 2
    assert len(field["t"]) == 21 and field["opens_playing"] and field["can_select"]
    n = field["ids"]["shape"][0]
    assert f"{n} of 2,000 positions: the images and masks have no more." in texts(page)
    travel = travel_of(store, trained)
    radius = np.quantile(travel.norm[-1, travel.positions.group == GOOD], 0.99)
    share = (travel.norm[-1, travel.positions.group == "spot"] > radius).mean()
    assert re.search(rf"and {percent(share)} of defect positions lie outside the well", texts(page))
    assert list(figures_of(page)) == [RADIUS, ESCAPE], "beside the map, and the one tab that is open"


@pytest.mark.parametrize(
    ("tab", "figures"),
    [
        ("evil", [ESCAPE]),
        ("depth", ["Depth of the well over time"]),
        ("spread", ["Histograms of the distance from the origin over time"]),
        ("landscape", ["The potential as a surface", "Arrows of the field over contours of the potential"]),
    ],
)
def test_only_the_tab_that_is_open_is_drawn(open_page: OpenPage, trained: str, tab: str, figures: list[str]):
    page = open_page("wells", run=trained, tab=tab)
    assert not page.exception and not page.error
    assert list(figures_of(page)) == [RADIUS, *figures]


def test_a_hand_made_run_without_a_checkpoint_gets_a_sentence(open_page: OpenPage, finished: str):
    page = open_page("wells", run=finished)
    assert not page.exception
    assert len(page.error) == 1 and "has no " in page.error[0].value


def test_a_run_without_test_images_says_so(open_page: OpenPage, store: RunStore, tmp_path: Path):
    train(store, tmp_path, 0, 0)
    page = open_page("wells")
    assert not page.exception and not page.error
    assert "no test images" in texts(page)


def test_a_run_without_defects_shows_its_well_and_says_what_is_missing(
    open_page: OpenPage, store: RunStore, tmp_path: Path
):
    train(store, tmp_path, 2, 0)
    page = open_page("wells")
    assert not page.exception and not page.error
    assert "128 of 2,000 positions: the images have no more" in texts(page)
    assert "There are no defect positions here" in texts(page)
    assert list(figures_of(page)) == [RADIUS, ESCAPE]
    page = open_page("wells", tab="landscape")
    assert "The landscape needs a normal and a defective test image." in texts(page)


def test_a_run_with_one_defective_image_has_a_map_and_no_well(open_page: OpenPage, store: RunStore, tmp_path: Path):
    train(store, tmp_path, 0, 1)
    page = open_page("wells")
    assert not page.exception and not page.error
    assert field_of(page)["ids"]["shape"] == [64]
    assert "There are no positions of normal images here" in texts(page)
    assert list(figures_of(page)) == [RADIUS], "nothing escapes from a well that is not there"


def test_a_unet_has_a_well_and_says_that_a_single_position_has_no_landscape(
    open_page: OpenPage, store: RunStore, tmp_path: Path
):
    train(store, tmp_path, 1, 1, network="unet", scope="image", width=8)
    page = open_page("wells", tab="landscape")
    assert not page.exception
    assert RADIUS in figures_of(page)
    assert "a single position has no landscape" in texts(page)


NONSENSE = {
    "threshold": "nan",
    "origin": "evil",
    "n": "abc",
    "saves": "-3",
    "fit": "0",
    "neighbors": "1e9",
    "distance": "-7",
    "metric": "evil",
    "umap_seed": "-1",
    "plane": "evil",
    "at": "7",
    "picked": "../secret.png",
    "page": "-4",
    "view": "evil",
    "colour": "evil",
    "t": "nan",
}


def test_nonsense_in_every_parameter_is_passed_over(open_page: OpenPage, trained: str):
    page = open_page("wells", run=trained, **NONSENSE, map="end")
    assert not page.exception and not page.error
    assert page.slider(key="widget_neighbors").value == 100, "the nearest that the form has"
    assert page.slider(key="widget_distance").value == 0
    assert page.selectbox(key="widget_metric").value == "cosine"
    page = open_page("wells", run=trained, **NONSENSE, map="evil")
    assert field_of(page)["marked"] == [] and "Points of" not in texts(page)


# -- the map -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("times", ["end", "start"])
def test_a_umap_is_shown_at_its_own_time_with_its_trustworthiness(
    open_page: OpenPage, store: RunStore, trained: str, times: str
):
    keep_umap(store, trained, UMAP.model_copy(update={"times": times}))
    page = open_page("wells", run=trained, map=times)
    assert not page.exception and not page.error
    assert [view["key"] for view in field_of(page)["views"]] == ["umap"]
    assert field_of(page)["t"] == [float(times == "end")]
    assert "Keeps neighbourhoods: .93 of 1" in texts(page)
    assert "Compute the UMAP" not in " ".join(one.label for one in page.button)
    other = open_page("wells", run=trained, map="start" if times == "end" else "end")
    assert button(other, "Compute the UMAP of 132 positions"), "the other time has a fit of its own"


def test_the_box_says_how_long_a_umap_takes_here_and_whether_it_has_to_compile(
    open_page: OpenPage, trained: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(flow_words, "is_compiled", lambda: False)
    page = open_page("wells", run=trained, map="end")
    assert button(page, "Compute the UMAP of 132 positions")
    assert re.search(
        r"Takes about [\d.]+ (s|min) on this computer as busy as it is now; most of it is compiling", texts(page)
    )


def test_settings_of_the_address_are_those_that_are_computed(
    open_page: OpenPage, trained: str, monkeypatch: pytest.MonkeyPatch
):
    started = []
    monkeypatch.setattr(studies, "start_task", lambda *args: started.append(args[2]))
    page = open_page(
        "wells",
        run=trained,
        map="end",
        n="1000",
        saves="10",
        fit="500",
        neighbors="7",
        distance="0.25",
        metric="manhattan",
        umap_seed="3",
    )
    button(page, "Compute the UMAP").click().run()
    travel = TravelRequest(how="balanced", n=1000, steps=10)
    assert started == [UmapRequest(travel=travel, n_fit=500, n_neighbors=7, min_dist=0.25, metric="manhattan", seed=3)]


def test_fewer_points_than_neighbours_is_a_sentence_and_may_be_computed_again(
    open_page: OpenPage, store: RunStore, trained: str, monkeypatch: pytest.MonkeyPatch
):
    """What the process writes down for it is tested with the process; here, that the page says it and starts anew."""
    started = []
    monkeypatch.setattr(studies, "start_task", lambda *args: started.append(args[2]))
    message = "UMAP with 15 neighbours needs at least 16 points to fit, found 12."
    tell_of(
        store,
        trained,
        UMAP,
        state="failed",
        message=message,
        fix="Choose more images or positions, or fewer neighbours.",
    )
    page = open_page("wells", run=trained, map="end")
    assert not page.exception
    assert message in page.error[0].value and "or fewer neighbours" in page.error[0].value
    button(page, "Compute again").click().run()
    assert started == [UMAP]


def test_a_umap_under_way_shows_its_progress_and_can_be_stopped(
    open_page: OpenPage, store: RunStore, trained: str, monkeypatch: pytest.MonkeyPatch
):
    stopped = []
    monkeypatch.setattr(studies, "stop_task", lambda *args: stopped.append(args[2]))  # it would end this very process
    tell_of(store, trained, UMAP, state="running", share=0.25)
    page = open_page("wells", run=trained, map="end")
    assert not page.exception
    assert page.get("progress")[0].proto.text.startswith("Compute the UMAP of 132 positions: 25\N{NBSP}%")
    button(page, "Stop").click().run()
    assert stopped == [UMAP]


def select(page: AppTest, ids: list[int]) -> AppTest:
    """What the browser sends after a lasso."""
    page.session_state["map"] = {"choice": {}, "selected": {"of": field_of(page)["fingerprint"], "ids": ids}}
    return page.run()


def test_the_images_behind_a_lasso_are_counted_and_lead_to_their_place(
    open_page: OpenPage, store: RunStore, trained: str
):
    travel = travel_of(store, trained)
    places, names = travel.positions, open_results(store, trained).table.set_index("row").sample_id
    spot = int(np.flatnonzero(places.group == "spot")[0])
    page = select(open_page("wells", run=trained), [0, 1, 2, spot])
    assert not page.exception and not page.error
    assert "**Chosen: 4 points in 2 images** (3 normal, 1 spot)" in texts(page)
    sample = names[int(places.row[spot])]
    assert "**3 points** · good/000" in texts(page) and f"**1 point** · {sample[5:-4]}" in texts(page)
    look = [link.proto.query_string for link in page.get("page_link") if link.proto.label == "Look"]
    highest = max((0, 1, 2), key=lambda i: places.score[i])
    assert (
        look[0] == f"run={trained}&sample=test%2Fgood%2F000.png"
        f"&position={places.grid_row[highest]}%2C{places.grid_column[highest]}"
    )
    assert look[1].endswith(f"position={places.grid_row[spot]}%2C{places.grid_column[spot]}")


def test_a_lasso_around_points_of_other_data_is_forgotten(open_page: OpenPage, trained: str):
    page = open_page("wells", run=trained)
    page.session_state["map"] = {"choice": {}, "selected": {"of": "another", "ids": [0, 1]}}
    page.run()
    assert not page.exception
    assert "Chosen" not in texts(page) and "Draw a lasso or a box" in texts(page)


def test_a_marked_image_has_all_its_points_ringed_until_it_is_unmarked(
    open_page: OpenPage, store: RunStore, trained: str
):
    page = open_page("wells", run=trained, picked="test/good/001.png")
    row = int(open_results(store, trained).table.set_index("sample_id").row["test/good/001.png"])
    ringed = np.flatnonzero(travel_of(store, trained).positions.row == row).tolist()
    assert field_of(page)["marked"] == ringed and len(ringed) == 64
    assert "**Points of test/good/001.png: 64 points in 1 image** (64 normal)" in texts(page)
    button(page, "Unmark").click().run()
    assert field_of(page)["marked"] == [] and "picked" not in page.query_params


def test_mark_in_the_gallery_rings_the_points_of_that_image(open_page: OpenPage, trained: str):
    page = select(open_page("wells", run=trained), [0, 1])
    button(page, "Mark").click().run()
    assert page.query_params["picked"] == "test/good/000.png"
    assert len(field_of(page)["marked"]) == 64


# -- the landscape -----------------------------------------------------------------------------------------------------


def test_the_time_of_the_landscape_changes_its_picture_and_the_address(open_page: OpenPage, trained: str):
    name = "The potential as a surface"
    page = open_page("wells", run=trained, tab="landscape")
    first = figures_of(page)[name]
    page.select_slider(key="widget_at").set_value(0.5).run()
    assert not page.exception and not page.error
    assert figures_of(page)[name] != first
    assert page.query_params["at"] == "0.5"
    pair = figures_of(open_page("wells", run=trained, at="0.5", plane="pair", tab="landscape"))[name]
    assert pair != figures_of(page)[name]


def test_the_way_to_the_moving_paths_keeps_the_run(open_page: OpenPage, trained: str):
    assert links_of(open_page("wells", run=trained))["Watch them travel"].startswith(f"trajectories?run={trained}")
