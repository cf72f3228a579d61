"""Figures for papers and movies: what they show, that they come out the same twice, and that they end cleanly."""

import io
import subprocess
import tempfile
import threading
from dataclasses import replace
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from matplotlib.collections import FillBetweenPolyCollection
from matplotlib.figure import Figure
from PIL import Image
from scipy.stats import chi

from wtflow.errors import MovieError, SettingsError
from wtflow.flow.exact import gaussian_flow_map, gaussian_velocity
from wtflow.plots.disc_views import Disc
from wtflow.plots.still.encode import find_ffmpeg, to_gif, to_mp4
from wtflow.plots.still.ideal import PANELS, still_ideal, still_ideal_norms
from wtflow.plots.still.landscape import still_landscape
from wtflow.plots.still.moving import movie
from wtflow.plots.still.over_time import TITLES, still_depth, still_escape, still_over_time
from wtflow.plots.still.paths import MOST_PATHS, VIEWS, still_paths
from wtflow.plots.still.points import still_points
from wtflow.plots.still.radius import still_radius
from wtflow.plots.still.sheet import to_png, to_svg
from wtflow.plots.still.solvers import still_return, still_steps
from wtflow.plots.still.summary import band, fair_sample, noise_shell
from wtflow.plots.theme import COLOURS
from wtflow.records.flow import Ideal, Landscape, PositionSet, Projection, ReturnTrip, StepsRow, Travel
from wtflow.studies.well import yardstick_of

needs_ffmpeg = pytest.mark.skipif(find_ffmpeg() is None, reason="ffmpeg is not installed")


