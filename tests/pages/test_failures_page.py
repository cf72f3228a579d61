"""The page `failures` run alone: missed defects and false alarms in words, one image region by region, and every case
in which there is little to show.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from flow_runs import links_of, tell_of
from page_runs import TEST_SCORES, OpenPage, texts, write_run
from PIL import Image
from streamlit.testing.v1 import AppTest

from pages.ui.failures import by_type
from wtflow.failures.facts import compute_facts
from wtflow.records.failures import NearestNormals
from wtflow.records.flow import Projection
from wtflow.results import open_results
from wtflow.store.notes import add_tag
from wtflow.store.runs import RunStore
from wtflow.studies.answers import answer_path, ask
from wtflow.studies.requests import FactsRequest, NearestRequest, map_request

SPOT = "test/spot/000.png"
"""Score 2: at the threshold 2.5 the only miss; good/001 (score 3) is the only false alarm."""
WRONG = {"threshold": "2.5"}


def count_of(page: AppTest, label: str) -> str:
    return next(metric.value for metric in page.metric if metric.label == label)


def tiles(page: AppTest, where: str = "below") -> list[str]:
    return [button.label for button in page.button if str(button.key).startswith(f"take_apart_{where}_")]


def figures_of(page: AppTest) -> dict[str, dict]:
    return {one.proto.alt: json.loads(one.proto.spec) for one in page.get("plotly_chart")}


def test_the_first_words_count_missed_defects_and_false_alarms(open_page: OpenPage, finished: str):
    page = open_page("failures", run=finished, **WRONG)
    assert not page.exception
    assert count_of(page, "What is missed") == "1 of 3"
    assert count_of(page, "What is falsely rejected") == "1 of 2"
    said = texts(page)
    assert "33\N{NBSP}% (95\N{NBSP}% interval: 6 to 79\N{NBSP}%)" in said
    assert "spot 1 of 3" in said
    assert "are too few to distinguish a pattern from chance" in said
    assert tiles(page, "strip") == ["**0.5 below** spot", "**0.5 above** good"]


def test_the_threshold_is_that_of_results_and_its_origin_is_said(open_page: OpenPage, finished: str):
    page = open_page("failures", run=finished)
    assert "At the threshold 1.75" in texts(page) and "Chosen on the test images themselves" in texts(page)
    assert count_of(page, "What is missed") == "0 of 3"
    assert "No defect is missed at this threshold" in texts(page)


def test_facts_are_measured_once_and_kept_with_the_run(open_page: OpenPage, store: RunStore, finished: str):
    path = answer_path(store, finished, FactsRequest())
    open_page("failures", run=finished)
    written = path.stat().st_mtime_ns
    page = open_page("failures", run=finished, **WRONG)
    assert path.stat().st_mtime_ns == written
    assert "Measuring the defects" not in texts(page)


def test_many_images_are_measured_by_a_task_that_a_button_begins(
    open_page: OpenPage, store: RunStore, finished: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(by_type, "MEASURE_AT_ONCE", 4)
    page = open_page("failures", run=finished, **WRONG)
    assert count_of(page, "What is missed") == "1 of 3", "what needs no file is there already"
    assert any(button.label == "Measure the defects of 5 images" for button in page.button)
    tell_of(store, finished, FactsRequest(), state="running", share=0.4)
    page = open_page("failures", run=finished, **WRONG)
    assert "40\N{NBSP}%" in page.get("progress")[0].proto.text
    ask(store, finished, FactsRequest()).save(compute_facts(open_results(store, finished), lambda done, total: None))
    page = open_page("failures", run=finished, **WRONG)
    assert any("defect area" in alt for alt in figures_of(page))


def test_pressing_a_tile_takes_its_image_apart(open_page: OpenPage, finished: str):
    page = open_page("failures", run=finished, **WRONG)
    next(button for button in page.button if button.label == "**0.5 below** spot").click().run()
    assert page.query_params["sample"] == SPOT
    said = texts(page)
    assert "**Defect missed**: score 2, 0.5 below" in said
    assert "Missed inside the mask" in said and "Regions found" in said
    links = links_of(page)
    assert (
        "position=1%2C2" in links["Its worst position in fine steps"]
        and "how=clicked" in links["Its worst position in fine steps"]
    )
    assert "sample=test%2Fspot%2F000.png" in links["Look at its map"]


def test_the_next_image_is_the_next_worst(open_page: OpenPage, finished: str):
    page = open_page("failures", run=finished, sample="test/good/001.png", **WRONG)
    next(button for button in page.button if button.label == "Next").click().run()
    assert page.query_params["sample"] == SPOT
    next(button for button in page.button if button.label == "Close").click().run()
    assert "sample" not in page.query_params


def test_a_good_image_has_alarms_where_a_defective_one_has_regions(open_page: OpenPage, finished: str):
    assert "all of them are false alarms" in texts(
        open_page("failures", run=finished, sample="test/good/001.png", **WRONG)
    )


def test_another_pixel_threshold_calls_other_pixels(open_page: OpenPage, finished: str):
    page = open_page("failures", run=finished, sample=SPOT, cut="0.95", **WRONG)
    assert "the 95\N{NBSP}% quantile of all positions of 2 normal test images" in texts(page)


def test_kind_type_and_tag_narrow_the_images(open_page: OpenPage, store: RunStore, finished: str):
    assert tiles(open_page("failures", run=finished, defect="good", **WRONG)) == ["**0.5 above** good"]
    assert len(tiles(open_page("failures", run=finished, outcome="TP", **WRONG))) == 2, "other pages show right calls"
    add_tag(store, finished, SPOT, "rust")
    assert tiles(open_page("failures", run=finished, tag="rust", outcome="FN", **WRONG)) == ["**0.5 below** spot"]
    assert "No wrong call passes this filter" in texts(
        open_page("failures", run=finished, tag="rust", outcome="FP", **WRONG)
    )


def test_wrong_calls_stand_once_while_they_are_few_and_in_pages_when_they_are_many(
    open_page: OpenPage, finished: str, monkeypatch: pytest.MonkeyPatch
):
    page = open_page("failures", run=finished, **WRONG)
    assert len(tiles(page, "strip")) == 2 and tiles(page) == []
    assert "All of them, the farthest below the threshold first." in texts(page)
    assert len(tiles(open_page("failures", run=finished, defect="spot", **WRONG))) == 1, "a chosen type is shown"
    monkeypatch.setattr(by_type, "FEW", 0)
    page = open_page("failures", run=finished, **WRONG)
    assert len(tiles(page)) == 2 and "All wrong calls, worst first" in texts(page)


def test_each_fact_has_its_figure(open_page: OpenPage, finished: str):
    for fact, title in (("area", "defect area"), ("n_regions", "regions of the mask")):
        figures = figures_of(open_page("failures", run=finished, fact=fact, **WRONG))
        assert any(title in alt for alt in figures), fact
        assert any("normal images above the pixel threshold" in alt for alt in figures)


def test_nearest_normals_are_offered_then_shown(open_page: OpenPage, store: RunStore, finished: str):
    page = open_page("failures", run=finished, fact="nearest", **WRONG)
    assert any(button.label == "Find the nearest training normals" for button in page.button)
    nearest = NearestNormals(np.arange(5), np.array(["train/good/003.png"] * 5), np.arange(5) + 1.0)
    ask(store, finished, NearestRequest()).save(nearest)
    page = open_page("failures", run=finished, fact="nearest", sample=SPOT, **WRONG)
    assert any("nearest training normal" in alt for alt in figures_of(page))
    assert "train/good/003.png, 3 away" in texts(page)


# -- little to say -----------------------------------------------------------------------------------------------------


def test_a_run_that_calls_everything_rightly_says_so(open_page: OpenPage, store: RunStore, finished: str):
    table = store.scores(finished)
    store.write_scores(finished, table.assign(score=[1.0, 1.5, 2.0, 4.0, 5.0]))
    page = open_page("failures", run=finished)
    assert "At this threshold every call is right" in page.success[0].value
    assert not tiles(page) and not page.exception


@pytest.mark.parametrize(("keep", "words"), [("good", "no defective test image"), ("spot", "no normal test image")])
def test_one_class_alone_gets_a_sentence(open_page: OpenPage, store: RunStore, finished: str, keep: str, words: str):
    table = store.scores(finished)
    rows = table[table.defect == keep]
    store.write_maps(finished, np.asarray(store.maps(finished))[rows.row])
    store.write_scores(finished, rows.assign(row=range(len(rows))))
    sample = rows.sample_id.iloc[0]
    page = open_page("failures", run=finished, sample=sample, **WRONG)
    assert not page.exception and not page.error
    assert f"This category has {words}" in texts(page)


def test_a_single_image_is_no_trouble(open_page: OpenPage, store: RunStore, finished: str):
    table = store.scores(finished)
    store.write_maps(finished, np.asarray(store.maps(finished))[2:3])
    store.write_scores(finished, table.iloc[2:3].assign(row=0))
    page = open_page("failures", run=finished, **WRONG)
    assert not page.exception
    assert count_of(page, "What is missed") == "1 of 1"


def test_no_test_image_gets_a_sentence(open_page: OpenPage, store: RunStore, finished: str):
    store.write_scores(finished, store.scores(finished).assign(split="holdout"))
    assert "no test images" in open_page("failures", run=finished).info[0].value


def test_without_masks_the_page_says_what_is_unknown(open_page: OpenPage, store: RunStore, finished: str):
    store.write_scores(finished, store.scores(finished).assign(mask_path=""))
    page = open_page("failures", run=finished, sample=SPOT, **WRONG)
    assert not page.exception
    assert "No defective image has a valid mask" in texts(page)
    assert "Areas and regions cannot be compared. It has no mask." in texts(page)


def test_damaged_and_absent_images_cost_their_own_tile(open_page: OpenPage, root: Path, finished: str):
    (root / "plate" / SPOT).write_bytes(b"no image")
    (root / "plate/test/spot/001.png").unlink()
    page = open_page("failures", run=finished, sample=SPOT, **WRONG)
    assert not page.exception
    assert tiles(page, "strip") == ["**0.5 below** spot", "**0.5 above** good"]
    assert "No picture left" in texts(page) and "Areas and regions cannot be compared" in texts(page)


@pytest.mark.parametrize("params", [{"sample": "nonsense"}, {"fact": "x", "cut": "y", "page": "77", "defect": "no"}])
def test_nonsense_in_the_address_gets_a_sentence_or_is_passed_over(open_page: OpenPage, finished: str, params: dict):
    page = open_page("failures", run=finished, **params, **WRONG)
    assert not page.exception
    assert bool(page.error) == ("sample" in params)


def test_a_defect_type_with_markup_in_its_name_is_shown_letter_by_letter(
    open_page: OpenPage, store: RunStore, finished: str
):
    table = store.scores(finished)
    store.write_scores(finished, table.assign(defect=["good", "good", *["**<b>x</b>**"] * 3]))
    said = texts(open_page("failures", run=finished, sample=SPOT, **WRONG))
    assert "\\*\\*\\<b\\>x" in said
    assert "**<b>" not in said


# -- groups ------------------------------------------------------------------------------------------------------------


def test_few_wrong_calls_are_not_grouped(open_page: OpenPage, finished: str):
    assert "groups need at least 6 of 20" in texts(open_page("failures", run=finished, **WRONG))


@pytest.fixture
def larger(store: RunStore, root: Path) -> str:
    """A run of 24 images: those of the tiny category over and over, every defective one missed at 6."""
    run_id = write_run(store, root)
    table, maps = store.scores(run_id), np.asarray(store.maps(run_id))
    n, order = sum(len(scores) for scores in TEST_SCORES.values()), np.arange(24) % 5
    folder = root / "plate/test"
    copies = table.iloc[order].assign(row=range(24))
    for i, path in enumerate(copies.path):
        if i >= n:
            Image.open(path).save(folder / f"copy_{i:02d}.png")
    copies = copies.assign(
        sample_id=[one if i < n else f"test/copy_{i:02d}.png" for i, one in enumerate(copies.sample_id)]
    )
    store.write_scores(run_id, copies)
    store.write_maps(run_id, maps[order])
    return run_id


def test_groups_are_offered_as_a_task_and_shown_once_the_map_is_there(
    open_page: OpenPage, store: RunStore, larger: str
):
    page = open_page("failures", run=larger, threshold="6.0")
    assert any(button.label == "Group the worst positions of 24 images" for button in page.button)
    generator = np.random.default_rng(0)
    points = generator.normal(size=(1, 24, 2)) * 0.1 + np.where(np.arange(24)[:, None] % 5 == 2, 0, 10)
    request = map_request(24, open_results(store, larger).settings.solver)
    ask(store, larger, request).save(Projection("umap", np.zeros(1, np.float32), points, n_fitted=24))
    page = open_page("failures", run=larger, threshold="6.0")
    said = texts(page)
    assert "Group 1: " in said and "Group 2: " in said
    assert any(alt.startswith("UMAP of the worst position of 24 test images") for alt in figures_of(page))
    assert tiles(page, "group1")
