"""The lessons as static files: texts and formulas as HTML, stored scenes, and what the command writes."""

import json
import re
import tomllib
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import wtflow
from wtflow.cli.app import app
from wtflow.lessons import LESSONS, SHOW_A_RUN, STORED_SAMPLES, WITH_FIGURES, load_lesson
from wtflow.lessons.base import DATA_SETS, choose_points, encode_scene, read_settings
from wtflow.lessons.site.formulas import BREAK, to_mathml
from wtflow.lessons.site.pages import SOURCE
from wtflow.lessons.site.prose import to_html
from wtflow.lessons.site.scenes import has_drawn, scenes_of
from wtflow.lessons.site.write import write_site
from wtflow.lessons.texts import FOLDER

PROJECT = Path(__file__).resolve().parents[1]
TEXTS = [*sorted(FOLDER.glob("*.md")), PROJECT / "assets" / "docs" / "method.md"]
MOST_BYTES = 3_000_000


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site with one sample of each data set."""
    folder = tmp_path_factory.mktemp("site")
    write_site(folder, 1, date(2026, 11, 30))
    return folder


# -- texts -------------------------------------------------------------------------------------------------------------


def test_markdown_and_formulas_become_html_and_html_stays_letters():
    html = to_html("A *field* $v(x,t)$ and <b>no</b> `code`.\n\n- one\n\n| a | b |\n|---|---|\n| $|x|$ | 2 |")
    assert "<em>field</em> <math" in html
    assert "&lt;b&gt;no&lt;/b&gt; <code>code</code>" in html
    assert "<li>one</li>" in html
    assert html.count("<td>") == 2


def test_a_formula_between_two_signs_stands_on_a_line_of_its_own():
    assert 'display="block"' in to_html("$$\nx = 1\n$$")
    assert 'display="inline"' in to_html("$x = 1$")


def test_no_line_begins_with_the_comma_after_a_formula():
    assert re.fullmatch(r'<p><span class="formula"><math.*</math>\),</span> so\.</p>\n', to_html("$x$), so."))


def test_no_line_ends_with_the_bracket_before_a_formula():
    assert re.search(r'so <span class="formula">\(<math.*</math></span> and', to_html("so ($x$ and"))


def test_a_long_formula_may_be_broken_before_its_signs_outside_of_brackets_and_nothing_is_lost():
    tex = r"\sum_i|x_i - z_i|^2 = \sum_i|x_i|^2 + \sum_i|z_i|^2 - 2\sum_i (x_i + z_i)"
    pieces = to_mathml(tex).split(BREAK)
    plain = [re.sub("<[^>]*>", "", piece) for piece in pieces]
    assert plain == ["∑i|xi−zi|2", "=∑i|xi|2", "+∑i|zi|2", "−2∑i(xi+zi)"]
    assert all('form="infix"' in piece for piece in pieces[1:])
    assert to_mathml(r"\mathrm{mean}\,(v((1-t)x,\,t)+x)^2 = \mathrm{mean}\,(t\,x/V)^2").count(BREAK) == 1
    assert BREAK not in to_mathml("a = b + c")
    assert BREAK not in to_mathml(tex, is_block=True)
    assert to_html(f"so ${tex}$, and").count("<span") == 4


def test_a_minus_is_a_sign_after_an_operator_and_a_difference_after_a_term():
    signs = [re.search(r"<mo[^>]*>−</mo>", to_mathml(tex))[0] for tex in (r"\rho > -1", "f(-x)", "(a) - b", "a - b")]
    assert ['form="prefix"' in sign for sign in signs] == [True, True, False, False]


def test_the_name_of_a_function_stands_apart_from_its_neighbours_but_not_from_brackets():
    spaces = [to_mathml(tex).count("<mspace") for tex in (r"a \log b", r"\nabla\log q_t", r"\ln(x)", "a b", r"-\log x")]
    assert spaces == [2, 2, 0, 0, 1]


def test_angles_are_brackets_and_a_tilde_is_a_relation():
    html = to_mathml(r"\langle a, b\rangle \sim c")
    assert [re.search(f"<(m.)[^>]*>{sign}", html)[1] for sign in "⟨⟩∼"] == ["mo", "mo", "mo"]


def test_a_number_with_a_thousands_comma_is_one_number():
    assert "<mtext>65,536</mtext>" in to_mathml("d = 65{,}536")


def test_a_link_to_a_file_that_does_not_come_along_becomes_its_words():
    assert to_html("[here](tried.md), [up](#a), [there](https://a.de)") == (
        '<p>here, <a href="#a">up</a>, <a href="https://a.de">there</a></p>\n'
    )


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_every_formula_of_the_texts_is_mathml_without_a_left_over_command(path):
    formulas = re.findall(r"<math.*?</math>", to_html(path.read_text(encoding="utf-8")), re.DOTALL)
    assert formulas or "$" not in path.read_text(encoding="utf-8")
    assert [one for one in formulas if "\\" in one or "merror" in one or "$" in one] == []


# -- scenes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WITH_FIGURES)
def test_a_scene_depends_on_seed_and_points_alone(name):
    """So it can be stored: settings change only its checks."""
    lesson, rng = load_lesson(name), np.random.default_rng(0)
    points = choose_points(lesson.DATA[0], None, 0) if lesson.DATA else None
    start = read_settings(lesson.CONTROLS, None)
    other = {
        one.name: float(rng.integers(one.low, one.high + 1) if one.kind == "choice" else rng.uniform(one.low, one.high))
        for one in lesson.CONTROLS
    }
    assert start != other
    told = [encode_scene(lesson.prepare(0, points, settings), {})["data"] for settings in (start, other)]
    assert told[0] == told[1]


@pytest.mark.parametrize("name", WITH_FIGURES)
def test_a_lesson_on_points_can_be_drawn_on_without_python(name):
    lesson = load_lesson(name)
    assert has_drawn(lesson) == bool(lesson.DATA)
    assert ("sceneOf" in (FOLDER / f"{name}.js").read_text(encoding="utf-8")) == bool(lesson.DATA)


def test_a_stored_scene_is_what_the_app_sends_with_what_python_found():
    lesson = load_lesson("lines")
    scripts = dict(scenes_of("lines", lesson, 2))
    assert set(scripts) == {f"lines-{data}-{seed}" for data in (*lesson.DATA, "drawn") for seed in (0, 1)}
    told = json.loads(re.fullmatch(r'lessonScene\("lines-rings-1", (.*)\);\n', scripts["lines-rings-1"], re.DOTALL)[1])
    settings = read_settings(lesson.CONTROLS, None)
    scene = lesson.prepare(1, choose_points("rings", None, 1), settings)
    assert told["data"] == encode_scene(scene, settings)["data"]
    assert [(row["words"], row["holds"]) for row in told["checks"]] == [(one.words, True) for one in scene.checks]


# -- pages -------------------------------------------------------------------------------------------------------------


class Targets(HTMLParser):
    """What a page links to and loads, its ids, and its headings of first level."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.ids: list[str] = []
        self.heads = 0
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.targets += [found[name] for name in ("href", "src") if name in found]
        self.ids += [found["id"]] if "id" in found else []
        self.heads += tag == "h1"


