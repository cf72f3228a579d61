"""The pictures of the lessons as one script, which the page *Learn* and the site mount alike."""

from typing import Final

from wtflow.lessons.texts import FOLDER

_KERNEL: Final = ("math", "words", "stage", "controls")
_LAST: Final = "main"


def joined_scripts() -> str:
    """All scripts of assets/learn in the order in which they need each other: the kernel, the lessons by name, and
    `mountLesson`, which mounts them. No imports and no exports, so that a page may put them where it likes.
    """
    lessons = sorted(path.stem for path in FOLDER.glob("*.js") if path.stem not in (*_KERNEL, _LAST))
    return "\n".join((FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in (*_KERNEL, *lessons, _LAST))


def prediction_scripts() -> tuple[str, str]:
    """What the questions need of the kernel, and `mountPredictions`, which mounts them. On a page that has
    `joined_scripts` the second is enough.
    """
    kernel, questions = (FOLDER / name for name in ("stage.js", "predict/predict.js"))
    return kernel.read_text(encoding="utf-8"), questions.read_text(encoding="utf-8")
