"""Lessons as files for slides, and the command that writes them."""

import json
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from wtflow.cli.app import app
from wtflow.errors import SettingsError
from wtflow.lessons import LESSONS, WITH_FIGURES, export, load_lesson
from wtflow.lessons.base import N_POINTS, choose_points, read_settings
from wtflow.lessons.export import export_lesson


@pytest.fixture
def short(monkeypatch):
    """A movie of three frames."""
    monkeypatch.setattr(export, "N_FRAMES", 3)


def test_a_lesson_that_moves_gives_a_png_and_svg_of_each_figure_and_a_gif(tmp_path, short):
    seen = []
    written = export_lesson(
        "well", tmp_path, settings_text="coupling:2,steps:4", progress=lambda done, total: seen.append((done, total))
    )
    assert [path.name for path in written] == [
        f"well-{part}.{ending}" for part in ("plane", "map", "scores") for ending in ("png", "svg")
    ] + ["well.gif"]
    assert seen == [(i, 9) for i in range(1, 10)]
    for path in tmp_path.glob("*.png"):
        with Image.open(path) as picture:
            assert np.asarray(picture.convert("L")).std() > 5, f"{path.name} is blank"
    for path in tmp_path.glob("*.svg"):
        assert ET.parse(path).getroot().tag.endswith("svg")
    with Image.open(tmp_path / "well.gif") as movie:
        assert (movie.n_frames, movie.width) == (3, 720)
        frames = []
        for i in range(3):
            movie.seek(i)
            frames.append(np.asarray(movie.convert("RGB")).astype(int))
    assert np.abs(frames[0] - frames[2]).mean() > 0.5, "nothing moved"


@pytest.mark.parametrize("name", LESSONS)
def test_the_lessons_listed_as_having_figures_are_those_that_draw_one(name):
    lesson = load_lesson(name)
    settings = read_settings(lesson.CONTROLS, "")
    points = choose_points(lesson.DATA[0], None, 0, N_POINTS) if lesson.DATA else None
    assert bool(lesson.figure(lesson.prepare(0, points, settings), settings)) == (name in WITH_FIGURES)


def test_the_help_lists_exactly_the_lessons_that_can_be_written():
    text = re.sub(r"\s+", " ", CliRunner().invoke(app, ["lesson", "--help"]).output)
    assert set(re.findall(r"\w+", re.search(r"name <str> ([^.]*)\.", text)[1])) - {"or"} == set(WITH_FIGURES)


def test_the_same_call_gives_the_same_bytes(tmp_path, short):
    first, second = (export_lesson("well", tmp_path / name, seed=0) for name in ("a", "b"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"name": "wells"}, "no lesson 'wells'"),
        ({"name": "features"}, "has no figures"),
        ({"name": "well", "settings_text": "q:1"}, "no setting 'q'"),
        ({"name": "well", "settings_text": "t:half"}, "does not give a number"),
        ({"name": "well", "data": "spiral"}, "no data set 'spiral'"),
        ({"name": "well", "points": "1,2;x"}, "cannot be read"),
        ({"name": "features", "data": "moons"}, "not about a data set"),
    ],
)
def test_a_mistake_gets_a_sentence_and_nothing_is_written(arguments, words, tmp_path):
    with pytest.raises(SettingsError, match=words):
        export_lesson(out=tmp_path / "out", **arguments)
    assert not (tmp_path / "out").exists()


def test_the_command_says_what_it_wrote_and_where(tmp_path, short):
    result = CliRunner().invoke(
        app, ["lesson", "well", "--out", str(tmp_path / "slides"), "--set", "t:0.4", "--data", "rings", "--json"]
    )
    assert result.exit_code == 0, result.output
    facts = json.loads(result.stdout.rstrip("\n").splitlines()[-1])
    assert facts["lesson"] == "well"
    assert sorted(facts["files"]) == sorted(path.name for path in (tmp_path / "slides").iterdir())


def test_the_command_fails_with_code_2_for_a_folder_that_is_a_file(tmp_path, short):
    (tmp_path / "taken").write_text("x")
    result = CliRunner().invoke(app, ["lesson", "well", "--out", str(tmp_path / "taken")])
    assert result.exit_code == 2
    assert "not a folder that can be written to" in result.output