def test_there_is_a_page_for_every_lesson_and_every_address_on_it_is_of_the_folder(site):
    pages = {path.stem: path.read_text(encoding="utf-8") for path in site.glob("*.html")}
    assert set(pages) == {"index", "teachers", "words", "method", *LESSONS}
    for name, text in pages.items():
        page = Targets(text)
        assert page.heads == 1, name
        assert len(page.ids) == len(set(page.ids)), name
        for target in page.targets:
            file, _, anchor = target.partition("#")
            assert not re.match(r"[a-z]+:|/", file), f"{name}: {target} leads out of the folder"
            assert (site / file).is_file() if file else anchor in page.ids, f"{name}: {target}"


def test_nothing_in_the_site_asks_the_network_or_needs_a_server(site):
    for path in [*site.glob("*.js"), *site.glob("*.css")]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"fetch\(|XMLHttpRequest|^\s*(import|export)\b|url\(|@import", text, re.MULTILINE), (
            path.name
        )


def test_pages_say_what_they_are_and_where_they_come_from(site):
    for path in site.glob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert f"WT-Flow Studio {wtflow.__version__}, written 30 November 2026." in text
        assert "No licence is stated" in text
        assert "arXiv 2508.05461" in text


def test_the_lesson_about_a_run_says_how_to_get_the_app_and_has_no_scene(site):
    text = (site / "features.html").read_text(encoding="utf-8")
    assert "so it needs the app: in a copy of WT-Flow Studio, type <code>make app</code>" in text
    assert not list((site / "scenes").glob("features*"))


