"""Drawn pictures: the same from the same seed, varied over seeds, and made of fields and shapes with known
properties.
"""

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial import cKDTree

from wtflow.pretraining.drawn.camera import lit, paint, photograph, random_colours
from wtflow.pretraining.drawn.fields import cells, level_plane, noise, random_plane, smooth, step, streaks, turned, unit
from wtflow.pretraining.drawn.lines import Strokes, draw_cracks, draw_scratches
from wtflow.pretraining.drawn.materials import MATERIALS, random_material
from wtflow.pretraining.drawn.pictures import draw_image, write_bank
from wtflow.pretraining.drawn.shapes import SHAPES, polygon

SIZE = 64


@pytest.fixture(scope="module")
def sheet():
    """48 pictures, uint8 (48, S, S, 3)."""
    return np.stack([draw_image(3, index, SIZE) for index in range(48)])


# -- pictures ----------------------------------------------------------------------------------------------------------


def test_a_picture_depends_on_seed_number_and_size_alone(sheet):
    np.random.seed(1)  # noqa: NPY002 - the global state must not matter
    assert np.array_equal(draw_image(3, 7, SIZE), sheet[7])
    assert not np.array_equal(draw_image(4, 7, SIZE), sheet[7])
    assert not np.array_equal(sheet[6], sheet[7])
    assert draw_image(3, 7, 64).shape == (64, 64, 3)
    assert sheet.dtype == np.uint8


def test_pictures_are_dark_and_bright_grey_and_coloured_calm_and_busy(sheet):
    grey = sheet.mean(3)
    brightness, colour = grey.mean((1, 2)), (sheet.max(3).astype(float) - sheet.min(3)).mean((1, 2))
    detail = np.abs(np.diff(grey, axis=2)).mean((1, 2))
    assert brightness.std() > 25
    assert (colour < 4).sum() >= 6
    assert (colour > 40).sum() >= 6
    assert np.quantile(detail, 0.9) > 4 * np.quantile(detail, 0.1)


def test_no_two_pictures_are_alike_and_few_are_blank(sheet):
    deviation = sheet.reshape(len(sheet), -1).std(1)
    assert (deviation > 3).mean() > 0.9
    flat = sheet.mean(3).reshape(len(sheet), -1)[deviation > 3]
    likeness = np.corrcoef(flat) - np.eye(len(flat))
    assert np.abs(likeness).max() < 0.95


def test_edges_run_in_all_directions(sheet):
    grey = sheet.mean(3)
    dx, dy = ndimage.sobel(grey, axis=2), ndimage.sobel(grey, axis=1)
    strength, angle = np.hypot(dx, dy), np.mod(np.arctan2(dy, dx), np.pi)
    shares = np.histogram(angle, bins=8, range=(0, np.pi), weights=strength)[0] / strength.sum()
    assert shares.min() > 0.06
    assert shares.max() < 0.25


# -- the bank ----------------------------------------------------------------------------------------------------------


