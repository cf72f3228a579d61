"""The site and the app show the same numbers: the same scenes by Python, the same scripts in the browser."""

import json

import pytest
from in_chromium import pytestmark  # noqa: F401
from lesson_page import OpenedLesson, server  # noqa: F401
from lesson_site import SiteLesson, browser, disk, root  # noqa: F401

from wtflow.lessons import WITH_FIGURES

ADDRESSES = {
    "flow": "data=rings&seed=1&set=t:0.4,way:1",
    "lines": "data=grid&seed=1&set=t:0.2,px:-0.7",
    "pairs": "data=letters&set=batch:16,dimension:0",
    "average": "seed=1&set=rho:-0.8,t:0.3,steps:4",
    "shell": "seed=1&set=k:7,group:1",
    "singular": "set=case:2,steps:12",
    "well": "data=rings&set=coupling:1,steps:9,t:0.5",
}
"""Away from the start, so that the address is read, too. A lesson that is not named opens at its start."""
DRAWN = "data=drawn&points=0.5,1.25;-1,0.5;-0.75,-1;1.5,-0.25;0,0&seed=1"


def shown(opened: OpenedLesson | SiteLesson) -> tuple[dict, list]:
    return json.loads(opened.get("values")), json.loads(opened.get("checks"))


each_lesson = pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in ("lines", "well") else pytest.mark.slow) for name in WITH_FIGURES],
)


@each_lesson
def test_a_lesson_shows_the_same_values_and_checks_in_both(browser, server, disk, name):  # noqa: F811
    query = f"lesson={name}&{ADDRESSES.get(name, 'seed=1')}"
    app, site = OpenedLesson(browser, server, query), SiteLesson(browser, disk, f"{name}.html?{query}")
    values, checks = shown(site)
    assert shown(app) == (values, checks)
    assert [check["computed"] for check in checks if isinstance(check["computed"], int | float)]
    app.close()
    site.close()


@pytest.mark.parametrize("name", ["flow", pytest.param("lines", marks=pytest.mark.slow)])
def test_points_drawn_by_hand_give_the_same_in_both(browser, server, disk, name):  # noqa: F811
    """The browser makes in the site what Python makes in the app: to single precision."""
    query = f"lesson={name}&{DRAWN}&set=t:0.4"
    app, site = OpenedLesson(browser, server, query), SiteLesson(browser, disk, f"{name}.html?{query}")
    site.until("view.fingerprint.includes('drawn')")
    (values, checks), (own_values, own_checks) = shown(app), shown(site)
    assert own_values == values
    assert [check["label"] for check in own_checks] == [check["label"] for check in checks]
    for ours, theirs in zip(own_checks, checks, strict=True):
        if isinstance(theirs["computed"], float):
            assert ours["computed"] == pytest.approx(theirs["computed"], rel=1e-4, abs=1e-5), ours["label"]
    app.close()
    site.close()


def test_python_checks_the_same_numbers_for_both(browser, server, disk):  # noqa: F811
    """At the start: what the app's panel says stands in the site's."""
    app, site = OpenedLesson(browser, server, "lesson=flow"), SiteLesson(browser, disk, "flow.html")
    site.page.locator("#checks li").first.wait_for(state="attached")
    app.page.get_by_role("button", name="Checked: 4 of 4").click()
    panel = app.page.get_by_test_id("stPopoverBody")
    panel.wait_for()
    said = " ".join(panel.inner_text().split())
    rows = site.page.locator("#checks li span").all_text_contents()
    assert len(rows) == 4
    assert [row for row in rows if row not in said] == []
    app.close()
    site.close()
