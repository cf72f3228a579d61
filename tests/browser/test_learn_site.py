"""The lessons' site in a real browser, offline: every lesson driven, from a disk and from below a path of a web host;
the address; points drawn by hand; frames.
"""

import json

import numpy as np
import pytest
from in_chromium import pytestmark  # noqa: F401
from lesson_site import SUB_PATH, SiteLesson, SitePage, browser, disk, host, root  # noqa: F401

from wtflow.lessons import LESSONS, WITH_FIGURES, load_lesson
from wtflow.lessons.base import OWN, Scene, encode_scene, own_points, read_settings
from wtflow.lessons.scripts import joined_scripts
from wtflow.lessons.site.pages import SOURCE

DRAWN = "0.5,1.25;-1,0.5;-0.75,-1;1.5,-0.25;0,0;2.1,1.05"
MANY = ";".join(f"{x:.2f},{y:.2f}" for x, y in np.random.default_rng(5).uniform(-3, 3, (150, 2)))
ON_POINTS = [name for name in WITH_FIGURES if load_lesson(name).DATA]


@pytest.fixture
def opened(browser):
    """Opens a lesson of a site by its address; no page may have logged an error or asked elsewhere by the end."""
    pages = []

    def open_lesson(site: str, address: str, **look) -> SiteLesson:
        pages.append(SiteLesson(browser, site, address, **look))
        return pages[-1]

    yield open_lesson
    for page in pages:
        page.close()


# -- every lesson ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "name"),
    [
        *(("disk", name) for name in WITH_FIGURES),
        *(pytest.param("host", name, marks=pytest.mark.slow if name != "lines" else ()) for name in WITH_FIGURES),
    ],
)
def test_a_lesson_is_dragged_played_and_found_again_by_its_address(opened, request, place, name):
    site = request.getfixturevalue(place)
    lesson = opened(site, f"{name}.html?seed=1")
    lesson.until("d.lesson === '" + name + "'")
    for panel in range(lesson.n_panels):
        before = int(lesson.get("frames"))
        lesson.drag_across(panel)
        lesson.until(f"Number(d.frames) > {before}")
    if any(control.name == "t" for control in load_lesson(name).CONTROLS):
        play = lesson.page.locator("button.play")  # another button of a lesson may pause something else
        was = lesson.values["t"]
        play.click()
        lesson.until(f"Math.abs(v.t - {was}) > 0.02")
        play.click()
        lesson.until("d.playing === 'false'")
    lesson.until("(q.get('set') ?? '') === d.settings && !view.held")
    again = opened(site, lesson.page.url.removeprefix(f"{site}/"))
    again.until(f"d.settings === {json.dumps(lesson.get('settings'))}")
    assert again.values == pytest.approx(lesson.values, abs=1e-4)
    assert [check["label"] for one in (lesson, again) for check in one.checks if check["holds"] is False] == []
    assert float(lesson.get("answer-ms")) < 1000


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_shows_its_text_and_what_python_checked(browser, disk, name):
    page = SitePage(browser, disk, f"{name}.html")
    assert page.page.locator("h1").inner_text() == f"{list(LESSONS).index(name) + 1} {LESSONS[name]}"
    page.page.locator("#predictions fieldset").first.wait_for()
    if name in WITH_FIGURES:
        page.page.locator("#checks li").first.wait_for(state="attached")
        n_checks = page.page.locator("#checks li").count()
        assert n_checks >= 2
        assert page.page.locator("#checked").inner_text() == f"Checked by Python: {n_checks} of {n_checks}"
    page.close()


# -- the address -------------------------------------------------------------------------------------------------------


def test_an_address_of_the_app_opens_the_lesson_that_it_names(opened, disk):
    lesson = opened(disk, "index.html?lesson=well&set=steps:7,t:0.5&data=rings")
    lesson.until("d.lesson === 'well'")
    assert lesson.page.url.startswith(f"{disk}/well.html?lesson=well&set=")
    assert (lesson.values["steps"], lesson.values["t"]) == (7, 0.5)
    assert lesson.page.locator("#data").input_value() == "rings"


