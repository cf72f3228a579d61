"""The animation as a file: moving dots with fading trails on fixed axes, as GIF or MP4."""

from collections.abc import Callable, Iterator
from typing import Final, Literal

import numpy as np
from matplotlib.backend_bases import RendererBase
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.figure import Figure
from matplotlib.text import Text

from wtflow.errors import MovieError
from wtflow.plots.disc_views import Disc
from wtflow.plots.groups import group_words
from wtflow.plots.letters import still_letters
from wtflow.plots.still.disc import draw_disc
from wtflow.plots.still.encode import to_gif, to_mp4
from wtflow.plots.still.paths import View, coordinates, dress
from wtflow.plots.still.sheet import COLUMN_MM, DRAWING, INK, TYPE_PT, add_legend, canvas_of, looks, new_sheet
from wtflow.plots.still.summary import counted, fair_sample
from wtflow.records.flow import UNMARKED, Travel

Format = Literal["gif", "mp4"]
MOST_PARTICLES: Final = 2_000
MOST_FRAMES: Final = 600
"""A GIF in the making keeps every frame: 600 of them are about 250 MB."""

WIDTH_PX, HEIGHT_PX = 720, 600  # even, as H.264 requires
_DPI = 144
_REST = 0.1
"""Share of the time for which the end is shown, so that an endless movie can be read before it starts again."""
_FADE = 0.88
"""What is left of a trail after one frame at 20 frames per second: half of it after a quarter of a second."""


def movie(
    travel: Travel,
    view: View,
    format: Format,
    seconds: float,
    fps: int,
    progress: Callable[[int, int], None],
    disc: Disc | None = None,
) -> bytes:
    """The paths as a movie that lasts `seconds`: from t=0 to t=1 at an even pace, then a short rest at the end.

    Positions between saved times lie on the straight line between them. Of more than 2,000 positions, 2,000 are drawn,
    rare groups whole. disc: describes the view "disc", whose ring of noise and shares outside move along. progress:
    called with (frames done, frames in all); an error it raises ends the movie, with nothing left behind. Raises
    MovieError for settings out of range, without positions, and for an MP4 without ffmpeg.
    """
    n_frames = _checked(travel, format, seconds, fps)
    stage = _Stage(travel, view, disc if view == "disc" else None)
    times = np.minimum(np.linspace(0, 1 / (1 - _REST), n_frames), 1.0)
    fade = _FADE ** (20 / fps)
    frames = _counted(stage.frames(times, fade), n_frames, progress)
    if format == "mp4":
        return to_mp4(frames, fps)
    ends = np.round(np.arange(1, n_frames + 1) * 100 / fps).astype(int)  # GIF counts in hundredths of a second
    # Colours of a few moments: the whole movie's are mixtures of the same few.
    samples = np.concatenate(list(stage.frames(np.array([0.0, 0.02, 0.5, 0.52, 0.98, 1.0]), fade)))
    return to_gif(frames, samples, (10 * np.diff(ends, prepend=0)).tolist())


def _checked(travel: Travel, format: str, seconds: float, fps: int) -> int:
    """The number of frames."""
    if format not in ("gif", "mp4"):
        raise MovieError(f"There is no movie format {format!r}.", fix="Choose gif or mp4.")
    if not len(travel.positions):
        raise MovieError("There is no position to move.", fix="Choose images and positions first.")
    if not 1 <= fps <= 50 or not seconds > 0:
        raise MovieError(
            f"A movie of {seconds:g} s at {fps} frames per second cannot be made.",
            fix="Choose 1 to 50 frames per second, and more than 0 s.",
        )
    n_frames = round(seconds * fps)
    if not 2 <= n_frames <= MOST_FRAMES:
        raise MovieError(
            f"{seconds:g} s at {fps} frames per second are {n_frames} frames, expected 2 to {MOST_FRAMES}.",
            fix="Change the length or the pace.",
        )
    return n_frames


def _counted(frames: Iterator[np.ndarray], n_frames: int, progress: Callable[[int, int], None]) -> Iterator[np.ndarray]:
    for done, frame in enumerate(frames, start=1):
        yield frame
        progress(done, n_frames)


