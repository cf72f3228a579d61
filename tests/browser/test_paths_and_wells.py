"""Moving paths and the map of wells in a real browser, on a tiny run: play, scrub, click through to an image and
back, lasso, marks, reload.
"""

import re
from collections.abc import Iterator

import pytest
from app_server import PROJECT, served
from in_chromium import at_rest, browser, new_page, no_error_is_shown, pytestmark  # noqa: F401
from made_once import answered_run, copy_store

from wtflow.store.runs import RunStore

FIELD = "[data-testid=stBidiComponentIsolated][data-frames]"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app with one finished run; the paths that its pages open with are there, so that no page waits for torch
    first.
    """
    store = RunStore(tmp_path_factory.mktemp("paths"))
    copy_store(answered_run(tmp_path_factory, 5, 5)[0], store)
    with served(PROJECT / "app.py", store.home) as address:
        yield address


@pytest.fixture
def page(browser):
    page = new_page(browser, viewport={"width": 1400, "height": 1000})
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    yield page
    no_error_is_shown(page)
    page.close()
    assert [
        text for text in problems if "404" not in text
    ] == []  # Streamlit asks each page for files that only the root has


def pictures_are_there(page) -> None:
    """Wait until every picture has loaded: what is still on its way when a page is left is an error on the console."""
    page.wait_for_function("() => [...document.images].every((one) => one.complete && one.naturalWidth > 0)")


class Drawn:
    """The particle field on the page."""

    def __init__(self, page) -> None:
        self.page, self.host = page, page.locator(FIELD)
        self.host.wait_for()

    def until(self, condition: str) -> None:
        """Wait for an expression in `d` (what the field says in its data attributes) and `f` (the field)."""
        start = (
            f"const e = document.querySelector('{FIELD}'); if (!e) return false; const d = e.dataset, f ="
            " e.shadowRoot.field;"
        )
        self.page.wait_for_function(f"() => {{ {start} return {condition}; }}")

    def place(self, particle: int) -> list[float]:
        return self.host.evaluate("(e, id) => e.shadowRoot.field.pixelOf(id)", particle)

    def box(self) -> list[float]:
        """Left, top, right and bottom of the view."""
        self.host.locator(".stage").scroll_into_view_if_needed()
        return self.host.evaluate(
            "e => { const b = e.shadowRoot.field.ui.stage.getBoundingClientRect(); return [b.left, b.top, b.right,"
            " b.bottom]; }"
        )

    def select_all(self) -> None:
        self.page.get_by_role("button", name="Draw a box").click()
        left, top, right, bottom = self.box()
        self.page.mouse.move(left + 3, top + 3)
        self.page.mouse.down()
        self.page.mouse.move(right - 3, bottom - 3, steps=4)
        self.page.mouse.up()


@pytest.mark.slow
def test_paths_play_scrub_and_stay_as_they_were_after_a_reload(server, page):
    page.goto(f"{server}/trajectories")
    field = Drawn(page)
    page.get_by_role("button", name="Play").click()
    field.until("d.playing === 'true' && Number(d.time) > 0.05")
    earlier = float(field.host.get_attribute("data-time"))
    field.until(f"Number(d.time) > {earlier} + 0.05")
    page.get_by_role("button", name="Pause").click()
    field.until("d.playing === 'false'")
    stage = field.host.locator(".stage")
    stage.focus()
    stage.press("Home")
    field.until("d.time === '0.0000'")
    stage.press("ArrowRight")
    stage.press("ArrowRight")
    field.until("d.time === '0.1000'")
    page.wait_for_url(re.compile(r"[?&]t=0\.1(&|$)"))
    page.get_by_label("View").select_option("plane")
    page.wait_for_url(re.compile(r"view=plane"))
    page.get_by_text("Two directions in which normal features").wait_for()
    page.reload()
    Drawn(page).until("d.view === 'plane' && d.time === '0.1000'")


@pytest.mark.slow
def test_from_a_particle_to_its_image_and_to_its_fine_path(server, page):
    page.goto(f"{server}/trajectories")
    field = Drawn(page)
    field.until("d.playing === 'false' && d.time === '1.0000'")  # it opens with one pass
    field.box()
    x, y = field.place(3)
    page.mouse.move(x - 30, y - 30)
    page.mouse.move(x, y, steps=3)
    field.until("d.hovered !== ''")
    page.mouse.click(x, y)
    page.get_by_role("link", name="Open its image").click()
    page.wait_for_url(re.compile(r"/localization\?.*position=\d+%2C\d+"))
    page.get_by_text(re.compile(r"Row \d+, column \d+: the map shows")).wait_for()
    page.get_by_text("nearest positions of normal training images").wait_for()
    page.wait_for_function("() => document.querySelectorAll('.st-key-neighbours img').length === 6")
    address = page.url
    page.get_by_role("link", name="Follow it in fine steps").click()
    page.wait_for_url(re.compile(r"/trajectories\?.*images=one"))
    Drawn(page).until("f.portrait === 0 && f.marked.length === 1 && f.t.length === 21")
    page.get_by_text("Its distance from the origin is").wait_for()
    for name in ("sample", "position"):
        assert re.search(f"{name}=([^&]+)", page.url)[1] == re.search(f"{name}=([^&]+)", address)[1]


def test_from_points_to_images_and_back_with_marks_and_settings_kept(server, page):
    page.goto(f"{server}/wells")
    field = Drawn(page)
    at_rest(page)
    field.select_all()
    page.get_by_text(re.compile(r"Chosen: \d+ points in 10 images")).wait_for()
    tiles = page.locator("[class*=st-key-tile-map_]")
    tiles.first.get_by_text(re.compile(r"\d+ points? · (good|spot)/\d{3}")).wait_for()
    assert tiles.count() == 9, "nine on a page, the tenth on the next"
    pictures_are_there(page)
    tiles.first.get_by_role("link", name="Look").click()
    page.wait_for_url(re.compile(r"/localization\?.*sample=.*position="))
    page.get_by_text(re.compile(r"Row \d+, column \d+: the map shows")).wait_for()
    page.go_back()
    page.wait_for_url(re.compile("/wells"))
    field = Drawn(page)
    at_rest(page)
    field.select_all()
    page.get_by_role("button", name="Mark").first.wait_for()
    pictures_are_there(page)
    page.get_by_role("button", name="Mark").first.click()
    page.wait_for_url(re.compile("picked="))
    field.until("f.marked.length > 0")
    page.locator(".st-key-wells_sample button").click()
    page.get_by_role("combobox", name="Steps").click()
    page.get_by_role("option", name="10", exact=True).click()
    page.wait_for_url(re.compile("saves=10"))
    at_rest(page)
    pictures_are_there(page)
    kept = page.url
    page.reload()
    Drawn(page).until("f.marked.length > 0 && d.selected === '0'")
    at_rest(page)
    assert page.url == kept
    page.get_by_text(re.compile(r"Points of test/.*: \d+ points? in 1 image")).wait_for()


@pytest.mark.slow
def test_the_landscape_follows_its_time(server, page):
    page.goto(f"{server}/wells?tab=landscape")
    Drawn(page)
    figure = page.locator(".st-key-landscape_field .js-plotly-plot")
    figure.wait_for()
    at_rest(page)
    before = figure.inner_html()
    slider = page.get_by_role("slider", name="Time t")
    slider.focus()
    slider.press("End")
    page.wait_for_url(re.compile(r"at=1(&|$)"))
    page.wait_for_function(
        "before => document.querySelector('.st-key-landscape_field .js-plotly-plot')?.innerHTML !== before", arg=before
    )


# -- one patch followed ------------------------------------------------------------------------------------------------


def strip_until(page, condition: str) -> None:
    """Wait for an expression in `d`, what the strip says in its data attributes, and `s`, the strip."""
    start = f"const e = document.querySelector('{FIELD}'); if (!e?.shadowRoot?.strip) return false;"
    page.wait_for_function(f"() => {{ {start} const d = e.dataset, s = e.shadowRoot.strip; return {condition}; }}")


def test_a_patch_is_followed_with_one_play_button_and_its_address_is_kept(page, server):
    page.set_viewport_size({"width": 1024, "height": 768})
    page.emulate_media(reduced_motion="no-preference")
    page.goto(f"{server}/follow")
    strip_until(page, "d.playing === 'true' && d.time > 0")
    bottom = page.get_by_role("button", name="Pause").evaluate("e => e.getBoundingClientRect().bottom")
    assert bottom <= 768, "panels and play button lie in the window"
    page.locator(FIELD).evaluate("e => { e.shadowRoot.strip.now = 0.95; }")  # it need not be watched all the way
    strip_until(page, "d.time === '1.0000' && d.playing === 'false'")
    assert page.locator(FIELD).evaluate(
        "e => { const s = e.shadowRoot.strip, n = s.paths.n, i = s.index(s.cell), end = s.paths.norm[(s.story.t.length"
        " - 1) * n + i], rounding = 1e-4; return Math.abs(end - s.ways().at(-1).distance(1)) < rounding * end; }"
    ), "the path ends where its last state is"
    row, column = page.locator(FIELD).get_attribute("data-position").split(",")
    aside = ("right", int(column) + 1) if int(column) < 7 else ("left", int(column) - 1)
    page.get_by_role("button", name=f"Follow the patch to the {aside[0]}").click()
    strip_until(page, f"d.position === '{row},{aside[1]}'")
    page.wait_for_url(re.compile(rf"position={row}%2C{aside[1]}"))
    page.get_by_role("radio", name="a normal patch here").click()
    strip_until(page, "d.compare === 'normal' && s.ways().length === 2")
    page.wait_for_url(re.compile("compare=normal"))
    time = page.get_by_role("slider", name="Time t, from 0 (data) to 1 (noise)")
    time.fill("0.25")
    page.wait_for_url(re.compile(r"[?&]t=0\.25"))
    page.reload()
    strip_until(page, f"d.time === '0.2500' && d.compare === 'normal' && d.position === '{row},{aside[1]}'")
    at_rest(page)


def test_where_motion_is_unwanted_the_end_stands_still(browser, server):  # noqa: F811
    page = new_page(browser)
    page.goto(f"{server}/follow")
    strip_until(page, "d.time === '1.0000' && d.playing === 'false'")
    page.close()