def test_a_bank_holds_the_pictures_of_its_seed_and_is_drawn_once(tmp_path):
    seen = []
    bank = write_bank(tmp_path / "new" / "bank.npy", 3, 48, 5, lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert all(np.array_equal(bank[i], draw_image(5, i, 48)) for i in range(3))
    assert not bank.flags.writeable
    again = write_bank(tmp_path / "new" / "bank.npy", 3, 48, 5, lambda done, total: pytest.fail("drawn twice"))
    assert np.array_equal(again, bank)


def test_a_bank_that_was_interrupted_is_no_bank(tmp_path):
    def interrupt(done, total):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_bank(tmp_path / "bank.npy", 3, 48, 5, interrupt)
    assert not (tmp_path / "bank.npy").exists()


# -- fields ------------------------------------------------------------------------------------------------------------


def test_turning_keeps_distances_from_the_point_turned_about():
    plane = level_plane(SIZE)
    round_it = turned(plane, 0.7, (5.0, -9.0))
    np.testing.assert_allclose(np.hypot(*round_it), np.hypot(plane.u - 5, plane.v + 9), rtol=1e-4, atol=1e-4)


def test_noise_without_slope_is_white_and_with_slope_is_smooth():
    neighbours = lambda field: float((field * np.roll(field, 1, 1)).mean())  # noqa: E731
    white, soft = (noise(np.random.default_rng(0), 128, slope) for slope in (0.0, 2.0))
    assert abs(neighbours(white)) < 0.05
    assert neighbours(soft) > 0.9
    for field in (white, soft):
        assert abs(field.mean()) < 1e-4
        assert abs(field.std() - 1) < 1e-3


@pytest.mark.parametrize(("angle", "axis"), [(0.0, 1), (np.pi / 2, 0)])
def test_stretched_noise_changes_slowly_along_its_angle(angle, axis):
    field = noise(np.random.default_rng(0), 128, 1.0, stretch=20.0, angle=angle)
    change = [float(np.abs(field - np.roll(field, 1, a)).mean()) for a in (0, 1)]
    assert change[axis] < 0.4 * change[1 - axis]


def test_a_band_of_noise_holds_no_other_frequencies():
    power = np.abs(np.fft.rfft2(noise(np.random.default_rng(0), 128, 0.0, 0.2, 0.4))) ** 2
    f = np.hypot(np.fft.fftfreq(128)[:, None], np.fft.rfftfreq(128)[None]) * 2
    assert power[(f > 0.1) & (f < 0.6)].sum() > 0.99 * power.sum()


def test_the_distance_to_a_cell_is_the_one_that_a_tree_finds():
    rng = np.random.default_rng(2)
    plane = level_plane(64)
    near, border, _ = cells(np.random.default_rng(2), plane, 10.0, 1.0)
    offset = rng.uniform(-0.5, 0.5, (2, 64, 64)).astype(np.float32) + 0.5  # the draws of `cells`
    square = np.arange(-8, 8)
    points = np.stack([[c + offset[0, r % 64, c % 64], r + offset[1, r % 64, c % 64]] for r in square for c in square])
    found, _ = cKDTree(points).query(np.stack([plane.u.ravel(), plane.v.ravel()], 1) / 10, k=2)
    np.testing.assert_allclose(near.ravel(), found[:, 0], atol=1e-4)
    # The second nearest point may lie two squares off, where the pattern does not look; that is rare.
    assert np.mean(np.abs(border.ravel() - (found[:, 1] - found[:, 0])) < 1e-4) > 0.97


def test_streaks_change_along_one_coordinate_only():
    plane = level_plane(64)
    field = streaks(np.random.default_rng(0), plane.u, 0.5)
    assert np.ptp(field, axis=0).max() == 0
    assert field[0].std() > 0.3


def test_steps_and_units_stay_between_0_and_1():
    field = np.linspace(-3, 3, 601, dtype=np.float32)[None]
    rise = step(field, 1.0, 0.5)[0]
    assert (rise[field[0] <= 0.75].max(), rise[field[0] >= 1.26].min()) == (0, 1)
    assert rise[400] == pytest.approx(0.5, abs=1e-3)
    assert (np.diff(rise) >= 0).all()
    scaled = unit(field)
    assert (scaled.min(), scaled.max()) == (0, 1) or (scaled.min() >= 0 and scaled.max() <= 1)
    assert scaled[0, 300] == pytest.approx(0.5, abs=0.01)


# -- materials, shapes, strokes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("material", MATERIALS, ids=lambda material: material.__name__)
def test_a_material_is_a_relief_between_0_and_1_that_is_not_flat(material):
    reliefs = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        reliefs.append(material(rng, random_plane(rng, SIZE)))
        assert reliefs[-1].shape == (SIZE, SIZE)
        assert reliefs[-1].min() >= -1e-4
        assert reliefs[-1].max() <= 1 + 1e-4
    assert np.median([relief.std() for relief in reliefs]) > 0.03
    assert len({round(float(relief.mean()), 4) for relief in reliefs}) == 6


def test_mixed_materials_stay_in_range():
    reliefs = np.stack([random_material(np.random.default_rng(seed), 48) for seed in range(30)])
    assert reliefs.dtype == np.float32
    assert reliefs.min() >= 0
    assert reliefs.max() <= 1


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_a_shape_lies_about_its_centre_and_has_an_outside(shape):
    plane = level_plane(SIZE)
    for seed in range(8):
        found = shape(np.random.default_rng(seed), plane, 16.0)
        inside = found.inside > 0
        assert 20 < inside.sum() < 0.9 * SIZE**2
        if shape is not polygon:  # which may be open on one side, as a shard that goes on and on
            assert np.hypot(plane.u, plane.v)[inside].max() < 34
        assert np.isfinite(found.height).all()


def test_a_stroke_covers_its_width_times_its_length():
    sheet = Strokes(64)
    sheet.line(np.array([[10.0, 32.0], [50.0, 32.0]]), 6.0, 1.0)
    assert sheet.field().sum() == pytest.approx(240, rel=0.08)
    sheet.disc(np.array([32.0, 12.0]), 8.0, 1.0)
    assert sheet.field().sum() == pytest.approx(240 + np.pi * 64, rel=0.08)


@pytest.mark.parametrize("draw", [draw_cracks, draw_scratches])
def test_marks_leave_most_of_the_picture_alone(draw):
    marks = np.stack([draw(np.random.default_rng(seed), SIZE) for seed in range(6)])
    assert (marks.max((1, 2)) > 0.2).all()
    assert (marks > 0).mean() < 0.4


# -- light and camera --------------------------------------------------------------------------------------------------


def test_a_slope_towards_the_lamp_is_the_brighter_side_whatever_the_lamp():
    """A ridge has two sides; no lamp lights both alike, unless it stands along the ridge."""
    height = 20 - np.abs(level_plane(64).u)
    grey = np.full((64, 64, 3), 0.4, np.float32)
    gaps = [
        abs(
            float(
                np.diff(
                    [side.mean() for side in np.split(lit(np.random.default_rng(seed), grey, height)[8:56, 8:56], 2, 1)]
                )[0]
            )
        )
        for seed in range(12)
    ]
    assert np.median(gaps) > 0.03


def test_flat_ground_gets_the_same_light_everywhere_but_for_the_lamps_own_unevenness():
    grey = np.full((64, 64, 3), 0.5, np.float32)
    lights = [lit(np.random.default_rng(seed), grey, np.zeros((64, 64), np.float32)) for seed in range(12)]
    assert sum(np.ptp(light) < 1e-5 for light in lights) >= 2
    assert all(np.abs(np.diff(light[..., 0], axis=0)).max() < 0.08 for light in lights)


def test_photographs_are_bytes_and_some_are_grey():
    light = np.broadcast_to(
        paint(np.random.default_rng(0), smooth(np.random.default_rng(1), 48, 10.0) * 0.2 + 0.5), (48, 48, 3)
    )
    pictures = [photograph(np.random.default_rng(seed), light) for seed in range(30)]
    assert all(picture.dtype == np.uint8 and picture.shape == (48, 48, 3) for picture in pictures)
    assert len({picture.tobytes() for picture in pictures}) == 30


def test_colours_are_colours():
    for seed in range(20):
        colours = random_colours(np.random.default_rng(seed), 4)
        assert colours.shape == (4, 3)
        assert colours.min() >= 0
        assert colours.max() <= 1
