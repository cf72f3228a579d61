"""The story of one patch as a figure and a movie: image, patch, disc, distance over time and map, at one time."""

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from wtflow.errors import MovieError
from wtflow.numbers import flow_time, of_threshold, score
from wtflow.plots.disc import draw_in
from wtflow.plots.follow import Beside, Story
from wtflow.plots.still.encode import to_gif, to_mp4
from wtflow.plots.still.moving import Format
from wtflow.plots.still.sheet import DRAWING, FULL_MM, HEAT_MAP, INK, TYPE_PT, canvas_of, name_axes, new_sheet
from wtflow.plots.theme import COLOURS
from wtflow.records.follow import OwnPaths, norm_at, only, score_at

HEIGHT_MM: Final = 52.0
AROUND: Final = 3.5
"""Positions of the grid shown on each side of the patch, as on the page."""
PIECES: Final = 60
"""Times along a path that are drawn."""

FPS, SECONDS, REST_S = 15, 5.0, 1.0
"""Of a movie; the end stands still for the rest."""
_DPI = 144
WIDTH_PX: Final = 1036
"""Even, as H.264 requires; the height follows."""


def still_story(story: Story, cell: tuple[int, int], beside: Beside | None, threshold: float, t: float) -> Figure:
    """The five panels at time t. cell: the position followed; beside: what it is compared with, dashed."""
    with DRAWING:
        scene = _Scene(story, cell, beside, threshold)
        scene.show(t)
    return scene.figure


def story_movie(
    story: Story,
    cell: tuple[int, int],
    beside: Beside | None,
    threshold: float,
    format: Format,
    progress: Callable[[int, int], None],
) -> bytes:
    """The same from t=0 to t=1 as GIF or MP4. progress: called with (frames done, frames in all); an error it raises
    ends the movie. Raises MovieError for another format, and for an MP4 without ffmpeg.
    """
    if format not in ("gif", "mp4"):
        raise MovieError(f"There is no movie format {format!r}.", fix="Choose gif or mp4.")
    times = np.minimum(np.linspace(0, (SECONDS + REST_S) / SECONDS, round(FPS * (SECONDS + REST_S))), 1.0)
    with DRAWING:
        scene = _Scene(story, cell, beside, threshold)
        scene.figure.set_dpi(_DPI)
        scene.figure.set_size_inches(WIDTH_PX / _DPI, 2 * round(WIDTH_PX * HEIGHT_MM / FULL_MM / 2) / _DPI)
        scene.show(0.5)
        scene.figure.draw_without_rendering()  # room is made for everything, then nothing moves any more
        scene.figure.set_layout_engine("none")
    frames = _counted(scene.frames(times), len(times), progress)
    if format == "mp4":
        return to_mp4(frames, FPS)
    samples = np.concatenate(list(scene.frames(np.array([0.0, 0.5, 1.0]))))
    ends = np.round(np.arange(1, len(times) + 1) * 100 / FPS).astype(int)  # GIF counts in hundredths of a second
    return to_gif(frames, samples, (10 * np.diff(ends, prepend=0)).tolist())


def _counted(frames: Iterator[np.ndarray], n: int, progress: Callable[[int, int], None]) -> Iterator[np.ndarray]:
    for done, frame in enumerate(frames, start=1):
        yield frame
        progress(done, n)


class _Way:
    """A path to draw: where it is in both figures at any time."""

    def __init__(self, story: Story, paths: OwnPaths, angle: float, colour: str, is_main: bool) -> None:
        self.story, self.paths, self.angle, self.colour, self.is_main = story, paths, angle, colour, is_main

    def distance(self, times: np.ndarray) -> np.ndarray:
        return norm_at(self.paths, times).reshape(len(times))

    def places(self, times: np.ndarray) -> np.ndarray:
        """(T, 2) in the disc."""
        radius = self.distance(times) / np.interp(times, self.story.times, self.story.well)
        return _on_disc(self.story, radius, np.full(len(times), self.angle))


