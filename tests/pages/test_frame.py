"""Every page stands on its own feet, and choices survive in the address."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from page_runs import PAGES, OpenPage, write_run
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest
from waiting import PATIENCE_S

from pages.ui import state, words
from pages.ui.frame import FORMER
from pages.ui.frame import PAGES as ENTRIES
from wtflow.store.layout import OPENED
from wtflow.store.opened import opened_last
from wtflow.store.runs import RunStore


def unmarked_words(page: AppTest) -> list[str]:
    """Words of the method that a page's texts use without opening their entry once. The glossary itself is left out."""
    glossary = words.GLOSSARY.read_text(encoding="utf-8").strip()
    said = [node.value for node in page.main if node.type in ("markdown", "caption") and node.value != glossary]
    return [
        word
        for word, form in words.FORMS.items()
        if any(re.search(rf"\b(?:{form})\b", text) for text in said)
        and sum(text.count(f"](#word-{word})") for text in said) != 1
    ]


@pytest.mark.parametrize("name", [name for name in ENTRIES if name not in ("data", "train")])
def test_a_page_opened_alone_in_an_empty_store_says_what_to_do(name: str, open_page: OpenPage):
    page = open_page(name)
    assert not page.exception
    assert page.title[0].value == ENTRIES[name].title
    assert not page.error
    assert unmarked_words(page) == []


@pytest.mark.parametrize("name", ["localization", "failures", "results"])
def test_the_first_use_of_a_word_opens_its_entry(name: str, finished: str, open_page: OpenPage):
    assert unmarked_words(open_page(name, run=finished)) == []


def test_every_marked_word_has_an_entry_without_formulas():
    assert words.entries().keys() == words.FORMS.keys()
    assert not any("$" in entry or "**" in entry for entry in words.entries().values())


def test_words_are_marked_once_and_never_inside_of_links_formulas_and_code():
    words.begin_page()
    text = "[a position](x) `shell` $well$ How well positions escape from the well, then escaped positions."
    assert words.glossed(text) == (
        "[a position](x) `shell` $well$ How well [positions](#word-position) [escape](#word-escape) from the"
        " [well](#word-well), then escaped positions."
    )
    assert words.glossed("positions") == "positions"
    words.begin_page()
    assert words.glossed("positions") == "[positions](#word-position)"


def test_the_navigation_lists_exactly_the_files_in_the_folder_with_those_of_earlier_addresses():
    assert {path.stem for path in PAGES.glob("*.py")} == set(ENTRIES) | set(FORMER)


def test_the_app_opens_on_the_overview(store):
    page = AppTest.from_file(PAGES.parent / "app.py", default_timeout=PATIENCE_S).run()
    assert not page.exception
    assert page.title[0].value == "Overview"


def test_widgets_are_the_same_with_and_without_app(store, finished: str, monkeypatch: pytest.MonkeyPatch):
    """The first request after a server's start runs the page file, later ones app.py: a click between the two must
    not get lost.
    """

    def widget_id() -> str:
        page = AppTest.from_file(PAGES.parent / "app.py", default_timeout=PATIENCE_S).run()
        page.switch_page("pages/results.py").run()
        assert not page.exception
        return page.selectbox(key="widget_run").proto.id

    without = widget_id()

    def init(self, *args, **kwargs):
        before(self, *args, **kwargs)
        PagesManager.uses_pages_directory = False  # what st.navigation leaves behind in a server

    before = PagesManager.__init__
    monkeypatch.setattr(PagesManager, "__init__", init)
    assert widget_id() == without


def test_a_page_without_an_address_shows_the_run_opened_last_also_in_a_new_session(
    store: RunStore, root: Path, finished: str, open_page: OpenPage
):
    newer = write_run(store, root)
    assert open_page("results").selectbox(key="widget_run").value == newer, "nothing was opened before"
    open_page("failures", run=finished)
    for name in ("results", "localization", "inspect"):
        assert open_page(name).selectbox(key="widget_run").value == finished, name


