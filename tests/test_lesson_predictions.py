"""Predict, then look: the questions of all lessons are sound, what they show can be shown, each has a key."""

import math

import pytest

from wtflow.errors import SettingsError
from wtflow.flow import exact
from wtflow.lessons import LESSONS, load_lesson
from wtflow.lessons.base import Control
from wtflow.lessons.predictions import all_predictions, encode_predictions, predictions_of, read_prediction

CONTROLS = (Control("t", "Time", 0, 1, 0.01, 0), Control("kind", "Kind", 0, 2, 1, 0, "choice", ("a", "b", "c")))
TEXT = "Where to?\n\n- Left\n- [x] Right\n- Nowhere, $x=0$\n\nLook: t:0.5,kind:2\n\nBecause.\n\nIndeed."


def test_a_question_is_read_whole():
    one = read_prediction("toy-1", TEXT, CONTROLS)
    assert (one.question, one.options, one.right) == ("Where to?", ("Left", "Right", "Nowhere, $x=0$"), 1)
    assert one.look == {"t": 0.5, "kind": 2.0}
    assert one.answer == "Because.\n\nIndeed."
    assert read_prediction("toy-1", TEXT.replace("Look: t:0.5,kind:2\n\n", ""), CONTROLS).look is None


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("Where to?", "", "no question"),
        ("- Left\n", "", "2 answers"),
        ("- Left\n", "- Left\n- Up\n- Down\n", "5 answers"),
        ("[x] ", "", "0 of its answers"),
        ("- Left", "- [x] Left", "2 of its answers"),
        ("Because.\n\nIndeed.", "", "nothing is said"),
        ("t:0.5", "t:1.5", "t:1.5"),
        ("t:0.5", "u:0.5", "u:0.5"),
        ("t:0.5", "t:nan", "t:nan"),
        ("t:0.5", "t", "'t'"),
    ],
)
def test_a_question_that_is_not_sound_is_refused_with_what_is_wrong(old, new, word):
    with pytest.raises(SettingsError, match=word):
        read_prediction("toy-1", TEXT.replace(old, new), CONTROLS)


@pytest.mark.parametrize("name", LESSONS)
def test_every_lesson_asks_one_or_two_questions_and_moves_its_picture(name):
    found = predictions_of(name)
    assert 1 <= len(found) <= 2
    starts = {control.name: control.start for control in load_lesson(name).CONTROLS}
    for one in found:
        assert len(one.answer.split()) > 10
        assert len(set(one.options)) == len(one.options)
        if starts:
            assert one.look and any(starts[key] != value for key, value in one.look.items()), (
                "the picture does not move"
            )
        else:
            assert one.look is None


def test_ids_and_keys_tell_questions_apart_and_a_key_changes_with_the_words():
    found = all_predictions()
    assert len({one.key for one in found.values()}) == len(found) >= len(LESSONS)
    one = read_prediction("toy-1", TEXT, CONTROLS)
    assert read_prediction("toy-1", TEXT.replace("Indeed", "So it is"), CONTROLS).key == one.key
    assert read_prediction("toy-1", TEXT.replace("Left", "To the left"), CONTROLS).key != one.key


def test_the_right_answer_is_not_always_at_the_same_place():
    assert len({one.right for one in all_predictions().values()}) > 1


def test_the_browser_gets_html_and_formulas_it_can_draw():
    data = encode_predictions("average", "9B")
    assert data["code"] == "9B" and data["total"] == len(all_predictions())
    texts = [text for item in data["items"] for text in (item["question"], *item["options"], item["answer"])]
    assert all("$" not in text and "\\" not in text for text in texts)
    assert any("<math" in text for text in texts)


def test_what_the_answers_claim_of_one_gaussian_holds():
    """average-1: one step ends |rho| (x - m) / s from the origin; average-2: at rho = 0 at the origin, for every x."""
    for x in (1.0, 3.0):
        ends = [x + exact.gaussian_velocity(x, 0.0, 0.5, 0.7, rho) for rho in (-1.0, 0.0, 1.0)]
        away = (x - 0.5) / 0.7
        assert ends == pytest.approx([-away, 0.0, away], abs=1e-12)


def test_what_the_answer_claims_of_reversed_pairs_holds():
    """pairs-2: sorted against reversed, every two lines cross: B (B - 1) / 2."""
    data, noise = [-1.5, -0.2, 0.4, 0.9, 2.0], [1.8, 0.7, 0.1, -0.6, -2.1]
    pairs = list(zip(data, noise, strict=True))
    crossing = sum((a - c) * (b - d) < 0 for i, (a, b) in enumerate(pairs) for c, d in pairs[i + 1 :])
    assert crossing == math.comb(len(data), 2) == 5 * 4 // 2
