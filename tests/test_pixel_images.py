"""Of how many images pixel metrics are: said wherever they stand, in the same words."""

import json
from dataclasses import replace

import pytest
from hand_made_runs import plain_metrics, write_finished_run
from report_runs import write_category, write_run
from run_folders import tiny_settings
from test_compare import NO_MASKS, compared, results_of
from truths import keep_truth
from typer.testing import CliRunner

from wtflow.cli.app import app
from wtflow.cli.follow import print_metrics
from wtflow.compare.common_truth import CommonTruth
from wtflow.compare.pixel_images import pixel_images_words
from wtflow.compare.truths import OwnTruth
from wtflow.export.report.write import make_report
from wtflow.metrics import METRICS
from wtflow.records.pixel_images import pixel_images_of
from wtflow.results import open_results

FOUR_OF_SIX = {"n": 7, "n_defective": 2, "n_defects": 6, "left_out": {"missing": 4}}
VALUES = dict.fromkeys(METRICS, 0.5)


# -- words -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "words", "short"),
    [
        (FOUR_OF_SIX, "of 7 images; 4 of 6 defective images have no mask", "7 images, 2 of 6 defects"),
        (
            {"n": 45, "n_defective": 6, "n_defects": 6, "left_out": {}},
            "of 45 images",
            "45 images, 6 of 6 defects",
        ),
        (
            {"n": 1, "n_defective": 0, "n_defects": 1, "left_out": {"empty": 1, "size": 0}},
            "of 1 image; 1 of 1 defective image has a mask that marks nothing",
            "1 image, 0 of 1 defects",
        ),
        (
            {"n": 9, "n_defective": 3, "n_defects": 7, "left_out": {"size": 1, "missing": 2, "new reason": 1}},
            "of 9 images; 4 of 7 defective images are left out: 2 have no mask, 1 is left out, 1 has a mask of another"
            " size",
            "9 images, 3 of 7 defects",
        ),
    ],
)
def test_the_number_of_images_and_what_is_left_out_are_told(facts, words, short):
    found = pixel_images_of({"pixel_images": facts})
    assert (found.words, found.short) == (words, short)


def test_a_run_of_030_tells_what_it_knows():
    assert pixel_images_of({"n_without_mask": 0}).words == "of all test images"
    unknown = pixel_images_of({"n_without_mask": 4})
    assert unknown.words == "of the test images with a valid mask; 4 defective images have no valid mask"
    assert unknown.short == "4 without mask"
    known = pixel_images_of({"n_without_mask": 4}, n_test=11, n_defects=6)
    assert known.words == "of 7 images; 4 of 6 defective images have no valid mask"


# -- where pixel metrics stand -----------------------------------------------------------------------------------------


def test_the_shell_tells_it_beside_every_pixel_metric_and_no_other(capsys):
    print_metrics({"metrics": VALUES, "undefined": {}, "pixel_images": FOUR_OF_SIX})
    lines = capsys.readouterr().out.splitlines()
    assert {line.split()[0] for line in lines if "4 of 6 defective images have no mask" in line} == {
        name for name, metric in METRICS.items() if metric.level == "pixel"
    }


def test_the_list_of_runs_tells_it_in_a_column_and_in_json(store):
    write_finished_run(store, tiny_settings(), metrics=VALUES, pixel_images=FOUR_OF_SIX)
    result = CliRunner().invoke(app, ["runs", "--json"], catch_exceptions=False)
    assert "7 images, 2 of 6 defects" in result.stdout
    (run,) = json.loads(result.stdout.splitlines()[-1])["runs"]
    assert run["pixel_images"]["left_out"] == {"missing": 4}
    assert run["pixel_images"]["words"] == "of 7 images; 4 of 6 defective images have no mask"


def test_results_know_it_also_of_a_run_that_counts_no_reasons(store):
    run_id = write_finished_run(store, tiny_settings(), n_without_mask=2)
    assert open_results(store, run_id).pixel_images.words == "of 3 images; 2 of 3 defective images have no valid mask"


def test_a_report_tells_it_at_the_metric_on_top_below_the_table_and_in_the_comparison(store, tmp_path):
    root = write_category(tmp_path / "images")
    ids = [write_run(store, root) for _ in range(2)]
    for run_id, left_out in zip(ids, (("test/spot/001.png",), ()), strict=True):
        keep_truth(store, run_id, left_out)
        facts = {"n": 5 - len(left_out), "n_defects": 3, "left_out": {"missing": len(left_out)}}
        store.write_metrics(run_id, plain_metrics(metrics=VALUES, pixel_images=facts))
    html = make_report(store, ids, lambda label, percent: None).html.decode()
    assert html.count("of 4 images; 1 of 3 defective images has no mask") == 4, "card, table, data, comparison"
    assert "Pixel metrics of A, by its own masks, are of 4 images; 1 of 3 defective images has no mask." in html
    assert "Pixel metrics of B, by its own masks, are of 5 images." in html


def test_the_common_truth_tells_of_how_many_common_images_pixel_metrics_are():
    run = results_of()
    own, masks = OwnTruth(NO_MASKS, True), CommonTruth("the masks of A", (NO_MASKS,) * 2)
    whole = compared(run, run)
    assert pixel_images_words(whole, (own, own), masks) == (
        "Pixel metrics are of 2 images; 3 of 3 defective images have no mask.",
    )
    part = compared(run, replace(run, table=run.table[run.table.row < 4]))
    assert pixel_images_words(part, (own, own), masks) == (
        "Pixel metrics are of 2 images; 2 of 2 defective images have no mask.",
    )
    unknown = pixel_images_words(whole, (own, OwnTruth(None, False)), CommonTruth("", reason="Nobody chose."))
    assert unknown == ("Pixel metrics of A, by its own masks, are of 2 images; 3 of 3 defective images have no mask.",)
