"""Writing the site to a folder."""

from datetime import date
from pathlib import Path
from typing import Final

from wtflow.lessons import LESSONS, SHOW_A_RUN, STORED_SAMPLES, load_lesson
from wtflow.lessons.scripts import joined_scripts, prediction_scripts
from wtflow.lessons.site.pages import SOURCE, write_pages
from wtflow.lessons.site.scenes import n_scenes, scenes_of
from wtflow.lessons.texts import FOLDER
from wtflow.machine.places import ASSETS
from wtflow.machine.progress import Progress
from wtflow.store.files import write_atomic

_SCRIPTS: Final = ("address", "site")
"""Of assets/learn/site, in the order in which they need each other."""


def write_site(
    out: Path,
    n_samples: int = STORED_SAMPLES,
    day: date | None = None,
    progress: Progress = lambda done, total: None,
) -> list[Path]:
    """Write the lessons as static files to a folder; returns their paths. Files of the same names are replaced, others
    stay.

    n_samples: how many samples of each data set to store; day: the date that the pages show, today if None. Raises
    StoreError and others of `wtflow.store.files` where the folder cannot be written to.
    """
    lessons = {name: load_lesson(name) for name in LESSONS if name not in SHOW_A_RUN}
    texts = write_pages(n_samples, day or date.today())
    texts |= {
        "lessons.css": "\n".join(
            path.read_text(encoding="utf-8")
            for path in (FOLDER / "learn.css", FOLDER / "predict" / "predict.css", SOURCE / "site.css")
        ),
        "look.js": (SOURCE / "look.js").read_text(encoding="utf-8"),
        "lessons.js": _script(),
        "icon.svg": (ASSETS / "icon.svg").read_text(encoding="utf-8"),
    }
    total = len(texts) + sum(n_scenes(lesson, n_samples) for lesson in lessons.values())
    written = [_write(out / name, text) for name, text in texts.items()]
    for name, lesson in lessons.items():
        for key, script in scenes_of(name, lesson, n_samples):
            written.append(_write(out / "scenes" / f"{key}.js", script))
            progress(len(written), total)
    return written


def _script() -> str:
    """The lessons and what mounts them on a page, in a scope of their own."""
    own = "\n".join((SOURCE / f"{name}.js").read_text(encoding="utf-8") for name in _SCRIPTS)
    return f"(() => {{\n{joined_scripts()}\n{prediction_scripts()[1]}\n{own}\n}})();\n"


def _write(path: Path, text: str) -> Path:
    write_atomic(path, lambda file: file.write(text.encode()), is_flushed=False)
    return path
