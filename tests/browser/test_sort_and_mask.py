"""The grid of pictures to sort and the editor of masks in a real browser, in a page of their own: what is pressed
reaches Python in order, and a mask comes back as it went, pixel by pixel.
"""

import json

import pytest
from app_server import served
from in_chromium import (  # noqa: F401
    browser,
    new_page,
    pytestmark,  # noqa: F401
)
from waiting import wait_until

SCRIPT = """
import io
import json
import numpy as np
import streamlit as st
from PIL import Image
from pages.ui.intake.grid import Item, show_grid
from pages.ui.intake.mask_editor import show_mask_editor
from wtflow.plots.pictures import data_uri, encode_png

def png(values):
    Image.fromarray(values).save(buffer := io.BytesIO(), "PNG")
    return buffer.getvalue()

def webp(i):
    Image.new("RGB", (32, 32), (i, 0, 0)).save(buffer := io.BytesIO(), "WEBP")
    return buffer.getvalue()

pattern = np.zeros((60, 90), np.uint8)
pattern[5:9, 70:81] = 255
pattern[::7, 3] = 255
unsorted = {f"i{k}": ("unsorted", "") for k in range(130)}
kept = st.session_state.setdefault("kept", {"labels": unsorted, "png": png(pattern), "n": 0})

def sort(changes):
    kept["labels"] |= {one.id: (one.kind, one.type) for one in changes}

def save(key, mask, wants_next):
    kept.update(png=mask, n=kept["n"] + 1)

if st.toggle("Masks"):
    picture = data_uri(encode_png(np.full((60, 90, 3), 0.4)))
    show_mask_editor("editor", picture_key="a", name="a", shape=(60, 90), image=picture, mask=kept["png"], on_save=save)
else:
    items = [Item(i, f"{i}.png", *label) for i, label in kept["labels"].items()]
    show_grid("grid", items, of="set", types=["scratch"], pictures=lambda ids: {i: webp(int(i[1:])) for i in ids},
              large=lambda i: webp(0), on_sort=sort)
mask = np.asarray(Image.open(io.BytesIO(kept["png"])).convert("L"))
labels = {i: " ".join(label).strip() for i, label in kept["labels"].items() if label[0] != "unsorted"}
seen = {"labels": labels, "n": kept["n"], "shape": mask.shape,
        "values": np.unique(mask).tolist(), "same": bool((mask == pattern).all()),
        "others": np.argwhere(mask != pattern).tolist()}
st.text("state " + json.dumps(seen))
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The small page on a free port."""
    folder = tmp_path_factory.mktemp("sort")
    (folder / "page.py").write_text(SCRIPT)
    with served(folder / "page.py", folder) as address:
        yield address


@pytest.fixture(scope="module")
def page(server, browser):
    page = new_page(browser, viewport={"width": 1000, "height": 900})
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(server)
    page.locator(".tile").first.wait_for()
    yield page
    assert problems == []
    assert page.locator("[data-testid=stException]").count() == 0


def wait_for(page, holds) -> dict:
    """What Python has, once it is as expected."""
    read = lambda: json.loads(page.get_by_text("state {").first.inner_text().removeprefix("state "))  # noqa: E731
    return wait_until(lambda: state if holds(state := read()) else None, read)


def test_images_are_sorted_by_keys_and_every_key_reaches_python(page):
    tiles = page.locator(".tile")
    tiles.nth(0).click()
    for key in "gdx":
        page.keyboard.press(key)  # each goes on to the next image
    expected = {"i0": "good", "i1": "defect scratch", "i2": "out"}
    assert wait_for(page, lambda state: len(state["labels"]) == 3)["labels"] == expected
    tiles.nth(10).click()
    tiles.nth(14).click(modifiers=["Shift"])
    tiles.nth(12).click(modifiers=["Control"])
    page.keyboard.press("g")
    rows = {f"i{k}": "good" for k in (10, 11, 13, 14)}
    assert wait_for(page, lambda state: len(state["labels"]) == 7)["labels"] == expected | rows
    page.keyboard.press("z")
    assert wait_for(page, lambda state: len(state["labels"]) == 3)["labels"] == expected
    page.get_by_role("button", name="Unsorted 127").click()
    assert tiles.first.get_attribute("data-id") == "i3", "what is sorted has left the list"
    page.get_by_role("button", name="Next page").click()
    page.wait_for_function(
        """() => [...document.querySelectorAll("*")].some((one) => {
          const images = [...(one.shadowRoot?.querySelectorAll(".tile img") ?? [])];
          return images.length === 31 && images[0].naturalWidth === 32;
        })"""
    )
    page.keyboard.press("Control+a")
    page.keyboard.press("x")
    assert len(wait_for(page, lambda state: len(state["labels"]) == 34)["labels"]) == 3 + 31


def test_a_mask_is_opened_drawn_on_and_taken_back_pixel_by_pixel(page):
    page.get_by_text("Masks").click()
    canvas = page.locator(".mask canvas")
    page.locator(".mask[data-picture=a]").wait_for()
    assert wait_for(page, lambda state: True)["n"] == 0, "nothing is saved before something is drawn"
    box = canvas.bounding_box()
    scale = min(box["width"] / 90, box["height"] / 60)
    left, top = box["x"] + (box["width"] - 90 * scale) / 2, box["y"] + (box["height"] - 60 * scale) / 2

    def click(x: float, y: float) -> None:
        page.mouse.click(left + x * scale, top + y * scale)

    page.get_by_role("button", name="Polygon").click()
    for x, y in ((20, 20), (30, 20), (30, 28), (20, 28)):
        click(x, y)
    page.keyboard.press("Enter")
    drawn = wait_for(page, lambda state: not state["same"])
    assert drawn["shape"] == [60, 90] and drawn["values"] == [0, 255]
    square = [[y, x] for y in range(20, 28) for x in range(20, 30)]
    assert [at for at in drawn["others"] if at not in square] == [] and len(drawn["others"]) >= 7 * 9
    page.get_by_role("button", name="Fill").click()
    click(85, 55)
    page.get_by_text("more than half").wait_for()
    page.keyboard.press("Control+z")
    taken_back = wait_for(page, lambda state: state["same"])
    assert taken_back["n"] == 2 and taken_back["values"] == [0, 255]
