"""The painting canvas in a real browser, in a page of its own, on a picture that is not square: strokes reach Python,
undo takes them back, nothing else is sent.
"""

import json

import pytest
from app_server import served
from in_chromium import browser, new_page  # noqa: F401
from in_chromium import pytestmark as in_chromium
from waiting import wait_until

pytestmark = [*in_chromium, pytest.mark.slow]
"""What strokes do to a picture is tested without a browser in each run of the tests; these paint by hand."""

SCRIPT = """
import json
import numpy as np
import streamlit as st
from pages.ui.canvas import show_canvas
from wtflow.studies.paint import apply_strokes, read_strokes
from wtflow.plots.pictures import data_uri, encode_png

image = np.full((64, 96, 3), 0.6, np.float32)
other = np.zeros((64, 96, 3), np.float32)
other[:, :32] = (1, 0, 0)
picture = st.session_state.setdefault("kept", {"done": [], "undone": [], "serial": 0, "version": 0})
if st.button("Put another"):
    stroke = {"kind": "dark", "points": [[8, 8]], "radius": 6, "strength": 1}
    picture |= {"done": [stroke], "undone": [], "version": picture["version"] + 1}
st.session_state.n_next = st.session_state.get("n_next", 0) + st.button("Next", shortcut="Right")
painted, mask = apply_strokes(image, read_strokes(picture["done"]), 0, {"red": other})
if st.toggle("Show", value=True):
    show_canvas(
        "canvas", name="grey", shape=(64, 96), image=data_uri(encode_png(image)), picture=picture,
        painted=data_uri(encode_png(painted)),
        source={"key": "red", "label": "red", "image": data_uri(encode_png(other))}, on_change=picture.update,
    )
levels = np.rint(painted * 255).astype(int)
seen = {"pixels": int(mask.sum()), "middle": levels[32, 32].tolist(), "corner": int(levels[8, 8, 0]),
        "n_next": st.session_state.n_next}
st.text("state " + json.dumps(picture | seen))
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The small page on a free port."""
    folder = tmp_path_factory.mktemp("canvas")
    (folder / "page.py").write_text(SCRIPT)
    with served(folder / "page.py", folder) as address:
        yield address


@pytest.fixture
def page(server, browser):
    page = new_page(browser, viewport={"width": 900, "height": 1100})
    page.problems = []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.goto(server)
    page.locator(".stage canvas").first.wait_for()
    wait_for(page, lambda state: True)
    page.wait_for_function(COLOUR + "(0, 0)[0] == 153")  # the picture is there, not only its frame
    yield page
    assert page.problems == []
    assert page.locator("[data-testid=stException]").count() == 0
    page.close()


# Streamlit's container of a component has an open shadow root.
COLOUR = """((x, y) => {
  const host = [...document.querySelectorAll('*')].find((one) => one.shadowRoot?.querySelector('.paint'));
  const canvas = host.shadowRoot.querySelector('.stage canvas');
  return [...canvas.getContext('2d').getImageData(x, y, 1, 1).data.slice(0, 3)];
})"""


def state_of(page) -> dict:
    text = page.get_by_text("state {").first.inner_text()
    return json.loads(text.removeprefix("state "))


def wait_for(page, holds) -> dict:
    """What Python has, once it is as expected."""
    return wait_until(lambda: state if holds(state := state_of(page)) else None, lambda: state_of(page))


def tool(page, name: str):
    return page.get_by_role("button", name=name, exact=True)


def drag(page, *points: tuple[float, float]) -> None:
    """Paint along points in pixels of the image, 96 px wide and 64 px high."""
    box = page.locator(".stage canvas").first.bounding_box()
    at = [(box["x"] + x * box["width"] / 96, box["y"] + y * box["height"] / 64) for x, y in points]
    page.mouse.move(*at[0])
    page.mouse.down()
    for point in at[1:]:
        page.mouse.move(*point, steps=6)
    page.mouse.up()


def test_a_stroke_reaches_python_once_the_pointer_is_lifted_and_the_exact_picture_comes_back(page):
    tool(page, "Dark").click()
    drag(page, (20, 32), (44, 32))
    state = wait_for(page, lambda state: len(state["done"]) == 1)
    (stroke,) = state["done"]
    assert stroke["kind"] == "dark" and len(stroke["points"]) > 3
    assert stroke["points"][0] == pytest.approx([20, 32], abs=0.5)
    assert stroke["points"][-1] == pytest.approx([44, 32], abs=0.8)
    assert state["serial"] == 1 and state["pixels"] > 50
    page.wait_for_function(f"{COLOUR}(32, 32)[0] == {state['middle'][0]}")
    assert state["middle"][0] == pytest.approx(0.4 * 153, abs=1), "60 % of strength"