def test_choosing_data_and_the_next_sample_changes_scene_and_address_and_no_setting(opened, disk):
    lesson = opened(disk, "lines.html?set=t:0.6")
    lesson.page.locator("#data").select_option("grid")
    lesson.until("view.fingerprint === 'lines-grid-0 '")
    lesson.page.locator("#sample").click()
    lesson.until("view.fingerprint === 'lines-grid-1 ' && q.get('data') === 'grid' && q.get('seed') === '1'")
    lesson.page.locator("#sample").click()
    lesson.until("view.fingerprint === 'lines-grid-0 '")
    assert lesson.values["t"] == 0.6
    assert lesson.page.locator("#told").inner_text() == ""


def test_a_sample_that_is_not_stored_is_said_to_be_missing(opened, disk):
    lesson = opened(disk, "flow.html?seed=12")
    lesson.until("view.fingerprint === 'flow-moons-0 '")
    assert "Sample 12 is not stored here, only 0 to 1: this is sample 0." in lesson.page.locator("#told").inner_text()


@pytest.mark.parametrize("points", ["nonsense", "9,9", "1,2;3", ""])
def test_drawn_points_that_cannot_be_read_are_said_and_data_are_shown(opened, disk, points):
    lesson = opened(disk, f"flow.html?data=drawn&points={points}")
    lesson.until("view.fingerprint === 'flow-moons-0 '")
    assert "drawn points" in lesson.page.locator("#told").inner_text()


def test_a_browser_that_refuses_to_change_the_address_of_a_file_does_not_stop_the_lesson(opened, disk):
    lesson = opened(disk, "lines.html")
    refuse = "() => { history.replaceState = () => { throw new DOMException('no', 'SecurityError'); }; }"
    lesson.page.evaluate(refuse)
    lesson.page.locator("#data").select_option("rings")
    lesson.until("view.fingerprint === 'lines-rings-0 '")
    lesson.page.locator("#sample").click()
    lesson.until("view.fingerprint === 'lines-rings-1 ' && !location.search")
    assert "data=rings&seed=1" in lesson.page.locator("#snippet").input_value().replace("&amp;", "&")


@pytest.fixture(scope="module")
def evaluate(browser):
    """Evaluates an expression with the lessons' scripts and the site's reading of addresses in scope."""
    page = browser.new_page()
    scripts = f"{joined_scripts()}\n{(SOURCE / 'address.js').read_text(encoding='utf-8')}"
    yield lambda expression, given: json.loads(
        page.evaluate(f"(given) => {{ {scripts}; return JSON.stringify({expression}); }}", given)
    )
    page.close()


@pytest.mark.parametrize(
    "text", ["", "t:0.3,rho:-0.5", "t:2,rho:nan,way:7.4", " t:99, rho:x,way:1,,:", "t:,q:1,rho: 0.25 ", "t:1e-1,t:0.2"]
)
def test_settings_are_read_as_in_python(evaluate, text):
    from dataclasses import asdict

    for name in WITH_FIGURES:
        controls = load_lesson(name).CONTROLS
        found = evaluate("readSettings(given[0], given[1])", [[asdict(one) for one in controls], text])
        assert found == read_settings(controls, text)


# -- points drawn by hand ----------------------------------------------------------------------------------------------


def plain(values):
    """Arrays of a scene as lists, as JSON has them; numbers as they are."""
    return {
        name: np.asarray(value, np.float32).ravel().tolist() if isinstance(value, np.ndarray) else value
        for name, value in values.items()
    }


