"""The particle field in a real browser, on a page of its own: playing, scrubbing, choosing, hovering, and what the
page is told.
"""

import io
import json

import numpy as np
import pytest
from app_server import served
from in_chromium import at_rest, browser, new_page, pytestmark  # noqa: F401
from PIL import Image

# Eight points stand still on a ring in "map"; in "travel" 2,000 particles move along straight lines from x to -x.
SCRIPT = """
import json
import numpy as np
import streamlit as st
from pages.ui.flow.field import field_state, show_field
from wtflow.plots.field import Chart, Colour, Field, Guide, Pictures, Polar, Reading, View
from wtflow.plots.field_encode import encode_field

IMAGE = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='40' height='20'/%3E"
NAMES, CSS = ("good", "dent"), ("#1F7FC0", "#D55E00")

def travel(seed):
    rng, t = np.random.default_rng(seed), np.linspace(0, 1, 21)
    start = rng.normal(size=(2000, 2))
    points = (1 - 2 * t)[:, None, None] * start
    norm = np.linalg.norm(points, axis=2)
    turned = View("turned", "Turned", points[..., ::-1], ("y", "x"), "Nothing is lost.")
    angle = np.arctan2(start[:, 1], start[:, 0])
    disc = [View(key, "Disc", Polar(scale * norm, angle), guides=(Guide("disc", (scale,), "well"),), equal=True,
                 family="disc", variant=key) for key, scale in (("small", 1.0), ("large", 3.0))]
    share = Reading("of 2,000", (norm > 1).mean(axis=1), "share", "#D55E00")
    plane = View("plane", "Plane", points, ("x", "y"), guides=(Guide("circle", (1.0,), "shell"),), equal=True)
    kind = Colour("kind", "Kind", "group", (np.arange(2000) % 4 == 0).astype(int), NAMES, CSS)
    charts = (Chart("norm", "Distance", norm, "norm"), Chart("first", "First", points[..., 0], "x"))
    colours = (kind, Colour("far", "Far", "value", norm[0]))
    return Field(t, np.arange(2000), (plane, turned, *disc), colours, charts, readings_title="outside",
                 readings=(share,))

def ring():
    angle = np.arange(8) * np.pi / 4
    points = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    pictures = Pictures(("test/dent/000.png", "test/good/001.png"), (IMAGE, IMAGE), (IMAGE, IMAGE), np.arange(8) % 2,
                        np.full((8, 2), 0.5), (0.1, 0.2))
    kind = Colour("kind", "Kind", "group", np.arange(8) // 4, NAMES, CSS)
    views = (View("plane", "Plane", np.stack([points, 2 * points]), ("x", "y"), equal=True),)
    return Field(np.array([0.0, 1.0]), 100 + np.arange(8), views, (kind,), pictures=pictures)

st.set_page_config(layout="wide")
session, is_map = st.session_state, st.query_params.get("kind") == "map"
session.setdefault("asked", {"view": "plane"} | ({} if st.query_params.get("kind") == "opening" else {"t": 0.0}))
session.setdefault("calls", 0)
session["runs"] = session.get("runs", 0) + 1

def changed():
    state = field_state("field")
    session.calls += 1
    session.in_callback = state.clicked
    session.asked |= {name: state.choice[name] for name in ("view", "t") if name in state.choice}

st.button("Rerun")
if st.button("Ask for turned at 0.25"):
    session.asked = {"view": "turned", "t": 0.25}
seed = int(st.button("Other data"))
data = encode_field(ring() if is_map else travel(seed))
state = show_field(data, key="field", height="600px", choices=session.asked | {"opens_playing": True},
                   can_select=is_map, on_change=changed)
told = {"runs": session.runs, "calls": session.calls, "choice": state.choice, "selected": sorted(state.selected),
        "clicked": session.get("in_callback")}
st.html("<pre id='told'>" + json.dumps(told) + "</pre>")
"""

HOST = "[data-testid=stBidiComponentIsolated]"
MOTION = {"opening": "no-preference"}
"""Kinds of a field that are watched as they open."""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    home = tmp_path_factory.mktemp("field")
    (home / "page.py").write_text(SCRIPT, encoding="utf-8")
    with served(home / "page.py", home) as address:
        yield address


SPEED = 4
"""At which tests let the field play: they wait less, and it has fewer pictures to draw."""


