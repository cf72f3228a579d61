"""The page `follow` run alone: which image and patch it opens with, what it sends to the strip, and what it says where
something is missing.
"""

import pytest
from flow_runs import field_of, links_of
from page_runs import OpenPage, texts

from pages.ui.follow import show
from wtflow.results import open_results
from wtflow.store.runs import RunStore
from wtflow.studies.answers import answer_path
from wtflow.studies.compute import compute_answer
from wtflow.studies.requests import OverTimeRequest


def test_it_opens_with_the_highest_position_of_the_highest_defect(open_page: OpenPage, store: RunStore, trained: str):
    page = open_page("follow")
    assert not page.exception and not page.error
    test = open_results(store, trained).test
    worst = test[test.is_defective].sort_values("score").iloc[-1]
    sent = field_of(page)
    assert sent["story"]["sample"] == worst.sample_id and page.query_params["sample"] == worst.sample_id
    assert sent["choice"] == {"position": [worst.peak_row, worst.peak_column], "compare": "none", "t": None}
    assert links_of(page)["Its map in full"].startswith("localization?")


def test_the_address_names_image_patch_time_and_comparison(open_page: OpenPage, store: RunStore, trained: str):
    sample = open_results(store, trained).test.sample_id.iloc[0]
    page = open_page("follow", run=trained, sample=sample, position="2,5", compare="nearest", t="0.4")
    assert not page.exception and not page.error
    sent = field_of(page)
    assert sent["story"]["sample"] == sample and sent["choice"] == {"position": [2, 5], "compare": "nearest", "t": 0.4}
    assert sent["nearest"]["of"] == [2, 5] and sent["nearest"]["sample"].startswith("train/good/")


def test_scores_over_time_begin_by_themselves_unless_they_take_long(
    open_page: OpenPage, store: RunStore, trained: str, monkeypatch: pytest.MonkeyPatch
):
    path = answer_path(store, trained, OverTimeRequest())
    path.unlink()
    monkeypatch.setattr(show, "AT_ONCE_S", 0.0)
    page = open_page("follow")
    assert field_of(page)["story"]["over"] is None
    assert any(one.label.startswith("Score all 5 test images") for one in page.button)
    assert not path.exists()
    monkeypatch.setattr(show, "AT_ONCE_S", 1e6)
    page = page.run()
    over = compute_answer(store, trained, OverTimeRequest(), lambda share: None)
    page = page.run()
    assert field_of(page)["story"]["over"]["image_auroc"] == pytest.approx(over.image_auroc.tolist())
    assert not any(one.label.startswith("Score all") for one in page.button)


def test_another_image_than_the_run_has_gets_a_sentence(open_page: OpenPage, trained: str):
    page = open_page("follow", run=trained, sample="test/none.png")
    assert not page.exception
    assert "has no image" in texts(page)


def test_a_hand_made_run_without_a_checkpoint_gets_a_sentence(open_page: OpenPage, finished: str):
    page = open_page("follow", run=finished)
    assert not page.exception and page.error
