from page_runs import OpenPage, texts, write_run

from wtflow.records.core import RunStatus
from wtflow.store.layout import METRICS
from wtflow.store.runs import RunStore


def test_an_empty_store_offers_the_demo_as_the_one_thing_to_do(open_page: OpenPage):
    page = open_page("overview")
    assert [button.label for button in page.button] == ["Train the demo"]
    assert "No run yet" in texts(page)


def test_a_finished_run_is_listed_with_its_metrics_and_as_untrained(open_page: OpenPage, finished: str):
    page = open_page("overview")
    assert "0.833" in texts(page)
    assert "untrained backbone" in texts(page)
    assert page.button[0].label == "Results of plate"


def test_a_run_on_the_embedded_backbone_is_marked_so(open_page: OpenPage, store: RunStore, root):
    write_run(store, root, weights="embedded")
    page = open_page("overview")
    assert "embedded backbone" in texts(page) and "untrained backbone" not in texts(page)


def test_a_damaged_run_says_why_and_hides_no_other(open_page: OpenPage, store: RunStore, root, finished: str):
    damaged = write_run(store, root)
    (store.folder(damaged) / METRICS).unlink()
    page = open_page("overview")
    assert not page.exception
    assert "metrics\\.json is missing" in texts(page) or "metrics.json is missing" in texts(page)
    assert "0.833" in texts(page)


def test_a_queued_run_makes_watching_it_the_next_thing(open_page: OpenPage, store: RunStore, root, monkeypatch):
    monkeypatch.setattr(
        "wtflow.jobs.trainings.reconcile", lambda store: None
    )  # else the queued run would start a process
    run_id = write_run(store, root)
    store.write_status(run_id, RunStatus(state="queued", heartbeat=1.0))
    assert open_page("overview").button[0].label == "Watch the training"
