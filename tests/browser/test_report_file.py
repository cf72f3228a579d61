"""A report opened from disk in a real browser without network: nothing runs, nothing is fetched, nothing sticks out,
and it prints whole.
"""

import re

import pytest
from in_chromium import browser, new_page, pytestmark  # noqa: F401
from report_runs import write_category, write_run

from wtflow.export.report.write import make_report
from wtflow.store.notes import add_tag, set_comment
from wtflow.store.runs import RunStore

HOSTILE = (
    "<script>document.title = 'taken'</script><img src=http://example.invalid/x.png onerror=\"document.title='taken'\">"
)
DEFECT = '"><svg onload="document.title=1">'


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A report of two runs with notes, a tag and a defect type that are markup."""
    home = tmp_path_factory.mktemp("report")
    store, root = RunStore(home / "runs"), write_category(home / "images", defect=DEFECT)
    runs = [write_run(store, root), write_run(store, root, scores=(6.0, 7.0, 8.0, 1.0, 2.0), steps=1)]
    set_comment(store, runs[0], None, HOSTILE, 0)
    add_tag(store, runs[0], f"test/{DEFECT}/000.png", "<b onclick=x>tag</b>")
    path = home / "report.html"
    path.write_bytes(
        make_report(store, runs, lambda label, percent: None, thresholds={runs[0]: 2.5, runs[1]: 5.0}).html
    )
    return path


@pytest.fixture
def open_report(browser, report):
    """Open it at a width and in a colour scheme, offline; anything but the file itself is noted in `asked`, any
    complaint in `said`.
    """
    pages = []

    def open_(width: int = 1400, scheme: str = "light"):
        page = new_page(browser, viewport={"width": width, "height": 900}, color_scheme=scheme)
        page.context.set_offline(True)
        page.asked, page.said = [], []
        page.on(
            "request",
            lambda request: (
                page.asked.append(request.url) if not request.url.startswith(("data:", report.as_uri())) else None
            ),
        )
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.on("dialog", lambda dialog: page.said.append(dialog.message))
        page.goto(report.as_uri())
        pages.append(page)
        return page

    yield open_
    for page in pages:
        assert page.asked == [] and page.said == []
        page.context.close()


def test_what_people_wrote_shows_as_text_and_nothing_of_it_runs(open_report):
    page = open_report()
    assert page.title() == "Anomaly detection on plate"
    text = page.inner_text("body")
    assert HOSTILE in text and DEFECT in text and "<b onclick=x>tag</b>" in text
    assert page.locator("script, [onclick], [onload], [onerror]").count() == 0
    assert page.evaluate("[...document.images].every(one => one.complete && one.naturalWidth > 0)")


@pytest.mark.parametrize("width", [1400, 800, 420])
def test_nothing_sticks_out_at_any_width(open_report, width):
    assert open_report(width).evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_the_ink_of_figures_stand_out_on_either_ground(open_report, scheme):
    """Contrast by WCAG: 7 to 1 for text, 4.5 for what is said softly."""
    page = open_report(scheme=scheme)
    ground = luminance(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert (ground > 0.5) == (scheme == "light")
    for selector, least in (
        ("td", 7),
        ("svg text", 7),
        (".soft", 4.5),
        ("a", 4.5),
        (".fn", 4.5),
        (".fp", 4.5),
        (".tp", 4.5),
        (".tn", 4.5),
    ):
        style = page.locator(selector).first.evaluate(
            "(one, is_figure) => getComputedStyle(one)[is_figure ? 'fill' : 'color']", selector == "svg text"
        )
        light, dark = sorted((luminance(style), ground), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= least, selector


def test_it_prints_on_white_with_no_figure_cut_and_every_run_on_a_page_of_its_own(open_report):
    page = open_report(scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert luminance(page.evaluate("getComputedStyle(document.body).backgroundColor")) == 1
    assert page.evaluate(
        "[...document.querySelectorAll('figure, tr, .card')].every(one => getComputedStyle(one).breakInside ==="
        " 'avoid')"
    )
    tallest = page.evaluate(
        "Math.max(...[...document.querySelectorAll('figure')].map(one => one.getBoundingClientRect().height))"
    )
    assert tallest < 900, "it would not fit on a page of A4, which has 1,000 px"
    assert not page.locator("nav").is_visible()
    pdf = page.pdf(prefer_css_page_size=True, print_background=True)
    assert pdf.startswith(b"%PDF") and b"/JavaScript" not in pdf
    n_pages = len(re.findall(rb"/Type\s*/Page\b", pdf))
    assert 6 <= n_pages <= 16
    breaks = page.evaluate(
        "[...document.querySelectorAll('section + section')].map(one => getComputedStyle(one).breakBefore)"
    )
    assert breaks == ["page", "page"]


def luminance(colour: str) -> float:
    """Relative luminance of rgb(r, g, b), 0 to 1. Source: WCAG 2.2."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
