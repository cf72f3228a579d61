"""The lessons' site for everyone: the keyboard's way, names, contrast, type, motion; no page wider than its window."""

import pytest
from in_chromium import STILL_FRAMES, pytestmark  # noqa: F401
from lesson_site import SiteLesson, SitePage, browser, disk, root  # noqa: F401

from wtflow.lessons import LESSONS, WITH_FIGURES

PAGES = ["index", "teachers", "words", "method", *LESSONS]
TEXT_CONTRAST, LARGE_CONTRAST = 4.5, 3.0
"""WCAG 2.2, 1.4.3, level AA: text, and text from 24 px on, or 18.66 px when bold."""


# -- keyboard and names ------------------------------------------------------------------------------------------------

FOCUSED = """() => {
  const one = document.activeElement, css = getComputedStyle(one);
  return { tag: one.tagName, id: one.id, ring: css.outlineStyle !== "none" && parseFloat(css.outlineWidth) > 0,
           box: one.getBoundingClientRect().toJSON() };
}"""


def way_of(page, most: int = 80) -> list[dict]:
    """What Tab leads to, one after another, until it leaves the page."""
    found = []
    for _ in range(most):
        page.keyboard.press("Tab")
        here = page.evaluate(FOCUSED)
        if here["tag"] == "BODY":
            return found
        found.append(here)
    raise AssertionError(f"the focus does not leave the page within {most} steps: {found[-3:]}")


@pytest.mark.parametrize("name", ["flow", "average", "well"])
def test_the_keyboard_passes_everything_from_the_top_to_the_end_and_shows_where_it_is(browser, disk, name):
    lesson = SiteLesson(browser, disk, f"{name}.html")
    lesson.page.locator("#checks li").first.wait_for(state="attached")
    way = way_of(lesson.page)
    assert all(one["ring"] for one in way)
    tops = [one["box"]["top"] for one in way if one["box"]["height"]]
    assert tops[0] < 60
    order = [one["id"] or one["tag"] for one in way]
    assert [order.index(one) for one in ("sample", "theme", "large", "CANVAS", "checked")] == sorted(
        order.index(one) for one in ("sample", "theme", "large", "CANVAS", "checked")
    )
    all_of_it = lesson.page.evaluate(
        """() => [...document.querySelectorAll("a[href], button, select, input, summary, canvas")].filter((one) =>
             one.checkVisibility() && !one.disabled && !(one.role === "radio" && one.ariaChecked !== "true")
             && !(one.type === "radio" && one !== document.getElementsByName(one.name)[0])).length"""
    )
    assert len(way) == all_of_it
    lesson.close()


def test_the_first_stop_skips_to_the_picture(browser, disk):
    lesson = SiteLesson(browser, disk, "flow.html")
    lesson.page.keyboard.press("Tab")
    skip = lesson.page.locator(":focus")
    assert skip.inner_text() == "Skip to the picture"
    assert skip.bounding_box()["y"] >= 0, "it is seen while it has the focus"
    lesson.page.keyboard.press("Enter")
    lesson.page.keyboard.press("Tab")
    assert lesson.page.evaluate("document.activeElement.tagName") == "CANVAS"
    lesson.page.keyboard.press(" ")
    lesson.until("d.playing === 'true' && v.t > 0")
    lesson.page.keyboard.press(" ")
    lesson.until("d.playing === 'false'")
    lesson.close()


