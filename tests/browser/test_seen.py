"""What a person sees the moment a page opens: where content begins, whether the picture that the page is about and its
play button lie inside the window, and how much of the picture is used. From page to page, on a server that takes its
time: nothing of the page before is seen, and each opens at its top.
"""

import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from app_server import PROJECT, served
from in_chromium import at_rest, browser, new_page, no_error_is_shown, pytestmark  # noqa: F401
from made_once import answered_run, copy_store
from waiting import PATIENCE_S

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
SLOW_APP = """
import runpy, time
from pathlib import Path
from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext as Context

def enqueue(self, message):
    if Path({slow!r}).exists():
        time.sleep(0.02)
    return self.at_once(message)

if not hasattr(Context, "at_once"):
    Context.at_once, Context.enqueue = Context.enqueue, enqueue
runpy.run_path({app!r})
"""
WATCH = """() => {
  window.remains = 0;
  const isSeen = (one) => one.checkVisibility();
  const look = () => {
    const titles = [...document.querySelectorAll("h1")].filter(isSeen).map((one) => one.innerText);
    const rest = [...document.querySelectorAll(".st-key-page_of_results *")].filter(isSeen).length;
    if (titles.includes("Failures")) window.remains = Math.max(window.remains, rest + titles.length - 1);
    requestAnimationFrame(look);
  };
  look();
}"""
TOP = "Math.round(document.querySelector('[data-testid=stMain]').scrollTop)"
LEFT_AT = 300
"""About how far down a page is left, in px: less than it is longer than the window."""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The app with one finished run; slow while the file `slow` is in its store."""
    store = RunStore(tmp_path_factory.mktemp("seen"))
    copy_store(answered_run(tmp_path_factory, 5, 5)[0], store)
    slow, script = store.home / "slow", store.home / "slow_app.py"
    script.write_text(SLOW_APP.format(slow=str(slow), app=str(PROJECT / "app.py")))
    with served(script, store.home) as address:
        yield SimpleNamespace(address=address, slow=slow)


@pytest.fixture(scope="module")
def seen(browser, server):  # noqa: F811
    """(page, size) -> what stands where; each page is opened once."""
    page = new_page(browser)
    found = {}
    for name in PAGES:
        page.set_viewport_size({"width": SIZES[0][0], "height": SIZES[0][1]})
        page.goto(f"{server.address}/{name}")
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            at_rest(page)
            found[name, (width, height)] = what_stands(page, name)
        no_error_is_shown(page)
    page.close()
    return found


def what_stands(page, name: str) -> dict:
    """What stands where once all that a page is about has been drawn; after a minute, what has been by then. On a busy
    machine a component may come into its page only after the script has ended.
    """
    about = [what for what, names in (("picture", PICTURES), ("play", PLAYED), ("spread", SPREAD)) if name in names]
    end = time.monotonic() + PATIENCE_S
    while True:
        found = page.evaluate(SEEN)
        is_whole = found["start"] is not None and found["start"] <= LATEST_START and all(found[what] for what in about)
        if is_whole or time.monotonic() > end:
            return found
        page.wait_for_timeout(200)


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


# -- from page to page -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def results(browser, server):  # noqa: F811
    """The page *Results* in a low window, of a server that takes its time."""
    server.slow.touch()
    page = new_page(browser, viewport={"width": 1024, "height": 500})
    page.goto(f"{server.address}/results")
    page.get_by_role("heading", name="Results").wait_for()
    at_rest(page)
    yield page
    server.slow.unlink()
    page.close()


def test_every_page_has_a_link_in_sight_and_the_open_one_is_marked(results):
    links = results.locator("[data-testid=stTopNavLink]")
    assert links.count() == 13 and all(link.is_visible() for link in links.all())
    assert results.locator("[data-testid=stTopNavLink][aria-current=page]").inner_text() == "Results"


def test_the_next_page_opens_at_its_top_without_remains_and_back_returns_to_the_place(results):
    results.evaluate(f"document.querySelector('[data-testid=stMain]').scrollTo(0, {LEFT_AT})")
    at_rest(results)
    left_at = results.evaluate(TOP)
    assert left_at > 0
    results.evaluate(WATCH)
    results.locator("[data-testid=stTopNavLink]", has_text="Failures").click()
    results.get_by_role("heading", name="Failures", exact=True).wait_for()
    at_rest(results)
    assert results.evaluate("window.remains") == 0
    assert results.evaluate(TOP) == 0
    no_error_is_shown(results)
    while "/results" not in results.url:  # the page before may have an address without and one with its choices
        results.go_back()
    results.get_by_role("heading", name="Results").wait_for()
    results.wait_for_function(f"Math.abs({TOP} - {left_at}) <= 1")
