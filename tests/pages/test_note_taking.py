"""Writing notes on a page, finding images by them, and text of people that stays text."""

import csv
import errno
import io
import os

import pytest
from page_runs import OpenPage, texts
from streamlit.testing.v1 import AppTest
from waiting import PATIENCE_S

from pages.ui.note_taking import as_written
from wtflow.records.notes import ImageNote
from wtflow.results import open_results
from wtflow.store import layout
from wtflow.store.notes import JOINT, add_tag, flag_label, notes_of, set_comment
from wtflow.store.runs import RunStore

SCRIPT = """
import streamlit as st
from pages.ui.note_taking import show_image_notes
from wtflow.store.runs import RunStore

show_image_notes(RunStore(), st.session_state.run, st.session_state.sample)
"""
PATHS_FORM = """
import streamlit as st
from pages.ui import state
from pages.ui.thresholds import read_threshold
from pages.ui.flow.positions_form import read_paths_form, show_filter
from wtflow.results import open_results
from wtflow.store.runs import RunStore

state.sync("trajectories", state.PATHS)
results = open_results(RunStore(), st.session_state.run)
form = read_paths_form(results, read_threshold(results))
show_filter(form)
st.session_state.rows = form.request.rows
"""
IMAGE, OTHER = "test/spot/002.png", "test/good/001.png"


def open_box(run_id: str, sample_id: str = IMAGE) -> AppTest:
    page = AppTest.from_string(SCRIPT, default_timeout=PATIENCE_S)
    page.session_state.run, page.session_state.sample = run_id, sample_id
    return page.run()


def chips(page: AppTest) -> dict[str, str]:
    """Label of each button and its kind: primary is on."""
    return {button.label: button.proto.type for button in page.button}


def press(page: AppTest, label: str) -> AppTest:
    return next(button for button in page.button if button.label == label).click().run()


def type_tag(page: AppTest, tag: str) -> AppTest:
    """Type a tag and press Enter; AppTest sends only what the list offers, so the word joins the list first."""
    field = page.selectbox[0]
    field.options.append(tag)
    return field.set_value(tag).run()


# -- the box -----------------------------------------------------------------------------------------------------------


def test_a_typed_tag_is_saved_at_once_and_becomes_a_chip_that_is_on(store: RunStore, finished: str):
    page = type_tag(open_box(finished), "near the rim")
    assert not page.exception and not page.error
    assert notes_of(store, finished).note(IMAGE).tags == ("near the rim",)
    assert chips(page) == {"near the rim": "primary", "Label is wrong": "secondary"}
    assert "Saved" in texts(page)
    assert page.selectbox[0].value is None, "the field is empty for the next tag"
    assert "Saved" not in texts(page.run()), "it is said once"


def test_a_chip_goes_off_and_on_again_with_one_press_each(store: RunStore, finished: str):
    add_tag(store, finished, IMAGE, "faint")
    page = press(open_box(finished), "faint")
    assert notes_of(store, finished).note(IMAGE).tags == ()
    assert chips(page)["faint"] == "secondary", "the last use was taken off, yet it stays within reach"
    press(page, "faint")
    assert notes_of(store, finished).note(IMAGE).tags == ("faint",)


def test_the_flag_is_one_press(store: RunStore, finished: str):
    page = press(open_box(finished), "Label is wrong")
    assert notes_of(store, finished).note(IMAGE).label_is_wrong
    press(page, "Label is wrong")
    assert not notes_of(store, finished).note(IMAGE).label_is_wrong


def test_the_digits_belong_to_the_nine_most_used_tags_in_the_order_of_their_names(store: RunStore, finished: str):
    for i in range(11):
        add_tag(store, finished, OTHER, f"tag {i:02d}")
    add_tag(store, finished, IMAGE, "tag 10")
    page = open_box(finished)
    keys = {button.label: button.proto.shortcut for button in page.button if button.label.startswith("tag")}
    assert keys == {f"tag {i:02d}": str(at + 1) for at, i in enumerate([*range(8), 10])}
    assert page.selectbox[0].options == [
        "tag 00",
        "tag 01",
        "tag 02",
        "tag 03",
        "tag 04",
        "tag 05",
        "tag 06",
        "tag 07",
        "tag 08",
        "tag 09",
    ]


