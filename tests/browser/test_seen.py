"""What a person sees the moment a page opens: where content begins, whether the picture that the page is about and its
play button lie inside the window, and how much of the picture is used. Where a page change leads: test_page_changes.
"""

from pathlib import Path

import pytest
from app_server import PROJECT, served
from in_chromium import at_rest, browser, new_page, no_error_is_shown, pytestmark  # noqa: F401
from run_folders import train_answered, write_tiny_category

from pages.ui.frame import PAGES
from wtflow.store.runs import RunStore

SEEN = Path(__file__).with_name("seen.js").read_text(encoding="utf-8")
SIZES = ((1400, 900), (1024, 768))
"""A laptop's window and a projector's."""
LATEST_START = 180
"""Pixels from the top of the window by which what a page has to say begins."""
PICTURES = ("trajectories", "wells", "follow", "localization", "learn")
"""Pages about a picture."""
PLAYED = ("trajectories", "wells", "follow", "learn")
"""Pages whose picture moves."""
SPREAD = ("trajectories", "wells")
"""Pages whose points should use their picture."""
LEAST_SPREAD = 0.6
"""Share of the picture's width and height that its points use at some time; the outermost hundredth does not count."""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("seen")
    store = RunStore(folder / "runs")
    train_answered(store, write_tiny_category(folder / "images", n_good=6, n_bad=6))
    with served(PROJECT / "app.py", store.home) as address:
        yield address


@pytest.fixture(scope="module")
def seen(browser, server):  # noqa: F811
    """(page, size) -> what stands where; each page is opened once."""
    page = new_page(browser)
    found = {}
    for name in PAGES:
        page.set_viewport_size({"width": SIZES[0][0], "height": SIZES[0][1]})
        page.goto(f"{server}/{name}")
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            at_rest(page)
            found[name, (width, height)] = page.evaluate(SEEN)
        no_error_is_shown(page)
    page.close()
    return found


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
def test_content_begins_near_the_top_of_every_page(seen, size):
    starts = {name: seen[name, size]["start"] for name in PAGES}
    assert {name: start for name, start in starts.items() if start is None or start > LATEST_START} == {}


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
def test_the_picture_and_its_play_button_lie_inside_the_window(seen, size):
    for what, names in (("picture", PICTURES), ("play", PLAYED)):
        boxes = {name: seen[name, size][what] for name in names}
        outside = {name: box for name, box in boxes.items() if box is None or box[0] < 0 or box[1] > size[1]}
        assert outside == {}, what


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
def test_points_use_the_picture(seen, size):
    shares = {name: seen[name, size]["spread"] for name in SPREAD}
    assert {name: share for name, share in shares.items() if share is None or min(share) < LEAST_SPREAD} == {}


def test_nothing_sticks_out_sideways(seen):
    assert {key: found["wide"] for key, found in seen.items() if found["wide"] > 0} == {}
