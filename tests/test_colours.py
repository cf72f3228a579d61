"""A colour has one meaning in the whole app. wtflow/plots/theme.py is the source; style sheets, scripts, pictures and
the theme of Streamlit cannot read it, so they repeat its values, and the tests here compare each of them.
"""

import colorsys
import itertools
import re
from pathlib import Path

import pytest

from wtflow.plots.theme import COLOURS, HEAT

ROOT = Path(__file__).parents[1]
FILES = sorted(
    str(path.relative_to(ROOT)).replace("\\", "/")
    for path in itertools.chain(
        *(
            ROOT.glob(f"{folder}/*.{ending}")
            for folder in ("assets", "assets/learn", "assets/follow", "assets/mask", "assets/sort")
            for ending in ("css", "js", "svg")
        ),
        ROOT.glob("pages/ui/*.css"),
        ROOT.glob("wtflow/export/report/*.css"),
        [ROOT / ".streamlit" / "config.toml"],
    )
)
HEX = re.compile(r"#(?:[0-9a-fA-F]{6}|[0-9a-fA-F]{3})\b")

# How a literal is named in these files -> the name of its meaning in the theme.
NAMES = {
    **{name: name for name in COLOURS},
    "bad": "defect",
    "missed": "fn",
    "alarm": "fp",
    "accent": "selected",
    "good": "time",
    "warn": "fp",
    "rose": "fn",
    "blueColor": "normal",
    "orangeColor": "defect",
    "yellowColor": "fp",
    "violetColor": "fn",
    "greenColor": "time",
    "grayColor": "threshold",
    "primaryColor": "selected",
    "orangeTextColor": "defect",
    "yellowTextColor": "fp",
    "violetTextColor": "fn",
    "linkColor": "selected",
}
TEXT = {"orangeTextColor", "yellowTextColor", "violetTextColor", "linkColor"}
"""Darker or lighter shades, so that text of this meaning can be read on the ground."""
REPORT = "wtflow/export/report/report.css"
"""Its colours are text throughout, so all of them are shades."""
SHADES = {"assets/learn/well.js": ["#7FC4F5"]}
"""Other shades: points of normal data on the dark end of the heat scale."""

NAMED = re.compile(r"""(?:--|\b)([A-Za-z]+)\s*[:=]\s*"?(#[0-9a-fA-F]{6}|#[0-9a-fA-F]{3})\b""")
"""`--defect: #D55E00`, `defect: "#D55E00"` and `orangeColor = "#D55E00"`."""
RULES = re.compile(r"([^{}]*)\{([^{}]*)\}")
OUTCOME_IN_SELECTOR = re.compile(r"(?:cell_|verdict_|wt-)([A-Za-z]+)")


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def hue(colour: str) -> tuple[float, float]:
    """Hue in degrees, and how far the colour is from grey, 0 to 1."""
    text = colour.lstrip("#")
    digits = text if len(text) == 6 else "".join(2 * digit for digit in text)
    red, green, blue = (int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4))
    h, s, v = colorsys.rgb_to_hsv(red, green, blue)
    return 360 * h, s * v


def is_shade(colour: str, of: str) -> bool:
    apart = abs(hue(colour)[0] - hue(of)[0])
    return min(apart, 360 - apart) < 16


def heat() -> set[str]:
    return {"#{:02x}{:02x}{:02x}".format(*map(int, re.findall(r"\d+", colour))) for _, colour in HEAT}


def test_the_files_are_there():
    assert {"assets/style.css", "assets/learn/stage.js", "assets/icon.svg", REPORT, "pages/ui/pages.css"} <= set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_a_literal_named_by_its_meaning_is_the_colour_of_that_meaning(name):
    for word, colour in NAMED.findall(read(name)):
        if word not in NAMES:
            continue
        wanted = COLOURS[NAMES[word]]
        if name == REPORT or word in TEXT:
            assert is_shade(colour, wanted), f"{word} {colour} is no shade of {wanted}"
        else:
            assert colour.upper() == wanted.upper(), f"{word} is {colour}, the theme has {wanted}"


@pytest.mark.parametrize("name", ["assets/style.css", "pages/ui/pages.css"])
def test_a_rule_for_an_outcome_or_meaning_uses_its_colour_alone(name):
    n_rules = 0
    for selector, body in RULES.findall(re.sub(r"/\*.*?\*/", "", read(name), flags=re.DOTALL)):
        meanings = {word.lower() for word in OUTCOME_IN_SELECTOR.findall(selector)} & COLOURS.keys()
        if meanings:
            n_rules += 1
            assert {colour.upper() for colour in HEX.findall(body)} == {COLOURS[word].upper() for word in meanings}
    assert n_rules >= 7


@pytest.mark.parametrize("name", ["assets/icon.svg", "assets/logo.svg"])
def test_the_logo_draws_normals_falling_and_a_defect_escaping(name):
    text = read(name)
    group = re.search(r'<g stroke="(#\w+)">.*?</g>', text, re.DOTALL)
    assert group is not None
    assert group[1] == COLOURS["normal"]
    escaping = re.findall(r'<path [^>]*stroke="(#\w+)"', text) + re.findall(r'<circle cx="40"[^>]*fill="(#\w+)"', text)
    assert set(escaping) == {COLOURS["defect"]}


@pytest.mark.parametrize("name", FILES)
def test_no_other_literal_looks_like_a_meaning(name):
    """A colour that is not nearly grey is one of the theme's, a step of the heat scale, or a named shade for text."""
    text = read(name)
    allowed = {colour.upper() for colour in (*COLOURS.values(), *heat(), *SHADES.get(name, ()))}
    allowed |= {
        colour.upper() for word, colour in NAMED.findall(text) if word in TEXT or (name == REPORT and word in NAMES)
    }
    others = [colour for colour in HEX.findall(text) if colour.upper() not in allowed and hue(colour)[1] > 0.25]
    assert not others


@pytest.mark.parametrize(("name", "shades"), SHADES.items())
def test_shades_keep_the_hue_of_their_meaning(name, shades):
    assert all(is_shade(colour, COLOURS["normal"]) and colour in read(name) for colour in shades)


def test_theme_lists_the_colours_of_charts_in_the_order_of_their_meanings():
    listed = re.search(r"chartCategoricalColors = \[(.*)\]", read(".streamlit/config.toml"))
    assert listed is not None
    meanings = ("normal", "defect", "time", "fp", "fn", "selected", "threshold")
    assert HEX.findall(listed[1]) == [COLOURS[name] for name in meanings]
