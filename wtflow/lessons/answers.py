"""A class's predictions: files that students hand in, one each, joined to a table and a bar chart.

The browser writes the files (assets/learn/predict/predict.js). They hold no name: a student is a random number of the
browser. Answers to another wording of a question are set aside, never counted as answers to this one.
"""

import csv
import io
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from wtflow.errors import SettingsError
from wtflow.lessons.out import make_folder
from wtflow.lessons.predictions import CLASS_CODE, MOST, Prediction
from wtflow.machine.progress import Progress
from wtflow.numbers import count
from wtflow.store.files import write_atomic

LARGEST: Final = 65_536
"""Bytes of a file that is read; one with all questions has about two thousand."""
MOST_FILES: Final = 5000
LETTERS: Final = "ABCD"

_Id = Annotated[str, Field(pattern=r"^[a-z_]{1,40}-[1-9]$")]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)
    id: _Id
    key: Annotated[str, Field(pattern=r"^[0-9a-f]{8}$")]
    choice: Annotated[int, Field(ge=0, lt=MOST)]


class HandedIn(BaseModel):
    """One student's file."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    format: Literal["wtflow-answers"]
    version: Literal[1]
    code: Annotated[str, Field(alias="class", pattern=rf"^(?:{CLASS_CODE.pattern})$")]
    student: Annotated[str, Field(pattern=r"^[0-9a-f]{8}$")]
    answers: Annotated[tuple[_Answer, ...], Field(max_length=200)]


@dataclass(frozen=True, slots=True)
class ClassAnswers:
    """What a folder of files amounts to.

    students: a row for each student of each class: `class`, `student`, `right`, `answered`, and by id of the question
    the letter chosen ("" for none). questions: a row for each question that anybody answered: `question`, `text`,
    `answered`, `right` (counts), `share_right`, and `A` to `D`, counts. refused: files that are not counted, and why.
    n_other: answers to another wording.
    """

    students: pd.DataFrame
    questions: pd.DataFrame
    refused: tuple[str, ...] = ()
    n_other: int = 0

    @property
    def counts(self) -> dict[str, tuple[int, ...]]:
        """Id of each question -> how often A to D were chosen."""
        rows = self.questions.to_dict("records")
        return {str(row["question"]): tuple(int(row[letter]) for letter in LETTERS) for row in rows}

    @property
    def words(self) -> str:
        """3 students of 1 class answered 14 questions."""
        n, classes = len(self.students), self.students["class"].nunique()
        of = f" of {classes} classes" if classes > 1 else f" of class {self.students['class'].iloc[0]}" if n else ""
        return f"{count(n, 'student')}{of} answered {count(len(self.questions), 'question')}."


def read_answers(folder: Path, known: dict[str, Prediction]) -> ClassAnswers:
    """Join all answers-*.json of a folder. Two files of one student in one class count once, the later one.
    known: id -> question. Raises SettingsError where there is no such folder or no such file in it.
    """
    if not folder.is_dir():
        raise SettingsError(f"{folder} is not a folder.", fix="Put the files that students handed in into one folder.")
    paths = sorted(folder.glob("answers-*.json"))
    if not paths:
        raise SettingsError(
            f"There is no file answers-*.json in {folder}.", fix="Students save theirs below the questions of a lesson."
        )
    if len(paths) > MOST_FILES:
        raise SettingsError(
            f"{folder} has {len(paths):,} files; at most {MOST_FILES:,} are read.",
            fix="Put the files of each class into a folder of their own.",
        )
    found: dict[tuple[str, str], tuple[float, HandedIn]] = {}
    refused = []
    for path in paths:
        try:
            one, changed = _read(path), path.stat().st_mtime
        except (OSError, ValueError) as error:
            refused.append(f"{path.name}: {_why(error)}")
            continue
        key = (one.code, one.student)
        if key not in found or changed >= found[key][0]:
            found[key] = (changed, one)
    return _join([one for _, one in found.values()], known, tuple(refused))


def write_answers(
    answers: ClassAnswers, known: dict[str, Prediction], out: Path, progress: Progress = lambda done, total: None
) -> list[Path]:
    """Write students.csv, questions.csv, and answers.png and .svg, the bar chart; returns their paths. Raises
    StoreError.
    """
    from wtflow.plots.still.answers import Bars, draw_answers
    from wtflow.plots.still.sheet import to_png, to_svg

    make_folder(out)
    asked = [(known[name], counts) for name, counts in answers.counts.items()]
    bars = [Bars(one.id, one.question, one.options, one.right, counts) for one, counts in asked]
    contents: dict[str, Callable[[], bytes]] = {
        "students.csv": lambda: _csv(answers.students),
        "questions.csv": lambda: _csv(answers.questions),
        "answers.png": lambda: to_png(draw_answers(bars, answers.words)),
        "answers.svg": lambda: to_svg(draw_answers(bars, answers.words)),
    }
    written = []
    for done, (name, make) in enumerate(contents.items(), start=1):
        content = make()
        write_atomic(out / name, lambda file, content=content: file.write(content))
        written.append(out / name)
        progress(done, len(contents))
    return written


# -- inside ------------------------------------------------------------------------------------------------------------


def _csv(table: pd.DataFrame) -> bytes:
    """UTF-8 with a byte-order mark, by which spreadsheets know it. No cell begins as a formula: they are codes,
    letters, numbers, and our own texts.
    """
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([table.columns, *table.itertuples(index=False)])
    return text.getvalue().encode("utf-8-sig")


def _read(path: Path) -> HandedIn:
    """Raises OSError, and ValueError for a file that students' browsers do not write."""
    with path.open("rb") as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ValueError(f"it is larger than {LARGEST // 1024} KiB")
    return HandedIn.model_validate_json(content)


