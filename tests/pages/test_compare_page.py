"""The page `compare`: which runs, refusals in words, who is right where, and pixels counted once."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hand_made_runs import plain_metrics
from page_runs import OpenPage, texts

from wtflow.compare.pixel_tally import tally_path
from wtflow.datasets.images import hash_file
from wtflow.records.core import RunStatus
from wtflow.store import layout
from wtflow.store.runs import RunStore

TWIN = "20300101-000000-plate"
"""Id of the second run: the same training scored with one step instead of two, and other scores."""


def tell_images(store: RunStore, run_id: str) -> None:
    """Let a run say what its images contain, as the worker does."""
    samples = [
        {
            "id": row.sample_id,
            "path": row.path,
            "split": row.split,
            "defect": row.defect,
            "mask": row.mask_path,
            "sha256": hash_file(Path(row.path)),
        }
        for row in store.scores(run_id).itertuples()
    ]
    store.write_data(run_id, {"fingerprint": "0", "held_out": [], "samples": samples})


def write_twin(store: RunStore, run_id: str, twin: str = TWIN, steps: int = 1, **scores: float) -> str:
    """A copy of a run under another id, with other steps and, by defect type and number (`good_1=9`), other scores."""
    shutil.copytree(store.folder(run_id), store.home / twin)
    path = store.folder(twin) / layout.CONFIG
    values = json.loads(path.read_text())
    path.write_text(json.dumps(values | {"run_id": twin, "settings": values["settings"] | {"steps": steps}}))
    table = store.scores(twin)
    for name, score in scores.items():
        defect, number = name.split("_")
        table.loc[table.sample_id == f"test/{defect}/{int(number):03d}.png", "score"] = score
    store.write_scores(twin, table)
    return twin


@pytest.fixture
def pair(store: RunStore, finished: str) -> tuple[str, str]:
    """The second run calls the good image 001 right, which the first calls defective (threshold 1.75), and misses
    spot 000.
    """
    tell_images(store, finished)
    return finished, write_twin(store, finished, good_1=1.2, spot_0=1.1)


def test_two_runs_are_shown_with_what_differs_and_what_it_amounts_to(open_page: OpenPage, pair):
    page = open_page("compare")
    assert not page.exception
    assert not page.error
    assert page.query_params["runs"] == list(pair), "the older one first"
    words = texts(page)
    assert "| **steps** | 2 | 1 |" in words
    assert "same 5 images (2 normal, 3 defective)" in words
    # A: 5 of 6 pairs right. B: good 1.0 and 1.2 against 1.1, 4, 5: again 5 of 6.
    assert "Image AUROC | 0.833" in words
    assert "| Image AUROC | B | +0.000 |" in words
    assert "within noise" in words


def test_the_images_called_differently_say_who_is_right(open_page: OpenPage, pair):
    page = open_page("compare", runs=list(pair))
    assert "call 2 of 5 images differently" in texts(page)
    assert "Chosen on the test images themselves" in texts(page), "where the thresholds come from"
    assert "2 images, those that the two runs rank most differently first" in texts(page)
    page.button_group(key="widget_who").set_value("second").run()
    assert page.query_params["who"] == "second"
    assert "1 image, those" in texts(page)
    assert "**good** · B is right" in texts(page)


def test_another_origin_of_the_thresholds_changes_the_calls(open_page: OpenPage, pair):
    page = open_page("compare", runs=list(pair))
    page.selectbox(key="widget_origin").set_value("holdout").run()
    assert "no test label was used" in texts(page)
    assert "call 1 of 5 images differently" in texts(page)  # at 2.45 both miss spot 000


def test_an_image_of_a_card_is_shown_in_every_run(open_page: OpenPage, pair):
    page = open_page("compare", runs=list(pair), who="second")
    next(button for button in page.button if button.label == "See its maps").click().run()
    assert page.query_params["sample"] == "test/good/001.png"
    assert "True label: **good**" in texts(page)
    assert "| A (steps 2) | 3 | 1.75 | defective | 3 |" in texts(page)
    assert "| B (steps 1) | 1.2 | 1.75 | normal | 3 |" in texts(page)


def test_a_place_of_the_address_is_read_in_every_run(open_page: OpenPage, pair):
    page = open_page("compare", runs=list(pair), position="1,2")
    assert "Row 1, column 2 of 4 x 4" in texts(page)
    assert "normal pixels that score as high" in texts(page)
    own = open_page("compare", runs=list(pair), maps="own")
    assert "not on one scale" in texts(own)


def test_reversing_makes_the_last_run_the_one_that_others_are_held_against(open_page: OpenPage, pair):
    page = open_page("compare", runs=list(pair))
    next(button for button in page.button if button.label == "Reverse").click().run()
    assert page.query_params["runs"] == list(reversed(pair))
    assert "| **steps** | 1 | 2 |" in texts(page)


def test_three_runs_are_compared_two_by_two_image_by_image(open_page: OpenPage, store: RunStore, pair):
    third = write_twin(store, pair[0], "20300101-000001-plate", 3)
    page = open_page("compare", runs=[*pair, third], pair="AC")
    assert not page.exception
    assert "A (steps 2) and C (steps 3) call all 5 images the same" in texts(page)
    assert "| Image AUROC | C |" in texts(page)
    page.button_group(key="widget_pair").set_value("BC").run()
    assert "B (steps 1) and C (steps 3) call 2 of 5 images differently" in texts(page)


def test_different_test_sets_are_refused_until_asked_for_the_common_images(open_page: OpenPage, store: RunStore, pair):
    table = store.scores(pair[1])
    store.write_scores(pair[1], table[table.sample_id != "test/spot/002.png"])
    store.write_maps(pair[1], np.ones((4, 4, 4), np.float32))
    page = open_page("compare", runs=list(pair))
    assert "tested on different images" in page.warning[-1].value
    assert "(A 5, B 4)" in page.warning[-1].value
    assert "4 images are common to all" in page.warning[-1].value
    assert "Which is better" not in texts(page)
    page.toggle(key="widget_common").set_value(True).run()
    assert not page.exception
    assert page.query_params["common"] == "1"
    assert "Image AUROC | 0.750" in texts(page), "of 2 x 2 pairs one is wrong"


def test_an_image_with_other_content_is_not_common(open_page: OpenPage, store: RunStore, pair):
    data = store.data(pair[1])
    for sample in data["samples"]:
        sample["sha256"] += "x"
    store.write_data(pair[1], data)
    page = open_page("compare", runs=list(pair))
    assert "They have no image in common" in page.warning[-1].value
    assert not page.toggle


def test_a_single_finished_run_says_how_to_get_a_second_one(open_page: OpenPage, finished: str):
    page = open_page("compare")
    assert "only one finished run" in page.info[0].value
    assert "--keep" in page.info[0].value


def test_what_keeps_a_run_out_is_said_of_each(open_page: OpenPage, store: RunStore, root, pair):
    damaged = write_twin(store, pair[0], "20300101-000002-plate")
    (store.folder(damaged) / layout.MAPS).unlink()
    waiting = write_twin(store, pair[0], "20300101-000003-plate")
    store.write_status(waiting, RunStatus(state="stopped", heartbeat=1.0))
    page = open_page("compare", runs=[*pair, "20200101-000000-gone", damaged, waiting])
    assert not page.exception
    assert "There is no run '20200101" in page.error[0].value
    assert "It may have been deleted" in page.error[0].value
    assert "is damaged" in page.error[1].value
    assert f"Run {waiting} is stopped: it has no results yet" in page.info[0].value.replace("\\", "")
    assert "Which is better" in texts(page), "the two intact ones are compared"
    few = open_page("compare", runs=[pair[0], damaged])
    assert "at least two finished runs" in few.info[-1].value


def test_a_run_that_does_not_say_what_its_images_contain_is_refused(open_page: OpenPage, store: RunStore, pair):
    (store.folder(pair[1]) / layout.DATA).unlink()
    page = open_page("compare", runs=list(pair))
    assert not page.exception
    assert "does not record the contents of its test images" in page.error[0].value


def test_runs_of_another_category_are_not_offered(open_page: OpenPage, store: RunStore, pair):
    other = write_twin(store, pair[0], "20300101-000004-cup")
    path = store.folder(other) / layout.CONFIG
    path.write_text(json.dumps(json.loads(path.read_text()) | {"category": "<b>cup*"}))
    page = open_page("compare", runs=[*pair, other])
    assert "only runs of one category" in page.info[0].value
    assert r"\<b\>cup\*" in page.info[0].value, "a name is shown letter by letter"
    page.selectbox(key="widget_runs_of").set_value("<b>cup*").run()
    assert page.query_params["runs"] == other
    assert "only one finished run" in page.info[0].value


@pytest.mark.parametrize("kept", ["good", "spot"])
def test_test_sets_of_one_class_say_why_there_are_no_metrics(open_page: OpenPage, store: RunStore, pair, kept: str):
    for run_id in pair:
        table = store.scores(run_id)
        table.loc[table.defect != kept, "split"] = "holdout"
        store.write_scores(run_id, table)
    page = open_page("compare", runs=list(pair))
    assert not page.exception
    assert not page.error
    missing = "defective images" if kept == "good" else "normal images"
    assert f"Needs {missing}" in texts(page)
    assert "images differently" in texts(page)


def test_runs_without_test_images_say_so(open_page: OpenPage, store: RunStore, pair):
    for run_id in pair:
        store.write_scores(run_id, store.scores(run_id).assign(split="holdout"))
    page = open_page("compare", runs=list(pair))
    assert not page.exception
    assert "no test images" in page.info[0].value


def test_values_in_the_address_that_make_no_sense_are_passed_over(open_page: OpenPage, pair):
    nonsense = dict.fromkeys(("pair", "origin", "curve", "who", "defect", "sample", "maps"), "x")
    page = open_page("compare", runs=list(pair), position="99,99", opacity="nan", page="-3", **nonsense)
    assert not page.exception
    assert not page.error


def test_an_image_that_is_gone_leaves_the_rest_of_the_page(open_page: OpenPage, store: RunStore, root, pair):
    for path in (root / "plate" / "test").rglob("*.png"):
        path.unlink()
    page = open_page("compare", runs=list(pair))
    assert not page.exception
    assert "its map stands alone" in texts(page)
    assert "Time and memory" in texts(page)


def with_pixel_metrics(store: RunStore, run_id: str) -> None:
    metrics = plain_metrics()
    metrics["metrics"] |= {"pixel_auroc": 0.9, "pixel_ap": 0.5, "aupro": 0.8}
    store.write_metrics(run_id, metrics)


def test_pixels_are_counted_once_and_give_intervals_and_the_pro_curve(open_page: OpenPage, store: RunStore, pair):
    for run_id in pair:
        with_pixel_metrics(store, run_id)
    page = open_page("compare", runs=list(pair), curve="pro")
    assert not page.exception
    assert all(tally_path(store, run_id).is_file() for run_id in pair)
    assert re.search(r"AUPRO \| 0\.800 \| 0\.\d+ to", texts(page))
    assert "| AUPRO | B | +0.000 | +0.000 to +0.000 | **exactly the same** |" in texts(page), (
        "both runs have the same maps"
    )
    before = tally_path(store, pair[0]).stat().st_mtime_ns
    assert "needs masks" not in texts(open_page("compare", runs=list(pair), curve="pro"))
    assert tally_path(store, pair[0]).stat().st_mtime_ns == before


def test_many_pixels_are_counted_only_when_asked(
    open_page: OpenPage, store: RunStore, pair, monkeypatch: pytest.MonkeyPatch
):
    from pages.ui.compare import tables

    monkeypatch.setattr(tables, "COUNT_AT_ONCE", 9)
    for run_id in pair:
        with_pixel_metrics(store, run_id)
    page = open_page("compare", runs=list(pair))
    assert "| AUPRO | 0.800 | – | 0.800 | – |" in texts(page)
    assert "| AUPRO | B | +0.000 | – | – |" in texts(page)
    assert not tally_path(store, pair[0]).exists()
    next(button for button in page.button if "Count the pixels of 10 maps" in button.label).click().run()
    assert re.search(r"AUPRO \| 0\.800 \| 0\.\d+ to", texts(page))


def test_times_and_memory_are_those_that_the_runs_measured(open_page: OpenPage, pair):
    words = texts(open_page("compare", runs=list(pair)))
    assert "| reading (s) | 0.1 | 0.1 |" in words
    assert "| peak memory (MiB) | 100 | 100 |" in words


def test_two_thousand_images_are_compared_without_their_files(open_page: OpenPage, store: RunStore, pair):
    """Metrics, scatter and lists come from the tables alone; pictures only of what is on the page."""
    for run_id in pair:
        table = store.scores(run_id)
        many = pd.concat([table] * 400, ignore_index=True)
        many = many.assign(
            row=range(2000),
            sample_id=[f"test/{i}.png" for i in range(2000)],
            score=many.score + np.linspace(0, 0.1, 2000),
        )
        store.write_scores(run_id, many)
        store.write_maps(run_id, np.ones((2000, 4, 4), np.float32))
        store.write_data(
            run_id,
            {"fingerprint": "0", "held_out": [], "samples": [{"id": name, "sha256": name} for name in many.sample_id]},
        )
    page = open_page("compare", runs=list(pair))
    assert not page.exception
    assert "same 2,000 images (800 normal, 1,200 defective)" in texts(page)


def test_pixel_metrics_tell_of_how_many_images_they_are(open_page: OpenPage, store: RunStore, pair):
    facts = store.metrics(pair[0])
    store.write_metrics(pair[0], facts | {"pixel_images": {"n": 4, "n_defects": 3, "left_out": {"missing": 1}}})
    words = texts(open_page("compare", runs=list(pair)))
    assert "Pixel metrics of A are of 4 images; 1 of 3 defective images has no mask." in words
    assert "Pixel metrics of B are of 5 images." in words
