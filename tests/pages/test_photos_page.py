"""The page *Data* as the door for photos: a set is made by its name, and its steps say how far they are."""

from pathlib import Path

from page_runs import OpenPage, texts
from streamlit.testing.v1 import AppTest

from wtflow.intake.adding import add_folder
from wtflow.intake.corrections import correct, corrections_of
from wtflow.intake.sorting import set_labels
from wtflow.intake.versions import publish
from wtflow.records.intake import Labelled
from wtflow.store.datasets import create_set, open_set, set_names
from wtflow.store.runs import RunStore


def press(page: AppTest, key: str) -> AppTest:
    return page.button(key=key).click().run()


def test_a_set_is_made_by_its_name_alone_and_the_address_names_it(open_page: OpenPage, store: RunStore):
    page = open_page("data")
    page.text_input[0].set_value("circuit board")
    page.button[0].click().run()
    assert not page.exception and set_names(store) == ("circuit board",)
    assert (page.query_params["photos"], page.query_params["step"]) == ("circuit board", "bring")
    assert "These are good" in texts(page) and "no photos yet" in page.button(key="step_bring").label
    again = open_page("data")
    assert "circuit board" in texts(again) or any(button.label == "circuit board" for button in again.button)
    gone = open_page("data", photos="nothing such")
    assert "no data set" in gone.error[0].value and not gone.exception


def test_steps_say_what_the_store_holds_and_a_click_opens_another(open_page: OpenPage, store: RunStore, root: Path):
    create_set(store, "plate")
    add_folder(store, "plate", root / "plate/train/good", Labelled("good"))
    add_folder(store, "plate", root / "plate/test/spot", Labelled("defect", "spot"))
    data = open_set(store, "plate")
    page = open_page("data", photos="plate")
    n_good, n_bad = len(data.of("good")), len(data.of("defect"))
    assert f"{n_good} good, {n_bad} defective" in page.button(key="step_sort").label
    press(page, "step_masks")
    assert not page.exception and f"0 of {n_bad} drawn" in page.button(key="step_masks").label
    assert page.query_params["step"] == "masks" and page.query_params["picture"] in data.items


def test_step_5_says_changed_since_only_where_the_next_version_would_differ(
    open_page: OpenPage, store: RunStore, root: Path
):
    create_set(store, "plate")
    add_folder(store, "plate", root / "plate/train/good", Labelled("good"))
    ids = list(open_set(store, "plate").items)
    publish(store, "plate", sides={key: "test" if i < 3 else "train" for i, key in enumerate(ids)})

    def said() -> str:
        return open_page("data", photos="plate", step="sort").button(key="step_version").label

    assert "version 1 is ready" in said()
    set_labels(store, "plate", {ids[0]: Labelled("out")})
    assert "version 1, changed since" in said()
    set_labels(store, "plate", {ids[0]: Labelled("good")})
    assert "version 1 is ready" in said(), "it was taken back"
    add_folder(store, "plate", root / "plate/train/good", Labelled("good"))
    add_folder(store, "plate", root / "plate/test/good", Labelled("unsorted"))
    assert "version 1 is ready" in said(), "photos that were there, and some that nobody has sorted"
    set_labels(store, "plate", {open_set(store, "plate").of("unsorted")[0].id: Labelled("good")})
    assert "version 1, changed since" in said()


def test_what_was_corrected_is_listed_with_a_way_back(open_page: OpenPage, store: RunStore, finished: str):
    image = next(one["id"] for one in store.data(finished)["samples"] if one["id"].startswith("test/good"))
    (said,) = correct(store, finished, image, "defect", defect="dent")
    page = open_page("failures", run=finished)
    assert "dent" in texts(page) and "1 correction" in texts(page)
    press(page, f"undo_list_{said.id}")
    assert not page.exception and corrections_of(store, finished) == ()
    assert "dent" not in texts(page)
