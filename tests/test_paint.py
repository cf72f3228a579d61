"""Brushes: what each does to a pixel, what it leaves alone, and which strokes from a browser are refused."""

import math

import numpy as np
import pytest
from PIL import Image

from wtflow.datasets.images import load_image
from wtflow.errors import SettingsError, WTFlowError
from wtflow.studies.paint import (
    KINDS,
    MAX_POINTS,
    MAX_STROKES,
    Source,
    Stroke,
    apply_strokes,
    cover,
    read_strokes,
    write_strokes,
)

S = 64


def flat(value: float) -> np.ndarray:
    """An even image in whole steps of 8 bit."""
    return np.full((S, S, 3), round(value * 255), np.float32) / np.float32(255)


def textured(seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (S, S, 3)).astype(np.float32) / np.float32(255)


def dab(kind: str, x: float, y: float, radius: float, strength: float = 1.0, source: Source | None = None) -> Stroke:
    return Stroke(kind, ((x, y),), radius, strength, source)


def paint(image: np.ndarray, *strokes: Stroke, seed: int = 0, sources=None) -> tuple[np.ndarray, np.ndarray]:
    return apply_strokes(image, strokes, seed, sources or {})


# -- the brush ---------------------------------------------------------------------------------------------------------


def test_no_strokes_give_the_identical_image_and_an_empty_mask():
    image = np.random.default_rng(0).random((S, S, 3), np.float32)  # not in steps of 8 bit
    painted, mask = paint(image)
    assert painted.tobytes() == image.tobytes()
    assert painted is not image
    assert mask.shape == (S, S) and not mask.any()


@pytest.mark.parametrize("shape", [(20, S), (S, 20)])
@pytest.mark.parametrize("kind", ["dark", "bright", "blur", "erase", "paste"])
def test_painting_on_a_strip_is_painting_on_that_part_of_a_square(kind, shape):
    """The stroke crosses the right or lower end of the strip; the blur alone would look beyond it."""
    image, other = textured(), textured(4)
    strip = lambda pixels: pixels[: shape[0], : shape[1]]  # noqa: E731
    points = ((10.0, 12.0), (14.0, 9.0)) if kind == "blur" else ((5.0, 7.0), (30.0, 26.0), (60.0, 3.0))
    stroke = Stroke(kind, points, 3.0, 0.7, Source("other", 6.0, -2.0) if kind == "paste" else None)
    strokes = [dab("dark", 12, 10, 6), stroke]
    inside = np.ones((S, S, 3), bool)
    if kind == "paste":  # what lies beyond the strip is not there to paste
        inside[:, shape[1] - 6 :] = False
    whole, whole_mask = paint(image, *strokes, sources={"other": other})
    small, mask = paint(strip(image).copy(), *strokes, sources={"other": strip(other).copy()})
    assert mask.any() and mask.shape == shape
    where = strip(inside)
    np.testing.assert_array_equal(small[where], strip(whole)[where])
    np.testing.assert_array_equal(mask[where[..., 0]], strip(whole_mask)[where[..., 0]])


def test_a_dab_is_full_up_to_half_its_radius_half_at_three_quarters_and_nothing_at_the_radius():
    painted, _ = paint(flat(0.8), dab("dark", 32.0, 32.5, 10))  # the middle of pixel c is 0.5 right of its edge
    line = painted[32, :, 0]
    assert line[36] == 0, "4.5 px away: full effect"
    assert line[39] == pytest.approx(0.4, abs=1e-6), "7.5 px away: half"
    assert line[42] == np.float32(204 / 255), "10.5 px away: untouched"
    assert np.array_equal(line[:32], line[63:31:-1]), "the same on both sides"


def test_a_stroke_covers_by_the_distance_to_the_line_between_its_points():
    """Compared with the distance to every segment, one by one."""
    points = ((-6.0, 20.0), (40.3, 11.7), (52.0, 50.0), (20.0, 41.5))
    (rows, columns), share = cover(Stroke("dark", points, 9.0, 1.0), S)
    y, x = np.mgrid[0:S, 0:S] + 0.5
    distance = np.full((S, S), np.inf)
    for (ax, ay), (bx, by) in zip(points, points[1:], strict=False):
        along = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / ((bx - ax) ** 2 + (by - ay) ** 2)
        along = along.clip(0, 1)
        distance = np.minimum(distance, np.hypot(x - ax - along * (bx - ax), y - ay - along * (by - ay)))
    found = np.zeros((S, S))
    found[rows, columns] = share
    assert (found[distance < 4.4] == 1).all()
    assert (found[distance >= 9] == 0).all()
    half = np.abs(distance - 6.75) < 0.05
    assert half.sum() > 10
    assert np.abs(found[half] - 0.5).max() < 0.02, "three quarters of the radius away: half"
    order = np.argsort(distance, axis=None)
    assert np.diff(found.ravel()[order]).max() < 0.005, "nearer is never covered less"


