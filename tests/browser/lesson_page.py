"""The page of the lessons in a real browser: a small server, and what tests of single lessons drive it with."""

import json

import pytest
from app_server import PROJECT, served
from in_chromium import at_rest, browser, new_page  # noqa: F401

HOST = "[data-testid=stBidiComponentIsolated][data-frames]"
"""The lesson: other parts of the page draw no frames."""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The app on a free port with an empty store."""
    with served(PROJECT / "app.py", tmp_path_factory.mktemp("learn")) as address:
        yield address


RECORDING = """
  const { fillText, clearRect } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.clearRect = function (...box) {
    this.canvas.texts = [];
    clearRect.apply(this, box);
  };
  CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
    const size = this.measureText(text), ratio = this.canvas.width / this.canvas.clientWidth, corners = [];
    for (const dx of [-size.actualBoundingBoxLeft, size.actualBoundingBoxRight])
      for (const dy of [-size.actualBoundingBoxAscent, size.actualBoundingBoxDescent])
        corners.push(this.getTransform().transformPoint(new DOMPoint(x + dx, y + dy)));
    const [xs, ys] = [corners.map((p) => p.x / ratio), corners.map((p) => p.y / ratio)];
    const box = [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
    this.canvas.texts?.push({ text, box });
    fillText.call(this, text, x, y);
  };
"""
"""Every canvas keeps what was written on it since it was cleared: text, and box [left, top, right, bottom] in px."""


class OpenedLesson:
    """A lesson as an address opens it."""

    def __init__(self, browser, server: str, query: str) -> None:
        self.page = new_page(browser)
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on(
            "console",
            lambda said: self.errors.append(said.text) if said.type == "error" and "404" not in said.text else None,
        )
        self.page.add_init_script(RECORDING)
        self.page.goto(f"{server}/learn?{query}")
        self.host = self.page.locator(HOST)
        self.page.locator(f"{HOST}").wait_for(state="attached")
        at_rest(self.page)

    def get(self, name: str) -> str:
        """A data attribute of the component: settings, draw-ms, answer-ms, frames, playing."""
        return self.host.get_attribute(f"data-{name}")

    @property
    def values(self) -> dict[str, float]:
        return json.loads(self.get("values"))

    @property
    def checks(self) -> dict[str, dict]:
        """The live checks by their label."""
        return {check["label"]: check for check in json.loads(self.get("checks"))}

    def texts(self) -> list[str]:
        """What is written in the picture."""
        return [one["text"] for one in self.written()]

    def written(self) -> list[dict]:
        """The texts of the picture with their boxes, as `RECORDING` keeps them."""
        return self.host.evaluate("e => e.shadowRoot.lesson.stage.canvas.texts")

    def until(self, condition: str) -> None:
        """Wait for an expression in `d` (data attributes), `v` (values) and `q` (the address)."""
        body = (
            f"const d = document.querySelector('{HOST}')?.dataset ?? {{}}, v = JSON.parse(d.values ?? '{{}}'), q = new"
            " URLSearchParams(location.search)"
        )
        self.page.wait_for_function(f"() => {{ {body}; return {condition}; }}")

    def pixel(self, panel: int, x: float, y: float) -> list[float]:
        """Where a value of a panel is in the window."""
        return self.host.evaluate("(e, [panel, x, y]) => e.shadowRoot.lesson.pixelOf(panel, x, y)", [panel, x, y])

    def drag(self, panel: int, *places: tuple[float, float]) -> None:
        """Press at the first place (in data units), pass the others, let go at the last."""
        self.page.mouse.move(*self.pixel(panel, *places[0]))
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*self.pixel(panel, *place), steps=3)
        self.page.mouse.up()

    def draws_within_100_ms(self) -> None:
        """The best of as many redraws as it takes: a machine that does other things only needs more of them."""
        self.page.wait_for_function(
            f"() => {{ const e = document.querySelector('{HOST}'); e.shadowRoot.lesson.draw();"
            " return Number(e.dataset.drawMs) < 100; }"
        )

    def close(self) -> None:
        self.page.close()
        assert self.errors == []


@pytest.fixture
def opened(browser, server):
    """Opens a lesson by its query; no page may have logged an error by the end."""
    lessons = []

    def open_lesson(query: str) -> OpenedLesson:
        lessons.append(OpenedLesson(browser, server, query))
        return lessons[-1]

    yield open_lesson
    for lesson in lessons:
        lesson.close()
