"""What all lessons share: settings in an address, checks, scenes for the browser, data sets, and the rules that
their texts keep.
"""

import base64
import re
from pathlib import Path

import numpy as np
import pytest

from wtflow.errors import SettingsError
from wtflow.lessons import LESSONS, load_lesson
from wtflow.lessons.base import (
    DATA_SETS,
    Check,
    Control,
    Scene,
    choose_points,
    encode_scene,
    own_points,
    read_settings,
    write_settings,
)
from wtflow.lessons.texts import read_lesson
from wtflow.plots.theme import COLOURS

LEARN = Path(__file__).parents[1] / "assets" / "learn"
CONTROLS = (
    Control("t", "Time", 0, 1, 0.01, 0.3),
    Control("rho", "Correlation", -1, 1, 0.1, 0),
    Control("way", "Way", 0, 2, 1, 0, "choice", ("a", "b", "c")),
)


def test_settings_come_back_from_the_address_that_they_were_written_to():
    values = {"t": 0.1234, "rho": -0.5, "way": 2.0}
    assert write_settings(CONTROLS, values) == "t:0.1234,rho:-0.5,way:2"
    assert read_settings(CONTROLS, write_settings(CONTROLS, values)) == values


def test_settings_at_their_start_leave_the_address_empty():
    assert write_settings(CONTROLS, read_settings(CONTROLS, None)) == ""


@pytest.mark.parametrize("text", ["t:2,rho:nan,way:7.4", "T:0.5,t:1.0001,other:3,way:2", " t:99, rho:x,way:5,,:"])
def test_a_mistyped_address_opens_with_values_in_range(text):
    assert read_settings(CONTROLS, text) == {"t": 1.0, "rho": 0.0, "way": 2.0}


def test_a_check_holds_within_its_tolerance_and_not_beyond():
    assert Check("a", 0.51, 0.5, 0.02, "").holds
    assert not Check("a", 0.53, 0.5, 0.02, "").holds
    assert not Check("a", float("nan"), 0.5, 0.02, "").holds
    assert Check("a", 0.49874, 0.5, 1, "").words == "computed 0.4987, closed form 0.5000"
    assert Check("a", 1e-9, 0, 1, "").words == "computed 1.00e-09, closed form 0.0000"


def test_a_scene_travels_as_little_endian_single_precision_with_its_shape():
    sent = encode_scene(
        Scene({"points": np.array([[1.5, -2.0], [0.25, 4.0]]), "n": 3, "parts": [np.zeros(2)]}), {"t": 0.5}
    )
    assert sent["data"]["points"]["shape"] == [2, 2]
    assert np.frombuffer(base64.b64decode(sent["data"]["points"]["f4"]), "<f4").tolist() == [1.5, -2.0, 0.25, 4.0]
    assert (sent["data"]["n"], sent["data"]["parts"][0]["shape"], sent["settings"]) == (3, [2], {"t": 0.5})


def test_moving_a_slider_does_not_begin_the_picture_anew_but_other_points_do():
    first, moved, other = (
        encode_scene(Scene({"points": np.array([x])}), {"t": t})["fingerprint"]
        for x, t in ((1.0, 0.1), (1.0, 0.9), (2.0, 0.1))
    )
    assert first == moved != other


@pytest.mark.parametrize("name", DATA_SETS)
def test_every_data_set_is_as_far_from_the_origin_as_noise_and_repeats_with_its_seed(name):
    points = choose_points(name, None, 3)
    assert points.shape == (256, 2)
    np.testing.assert_allclose(points.mean(axis=0), 0, atol=1e-12)
    assert np.square(points).sum(axis=1).mean() == pytest.approx(2)
    np.testing.assert_array_equal(points, choose_points(name, None, 3))
    assert not np.array_equal(points, choose_points(name, None, 4))


def test_the_rings_are_two_circles_one_twice_as_large_as_the_other():
    radius = np.sort(np.linalg.norm(choose_points("rings", None, 0), axis=1))
    assert radius[len(radius) // 3 + 4 :].mean() / radius[: len(radius) // 3 - 4].mean() == pytest.approx(2, rel=0.05)


def test_drawn_points_come_from_the_address():
    assert own_points("1.5,-2;0,0.25;").tolist() == [[1.5, -2.0], [0.0, 0.25]]
    assert choose_points("drawn", "1,2", 0).tolist() == [[1.0, 2.0]]


@pytest.mark.parametrize("text", ["", "1;2", "1,2,3", "a,b", "1,nan", "9,0", ";".join(["0,0"] * 401)])
def test_drawn_points_that_cannot_be_read_are_refused(text):
    with pytest.raises(SettingsError, match="drawn points"):
        own_points(text)


def test_unknown_lessons_and_data_sets_are_refused_with_what_there_is():
    with pytest.raises(SettingsError, match="flow, lines"):
        load_lesson("calculus")
    with pytest.raises(SettingsError, match="moons"):
        choose_points("suns", None, 0)


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_is_short(name):
    body = read_lesson(name).body
    assert len(re.sub(r"\$\$?.*?\$\$?", "x", body).split()) <= 120


@pytest.mark.parametrize("name", [*LESSONS, "glossary"])
def test_no_lesson_claims_what_does_not_hold(name):
    """METHOD 5.2: |y| is the same for every coupling; 5.8: -x is a value at t=0, no limit; 5.9: after LayerNorm data
    lie on the shell.
    """
    sentences = re.split(r"(?<=[.?!:])\s", (LEARN / f"{name}.md").read_text(encoding="utf-8").lower())
    for sentence in sentences:
        assert not re.search(r"only (the )?(worst|wt)\b.*\bseparat", sentence), sentence
        assert not re.search(r"limit\b[^.]*(is|:) \$?-x", sentence), sentence
        assert not ("layernorm" in sentence and "inside" in sentence and "not" not in sentence), sentence


@pytest.mark.parametrize("name", [name for name in LESSONS if name != "features"])
def test_a_lesson_is_prepared_quickly_enough_to_wait_for_and_all_its_checks_hold(name):
    lesson = load_lesson(name)
    points = choose_points(lesson.DATA[0], None, 0) if lesson.DATA else None
    scene = lesson.prepare(0, points, read_settings(lesson.CONTROLS, None))
    assert len(scene.checks) >= 2
    assert [check for check in scene.checks if not check.holds] == []
    assert encode_scene(scene, {})["data"]


def test_the_colours_in_the_browser_are_those_of_the_plots():
    script = (LEARN / "stage.js").read_text(encoding="utf-8")
    for name in ("normal", "defect", "time", "selected", "reference"):
        assert f'{name}: "{COLOURS[name]}"' in script


def test_no_file_of_the_lessons_is_longer_than_a_person_reads_and_none_asks_the_network():
    for path in LEARN.glob("*.js"):
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 400, path.name
        assert not re.search(r"https?://(?!www\.w3\.org)|\bimport\b[^\n]*from|fetch\(", text), path.name