def test_undo_redo_and_clear_by_button_and_key(page):
    drag(page, (32, 32))
    wait_for(page, lambda state: len(state["done"]) == 1)
    drag(page, (10, 10))
    two = wait_for(page, lambda state: len(state["done"]) == 2)
    page.keyboard.press("Control+z")
    one = wait_for(page, lambda state: len(state["done"]) == 1)
    assert one["undone"] == [two["done"][1]] and one["pixels"] < two["pixels"]
    page.keyboard.press("Control+Shift+z")
    assert wait_for(page, lambda state: len(state["done"]) == 2)["done"] == two["done"]
    page.get_by_role("button", name="Clear").click()
    cleared = wait_for(page, lambda state: len(state["done"]) == 3)
    assert cleared["pixels"] == 0
    page.wait_for_function(COLOUR + "(32, 32)[0] == 153")
    page.get_by_role("button", name="Undo").click()
    assert wait_for(page, lambda state: len(state["done"]) == 2)["pixels"] == two["pixels"], "clearing can be undone"
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Undo").click()
    assert wait_for(page, lambda state: not state["done"])["pixels"] == 0
    assert page.get_by_role("button", name="Undo").is_disabled()


def test_a_canvas_that_comes_back_has_its_strokes_and_can_undo_them(page):
    drag(page, (32, 32))
    wait_for(page, lambda state: len(state["done"]) == 1)
    page.get_by_text("Show").click()
    page.locator(".stage canvas").first.wait_for(state="detached")
    page.get_by_text("Show").click()
    page.locator(".stage canvas").first.wait_for()
    page.wait_for_function(COLOUR + "(32, 32)[0] < 100")
    page.get_by_role("button", name="Undo").click()
    assert wait_for(page, lambda state: not state["done"])["undone"]


def test_a_painting_that_python_puts_there_replaces_the_one_on_the_canvas(page):
    drag(page, (32, 32))
    wait_for(page, lambda state: len(state["done"]) == 1)
    page.get_by_role("button", name="Put another").click()
    state = wait_for(page, lambda state: state["version"] == 1)
    assert state["corner"] == 0
    page.wait_for_function(COLOUR + "(8, 8)[0] == 0")
    page.wait_for_function(COLOUR + "(32, 32)[0] == 153")


def test_paste_copies_the_same_place_or_the_marked_one(page):
    tool(page, "Paste").click()
    drag(page, (32, 32))
    state = wait_for(page, lambda state: len(state["done"]) == 1)
    assert state["done"][0]["source"] == {"key": "red", "dx": 0, "dy": 0}
    small = page.locator(".source canvas").bounding_box()
    page.mouse.click(small["x"] + small["width"] / 4, small["y"] + small["height"] / 2)
    drag(page, (32, 32))
    state = wait_for(page, lambda state: len(state["done"]) == 2)
    assert state["done"][1]["source"]["dx"] == pytest.approx(24 - 32, abs=1)
    # First black over grey: 0.4 x 153 = 61; then red over that: 0.4 x 61 + 0.6 x 255 = 177, and 0.4 x 61 = 24 of green.
    assert state["middle"] == pytest.approx([177, 24, 24], abs=1)
    page.keyboard.down("Alt")
    drag(page, (50, 32))
    page.keyboard.up("Alt")
    drag(page, (40, 32))
    state = wait_for(page, lambda state: len(state["done"]) == 3)
    assert state["done"][2]["source"]["dx"] == pytest.approx(10, abs=1), "Alt marked a place and painted nothing"


def test_erasing_shows_the_unpainted_picture_while_the_pointer_is_still_down(page):
    drag(page, (32, 32))
    wait_for(page, lambda state: len(state["done"]) == 1)
    tool(page, "Erase").click()
    box = page.locator(".stage canvas").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 3, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 3 + 4, box["y"] + box["height"] / 2)
    page.wait_for_function(COLOUR + "(32, 32)[0] == 153")
    assert len(state_of(page)["done"]) == 1, "nothing is sent before the pointer is lifted"
    page.mouse.up()
    wait_for(page, lambda state: len(state["done"]) == 2)


def test_arrow_keys_on_a_slider_move_the_slider_and_not_the_page(page):
    """The page has keys of its own: on localization an arrow goes to the next image."""
    page.keyboard.press("ArrowRight")
    wait_for(page, lambda state: state["n_next"] == 1)
    slider = page.get_by_role("slider").first
    slider.focus()
    before = slider.input_value()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert int(slider.input_value()) == int(before) + 3
    drag(page, (32, 32))
    state = wait_for(page, lambda state: len(state["done"]) == 1)
    assert state["done"][0]["radius"] == int(before) + 3
    assert state["n_next"] == 1
