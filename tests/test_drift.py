"""What is said of camera and light: on drawn parts, as they are, made darker, blurred and shifted."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from wtflow.datasets.looks import measure_look
from wtflow.inspecting.compared import compare
from wtflow.inspecting.drift import FEWEST, FEWEST_NORMALS, drift_of, robust_spread, stability
from wtflow.records.inspect import Inspected
from wtflow.records.looks import Look, Looks, looks_from_arrays

SIDE = 48
Y, X = np.mgrid[:SIDE, :SIDE]


def draw(generator, n, defective=0.0):
    """A light disc on a dark ground, which lies and shines a little differently each time, some with a bright spot."""
    for _ in range(n):
        row, column = generator.normal(SIDE / 2, 1.0, 2)
        disc = np.hypot(Y - row, X - column) < 12
        grey = (0.3 + 0.35 * disc) * generator.normal(1, 0.02) + generator.normal(0, 0.02, (SIDE, SIDE))
        if generator.random() < defective:
            grey[20:24, 20:24] = 1.5
        yield grey


def dark(grey):
    return 0.8 * grey


def blurred(grey):
    return gaussian_filter(grey, 1.0)


def shifted(grey):
    return np.roll(grey, 8, axis=1)


def measured(images):
    """(looks, mean features, levels, scores) by a detector that stands in for one: it knows edges and grey values."""
    found = []
    for grey in images:
        image = np.repeat(np.clip(grey, 0, 1)[..., None], 3, 2).astype(np.float32)
        across, down = np.diff(grey, axis=1), np.diff(grey, axis=0)
        mean = [grey.mean(), grey.std(), np.abs(across).mean(), np.abs(down).mean(), *np.quantile(grey, [0.1, 0.9])]
        found.append((measure_look(image), mean, np.median(np.abs(across)), np.abs(across).max()))
    looks, means, levels, scores = zip(*found, strict=True)
    return looks, np.array(means, np.float32), np.array(levels), np.array(scores)


def normals_of(images, held_out=0.1):
    looks, means, levels, scores = measured(images)
    columns = {name: np.array([getattr(one, name) for one in looks]) for name in Look._fields}
    n = len(looks)
    ids = tuple(f"train/good/{i}.png" for i in range(n))
    return Looks(ids, np.arange(n) < held_out * n, scores, levels, means=means, **columns)


def say(images, normals):
    return judge(measured(images), normals)


def judge(found, normals):
    looks, means, levels, scores = found
    rows = [
        Inspected(f"{i}.png", "", float(score), "normal", 9.0, level=float(level), **look._asdict())
        for i, (look, level, score) in enumerate(zip(looks, levels, scores, strict=True))
    ]
    return drift_of(rows, means, normals)


@pytest.fixture(scope="module")
def normals():
    return normals_of(draw(np.random.default_rng(0), 80), held_out=0.5)


def changes(drift):
    return {shift.name for shift in drift.shifts if shift.is_changed}


@pytest.mark.parametrize(
    ("change", "name", "words"),
    [
        (dark, "brightness", "are darker than"),
        (blurred, "sharpness", "are less sharp than"),
        (shifted, "centre_column", "are placed further right than"),
    ],
)
def test_a_change_of_camera_or_light_is_said_with_its_number_and_what_it_is(normals, change, name, words):
    drift = say(map(change, draw(np.random.default_rng(1), 30)), normals)
    assert drift.kind == "changed"
    assert name in changes(drift)
    assert words in drift.sentence
    assert drift.sentence.startswith("The camera or the light ")
    assert "of 30 images" in drift.sentence
    assert "80 training normals" in drift.sentence
    assert len(drift.images) == 6
    shift = next(one for one in drift.shifts if one.name == name)
    assert shift.n_beyond >= 15
    assert not shift.difference.holds_zero


def test_the_images_that_show_it_best_are_those_that_are_farthest_away(normals):
    images = list(draw(np.random.default_rng(2), 30))
    drift = say([dark(one) if i < 20 else 0.6 * one for i, one in enumerate(images)], normals)
    assert {int(name.removesuffix(".png")) for name in drift.images} <= set(range(20, 30))


def test_bad_parts_alone_are_no_change_of_the_camera(normals):
    drift = say(draw(np.random.default_rng(3), 40, defective=0.4), normals)
    assert drift.kind == "none"
    assert drift.sentence == ""
    assert drift.above.value > 0.2, "they do score above the normals"
    assert drift.psi > drift.psi_by_chance


def test_clean_images_seldom_raise_a_false_alarm():
    generator = np.random.default_rng(4)
    looks, *rest = measured(draw(generator, 300))
    normals, false_alarms, unstable = normals_of(draw(generator, 60), held_out=1.0), 0, 0
    for _ in range(60):
        chosen = generator.choice(300, 20, replace=False)
        drift = judge(([looks[i] for i in chosen], *(one[chosen] for one in rest)), normals)
        false_alarms += drift.kind == "changed"
        unstable += drift.psi > drift.psi_by_chance
    assert false_alarms <= 3
    assert unstable <= 9, "of which three are expected"


def test_with_too_few_images_or_normals_nothing_is_claimed(normals):
    few = list(draw(np.random.default_rng(5), FEWEST_NORMALS))
    for drift in (say(map(dark, few[: FEWEST - 1]), normals), say(map(dark, few), normals_of(few[:-1]))):
        assert drift.kind == "too few"
        assert "too few to" in drift.sentence
    assert drift_of([], np.empty((0, 6)), None).kind == "too few"


def test_images_that_could_not_be_read_do_not_count(normals):
    looks, means, levels, scores = measured(draw(np.random.default_rng(6), 20))
    rows = [
        Inspected(f"{i}.png", "", float(scores[i]), level=float(levels[i]), **looks[i]._asdict()) for i in range(20)
    ]
    broken = Inspected("broken.png", "", problem="is damaged")
    drift = drift_of([*rows, broken], np.vstack([means, np.full(6, np.nan)]), normals)
    assert drift.n == 20


def test_the_stability_index_of_two_bins_is_that_worked_out_by_hand():
    """Of five bins that hold two normals each, all ten new scores fall into the last."""
    index, _ = stability(np.full(10, 99.0), np.arange(10.0), np.random.default_rng(0))
    empty, full, usual = 0.5 / 12.5, 10.5 / 12.5, 2.5 / 12.5
    by_hand = 4 * (empty - usual) * np.log(empty / usual) + (full - usual) * np.log(full / usual)
    assert index == pytest.approx(by_hand)


def test_scores_of_two_inspections_are_told_apart_only_beyond_chance():
    generator = np.random.default_rng(7)

    def rows(mean, n=60):
        return [Inspected(str(i), "", float(score)) for i, score in enumerate(generator.normal(mean, 1, n))]

    before = rows(0)
    assert "lie as before" in compare(rows(0), before, 1.0).score_words
    assert "lie otherwise than before" in compare(rows(2), before, 1.0).score_words
    assert compare(rows(2, FEWEST - 1), before, 1.0).score_words == ""


def test_the_spread_of_a_gaussian_is_its_standard_deviation():
    assert robust_spread(np.random.default_rng(0).normal(5, 2, 100_000)) == pytest.approx(2, rel=0.02)


# -- the look of one image ---------------------------------------------------------------------------------------------


def test_a_look_is_what_is_worked_out_by_hand():
    image = np.zeros((5, 7, 3), np.float32)
    image[1, 5] = 1.0
    look = measure_look(image)
    assert look.brightness == pytest.approx(1 / 35)
    assert look.centre_row == pytest.approx(1.5 / 5)
    assert look.centre_column == pytest.approx(5.5 / 7)
    inside = np.zeros((3, 5))
    inside[0, 4], inside[0, 3], inside[1, 4] = -4, 1, 1
    assert look.sharpness == pytest.approx(inside.var() / (1 / 35 - 1 / 35**2), rel=1e-5)
    flat = measure_look(np.full((4, 4, 3), 0.5, np.float32))
    assert (flat.sharpness, flat.centre_row) == (pytest.approx(0, abs=1e-9), 0.5)


def test_looks_come_back_from_their_arrays(normals):
    back = looks_from_arrays(normals.to_arrays())
    assert back.ids == normals.ids
    for name in ("scores", "means", "is_held_out", "brightness"):
        np.testing.assert_array_equal(getattr(back, name), getattr(normals, name))
    assert len(normals.fair_scores) == 40
