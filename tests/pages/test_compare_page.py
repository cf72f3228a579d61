"""The page `compare`: which runs, refusals in words, who is right where, and pixels counted once."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from page_runs import OpenPage, texts
from PIL import Image
from truths import drawn, keep_truth

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
    assert "same 5 images (2 normal, 3 defective)" in words
    # A: 5 of 6 pairs right. B: good 1.0 and 1.2 against 1.1, 4, 5: again 5 of 6.
    assert "Image AUROC | 0.833" in words
    assert "| Image AUROC | B | +0.000 |" in words
    assert "exactly the same in Image AUROC" in words
    assert "| **steps** | 2 | 1 |" in texts(open_page("compare", part="differs"))


def test_only_the_open_part_is_computed_and_the_address_tells_which(open_page: OpenPage, pair):
    shown = {
        part: texts(open_page("compare", runs=list(pair), part=part))
        for part in ("better", "differs", "curves", "images", "costs")
    }
    signs = {
        "better": "difference to A",
        "differs": "settings are the same",
        "images": "The same image in each run",
        "costs": "peak memory",
    }
    for part, sign in signs.items():
        holds = [name for name, words in shown.items() if sign in words]
        assert holds == [part] or (part == "differs" and not holds), sign
    assert len(open_page("compare", runs=list(pair), part="curves").get("plotly_chart")) == 1
    page = open_page("compare", runs=list(pair))
    page.button_group(key="widget_part").set_value("costs").run()
    assert page.query_params["part"] == "costs"
    assert "The same image in each run" in texts(open_page("compare", runs=list(pair), sample="test/spot/000.png")), (
        "a link of 0.3.0 to an image"
    )


def test_the_images_called_differently_say_who_is_right(open_page: OpenPage, pair):
    page = open_page("compare", runs=list(pair), part="images")
    assert "call 2 of 5 images differently" in texts(page)
    assert "Chosen on the test images themselves" in texts(page), "where the thresholds come from"
    assert "2 images, those that the two runs rank most differently first" in texts(page)
    page.button_group(key="widget_who").set_value("second").run()
    assert page.query_params["who"] == "second"
    assert "1 image, those" in texts(page)
    assert "**good** · B is right" in texts(page)


def test_another_origin_of_the_thresholds_changes_the_calls(open_page: OpenPage, pair):
    page = open_page("compare", runs=list(pair), part="images")
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
    page = open_page("compare", runs=list(pair), part="differs")
    next(button for button in page.button if button.label == "Reverse").click().run()
    assert page.query_params["runs"] == list(reversed(pair))
    assert "| **steps** | 1 | 2 |" in texts(page)


def test_three_runs_are_compared_two_by_two_image_by_image(open_page: OpenPage, store: RunStore, pair):
    third = write_twin(store, pair[0], "20300101-000001-plate", 3)
    page = open_page("compare", runs=[*pair, third], pair="AC")
    assert not page.exception
    assert "A (steps 2) and C (steps 3) call all 5 images the same" in texts(page)
    assert "| Image AUROC | C |" in texts(open_page("compare", runs=[*pair, third]))
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
    assert "widget_common" not in [toggle.key for toggle in page.toggle]


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
    assert "difference to A" in texts(page), "the two intact ones are compared"
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
    assert "images differently" in texts(open_page("compare", runs=list(pair), part="images"))


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
    page = open_page("compare", runs=list(pair), part="images")
    assert not page.exception
    assert "its map stands alone" in texts(page)
    assert "cannot be told whether the runs were counted on the same masks" in page.warning[0].value
    assert list(page.selectbox(key="widget_truth").options) == ["the masks as they are now"]
    page.selectbox(key="widget_truth").set_value("now").run()
    assert "3 of 3 defective images are gone or have changed" in page.info[0].value
    assert page.query_params["truth"] == "now"
    assert "The same image in each run" in texts(page)


def tallies(store: RunStore, run_id: str) -> list[Path]:
    """The counts of pixels that are kept with a run, one per truth."""
    return sorted((store.folder(run_id) / layout.DERIVED).glob("tally-*.npz"))


def cells(page, metric: str) -> list[str]:
    """The table row of the values of a metric."""
    row = next(line for line in texts(page).splitlines() if line.strip().startswith(f"| {metric} |"))
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


def test_pixels_are_counted_once_and_give_intervals_and_the_pro_curve(open_page: OpenPage, store: RunStore, pair):
    page = open_page("compare", runs=list(pair), curve="pro")
    assert not page.exception
    assert [len(tallies(store, run_id)) for run_id in pair] == [1, 1]
    _, first, span, second, _ = cells(page, "AUPRO")
    low, high = map(float, span.split(" to "))
    assert low <= float(first) == float(second) <= high
    assert "| AUPRO | B | +0.000 | +0.000 to +0.000 | **exactly the same** |" in texts(page), (
        "both runs have the same maps"
    )
    before = tallies(store, pair[0])[0].stat().st_mtime_ns
    assert "needs masks" not in texts(open_page("compare", runs=list(pair), part="curves", curve="pro"))
    assert tallies(store, pair[0])[0].stat().st_mtime_ns == before


def test_many_pixels_are_counted_only_when_asked(
    open_page: OpenPage, store: RunStore, pair, monkeypatch: pytest.MonkeyPatch
):
    from pages.ui.compare import tables

    monkeypatch.setattr(tables, "COUNT_AT_ONCE", 9)
    page = open_page("compare", runs=list(pair))
    assert cells(page, "AUPRO") == ["AUPRO", "–", "–", "–", "–"]
    assert "not counted yet" in texts(page)
    assert not tallies(store, pair[0])
    next(button for button in page.button if "Count the pixels of 10 maps" in button.label).click().run()
    assert " to 0." in cells(page, "AUPRO")[2]


def test_runs_that_look_alike_are_told_apart_in_pickers(open_page: OpenPage, store: RunStore, pair):
    """Made in the same minute with the same settings: a picker gives back the first option of what it shows."""
    twin = write_twin(store, pair[0], "20300101-000009-plate", steps=2)
    page = open_page("results", run=pair[0])
    for run_id in (twin, pair[0]):
        page.selectbox(key="widget_run").set_value(run_id).run()
        assert page.query_params["run"] == run_id
    page = open_page("compare", runs=[pair[0], twin]).run()
    assert page.query_params["runs"] == [pair[0], twin] and f"run {twin}" in texts(page).replace("\\", "")


# -- one truth ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def redrawn(store: RunStore, pair) -> tuple[str, str]:
    """Two runs of the same settings: for the first one the mask of spot 000 was a corner, and spot 001 had none."""
    twin = write_twin(store, pair[0], "20300101-000009-plate", steps=2, good_1=1.2)
    corner = np.zeros((64, 64), bool)
    corner[:6, :6] = True
    keep_truth(store, pair[0], ["test/spot/001.png"], spot_000=drawn(corner))
    keep_truth(store, twin)
    return pair[0], twin


CHANCE = "What still differs is chance"


def test_runs_of_different_masks_are_named_and_not_compared_by_pixels_until_a_truth_is_chosen(
    open_page: OpenPage, store: RunStore, redrawn
):
    page = open_page("compare", runs=list(redrawn), curve="pro")
    assert not page.exception and not page.error
    (warning,) = (one.value for one in page.warning)
    assert "not counted on the same masks" in warning
    assert "1 image has different masks in A and B: test/spot/000.png" in warning.replace("\\", "")
    assert "1 image has a valid mask in B only: test/spot/001.png" in warning.replace("\\", "")
    assert CHANCE not in texts(page)
    assert cells(page, "AUPRO") == ["AUPRO", "–", "–", "–", "–"]
    assert cells(page, "Image AUROC")[1] == "0.833", "images need no mask"
    assert "Pixel metrics of A, by its own masks, are of 4 images; 1 of 3 defective images has no mask" in texts(page)
    assert not tallies(store, redrawn[0])
    assert list(page.selectbox(key="widget_truth").options) == [
        "the masks of A",
        "the masks of B",
        "the masks as they are now",
    ]


def test_a_chosen_truth_counts_both_runs_on_the_same_masks(open_page: OpenPage, store: RunStore, redrawn):
    """Both runs have the same maps, so on one truth they are the same; each truth gives its own figure."""
    page, found = open_page("compare", runs=list(redrawn)), {}
    for key in (*redrawn, "now"):
        page.selectbox(key="widget_truth").set_value(key).run()
        assert not page.exception and not page.error
        assert page.query_params["truth"] == key
        _, first, span, second, _ = cells(page, "AUPRO")
        low, high = map(float, span.split(" to "))
        assert low <= float(first) <= high and first == second
        assert "| AUPRO | B | +0.000 | +0.000 to +0.000 | **exactly the same** |" in texts(page)
        found[key] = first
    assert found[redrawn[0]] != found[redrawn[1]] == found["now"]
    assert len(tallies(store, redrawn[0])) == 2, "one per truth; now it is that of the second run"
    assert "rest on the masks as they are now" in texts(page)
    assert "Pixel metrics are of 5 images." in texts(page)
    page = open_page("compare", runs=list(redrawn), truth="now", sample="test/spot/000.png")
    assert "The outline is that of the masks as they are now" in texts(page)


def test_what_differs_is_chance_only_where_settings_images_labels_and_masks_are_the_same(
    open_page: OpenPage, store: RunStore, redrawn
):
    keep_truth(store, redrawn[0])
    page = open_page("compare", runs=list(redrawn), part="differs")
    assert CHANCE in texts(page) and not page.warning
    data = store.data(redrawn[1])
    extra = {"id": "train/good/999.png", "split": "train", "defect": "good", "mask": "", "path": "/x", "sha256": "9"}
    store.write_data(redrawn[1], data | {"samples": [*data["samples"], extra]})
    page = open_page("compare", runs=list(redrawn), part="differs")
    assert CHANCE not in texts(page)
    assert "trained on different images (A 0, B 1; 0 are the same" in texts(page).replace("\\", "")


def test_runs_that_hold_no_truth_are_counted_by_their_masks_as_they_are_now_and_say_so(
    open_page: OpenPage, store: RunStore, root, pair
):
    """Also when a mask changes while the app runs."""
    before = cells(page := open_page("compare", runs=list(pair)), "AUPRO")
    assert "A holds no masks of its own: it is counted on its masks as they are now." in texts(page).replace("\\", "")
    corner = np.zeros((64, 64), np.uint8)
    corner[:6, :6] = 255
    for path in (root / "plate/ground_truth/spot").glob("*.png"):
        Image.fromarray(corner).save(path)
    after = cells(open_page("compare", runs=list(pair)), "AUPRO")
    assert before[1] != after[1] and after[1] == after[3]


def test_times_and_memory_are_those_that_the_runs_measured(open_page: OpenPage, pair):
    words = texts(open_page("compare", runs=list(pair), part="costs"))
    assert "| reading (s) | 0.1 | 0.1 |" in words
    assert "| peak memory (MiB) | 100 | 100 |" in words


@pytest.mark.slow
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
