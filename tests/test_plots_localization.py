"""Pictures: outlines, heat colours, overlays, and the three panels."""

import base64
import io

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from wtflow.plots.localization import MAX_CLICKABLE, plot_localization
from wtflow.plots.pictures import (
    colour_map,
    data_uri,
    encode_heat,
    encode_jpeg,
    encode_png,
    outline,
    overlay,
    thumbnail,
    to_uint8,
)
from wtflow.plots.stretched import height_for
from wtflow.plots.theme import COLOURS

RNG = np.random.default_rng(0)
PHOTO = ndimage.gaussian_filter(RNG.integers(0, 256, (256, 256, 3)).astype(float), (1, 1, 0)).astype(np.uint8)
MAP = ndimage.gaussian_filter(RNG.random((256, 256)), 8).astype(np.float32)
SQUARE = np.zeros((256, 256), bool)
SQUARE[20:50, 30:70] = True


def picture(figure, column: int) -> np.ndarray:
    """The pixels of one panel, decoded."""
    return np.asarray(
        Image.open(io.BytesIO(base64.b64decode(figure.data[column - 1].source.split(",")[1]))).convert("RGB")
    )


def localization(**changes):
    arguments = {
        "image": PHOTO,
        "pixel_map": MAP,
        "mask": SQUARE,
        "color_range": (0.4, 0.6),
        "opacity": 0.5,
        "grid_shape": (32, 32),
        "position_scores": RNG.random((32, 32)),
        "selected": None,
    } | changes
    return plot_localization(arguments.pop("image"), arguments.pop("pixel_map"), arguments.pop("mask"), **arguments)


def points(figure):
    return [trace for trace in figure.data if trace.customdata is not None]


# ---- outlines


def test_the_outline_of_a_square_is_its_border():
    ((x, y),) = outline(SQUARE)
    assert list(zip(x, y, strict=True)) == [(30, 20), (70, 20), (70, 50), (30, 50), (30, 20)]


def test_a_hole_has_a_line_of_its_own():
    ring = np.ones((3, 3), bool)
    ring[1, 1] = False
    outer, inner = outline(ring)
    assert set(zip(*outer, strict=True)) == {(0, 0), (3, 0), (3, 3), (0, 3)}
    assert set(zip(*inner, strict=True)) == {(1, 1), (2, 1), (2, 2), (1, 2)}


def test_pixels_that_touch_at_a_corner_share_one_line():
    assert len(outline(np.eye(4, dtype=bool))) == 1
    assert len(outline(np.eye(4, dtype=bool)[::-1])) == 1


def test_an_empty_mask_has_no_outline():
    assert outline(np.zeros((5, 5), bool)) == []


@pytest.mark.parametrize("seed", range(8))
def test_outlines_of_random_masks_enclose_the_mask_and_nothing_else(seed):
    mask = np.random.default_rng(seed).random((17, 23)) < 0.15 + 0.1 * seed
    lines = outline(mask)
    area = sum(
        0.5 * np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]) for x, y in lines
    )  # holes turn the other way round and count negative
    length = sum(np.abs(np.diff(x)).sum() + np.abs(np.diff(y)).sum() for x, y in lines)
    padded = np.pad(mask, 1).astype(int)
    assert area == mask.sum()
    assert length == np.abs(np.diff(padded, axis=0)).sum() + np.abs(np.diff(padded, axis=1)).sum()
    n_regions = ndimage.label(mask, np.ones((3, 3)))[1]
    n_holes = ndimage.label(padded == 0)[1] - 1
    assert len(lines) == n_regions + n_holes
    assert all(x[0] == x[-1] and y[0] == y[-1] for x, y in lines)


# ---- pictures


def test_floats_and_grey_images_become_rgb_bytes():
    assert to_uint8(np.array([[0.0, 0.5, 1.0, 7.0]])).tolist() == [[[0] * 3, [128] * 3, [255] * 3, [255] * 3]]
    assert to_uint8(PHOTO) is PHOTO


def test_a_thumbnail_keeps_the_aspect_and_never_grows():
    assert thumbnail(np.zeros((100, 200, 3), np.uint8), 50).shape == (25, 50, 3)
    assert thumbnail(PHOTO, 500).shape == PHOTO.shape


def test_scores_at_and_beyond_the_ends_of_the_range_get_the_end_colours():
    colours = colour_map(np.array([[-5.0, 1.0, 3.0, 99.0]]), (1.0, 3.0))[0].tolist()
    assert colours == [[0, 0, 4], [0, 0, 4], [252, 255, 164], [252, 255, 164]]