class Opened:
    """A page with the field in it."""

    def __init__(self, browser, server: str, kind: str, script: str = "") -> None:
        self.page = new_page(
            browser, viewport={"width": 1400, "height": 1000}, reduced_motion=MOTION.get(kind, "reduce")
        )
        if script:
            self.page.add_init_script(script)
        self.page.goto(f"{server}/?kind={kind}")
        self.host = self.page.locator(HOST)
        self.page.locator(f"{HOST}[data-frames]").wait_for()
        self.page.locator("#told").wait_for(state="attached")

    def get(self, name: str) -> str:
        return self.host.get_attribute(f"data-{name}")

    def told(self) -> dict:
        return json.loads(self.page.locator("#told").inner_text())

    def until(self, condition: str) -> None:
        """Wait for an expression in `d` (the field's data attributes) and `told`."""
        body = (
            f"const d = document.querySelector('{HOST}').dataset, told ="
            " JSON.parse(document.querySelector('#told').innerText)"
        )
        self.page.wait_for_function(f"() => {{ {body}; return {condition}; }}")

    def rerun_by(self, button: str) -> None:
        """Press a button of the page and see its script run once more."""
        before = self.told()["runs"]
        self.page.get_by_role("button", name=button).click()
        self.until(f"told.runs > {before}")
        at_rest(self.page)

    def point_at(self, particle: int) -> list[float]:
        """Move the pointer to a particle; where it is."""
        x, y = self.host.evaluate("(e, id) => e.shadowRoot.field.pixelOf(id)", particle)
        self.page.mouse.move(x - 40, y - 40)
        self.page.mouse.move(x, y, steps=3)
        return [x, y]


@pytest.fixture
def travel(browser, server):
    opened = Opened(browser, server, "travel")
    yield opened
    opened.page.close()


@pytest.fixture(scope="module")
def opened_once(browser, server):
    """One page of each kind for tests that need no fresh one: opening it takes longest."""
    return {kind: Opened(browser, server, kind) for kind in ("travel", "map")}


@pytest.fixture
def used(opened_once):
    opened_once["travel"].page.bring_to_front()
    return opened_once["travel"]


@pytest.fixture
def ring(opened_once):
    opened_once["map"].page.bring_to_front()
    return opened_once["map"]


def test_two_thousand_particles_play_to_the_end_without_a_jump_and_the_page_hears_of_it_once(travel):
    note = "new MutationObserver(() => e.seen.push([performance.now(), Number(e.dataset.time)]))"
    travel.host.evaluate(f"e => {{ e.seen = []; {note}.observe(e, {{attributeFilter: ['data-time']}}); }}")
    travel.page.get_by_label("Speed").select_option(str(SPEED))
    travel.page.get_by_role("button", name="Play").click()
    travel.page.get_by_role("button", name="Pause").wait_for()
    assert travel.told()["calls"] == 0
    travel.until("d.time === '1.0000' && told.calls > 0")
    seen = travel.host.evaluate("e => e.seen")
    moments, times = [moment for moment, _ in seen], [t for _, t in seen]
    assert times == sorted(times)
    longest = max(b - a for a, b in zip(times, times[1:], strict=False))
    assert longest <= SPEED * 0.25 / 6 + 1e-4, "a frame that comes late moves them by a quarter of a second at most"
    least_ms = 5_500 / SPEED
    assert moments[-1] - moments[0] > least_ms, "a pass takes six seconds at speed 1, more where the machine is busy"
    assert travel.get("playing") == "false"
    at_rest(travel.page)
    assert travel.told() | {"runs": 0, "clicked": None} == {
        "runs": 0,
        "calls": 1,
        "choice": {"view": "plane", "colour": "kind", "t": 1},
        "selected": [],
        "clicked": None,
    }


@pytest.mark.slow
def test_a_rerun_of_the_page_changes_nothing_and_draws_nothing(travel):
    slider = travel.page.get_by_role("slider")
    slider.focus()
    for _ in range(5):
        slider.press("ArrowRight")
    travel.until("d.time === '0.0050' && told.choice.t === 0.005")
    at_rest(travel.page)
    frames, calls = travel.get("frames"), travel.told()["calls"]
    travel.rerun_by("Rerun")
    assert (travel.get("time"), travel.get("frames"), travel.told()["calls"]) == ("0.0050", frames, calls)


def test_the_field_follows_the_page_and_the_page_follows_the_field(used):
    used.page.get_by_role("button", name="Ask for turned").click()
    used.until("d.view === 'turned' && d.time === '0.2500'")
    used.page.get_by_text("Nothing is lost.").wait_for()
    used.page.get_by_label("View").select_option("plane")
    used.until("d.view === 'plane' && told.choice.view === 'plane' && told.choice.t === 0.25")
    used.page.get_by_role("button", name="Ask for turned").click()  # what the page asked for once, it may ask for again
    used.until("d.view === 'turned'")
    at_rest(used.page)
    used.rerun_by("Other data")
    assert (used.get("view"), used.get("time")) == (
        "turned",
        "0.2500",
    ), "other data of the same kind keep view and time"


