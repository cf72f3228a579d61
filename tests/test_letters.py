"""Names in figures: what the libraries would obey stands there as letters."""

import html
import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from wtflow.plots.compare import plot_rates, plot_score_pairs
from wtflow.plots.failures import plot_groups
from wtflow.plots.letters import figure_letters, still_letters
from wtflow.plots.still.over_time import still_escape
from wtflow.plots.well import plot_escape
from wtflow.records.core import Curve

NAME = "<b>zq</b> <a href='x'>y</a> &lt; %{x} <extra>"
CURVE = Curve(np.array([0.0, 1.0]), np.array([0.0, 1.0]), np.array([1.0, 0.0]))
T = np.linspace(0, 1, 3)
FIGURES = {
    "escape": lambda: plot_escape(T, {NAME: T}, {NAME: "#000000"}),
    "rates": lambda: plot_rates([(NAME, CURVE), (NAME, CURVE)], "roc"),
    "pairs": lambda: plot_score_pairs(
        (T, T),
        np.array([True, False, True]),
        ["both", "first", "second"],
        [NAME, NAME, NAME],
        thresholds=(0.5, 0.5),
        names=(NAME, NAME),
        colours=("#000000", "#111111"),
        selected=None,
    ),
    "groups": lambda: plot_groups(np.zeros((2, 2)), np.array([0, 1]), ["TP", "FN"], [NAME, NAME]),
}


@given(st.text(alphabet="<>&;%{}#ab/lt 12$_"))
def test_plotly_finds_neither_tags_nor_templates_and_decodes_the_letters(text: str):
    shown = figure_letters(text)
    assert "<" not in shown and "%{" not in shown
    assert html.unescape(shown) == text


@pytest.mark.parametrize("kind", FIGURES)
def test_a_figure_carries_names_escaped_wherever_they_are_shown(kind: str):
    def walk(part, field=""):
        if isinstance(part, dict):
            for name, one in part.items():
                if name != "customdata":  # travels with a point, for the click
                    yield from walk(one, name)
        elif isinstance(part, list):
            for one in part:
                yield from walk(one, field)
        elif isinstance(part, str) and "zq" in part:
            yield field, part

    found = dict(walk(json.loads(FIGURES[kind]().to_json())))
    assert found
    assert all(figure_letters(NAME) in text and NAME not in text for text in found.values()), found


@given(st.text(alphabet="$\\_^{}ab 1"))
def test_matplotlib_finds_no_formula_and_draws_the_letters(text: str):
    drawn, is_formula = Figure().text(0, 0, still_letters(text))._preprocess_math(still_letters(text))
    assert not is_formula
    assert drawn == " " * text.startswith("_") + text


@pytest.mark.parametrize("name", ["$x$", r"$\bad{$", "_hidden", "$$", "a_b$"])
def test_a_still_is_drawn_and_names_every_group_in_its_legend(name: str):
    figure = still_escape(T, {name: T})
    figure.savefig(io.BytesIO(), format="png")
    legends = [*figure.legends, *(axes.get_legend() for axes in figure.axes if axes.get_legend())]
    words = [text.get_text() for legend in legends for text in legend.get_texts()]
    assert any(name in word.replace(r"\$", "$") for word in words), words
