"""The texts of the lessons in parts."""

import pytest

from wtflow.lessons import LESSONS
from wtflow.lessons.texts import FOLDER, LessonText, read_glossary, read_lesson, split_parts


def test_a_text_is_split_at_its_headings_and_at_nothing_else():
    text = "Body with ## inside.\n\n## Question\n\nWhy?\n\n### Not a part\n\n## Answer  \nBecause.\n"
    assert split_parts(text) == [
        ("", "Body with ## inside."),
        ("Question", "Why?\n\n### Not a part"),
        ("Answer", "Because."),
    ]


def test_all_questions_of_a_file_are_read_and_other_parts_left_out(tmp_path):
    (tmp_path / "tiny.md").write_text("Words.\n\n## Predict\nA?\n\n## Notes\nMore.\n\n## Predict\nB?\n", "utf-8")
    assert read_lesson("tiny", tmp_path) == LessonText("Words.", ("A?", "B?"))


def test_a_lesson_without_a_text_is_missed(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_lesson("flow", tmp_path)


@pytest.mark.parametrize("name", LESSONS)
def test_every_lesson_has_a_text_and_questions_and_nothing_of_its_file_is_lost(name):
    text = read_lesson(name)
    assert text.body and text.predictions
    file = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    assert "".join(file.split()) == "".join("##Predict".join([text.body, *text.predictions]).split())


def test_the_glossary_is_one_table_and_its_sources():
    table, sources = read_glossary().split("\n\n", 1)
    assert all(line.startswith("|") for line in table.splitlines())
    assert sources.startswith("Sources:")