def test_an_empty_colour_range_shows_the_lowest_colour_everywhere():
    assert np.unique(colour_map(np.full((4, 4), 7.0), (7.0, 7.0)).reshape(-1, 3), axis=0).tolist() == [[0, 0, 4]]


def test_the_overlay_at_opacity_0_is_the_image_and_at_1_the_map():
    assert np.array_equal(overlay(PHOTO, MAP, (0.4, 0.6), 0.0), PHOTO)
    assert np.array_equal(overlay(PHOTO, MAP, (0.4, 0.6), 1.0), colour_map(MAP, (0.4, 0.6)))


def test_more_opacity_brings_every_pixel_nearer_to_the_map():
    heat = colour_map(MAP, (0.4, 0.6)).astype(int)
    away = [
        np.abs(overlay(PHOTO, MAP, (0.4, 0.6), opacity).astype(int) - heat) for opacity in (0.0, 0.3, 0.6, 0.9, 1.0)
    ]
    for more, less in zip(away, away[1:], strict=False):
        assert np.all(less <= more)


def test_a_score_at_the_bottom_leaves_the_image_as_it_is():
    assert np.array_equal(overlay(PHOTO, np.zeros((8, 8)), (0.0, 1.0), 0.7), PHOTO)


def test_a_mask_draws_its_border_and_leaves_the_rest():
    drawn = overlay(PHOTO, MAP, (0.4, 0.6), 0.0, SQUARE)
    changed = np.any(drawn != PHOTO, axis=2)
    near = ndimage.binary_dilation(SQUARE, iterations=3) & ~ndimage.binary_erosion(SQUARE, iterations=3)
    assert changed.any()
    assert not np.any(changed & ~near)
    truth = tuple(int(COLOURS["truth"][i : i + 2], 16) for i in (1, 3, 5))
    assert np.all(drawn == truth, axis=2).sum() >= 100


def test_an_encoded_map_has_the_very_colours_of_the_map_and_shrinks_only_above_the_limit():
    same = np.asarray(Image.open(io.BytesIO(encode_heat(MAP, (0.4, 0.6), 256))).convert("RGB"))
    assert np.array_equal(same, colour_map(MAP, (0.4, 0.6)))
    assert Image.open(io.BytesIO(encode_heat(MAP[:128], (0.4, 0.6), 64))).size == (64, 32)


def test_png_is_lossless_and_jpeg_close():
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(encode_png(PHOTO)))), PHOTO)
    assert np.abs(np.asarray(Image.open(io.BytesIO(encode_jpeg(PHOTO)))).astype(int) - PHOTO).mean() < 4
    assert data_uri(encode_png(PHOTO)).startswith("data:image/png;base64,")
    assert data_uri(encode_jpeg(PHOTO)).startswith("data:image/jpeg;base64,")


# ---- three panels


def test_the_three_panels_zoom_and_pan_together_with_row_0_on_top():
    layout = localization().layout
    for axis in ("xaxis", "xaxis2", "xaxis3", "xaxis4", "xaxis5", "xaxis6"):
        assert layout[axis].matches == "x"
        assert list(layout[axis].range) == [0, 256]
    for axis in ("yaxis", "yaxis2", "yaxis3", "yaxis4", "yaxis5", "yaxis6"):
        assert layout[axis].matches == "y"
        assert list(layout[axis].range) == [256, 0]
    assert layout.yaxis.scaleanchor == "x"
    assert "pixels" in layout.xaxis.title.text
    assert "pixels" in layout.yaxis.title.text


def test_the_panels_show_image_map_and_overlay():
    figure = localization()
    assert np.abs(picture(figure, 1).astype(int) - PHOTO).mean() < 4
    assert np.array_equal(picture(figure, 2), colour_map(MAP, (0.4, 0.6)))
    assert np.abs(picture(figure, 3).astype(int) - overlay(PHOTO, MAP, (0.4, 0.6), 0.5)).mean() < 4


def test_at_opacity_0_the_overlay_panel_is_the_image_panel():
    figure = localization(opacity=0.0)
    assert figure.data[2].source == figure.data[0].source