@pytest.mark.slow
def test_hovering_shows_the_particles_own_values_in_the_charts(travel):
    far = travel.host.evaluate(
        "e => { const f = e.shadowRoot.field, v = f.colours[1].values; return v.indexOf(Math.max(...v)); }"
    )
    travel.point_at(far)
    travel.until(f"d.hovered === '{far}'")
    distance = travel.host.evaluate("(e, i) => Number(e.shadowRoot.field.colours[1].values[i].toPrecision(4))", far)
    assert float(travel.page.locator("figcaption output").first.inner_text()) == pytest.approx(distance)
    travel.host.evaluate("e => e.shadowRoot.field.scrub(0.5)")  # all particles pass the origin there
    travel.until("d.time === '0.5000'")
    at_rest(travel.page)
    assert float(travel.page.locator("figcaption output").first.inner_text()) == pytest.approx(0, abs=1e-6)


@pytest.mark.slow
def test_dragging_in_a_chart_moves_the_time_of_all(travel):
    box = travel.page.locator(".holder").first.bounding_box()
    travel.page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 30)
    travel.page.mouse.down()
    travel.page.mouse.move(box["x"] + box["width"] - 9, box["y"] + 30, steps=4)
    assert travel.told()["calls"] == 0
    travel.page.mouse.up()
    travel.until("Number(d.time) > 0.99 && told.choice.t > 0.99")
    assert travel.told()["calls"] == 1


@pytest.mark.slow
def test_a_group_is_hidden_by_a_click_on_its_name_and_cannot_be_met_any_more(travel):
    travel.page.get_by_role("button", name="dent 500").click()
    shown = "e => { const f = e.shadowRoot.field; let n = 0; f.forEachShown(() => n++); return n; }"
    assert travel.host.evaluate(shown) == 1500
    travel.page.get_by_role("button", name="dent 500").dblclick()
    assert travel.host.evaluate(shown) == 500
    assert travel.page.get_by_role("button", name="good 1,500").get_attribute("aria-pressed") == "false"
    travel.page.get_by_role("button", name="dent 500").dblclick()
    assert travel.host.evaluate(shown) == 2000


@pytest.mark.slow
def test_the_wheel_zooms_around_the_pointer_and_a_double_click_shows_everything_again(travel):
    width = "e => { const { x0, x1 } = e.shadowRoot.field.frame(); return x1 - x0; }"
    home = travel.host.evaluate(width)
    before = travel.point_at(5)
    travel.page.mouse.wheel(0, -300)
    travel.page.wait_for_function(f"home => ({width})(document.querySelector('{HOST}')) < 0.8 * home", arg=home)
    at_rest(travel.page)
    assert travel.host.evaluate("e => e.shadowRoot.field.pixelOf(5)") == pytest.approx(before, abs=1)
    travel.page.get_by_role("button", name="Reset zoom").click()
    assert travel.host.evaluate(width) == pytest.approx(home)


def test_a_lasso_selects_exactly_the_points_within_it_and_can_be_cleared(ring):
    corners = {id_: ring.host.evaluate("(e, id) => e.shadowRoot.field.pixelOf(id)", id_) for id_ in (101, 102, 103)}
    ring.page.get_by_role("button", name="Draw around points").click()
    (right, low), (_, top), (left, _) = corners[101], corners[102], corners[103]
    outline = [(right + 25, low + 25), (right + 25, top - 25), (left - 25, top - 25), (left - 25, low + 25)]
    ring.page.mouse.move(*outline[0])
    ring.page.mouse.down()
    for x, y in outline[1:]:
        ring.page.mouse.move(x, y, steps=5)
    ring.page.mouse.up()
    ring.until("d.selected === '3' && told.selected.length === 3")
    assert ring.told()["selected"] == [101, 102, 103]
    ring.page.get_by_role("button", name="3 selected").click()
    ring.until("d.selected === '0' && told.selected.length === 0")


def test_a_box_selects_hidden_points_never(ring):
    ring.page.get_by_role("button", name="good 4").click()
    ring.page.get_by_role("button", name="Draw a box").click()
    box = ring.host.evaluate(
        "e => { const b = e.shadowRoot.field.ui.stage.getBoundingClientRect(); return [b.left, b.top, b.right,"
        " b.bottom]; }"
    )
    ring.page.mouse.move(box[0] + 5, box[1] + 5)
    ring.page.mouse.down()
    ring.page.mouse.move(box[2] - 5, box[3] - 5, steps=4)
    ring.page.mouse.up()
    ring.until("told.selected.length > 0")
    assert ring.told()["selected"] == [104, 105, 106, 107]