@pytest.mark.parametrize("name", PAGES)
def test_everything_that_can_be_operated_has_a_name(browser, disk, name):
    page = SitePage(browser, disk, f"{name}.html")
    if name in WITH_FIGURES:
        page.page.locator("#lesson[data-frames]").wait_for()
    session = page.page.context.new_cdp_session(page.page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    roles = ("button", "link", "combobox", "slider", "radio", "switch", "application", "DisclosureTriangle", "textbox")
    found = [one for one in nodes if one.get("role", {}).get("value") in roles and not one["ignored"]]
    assert len(found) >= 4
    assert [one["role"] for one in found if not one.get("name", {}).get("value", "").strip()] == []
    page.close()


def test_a_dialog_takes_the_focus_and_gives_it_back(browser, disk):
    lesson = SiteLesson(browser, disk, "shell.html")
    button = lesson.page.get_by_role("button", name="Words")
    button.focus()
    lesson.page.keyboard.press("Enter")
    dialog = lesson.page.get_by_role("dialog", name="Words and symbols")
    dialog.wait_for()
    assert lesson.page.evaluate("document.activeElement.closest('dialog')?.id") == "words"
    lesson.page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    assert lesson.page.evaluate("document.activeElement.textContent") == "Words"
    lesson.close()


# -- contrast ----------------------------------------------------------------------------------------------------------

CONTRASTS = """() => {
  const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, below) => [0, 1, 2].map((k) => top[3] * top[k] + (1 - top[3]) * below[k]).concat(1);
  const light = (colour) => {
    const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = colour.map((value) => linear(value / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (one) => {
    const layers = [];
    for (let at = one; at; at = at.parentElement) layers.push(rgba(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 1]);
  };
  const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const text = walk.currentNode.textContent.trim(), one = walk.currentNode.parentElement, css = getComputedStyle(one);
    if (!text || !one.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    if (one.closest("button:disabled, script, style, noscript")) continue;
    const below = ground(one), own = rgba(css.color), ink = over(own, below);
    const [low, high] = [light(ink), light(below)].sort((a, b) => a - b), px = parseFloat(css.fontSize);
    const isLarge = px >= 24 || (px >= 18.66 && css.fontWeight >= 700);
    found.push({ text: text.slice(0, 40), ratio: (high + 0.05) / (low + 0.05), isLarge });
  }
  return found;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_every_word_stands_out_from_its_ground(browser, disk, name, scheme):
    page = SitePage(browser, disk, f"{name}.html", color_scheme=scheme)
    if name in WITH_FIGURES:
        page.page.locator("#lesson[data-frames]").wait_for()
    page.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    found = page.page.evaluate(CONTRASTS)
    assert len(found) > 20
    weak = [one for one in found if one["ratio"] < (LARGE_CONTRAST if one["isLarge"] else TEXT_CONTRAST)]
    assert weak == []
    page.close()


def test_black_on_white_has_the_greatest_contrast_and_grey_on_grey_none(browser, disk):
    """The measure itself."""
    page = SitePage(browser, disk, "index.html")
    page.page.set_content(
        '<body style="background:#fff"><p style="color:#000">a<p style="color:#777">b<p style="color:#fff8">c'
    )
    ratios = {one["text"]: one["ratio"] for one in page.page.evaluate(CONTRASTS)}
    assert ratios["a"] == pytest.approx(21)
    assert ratios["b"] == pytest.approx(4.48, abs=0.01)
    assert ratios["c"] == pytest.approx(1)
    page.close()


# -- look and motion ---------------------------------------------------------------------------------------------------


def test_the_switches_change_the_look_at_once_and_links_keep_it(browser, disk):
    lesson = SiteLesson(browser, disk, "lines.html", color_scheme="light")
    ground, size = (
        "getComputedStyle(document.documentElement).backgroundColor",
        "parseFloat(getComputedStyle(document.body).fontSize)",
    )
    assert lesson.page.evaluate(f"[{ground}, {size}]") == ["rgb(255, 255, 255)", 15]
    dark = lesson.page.get_by_role("switch", name="Dark colours")
    dark.click()
    lesson.page.get_by_role("switch", name="Large type").click()
    assert lesson.page.evaluate(f"[{ground}, {size}]") == ["rgb(16, 20, 27)", 20]
    assert dark.get_attribute("aria-checked") == "true"
    lesson.until("q.get('theme') === 'dark' && q.get('large') === '1' && view.stage.type === 18")
    assert lesson.page.evaluate("document.querySelector('canvas').getContext('2d') !== null")
    lesson.page.get_by_role("link", name="Next").click()
    lesson.until("d.lesson === 'pairs' && q.get('theme') === 'dark' && q.get('large') === '1'")
    assert lesson.page.evaluate(f"[{ground}, {size}]") == ["rgb(16, 20, 27)", 20]
    lesson.close()


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_nothing_moves_by_itself(browser, disk, motion):
    lesson = SiteLesson(browser, disk, "flow.html?set=t:0.5", reduced_motion=motion)
    lesson.page.locator("#checks li").first.wait_for(state="attached")
    assert lesson.page.evaluate("document.getAnimations().length") == 0
    lesson.page.evaluate(
        f"""() => new Promise((done) => {{
          let left = {STILL_FRAMES};
          const tick = () => (left-- ? requestAnimationFrame(tick) : done());
          tick();
        }})"""
    )
    before = lesson.get("frames")
    lesson.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert lesson.get("frames") == before
    seconds = "[...document.querySelectorAll('*')].map((e) => parseFloat(getComputedStyle(e).transitionDuration))"
    assert lesson.page.evaluate(f"Math.max(...{seconds})") == 0
    lesson.close()


@pytest.mark.parametrize("size", [(1400, 900), (1024, 768), (390, 844)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("large", ["", "?large=1"])
def test_no_page_is_wider_than_the_window_and_the_picture_is_on_the_first_screen(browser, disk, size, large):
    page = SitePage(browser, disk, f"index.html{large}", viewport={"width": size[0], "height": size[1]})
    for name in PAGES:
        page.page.goto(f"{disk}/{name}.html{large}")
        if name in WITH_FIGURES:
            page.page.locator("#lesson[data-frames]").wait_for()
            top = page.page.locator("canvas").bounding_box()["y"]
            assert top < 0.4 * size[1], name
        assert page.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, name
    page.close()