def test_a_comment_is_saved_and_read_back(store: RunStore, finished: str):
    page = open_box(finished)
    page.text_area[0].set_value("Line 1\nline 2").run()
    assert notes_of(store, finished).note(IMAGE).comment == "Line 1\nline 2"
    assert page.text_area[0].value == "Line 1\nline 2"
    assert open_box(finished, OTHER).text_area[0].value == ""


def test_a_comment_that_another_window_wrote_meanwhile_is_kept_and_the_page_says_so(store: RunStore, finished: str):
    page = open_box(finished)
    set_comment(store, finished, IMAGE, "Ann", 0)
    page.text_area[0].set_value("Bob").run()
    assert notes_of(store, finished).note(IMAGE).comment == f"Ann{JOINT}Bob" == page.text_area[0].value
    assert "Both texts are kept" in page.warning[0].value
    page.text_area[0].set_value("Ann and Bob").run()
    assert not page.warning
    assert notes_of(store, finished).note(IMAGE).comment == "Ann and Bob"


def test_a_tag_of_another_window_appears_and_stays(store: RunStore, finished: str):
    page = open_box(finished)
    add_tag(store, finished, IMAGE, "theirs")
    type_tag(page, "mine")
    assert notes_of(store, finished).note(IMAGE).tags == ("theirs", "mine")
    assert chips(page)["theirs"] == chips(page)["mine"] == "primary"


def test_a_tag_that_is_too_long_is_explained_and_stays_in_the_field(store: RunStore, finished: str):
    page = type_tag(open_box(finished), "x" * 41)
    assert "1 to 40 characters" in page.error[0].value
    assert page.selectbox[0].value == "x" * 41
    assert notes_of(store, finished).is_empty


def test_a_full_disk_is_explained_and_the_typed_comment_stays_in_the_field(
    store: RunStore, finished: str, monkeypatch: pytest.MonkeyPatch
):
    page = open_box(finished)

    def full(file):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    page.text_area[0].set_value("a long thought").run()
    assert "No space left" in page.error[0].value
    assert page.text_area[0].value == "a long thought"


def test_damaged_notes_are_explained_where_they_are_written_and_the_pages_go_on(
    store: RunStore, finished: str, open_page: OpenPage
):
    (store.folder(finished) / layout.NOTES).write_text("{")
    for name, heading in (("localization", "step by step"), ("results", "Images")):
        page = open_page(name, run=finished)
        assert not page.exception
        assert len(page.error) == 1 and "It is never overwritten" in page.error[0].value
        assert heading in texts(page)


# -- text stays text ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("near the rim 7", "near the rim 7"),
        ("<b>", r"\<b\>"),
        ("&lt;", r"\&lt\;"),
        ("1. a", r"1\. a"),
        ("- a", r"\- a"),
        ("[l](x)", r"\[l\]\(x\)"),
        (":red[x]", r"\:red\[x\]"),
        ("$x$", r"\$x\$"),
        ("a->b", "a\\-\u2060\\>b"),
        ("a--b", "a\\-\u2060\\-b"),
        ("http://x", "http\\:\u2060\\/\\/x"),
        ("www.x", "www\u2060\\.x"),
        ("a@b", "a\u2060\\@b"),
    ],
)
def test_every_letter_of_a_person_is_a_letter(text: str, escaped: str):
    assert as_written(text) == escaped


def test_a_tag_with_markup_reaches_no_widget_unescaped(store: RunStore, finished: str, open_page: OpenPage):
    nasty = "<script>alert(1)</script> **b**"
    add_tag(store, finished, IMAGE, nasty)
    set_comment(store, finished, IMAGE, nasty, 0)
    for name in ("results", "localization"):
        page = open_page(name, run=finished, tag=nasty)
        assert not page.exception
        shown = (
            texts(page)
            + "".join(chips(page))
            + "".join(option for pills in page.get("button_group") for option in pills.options)
        )
        assert as_written(nasty) in shown
        assert nasty not in shown


# -- finding images again ----------------------------------------------------------------------------------------------


