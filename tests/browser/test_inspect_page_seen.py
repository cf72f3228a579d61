"""Inspections in a real browser: the old address leads there, a tile opens its image, and the map is drawn."""

from app_server import PROJECT, served
from hand_made_inspections import write_inspection
from in_chromium import at_rest, browser, new_page, no_error_is_shown, pytestmark  # noqa: F401
from report_runs import write_category, write_run

from wtflow.store.runs import RunStore


def test_the_old_address_leads_to_inspections_and_a_tile_opens_its_image(tmp_path, browser):  # noqa: F811
    home, root = tmp_path / "home", write_category(tmp_path / "images")
    home.mkdir()
    run_id = write_run(RunStore(home), root)
    folder = next(path for path in root.rglob("good") if path.parent.name == "test")
    names = sorted(path.name for path in folder.glob("*.png"))[:3]
    scores = {name: 1.0 + at for at, name in enumerate(names)} | {"cut.png": "cut.png is cut off."}
    made = write_inspection(RunStore(home), run_id, scores, folder)
    with served(PROJECT / "app.py", home) as address:
        page = new_page(browser)
        page.goto(f"{address}/try_image?run={run_id}")
        page.wait_for_url(f"**/inspect?run={run_id}")
        assert page.get_by_text("Page not found").count() == 0
        page.locator(f".st-key-line_{made.inspection_id} a:visible").click()
        page.wait_for_function("(wanted) => location.href.includes(wanted)", arg=f"inspection={made.inspection_id}")
        page.goto(f"{address}/inspect?run={run_id}&inspection={made.inspection_id}&cards=grid")
        page.locator(".st-key-tile-image_0 a:visible").click()
        page.locator(".localization .frame").first.wait_for()
        assert f"image={names[-1]}" in page.url
        at_rest(page)
        no_error_is_shown(page)
        page.close()
