"""The kept threshold of a run on disk: what is in force, its history, damage."""

import threading
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hand_made_runs import write_finished_run

from wtflow.config import settings_from
from wtflow.deciding.force import own_starts, threshold_in_force
from wtflow.errors import DamagedRunError, RunNotFoundError, SettingsError
from wtflow.records.decision import Decision
from wtflow.results import open_results, threshold_choices
from wtflow.store import layout
from wtflow.store.decisions import (
    MOST_KEPT,
    decision_history,
    keep_decision,
    read_decision,
    release_decision,
)
from wtflow.store.notes import MAX_COMMENT

FIRST = Decision(2.5, "by_hand", "Set by hand.", 1.0, "as the foreman said")
SECOND = Decision(3.5, "best_f1", "Highest F1.", 2.0)


@pytest.fixture
def run(store):
    return write_finished_run(store, settings_from())


def test_a_run_that_nobody_decided_on_starts_where_its_first_choice_is_and_nothing_is_written(store, run):
    results = open_results(store, run)
    found = threshold_in_force(store, results)
    first = threshold_choices(results)[0]
    assert (found.value, found.rule, found.date) == (first.value, first.key, results.config.created)
    assert read_decision(store, run) is None and decision_history(store, run) == ()
    assert not (store.folder(run) / layout.DECISION).exists()


@pytest.mark.parametrize(("n", "starts_at"), [(48, ""), (49, "false_alarms")])
def test_with_enough_normals_kept_aside_a_run_starts_at_few_false_alarms(store, run, n, starts_at):
    results = open_results(store, run)
    kept = pd.concat([results.test[:1]] * n).assign(
        split="holdout", is_defective=False, score=np.arange(n, dtype=float), sample_id=[f"train/{i}" for i in range(n)]
    )
    first = own_starts(replace(results, table=pd.concat([results.test, kept], ignore_index=True)))[0]
    if starts_at:
        assert first.key == starts_at and first.value > n - 1, "above all of 49"
    else:
        assert first == threshold_choices(results)[0]


def test_the_last_one_kept_is_in_force_and_the_history_holds_all_newest_first(store, run):
    keep_decision(store, run, FIRST)
    keep_decision(store, run, SECOND)
    assert threshold_in_force(store, open_results(store, run)) == read_decision(store, run) == SECOND
    assert decision_history(store, run) == (SECOND, FIRST)


def test_released_it_starts_as_before_and_the_history_stays(store, run):
    before = threshold_in_force(store, open_results(store, run))
    keep_decision(store, run, FIRST)
    release_decision(store, run)
    assert threshold_in_force(store, open_results(store, run)) == before
    assert decision_history(store, run) == (FIRST,)
    keep_decision(store, run, FIRST)
    assert read_decision(store, run) == FIRST


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"schema_version": 2, "is_in_force": true, "history": []}', b"\xff\xfe\x00"]
)
def test_a_damaged_file_is_a_sentence_and_is_neither_skipped_nor_overwritten(store, run, content):
    path = store.folder(run) / layout.DECISION
    path.write_bytes(content)
    for act in (
        lambda: threshold_in_force(store, open_results(store, run)),
        lambda: decision_history(store, run),
        lambda: keep_decision(store, run, FIRST),
    ):
        with pytest.raises(DamagedRunError, match="The kept threshold of .* cannot be read"):
            act()
    assert path.read_bytes() == content


def test_not_a_number_and_a_long_comment_are_refused_and_unknown_runs_too(store, run):
    for value in (float("nan"), float("inf")):
        with pytest.raises(SettingsError, match="is not a number"):
            keep_decision(store, run, Decision(value, "by_hand", "", 1.0))
    with pytest.raises(SettingsError, match="at most"):
        keep_decision(store, run, Decision(1.0, "by_hand", "", 1.0, "a" * (MAX_COMMENT + 1)))
    with pytest.raises(RunNotFoundError):
        keep_decision(store, "20200101-000000-none", FIRST)
    assert decision_history(store, run) == ()


def test_two_that_keep_at_once_lose_nothing(store, run):
    wanted = [Decision(float(i), "by_hand", "", float(i)) for i in range(16)]
    threads = [threading.Thread(target=keep_decision, args=(store, run, one)) for one in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one.value for one in decision_history(store, run)) == [one.value for one in wanted]


def test_the_history_ends_at_its_limit_with_the_oldest_gone(store, run, monkeypatch):
    monkeypatch.setattr("wtflow.store.decisions.MOST_KEPT", 3)
    for i in range(5):
        keep_decision(store, run, Decision(float(i), "by_hand", "", float(i)))
    assert [one.value for one in decision_history(store, run)] == [4.0, 3.0, 2.0] and MOST_KEPT > 3