@pytest.mark.parametrize("content", ["", "{", "[]", '{"run_id": 3}', '{"run_id": "../.."}', None])
def test_a_damaged_memory_of_the_run_opened_last_falls_back_to_the_newest_and_is_written_anew(
    store: RunStore, finished: str, open_page: OpenPage, content: str | None
):
    path = store.home / OPENED
    path.write_text(content) if content is not None else path.mkdir()
    page = open_page("results")
    assert not page.exception and not page.error
    assert page.selectbox(key="widget_run").value == finished
    assert opened_last(store) == (finished if content is not None else None)


def address_page():
    import streamlit as st

    from pages.ui import state

    state.sync(st.session_state.get("page", "first"), ("run", "threshold", "outcome"))
    st.text_input("run", **state.bound("run", state.get("run") or ""))
    st.button("threshold", on_click=state.put, args=("threshold", "2.5"))
    st.button("outcome", on_click=state.put, args=("outcome", ["TP", "FN"]))


def test_the_address_is_taken_over():
    page = AppTest.from_function(address_page)
    page.query_params["run"] = "a"
    assert page.run().text_input[0].value == "a"


def test_a_choice_is_written_into_the_address():
    page = AppTest.from_function(address_page).run()
    page.button[1].click().run()
    assert page.query_params["outcome"] == ["TP", "FN"]


def test_another_run_forgets_the_threshold_of_the_last_one():
    page = AppTest.from_function(address_page)
    page.query_params["run"] = "a"
    page.run().button[0].click().run()
    assert page.query_params["threshold"] == "2.5"
    page.text_input[0].set_value("b").run()
    assert page.query_params == {"run": "b"}


def test_a_choice_outlives_an_address_that_lost_it_by_changing_the_page():
    page = AppTest.from_function(address_page)
    page.query_params["run"] = "a"
    page.run()
    page.query_params.clear()
    page.session_state["page"] = "second"
    assert page.run().query_params == {"run": "a"}


def test_large_type_stays_in_the_address_of_every_page():
    page = AppTest.from_function(address_page)
    page.query_params["large"] = "1"
    assert page.run().query_params == {"large": "1"}
    page.query_params.clear()
    page.session_state["page"] = "second"
    assert page.run().query_params == {"large": "1"}


@pytest.mark.parametrize("name", ["overview", "data"])
def test_every_page_offers_large_type(open_page, name):
    page = open_page(name)
    (large,) = [one for one in page.toggle if one.key == "large_type"]
    assert not large.value
    large.set_value(True).run()
    assert page.query_params["large"] in ("1", ["1"])
    assert page.toggle(key="large_type").value
    page.toggle(key="large_type").set_value(False).run()
    assert "large" not in page.query_params


class Address(dict):
    """Query parameters that remember what was sent to the browser."""

    def __init__(self, **values: str) -> None:
        super().__init__({name: [value] for name, value in values.items()})
        self.sent: list[dict] = []

    def get_all(self, name: str) -> list[str]:
        return self.get(name, [])

    def from_dict(self, values: dict) -> None:
        self.sent.append(values)


def test_a_page_reached_from_another_sends_its_address_again_and_a_rerun_does_not(monkeypatch: pytest.MonkeyPatch):
    """What the page before wrote last may reach the browser after the click, and took the image out of the address."""
    browser = SimpleNamespace(session_state={}, query_params=Address(run="a"))
    monkeypatch.setattr(state, "st", browser)
    state.sync("results", ("run",))
    assert browser.query_params.sent == [], "the first page of a session has nothing before it"
    browser.query_params = Address(run="a", sample="x")
    state.sync("localization", ("run", "sample"))
    assert browser.query_params.sent == [{"run": ["a"], "sample": ["x"]}]
    state.sync("localization", ("run", "sample"))
    assert len(browser.query_params.sent) == 1


def test_the_back_button_takes_back_a_choice():
    page = AppTest.from_function(address_page)
    page.query_params["run"] = "a"
    page.run().button[0].click().run()
    del page.query_params["threshold"]
    assert page.run().query_params == {"run": "a"}


def test_a_number_in_the_address_that_is_none_counts_as_not_chosen():
    def script():
        import streamlit as st

        from pages.ui import state

        state.sync("page", ("threshold",))
        st.text(repr(state.get_number("threshold")))

    for text in ("abc", "nan", "inf", "-inf", ""):
        page = AppTest.from_function(script)
        page.query_params["threshold"] = text
        assert page.run().text[0].value == "None", text
