"""The story of a patch as a figure, a movie and numbers, on a path by hand: from norm 3 to 4 among normals at 1."""

import csv
import io

import numpy as np
import pytest
from PIL import Image

from wtflow.errors import MovieError
from wtflow.export.tables import story_csv
from wtflow.plots.follow import Story, alike_of, encode_story
from wtflow.plots.still import follow
from wtflow.plots.still.follow import still_story, story_movie
from wtflow.plots.still.sheet import to_png, to_svg
from wtflow.records.follow import OwnPaths

CELL = (1, 2)


def paths_of(norms: np.ndarray) -> OwnPaths:
    """Straight away from the origin in two states of these norms (2, *P)."""
    return OwnPaths(np.array([0.0, 1.0]), norms, norms[:1] * norms[1:], np.zeros((*norms.shape[1:], 2)), 2)


@pytest.fixture
def story() -> Story:
    norms = np.ones((2, 4, 4), np.float32)
    norms[:, 1, 2] = 3, 4
    inside, alike = np.zeros((4, 4), bool), np.full((4, 4), 12)
    inside[CELL] = True
    times = np.linspace(0, 1, 5)
    return Story(
        sample_id="test/crack/000.png",
        defect="crack",
        is_defective=True,
        picture=np.full((32, 32, 3), 128, np.uint8),
        note="",
        inside=inside,
        outline=((np.array([0.5, 0.75, 0.5]), np.array([0.25, 0.5, 0.25])),),
        paths=paths_of(norms),
        factors=np.ones((2, 4, 4)),
        angles=np.zeros((4, 4)),
        normals=paths_of(np.ones((2, 20), np.float32)),
        normal_angles=np.linspace(-3, 3, 20),
        well=np.ones(5),
        median=np.ones(5),
        times=times,
        n_normals=20,
        farthest=4.0,
        color_range=(0.0, 2.0),
        alike=alike,
        about_normals="",
        score_note="",
        over=None,
    )


def test_the_patch_beside_is_the_one_most_alike(story: Story):
    beside = alike_of(story, CELL)
    assert beside.cell == (3, 0) and beside.paths.norm.shape == (2, 1)
    story.alike[CELL] = -1
    assert alike_of(story, CELL) is None


def test_the_figure_comes_out_the_same_twice_and_says_the_score(story: Story):
    def draw() -> bytes:
        return to_png(still_story(story, CELL, alike_of(story, CELL), threshold=2.0, t=1.0))

    assert draw() == draw()
    svg = to_svg(still_story(story, CELL, None, threshold=2.0, t=1.0)).decode()
    assert "score 4" in svg and "200\N{NBSP}% of the threshold" in svg, (
        "half the mean square of norm 4 in 2 channels is 4"
    )
    assert "score 3.062" in to_svg(still_story(story, CELL, None, threshold=2.0, t=0.5)).decode(), "3.5 ** 2 / 4"


def test_a_movie_moves_and_a_wrong_format_is_named(story: Story, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(follow, "SECONDS", 0.2)
    monkeypatch.setattr(follow, "REST_S", 0.2)
    told = []
    made = story_movie(story, CELL, None, 2.0, "gif", lambda done, total: told.append((done, total)))
    with Image.open(io.BytesIO(made)) as movie:
        first = np.asarray(movie.convert("RGB"), int)
        movie.seek(movie.n_frames - 1)
        assert np.abs(first - np.asarray(movie.convert("RGB"), int)).max() > 50
    assert told[-1] == (6, 6)
    with pytest.raises(MovieError):
        story_movie(story, CELL, None, 2.0, "avi", lambda done, total: None)


def test_numbers_of_both_paths_are_in_the_csv(story: Story):
    rows = list(csv.DictReader(io.StringIO(story_csv(story, CELL, alike_of(story, CELL)).decode("utf-8-sig"))))
    assert len(rows) == 2 * 5
    last = [row for row in rows if row["path"] == "followed"][-1]
    assert (float(last["norm"]), float(last["radii"]), float(last["score"])) == (4, 4, 4)
    beside = [row for row in rows if row["path"] == "beside"][-1]
    assert (beside["row"], beside["column"], float(beside["norm"])) == ("3", "0", 1)


def test_equal_stories_are_sent_as_equal(story: Story):
    one = encode_story(story)
    assert one == encode_story(story)
    story.factors[:] = 2
    assert encode_story(story)["fingerprint"] != one["fingerprint"]
