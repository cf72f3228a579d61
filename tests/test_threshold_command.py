"""`python -m wtflow threshold`: what it keeps, says and refuses; and that exports then start with it."""

import pandas as pd
import pytest
from hand_made_runs import write_finished_run
from shell import call, last_json

from wtflow.config import settings_from
from wtflow.store.decisions import decision_history, read_decision


@pytest.fixture
def run(store):
    return write_finished_run(store, settings_from())


def test_without_a_rule_it_says_which_threshold_is_in_force_and_keeps_nothing(store, run):
    found = call("threshold", run, "--json")
    assert found.exit_code == 0 and "where the run starts" in found.stderr
    facts = last_json(found.stdout)
    assert (facts["in_force"]["value"], facts["in_force"]["rule"], facts["is_kept"]) == (1.75, "best_f1", False)
    assert read_decision(store, run) is None


def test_a_rule_is_kept_with_its_comment_and_exports_start_with_it(store, run, tmp_path):
    found = call("threshold", run, "--no-miss", "dent", "--comment", "dents leak", "--json")
    facts = last_json(found.stdout)
    # the only dent scores 5; below it lie both cracks and both good images
    assert facts["found"]["value"] == facts["in_force"]["value"] == 5.0
    assert (facts["found"]["misses"]["k"], facts["found"]["false_alarms"]["k"]) == (2, 0)
    assert "2 missed defects of 3 images" in found.stderr
    assert call("export", run, "--out", tmp_path / "out").exit_code == 0
    scores = pd.read_csv(tmp_path / "out" / "scores.csv")
    assert set(scores.threshold) == {5.0} and set(scores.threshold_rule) == {"no_miss"}
    assert scores.outcome.tolist()[:5] == ["TN", "TN", "FN", "FN", "TP"]
    assert "dents leak" in (tmp_path / "out" / "metrics.json").read_text(encoding="utf-8")


def test_only_showing_keeps_nothing_and_releasing_goes_back(store, run):
    assert call("threshold", run, "--false-alarms", "50%", "--show").exit_code == 0
    assert read_decision(store, run) is None
    call("threshold", run, "--value", "3.5")
    call("threshold", run, "--miss-costs", "10", "--defect-share", "1%")
    assert [one.rule for one in decision_history(store, run)] == ["miss_costs", "by_hand"]
    facts = last_json(call("threshold", run, "--release", "--json").stdout)
    assert (facts["in_force"]["rule"], facts["is_kept"]) == ("best_f1", False)
    assert len(last_json(call("threshold", run, "--history", "--json").stdout)["history"]) == 2


@pytest.mark.parametrize(
    "arguments, words",
    [
        (("--false-alarms", "lots"), "not a share"),
        (("--false-alarms", "200%"), "not a share"),
        (("--no-miss", "rust"), "No test image has a defect"),
        (("--best-f1", "--value", "1"), "a threshold comes from one"),
        (("--defect-share", "1%"), "belongs to --miss-costs"),
        (("--release", "--best-f1"), "stands alone"),
        (("--value", "nan"), "not a number"),
        (("--cross-fit", "none"), "effort"),
    ],
)
def test_a_mistake_is_one_sentence_and_keeps_nothing(store, run, arguments, words):
    found = call("threshold", run, *arguments)
    assert found.exit_code == 2 and words in found.stderr
    assert decision_history(store, run) == ()
