"""Lesson `features` on the page `learn`: what it shows of the open run, and that it computes nothing."""

import numpy as np
from page_runs import OpenPage, texts

from wtflow.records.flow import PositionSet, Travel
from wtflow.results import open_results
from wtflow.store.runs import RunStore
from wtflow.studies.answers import answer_path, ask
from wtflow.studies.requests import TravelRequest, default_wells


def make_travel(n: int = 60, n_channels: int = 8) -> Travel:
    """Normals fall from norm 4 to 2, defects rise from 4 to 8."""
    t = np.linspace(0, 1, 5, dtype=np.float32)
    is_defect = np.arange(n) % 2 == 1
    index = np.zeros(n, np.int32)
    positions = PositionSet(index, index, index, np.where(is_defect, "spot", "good"), np.ones(n, np.float32))
    norm = np.where(is_defect, 4 + 4 * t[:, None], 4 - 2 * t[:, None]).astype(np.float32) + np.linspace(
        0, 0.1, n, dtype=np.float32
    )
    ones = np.ones_like(norm)
    return Travel(positions, t, norm, ones, ones, ones, -ones, np.zeros((5, n, 2), np.float32), (0.5, 0.2), n_channels)


def links(page) -> list[str]:
    return [element.proto.label for element in page.get("page_link")]


def test_without_a_run_it_says_what_to_do(open_page: OpenPage):
    page = open_page("learn", lesson="features")
    assert not page.exception
    assert "no finished run yet" in texts(page)
    assert "Train a run" in links(page)


def test_a_run_without_kept_paths_gets_a_sentence_and_links_and_nothing_is_computed(
    open_page: OpenPage, store: RunStore, finished: str
):
    page = open_page("learn", lesson="features")
    assert not page.exception
    assert "No paths of this run were computed yet" in texts(page)
    assert {"Watch them travel", "See where they end"} <= set(links(page))
    assert not list(store.folder(finished).glob("derived/*"))


def test_kept_paths_are_drawn_whichever_number_of_positions_was_asked_for(
    open_page: OpenPage, store: RunStore, finished: str
):
    solver = open_results(store, finished).settings.solver
    request = TravelRequest(how="balanced", n=4000, steps=50, solver=solver)
    assert request != default_wells(solver).travel
    ask(store, finished, request).save(make_travel())
    assert answer_path(store, finished, request).is_file()
    page = open_page("learn", lesson="features")
    assert not page.exception
    assert len(page.get("plotly_chart")) == 1
    told = texts(page)
    assert "60 positions in 8 dimensions" in told
    assert "100\N{NBSP}% of defect positions lie outside the well" in told