class _Stage:
    """A figure whose axes are drawn once; each frame adds a piece of trail, dots and the time in pixels.

    Drawing the whole figure again for each frame would take ten times as long.
    """

    def __init__(self, travel: Travel, view: View, disc: Disc | None = None) -> None:
        self._travel, self._disc = travel, disc
        x, y = coordinates(travel, view, disc)
        self._t = np.asarray(travel.t, dtype=float)
        self._groups = fair_sample(travel.positions, MOST_PARTICLES)
        self._paths = {
            name: np.stack([x[:, own], y[:, own]], axis=-1).astype(float) for name, own in self._groups.items()
        }  # (S, n, 2)
        with DRAWING:
            self._build(travel, view, x, y)

    def _build(self, travel: Travel, view: View, x: np.ndarray, y: np.ndarray) -> None:
        figure, (axes,) = new_sheet(COLUMN_MM, COLUMN_MM)
        self._dots: dict[str, PathCollection] = {}
        self._trails: dict[str, LineCollection] = {}
        for name, look in looks(travel.positions.groups).items():
            label = counted(
                still_letters(group_words(name)), self._groups[name].size, int((travel.positions.group == name).sum())
            )
            trail = LineCollection([], colors=look.colour, linewidths=0.9)
            axes.add_collection(trail, autolim=False)
            self._trails[name] = trail
            self._dots[name] = axes.scatter(
                [], [], s=7, color=look.colour, edgecolors="white", linewidths=0.2, label=label
            )
        self._ring = None if self._disc is None else draw_disc(axes, self._disc, travel)
        if self._ring is None:
            dress(axes, travel, view)
        else:
            self._ring.set_label("noise shell")
        places = np.stack([x.ravel(), y.ravel()], axis=1)
        axes.update_datalim(places[np.isfinite(places).all(axis=1)])
        axes.autoscale_view()
        # Above the axes, because paths start anywhere in them.
        self._time: Text = axes.text(
            0, 1.02, "t = 0.00", transform=axes.transAxes, va="bottom", fontsize=TYPE_PT + 2, color=INK
        )
        figure.set_dpi(_DPI)
        figure.set_size_inches(WIDTH_PX / _DPI, HEIGHT_PX / _DPI)
        add_legend(figure, [axes], 3)
        figure.set_size_inches(WIDTH_PX / _DPI, HEIGHT_PX / _DPI)
        self._figure: Figure = figure
        moving = [*self._dots.values(), *self._trails.values(), self._time]
        moving += [] if self._ring is None else [self._ring]
        figure.draw_without_rendering()  # room is made for everything, then nothing moves any more
        figure.set_layout_engine("none")
        for artist in moving:
            artist.set_visible(False)
        figure.canvas.draw()
        for artist in moving:
            artist.set_visible(True)
        self._background = self._pixels()

    def frames(self, times: np.ndarray, fade: float) -> Iterator[np.ndarray]:
        """uint8 (H, W, 3) pictures at these times; trails start with the first."""
        trail, before = self._background.astype(np.float32), self._at(times[0])
        for t in times:
            now = self._at(t)
            with DRAWING:
                trail = self._background + fade * (trail - self._background)
                shown = self._show(trail)
                for name, points in now.items():
                    self._trails[name].set_segments(list(np.stack([before[name], points], axis=1)))
                    self._trails[name].draw(self._renderer)
                # Pixels without a new piece keep their fractions: rounded in every frame, a trail would never fade
                # altogether.
                pixels = self._pixels()
                trail = np.where(pixels == shown, trail, pixels)
                if self._ring is not None and self._disc is not None:
                    self._ring.set_radius(self._disc.ring_at(self._travel, t))
                    self._ring.draw(self._renderer)
                for name, points in now.items():
                    self._dots[name].set_offsets(points)
                    self._dots[name].draw(self._renderer)
                self._time.set_text(self._words(t))
                self._time.draw(self._renderer)
                frame = self._pixels()
            before = now
            yield frame

    def _words(self, t: float) -> str:
        return f"t = {t:.2f}" + ("" if self._disc is None else f"   {self._disc.words(self._travel, t)}")

    @property
    def _renderer(self) -> RendererBase:
        return canvas_of(self._figure).get_renderer()

    def _pixels(self) -> np.ndarray:
        return np.asarray(canvas_of(self._figure).buffer_rgba())[..., :3].copy()

    def _show(self, picture: np.ndarray) -> np.ndarray:
        """Put a picture under what is drawn next; returns it as it can be shown, uint8."""
        rounded = np.round(picture).astype(np.uint8)
        np.asarray(canvas_of(self._figure).buffer_rgba())[..., :3] = rounded
        return rounded

    def _at(self, t: float) -> dict[str, np.ndarray]:
        """Group -> (n, 2) places at a time, on the straight line between the saved times around it."""
        i = int(np.clip(np.searchsorted(self._t, t, side="right") - 1, 0, max(len(self._t) - 2, 0)))
        j = min(i + 1, len(self._t) - 1)
        share = 0.0 if i == j else float(np.clip((t - self._t[i]) / (self._t[j] - self._t[i]), 0, 1))
        lowest_first = sorted(self._paths.items(), key=lambda item: item[0] != UNMARKED)
        return {name: (1 - share) * path[i] + share * path[j] for name, path in lowest_first}
