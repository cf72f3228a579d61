import json

import pytest
from page_runs import OpenPage, components, texts, write_run
from streamlit.testing.v1 import AppTest

from pages.ui.overview.rows import COLUMNS, row_of
from wtflow.jobs import listing
from wtflow.records.core import RunStatus, RunSummary
from wtflow.records.pixel_images import PixelImages
from wtflow.store.layout import METRICS
from wtflow.store.notes import name_run, star_run, tag_run
from wtflow.store.runs import RunStore


@pytest.fixture
def nothing_starts(monkeypatch):
    """Else a queued run would start a process."""
    monkeypatch.setattr("wtflow.jobs.trainings.reconcile", lambda store, progress=None: listing.look(store))


def rows_on(page: AppTest) -> dict[str, dict]:
    (table,) = components(page)
    return {row["id"]: row for row in json.loads(table.proto.json)["rows"]}


def select(page: AppTest, *runs: str) -> AppTest:
    """Run the page as the table does when these rows are selected."""
    page.session_state["runs_table"] = {"selected": list(runs), "view": {"find": "", "by": "-created"}}
    return page.run()


def button(page: AppTest, label: str):
    return next(one for one in page.button if one.label == label)


def test_an_empty_store_offers_the_demo_as_the_one_thing_to_do(open_page: OpenPage):
    page = open_page("overview")
    assert [button.label for button in page.button] == ["Train the demo"]
    assert "No run yet" in texts(page)
    assert not components(page)


def test_a_finished_run_is_a_row_with_its_figures_and_no_banner(open_page: OpenPage, finished: str):
    page = open_page("overview")
    row = rows_on(page)[finished]
    assert (row["texts"]["auroc"], row["values"]["auroc"]) == ("0.833", pytest.approx(5 / 6))
    assert (row["page"], row["values"]["category"], row["values"]["seed"]) == ("results", "plate", 0)
    assert [badge["text"] for badge in row["badges"]] == ["a file is missing", "untrained"], "it has no checkpoint"
    assert "see what is not" not in texts(page)


def test_a_run_on_the_embedded_backbone_is_marked_so(open_page: OpenPage, store: RunStore, root):
    run_id = write_run(store, root, weights="embedded")
    assert rows_on(open_page("overview"))[run_id]["badges"][-1]["text"] == "embedded"


def test_a_pixel_metric_says_of_how_many_images_it_is():
    run = RunSummary("a", RunStatus("finished"), metrics={"aupro": 0.5}, pixel_images=PixelImages(7, 6, {"missing": 4}))
    assert row_of(run, is_demo=False)["of"] == "of 7, 4 left out"
    assert row_of(run, is_demo=False)["of_words"] == "Of 7 images; 4 of 6 defective images have no mask."
    unknown = RunSummary("a", RunStatus("finished"), metrics={"aupro": None}, pixel_images=PixelImages(0, 6))
    assert (row_of(unknown, is_demo=False)["texts"]["aupro"], row_of(unknown, is_demo=False)["of"]) == ("–", "")


def test_a_damaged_run_says_why_and_hides_no_other(open_page: OpenPage, store: RunStore, root, finished: str):
    damaged = write_run(store, root)
    (store.folder(damaged) / METRICS).unlink()
    page = open_page("overview")
    assert not page.exception
    rows = rows_on(page)
    assert "metrics.json is missing" in rows[damaged]["problem"] and rows[damaged]["page"] == "train"
    assert rows[damaged]["values"]["seed"] is None and rows[damaged]["texts"]["auroc"] == "–"
    assert rows[finished]["texts"]["auroc"] == "0.833"


@pytest.mark.usefixtures("nothing_starts")
def test_a_queued_run_has_a_line_that_leads_to_watching_it(open_page: OpenPage, store: RunStore, root):
    run_id = write_run(store, root)
    store.write_status(run_id, RunStatus(state="queued", heartbeat=1.0))
    page = select(open_page("overview"), run_id)
    assert "Watch the training" in [link.proto.label for link in page.get("page_link")]
    assert rows_on(page)[run_id]["badges"][0] == {"text": "queued", "kind": "active"}
    assert button(page, "Delete").disabled and button(page, "Export").disabled, "it is being trained"


def test_name_tags_and_star_are_in_the_row_and_found_by_their_words(open_page: OpenPage, store: RunStore, finished):
    name_run(store, finished, "Dull Light")
    tag_run(store, finished, (), ("For Ann",))
    star_run(store, finished, True)
    row = rows_on(open_page("overview"))[finished]
    assert (row["values"]["name"], row["tags"], row["values"]["star"]) == ("Dull Light", ["For Ann"], True)
    assert all(word in row["find"] for word in ("dull light", "for ann", "starred", "plate", finished))
    assert set(row["values"]) == {column["key"] for column in COLUMNS}, "every column can be sorted by"


def test_only_what_fits_the_selection_can_be_pressed(open_page: OpenPage, store: RunStore, root, finished: str):
    other = write_run(store, root)
    labels = ("Compare", "Name and tags", "Export", "Delete")

    def usable(*runs: str) -> list[str]:
        page = select(open_page("overview"), *runs)
        return [label for label in labels if not button(page, label).disabled]

    assert usable() == []
    assert usable("20200101-000000-gone") == [], "a run that was deleted meanwhile is not selected"
    assert usable(finished) == ["Name and tags", "Export", "Delete"]
    assert usable(finished, other) == list(labels)


def test_deleting_selected_runs_asks_first_and_names_them(open_page: OpenPage, store: RunStore, root, finished: str):
    other = write_run(store, root)
    name_run(store, other, "*mine*")
    page = select(open_page("overview"), finished, other)
    button(page, "Delete").click()
    page.run()
    assert {one.label for one in page.button} >= {"Keep them", "Delete for good"}
    assert r"“\*mine\*”" in texts(page) and finished in texts(page)
    assert set(store.ids()) == {finished, other}


def test_one_run_is_offered_a_name_and_several_are_offered_tags(open_page: OpenPage, store: RunStore, root, finished):
    other = write_run(store, root)
    tag_run(store, finished, (), ("both", "one"))
    tag_run(store, other, (), ("both",))
    page = select(open_page("overview"), finished)
    button(page, "Name and tags").click()
    page.run()
    assert [field.label for field in page.text_input] == ["Name"]
    assert page.multiselect[0].value == ["both", "one"]
    page = select(open_page("overview"), finished, other)
    button(page, "Name and tags").click()
    page.run()
    assert not page.text_input and page.multiselect[0].value == ["both"]
    assert "Some of them also have: one" in texts(page)