def test_the_same_call_gives_the_same_bytes(site, tmp_path):
    """But for what is measured while it is written: nothing is."""
    write_site(tmp_path, 1, date(2026, 11, 30))
    for path in sorted(site.rglob("*")):
        assert path.is_dir() or path.read_bytes() == (tmp_path / path.relative_to(site)).read_bytes(), path.name


@pytest.mark.slow
def test_the_whole_site_is_smaller_than_three_megabytes(tmp_path):
    written = write_site(tmp_path)
    assert sum(path.stat().st_size for path in written) < MOST_BYTES
    n_sets = sum(max(1, len(load_lesson(name).DATA)) for name in LESSONS if name not in SHOW_A_RUN)
    assert len(list((tmp_path / "scenes").glob("*.js"))) >= n_sets * STORED_SAMPLES


# -- colours -----------------------------------------------------------------------------------------------------------

TOKENS = {
    "--st-text-color": "textColor",
    "--st-background-color": "backgroundColor",
    "--panel": "secondaryBackgroundColor",
    "--border": "borderColor",
    "--link": "linkColor",
}


def tokens_of(theme: str) -> list[dict[str, str]]:
    """The colours of every rule for that theme: dark has two, for the system's wish and the reader's own."""
    css = (SOURCE / "site.css").read_text(encoding="utf-8")
    start = {
        "light": r"^:root \{(.*?)^\}",
        "dark": r":root(?::not\(\[data-theme=\"light\"\]\)|\[data-theme=\"dark\"\]) \{(.*?)\}",
    }
    rules = re.findall(start[theme], css, re.DOTALL | re.MULTILINE)
    return [dict(re.findall(r"(--[\w-]+): (#[0-9A-Fa-f]{6})", rule)) for rule in rules]


@pytest.mark.parametrize(("theme", "n_rules"), [("light", 1), ("dark", 2)])
def test_the_colours_are_those_of_the_apps_theme(theme, n_rules):
    wanted = tomllib.loads((PROJECT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"][theme]
    found = tokens_of(theme)
    assert len(found) == n_rules
    for tokens in found:
        assert {ours: tokens[ours].upper() for ours in TOKENS} == {
            ours: wanted[theirs] for ours, theirs in TOKENS.items()
        }


# -- the command -------------------------------------------------------------------------------------------------------


def test_the_command_writes_the_site_and_says_how_much(tmp_path, monkeypatch):
    monkeypatch.setattr("wtflow.lessons.site.write.LESSONS", {"lines": LESSONS["lines"]})
    result = CliRunner().invoke(app, ["lesson", "--site", str(tmp_path / "out"), "--samples", "1", "--json"])
    assert result.exit_code == 0, result.output
    facts = json.loads(result.stdout.rstrip("\n").splitlines()[-1])
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert facts == {
        "site": str(tmp_path / "out"),
        "n_site_files": len(files),
        "n_site_bytes": sum(path.stat().st_size for path in files),
    }
    assert len(list((tmp_path / "out" / "scenes").iterdir())) == len(load_lesson("lines").DATA) + 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "nowhere to write to"),
        (["flow"], "nowhere to write to"),
        (["--out", "x"], "the NAME of a lesson and --out"),
        (["flow", "--site", "x"], "the NAME of a lesson and --out"),
        (["--site", "x", "--seed", "3"], "are for the figures"),
    ],
)
def test_a_command_that_cannot_be_meant_says_what_is_missing(arguments, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["lesson", *arguments])
    assert result.exit_code == 2
    assert words in re.sub(r"[\s│]+", " ", result.output)
    assert list(tmp_path.iterdir()) == []


def test_every_data_set_has_a_title_in_the_choice(site):
    text = (site / "lines.html").read_text(encoding="utf-8")
    assert (
        set(re.findall(r'<option value="(\w+)"', text))
        == {*load_lesson("lines").DATA, "drawn"}
        <= {*DATA_SETS, "drawn"}
    )
