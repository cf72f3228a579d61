import json
from dataclasses import asdict
from pathlib import Path

import pytest
from hand_made_runs import plain_metrics
from page_runs import OpenPage, texts, write_run
from streamlit.testing.v1 import AppTest

from pages.ui import state, thresholds
from wtflow.compare.intervals import wilson_interval
from wtflow.numbers import of_threshold, percent, percent_range
from wtflow.records.masks import MaskDecision, MaskValue, decision_of
from wtflow.results import open_results, threshold_choices
from wtflow.store.layout import MAPS
from wtflow.store.runs import RunStore


def cells(page) -> dict[str, int]:
    """Outcome in words -> number on the button of the confusion matrix."""
    found = (button.label.removeprefix("**").split("** ") for button in page.button if button.label.startswith("**"))
    return {words: int(number) for number, words in found}


def test_a_finished_run_shows_metrics_matrix_and_images(open_page: OpenPage, finished: str):
    page = open_page("results")
    assert not page.exception
    assert "0.833" in texts(page)
    assert cells(page) == {"defects found": 3, "defects missed": 0, "false alarm": 1, "normal passed": 1}
    assert page.query_params["run"] == finished


def test_the_origin_of_the_threshold_is_never_hidden(open_page: OpenPage, finished: str):
    page = open_page("results", run=finished)
    assert "Chosen on the test images themselves" in texts(page)
    page.selectbox(key="widget_origin").set_value("holdout").run()
    assert "no test label was used" in texts(page)
    assert page.select_slider[0].value == 2.45


def test_moving_the_threshold_moves_the_matrix_and_the_address(open_page: OpenPage, finished: str):
    page = open_page("results", run=finished)
    page.select_slider[0].set_value(3.5).run()
    assert cells(page) == {"defects found": 2, "defect missed": 1, "false alarms": 0, "normals passed": 2}
    assert page.query_params["threshold"] == "3.5"
    assert "Set by hand" in texts(page)
    next(button for button in page.button if button.label == "Reset").click().run()
    assert "threshold" not in page.query_params
    assert page.select_slider[0].value == 1.75


def test_the_threshold_of_a_link_is_used_as_it_stands(open_page: OpenPage, finished: str):
    assert cells(open_page("results", run=finished, threshold="4.0"))["defects found"] == 2


def test_the_threshold_can_be_typed_as_any_number(open_page: OpenPage, finished: str):
    page = open_page("results", run=finished)
    assert page.number_input[0].value == 1.75
    page.number_input[0].set_value(4.2).run()
    assert cells(page)["defects missed"] == 2
    assert page.query_params["threshold"] == "4.2"
    assert page.select_slider[0].value == 4.2


def test_what_is_missed_and_falsely_rejected_comes_first_of_how_many_and_with_its_interval(
    open_page: OpenPage, finished: str
):
    page = open_page("results", run=finished)
    assert list(cells(page)) == ["defects missed", "defects found", "false alarm", "normal passed"]
    words = texts(page)
    for part in (
        "Of 3 defective images",
        f"Found: **{percent(1)}** (95\N{NBSP}% interval {percent_range(*wilson_interval(3, 3))})",
        "Of 2 normal images",
        f"Falsely rejected: **{percent(0.5)}** (95\N{NBSP}% interval {percent_range(*wilson_interval(1, 2))})",
    ):
        assert part in words
    shares = [line.proto.help for line in page.markdown if "95\N{NBSP}% interval" in line.value]
    assert len(shares) == 2 and all("Wilson" in one for one in shares)


def test_of_a_label_without_images_no_share_is_made_up(open_page: OpenPage, store: RunStore, finished: str):
    table = store.scores(finished)
    store.write_scores(finished, table.assign(split=table.split.where(table.is_defective, "holdout")))
    words = texts(open_page("results", run=finished))
    assert "Of 0 normal images" in words and "Falsely rejected" not in words


def test_the_gallery_can_begin_with_the_images_closest_to_the_threshold(open_page: OpenPage, finished: str):
    page = open_page("results", run=finished, sort="closest", threshold="3.4")
    shown = [line.value.split("**")[1] for line in page.markdown if line.value.startswith("**")]
    scores = [link.label.split("**")[1] for link in (one.proto for one in page.get("page_link")) if "**" in link.label]
    assert not page.exception and not shown
    assert [float(score) for score in scores] == [3.0, 4.0, 2.0, 5.0, 1.0]


def test_a_card_shows_its_score_as_a_share_of_the_threshold(open_page: OpenPage, finished: str):
    words = texts(open_page("results", run=finished, threshold="2.0"))
    assert of_threshold(4.0, 2.0) == f"{percent(2)} of the threshold"
    assert f":orange-badge[defect found] :small[{percent(2)}]" in words
    assert "the score as a share of the threshold" in words


def test_a_cell_of_the_matrix_filters_the_gallery(open_page: OpenPage, finished: str):
    page = open_page("results", run=finished)
    next(button for button in page.button if "false alarm" in button.label).click().run()
    assert page.query_params["outcome"] == "FP"
    assert "1 of 5 test images: false alarm" in texts(page)


def test_a_score_range_from_a_bar_filters_the_gallery(open_page: OpenPage, finished: str):
    page = open_page("results", run=finished, range="3.0~4.5")
    assert "2 of 5 test images: score 3 to 4.5" in texts(page)