def test_a_stroke_that_crosses_itself_covers_once():
    there = Stroke("dark", ((10, 32), (54, 32)), 6, 0.5)
    and_back = Stroke("dark", ((10, 32), (54, 32), (10, 32), (54, 32)), 6, 0.5)
    assert np.array_equal(paint(flat(0.8), there)[0], paint(flat(0.8), and_back)[0])


def test_a_brush_beyond_the_edge_paints_what_it_reaches_and_one_far_off_nothing():
    painted, mask = paint(flat(0.8), dab("dark", -2, 32, 6))
    assert mask[32, 0] and not mask[:, 4:].any()
    for x, y in ((-20.0, 32.0), (S + 6.0, 5.0), (3000.0, -3000.0)):
        assert np.array_equal(paint(flat(0.8), dab("dark", x, y, 6))[0], flat(0.8))


@pytest.mark.parametrize("strength", [0.0, 0.3, 1.0])
def test_dark_takes_that_share_of_the_brightness_and_bright_that_share_of_what_is_missing(strength):
    assert paint(flat(0.8), dab("dark", 32, 32, 9, strength))[0][32, 32, 1] == pytest.approx(
        0.8 * (1 - strength), abs=0.5 / 255
    )
    assert paint(flat(0.8), dab("bright", 32, 32, 9, strength))[0][32, 32, 1] == pytest.approx(
        0.8 + 0.2 * strength, abs=0.5 / 255
    )


def test_the_mask_is_where_a_channel_changed_by_more_than_one_step_of_8_bit():
    image = textured()
    painted, mask = paint(image, dab("dark", 20, 20, 8, 0.5), dab("noise", 44, 40, 8, 0.6))
    steps = np.rint(np.abs(painted - image) * 255).max(axis=2)
    assert np.array_equal(mask, steps > 1)
    assert mask.any()
    assert np.array_equal(painted[steps == 0], image[steps == 0])


def test_blur_leaves_an_even_image_alone_and_takes_the_contrast_out_of_a_textured_one():
    assert np.array_equal(paint(flat(0.4), dab("blur", 32, 32, 12))[0], flat(0.4))
    image = textured()
    painted, _ = paint(image, dab("blur", 32, 32, 20))
    core = (slice(26, 38), slice(26, 38))
    assert painted[core].std() < 0.2 * image[core].std()
    assert painted[core].mean() == pytest.approx(image[core].mean(), abs=0.05)


def test_noise_keeps_grey_grey_and_its_grain_when_the_stroke_goes_on():
    short = Stroke("noise", ((20, 32), (30, 32)), 8, 0.7)
    long = Stroke("noise", ((20, 32), (30, 32), (50, 32)), 8, 0.7)
    one, other = paint(flat(0.5), short)[0], paint(flat(0.5), long)[0]
    assert np.array_equal(one[..., 0], one[..., 1]) and np.array_equal(one[..., 0], one[..., 2])
    assert np.array_equal(one[30:34, 18:30], other[30:34, 18:30])
    assert np.abs(one[30:34, 18:30] - 0.5).max() > 0.1


@pytest.mark.parametrize("kind", ["dark", "bright", "blur", "noise"])
def test_the_same_strokes_give_the_same_picture_and_more_strength_changes_more(kind):
    image = textured()
    strokes = [dab(kind, 30, 30, 12, 0.4), dab(kind, 40, 36, 7, 0.9)]
    assert paint(image, *strokes)[0].tobytes() == paint(image, *strokes)[0].tobytes()
    changes = [np.abs(paint(image, dab(kind, 30, 30, 12, strength))[0] - image).sum() for strength in (0, 0.25, 0.5, 1)]
    assert changes[0] == 0
    assert changes == sorted(changes) and len(set(changes)) == 4