@pytest.fixture
def noted(store: RunStore, finished: str) -> str:
    """The run with one tag on two images, a flag on the good image of score 3, and a comment."""
    add_tag(store, finished, IMAGE, "rim")
    add_tag(store, finished, OTHER, "rim")
    flag_label(store, finished, OTHER, True)
    set_comment(store, finished, IMAGE, "=deep", 0)
    return finished


def test_a_run_without_notes_shows_no_filter_for_them_and_no_line_about_flags(open_page: OpenPage, finished: str):
    page = open_page("results", run=finished)
    assert [pills.label for pills in page.get("button_group")] == ["Defect type", "Outcome at this threshold"]
    assert "flagged" not in texts(page)


def test_the_gallery_narrows_to_a_tag_and_shows_it_on_its_cards(open_page: OpenPage, noted: str):
    page = open_page("results", run=noted)
    assert "5 of 5 test images" in texts(page)
    (pills,) = (pills for pills in page.get("button_group") if pills.label == "Notes")
    assert pills.options == ["rim (2)", "label is wrong (1)", "has a comment (1)"]
    pills.set_value(["rim"]).run()
    assert "2 of 5 test images: rim" in texts(page)
    assert page.query_params["tag"] == "rim"
    press(page, "Show all")
    assert "5 of 5 test images" in texts(page)


def test_stepping_stays_within_a_tag(open_page: OpenPage, noted: str):
    page = open_page("localization", run=noted, tag="rim")
    assert page.selectbox(key="widget_sample").options == [IMAGE, OTHER]
    assert "1 of 2 with rim" in texts(page)


def test_the_form_of_trajectories_asks_for_the_images_of_a_tag(store: RunStore, noted: str):
    page = AppTest.from_string(PATHS_FORM, default_timeout=PATIENCE_S)
    page.session_state.run, page.query_params["tag"] = noted, "rim"
    page.run()
    assert not page.exception
    assert "Only images with rim: 2 images" in texts(page)
    table = open_results(store, noted).table
    assert page.session_state.rows == tuple(sorted(table[table.sample_id.isin([IMAGE, OTHER])].row))


def test_a_tag_that_nobody_uses_any_more_filters_nothing(open_page: OpenPage, noted: str):
    page = open_page("results", run=noted, tag="gone")
    assert "5 of 5 test images" in texts(page)


def test_the_line_about_flags_gives_the_numbers_with_and_without_them(open_page: OpenPage, noted: str):
    """Ranked + + - + -: AUROC 5/6; without the good image of score 3 it is 1."""
    assert "1 image is flagged as wrongly labelled: image AUROC 0.833 with, 1.000 without it" in texts(
        open_page("results", run=noted)
    )


def test_the_comment_of_a_run_is_written_on_its_results(store: RunStore, open_page: OpenPage, finished: str):
    page = open_page("results", run=finished)
    page.text_area[0].set_value("Second batch").run()
    assert notes_of(store, finished).comment == "Second batch"
    assert "Saved" in texts(page)


def test_the_csv_of_the_page_carries_the_notes_without_formulas(
    store: RunStore, open_page: OpenPage, noted: str, monkeypatch: pytest.MonkeyPatch
):
    taken = []
    monkeypatch.setattr("streamlit.download_button", lambda label, data, *rest, **options: taken.append((label, data)))
    open_page("results", run=noted)
    (content,) = (data for label, data in taken if label == "Scores as CSV")
    rows = {row["sample_id"]: row for row in csv.DictReader(io.StringIO(content().decode()))}
    assert [rows[IMAGE][name] for name in ("tags", "comment", "label_is_wrong")] == ["rim", "'=deep", "False"]
    assert rows[OTHER]["label_is_wrong"] == "True"
    assert set(rows) == set(open_results(store, noted).table.sample_id)


def test_notes_of_one_image_are_not_those_of_another(store: RunStore, finished: str):
    page = open_box(finished)
    type_tag(page, "mine")
    page.session_state.sample = OTHER
    page.run()
    assert chips(page)["mine"] == "secondary"
    assert notes_of(store, finished).note(OTHER) == ImageNote()