def gaussian_travel(n: int = 40, n_channels: int = 16, n_times: int = 6) -> Travel:
    """Half good positions from N(0, 0.6^2) and half cracks three times as far out, moved by the closed form of the
    flow.
    """
    group = np.array(["good"] * (n // 2) + ["crack"] * (n - n // 2))
    start = 0.6 * np.random.default_rng(0).normal(size=(n, n_channels)) * np.where(group == "good", 1, 3)[:, None]
    t = np.linspace(0, 1, n_times)
    x = np.stack([gaussian_flow_map(start, time, 0.0, 0.6) for time in t])
    v = np.stack([gaussian_velocity(at, time, 0.0, 0.6) for at, time in zip(x, t, strict=True)])
    norm, speed, line = np.linalg.norm(x, axis=2), np.linalg.norm(v, axis=2), x[-1] - x[0]
    index = np.arange(n)
    return Travel(
        positions=PositionSet(index // 10, index % 10, index % 7, group, index.astype(np.float32)),
        t=t,
        norm=norm,
        speed=speed,
        alignment=(x * start).sum(2) / norm / norm[0],
        straightness=(v * line).sum(2) / speed / np.linalg.norm(line, axis=1),
        radial=(v * x).sum(2) / norm,
        plane=x[..., :2],
        explained=(0.31, 0.12),
        n_channels=n_channels,
        divergence=speed - 3,
    )


TRAVEL = gaussian_travel()
DISC = Disc(yardstick_of(TRAVEL))
PROJECTION = Projection("pca", TRAVEL.t, TRAVEL.plane, 40, (0.31, 0.12))
GRID = np.linspace(-2, 2, 21)
BOWL = np.add.outer(GRID**2, GRID**2) / 2
LANDSCAPE = Landscape(
    0.5,
    GRID,
    GRID,
    np.stack(np.meshgrid(-GRID, -GRID), axis=-1),
    BOWL,
    0.99,
    0.4,
    ("toward a normal", "toward a crack"),
    (("start", 1.0, 1.0),),
)
ROWS = [
    StepsRow(
        "euler",
        1,
        1,
        0.5,
        {"image_auroc": 0.6, "aupro": None},
        {"good": (1.0, 2.0, 3.0), "crack": (2.0, 3.0, 5.0)},
        False,
    ),
    StepsRow(
        "euler",
        4,
        4,
        2.0,
        {"image_auroc": 0.8, "aupro": None},
        {"good": (2.0, 3.0, 4.0), "crack": (4.0, 6.0, 9.0)},
        True,
    ),
    StepsRow(
        "heun",
        4,
        8,
        4.0,
        {"image_auroc": 0.9, "aupro": None},
        {"good": (2.0, 3.0, 4.0), "crack": (4.0, 6.0, 9.0)},
        False,
    ),
]
TRIPS = [
    ReturnTrip("euler", n, {"good": (0.1 / n, 0.2 / n, 0.4 / n), "crack": (0.2 / n, 0.3 / n, 0.9 / n)})
    for n in (1, 4, 10)
]
CURVES = {"good": np.full(6, 0.01), "crack": np.linspace(0.2, 0.7, 6)}
EDGES = np.array([0.0, 2.0, 4.0])
SHARES = {"good": np.tile([0.75, 0.25], (6, 1)), "crack": np.tile([0.5, 0.5], (6, 1))}

STARTS = TRAVEL.plane[0]
IDEAL = Ideal(
    TRAVEL.t,
    STARTS,
    {name: STARTS * factor for name, factor in zip(PANELS, (0.0, 1.0, -1.0), strict=False)},
    TRAVEL.plane,
    dict.fromkeys(PANELS, TRAVEL.norm),
    dict.fromkeys(PANELS[:3], 2.0),
    dict.fromkeys(PANELS[:3], 0.1),
    "worst",
)
"""The worst coupling here pairs every start with its opposite, so that all its lines cross the origin half-way."""

FIGURES = {
    **{f"paths {view}": lambda view=view: still_paths(TRAVEL, view, DISC) for view in VIEWS},
    **{f"over time {name}": lambda name=name: still_over_time(TRAVEL, name) for name in TITLES},
    "points": lambda: still_points(PROJECTION, TRAVEL.positions.group),
    "points by number": lambda: still_points(PROJECTION, TRAVEL.positions.score, title="anomaly score"),
    "depth": lambda: still_depth(TRAVEL.t, np.linspace(-1, 1, 6)),
    "ideal": lambda: still_ideal(IDEAL),
    "ideal norms": lambda: still_ideal_norms(IDEAL),
    "escape": lambda: still_escape(TRAVEL.t, CURVES),
    "radius": lambda: still_radius(TRAVEL.t, EDGES, SHARES, 16),
    "landscape": lambda: still_landscape(LANDSCAPE),
    "steps": lambda: still_steps(ROWS, 16),
    "return": lambda: still_return(TRIPS),
}


def texts(svg: bytes) -> set[str]:
    """All text of a picture, as text."""
    return {
        "".join(node.itertext()).strip()
        for node in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    }


def test_each_coupling_draws_its_own_lines_and_the_learned_paths_their_own():
    drawn = {axes.get_title(): np.array(axes.collections[0].get_segments()) for axes in still_ideal(IDEAL).axes}
    independent, optimal, worst, learned = drawn.values()
    assert np.allclose(independent[:, -1], 0)
    assert np.allclose(optimal[:, -1], STARTS)
    assert np.allclose(worst[:, -1], -STARTS)
    assert np.allclose(learned, TRAVEL.plane.transpose(1, 0, 2))
    assert [title.split(",")[0] for title in drawn] == ["independent", "optimal", "worst", "learned (worst)"]


# ---- every figure


@pytest.mark.parametrize("name", [name for name in FIGURES if name != "paths disc"])  # it has circles instead of axes
def test_every_panel_names_its_x_axis_and_the_first_its_y_axis(name):
    figure = FIGURES[name]()
    panels = [axes for axes in figure.axes if axes.get_label() != "<colorbar>"]
    assert panels[0].get_ylabel()
    assert all(axes.get_xlabel() for axes in panels)


@pytest.mark.parametrize("name", FIGURES)
def test_the_same_input_gives_the_same_bytes_and_text_that_stays_text(name):
    first, second = FIGURES[name](), FIGURES[name]()
    svg = to_svg(first)
    assert svg == to_svg(second)
    words = first.axes[0].get_xlabel(), first.axes[0].get_ylabel(), first.axes[0].get_title()
    assert {word for word in words if word} <= texts(svg)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_as_wide_as_a_column_or_a_page(name):
    assert FIGURES[name]().get_figwidth() * 25.4 == pytest.approx(89) or FIGURES[
        name
    ]().get_figwidth() * 25.4 == pytest.approx(183)


def test_a_png_has_300_dots_per_inch_and_a_white_ground_and_comes_out_the_same_twice():
    png = to_png(FIGURES["escape"]())
    assert png == to_png(FIGURES["escape"]())
    picture = Image.open(io.BytesIO(png))
    assert abs(picture.width - 89 / 25.4 * 300) < 1
    assert round(picture.info["dpi"][0]) == 300
    assert picture.convert("RGB").getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize("name", FIGURES)
def test_no_text_is_cut_off_at_the_edge(name):
    assert_whole(FIGURES[name]())


def test_long_names_of_many_groups_are_not_cut_off_either_and_leave_the_panels_their_room():
    curves = dict.fromkeys(
        ("good", *(f"scratch of the {i}th kind, deep" for i in range(8)), "unmarked"), CURVES["crack"]
    )
    figure = still_escape(TRAVEL.t, curves)
    assert_whole(figure)
    heights = [made.axes[0].get_position().height * made.get_figheight() for made in (figure, FIGURES["escape"]())]
    assert heights[1] > 1 and abs(heights[0] - heights[1]) < 0.2, "inches; only the sheet grows"


def assert_whole(figure: Figure) -> None:
    figure.draw_without_rendering()
    seen = figure.get_tightbbox(figure.canvas.get_renderer())  # inches
    width, height = figure.get_size_inches()
    assert seen.x0 > -0.02 and seen.y0 > -0.02 and seen.x1 < width + 0.02 and seen.y1 < height + 0.02


def test_drawing_leaves_the_settings_of_the_process_alone_also_from_several_threads():
    before = dict(matplotlib.rcParams)
    made: list[bytes] = []
    threads = [threading.Thread(target=lambda: made.append(to_svg(FIGURES["escape"]()))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 1 and len(made) == 4
    assert dict(matplotlib.rcParams) == before


def test_the_names_of_the_package_are_found_when_they_are_used():
    """That it loads no matplotlib before is in test_boundaries."""
    from wtflow.plots import still

    assert callable(still.movie) and still.still_paths is still_paths
    with pytest.raises(AttributeError, match="no attribute 'pyplot'"):
        _ = still.pyplot


# ---- numbers


def test_the_median_and_the_band_of_five_positions_are_those_worked_by_hand():
    norm = np.array(
        [[5.0, 1.0, 4.0, 2.0, 3.0], [10.0, 10.0, 10.0, 10.0, 10.0]]
    )  # median 3; 5 % at 1 + 0.05 * 4 = 1.2, 95 % at 4.8
    index = np.arange(5)
    positions = PositionSet(index, index, index, np.array(["good"] * 5), index)
    travel = Travel(positions, np.array([0.0, 1.0]), norm, norm, norm, norm, norm, np.zeros((2, 5, 2)), (0.5, 0.2), 16)
    axes = still_over_time(travel, "speed").axes[0]
    (line,) = axes.lines
    assert line.get_ydata().tolist() == [3.0, 10.0]
    assert line.get_color() == COLOURS["normal"]
    (area,) = (part for part in axes.collections if isinstance(part, FillBetweenPolyCollection))
    edge = area.get_paths()[0].vertices
    assert sorted(set(edge[edge[:, 0] == 0, 1].round(9))) == [1.2, 4.8]


def test_values_that_are_not_finite_are_left_out_of_a_band():
    values = np.array([[1.0, 2.0, 3.0, np.nan], [np.nan] * 4])
    assert band(values)[1, 0] == 2.0
    assert np.isnan(band(values)[:, 1]).all()


@pytest.mark.parametrize("n_channels", [6, 16, 128, 1024])
def test_the_shell_is_sqrt_d_between_the_quantiles_of_the_chi_law(n_channels):
    low, middle, high = noise_shell(n_channels)
    assert middle == pytest.approx(n_channels**0.5)
    assert [low, high] == pytest.approx(chi.ppf([0.05, 0.95], n_channels), rel=0.01 if n_channels < 16 else 0.001)


def test_only_the_norm_has_the_shell():
    for name in TITLES:
        assert any("√d = 4" in text for text in texts(to_svg(still_over_time(TRAVEL, name)))) == (name == "norm")


def test_the_axes_of_the_plane_say_how_much_they_explain_and_those_of_umap_do_not():
    assert {"principal axis 1 (31\N{NBSP}% of variance)", "principal axis 2 (12\N{NBSP}% of variance)"} <= texts(
        to_svg(still_paths(TRAVEL, "plane"))
    )
    bent = Projection("umap", TRAVEL.t, TRAVEL.plane, 40)
    assert not any("variance" in text for text in texts(to_svg(still_points(bent, TRAVEL.positions.group))))


def test_a_point_of_the_angle_view_is_as_far_from_the_cross_as_its_feature_from_the_origin():
    axes = still_paths(TRAVEL, "angle").axes[0]
    ends = np.concatenate(
        [np.asarray(dots.get_offsets()) for dots in axes.collections if "(20)" in str(dots.get_label())]
    )
    assert np.sort(np.linalg.norm(ends, axis=1)) == pytest.approx(np.sort(TRAVEL.norm[-1]))


def test_three_panels_show_start_middle_and_end_of_the_same_points_on_the_same_axes():
    figure = still_points(PROJECTION, TRAVEL.positions.group)
    assert [axes.get_title() for axes in figure.axes] == ["t = 0.00", "t = 0.60", "t = 1.00"]
    for axes, i in zip(figure.axes, (0, 3, 5), strict=True):
        drawn = np.concatenate([np.asarray(dots.get_offsets()) for dots in axes.collections])
        assert np.sort(drawn[:, 0]) == pytest.approx(np.sort(TRAVEL.plane[i, :, 0]))
    assert len({axes.get_xlim() for axes in figure.axes}) == 1


def test_escape_is_drawn_in_percent():
    crack = next(line for line in still_escape(TRAVEL.t, CURVES).axes[0].lines if line.get_label() == "crack")
    assert crack.get_ydata()[-1] == pytest.approx(70)


def test_a_ring_with_three_quarters_of_the_positions_is_drawn_as_75():
    figure = still_radius(TRAVEL.t, EDGES, SHARES, 16)
    good, crack = (axes.collections[0].get_array() for axes in figure.axes[:2])
    assert good[0].tolist() == [75.0] * 6 and good[1].tolist() == [25.0] * 6
    assert np.unique(crack).tolist() == [50.0]


def test_metrics_that_the_data_does_not_define_are_not_drawn_and_the_runs_own_steps_are_marked():
    found = texts(to_svg(still_steps(ROWS)))
    assert {"image AUROC", "this run", "Euler", "Heun"} <= found and "AUPRO" not in found
    left = still_steps(ROWS).axes[0]
    euler = next(line for line in left.lines if line.get_label() == "image AUROC")
    assert list(zip(euler.get_xdata(), euler.get_ydata(), strict=True)) == [(1, 0.6), (4, 0.8)]
    assert left.get_xscale() == "log"


def test_a_landscape_says_how_much_the_potential_explains_and_names_its_marks():
    found = " ".join(texts(to_svg(still_landscape(LANDSCAPE))))
    assert "explains 99\N{NBSP}%" in found and "holds 40\N{NBSP}%" in found and "start" in found


def test_a_thinned_sample_keeps_rare_groups_whole_and_says_how_many_are_drawn():
    big = gaussian_travel(n=1000)
    group = np.array(["good"] * 970 + ["crack"] * 30)
    index = np.arange(1000)
    sample = fair_sample(PositionSet(index, index, index, group, index), 100)
    assert {name: len(chosen) for name, chosen in sample.items()} == {"good": 70, "crack": 30}
    assert all(len(set(chosen)) == len(chosen) and set(group[chosen]) == {name} for name, chosen in sample.items())
    assert f"normal ({MOST_PATHS // 2} of 500)" in texts(to_svg(still_paths(big, "plane")))


def test_a_wish_that_cannot_be_met_is_a_sentence():
    with pytest.raises(SettingsError, match="no view 'side'"):
        still_paths(TRAVEL, "side")
    with pytest.raises(SettingsError, match="no quantity 'colour'"):
        still_over_time(TRAVEL, "colour")
    with pytest.raises(SettingsError, match="40 points need as many values"):
        still_points(PROJECTION, np.zeros(3))
    with pytest.raises(SettingsError, match="from 0 to 5"):
        still_points(PROJECTION, TRAVEL.positions.group, (0, 6))
    with pytest.raises(SettingsError, match="no row"):
        still_steps([])
    with pytest.raises(SettingsError, match="no return"):
        still_return([])
    with pytest.raises(SettingsError, match="1 to 3 groups"):
        still_radius(TRAVEL.t, EDGES, {}, 16)


# ---- movies


def test_a_gif_lasts_as_long_as_asked_and_reports_every_frame():
    seen: list[tuple[int, int]] = []
    film = Image.open(
        io.BytesIO(movie(TRAVEL, "radius", "gif", 1.5, 8, lambda done, total: seen.append((done, total))))
    )
    assert film.n_frames == 12
    durations = []
    for i in range(film.n_frames):
        film.seek(i)
        durations.append(film.info["duration"])
    assert sum(durations) == 1500
    assert film.info["loop"] == 0, "0 means without end"
    assert seen == [(i, 12) for i in range(1, 13)]


def test_the_movie_of_the_disc_says_the_shares_of_each_moment_and_moves_the_ring_of_noise():
    told = Disc(replace(DISC.yardstick, shares={"normal": np.full(6, 0.01), "defect": np.linspace(0.2, 0.7, 6)}))
    assert told.words(TRAVEL, 0.0) == "outside the well: 1\N{NBSP}% of 20 normal, 20\N{NBSP}% of 20 defect"
    assert told.words(TRAVEL, 0.5) == "outside the well: 1\N{NBSP}% of 20 normal, 45\N{NBSP}% of 20 defect"
    noise, well = DISC.yardstick.shell[0], DISC.yardstick.well_radius
    assert [DISC.ring_at(TRAVEL, t) > 1 for t in TRAVEL.t] == (noise > well).tolist()
    film = Image.open(io.BytesIO(movie(TRAVEL, "disc", "gif", 1, 4, lambda done, total: None, DISC)))
    assert film.n_frames == 4
    with pytest.raises(SettingsError, match="no yardstick"):
        movie(TRAVEL, "disc", "gif", 1, 4, lambda done, total: None)


def test_paper_stays_white_in_a_gif_and_dots_keep_their_colours():
    film = Image.open(io.BytesIO(movie(TRAVEL, "plane", "gif", 1, 4, lambda done, total: None)))
    pixels = np.asarray(film.convert("RGB")).reshape(-1, 3).astype(int)
    assert (pixels == 255).all(axis=1).mean() > 0.8
    for name in ("normal", "defect"):
        hue = [int(COLOURS[name][i : i + 2], 16) for i in (1, 3, 5)]
        assert np.abs(pixels - hue).sum(axis=1).min() < 30


def test_a_dot_between_two_saved_times_lies_on_the_straight_line_between_them():
    """Two saved times and three frames: the middle one must show dots halfway, so start and end look different from
    it and it is symmetric.
    """
    index = np.arange(1)
    plane = np.array([[[-1.0, 0.0]], [[1.0, 0.0]]])
    one = np.ones((2, 1))
    travel = Travel(
        PositionSet(index, index, index, np.array(["good"]), index),
        np.array([0.0, 1.0]),
        one,
        one,
        one,
        one,
        one,
        plane,
        (0.5, 0.2),
        4,
    )
    from wtflow.plots.still.moving import _Stage

    places = [float(_Stage(travel, "plane")._at(t)["good"][0, 0]) for t in (0.0, 0.25, 0.5, 1.0)]
    assert places == [-1.0, -0.5, 0.0, 1.0]


def test_where_nothing_moves_only_the_time_changes():
    index, one, t = np.arange(1), np.ones((2, 1)), np.array([0.0, 1.0])
    positions = PositionSet(index, index, index, np.array(["good"]), index)
    travel = Travel(positions, t, one, one, one, one, one, np.ones((2, 1, 2)), (0.5, 0.2), 4)
    from wtflow.plots.still.moving import _Stage

    first, last = _Stage(travel, "plane").frames(t, 0.88)
    rows, columns = np.nonzero((first != last).any(axis=2))
    assert rows.size and rows.max() < 40 and columns.max() < 200, "a number above the upper left corner of the axes"


def test_a_trail_fades_altogether():
    """Rounded to whole steps of colour in each frame, a faint grey line would stay for good."""
    from wtflow.plots.still.moving import _Stage

    stage = _Stage(TRAVEL, "plane")
    *_, moved = stage.frames(np.r_[0.0, 1.0, np.ones(80)], 0.88)
    *_, still = stage.frames(np.ones(2), 0.88)
    assert (moved == still).all()


@needs_ffmpeg
def test_an_mp4_is_one_and_has_the_frames_asked_for(tmp_path):
    made = movie(TRAVEL, "angle", "mp4", 1, 10, lambda done, total: None)
    assert made[4:8] == b"ftyp"
    path = tmp_path / "film.mp4"
    path.write_bytes(made)
    counted = subprocess.run(
        [str(find_ffmpeg()), "-i", str(path), "-f", "null", "-"], capture_output=True, text=True, check=True
    ).stderr
    assert "frame=   10" in counted.replace("\r", "\n") and "720x600" in counted and "00:00:01.00" in counted


class StoppedError(Exception):
    pass


def stop_at_three(done: int, total: int) -> None:
    if done == 3:
        raise StoppedError


@pytest.mark.parametrize("format", ["gif", pytest.param("mp4", marks=needs_ffmpeg)])
def test_a_stopped_movie_leaves_no_file_and_no_process_behind(format, tmp_path, monkeypatch):
    started: list[subprocess.Popen] = []
    start = subprocess.Popen

    def watched(*args, **kwargs):
        started.append(start(*args, **kwargs))
        return started[-1]

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(subprocess, "Popen", watched)
    with pytest.raises(StoppedError):
        movie(TRAVEL, "plane", format, 2, 10, stop_at_three)
    assert list(tmp_path.iterdir()) == []
    assert len(started) == (format == "mp4") and all(process.returncode is not None for process in started)


def test_without_ffmpeg_the_error_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MovieError, match="ffmpeg") as caught:
        movie(TRAVEL, "plane", "mp4", 1, 4, lambda done, total: None)
    assert all(
        word in caught.value.fix
        for word in ("sudo apt install ffmpeg", "brew install ffmpeg", "winget install ffmpeg", "GIF")
    )


@needs_ffmpeg
def test_what_ffmpeg_says_becomes_the_error():
    with pytest.raises(MovieError, match="could not write the MP4: .*not divisible by 2"):
        to_mp4(iter(np.zeros((40, 33, 33, 3), np.uint8)), 10)


def test_frames_that_do_not_change_are_still_shown_for_their_time():
    film = Image.open(
        io.BytesIO(to_gif(iter(np.zeros((3, 8, 8, 3), np.uint8)), np.zeros((8, 8, 3), np.uint8), [100, 100, 100]))
    )
    assert film.info["duration"] == 300


def test_movies_that_cannot_be_made_are_refused_in_a_sentence():
    for seconds, fps, word in (
        (0, 10, "0 s at 10"),
        (2, 0, "0 frames per second"),
        (61, 10, "610 frames"),
        (0.1, 10, "1 frames"),
    ):
        with pytest.raises(MovieError, match=word):
            movie(TRAVEL, "plane", "gif", seconds, fps, lambda done, total: None)
    with pytest.raises(MovieError, match="format 'avi'"):
        movie(TRAVEL, "plane", "avi", 1, 10, lambda done, total: None)
    with pytest.raises(MovieError, match="no position"):
        movie(gaussian_travel(n=0), "plane", "gif", 1, 10, lambda done, total: None)


def test_a_path_that_never_returned_does_not_stretch_the_axis():
    trips = (ReturnTrip("euler", 1, {"good": (0.1, 1.0, 3.4e38)}), ReturnTrip("euler", 4, {"good": (0.01, 0.1, 0.5)}))
    (axes,) = still_return(trips).axes
    assert axes.get_ylim()[1] < 1e8
    assert "never returned" in axes.get_ylabel()
    assert "never" not in still_return(trips[1:]).axes[0].get_ylabel()
