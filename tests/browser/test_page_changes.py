"""From page to page, on a server that takes its time: nothing of the page before is seen, and each opens at its top."""

import pytest
from app_server import PROJECT, served
from in_chromium import at_rest, browser, new_page, no_error_is_shown, pytestmark  # noqa: F401
from report_runs import write_category, write_run

from wtflow.store.runs import RunStore

SLOW_APP = f"""
import runpy, time
from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext as Context

if not hasattr(Context, "at_once"):
    Context.at_once = Context.enqueue
    Context.enqueue = lambda self, message: (time.sleep(0.02), self.at_once(message))[1]
runpy.run_path({str(PROJECT / "app.py")!r})
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
def page(tmp_path_factory, browser):  # noqa: F811
    home = tmp_path_factory.mktemp("home")
    run = write_run(RunStore(home), write_category(tmp_path_factory.mktemp("images")))
    script = home / "slow_app.py"
    script.write_text(SLOW_APP)
    with served(script, home) as address:
        page = new_page(browser, viewport={"width": 1024, "height": 500})
        page.goto(f"{address}/results?run={run}")
        page.get_by_role("heading", name="Results").wait_for()
        at_rest(page)
        yield page


def test_every_page_has_a_link_in_sight_and_the_open_one_is_marked(page):
    links = page.locator("[data-testid=stTopNavLink]")
    assert links.count() == 12 and all(link.is_visible() for link in links.all())
    assert page.locator("[data-testid=stTopNavLink][aria-current=page]").inner_text() == "Results"


def test_the_next_page_opens_at_its_top_without_remains_and_back_returns_to_the_place(page):
    page.evaluate(f"document.querySelector('[data-testid=stMain]').scrollTo(0, {LEFT_AT})")
    at_rest(page)
    left_at = page.evaluate(TOP)
    assert left_at > 0
    page.evaluate(WATCH)
    page.locator("[data-testid=stTopNavLink]", has_text="Failures").click()
    page.get_by_role("heading", name="Failures", exact=True).wait_for()
    at_rest(page)
    assert page.evaluate("window.remains") == 0
    assert page.evaluate(TOP) == 0
    no_error_is_shown(page)
    while "/results" not in page.url:  # the page before may have an address without and one with its choices
        page.go_back()
    page.get_by_role("heading", name="Results").wait_for()
    page.wait_for_function(f"Math.abs({TOP} - {left_at}) <= 1")
