"""The text of the method on the page of the lessons: reached by a button and by its address, with all its sections."""

import re

from page_runs import OpenPage, texts

from pages.ui.learn import method
from wtflow.lessons import LESSONS


def titles() -> list[str]:
    return re.findall(r"^##+ +(.+)$", method.FILE.read_text(encoding="utf-8"), re.MULTILINE)


def test_no_lesson_has_the_name_of_the_text():
    assert method.METHOD not in LESSONS


def test_its_address_opens_the_text_with_every_section_and_a_link_to_each(open_page: OpenPage):
    page = open_page("learn", lesson="method")
    assert not page.exception
    assert not page.error
    shown = [*page.header, *page.subheader]
    assert sorted(heading.value for heading in shown) == sorted(titles())
    contents = next(text.value for text in page.markdown if "](#method-" in text.value)
    assert re.findall(r"\[(.+)\]\(#", contents) == titles()
    assert sorted(re.findall(r"\(#(.+)\)", contents)) == sorted(heading.proto.anchor for heading in shown)
    assert page.query_params["lesson"] in ("method", ["method"])


def test_a_button_leads_from_a_lesson_to_the_text_and_back_to_the_lesson(open_page: OpenPage):
    page = open_page("learn", lesson="pairs")
    next(button for button in page.button if button.label == "Method: the derivations").click().run()
    assert page.query_params["lesson"] in ("method", ["method"])
    assert not page.exception
    next(button for button in page.button if button.label == "Back to the lessons").click().run()
    assert page.selectbox(key="widget_lesson").value == "pairs"


def test_without_the_file_the_page_tells_what_is_missing(open_page: OpenPage, monkeypatch, tmp_path):
    monkeypatch.setattr(method, "FILE", tmp_path / "method.md")
    page = open_page("learn", lesson="method")
    assert not page.exception
    assert "assets/docs/method.md is missing" in texts(page)


def test_sections_come_apart_at_their_headings():
    head, sections = method.read_sections("# T\n\nIntro.\n\n## 1. A\n\nx\n\n### 1.2 B\n\ny\n\n## Sources\nz\n")
    assert head == "Intro."
    assert [(one.level, one.title, one.anchor, one.body) for one in sections] == [
        (2, "1. A", "method-1", "x"),
        (3, "1.2 B", "method-1-2", "y"),
        (2, "Sources", "method-part-3", "z"),
    ]