class _Scene:
    """The figure, with all that moves kept apart."""

    def __init__(self, story: Story, cell: tuple[int, int], beside: Beside | None, threshold: float) -> None:
        self.story, self.cell, self.threshold = story, cell, threshold
        self.figure, self.panels = new_sheet(FULL_MM, HEIGHT_MM, 5)
        image, patch, disc, chart, heat = self.panels
        is_inside = story.inside is not None and bool(story.inside[cell])
        is_defect = is_inside or (story.is_defective and story.inside is None)
        colour = COLOURS["defect" if is_defect else "normal"]
        one = np.zeros(story.alike.shape, bool)
        one[cell] = True
        self.ways = [_Way(story, only(story.paths, one), float(story.angles[cell]), colour, True)]
        if beside is not None:
            self.ways.insert(0, _Way(story, beside.paths, beside.angle, COLOURS["normal"], False))
        for axes, title in ((image, "image"), (patch, "patch")):
            _show_picture(axes, story)
            _frame(axes, cell, colour)
            _title(axes, title)
        row, column = cell
        patch.set_xlim(column + 0.5 - AROUND, column + 0.5 + AROUND)
        patch.set_ylim(row + 0.5 + AROUND, row + 0.5 - AROUND)
        if beside is not None and beside.sample_id == story.sample_id:
            _frame(image, beside.cell, COLOURS["normal"], dashed=True)
        self._build_disc(disc)
        self._build_chart(chart)
        self._map = heat.imshow(
            np.zeros(story.alike.shape),
            cmap=HEAT_MAP,
            vmin=story.color_range[0],
            vmax=story.color_range[1],
            interpolation="bilinear",
            extent=_extent(story),
        )
        _no_axes(heat, story)
        _frame(heat, cell, "white")

    def show(self, t: float) -> None:
        """Draw all that moves where it is at time t."""
        story, until = self.story, np.linspace(0, t, PIECES + 1)
        now = np.array([t])
        radius = norm_at(story.normals, now)[0] / np.interp(t, story.times, story.well)
        self._normals.set_offsets(_on_disc(story, radius, story.normal_angles))
        for way, trail, head, curve, dot in zip(
            self.ways, self._trails, self._heads, self._curves, self._dots, strict=True
        ):
            places = way.places(until)
            trail.set_data(*places.T)
            head.set_offsets(places[-1:])
            curve.set_data(until, way.distance(until))
            dot.set_offsets(np.stack([now, way.distance(now)], axis=1))
        self._marker.set_xdata([t, t])
        scores = score_at(story.paths, story.factors, now)[0]
        self._map.set_data(scores)
        here = float(scores[self.cell])
        share = of_threshold(here, self.threshold)
        _title(self.panels[4], f"map, score {score(here)}" + (f"\n{share}" if share else ""))
        _title(self.panels[3], f"distance, {flow_time(t)}")
        step = int(np.searchsorted(story.paths.t, t + 1e-6, side="right")) - 1
        auroc = None if story.over is None else float(story.over.image_auroc[step])
        is_known = auroc is not None and not np.isnan(auroc)
        words = f"image AUROC\n{auroc:.3f} at {flow_time(story.paths.t[step])}" if is_known else ""
        self.panels[4].set_xlabel(words, fontsize=TYPE_PT - 1, color=INK)

    def frames(self, times: np.ndarray) -> Iterator[np.ndarray]:
        """uint8 (H, W, 3) pictures at these times."""
        for t in times:
            with DRAWING:
                self.show(float(t))
                canvas = canvas_of(self.figure)
                canvas.draw()
                frame = np.asarray(canvas.buffer_rgba())[..., :3].copy()
            yield frame

    def _build_disc(self, axes: Axes) -> None:
        turn = np.linspace(-np.pi, np.pi, 181)
        axes.fill(np.cos(turn), np.sin(turn), color=COLOURS["normal"], alpha=0.13, linewidth=0)
        axes.plot(np.cos(turn), np.sin(turn), color=COLOURS["normal"], linewidth=1)
        self._normals = axes.scatter([], [], s=1.5, color=COLOURS["reference"], linewidths=0)
        axes.plot(0, 0, "+", color=INK, markersize=4, markeredgewidth=0.6)
        self._trails = [_line(axes, way) for way in self.ways]
        self._heads = [_dot(axes, way) for way in self.ways]
        rim = max(1.1, float(draw_in(np.array(self.story.farthest), self.story.farthest)))
        axes.set(xlim=(-rim - 0.1, rim + 0.1), ylim=(-rim - 0.1, rim + 0.1), aspect="equal")
        axes.axis("off")
        _title(axes, f"among {len(self.story.normal_angles)} normals")

    def _build_chart(self, axes: Axes) -> None:
        story, times = self.story, np.linspace(0, 1, PIECES + 1)
        axes.fill_between(story.times, story.well, color=COLOURS["normal"], alpha=0.14, linewidth=0)
        axes.plot(story.times, story.well, color=COLOURS["normal"], linewidth=1)
        for way in self.ways:
            axes.plot(times, way.distance(times), color=way.colour, linewidth=0.8, alpha=0.3)
        self._marker = axes.axvline(0, color=COLOURS["time"], linewidth=1)
        self._curves = [_line(axes, way) for way in self.ways]
        self._dots = [_dot(axes, way) for way in self.ways]
        axes.text(0.03, 0.03, "99\N{NBSP}% of normals", transform=axes.transAxes, fontsize=TYPE_PT - 2, color=INK)
        highest = max(float(story.well.max()), *(float(way.distance(times).max()) for way in self.ways))
        axes.set(xlim=(0, 1), ylim=(0, 1.06 * highest))
        axes.set_xticks([0, 1])
        name_axes(axes, "t", "")


