"""Lesson `features` on the page `learn`: the strip of the page `follow`, on the run that the address names."""

from pathlib import Path

from flow_runs import field_of
from page_runs import OpenPage, texts, write_run

from wtflow.results import open_results
from wtflow.store.runs import RunStore


def links(page) -> list[str]:
    return [element.proto.label for element in page.get("page_link")]


def test_without_a_run_it_says_what_to_do(open_page: OpenPage):
    page = open_page("learn", lesson="features")
    assert not page.exception
    assert "no finished run yet" in texts(page)
    assert "Train a run" in links(page)


def test_it_follows_a_patch_of_the_run_in_the_address(open_page: OpenPage, store: RunStore, trained: str, root: Path):
    run_id = trained
    write_run(store, root)  # after the copy: it takes an id of its own
    sample = open_results(store, run_id).test.sample_id.iloc[0]
    page = open_page("learn", lesson="features", run=run_id, sample=sample, position="1,2")
    assert not page.exception and not page.error
    sent = field_of(page)
    assert sent["story"]["sample"] == sample and sent["choice"]["position"] == [1, 2]
    assert set(page.selectbox(key="widget_run").options) > set(), "the run can be chosen"
    assert len(page.selectbox(key="widget_run").options) == 2
    assert {"Watch all of them travel", "See where they end"} <= set(links(page))
