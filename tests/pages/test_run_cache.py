"""The kept list of runs tells what the disk tells, whatever happened since it was read."""

import pytest
from page_runs import write_run

from pages.ui import run_cache
from wtflow.jobs import trainings
from wtflow.store.layout import METRICS, NOTES
from wtflow.store.notes import name_run, star_run
from wtflow.store.runs import RunStore


def test_the_kept_list_follows_every_change_on_the_disk(store: RunStore, root):
    def agrees() -> list[str]:
        fresh = trainings.live_summaries(store)
        assert run_cache.live_summaries(store) == fresh
        assert run_cache.live_summaries(store) == fresh, "kept"
        return [one.run_id for one in fresh]

    assert agrees() == []
    first = write_run(store, root)
    assert agrees() == [first]
    name_run(store, first, "mine")
    star_run(store, first, True)
    agrees()
    second = write_run(store, root)
    assert len(agrees()) == 2
    (store.folder(second) / METRICS).unlink()
    agrees()
    (store.folder(first) / NOTES).write_text("{")
    agrees()
    trainings.delete(store, first)
    assert agrees() == [second]


def test_a_run_whose_files_stay_is_not_read_again(store: RunStore, finished: str, monkeypatch):
    run_cache.live_summaries(store)
    monkeypatch.setattr(RunStore, "summary", lambda *_: pytest.fail("read again"))
    assert [one.run_id for one in run_cache.live_summaries(store)] == [finished]
