"""Lesson `features` on the page `learn`: the strip of the page `follow`, on the run that the address names."""

from pathlib import Path

import pytest
from flow_runs import copy_store, field_of
from page_runs import OpenPage, texts
from run_folders import train_here, write_tiny_category

from wtflow.results import open_results
from wtflow.store.runs import RunStore
from wtflow.studies.compute import compute_answer
from wtflow.studies.requests import OverTimeRequest, YardstickRequest


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("lesson")
    store = RunStore(folder / "runs")
    run_id = train_here(store, write_tiny_category(folder / "images", n_good=2, n_bad=3))
    for request in (YardstickRequest(), OverTimeRequest()):
        compute_answer(store, run_id, request, lambda share: None)
    return store.home, run_id


def links(page) -> list[str]:
    return [element.proto.label for element in page.get("page_link")]


def test_without_a_run_it_says_what_to_do(open_page: OpenPage):
    page = open_page("learn", lesson="features")
    assert not page.exception
    assert "no finished run yet" in texts(page)
    assert "Train a run" in links(page)


def test_it_follows_a_patch_of_the_run_in_the_address(
    open_page: OpenPage, store: RunStore, home: tuple[Path, str], finished: str
):
    copy_store(home[0], store)
    run_id = home[1]
    sample = open_results(store, run_id).test.sample_id.iloc[0]
    page = open_page("learn", lesson="features", run=run_id, sample=sample, position="1,2")
    assert not page.exception and not page.error
    sent = field_of(page)
    assert sent["story"]["sample"] == sample and sent["choice"]["position"] == [1, 2]
    assert set(page.selectbox(key="widget_run").options) > set(), "the run can be chosen"
    assert len(page.selectbox(key="widget_run").options) == 2
    assert {"Watch all of them travel", "See where they end"} <= set(links(page))
