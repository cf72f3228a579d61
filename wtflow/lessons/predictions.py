"""Predict, then look: the questions of a lesson with their answers to choose from, out of its text.

    ## Predict
    Where does one exact step bring a point far from the data?

    - Far from the origin
    - [x] To the origin

    Look: rho:0,steps:1

    For independent pairs every point lands there.

[x] marks the right answer; Look, which may be absent, has the settings that show it in the picture.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from wtflow.errors import SettingsError
from wtflow.lessons import LESSONS, load_lesson
from wtflow.lessons.base import Control
from wtflow.lessons.texts import read_lesson

FEWEST, MOST = 3, 4
"""Answers to choose from."""
CLASS_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,19}")
_OPTION = re.compile(r"^- (\[x\] )?(.+)$")
_LOOK = "Look: "


@dataclass(frozen=True, slots=True)
class Prediction:
    """A question, texts as Markdown. right: index into options; look: settings by control, None to stay."""

    id: str
    question: str
    options: tuple[str, ...]
    right: int
    answer: str
    look: dict[str, float] | None = None

    @property
    def key(self) -> str:
        """Changes with the question and its options, so that answers to another wording are not counted as these."""
        return hashlib.blake2b("\n".join([self.question, *self.options]).encode(), digest_size=4).hexdigest()


def predictions_of(name: str) -> tuple[Prediction, ...]:
    """The questions of a lesson in order. Raises SettingsError for an unknown lesson, and for a text that is not as
    above.
    """
    controls = load_lesson(name).CONTROLS
    parts = read_lesson(name).predictions
    return tuple(read_prediction(f"{name}-{number}", text, controls) for number, text in enumerate(parts, start=1))


def all_predictions() -> dict[str, Prediction]:
    """Those of all lessons by id, in teaching order."""
    return {one.id: one for name in LESSONS for one in predictions_of(name)}


def n_questions() -> int:
    """Of all lessons, without loading what computes them."""
    return sum(len(read_lesson(name).predictions) for name in LESSONS)


def encode_predictions(name: str, code: str) -> dict[str, object]:
    """The questions of a lesson as plain JSON values for assets/learn/predict/predict.js, texts as HTML. code: of a
    class, "" for none. Raises as `predictions_of`.
    """
    from wtflow.lessons.site.prose import to_html  # what joins a class's answers does without

    items = [
        {
            "id": one.id,
            "key": one.key,
            "question": to_html(one.question),
            "options": [to_html(option) for option in one.options],
            "right": one.right,
            "look": one.look,
            "answer": to_html(one.answer),
        }
        for one in predictions_of(name)
    ]
    return {"lesson": name, "items": items, "code": code, "total": n_questions()}


def read_prediction(name: str, text: str, controls: tuple[Control, ...]) -> Prediction:
    """One question out of what stands below its heading. Raises SettingsError, with what is missing."""
    lines = text.strip().splitlines()
    first = next((i for i, line in enumerate(lines) if _OPTION.match(line)), len(lines))
    found = [match for line in lines[first:] if (match := _OPTION.match(line))]
    rest = lines[first + len(found) :]
    look = next((line.removeprefix(_LOOK) for line in rest if line.startswith(_LOOK)), None)
    question = " ".join(lines[:first]).strip()
    answer = "\n".join(line for line in rest if not line.startswith(_LOOK)).strip()
    right = [i for i, match in enumerate(found) if match[1]]
    problem = (
        "it has no question" * (not question)
        or f"it has {len(found)} answers, not {FEWEST} or {MOST}" * (not FEWEST <= len(found) <= MOST)
        or f"{len(right)} of its answers are marked as right" * (len(right) != 1)
        or "nothing is said after the answers" * (not answer)
    )
    if problem:
        raise SettingsError(f"The question {name} cannot be read: {problem}.", fix=f"Edit assets/learn/{name[:-2]}.md.")
    return Prediction(
        name,
        question,
        tuple(match[2].strip() for match in found),
        right[0],
        answer,
        None if look is None else _settings(name, look, controls),
    )


def _settings(name: str, text: str, controls: tuple[Control, ...]) -> dict[str, float]:
    known = {control.name: control for control in controls}
    found: dict[str, float] = {}
    for pair in text.split(","):
        label, _, value = pair.partition(":")
        try:
            control, number = known[label.strip()], float(value)
        except (KeyError, ValueError):
            control, number = None, 0.0
        if control is None or not control.low <= number <= control.high:
            raise SettingsError(
                f"The question {name} shows {pair.strip()!r}, which the lesson cannot.",
                fix=f"Use {', '.join(f'{key}: {one.low:g} to {one.high:g}' for key, one in known.items())}.",
            )
        found[label.strip()] = number
    return found