def test_a_click_tells_the_id_within_the_callback_and_hovering_names_the_image(ring):
    x, y = ring.point_at(105)
    ring.page.get_by_text("test/good/001.png").wait_for()
    ring.page.mouse.click(x, y)
    ring.until("told.clicked === 105")


@pytest.mark.slow
def test_a_map_plays_too(ring):
    before = ring.host.evaluate("e => e.shadowRoot.field.pixelOf(101)")
    ring.page.get_by_label("Speed").select_option("4")
    ring.page.get_by_role("button", name="Play").click()
    ring.until("d.time === '1.0000' && told.choice.t === 1")
    moved = ring.host.evaluate("e => e.shadowRoot.field.pixelOf(101)")
    assert max(abs(a - b) for a, b in zip(before, moved, strict=True)) > 20


def test_a_page_opened_without_a_time_plays_once_to_the_end_and_never_again(browser, server):
    opened = Opened(browser, server, "opening")
    opened.until("d.playing === 'true'")
    opened.page.get_by_label("Speed").select_option(str(SPEED))
    opened.until("d.time === '1.0000'")
    at_rest(opened.page)
    assert opened.told()["calls"] == 0, "nobody chose that time"
    opened.rerun_by("Rerun")
    opened.rerun_by("Other data")
    assert (opened.get("playing"), opened.get("time")) == ("false", "1.0000")
    opened.page.get_by_label("View").select_option("disc")
    opened.until("d.view === 'small' && told.choice.t === 1")
    opened.page.close()


def test_those_who_want_no_motion_see_the_end_at_once(browser, server):
    page = new_page(browser, viewport={"width": 1000, "height": 800})
    page.goto(f"{server}/?kind=opening")
    page.locator(f"{HOST}[data-time='1.0000'][data-playing='false']").wait_for()
    page.close()


def test_a_switch_changes_the_radius_and_the_share_beside_t_moves_with_it(used):
    used.page.get_by_label("View").select_option("disc")
    used.page.get_by_role("button", name="large").click()
    used.until("d.view === 'large'")
    number = used.page.locator(".counts output")
    first = number.inner_text()
    used.host.evaluate("e => e.shadowRoot.field.scrub(0.5)")  # all particles pass the origin there
    used.until("d.time === '0.5000'")
    assert (first.endswith("%"), number.inner_text()) == (True, "0\u00a0%")
    assert used.page.locator(".readings").get_by_text("t = 0.50").is_visible()


def test_picture_and_play_button_share_the_height_that_the_page_gives_on_wide_and_narrow_screens(used):
    for width in (1400, 700, 390):
        used.page.set_viewport_size({"width": width, "height": 800})
        at_rest(used.page)
        inside = "e => { const s = e.shadowRoot, box = (q) => s.querySelector(q).getBoundingClientRect();"
        top, stage, low, end = used.host.evaluate(
            inside + "const b = box('.screen'), p = box('.stage'), t = box('.play');"
            "return [b.top, p.height, Math.max(p.bottom, t.bottom), b.bottom]; }"
        )
        assert low <= end + 1 and end - top == pytest.approx(600, abs=1), width
        assert stage > 300, width


@pytest.mark.slow
def test_without_webgl_the_same_particles_are_drawn(browser, server):
    refuse = """
        const get = HTMLCanvasElement.prototype.getContext;
        HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
          return kind === "webgl2" ? null : get.call(this, kind, ...rest);
        };
    """
    pictures = {}
    for name, script in (("webgl", ""), ("canvas", refuse)):
        opened = Opened(browser, server, "map", script)
        assert opened.get("renderer") == name
        opened.page.mouse.move(5, 5)
        for particle in (101, 105):
            x, y = opened.host.evaluate("(e, id) => e.shadowRoot.field.pixelOf(id)", particle)
            shot = opened.page.screenshot(clip={"x": x - 1, "y": y - 1, "width": 2, "height": 2})
            pictures[name, particle] = mean_colour(shot)
        opened.page.close()
    for particle, css in ((101, (0x1F, 0x7F, 0xC0)), (105, (0xD5, 0x5E, 0x00))):
        for name in ("webgl", "canvas"):
            assert pictures[name, particle] == pytest.approx(css, abs=30), (name, particle)


def mean_colour(png: bytes) -> list[float]:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).reshape(-1, 3).mean(axis=0).tolist()
