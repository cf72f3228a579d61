"""A lesson's figures as files for slides: PNG and SVG, and a GIF where the lesson has a control t."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Final

import numpy as np

from wtflow.errors import SettingsError
from wtflow.lessons import LESSONS, SHOW_A_RUN, load_lesson
from wtflow.lessons.base import N_POINTS, Scene, choose_points, read_settings
from wtflow.lessons.out import make_folder
from wtflow.machine.progress import Progress
from wtflow.store.files import write_atomic

N_FRAMES: Final = 41
FRAME_MS: Final = 100
_REST_FRAMES = 10
"""The end stays for a second before a looping movie starts again."""
_MOVIE_PX = 720


def export_lesson(
    name: str,
    out: Path,
    seed: int = 0,
    settings_text: str = "",
    data: str | None = None,
    points: str | None = None,
    progress: Progress = lambda done, total: None,
) -> list[Path]:
    """Write `<lesson>-<figure>.png` and `.svg` for each figure of a lesson and, if it has a control t, `<lesson>.gif`;
    returns the paths.

    settings_text: as in the page's address, "t:0.3,rho:-0.5"; data: a data set by name, the lesson's first if None;
    points: drawn by hand, as in the address. Raises SettingsError for an unknown lesson, setting or data set, and for a
    lesson without figures.
    """
    lesson = load_lesson(name)
    settings = _read(lesson, name, settings_text)
    scene = lesson.prepare(seed, _points(lesson, name, data, points, seed), settings)
    figures = lesson.figure(scene, settings)
    if name in SHOW_A_RUN:
        raise SettingsError(
            f'The lesson "{LESSONS[name]}" has no figures: it shows a run.',
            fix=(
                "Open the pages Trajectories and Wells, which offer their figures as files, or export the run: python"
                " -m wtflow export RUN --out DIR"
            ),
        )
    from wtflow.plots.still.sheet import to_png, to_svg  # Matplotlib takes a second to load: not for a wrong name

    moves = any(control.name == "t" for control in lesson.CONTROLS)
    total, done, written = 2 * len(figures) + N_FRAMES * moves, 0, []
    make_folder(out)
    for part, figure in figures:
        for ending, draw in (("png", to_png), ("svg", to_svg)):
            written.append(_write(out / f"{name}-{part}.{ending}", draw(figure)))
            done += 1
            progress(done, total)
    if moves:
        written.append(
            _write(out / f"{name}.gif", _movie(lesson, scene, settings, lambda frame: progress(done + frame, total)))
        )
    return written


def _read(lesson: ModuleType, name: str, text: str) -> dict[str, float]:
    """Values of all controls. A command is stricter than an address: an unknown name is an error."""
    known = {control.name for control in lesson.CONTROLS}
    for pair in filter(None, (pair.strip() for pair in text.split(","))):
        label, _, value = pair.partition(":")
        if label not in known:
            raise SettingsError(
                f"The lesson {name} has no setting {label!r}.",
                fix=f"Use {', '.join(sorted(known)) or 'none'}, as in --set t:0.3",
            )
        try:
            float(value)
        except ValueError:
            raise SettingsError(
                f"{pair!r} does not give a number.", fix=f"Write NAME:NUMBER, as in --set {label}:0.3"
            ) from None
    return read_settings(lesson.CONTROLS, text)


def _points(lesson: ModuleType, name: str, data: str | None, points: str | None, seed: int) -> np.ndarray | None:
    if not lesson.DATA:
        if data or points:
            raise SettingsError(f"The lesson {name} is not about a data set.", fix="Leave out --data and --points.")
        return None
    if data and data not in lesson.DATA and not points:
        raise SettingsError(
            f"The lesson {name} has no data set {data!r}.", fix=f"Choose one of {', '.join(lesson.DATA)}."
        )
    return choose_points("drawn" if points else data or lesson.DATA[0], points, seed, N_POINTS)


def _movie(lesson: ModuleType, scene: Scene, settings: dict[str, float], progress: Callable[[int], None]) -> bytes:
    """The lesson's first figure while t runs over its range."""
    from wtflow.plots.still.encode import to_gif

    time = next(control for control in lesson.CONTROLS if control.name == "t")

    def frames() -> Iterator[np.ndarray]:
        for i, t in enumerate(np.linspace(time.low, time.high, N_FRAMES), start=1):
            yield _frame(lesson, scene, settings | {"t": float(t)})
            progress(i)

    middle = (time.low + time.high) / 2
    samples = np.concatenate([_frame(lesson, scene, settings | {"t": t}) for t in (time.low, middle, time.high)])
    return to_gif(frames(), samples, [FRAME_MS] * (N_FRAMES - 1) + [FRAME_MS * _REST_FRAMES])


def _frame(lesson: ModuleType, scene: Scene, settings: dict[str, float]) -> np.ndarray:
    """uint8 (H, W, 3), `_MOVIE_PX` wide."""
    from wtflow.plots.still.sheet import DRAWING, FigureCanvasAgg

    _, figure = lesson.figure(scene, settings)[0]
    with DRAWING:
        figure.set_dpi(_MOVIE_PX / figure.get_figwidth())
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _write(path: Path, content: bytes) -> Path:
    write_atomic(path, lambda file: file.write(content))
    return path
