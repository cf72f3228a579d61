"""The first visit, in a real browser: a deep link before anything else, start the demo, train, threshold, image,
reload.
"""

import re

import pytest
from app_server import PROJECT, served
from in_chromium import TRAINING_MS, at_rest, browser, new_page, no_error_is_shown, pytestmark  # noqa: F401
from playwright.sync_api import expect
from run_folders import write_tiny_category
from waiting import wait_until


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The app with an empty store. Nothing has asked it for anything but its health."""
    with served(PROJECT / "app.py", tmp_path_factory.mktemp("home")) as address:
        yield address


@pytest.fixture(scope="module")
def page(server, browser):
    return new_page(browser)


def heading(page, text):
    page.get_by_role("heading", name=text).first.wait_for()


def test_a_deep_link_as_the_first_request_is_complete(server, page):
    page.goto(f"{server}/results")
    heading(page, "Results")
    navigation = page.inner_text("[data-testid=stHeader], header")
    for name in ("Overview", "Data", "Train", "Results", "Localization"):
        assert name in navigation
    assert page.locator("[data-testid=stSidebarNav]").count() == 0, "the raw list of files shows through"
    page.locator("[data-testid=stHeaderLogo], [data-testid=stLogo], [data-testid=stSidebarLogo]").first.wait_for()
    no_error_is_shown(page)


@pytest.mark.slow
def test_the_demo_starts_by_its_button_shows_its_progress_also_after_a_reload_and_stops_when_asked(server, page):
    page.goto(server)
    page.get_by_role("button", name="Train the demo").click()
    page.get_by_text(re.compile(r"\d+\s%, about")).first.wait_for(timeout=TRAINING_MS)
    page.reload()  # a reload changes nothing for the run
    page.get_by_text(re.compile("step .* of 1,000")).first.wait_for(timeout=TRAINING_MS)
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Resume").wait_for()
    no_error_is_shown(page)


def test_a_folder_of_ones_own_is_set_up_in_the_form_and_watched_to_its_end(server, page, tmp_path):
    """Few and small images, a tenth of the steps, nothing computed ahead: the suite has to stay short. All is below."""
    root = write_tiny_category(tmp_path / "parts", n_train=24, n_good=8, n_bad=8)
    page.goto(f"{server}/train?root={root}&category=plate")
    page.get_by_text("Settings:").click()
    steps = page.get_by_role("spinbutton", name="Training steps")
    steps.fill("100")
    steps.press("Tab")
    page.get_by_text("Settings: 1 changed").wait_for()
    page.get_by_text("Prepare first visits of pages").click()
    page.get_by_text("Settings: 2 changed").wait_for()
    expect(steps).to_be_visible()  # the fold stays open while its line changes
    page.get_by_role("button", name="Start training").click()
    see_it_finish(page)


@pytest.mark.slow
def test_the_whole_demo_goes_from_its_button_to_its_results(server, page):
    page.goto(server)
    page.get_by_role("button", name="Train the demo").click()
    see_it_finish(page)


def see_it_finish(page):
    page.get_by_role("button", name="Open results").wait_for(timeout=TRAINING_MS)
    no_error_is_shown(page)


def test_its_results_follow_the_threshold_and_lead_to_an_image_found_again_after_a_reload(page):
    page.get_by_role("button", name="Open results").click()
    page.get_by_text("Falsely rejected").wait_for()
    page.get_by_text("Embedded backbone").first.wait_for()

    slider = page.get_by_role("slider").first
    before = page.locator("[class*=st-key-cell_]").all_inner_texts()
    slider.focus()
    for _ in range(12):
        page.keyboard.press("ArrowLeft")
    page.wait_for_url(re.compile("threshold="))
    page.wait_for_function(
        "before => [...document.querySelectorAll('[class*=st-key-cell_]')].map(e => e.innerText).join() != before",
        arg=",".join(before),
    )
    moved = page.locator("[class*=st-key-cell_]").all_inner_texts()
    assert moved != before, "the confusion matrix did not follow the threshold"

    tile = page.locator("[class*=st-key-tile-image_] a").first
    tile.wait_for()
    tile.click()
    page.wait_for_url(re.compile("localization.*"))
    page.locator(".frame").first.wait_for()
    page.wait_for_url(re.compile("sample="))
    address, threshold = page.url, re.search(r"threshold=[^&]+", page.url)
    assert threshold, "the threshold did not travel with the image"
    page.reload()
    page.locator(".frame").first.wait_for()
    assert page.url == address
    sample = re.search(r"sample=([^&]+)", address)[1].replace("%2F", "/")
    shown = (
        "name => [...document.querySelectorAll('input')].some(e => e.value.includes(name)) ||"
        " document.body.innerText.includes(name)"
    )
    page.wait_for_function(shown, arg=sample.rsplit("/", 1)[-1])

    page.keyboard.press("ArrowRight")
    page.wait_for_function("address => location.href != address", arg=address)
    no_error_is_shown(page)


@pytest.mark.slow
def test_a_click_on_a_pixel_shows_its_path(page):
    heading(page, "One position, step by step")

    def choose_a_position() -> bool:
        at_rest(page)  # the pictures may still move on the page
        page.locator(".frame").first.click()
        at_rest(page)
        return "position=" in page.url

    wait_until(choose_a_position)
    page.get_by_text(re.compile(r"Row \d+, column \d+: the map shows")).wait_for()
    page.get_by_text("nearest positions of normal training images").wait_for()
    no_error_is_shown(page)
