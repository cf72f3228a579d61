"""Failures, comparison and inspections in a real browser, on runs made by hand: from a missed defect to its regions,
notes and map; from a disagreement to its maps; from an old address to an inspected image.
"""

import re
from pathlib import Path

import pytest
from app_server import PROJECT, served
from hand_made_inspections import write_inspection
from in_chromium import at_rest, browser, new_page, no_error_is_shown, pytestmark  # noqa: F401
from playwright.sync_api import expect
from report_runs import write_category, write_run

from wtflow.store.notes import notes_of
from wtflow.store.runs import RunStore

MARKUP = "<img src=x onerror=\"document.title='taken'\"> **bold**"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Store and ids of two finished runs of one category; both call at 1.75, so the second misses a defect that the
    first finds.
    """
    folder = tmp_path_factory.mktemp("failures")
    store, root = RunStore(folder / "runs"), write_category(folder / "images")
    return store, write_run(store, root), write_run(store, root, scores=(6.0, 1.5, 8.0, 1.0, 3.0), steps=1)


@pytest.fixture(scope="module")
def server(runs):
    with served(PROJECT / "app.py", runs[0].home) as address:
        yield address


@pytest.fixture
def page(browser):
    page = new_page(browser, viewport={"width": 1400, "height": 1000})
    yield page
    no_error_is_shown(page)
    page.close()


def test_a_missed_defect_is_taken_apart_noted_and_found_again_after_a_reload(runs, server, page):
    store, run, _ = runs
    page.goto(f"{server}/failures?run={run}&threshold=3.5")
    page.get_by_text("1 of 3", exact=True).wait_for()
    page.locator("[class*=st-key-take_apart_strip] button").first.click()
    page.wait_for_url(re.compile("sample=test%2Fspot"))
    page.get_by_text(re.compile(r"Regions found: \d of 1")).wait_for()

    comment = page.get_by_label("Comment", exact=True)
    comment.fill(MARKUP)
    comment.blur()
    page.get_by_text(re.compile("Saved$")).wait_for()
    sample = re.search(r"sample=([^&]+)", page.url)[1].replace("%2F", "/")
    assert notes_of(store, run).note(sample).comment == MARKUP
    page.keyboard.press("w")
    page.get_by_role("button", name="Label is wrong").and_(
        page.locator("[kind=primary], [data-testid=stBaseButton-primary]")
    ).wait_for()
    assert notes_of(store, run).note(sample).label_is_wrong

    address = page.url
    page.reload()
    page.get_by_text(re.compile(r"Regions found: \d of 1")).wait_for()
    assert page.url == address
    expect(page.get_by_label("Comment", exact=True)).to_have_value(MARKUP)
    assert page.title() != "taken"

    page.get_by_role("link", name="Look at its map").first.click()
    page.wait_for_url(re.compile(r"localization.*sample=test%2Fspot"))
    page.locator(".frame").first.wait_for()


@pytest.mark.slow
def test_a_filter_redraws_its_images_alone_and_what_it_leaves_can_be_taken_apart_and_seen_on_results(
    runs, server, page
):
    _, run, _ = runs
    page.goto(f"{server}/failures?run={run}&threshold=2.5&defect=spot&defect=good")
    page.get_by_text(re.compile(r"^(\d+) of \1 wrong call")).wait_for()
    head = page.locator("[class*=st-key-card-missed]")
    head.evaluate("card => { card.dataset.kept = 'yes'; }")
    page.get_by_role("button", name="defect missed (").click()
    page.wait_for_url(re.compile("outcome=FN"))
    page.get_by_text(re.compile("^1 of 2 wrong calls")).wait_for()
    assert head.get_attribute("data-kept") == "yes"
    left = page.locator("[class*=st-key-take_apart_below]")
    expect(left).to_have_count(1)
    left.get_by_role("button").first.click()
    page.wait_for_url(re.compile("sample=test%2Fspot"))
    page.locator("[class*=st-key-card-one]").wait_for()

    page.get_by_role("link", name="Move it").click()
    page.wait_for_url(re.compile("results.*outcome=FN"))
    page.locator("[class*=st-key-cell_FN_chosen]").wait_for()
    page.get_by_role("button", name="normal passed (").click()  # the figures above the images show this choice as well
    page.locator("[class*=st-key-cell_FN]:not([class*=chosen])").wait_for()
    page.get_by_text(re.compile("^2 of 5 test images")).wait_for()


@pytest.mark.slow
def test_the_list_of_runs_is_filtered_sorted_named_starred_and_leads_to_comparing_and_to_results(runs, server, page):
    store, first, second = runs
    page.goto(server)
    rows = page.locator("tr[data-id]")
    expect(rows).to_have_count(2)
    page.get_by_label("Filter the runs").fill(f"PLATE {second}")
    expect(rows).to_have_count(1)
    expect(rows).to_have_attribute("data-id", second)
    page.wait_for_url(re.compile("find=PLATE"))
    page.get_by_label("Filter the runs").fill("")
    page.get_by_role("columnheader", name="Steps").get_by_role("button").click()
    page.wait_for_url(re.compile("by=-steps"))
    expect(rows.first).to_have_attribute("data-id", first)

    rows.first.get_by_label("Select").focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    page.get_by_text("2 runs, 2 selected").wait_for()
    rows.last.get_by_label(re.compile("^Star")).click()
    rows.last.get_by_label("Name, tags and star").click()
    page.get_by_label("Name", exact=True).fill(MARKUP)
    page.get_by_label("Name", exact=True).press("Enter")
    rows.last.get_by_text(MARKUP).wait_for()
    assert (notes_of(store, second).name, notes_of(store, second).star) == (MARKUP, True)
    assert page.title() != "taken"

    page.get_by_role("button", name="Compare").click()
    page.wait_for_url(re.compile(f"compare.*runs={first}&runs={second}"))
    page.go_back()
    expect(rows).to_have_count(2)
    rows.first.get_by_role("link").click()
    page.wait_for_url(re.compile(f"results.*run={first}"))


def test_images_that_two_runs_call_differently_lead_to_their_maps_side_by_side(runs, server, page):
    _, first, second = runs
    page.goto(f"{server}/compare?runs={first}&runs={second}")
    page.get_by_text("difference to A", exact=True).wait_for()
    page.get_by_role("radio", name="Image by image").click()
    page.wait_for_url(re.compile("part=images"))
    page.get_by_role("button", name="See its maps").first.click()
    page.wait_for_url(re.compile("sample=test%2F"))
    page.get_by_text("True label:").wait_for()
    address = page.url
    page.reload()
    page.get_by_text("True label:").wait_for()
    assert page.url == address
    page.get_by_role("link", name="Look at it in B").click()
    page.wait_for_url(re.compile(f"localization.*run={second}.*sample=test%2F"))


def test_the_old_address_leads_to_inspections_and_a_tile_opens_its_image(runs, server, page):
    store, run, _ = runs
    folder = Path(store.config(run).root, "plate/test/good")
    names = sorted(path.name for path in folder.glob("*.png"))[:3]
    scores = {name: 1.0 + at for at, name in enumerate(names)} | {"cut.png": "cut.png is cut off."}
    made = write_inspection(store, run, scores, folder)
    page.goto(f"{server}/try_image?run={run}")
    page.wait_for_url(f"**/inspect?run={run}")
    assert page.get_by_text("Page not found").count() == 0
    page.locator(f".st-key-line_{made.inspection_id} a:visible").click()
    page.wait_for_function("(wanted) => location.href.includes(wanted)", arg=f"inspection={made.inspection_id}")
    page.goto(f"{server}/inspect?run={run}&inspection={made.inspection_id}&cards=grid")
    page.locator(".st-key-tile-image_0 a:visible").click()
    page.locator(".localization .frame").first.wait_for()
    assert f"image={names[-1]}" in page.url
    at_rest(page)
