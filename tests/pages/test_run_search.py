"""Pickers among many runs: the likely ones are offered, all others found."""

import pytest

from pages.ui import run_search
from wtflow.bench.many_runs import write_many_runs
from wtflow.jobs import listing
from wtflow.records.run_list import RunQuery
from wtflow.store.notes import archive_run
from wtflow.store.runs import RunStore

N = 90


@pytest.fixture
def many(store: RunStore) -> RunStore:
    write_many_runs(store.home, N)
    return store


def test_a_picker_offers_the_runs_of_the_category_first_and_then_the_newest(many):
    view = listing.look(many)
    every = view.find(RunQuery(states=("finished",), sort="-run")).runs
    oldest = next(run for run in reversed(every) if run.category == "screw")
    found = run_search.offered(view, oldest)
    assert found.n == len(every) and len(found.runs) == run_search.N_OFFERED
    kinds = [run.category == "screw" for run in found.runs]
    assert kinds == sorted(kinds, reverse=True) and oldest in found.runs
    assert sum(kinds) == sum(run.category == "screw" for run in every)
    others = [run for run in found.runs if run.category != "screw"]
    assert others == [run for run in every if run.category != "screw"][: len(others)]


def test_few_runs_are_all_offered_newest_first(store):
    write_many_runs(store.home, 20)
    view = listing.look(store)
    every = view.find(RunQuery(states=("finished",), sort="-run")).runs
    assert run_search.offered(view, every[-1]).runs == every


def test_an_archived_run_is_offered_only_where_it_was_asked_for(store):
    write_many_runs(store.home, 20)
    run_id = listing.look(store).find(RunQuery(states=("finished",))).runs[0].run_id
    archive_run(store, run_id, True)
    view = listing.look(store)
    assert run_id not in {run.run_id for run in run_search.offered(view, None).runs}
    assert run_search.offered(view, view.get(run_id)).runs[0].run_id == run_id


def test_a_link_opens_a_run_that_the_picker_does_not_hold(many, open_page):
    every = listing.look(many).find(RunQuery(states=("finished",), sort="run")).runs
    page = open_page("results", run=every[0].run_id)
    (picker,) = [one for one in page.selectbox if one.label == "Run"]
    assert picker.value == every[0].run_id and len(picker.options) == run_search.N_OFFERED
