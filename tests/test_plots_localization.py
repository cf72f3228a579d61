"""Pictures: outlines, heat colours, overlays, and what the browser gets to draw."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from wtflow.plots.localization import encode_localization
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


GRID = np.linspace(0.4, 0.6, 24, dtype=np.float32).reshape(4, 6)


def localization(**changes) -> dict:
    arguments = {
        "image": PHOTO,
        "pixel_map": MAP,
        "position_scores": GRID,
        "mask": SQUARE,
        "ignored": None,
        "color_range": (0.4, 0.6),
    } | changes
    return encode_localization(
        arguments.pop("image"), arguments.pop("pixel_map"), arguments.pop("position_scores"), **arguments
    )


def decoded(text: str, kind: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), kind)


def scores_in(sent: dict) -> np.ndarray:
    """The map as the browser reads it."""
    steps = decoded(sent["values"], "<u2").reshape(sent["height"], sent["width"])
    return sent["low"] + steps / 65535 * (sent["high"] - sent["low"])


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


# ---- what the browser draws as three linked pictures


def test_the_browser_gets_the_image_the_map_and_the_score_of_every_position():
    sent = localization()
    assert (sent["width"], sent["height"]) == (256, 256)
    image = np.asarray(Image.open(io.BytesIO(base64.b64decode(sent["image"].split(",")[1]))))
    assert np.abs(image.astype(int) - PHOTO).mean() < 4
    step = (MAP.max() - MAP.min()) / 65535
    assert np.abs(scores_in(sent["map"]) - MAP).max() <= step
    assert np.array_equal(decoded(sent["grid"]["scores"], "<f4").reshape(4, 6), GRID)
    assert (sent["grid"]["rows"], sent["grid"]["columns"]) == (4, 6)


def test_both_colour_scales_and_the_one_heat_scale_travel_with_it():
    sent = localization(color_range=(0.1, 2.5))
    assert sent["scales"] == {"run": [0.1, 2.5], "image": [float(MAP.min()), float(MAP.max())]}
    heat = decoded(sent["heat"], "u1").reshape(256, 3)
    assert np.array_equal(heat, colour_map(np.linspace(0, 1, 256)[None], (0.0, 1.0))[0])


def test_colours_from_what_was_sent_are_those_of_the_map():
    """Sixteen bits are enough: a level of 256 moves only where a score lies on the edge of two."""
    sent = localization()
    again = colour_map(scores_in(sent["map"]), (0.4, 0.6)).astype(int)
    assert np.abs(again - colour_map(MAP, (0.4, 0.6))).max() <= 5


def test_a_map_of_one_score_is_sent_as_it_is():
    assert np.array_equal(scores_in(localization(pixel_map=np.full((8, 8), 3.0))["map"]), np.full((8, 8), 3.0))


def test_the_outline_is_a_closed_path_in_pixels_of_the_image():
    assert localization()["truth"] == "M30 20L70 20L70 50L30 50Z"
    assert localization(mask=SQUARE[::2, ::2])["truth"] == "M30 20L70 20L70 50L30 50Z", "a smaller mask is stretched"
    assert localization(ignored=SQUARE)["left_out"] == localization()["truth"]


@pytest.mark.parametrize("mask", [None, np.zeros((256, 256), bool)])
def test_an_image_without_a_defect_has_no_outline(mask):
    assert localization(mask=mask)["truth"] == localization()["left_out"] == ""


def test_a_value_for_the_browser_is_a_plain_one():
    assert json.loads(json.dumps(localization())) == localization()


@pytest.mark.parametrize("size", [256, 512, 2048])
def test_what_travels_stays_small(size):
    """Noise is the hardest picture to compress; photographs come to about a third."""
    noise = ndimage.gaussian_filter(RNG.integers(0, 256, (size, size, 3)).astype(float), (1, 1, 0)).astype(np.uint8)
    maps = np.asarray(
        Image.fromarray(RNG.random((32, 32)).astype(np.float32)).resize((size, size), Image.Resampling.BILINEAR)
    )
    sent = json.dumps(localization(image=noise, pixel_map=maps, mask=None))
    assert len(sent) < (400_000 if size == 256 else 1_900_000)


def test_strips_that_lie_get_lower_figures_and_those_that_stand_higher_ones():
    assert height_for(256, 256, 280) == height_for(640, 480, 280) == 280, "as always"
    assert height_for(750, 150, 280) == 78
    assert height_for(480, 640, 280) == 373
    assert height_for(150, 750, 280) == 560, "but no figure is higher than a screen"
