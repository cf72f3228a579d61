"""What a page sets for its whole server process ends with the test that ran the page."""

import gc
import sys

import pytest


@pytest.fixture(autouse=True)
def search_everything_again():
    """Pages narrow the search for garbage, which hides objects from `gc.get_referrers`; Hypothesis asks it before it
    draws by a fixed seed.
    """
    yield
    garbage = sys.modules.get("pages.ui.garbage")
    if garbage is not None and garbage._after_search in gc.callbacks:
        gc.callbacks.remove(garbage._after_search)
        gc.unfreeze()
