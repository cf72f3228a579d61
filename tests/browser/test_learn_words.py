"""Words in the pictures of the lessons: none over another, none cut, at the sizes of a laptop and of a projector."""

import itertools

import pytest
from in_chromium import at_rest, pytestmark  # noqa: F401
from lesson_page import OpenedLesson, browser, server  # noqa: F401

from wtflow.lessons import WITH_FIGURES, load_lesson
from wtflow.lessons.base import Control

SIZES = ((1024, 768), (1400, 900))
TOUCH = 1.0
"""Boxes of letters that share less than this many px do not meet for the eye."""

DRAWN = """
  (e, [name, value, start]) => {
    const { lesson } = e.shadowRoot, { canvas, panels } = lesson.stage;
    lesson.set(name, value);
    lesson.draw();
    lesson.draw(); // a heading of two lines moves what is below it
    const { texts, clientWidth, clientHeight } = canvas, squeezed = (text) => text.replace(/\\s/g, "");
    const said = squeezed(texts.map((one) => one.text).join("")), shown = panels.filter((panel) => panel.place.x < 1);
    const wanted = shown.flatMap((panel) => [panel.heading, panel.bare ? "" : panel.titles[0]]);
    lesson.set(name, start);
    return [texts, clientWidth, clientHeight, wanted.filter((text) => text && !said.includes(squeezed(text)))];
  }
"""
"""Texts and size of the canvas with one control moved, and which headings and titles are not written in full."""


def faults(texts: list[dict], width: float, height: float) -> list[str]:
    """What is cut by the canvas's edge, and which texts lie over each other."""
    cut = [
        f"cut: {one['text']}"
        for one in texts
        if min(one["box"][:2]) < -TOUCH / 2 or one["box"][2] > width + TOUCH / 2 or one["box"][3] > height + TOUCH / 2
    ]
    over = [
        f"{a['text']} over {b['text']}"
        for a, b in itertools.combinations(texts, 2)
        if min(a["box"][2], b["box"][2]) - max(a["box"][0], b["box"][0]) > TOUCH
        and min(a["box"][3], b["box"][3]) - max(a["box"][1], b["box"][1]) > TOUCH
    ]
    return cut + over


def tried(control: Control) -> list[float]:
    """Every option of a choice; both ends and two places between of a slider."""
    if control.kind == "choice":
        return list(range(len(control.options)))
    low, high, step = control.low, control.high, control.step
    return [low + step * round(share * (high - low) / step) for share in (0, 0.4, 0.7, 1)]


def test_texts_that_meet_or_leave_the_canvas_are_found():
    boxes = [0, 0, 30, 10], [30.5, 0, 60, 10], [25, 8, 40, 20], [80, 0, 101, 10]
    first, beside, over, out = ({"text": str(k), "box": box} for k, box in enumerate(boxes))
    assert faults([first, beside], 100, 50) == []
    assert faults([first, over], 100, 50) == ["0 over 2"]
    assert faults([out], 100, 50) == ["cut: 3"]


@pytest.mark.slow
@pytest.mark.parametrize("large", ["", "&large=1"], ids=["usual", "large"])
@pytest.mark.parametrize("name", WITH_FIGURES)
def test_no_text_of_a_lesson_is_cut_or_lies_over_another_wherever_its_controls_stand(browser, server, name, large):  # noqa: F811
    controls = load_lesson(name).CONTROLS
    lesson = OpenedLesson(browser, server, f"lesson={name}{large}")
    for width, height in SIZES:
        lesson.page.set_viewport_size({"width": width, "height": height})
        at_rest(lesson.page)
        for control in controls:
            for value in tried(control):
                texts, *size, missing = lesson.host.evaluate(DRAWN, [control.name, value, control.start])
                where = f"{width} px, {control.name} {value}"
                assert len(texts) > 5, where
                assert faults(texts, *size) == [], where
                assert missing == [], where
    lesson.close()
