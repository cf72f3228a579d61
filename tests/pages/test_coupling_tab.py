"""*When does the coupling matter?* on the page `trajectories`: before it is computed, and with an answer of chosen
numbers.
"""

from flow_runs import tell_of
from page_runs import OpenPage, texts
from small_studies import chosen_study

from wtflow.store.runs import RunStore
from wtflow.studies.answers import ask
from wtflow.studies.coupling.words import own_sentence
from wtflow.studies.requests import FULL_COUPLING, QUICK_COUPLING


def test_the_tab_says_how_long_it_takes_and_what_is_left_out_before_it_starts(open_page: OpenPage, trained: str):
    page = open_page("trajectories", run=trained, tab="coupling")
    assert not page.exception and not page.error
    assert any(one.label == "Train small flows under each coupling" for one in page.button)
    assert "Takes about " in texts(page)
    assert "It leaves out the other pairs of both" in texts(page)


def test_what_a_process_does_is_told_and_a_stop_keeps_it(open_page: OpenPage, store: RunStore, trained: str):
    tell_of(store, trained, QUICK_COUPLING, state="running", share=0.4, words="16 dimensions, groups of 64, seed 2")
    page = open_page("trajectories", run=trained, tab="coupling")
    (bar,) = page.get("progress")
    assert "40\N{NBSP}%" in bar.proto.text and "16 dimensions, groups of 64, seed 2" in bar.proto.text
    assert any(one.label == "Stop" for one in page.button)
    assert "a later start goes on from there" in texts(page)


def test_an_answer_stands_with_its_sentence_figures_and_files(open_page: OpenPage, store: RunStore, trained: str):
    study = chosen_study(change=0.05)
    ask(store, trained, QUICK_COUPLING).save(study)
    page = open_page("trajectories", run=trained, tab="coupling")
    assert not page.exception and not page.error
    assert any(own_sentence(study) in one.value.replace("\\", "") for one in page.markdown)
    assert "What else these numbers say" in texts(page)
    assert len(page.get("plotly_chart")) == 4
    assert [one.proto.label for one in page.get("download_button")].count("PDF") == 4


def test_the_two_forms_are_kept_apart(open_page: OpenPage, store: RunStore, trained: str):
    ask(store, trained, FULL_COUPLING).save(chosen_study(is_full=True))
    page = open_page("trajectories", run=trained, tab="coupling")
    assert not page.get("plotly_chart"), "the quick form was not computed"
    page.segmented_control(key="coupling_form").set_value("full").run()
    assert not page.exception
    assert len(page.get("plotly_chart")) == 4
