"""One look: figures, theme, style sheet and logo agree, and can be read by everyone."""

import itertools
import re
import tomllib
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from plotly.colors import hex_to_rgb, unlabel_rgb

from wtflow.plots.curves import plot_loss, plot_pr, plot_roc
from wtflow.plots.histogram import plot_score_histogram
from wtflow.plots.probe import plot_probe
from wtflow.plots.scores import plot_score_strip
from wtflow.plots.theme import COLOURS, HEAT, OUTCOMES, outcome_words
from wtflow.records.core import Curve, Probe

ROOT = Path(__file__).parents[1]
CONFIG = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))
STYLE = (ROOT / "assets" / "style.css").read_text("utf-8")

# Machado, Oliveira, Fernandes (2009), severity 1, on linear RGB.
SIGHT = {
    "full": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}


def linear(colour: str) -> np.ndarray:
    values = np.array(hex_to_rgb(colour) if colour.startswith("#") else unlabel_rgb(colour), dtype=float) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def luminance(colour: str) -> float:
    return float(linear(colour) @ [0.2126, 0.7152, 0.0722])


def contrast(one: str, other: str) -> float:
    """WCAG 2 contrast, 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def lab(rgb: np.ndarray) -> np.ndarray:
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ np.clip(rgb, 0, 1)
    f = np.cbrt(np.maximum(xyz / [0.95047, 1, 1.08883], 1e-9))
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def all_figures():
    flags = np.array([False, True, True])
    curve = Curve(np.array([0.0, 1.0]), np.array([0.0, 1.0]), np.array([1.0, 0.0]))
    yield plot_score_histogram(np.array([1.0, 2.0, 900.0]), flags, 2.0)
    yield plot_score_histogram(np.array([]), np.array([], bool), 2.0)
    yield plot_score_strip(np.array([1.0, 2.0, 3.0]), flags, 2.5, 2.0)
    yield plot_loss(np.arange(5), np.ones(5))
    yield plot_roc(curve, 0.5)
    yield plot_pr(curve, 0.5)
    yield plot_probe(Probe("a", 0, 0, np.array([0.0, 1.0]), np.ones(2), np.ones(2), 1.0, 4, np.ones(2), ()))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_of_lines_and_points_stand_out_from_the_ground_of_both_themes(theme):
    ground = CONFIG["theme"][theme]["backgroundColor"]
    for name in ("normal", "defect", "threshold", "reference", "time", "selected"):
        assert contrast(COLOURS[name], ground) >= 3.0, name  # WCAG 2 for graphics


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_can_be_read_on_every_ground_of_both_themes(theme):
    colours = CONFIG["theme"][theme]
    for ground in (
        colours["backgroundColor"],
        colours["secondaryBackgroundColor"],
        colours["sidebar"]["backgroundColor"],
    ):
        assert contrast(colours["textColor"], ground) >= 7.0
        assert contrast(colours["linkColor"], ground) >= 4.5
    assert contrast(colours["primaryColor"], "#FFFFFF") >= 4.5  # Streamlit writes white on the primary button


@pytest.mark.parametrize("sight", SIGHT)
def test_outcomes_and_labels_differ_for_people_who_see_red_and_green_alike(sight):
    shown = {name: lab(SIGHT[sight] @ linear(COLOURS[name])) for name in ("tp", "fp", "tn", "fn")}
    for one, other in itertools.combinations(shown, 2):
        assert np.linalg.norm(shown[one] - shown[other]) > 15, (one, other)  # 2 is just noticeable side by side


def test_right_calls_have_the_colour_of_their_label():
    assert COLOURS["tp"] == COLOURS["defect"]
    assert COLOURS["tn"] == COLOURS["normal"]


def test_outcomes_are_named_in_the_number_of_their_count():
    assert [f"{n} {outcome_words('FP', n)}" for n in (0, 1, 3)] == ["0 false alarms", "1 false alarm", "3 false alarms"]
    assert [outcome_words(name, 1) for name in OUTCOMES] == list(OUTCOMES.values())
    assert all(outcome_words(name, 2) != words for name, words in OUTCOMES.items())


def test_the_heat_scale_gets_lighter_in_even_steps():
    lightness = np.array([lab(linear(colour))[0] for _, colour in HEAT])
    steps = np.diff(lightness)
    assert np.all(steps > 0)
    assert steps.max() < 2 * steps.min()


def test_figures_leave_text_and_ground_to_the_theme_of_the_page():
    for figure in all_figures():
        assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0,0,0,0)"
        sent = figure.to_plotly_json()
        sent["layout"].pop("template")  # the library's own default, which the page replaces
        assert '"font": {"color"' not in str(sent).replace("'", '"')
        assert figure.layout.font.color is None
        assert figure.layout.legend.font.color is None


def test_no_figure_uses_a_colour_that_streamlit_takes_for_a_placeholder():
    for figure in all_figures():
        sent = figure.to_plotly_json()
        sent["layout"].pop("template")
        assert not set(re.findall(r"#0000[0-4]\d\b", str(sent))) - {"#000000"}


def test_a_zoom_survives_new_values_because_every_figure_keeps_its_state():
    assert {figure.layout.uirevision for figure in all_figures()} == {"keep"}


def test_theme_and_figures_use_the_same_colours():
    theme = CONFIG["theme"]
    assert set(theme["chartCategoricalColors"]) <= set(COLOURS.values())
    assert [hex_to_rgb(colour) for colour in theme["chartSequentialColors"]] == [
        unlabel_rgb(colour) for _, colour in HEAT
    ]
    assert theme["light"]["primaryColor"] == theme["dark"]["primaryColor"] == COLOURS["selected"]
    named = {
        "blueColor": "normal",
        "orangeColor": "defect",
        "yellowColor": "fp",
        "violetColor": "fn",
        "greenColor": "time",
        "grayColor": "threshold",
    }
    assert {key: theme[key] for key in named} == {key: COLOURS[name] for key, name in named.items()}


def test_badges_of_the_style_sheet_use_the_same_colours():
    for rule in re.findall(r"^((?:\.wt-\w+(?:, )?)+) \{ --wt: (#\w{6}); \}", STYLE, re.MULTILINE):
        for name in re.findall(r"wt-(\w+)", rule[0]):
            assert COLOURS[name] == rule[1]
    assert STYLE.count("--wt: #") == 7


def test_the_style_sheet_holds_no_tag_because_streamlit_would_drop_it():
    assert not re.search(r"<[a-zA-Z/!]", STYLE)


def test_the_app_listens_on_this_computer_only_and_fetches_nothing_from_elsewhere():
    assert CONFIG["server"]["address"] == "127.0.0.1"
    assert CONFIG["browser"]["gatherUsageStats"] is False
    assert CONFIG["server"]["showEmailPrompt"] is False
    assert not re.search(r"https?://|@import|url\(", STYLE + (ROOT / ".streamlit" / "config.toml").read_text("utf-8"))


@pytest.mark.parametrize("name", ["logo.svg", "icon.svg"])
def test_the_logo_is_self_contained_and_seen_on_both_themes(name):
    text = (ROOT / "assets" / name).read_text("utf-8")
    root = ElementTree.fromstring(text)
    assert root.get("viewBox")
    assert not root.findall(".//{*}text")  # lettering is outlines: no font is needed
    assert not re.search(r"href|url\(|<style", text)
    for colour in set(re.findall(r'"(#\w{6})"', text)):
        assert colour in COLOURS.values()
        for theme in ("light", "dark"):
            assert contrast(colour, CONFIG["theme"][theme]["sidebar"]["backgroundColor"]) >= 3.0
