import csv
import io

import numpy as np
import pandas as pd
import pytest
from hand_made_runs import SCORES, score_table, write_finished_run
from hypothesis import given
from hypothesis import strategies as st

from wtflow.config import settings_from
from wtflow.errors import DamagedRunError, RunNotFoundError
from wtflow.export.tables import scores_csv
from wtflow.metrics import confusion_at
from wtflow.results import OUTCOMES, add_outcomes, filter_rows, find_sample, open_results, pixel_map, threshold_choices
from wtflow.store.runs import RunStore

TEST = score_table(SCORES, {})


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path)


def opened(store, settings=None, **metrics):
    return open_results(
        store, write_finished_run(store, settings or settings_from("fast", {"image_size": 64}), **metrics)
    )


def test_test_images_and_held_out_normals_are_apart(store):
    results = opened(store)
    assert results.test.sample_id.tolist() == list(SCORES)
    assert results.holdout.sample_id.tolist() == ["train/good/000.png", "train/good/001.png"]
    assert results.has_defects
    assert results.color_range == (0.5, 4.0)
    assert results.source_label == "resnet18, untrained (random weights, seed fixed)"
    assert results.settings.image_size == 64


# -- outcomes ----------------------------------------------------------------------------------------------------------


def test_outcomes_are_worked_by_hand():
    """Scores: good 1 and 3, cracks 2 and 4, a dent 5. A score at the threshold is called defective."""
    assert add_outcomes(TEST, 3.0).outcome.tolist() == ["TN", "FP", "FN", "TP", "TP"]
    assert add_outcomes(TEST, 0.0).outcome.tolist() == ["FP", "FP", "TP", "TP", "TP"]
    assert add_outcomes(TEST, 9.0).outcome.tolist() == ["TN", "TN", "FN", "FN", "FN"]
    assert "outcome" not in TEST


@given(st.lists(st.tuples(st.floats(0, 10), st.booleans()), min_size=1, max_size=40), st.floats(-1, 11))
def test_outcomes_count_up_to_the_confusion_matrix(images, threshold):
    table = pd.DataFrame(images, columns=["score", "is_defective"])
    counts = add_outcomes(table, threshold).outcome.value_counts()
    expected = confusion_at(table.score.to_numpy(), table.is_defective.to_numpy(), threshold)
    assert [counts.get(name, 0) for name in OUTCOMES] == [expected.tp, expected.fp, expected.tn, expected.fn]


# -- choosing rows -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chosen", "rows"),
    [
        ({}, [4, 3, 1, 2, 0]),
        ({"sort": "score ascending"}, [0, 2, 1, 3, 4]),
        ({"sort": "name"}, [2, 3, 4, 0, 1]),
        ({"defects": ("crack",)}, [3, 2]),
        ({"defects": ("crack", "good"), "sort": "score ascending"}, [0, 2, 1, 3]),
        ({"outcomes": ("FP", "FN")}, [1, 2]),
        ({"defects": ("crack",), "outcomes": ("TP",)}, [3]),
        ({"score_range": (2.0, 4.0)}, [1, 2]),
        ({"score_range": (4.0, 4.0)}, []),
        ({"defects": ("scratch",)}, []),
    ],
)
def test_rows_are_chosen_and_sorted(chosen, rows):
    assert filter_rows(add_outcomes(TEST, 3.0), **chosen).row.tolist() == rows


@pytest.mark.parametrize("sort", ["score descending", "score ascending"])
def test_equal_scores_are_sorted_by_name_both_ways(sort):
    table = TEST.assign(score=1.0)
    assert filter_rows(table, sort=sort).sample_id.tolist() == sorted(SCORES)


def test_the_bins_of_a_histogram_share_out_every_image_once():
    """A bin holds low <= score < high, so neighbouring bins neither lose nor repeat an image on their edge."""
    edges = [1.0, 2.0, 3.0, 4.0, 5.5]
    parts = [filter_rows(TEST, score_range=bounds).row.tolist() for bounds in zip(edges, edges[1:], strict=False)]
    assert sorted(sum(parts, [])) == [0, 1, 2, 3, 4]


def test_an_image_is_found_by_its_id_and_a_missing_one_is_named(store):
    results = opened(store)
    assert find_sample(results, "test/dent/000.png").score == 5.0
    for wrong in ("test/dent/999.png", "", "../../etc/passwd"):
        with pytest.raises(RunNotFoundError, match="has no image"):
            find_sample(results, wrong)


# -- thresholds --------------------------------------------------------------------------------------------------------


def test_the_first_threshold_is_chosen_on_the_test_images_and_says_so(store):
    first, second = threshold_choices(opened(store))
    assert (first.key, first.value) == ("best_f1", 1.75)
    assert "on the test images themselves" in first.explanation
    assert (second.key, second.value) == ("holdout", 2.45)
    assert "95\N{NBSP}% quantile of 2 training normals" in second.explanation
    assert "hardly more than their highest score" in second.explanation


def test_with_many_held_out_normals_there_is_no_warning(store):
    thresholds = {"best_f1": None, "holdout": {"value": 2.0, "quantile": 0.95, "n": 40}}
    (only,) = threshold_choices(opened(store, thresholds=thresholds))
    assert only.key == "holdout"
    assert "hardly" not in only.explanation


def test_without_labels_and_held_out_normals_the_highest_score_is_where_to_start(store):
    (only,) = threshold_choices(opened(store, thresholds={"best_f1": None, "holdout": None}))
    assert (only.key, only.value) == ("highest", 5.0)


# -- pixels ------------------------------------------------------------------------------------------------------------


def test_the_map_of_an_image_has_its_size_and_its_row(store):
    results = opened(store)
    assert pixel_map(results, 3).shape == (64, 64)
    assert (pixel_map(results, 3) == 3).all()


def test_a_relative_run_shows_relative_maps(store):
    results = opened(store, settings_from("fast", {"image_size": 64, "score": "relative"}))
    assert (pixel_map(results, 3) == 0).all(), "a constant map has no pixel worse than its best one"


# -- CSV ---------------------------------------------------------------------------------------------------------------


def read_csv(content):
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_the_csv_holds_every_image_with_its_score_and_the_outcome_if_asked(store):
    results = opened(store)
    rows = read_csv(scores_csv(results))
    assert [float(row["score"]) for row in rows] == [*SCORES.values(), 1.5, 2.5]
    assert "outcome" not in rows[0]
    assert [row["outcome"] for row in read_csv(scores_csv(results, 3.0))][:5] == ["TN", "FP", "FN", "TP", "TP"]


@pytest.mark.parametrize("name", ["=1+1", "+49", "-x", "@sum", "\tx", 'ärger, "quoted"', "a\nb"])
def test_no_name_becomes_a_formula_and_every_name_survives(store, name):
    results = opened(store)
    results.table.loc[0, "defect"] = name
    (found,) = (row["defect"] for row in read_csv(scores_csv(results))[:1])
    assert found.removeprefix("'") == name
    assert found[0] not in "=+-@\t"


# -- damage ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [None, [1.0], "low", {"low": 1}, [1.0, "x"]])
def test_a_colour_range_that_is_none_is_a_damaged_run(store, value):
    with pytest.raises(DamagedRunError, match="colour range"):
        opened(store, color_range=value).color_range  # noqa: B018


def test_scores_and_maps_of_different_length_are_a_damaged_run(store):
    run_id = write_finished_run(store, settings_from())
    store.write_maps(run_id, np.zeros((3, 4, 4), np.float32))
    with pytest.raises(DamagedRunError, match="7 scores but 3 maps"):
        open_results(store, run_id)
