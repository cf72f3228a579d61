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
