"""The linked pictures of localization in a real browser: what stays there, what reaches the page, what the address
keeps.
"""

import re

import pytest
from app_server import PROJECT, served
from in_chromium import at_rest, browser, new_page, no_error_is_shown, pytestmark  # noqa: F401
from report_runs import write_category, write_run

from wtflow import numbers
from wtflow.store.runs import RunStore

VIEW = """(ask) => {
  const host = [...document.querySelectorAll('*')].find((one) => one.shadowRoot?.querySelector('.localization'));
  const root = host?.shadowRoot.querySelector('.localization');
  return root ? ask(root) : null;
}"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    root = write_category(tmp_path_factory.mktemp("images"))
    run_id = write_run(RunStore(home), root)
    with served(PROJECT / "app.py", home) as address:
        yield f"{address}/localization?run={run_id}"


@pytest.fixture(scope="module")
def page(server, browser):
    page = new_page(browser)
    page.sent, page.problems = [], []
    page.on("websocket", lambda socket: socket.on("framesent", lambda sent: page.sent.append(sent)))
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.goto(f"{server}&sample=test/spot/002.png")
    page.wait_for_function(f"({VIEW})(root => root.dataset.image)")
    at_rest(page)
    yield page
    assert page.problems == []
    no_error_is_shown(page)
    page.close()


def ask(page, code: str):
    """A value of the pictures' root, read in the browser: `root` is its element."""
    return page.evaluate(f"({VIEW})(root => {code})")


def until(page, code: str) -> None:
    page.wait_for_function(f"({VIEW})(root => {code})")


def pixel(page, panel: int) -> list[int]:
    """Colour and alpha in the middle of the map of a panel (1: the map, 2: the overlay)."""
    canvas = f"root.querySelectorAll('.frame')[{panel}].querySelector('canvas')"
    return ask(
        page,
        f"[...{canvas}.getContext('2d').getImageData({canvas}.width / 2, {canvas}.height / 2, 1, 1).data]",
    )


def test_numbers_are_written_in_the_browser_as_in_python(browser):
    """Halves are left out: Python rounds them to even, a browser up."""
    shares = [0, 1, 3e-7, 0.000123, 0.00398, 0.0341, 0.0999, 0.13, 0.672, 0.989, 0.9912, 0.99987, 1.34, 12.3, 43210.2]
    times = [0, 0.003, 0.05, 0.351, 0.7, 1]
    script = (PROJECT / "assets" / "numbers.js").read_text(encoding="utf-8")
    page = new_page(browser)
    written = page.evaluate(
        f"""([shares, times]) => {{ {script}
          return [shares.map(toPercent), shares.map((one) => ofThreshold(one * 0.4, 0.4)), times.map(toTime),
            [ofThreshold(1, 0), ofThreshold(-1, 1)]]; }}""",
        [shares, times],
    )
    page.close()
    assert written == [
        [numbers.percent(one) for one in shares],
        [numbers.of_threshold(one * 0.4, 0.4) for one in shares],
        [numbers.flow_time(one) for one in times],
        [numbers.of_threshold(1, 0), numbers.of_threshold(-1, 1)],
    ]


def test_the_three_pictures_stand_in_one_row_whole_in_the_window_below_the_verdict(page):
    for width, height in ((1400, 900), (1024, 768)):
        page.set_viewport_size({"width": width, "height": height})
        until(page, f"root.getBoundingClientRect().width < {width}")
        boxes = ask(page, "[...root.querySelectorAll('.frame')].map(one => one.getBoundingClientRect().toJSON())")
        assert len({box["y"] for box in boxes}) == 1
        assert all(box["width"] > 0.3 * (boxes[-1]["right"] - boxes[0]["x"]) for box in boxes)
        assert page.locator("[class*=st-key-verdict_]").bounding_box()["y"] > 0
        assert boxes[0]["bottom"] < height
    page.set_viewport_size({"width": 1400, "height": 900})
    until(page, "root.getBoundingClientRect().width > 1200")
    assert ask(page, "root.querySelector('.frame').getBoundingClientRect().width") >= 415


