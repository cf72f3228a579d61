"""The panel on *Results* that decides on a threshold."""

import pytest
from hand_made_runs import write_finished_run
from page_runs import OpenPage

from wtflow.config import settings_from
from wtflow.store.decisions import decision_history, read_decision


@pytest.fixture
def finished(store):
    return write_finished_run(store, settings_from())


def test_a_rule_is_chosen_kept_and_starts_the_page_and_one_click_goes_back(open_page: OpenPage, store, finished):
    page = open_page("results", run=finished)
    page.session_state["deciding"] = True
    page.run()
    assert not page.exception
    page.selectbox("rule").select("no_miss").run()
    page.text_input("why_kept").set_value("none may leak").run()
    page.button("keep_ruling").click().run()
    assert not page.exception
    kept = read_decision(store, finished)
    assert kept is not None and (kept.value, kept.rule, kept.comment) == (2.0, "no_miss", "none may leak")
    assert any("Kept for this run" in option for one in page.selectbox for option in one.options)
    assert page.number_input("threshold_number").value == 2.0
    page.selectbox("rule").select("best_f1").run()
    page.button("keep_ruling").click().run()
    page.button("back_0").click().run()
    assert not page.exception
    assert [one.value for one in decision_history(store, finished)] == [2.0, 1.5, 2.0]
