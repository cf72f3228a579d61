"""What a class predicted: three pretended students joined into a table and a bar chart, and files that are none."""

import json
import os

import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from wtflow.cli.app import app
from wtflow.errors import SettingsError
from wtflow.lessons.answers import LARGEST, read_answers, write_answers
from wtflow.lessons.predictions import all_predictions

KNOWN = all_predictions()
FIRST, SECOND = list(KNOWN)[:2]


def hand_in(folder, student, choices, code="9B", **changes):
    """A file as a browser writes it. choices: id -> number of the option."""
    answers = [{"id": name, "key": KNOWN[name].key, "choice": choice} for name, choice in choices.items()]
    values = {"format": "wtflow-answers", "version": 1, "class": code, "student": student, "answers": answers} | changes
    path = folder / f"answers-{code}-{student}.json"
    path.write_text(json.dumps(values), encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path):
    """A student with both right, one with one right and one wrong, and one who answered one."""
    right, wrong = KNOWN[FIRST].right, (KNOWN[FIRST].right + 1) % 3
    hand_in(tmp_path, "aaaaaaaa", {FIRST: right, SECOND: KNOWN[SECOND].right})
    hand_in(tmp_path, "bbbbbbbb", {FIRST: wrong, SECOND: KNOWN[SECOND].right})
    hand_in(tmp_path, "cccccccc", {FIRST: wrong})
    return tmp_path


def test_three_students_become_a_table(folder):
    found = read_answers(folder, KNOWN)
    assert found.words == "3 students of class 9B answered 2 questions."
    assert found.students["right"].tolist() == [2, 1, 0]
    assert found.students["answered"].tolist() == [2, 2, 1]
    assert found.students[SECOND].tolist()[2] == ""
    lines = found.questions.set_index("question")
    assert lines.loc[FIRST, "answered"] == 3 and lines.loc[FIRST, "share_right"] == pytest.approx(1 / 3)
    assert lines.loc[SECOND, "right"] == 2 == lines.loc[SECOND, "answered"]
    assert sum(lines.loc[FIRST, letter] for letter in "ABCD") == 3
    assert not found.refused and not found.n_other


def test_the_files_to_take_home_say_the_same(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    found = read_answers(folder, KNOWN)
    written = write_answers(found, KNOWN, out)
    assert [path.name for path in written] == ["students.csv", "questions.csv", "answers.png", "answers.svg"]
    again = pd.read_csv(out / "students.csv", dtype=str)
    assert again["student"].tolist() == ["aaaaaaaa", "bbbbbbbb", "cccccccc"]
    with Image.open(out / "answers.png") as picture:
        assert picture.size[0] > 1000
    assert KNOWN[FIRST].options[0][:12] in (out / "answers.svg").read_text(encoding="utf-8")


def test_every_question_can_be_drawn(tmp_path):
    """Formulas in questions and options are also formulas to Matplotlib."""
    hand_in(tmp_path, "aaaaaaaa", {name: one.right for name, one in KNOWN.items()})
    assert len(write_answers(read_answers(tmp_path, KNOWN), KNOWN, tmp_path / "out")) == 4


def test_classes_stay_apart_and_a_student_who_hands_in_twice_counts_once(folder):
    hand_in(folder, "aaaaaaaa", {FIRST: 0}, code="9C")
    later = folder / "answers-9B-again.json"
    later.write_text(
        (folder / "answers-9B-cccccccc.json")
        .read_text()
        .replace(f'"choice": {(KNOWN[FIRST].right + 1) % 3}', f'"choice": {KNOWN[FIRST].right}')
    )
    os.utime(later, (2e9, 2e9))
    found = read_answers(folder, KNOWN)
    assert found.words == "4 students of 2 classes answered 2 questions."
    assert found.students.set_index(["class", "student"]).loc[("9B", "cccccccc"), "right"] == 1


def test_answers_to_other_words_are_set_aside(folder):
    answers = [
        {"id": FIRST, "key": "00000000", "choice": 0},
        {"id": "gone-1", "key": "00000000", "choice": 0},
        {"id": SECOND, "key": KNOWN[SECOND].key, "choice": 3},
    ]
    assert len(KNOWN[SECOND].options) == 3 or KNOWN[SECOND].options[3]
    hand_in(folder, "dddddddd", {}, answers=answers[: 2 + (len(KNOWN[SECOND].options) == 3)])
    found = read_answers(folder, KNOWN)
    assert found.n_other == 2 + (len(KNOWN[SECOND].options) == 3)
    assert found.students["answered"].tolist()[-1] == 0


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{",
        b"\xff\xfe\x00",
        b'{"format": "other"}',
        b" " * (LARGEST + 1),
        json.dumps({"format": "wtflow-answers", "version": 1, "class": "../x", "student": "aaaaaaaa", "answers": []}),
        json.dumps({"format": "wtflow-answers", "version": 1, "class": "9B", "student": "=1+1", "answers": []}),
        json.dumps({"format": "wtflow-answers", "version": 2, "class": "9B", "student": "aaaaaaaa", "answers": []}),
        "[" * 50_000,
    ],
)
def test_a_file_that_no_browser_wrote_is_named_and_the_others_count(folder, content):
    bad = folder / "answers-bad.json"
    bad.write_bytes(content if isinstance(content, bytes) else content.encode())
    found = read_answers(folder, KNOWN)
    assert len(found.students) == 3
    assert len(found.refused) == 1 and found.refused[0].startswith("answers-bad.json: ")


def test_a_folder_without_answers_is_refused(tmp_path):
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(SettingsError):
            read_answers(folder, KNOWN)


def test_the_command_joins_and_prints_them(folder):
    done = CliRunner().invoke(app, ["lesson", "--answers", str(folder), "--out", str(folder / "joined"), "--json"])
    assert done.exit_code == 0, done.output
    facts = json.loads(done.stdout.splitlines()[-1])
    assert facts["students"] == 3
    assert (folder / "joined" / "answers.png").is_file()