def test_every_panel_has_every_position_with_row_and_column_in_customdata():
    scores = RNG.random((4, 6))
    figure = localization(image=np.zeros((120, 180, 3), np.uint8), grid_shape=(4, 6), position_scores=scores)
    assert [(trace.xaxis, trace.yaxis) for trace in points(figure)] == [("x4", "y4"), ("x5", "y5"), ("x6", "y6")]
    for trace in points(figure):
        assert trace.marker.opacity == 0
        assert list(map(tuple, trace.customdata)) == [(row, column) for row in range(4) for column in range(6)]
        for (row, column), x, y, score in zip(trace.customdata, trace.x, trace.y, trace.marker.color, strict=True):
            assert (x, y) == (30 * column + 15, 30 * row + 15)
            assert score == np.float32(scores[row, column])


def test_customdata_travels_as_plain_lists():
    """The browser would hand a typed array back as an object with keys 0 and 1."""
    sent = localization().to_dict()["data"][-1]["customdata"]
    assert isinstance(sent, list | tuple)
    assert all(isinstance(value, int) for value in sent[0])


def test_the_chosen_position_alone_is_marked_in_every_panel():
    for trace in points(localization(selected=(5, 7))):
        assert [tuple(trace.customdata[i]) for i in trace.selectedpoints] == [(5, 7)]
        assert trace.selected.marker.opacity == 1
        assert trace.unselected.marker.opacity == trace.marker.opacity == 0  # the others do not change


def test_nothing_is_marked_before_a_choice():
    assert all(trace.selectedpoints is None for trace in points(localization()))


def test_a_large_grid_is_thinned_and_the_ring_goes_to_the_nearest_position():
    figure = localization(grid_shape=(128, 96), position_scores=RNG.random((128, 96)), selected=(127, 0))
    trace = points(figure)[0]
    rows, columns = np.array(trace.customdata).T
    assert max(np.unique(rows).size, np.unique(columns).size) <= MAX_CLICKABLE
    assert (rows.max(), columns.max()) < (128, 96)
    marked = trace.customdata[trace.selectedpoints[0]]
    assert abs(marked[0] - 127) <= 2
    assert abs(marked[1] - 0) <= 2


def test_the_outline_is_in_all_panels_with_one_legend_entry():
    figure = localization()
    lines = [trace for trace in figure.data if trace.name == "true defect"]
    bright = [trace for trace in lines if trace.line.color == COLOURS["truth"]]
    assert {trace.xaxis for trace in bright} == {"x", "x2", "x3"}
    assert sum(bool(trace.showlegend) for trace in lines) == 1
    assert list(bright[0].x[:-1]) == [30, 70, 70, 30, 30]
    assert list(bright[0].y[:-1]) == [20, 20, 50, 50, 20]


def test_a_smaller_mask_is_stretched_over_the_image():
    figure = localization(mask=SQUARE[::2, ::2])
    line = next(trace for trace in figure.data if trace.name == "true defect")
    assert list(line.x[:-1]) == [30, 70, 70, 30, 30]


@pytest.mark.parametrize("mask", [None, np.zeros((256, 256), bool)])
def test_an_image_without_a_defect_has_no_outline_and_no_legend_entry(mask):
    figure = localization(mask=mask)
    assert len(figure.data) == 6  # three pictures, three sets of points
    assert not any(trace.showlegend for trace in figure.data[3:])


def test_there_is_one_colour_bar_over_the_whole_range():
    figure = localization(color_range=(0.1, 2.5))
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == (0.1, 2.5)
    assert {trace.marker.coloraxis for trace in points(figure)} == {"coloraxis"}
    assert "higher is worse" in " ".join(note.text for note in figure.layout.annotations)


@pytest.mark.parametrize("size", [256, 512, 1024])
def test_the_figure_stays_small(size):
    """Noise is the hardest picture to compress; photographs come to about a third."""
    noise = ndimage.gaussian_filter(RNG.integers(0, 256, (size, size, 3)).astype(float), (1, 1, 0)).astype(np.uint8)
    maps = np.asarray(
        Image.fromarray(RNG.random((32, 32)).astype(np.float32)).resize((size, size), Image.Resampling.BILINEAR)
    )
    figure = localization(image=noise, pixel_map=maps, color_range=(0.0, 1.0), mask=None)
    assert len(figure.to_json()) < (400_000 if size == 256 else 1_600_000)


def test_strips_that_lie_get_lower_figures_and_those_that_stand_higher_ones():
    assert height_for(256, 256, 280) == height_for(640, 480, 280) == 280, "as always"
    assert height_for(750, 150, 280) == 78
    assert height_for(480, 640, 280) == 373
    assert height_for(150, 750, 280) == 560, "but no figure is higher than a screen"