def test_opacity_outline_and_scale_change_without_the_server_and_stay_for_the_next_image(page):
    n_sent, before = len(page.sent), pixel(page, 2)
    page.get_by_label("Opacity of the map").fill("100")
    until(page, "root.dataset.opacity === '1'")
    assert pixel(page, 2)[3] == 255 != before[3]
    assert pixel(page, 2)[:3] == pixel(page, 1)[:3]
    shared = pixel(page, 1)
    page.get_by_role("button", name="This image's own scale").click()
    until(page, "root.dataset.scale === 'image'")
    assert pixel(page, 1) != shared
    assert "stretched to this image alone" in ask(page, "root.querySelector('.note').textContent")
    page.get_by_label("Outline of the true defect").uncheck()
    assert ask(page, "getComputedStyle(root.querySelector('svg g')).display") == "none"
    assert {"opacity=1", "scale=image", "outline=off"} <= set(page.url.split("?")[1].split("&"))
    assert len(page.sent) == n_sent, "nothing was sent to the server"

    first = ask(page, "root.dataset.image")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Next").click()
    until(page, f"root.dataset.image !== '{first}'")
    at_rest(page)
    assert ask(page, "[root.dataset.opacity, root.dataset.scale, root.dataset.outline]") == ["1", "image", "off"]
    assert {"opacity=1", "scale=image", "outline=off"} <= set(page.url.split("?")[1].split("&"))


def test_a_wheel_zooms_all_pictures_around_the_pointer_and_a_double_click_shows_them_whole(page):
    n_sent = len(page.sent)
    frame = page.locator(".frame").nth(1)
    box = frame.bounding_box()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.3 * box["height"])
    until(page, "root.dataset.hovered !== ''")
    under = ask(page, "root.dataset.hovered")
    tip = ask(page, "[...root.querySelectorAll('.tip')].filter(one => !one.hidden).map(one => one.textContent)")
    assert len(tip) == 1 and re.search(r"row \d+, column \d+\nscore [\d.]+\n\d+.% of the threshold", tip[0])
    page.mouse.wheel(0, -700)
    until(page, "Number(root.dataset.zoom) > 2")
    page.mouse.move(box["x"] + 0.3 * box["width"] + 1, box["y"] + 0.3 * box["height"])
    assert ask(page, "root.dataset.hovered") == under
    planes = ask(page, "[...root.querySelectorAll('.plane')].map(one => one.style.cssText)")
    assert len(set(planes)) == 1, "all show the same part"
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.up()
    assert ask(page, "root.dataset.selected") == "", "a drag chooses nothing"
    page.get_by_role("button", name="Whole image").click()
    until(page, "Number(root.dataset.zoom) === 1")
    assert len(page.sent) == n_sent


def test_a_click_chooses_a_position_in_all_pictures_and_in_the_address(page):
    box = page.locator(".frame").nth(2).bounding_box()
    page.mouse.click(box["x"] + 0.9 * box["width"], box["y"] + 0.6 * box["height"])
    until(page, "root.dataset.selected === '2,3'")  # of 4 x 4 positions
    page.wait_for_url(re.compile("position=2%2C3"))
    rings = ask(page, "[...root.querySelectorAll('.ring')].map(one => [one.style.display, one.getAttribute('cx')])")
    assert len(rings) == 3 and len({tuple(ring) for ring in rings}) == 1 and rings[0][0] == ""
    at_rest(page)


def test_arrow_keys_go_on_and_forget_the_position(page):
    at_rest(page)
    image = ask(page, "root.dataset.image")
    page.keyboard.press("ArrowRight")
    until(page, f"root.dataset.image !== '{image}' && root.dataset.selected === ''")


def test_on_a_phone_the_pictures_stand_below_each_other(page):
    page.set_viewport_size({"width": 390, "height": 844})
    until(page, "root.getBoundingClientRect().width < 390")
    boxes = ask(page, "[...root.querySelectorAll('.frame')].map(one => one.getBoundingClientRect().toJSON())")
    assert boxes[0]["bottom"] < boxes[1]["y"] and boxes[1]["bottom"] < boxes[2]["y"]
    assert all(box["width"] > 300 for box in boxes)