@pytest.mark.parametrize("text", [DRAWN, "0.1,0.2", MANY, "0.125,0.375;1,1"], ids=["six", "one", "many", "halves"])
@pytest.mark.parametrize("name", ON_POINTS)
def test_the_browser_makes_the_scene_of_drawn_points_that_python_makes(evaluate, name, text):
    lesson, seed = load_lesson(name), 3
    beside = encode_scene(Scene(lesson.beside_points(seed)), {})["data"]
    scene = "LESSON[given.name].sceneOf(readPoints(given.text), decodeScene(given.beside))"
    told = "([key, value]) => [key, value.length === undefined ? value : Array.from(value)]"
    code = f"Object.fromEntries(Object.entries({scene}).filter(([key]) => key !== 'shapes').map({told}))"
    found = evaluate(code, {"name": name, "text": text, "beside": beside})
    wanted = plain(lesson.prepare(seed, own_points(text), read_settings(lesson.CONTROLS, None)).data)
    assert set(wanted) - set(found) <= {"costs"}, "SciPy's costs of pairs are not known to the browser"
    for key, value in found.items():
        assert value == pytest.approx(wanted[key], rel=1e-6, abs=1e-6), key


def test_costs_of_drawn_points_are_scipys(opened, disk):
    lesson = opened(disk, f"pairs.html?data=drawn&points={DRAWN}&seed=1")
    lesson.until("view.fingerprint.startsWith('pairs-drawn-1')")
    costs = load_lesson("pairs").prepare(1, own_points(DRAWN), {}).data["costs"]
    found = {check["label"]: check["computed"] for check in lesson.checks}
    assert found["worst cost, by inner products"] == pytest.approx(costs[1][-1][1], rel=1e-6)
    assert not any("SciPy" in label for label in found)
    assert lesson.page.locator("#checked").inner_text() == "Checked by Python: not for drawn points"


def test_what_is_drawn_becomes_the_data_and_the_address_brings_it_back(opened, disk):
    lesson = opened(disk, "flow.html?set=mouse:1")
    lesson.drag_across(0)
    lesson.until("q.get('data') === 'drawn' && q.get('points') && view.fingerprint.startsWith('flow-drawn-0')")
    n_points = len(own_points(lesson.page.evaluate("new URLSearchParams(location.search).get('points')")))
    assert n_points >= 3
    lesson.until(f"JSON.parse(d.checks)[0].label === 'mean |x|² of {n_points} particles'")
    again = opened(disk, lesson.page.url.removeprefix(f"{disk}/"))
    again.until("view.fingerprint.startsWith('flow-drawn-0')")
    assert again.checks == lesson.checks
    again.page.locator("#data").select_option("rings")
    again.until("view.fingerprint === 'flow-rings-0 '")
    again.page.locator("#data").select_option(OWN)
    again.until("view.fingerprint.startsWith('flow-drawn-0')")


# -- frames ------------------------------------------------------------------------------------------------------------


def test_a_frame_shows_the_picture_alone_as_it_was_and_leads_to_the_whole_lesson(browser, opened, host, root):
    lesson = opened(host, "average.html?set=rho:-0.5")
    lesson.page.get_by_role("button", name="Embed").click()
    snippet = lesson.page.get_by_label("Snippet").input_value()
    assert snippet.count("\n") == 0
    (root / SUB_PATH / "talk.html").write_text(f"<!doctype html><title>Talk</title>{snippet}", encoding="utf-8")
    talk = SitePage(browser, host, "talk.html")
    frame = talk.page.frame_locator("iframe")
    frame.locator("#lesson[data-frames]").wait_for()
    assert json.loads(frame.locator("#lesson").get_attribute("data-values"))["rho"] == -0.5
    assert talk.page.locator("iframe").get_attribute("title") == LESSONS["average"]
    for hidden in ("header", "footer", ".body", ".rest", ".checks"):
        assert not frame.locator(hidden).first.is_visible(), hidden
    assert frame.get_by_role("button", name="Play").is_visible()
    box = frame.locator(":root").evaluate("e => [e.scrollHeight - innerHeight, e.scrollWidth - innerWidth]")
    assert box == [0, 0], "a frame of that size needs no bars to scroll"
    whole = frame.get_by_role("link", name="the whole lesson").get_attribute("href")
    assert whole == f"{host}/average.html?set=rho%3A-0.5&lesson=average"
    talk.close()


def test_copying_the_snippet_says_so(opened, host):
    lesson = opened(host, "shell.html")
    lesson.page.get_by_role("button", name="Embed").click()
    lesson.page.get_by_role("button", name="Copy").click()
    lesson.page.get_by_text("Copied", exact=True).wait_for()
