"""Libraries are left out of the search for garbage; garbage is found all the same."""

import gc
import sys
import types
import weakref

import pytest

from pages.ui import garbage


@pytest.fixture
def searching(monkeypatch):
    monkeypatch.setattr(garbage, "_n_modules", 0)
    garbage.leave_libraries_out()


class Knot:
    def __init__(self):
        self.self = self


def test_no_earlier_test_left_the_search_narrowed():
    assert gc.get_freeze_count() == 0
    assert garbage._after_search not in gc.callbacks


def test_after_a_full_search_what_is_there_is_left_out_until_modules_are_loaded(searching, monkeypatch):
    gc.collect()
    assert gc.get_freeze_count() > 10_000
    n_frozen, kept = gc.get_freeze_count(), Knot()
    gc.collect()
    assert gc.get_freeze_count() <= n_frozen, "no module was loaded: nothing more is left out"
    monkeypatch.setitem(sys.modules, "just_loaded", types.ModuleType("just_loaded"))
    gc.collect(1)
    assert gc.is_tracked(kept) and any(found is kept for found in gc.get_objects()), (
        "a search among the young leaves nothing out"
    )
    gc.collect()
    assert not any(found is kept for found in gc.get_objects())


def test_cycles_made_later_are_found_and_others_go_with_their_last_reference(searching):
    gc.collect()
    knot = Knot()
    gone = weakref.ref(knot)
    del knot
    gc.collect()
    assert gone() is None


def test_it_listens_once_however_often_pages_ask(searching):
    for _ in range(3):
        garbage.leave_libraries_out()
    assert gc.callbacks.count(garbage._after_search) == 1
