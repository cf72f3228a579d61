"""Maps against masks: pixels and regions counted by hand on drawn masks, contrast worked out from chosen colours."""

import numpy as np
import pytest
from truths import drawn as truth

from wtflow.datasets.masks.shrink import truth_of_mask
from wtflow.errors import MetricError
from wtflow.failures.regions import GAP_PX, border_distance, compare_regions, contrast, mask_centre

DRAWN = """
.aa......
.aa...b..
...a.....
.......d.
......d..
"""
"""a: one region of 5 pixels, the last joined at a corner; b: one pixel; d: two pixels joined at a corner."""

CALLED = """
..xx.....
..x......
.........
x........
......xx.
"""
"""Covers 2 of a and 2 next to it in one piece; one region alone; and 1 of d's 2 pixels."""


def drawn(picture: str) -> np.ndarray:
    return np.array([[letter != "." for letter in line] for line in picture.split()])


def test_areas_are_the_pixels_counted_by_hand():
    report = compare_regions(drawn(CALLED) * 2.0, truth(drawn(DRAWN)), threshold=1.0)
    assert (report.n_both, report.n_over, report.n_under) == (3, 3, 5)
    assert report.n_pixels == 45
    assert report.overlap == pytest.approx(3 / 11)


def test_regions_that_touch_at_a_corner_are_one_and_each_has_its_overlap():
    report = compare_regions(drawn(CALLED) * 2.0, truth(drawn(DRAWN)), threshold=1.0)
    assert [(region.n_pixels, region.overlap, region.is_found) for region in report.defects] == [
        (5, 0.4, True),
        (2, 0.5, True),
        (1, 0.0, False),
    ]
    assert (report.defects[2].row, report.defects[2].column) == (1, 6)


def test_only_called_regions_that_touch_no_defect_are_alarms():
    """The first called region leaves the mask too, but it begins on a defect; the one at row 3 does not."""
    report = compare_regions(drawn(CALLED) * 2.0, truth(drawn(DRAWN)), threshold=1.0)
    assert [(region.row, region.column, region.n_pixels) for region in report.alarms] == [(3, 0, 1)]


def test_a_pixel_exactly_at_the_threshold_is_called():
    assert compare_regions(np.array([[1.0, 0.5]]), truth(np.array([[True, True]])), 1.0).n_both == 1


def test_nothing_called_and_nothing_marked_has_no_overlap_at_all():
    report = compare_regions(np.zeros((4, 4)), truth(np.zeros((4, 4))), 1.0)
    assert report.overlap is None
    assert report.defects == report.alarms == ()


def test_a_good_image_has_alarms_only():
    report = compare_regions(np.ones((4, 4)), truth(np.zeros((4, 4))), 1.0)
    assert report.defects == ()
    assert [region.n_pixels for region in report.alarms] == [16]


@pytest.mark.parametrize("seed", range(5))
def test_regions_hold_every_pixel_once(seed):
    generator = np.random.default_rng(seed)
    values, mask = generator.random((20, 30)), generator.random((20, 30)) < 0.2
    report = compare_regions(values, truth(mask), 0.7)
    assert sum(region.n_pixels for region in report.defects) == mask.sum() == report.n_both + report.n_under
    assert sum(round(region.n_pixels * region.overlap) for region in report.defects) == report.n_both


def test_shapes_that_differ_are_refused():
    with pytest.raises(MetricError, match="does not fit"):
        compare_regions(np.zeros((4, 4)), truth(np.zeros((4, 5))), 1.0)


# -- facts of a mask ---------------------------------------------------------------------------------------------------


def test_the_centre_of_a_mask_counts_in_pixel_edges():
    mask = np.zeros((10, 10), bool)
    mask[2:4, 6] = True
    assert mask_centre(mask) == (3.0, 6.5)


def test_the_distance_to_the_border_is_that_of_the_nearest_side():
    assert border_distance(5.0, 5.0, (10, 10)) == 0.5
    assert border_distance(5.0, 19.0, (10, 20)) == pytest.approx(0.05)
    assert border_distance(0.0, 5.0, (10, 10)) == 0


def test_regions_are_counted_with_corners_joined():
    assert truth(drawn(DRAWN)).n_regions == 3


def checkered(low: float, high: float) -> np.ndarray:
    """Grey pixels that take turns: their mean is half-way, and every one is (high - low) / 2 from it in each
    channel.
    """
    return np.where(np.indices((100, 100)).sum(0) % 2, low, high)[..., None].repeat(3, 2).astype(np.float32)


def test_a_defect_three_spreads_from_its_surroundings_has_contrast_three():
    image, mask = checkered(0.4, 0.6), np.zeros((100, 100), bool)
    mask[40:60, 40:60] = True
    image[mask] = 0.5 + 0.3  # the ring's pixels are 0.1 from their mean of 0.5
    assert contrast(image, mask) == pytest.approx(3.0, rel=1e-3)


def test_contrast_does_not_see_what_lies_far_away_or_in_the_gap():
    image, mask = checkered(0.4, 0.6), np.zeros((100, 100), bool)
    mask[40:60, 40:60] = True
    image[mask] = 0.8
    before = contrast(image, mask)
    image[:30] = 0.0
    edge = np.zeros((100, 100), bool)
    edge[40 - GAP_PX : 60 + GAP_PX, 40 - GAP_PX : 60 + GAP_PX] = True
    for row, column in ((40 - GAP_PX, 50), (50, 60)):  # next to the mask, not across its corners
        assert edge[row, column] and not mask[row, column]
        image[row, column] = 1.0
    assert contrast(image, mask) == before


def test_the_surroundings_on_a_strip_are_as_near_as_on_a_square_of_its_shorter_side():
    square, mask = checkered(0.4, 0.6), np.zeros((100, 100), bool)
    mask[40:60, 40:60] = True
    square[mask] = 0.8
    strip, where = np.concatenate([square, *[np.zeros_like(square)] * 4], axis=1), np.zeros((100, 500), bool)
    where[:, :100] = mask
    strip[:30] = 0.0
    assert contrast(strip, where) == pytest.approx(contrast(square, mask))


def test_a_defect_of_the_colour_of_its_surroundings_has_no_contrast():
    mask = np.zeros((100, 100), bool)
    mask[40:60, 40:60] = True
    assert contrast(checkered(0.4, 0.6), mask) == pytest.approx(0, abs=1e-6)


def test_even_surroundings_give_a_finite_contrast():
    """A ring of one colour has a spread of 0; one step of 255 stands in: a black defect on white is sqrt(3) * 255
    steps away.
    """
    image, mask = np.ones((50, 50, 3), np.float32), np.zeros((50, 50), bool)
    mask[20:30, 20:30] = True
    image[mask] = 0
    assert contrast(image, mask) == pytest.approx(3**0.5 * 255)


def test_a_mask_over_everything_has_no_surroundings():
    assert np.isnan(contrast(np.ones((8, 8, 3), np.float32), np.ones((8, 8), bool)))


def test_what_is_left_out_and_regions_below_a_pixel_are_counted():
    """An 8 x 8 mask on a map of 4 x 4: one pixel of it is a quarter of a map pixel; four rows are left out."""
    defect, ignored = np.zeros((8, 8), bool), np.zeros((8, 8), bool)
    defect[0, 0] = True
    defect[2:4, 4:8] = True
    ignored[4:] = True
    found = compare_regions(np.zeros((4, 4)), truth_of_mask(defect, (4, 4), ignored), 1.0)
    assert (found.n_left_out, found.n_pixels, found.n_small, len(found.defects)) == (8, 8, 1, 2)