def test_another_seed_and_another_place_in_the_list_give_other_noise():
    stroke = dab("noise", 32, 32, 10)
    first = paint(flat(0.5), stroke)[0]
    assert not np.array_equal(first, paint(flat(0.5), stroke, seed=1)[0])
    assert not np.array_equal(first, paint(flat(0.5), dab("dark", 5, 5, 2), stroke)[0])


@pytest.mark.parametrize("kind", ["dark", "bright", "blur", "noise"])
def test_erasing_brings_the_original_back_bit_for_bit_and_takes_the_mask_away(kind):
    image = np.random.default_rng(1).random((S, S, 3), np.float32)
    below = [dab(kind, 20, 32, 9, 0.8), dab(kind, 44, 32, 9, 0.8)]
    whole, mask = paint(image, *below, dab("erase", 32, 32, 60, 0.1))
    assert whole.tobytes() == image.tobytes() and not mask.any()
    half, mask = paint(image, *below, dab("erase", 20, 32, 14))
    assert half[:, :30].tobytes() == image[:, :30].tobytes() and not mask[:, :30].any()
    assert mask[:, 38:].any()


def test_pasting_copies_the_pixels_at_the_offset_and_nothing_from_beyond_the_source():
    source = textured(7)
    painted, _ = paint(flat(0.5), dab("paste", 20, 20, 8, 1.0, Source("other", 12, -6)), sources={"other": source})
    assert np.array_equal(painted[18:22, 18:22], source[12:16, 30:34]), "3 px around the middle are pasted in full"
    beyond, mask = paint(flat(0.5), dab("paste", 20, 20, 8, 1.0, Source("other", 50, 0)), sources={"other": source})
    assert np.array_equal(beyond[:, 14:], flat(0.5)[:, 14:]) and mask[:, :14].any()


def test_half_strength_pastes_half_of_the_patch():
    painted, _ = paint(flat(0.2), dab("paste", 32, 32, 8, 0.5, Source("other", 0, 0)), sources={"other": flat(0.6)})
    assert painted[32, 32, 0] == pytest.approx(0.4, abs=0.5 / 255)


def test_what_is_painted_survives_a_png_to_the_last_bit(tmp_path):
    image = textured()
    painted, _ = paint(image, dab("dark", 20, 20, 9, 0.37), dab("blur", 40, 40, 12, 0.8), dab("noise", 30, 50, 9, 0.5))
    Image.fromarray(np.rint(painted * 255).astype(np.uint8)).save(tmp_path / "painted.png")
    assert np.array_equal(load_image(tmp_path / "painted.png", S), painted)


def test_any_painting_stays_between_black_and_white_and_any_scribble_ends_in_time():
    generator = np.random.default_rng(2)
    strokes = [
        Stroke(
            str(kind),
            tuple(map(tuple, generator.uniform(-80, 140, (5, 2)).tolist())),
            float(generator.uniform(1, 90)),
            float(generator.random()),
        )
        for kind in generator.choice(["dark", "bright", "blur", "noise", "erase"], 40)
    ]
    strokes.append(
        Stroke("dark", tuple(map(tuple, generator.uniform(-4000, 4000, (MAX_POINTS, 2)).tolist())), 500.0, 0.5)
    )
    painted, _ = paint(textured(), *strokes)
    assert painted.dtype == np.float32 and painted.min() >= 0 and painted.max() <= 1


def test_the_image_that_is_painted_on_stays_as_it_was():
    image = textured()
    before = image.copy()
    paint(image, *(dab(kind, 32, 32, 20) for kind in ("dark", "blur", "erase", "noise")))
    assert np.array_equal(image, before)


# -- what a browser sends ----------------------------------------------------------------------------------------------

GOOD = {"kind": "dark", "points": [[1, 2], [3.5, 4]], "radius": 5, "strength": 0.5}
PASTE = GOOD | {"kind": "paste", "source": {"key": "test/good/000.png", "dx": 3, "dy": -2.5}}


def test_strokes_come_back_as_they_were_written():
    strokes = read_strokes([GOOD, PASTE, GOOD | {"kind": "erase"}])
    assert [stroke.kind for stroke in strokes] == ["dark", "paste", "erase"]
    assert strokes[1].source == Source("test/good/000.png", 3, -2.5)
    assert read_strokes(write_strokes(strokes)) == strokes
    assert read_strokes([]) == ()