def _why(error: OSError | ValueError) -> str:
    if isinstance(error, OSError):
        return error.strerror or "it cannot be read"
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return ": ".join(filter(None, [".".join(map(str, first["loc"])), first["msg"]]))
    return str(error)


def _join(files: list[HandedIn], known: dict[str, Prediction], refused: tuple[str, ...]) -> ClassAnswers:
    tallies: dict[str, Counter[int]] = {name: Counter() for name in known}
    rows: list[dict[str, Any]] = []
    n_other = 0
    for one in sorted(files, key=lambda one: (one.code, one.student)):
        chosen: dict[str, int] = {}
        for answer in one.answers:
            asked = known.get(answer.id)
            if asked is None or asked.key != answer.key or answer.choice >= len(asked.options):
                n_other += 1
            else:
                chosen[answer.id] = answer.choice
        for name, choice in chosen.items():
            tallies[name][choice] += 1
        n_right = sum(known[name].right == choice for name, choice in chosen.items())
        letters = {name: LETTERS[chosen[name]] if name in chosen else "" for name in known}
        rows.append({"class": one.code, "student": one.student, "right": n_right, "answered": len(chosen)} | letters)
    asked_of = [name for name, tally in tallies.items() if tally]
    students = pd.DataFrame(rows, columns=["class", "student", "right", "answered", *known])
    questions = pd.DataFrame(
        [_line(known[name], tallies[name]) for name in asked_of],
        columns=["question", "text", "answered", "right", "share_right", *LETTERS],
    )
    return ClassAnswers(
        students.drop(columns=[name for name in known if name not in asked_of]), questions, refused, n_other
    )


def _line(asked: Prediction, tally: Counter[int]) -> dict[str, Any]:
    n, right = tally.total(), tally[asked.right]
    counts = {letter: tally[i] for i, letter in enumerate(LETTERS)}
    return {
        "question": asked.id,
        "text": asked.question,
        "answered": n,
        "right": right,
        "share_right": right / n,
    } | counts
