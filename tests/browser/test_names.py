"""Names full of Markdown, in a real browser: what stands on the page are their letters."""

from urllib.parse import urlencode

import pytest
from app_server import PROJECT, served
from in_chromium import at_rest, browser, new_page, no_error_is_shown, pytestmark  # noqa: F401
from run_folders import write_tiny_category

NAMES = (
    "a*b* __c__ ~~d~~ `e`",
    ":red[x] :material_home: :smile: :streamlit:",
    "[x](http:y) ![z](w) <b>b<b> &amp;",
    "$x$ $$y$$",
    "- list",
    "12. list",
    "# head | a | b |",
    "a -> b >= c -- d",
    "www.a.de",
)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("named")
    for name in NAMES:
        write_tiny_category(root, name, n_train=2, n_good=1, n_bad=1)
        for part in ("test", "ground_truth"):
            (root / name / part / "spot").rename(root / name / part / name)
    return root


@pytest.mark.slow
def test_pills_and_captions_hold_the_letters_of_names(browser, root, tmp_path):  # noqa: F811
    with served(PROJECT / "app.py", tmp_path) as address:
        page = new_page(browser)
        for name in NAMES[::4]:
            page.goto(f"{address}/data?{urlencode({'root': str(root), 'category': name, 'group': f'test {name}'})}")
            page.locator(".st-key-widget_category").wait_for()
            page.get_by_text("Train this category").wait_for()
            at_rest(page)
            no_error_is_shown(page)
            categories, group, *captions = (
                text.replace("\N{WORD JOINER}", "")
                for where in (".st-key-widget_category", ".st-key-widget_group", "[data-testid=stCaptionContainer]")
                for text in page.locator(where).all_inner_texts()
            )
            assert sorted(filter(None, categories.split("\n"))) == sorted(["Category", *NAMES])
            assert f"test: {name} (1)" in group
            assert any(text.endswith(f"/{name}") for text in captions)
            markup = page.locator(".st-key-widget_category, .st-key-widget_group").locator(
                "em, del, li, hr, code, .katex, a[href*=y], img[alt*=logo]"
            )
            assert markup.count() == 0, markup.first.inner_html()
        page.close()