def _on_disc(story: Story, radius: np.ndarray, angles: np.ndarray) -> np.ndarray:
    drawn = draw_in(radius, story.farthest)
    return np.stack([drawn * np.cos(angles), drawn * np.sin(angles)], axis=-1)


def _extent(story: Story) -> tuple[float, float, float, float]:
    """The image measured in positions of the grid."""
    rows, columns = story.alike.shape
    return (0, columns, rows, 0)


def _show_picture(axes: Axes, story: Story) -> None:
    axes.imshow(story.picture, extent=_extent(story))
    rows, columns = story.alike.shape
    for x, y in story.outline:
        for colour, width in ((COLOURS["halo"], 1.6), (COLOURS["truth"], 0.8)):
            axes.plot(x * columns, y * rows, color=colour, linewidth=width)
    _no_axes(axes, story)


def _no_axes(axes: Axes, story: Story) -> None:
    rows, columns = story.alike.shape
    height, width = story.picture.shape[:2]
    axes.set(xticks=[], yticks=[], xlim=(0, columns), ylim=(rows, 0), aspect=(height / rows) / (width / columns))
    axes.spines[:].set_visible(False)


def _frame(axes: Axes, cell: tuple[int, int], colour: str, *, dashed: bool = False) -> None:
    row, column = cell
    for ink, width in ((COLOURS["halo"], 2.0), (colour, 1.0)):
        style = "--" if dashed and ink == colour else "-"
        axes.add_patch(
            Rectangle((column, row), 1, 1, fill=False, edgecolor=ink, linewidth=width, linestyle=style, zorder=4)
        )


def _line(axes: Axes, way: _Way):
    (line,) = axes.plot([], [], color=way.colour, linewidth=1.6 if way.is_main else 1, ls="-" if way.is_main else "--")
    return line


def _dot(axes: Axes, way: _Way):
    size, marker = (26, "o") if way.is_main else (16, "s")
    return axes.scatter(
        [], [], s=size, marker=marker, color=way.colour, edgecolors="white", linewidths=0.5, zorder=5, clip_on=False
    )


def _title(axes: Axes, words: str) -> None:
    axes.set_title(words, fontsize=TYPE_PT - 1, color=INK)