def test_nonsense_in_the_address_is_passed_over(open_page: OpenPage, finished: str):
    page = open_page(
        "results", run=finished, threshold="x", origin="y", outcome="ZZ", defect="no", range="1~", sort="up", page="77"
    )
    assert not page.exception
    assert "5 of 5 test images" in texts(page)


def badges(page: AppTest) -> list[str]:
    """Words on hover of the badges about a run's weights."""
    return [one.proto.help for one in page.markdown if "backbone" in one.value and "-badge[" in one.value]


def test_a_run_of_an_untrained_backbone_says_so_on_top(open_page: OpenPage, store: RunStore, root: Path, finished: str):
    (words,) = badges(open_page("results", run=finished))
    assert "random weights" in words
    trained = write_run(store, root, weights="/weights/resnet18.pth")
    assert not badges(open_page("results", run=trained))


def test_a_run_of_the_embedded_backbone_names_it_and_says_how_to_do_better(
    open_page: OpenPage, store: RunStore, root: Path
):
    (words,) = badges(open_page("results", run=write_run(store, root, weights="embedded")))
    assert "Embedded backbone" in words and "ImageNet weights find a little more" in words


@pytest.mark.parametrize("run", ["nonsense", "../..", "20260101-000000-plate"])
def test_an_unknown_run_gets_a_sentence(open_page: OpenPage, finished: str, run: str):
    page = open_page("results", run=run)
    assert not page.exception
    assert "There is no run" in page.error[0].value
    assert page.selectbox(key="widget_run").value is None


def test_a_damaged_run_gets_its_reason(open_page: OpenPage, store: RunStore, finished: str):
    (store.folder(finished) / MAPS).unlink()
    page = open_page("results", run=finished)
    assert not page.exception
    assert "damaged" in page.error[0].value and "maps.npy" in page.error[0].value.replace("\\", "")


def test_an_image_that_is_gone_leaves_the_rest_of_the_gallery(open_page: OpenPage, root: Path, finished: str):
    (root / "plate/test/spot/001.png").unlink()
    page = open_page("results", run=finished)
    assert not page.exception
    alone = [line.proto.help for line in page.caption if "No picture left" in line.value]
    assert len(alone) == 1 and "001.png does not exist" in alone[0].replace("\\", "")


def test_each_stop_of_the_slider_moves_one_image(store: RunStore, finished: str):
    results = open_results(store, finished)
    origin = threshold_choices(results)[0]
    stops = thresholds._stops(results, thresholds.Threshold(origin.value, origin, False))
    calls = [int((results.table.score >= stop).sum()) for stop in stops]
    assert calls == sorted(calls, reverse=True)
    assert set(calls) == {0, 1, 2, 3, 4, 5}


def test_no_two_stops_of_the_slider_read_the_same(store: RunStore, finished: str):
    metrics = store.metrics(finished)
    metrics["thresholds"]["best_f1"]["value"] = 2.5000001  # half-way between two scores but for rounding
    store.write_metrics(finished, metrics)
    results = open_results(store, finished)
    origin = threshold_choices(results)[0]
    stops = thresholds._stops(results, thresholds.Threshold(origin.value, origin, False))
    assert [stop for stop in stops if 2.49 < stop < 2.51] == [2.5000001]


def test_a_threshold_survives_being_written_into_the_address_unless_it_is_the_origin():
    assert state.to_text(0.123456789) == "0.123457"
    assert state.to_text(["TP"]) == ["TP"]
    assert state.to_text(None) is None


def test_a_pixel_metric_tells_of_how_many_images_it_is(open_page: OpenPage, store: RunStore, finished: str):
    values = {"image_auroc": 0.9, "pixel_auroc": 0.8, "pixel_ap": None, "aupro": 0.7}
    pixel_images = {"n": 4, "n_defects": 3, "left_out": {"missing": 1}}
    store.write_metrics(finished, plain_metrics(metrics=values, pixel_images=pixel_images))
    words = texts(open_page("results", run=finished))
    assert "Pixel metrics and AUPRO: of 4 images; 1 of 3 defective images has no mask." in words


def test_a_run_says_what_masks_meant_for_it(open_page: OpenPage, store: RunStore, finished: str):
    assert "does not say how masks were read" in texts(open_page("results", run=finished)), "as runs of 0.3.0"
    values = (
        MaskValue("0", 3, 0.96, "normal"),
        MaskValue("1", 3, 0.02, "defect"),
        MaskValue("255", 3, 0.02, "left out"),
    )
    decision = MaskDecision("defect=1,ignore=255", "person", 3, values, 3)
    written = json.loads(json.dumps(asdict(decision)))
    assert decision_of({"masks": written}) == decision
    store.write_metrics(finished, plain_metrics(masks=written))
    page = open_page("results", run=finished)
    assert not page.exception
    assert (
        "This run read masks by the rule defect=1,ignore=255 (as a person said). 1 is the defect; 255 counts in neither"
        " class; everything else is normal."
    ) in "".join(box.label for box in page.expander).replace("\\", "")
    assert "left out</td>" in "".join(one.proto.body for one in page.get("html"))


def test_what_a_run_says_of_masks_and_is_not_understood_is_passed_over(
    open_page: OpenPage, store: RunStore, finished: str
):
    for odd in ([], {"rule": "x"}, {"rule": "", "said_by": "app", "values": [{"word": 1}]}):
        assert decision_of({"masks": odd}) is None
    store.write_metrics(finished, plain_metrics(masks={"rule": "x"}))
    assert not open_page("results", run=finished).exception
