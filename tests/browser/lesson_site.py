"""The lessons' site in a real browser: from a disk, or by a plain web server below a path of its own, offline."""

import contextlib
import json
import threading
from collections.abc import Iterator
from datetime import date
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from in_chromium import browser as browser  # noqa: PLC0414 - a fixture, for the tests that import it from here
from in_chromium import new_page

from wtflow.lessons.site.write import write_site

HOST = "#lesson"
N_SAMPLES = 2
SUB_PATH = "course/week 3/lessons"


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A web root whose site lies in a folder below it, with a space in its path."""
    root = tmp_path_factory.mktemp("root")
    write_site(root / SUB_PATH, N_SAMPLES, date(2026, 11, 30))
    return root


@pytest.fixture(scope="module")
def disk(root):
    """The address of the site as a folder on a disk."""
    return (root / SUB_PATH).as_uri()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture(scope="module")
def host(root):
    """The address of the site on a web host, below a path."""
    with hosted(root) as address:
        yield f"{address}/{SUB_PATH.replace(' ', '%20')}"


@contextlib.contextmanager
def hosted(root: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(root)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class SitePage:
    """A page of the site: every error is kept, and nothing but the site's own files is loaded."""

    def __init__(self, browser, site: str, address: str, **look) -> None:
        self.site, self.page = site, new_page(browser, **look)
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on(
            "console", lambda said: self.errors.append(said.text) if said.type in ("error", "warning") else None
        )
        self.page.route(lambda url: not url.startswith((f"{site}/", "data:")), self._refuse)
        self.page.goto(f"{site}/{address}")

    def _refuse(self, route) -> None:
        self.errors.append(f"asked for {route.request.url}")
        route.abort()

    def close(self) -> None:
        self.page.close()
        assert self.errors == []


class SiteLesson(SitePage):
    """A lesson as an address opens it; the same words as tests of the app use."""

    def __init__(self, browser, site: str, address: str, **look) -> None:
        super().__init__(browser, site, address, **look)
        self.until("Number(d.frames) > 0")

    def get(self, name: str) -> str:
        return self.page.get_attribute(HOST, f"data-{name}")

    @property
    def values(self) -> dict[str, float]:
        return json.loads(self.get("values"))

    @property
    def checks(self) -> list[dict]:
        return json.loads(self.get("checks"))

    def until(self, condition: str) -> None:
        """Wait for an expression in `d` (data attributes), `v` (values), `q` (the address) and `view`."""
        body = (
            f"const host = document.querySelector('{HOST}'), d = host?.dataset ?? {{}}, view = host?.lesson, v ="
            " JSON.parse(d.values ?? '{}'), q = new URLSearchParams(location.search)"
        )
        self.page.wait_for_function(f"() => {{ {body}; return {condition}; }}")

    @property
    def n_panels(self) -> int:
        return self.page.evaluate(f"document.querySelector('{HOST}').lesson.stage.panels.length")

    def middle(self, panel: int) -> tuple[float, float, float, float]:
        """Middle, width and height of a panel, in px of the window."""
        return tuple(
            self.page.evaluate(
                f"""(index) => {{
                  const {{ stage }} = document.querySelector('{HOST}').lesson, panel = stage.panels[index];
                  const box = stage.canvas.getBoundingClientRect();
                  const [x, y] = [box.left + panel.left + panel.width / 2, box.top + panel.top + panel.height / 2];
                  return [x, y, panel.width, panel.height];
                }}""",
                panel,
            )
        )

    def drag_across(self, panel: int) -> None:
        """Press left of the middle of a panel, pass the middle, let go to the right of it and lower."""
        x, y, width, height = self.middle(panel)
        self.page.mouse.move(x - 0.2 * width, y - 0.1 * height)
        self.page.mouse.down()
        for share in (0.0, 0.15, 0.25):
            self.page.mouse.move(x + share * width, y + share * height)
        self.page.mouse.up()
