"""Chromium for the tests that drive the app: the browser and its patience, when to skip, and what no page may show.

Tests wait for states, never for seconds. Every limit stands here; a busy machine must not reach it.
"""

import itertools
import os
from pathlib import Path

import pytest
from waiting import PATIENCE_S

PATIENCE_MS = 1000 * PATIENCE_S
TRAINING_MS = 400_000
"""Longest wait for a training of 1,000 steps and more."""
STILL_FRAMES = 20
"""Frames of the browser without a change, after which a page counts as at rest."""
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not CHROMIUM.exists() and os.environ.get("WTFLOW_BROWSER") != "required",
        reason=f"{CHROMIUM} is not there; install Debian's chromium to drive the app in a browser",
    ),
    pytest.mark.filterwarnings(
        "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
    ),  # of the driver's own pipes
]


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


def new_page(browser, viewport=None, reduced_motion="reduce", color_scheme=None):
    """A page that waits for everything as long as all tests do. Unless a test asks for it, nothing moves by itself: a
    picture that plays in software takes a core. All pages share a context, so that what the app consists of is fetched
    and compiled once.
    """
    context = browser.contexts[0] if browser.contexts else browser.new_context()
    page = context.new_page()
    page.set_viewport_size(viewport or {"width": 1400, "height": 900})
    page.emulate_media(reduced_motion=reduced_motion, color_scheme=color_scheme)
    page.set_default_timeout(PATIENCE_MS)
    return page


_WAITS = itertools.count()


def at_rest(page) -> None:
    """Wait until the script has run, no spinner turns and no component has changed for some frames."""
    page.wait_for_function(
        """([wait, n_frames]) => {
          const app = document.querySelector("[data-testid=stApp]")?.dataset ?? {};
          const isBusy = app.testScriptState !== "notRunning" || document.querySelector("[data-testid=stSpinner]");
          const components = [...document.querySelectorAll("[data-testid=stBidiComponentIsolated]")];
          const drawn = components.map((one) => ({ ...one.dataset }));
          const seen = isBusy ? null : JSON.stringify([wait, location.href, drawn]);
          if (seen === null || seen !== window.seenAtRest) Object.assign(window, { seenAtRest: seen, stillFrames: 0 });
          return ++window.stillFrames > n_frames && seen !== null;
        }""",
        arg=[next(_WAITS), STILL_FRAMES],
    )


def no_error_is_shown(page):
    assert page.locator("[data-testid=stException]").count() == 0
    assert "Traceback" not in page.inner_text("body")
