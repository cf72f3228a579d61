"""What is said of where a score comes from, on hand-made runs."""

import numpy as np
import pytest
from hand_made_runs import score_table, write_finished_run
from run_folders import tiny_settings

from wtflow.failures.score_origin import is_whole, origin_of_score, share_of_wholes
from wtflow.failures.words import study_failures
from wtflow.results import add_outcomes, find_sample, open_results
from wtflow.store.runs import RunStore

DENT = "test/dent/000.png"


@pytest.fixture
def results(tmp_path):
    """Image i has a map of i everywhere; the dent, row 4, scores 5."""
    store = RunStore(tmp_path)
    run_id = write_finished_run(store, tiny_settings())
    return open_results(store, run_id)


def image_with(results, whole_score):
    image = find_sample(results, DENT).copy()
    image["whole_score"] = whole_score
    return image


def test_a_run_that_does_not_ask_says_nothing(results):
    assert origin_of_score(results, find_sample(results, DENT), 3.0) == ""


def test_a_place_that_is_higher_is_named_first(results):
    assert (
        origin_of_score(results, image_with(results, 2.5), 3.0)
        == "The score is that of its highest pixel; as a whole the image scores 2.5."
    )


@pytest.mark.parametrize(
    ("threshold", "end"),
    [(3.0, "alone scores 4."), (4.5, "alone scores 4, below the threshold 4.5."), (9.0, "alone scores 4.")],
)
def test_a_whole_that_is_higher_says_what_the_place_alone_would_score(results, threshold, end):
    said = origin_of_score(results, image_with(results, 5.0), threshold)
    assert said.startswith("The score is that of the image as a whole")
    assert said.endswith(f"its highest pixel {end}")


def test_a_share_of_pixels_is_called_so(results):
    results.config.settings.__dict__["top_fraction"] = 0.03  # frozen against settings' own ways only
    assert "its highest 3\N{NBSP}% of pixels" in origin_of_score(results, image_with(results, 5.0), 3.0)


def test_hits_and_alarms_by_wholes_are_counted_and_told_with_the_failures(results):
    table = score_table()
    assert not is_whole(table).any()
    assert share_of_wholes(add_outcomes(table, 2.5)) == ()
    table["whole_score"] = np.where(table.sample_id.isin([DENT, "test/good/001.png"]), table.score, 0.1)
    called = add_outcomes(table[table.split == "test"], 2.5)
    said = (
        "The score is that of the image as a whole, not of its highest pixels, in 1 of 2 hits and 1 of 1 false alarm."
    )
    assert share_of_wholes(called) == (said,)
    assert share_of_wholes(add_outcomes(table, 99.0)) == (), "nothing is called"
    object.__setattr__(results, "table", table)
    assert study_failures(results, None, None, 2.5).wholes == (said,)