def test_only_what_was_painted_after_the_last_clear_counts():
    assert read_strokes([GOOD, {"kind": "clear"}, PASTE, {"kind": "clear"}, GOOD | {"radius": 7}]) == (
        Stroke("dark", ((1, 2), (3.5, 4)), 7, 0.5),
    )
    assert read_strokes([GOOD, {"kind": "clear"}]) == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "spray"}, "no brush 'spray'"),
        ({"kind": ["dark"]}, "no brush"),
        ({"points": []}, "has 0 points"),
        ({"points": [[0, 0]] * (MAX_POINTS + 1)}, "has 2001 points"),
        ({"points": [[0, math.nan]]}, "not two finite numbers"),
        ({"points": [[math.inf, 0]]}, "not two finite numbers"),
        ({"points": [[1e9, 0]]}, "within 200000 px"),
        ({"points": [["1", 0]]}, "not two finite numbers"),
        ({"points": [[1, 2, 3]]}, "not complete"),
        ({"points": 7}, "not complete"),
        ({"radius": 0}, "the radius 0; expected 1 to 512 px"),
        ({"radius": 1e300}, "the radius"),
        ({"radius": math.nan}, "the radius nan"),
        ({"radius": None}, "the radius None"),
        ({"radius": True}, "the radius True"),
        ({"strength": 1.01}, "the strength 1.01; expected 0 to 1"),
        ({"strength": -0.1}, "the strength"),
        ({"strength": "1"}, "the strength"),
        ({"kind": "paste"}, "needs an image to paste from"),
        ({"source": {"key": "a", "dx": 0, "dy": 0}}, "and no other brush"),
        ({"kind": "paste", "source": {"key": "", "dx": 0, "dy": 0}}, "without a name"),
        ({"kind": "paste", "source": {"key": "a" * 501, "dx": 0, "dy": 0}}, "without a name"),
        ({"kind": "paste", "source": {"key": 3, "dx": 0, "dy": 0}}, "without a name"),
        ({"kind": "paste", "source": {"key": "a", "dx": math.nan, "dy": 0}}, "pastes from a place"),
        ({"kind": "paste", "source": {"key": "a"}}, "not complete"),
        ({"kind": "paste", "source": "a"}, "not complete"),
    ],
)
def test_a_bad_stroke_gets_a_sentence_with_its_number(change, words):
    with pytest.raises(SettingsError, match="^Stroke 2: |^Stroke 2 is") as caught:
        read_strokes([GOOD, GOOD | change])
    assert words in caught.value.message
    assert caught.value.fix.endswith(".") and len(caught.value.message) < 250


@pytest.mark.parametrize("values", [None, 3, "dark", {"kind": "dark"}, [GOOD] * (2 * MAX_STROKES + 1)])
def test_a_painting_that_is_no_list_of_strokes_gets_a_sentence(values):
    with pytest.raises(SettingsError, match="not a list of at most 400 strokes"):
        read_strokes(values)


@pytest.mark.parametrize("value", [None, 3, "dark", [], {}])
def test_an_entry_that_is_no_stroke_gets_a_sentence(value):
    with pytest.raises(SettingsError, match="Stroke 1 is not complete"):
        read_strokes([value])


def test_too_many_strokes_are_refused_by_reading_and_by_painting():
    with pytest.raises(SettingsError, match="has 201 strokes; at most 200"):
        read_strokes([GOOD] * (MAX_STROKES + 1))
    with pytest.raises(SettingsError, match="has 201 strokes; at most 200"):
        paint(flat(0.5), *[dab("dark", 1, 1, 1)] * (MAX_STROKES + 1))


@pytest.mark.parametrize("sources", [{}, {"other": np.zeros((S // 2, S // 2, 3), np.float32)}])
def test_pasting_from_an_image_that_is_not_at_hand_or_of_another_size_names_it(sources):
    with pytest.raises(WTFlowError, match="'other' to paste from is not available"):
        paint(flat(0.5), dab("paste", 5, 5, 3, 1.0, Source("other", 0, 0)), sources=sources)


def test_painting_on_something_that_is_no_colour_image_is_a_sentence():
    for shape in ((S, S), (S, S, 4)):
        with pytest.raises(SettingsError, match="Cannot paint on an image of shape"):
            paint(np.zeros(shape, np.float32))


def test_every_kind_of_brush_is_tried_above():
    assert set(KINDS) == {"dark", "bright", "blur", "noise", "erase", "paste"}
