"""What masks mean: rules in words, values that are read without doubt or not at all, regions that no size loses."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from image_folders import save
from PIL import Image
from scipy import ndimage
from sklearn.metrics import roc_auc_score
from truths import drawn

from wtflow.datasets.masks.live import FileTruth, stamp_masks
from wtflow.datasets.masks.read import count_regions, decide_masks, read_truth
from wtflow.datasets.masks.shrink import region_sizes, truth_of_mask
from wtflow.errors import SettingsError
from wtflow.metrics import EIGHT_NEIGHBOURS, PixelMetrics
from wtflow.records.core import Sample
from wtflow.records.mask_rule import COLOUR, MaskRule, parse_rule
from wtflow.records.reading import Reading
from wtflow.records.truth import LeftOut, RunTruth, Truth
from wtflow.store.truths import from_arrays, to_arrays

SIDE = 48
PICTURE = np.zeros((SIDE, SIDE, 3), np.uint8)

# -- words -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("auto", MaskRule()),
        ("defect=1,ignore=255", MaskRule(((1, 1),), ((255, 255),))),
        ("defect=1,2,ignore=255", MaskRule(((1, 1), (2, 2)), ((255, 255),))),
        ("defect=2+1", MaskRule(((1, 1), (2, 2)))),
        (" defect = 128-255 ; ignore=7", MaskRule(((128, 255),), ((7, 7),))),
        ("defect=nonzero", MaskRule("nonzero")),
        ("invert", MaskRule(invert=True)),
        ("alpha, invert", MaskRule(alpha=True, invert=True)),
        ("defect=#ff0000", MaskRule(((COLOUR + 0xFF0000,) * 2,))),
        ("ignore=255", MaskRule(ignore=((255, 255),))),
    ],
)
def test_a_rule_is_read_as_people_type_it_and_written_so_that_it_is_read_again(text, rule):
    assert parse_rule(text) == rule
    assert parse_rule(rule.words) == rule


@pytest.mark.parametrize(
    "text",
    [
        "defekt=1",
        "defect=",
        "defect=red",
        "7",
        "defect=5-3",
        "defect=70000",
        "defect=1,ignore=1",
        "defect=1,defect=nonzero",
        "ignore=nonzero",
        "defect=-1",
        "defect=1-9,ignore=4",
    ],
)
def test_words_that_mean_nothing_are_refused_with_an_example(text):
    with pytest.raises(SettingsError) as caught:
        parse_rule(text)
    assert (
        "defect=1,ignore=255" in caught.value.fix
        or "one meaning" in caught.value.fix
        or "one of both" in str(caught.value.fix).lower()
    )


# -- values that are read, and those that are a question ---------------------------------------------------------------


def box(low: int, high: int, inside: int, outside: int = 0, kind=np.uint8) -> np.ndarray:
    mask = np.full((SIDE, SIDE), outside, kind)
    mask[low:high, low:high] = inside
    return mask


def folder_of(tmp_path: Path, *masks: np.ndarray | Image.Image, defect: str = "dent", suffix: str = ".png", **how):
    """One defective test image per mask."""
    samples = []
    for i, mask in enumerate(masks):
        image = save(tmp_path / f"{defect}{i}.png", PICTURE)
        path = tmp_path / f"{defect}{i}_mask{suffix}"
        (mask if isinstance(mask, Image.Image) else Image.fromarray(mask)).save(path, **how)
        samples.append(Sample(f"test/{defect}/{i}.png", image, "test", defect, path))
    return samples


def decided(samples, masks: str = "auto", layout_rule: str = "auto"):
    return decide_masks(samples, Reading(masks=masks), layout_rule)


@pytest.mark.parametrize("value", [1, 2, 128, 255])
def test_two_values_one_of_them_0_are_read(tmp_path, value):
    samples = folder_of(tmp_path, box(4, 20, value), box(8, 16, value))
    decision = decided(samples)
    assert decision.is_clear
    assert decision.rule == f"defect={value}"
    truth = read_truth(samples[0], decision, (SIDE, SIDE))
    np.testing.assert_array_equal(truth.mask, box(4, 20, 1) > 0)


def palette_image(mask: np.ndarray, colours: dict[int, tuple[int, int, int]]) -> Image.Image:
    flat = [0] * 768
    for index, colour in colours.items():
        flat[3 * index : 3 * index + 3] = colour
    found = Image.new("P", mask.shape[::-1])
    found.putdata(mask.ravel().tolist())
    found.putpalette(flat)
    return found


VOC = {1: (128, 0, 0), 2: (0, 128, 0), 255: (224, 224, 192)}


def with_void(inside: int, rim: int) -> np.ndarray:
    mask = box(8, 24, rim)
    mask[10:22, 10:22] = inside
    return mask


def instances() -> np.ndarray:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    for number in range(1, 12):
        mask[4 * number - 3 : 4 * number - 1, 4:9] = number
    return mask


def in_alpha() -> np.ndarray:
    mask = np.full((SIDE, SIDE, 4), 255, np.uint8)
    mask[..., 3] = box(4, 20, 255)
    return mask


def in_two_colours() -> np.ndarray:
    red, green = np.array([200, 0, 0], np.uint8), np.array([0, 200, 0], np.uint8)
    return box(4, 9, 1)[..., None] * red + box(20, 30, 1)[..., None] * green


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: [with_void(1, 255)], id="void"),
        pytest.param(lambda: [with_void(255, 128)], id="rim"),
        pytest.param(lambda: [with_void(2, 1), box(4, 9, 1)], id="classes"),
        pytest.param(lambda: [instances()], id="instances"),
        pytest.param(lambda: [instances() * 20], id="instances over all levels"),
        pytest.param(lambda: [box(4, 9, 1), box(4, 9, 2)], id="one class each"),
        pytest.param(lambda: [box(4, 20, 255, 128)], id="no zero"),
        pytest.param(lambda: [in_alpha()], id="alpha"),
        pytest.param(lambda: [palette_image(with_void(1, 255), VOC)], id="palette with void"),
        pytest.param(lambda: [palette_image(box(4, 9, 1) + box(20, 30, 2), VOC)], id="palette of classes"),
        pytest.param(lambda: [in_two_colours()], id="colours"),
        pytest.param(lambda: [box(4, 9, 300, kind=np.uint16) + box(20, 25, 7, kind=np.uint16)], id="16 bit"),
    ],
)
def test_what_is_in_doubt_is_not_read_and_says_why_with_a_way_out(tmp_path, make):
    samples = folder_of(tmp_path, *make())
    decision = decided(samples)
    assert decision.reason
    assert not decision.rule
    found = read_truth(samples[0], decision, (SIDE, SIDE))
    assert isinstance(found, LeftOut)
    assert found.code == "unclear"
    assert decision.suggestions
    for words in decision.suggestions:
        said = decided(samples, words)
        assert not said.reason or "alpha" in words, "what is suggested settles the question"


def test_a_person_settles_it(tmp_path):
    samples = folder_of(tmp_path, with_void(1, 255))
    decision = decided(samples, "defect=1,ignore=255")
    truth = read_truth(samples[0], decision, (SIDE, SIDE))
    inner = box(10, 22, 1) > 0
    np.testing.assert_array_equal(truth.mask, inner)
    np.testing.assert_array_equal(truth.ignored, (box(8, 24, 1) > 0) & ~inner)
    assert {value.words: value.role for value in decision.values} == {"0": "normal", "1": "defect", "255": "left out"}
    only_left_out = decided(samples, "ignore=255")
    assert parse_rule(only_left_out.rule) == parse_rule("defect=1,ignore=255"), "what remains has two values"


def test_palettes_of_colours_are_read_by_number_and_grey_ones_by_level(tmp_path):
    numbered = folder_of(tmp_path / "a", palette_image(box(4, 9, 1), VOC))
    assert decided(numbered).rule == "defect=1"
    white = folder_of(tmp_path / "b", palette_image(1 - box(4, 9, 1), {0: (255, 255, 255), 1: (0, 0, 0)}))
    decision = decided(white)
    assert decision.rule == "defect=255", "the order of a palette means nothing"
    np.testing.assert_array_equal(read_truth(white[0], decision, (SIDE, SIDE)).mask, box(4, 9, 1) > 0)


def test_transparency_is_read_where_a_person_says_so_or_colours_say_the_same(tmp_path):
    samples = folder_of(tmp_path / "a", in_alpha())
    decision = decided(samples, "alpha")
    assert not decision.reason
    np.testing.assert_array_equal(read_truth(samples[0], decision, (SIDE, SIDE)).mask, box(4, 20, 1) > 0)
    both = in_alpha()
    both[..., :3][box(4, 20, 1) == 0] = 0
    samples = folder_of(tmp_path / "b", both)
    assert decided(samples).rule == "defect=255"


def test_masks_the_wrong_way_round_are_asked_about_by_type(tmp_path):
    wrong = folder_of(tmp_path, *[box(4, 20, 0, 255)] * 3, defect="dent")
    right = folder_of(tmp_path, *[box(4, 20, 255)] * 3, defect="scratch")
    decision = decided([*wrong, *right])
    assert list(decision.doubtful) == ["dent"]
    assert read_truth(wrong[0], decision, (SIDE, SIDE)).code == "unclear"
    assert isinstance(read_truth(right[0], decision, (SIDE, SIDE)), Truth)
    inverted = decided(wrong, "invert")
    np.testing.assert_array_equal(read_truth(wrong[0], inverted, (SIDE, SIDE)).mask, box(4, 20, 1) > 0)
    as_drawn = decided(wrong, "defect=255")
    assert as_drawn.is_clear, "a person may mean it"


def test_a_large_defect_among_small_ones_is_no_doubt(tmp_path):
    samples = folder_of(tmp_path, box(0, SIDE, 255), box(4, 20, 255), box(8, 12, 255))
    assert decided(samples).is_clear


def smooth(side: int = 4 * SIDE) -> Image.Image:
    large = Image.new("L", (side, side))
    large.paste(255, (side // 5, side // 4, side // 2, side // 2))
    return large.rotate(20, Image.Resampling.BICUBIC).resize((SIDE, SIDE), Image.Resampling.BICUBIC)


@pytest.mark.parametrize(
    ("values", "first"),
    [
        ((1, 255), "defect=1,ignore=255"),
        ((128, 255), "defect=255,ignore=128"),
        ((1, 2, 255), "defect=1-2,ignore=255"),
        ((1, 2, 3, 7, 255), "defect=1-3+7,ignore=255"),
        ((1, 3, 5, 7, 9, 255), "defect=nonzero"),
        ((1, 2), "defect=nonzero"),
    ],
)
def test_classes_below_an_uncertain_value_are_the_first_suggestion(tmp_path, values, first):
    mask = np.zeros((SIDE, SIDE), np.uint8)
    for i, value in enumerate(values):
        mask[3 * i : 3 * i + 2, 4:9] = value
    suggestions = decided(folder_of(tmp_path, mask)).suggestions
    assert suggestions[0] == first
    assert all(parse_rule(words).words == words for words in suggestions)


@pytest.mark.parametrize("n_per_mask", [1, 2, 6])
def test_many_classes_inside_rims_of_an_uncertain_value_are_no_smooth_edges(tmp_path, n_per_mask):
    """Six kinds of small flaws, numbered, each in a rim of 255: all near the border of dark and bright, and faint."""
    masks = [np.zeros((SIDE, SIDE), np.uint8) for _ in range(6)]
    for i, mask in enumerate(masks):
        for k in range(n_per_mask):
            left = 8 * k % 40
            mask[10:17, left : left + 7] = 255
            mask[12:15, left + 2 : left + 5] = 1 + (i + k) % 6
    decision = decided(folder_of(tmp_path, *masks))
    assert not decision.rule, "the rims alone would count as the defect"
    assert decision.suggestions[0] == "defect=1-6,ignore=255"


def test_stripes_of_many_levels_are_no_smooth_edges(tmp_path):
    """Every pixel is near a border of dark and bright, but hardly any is black or white."""
    levels = (np.arange(64 * 64).reshape(64, 64) % 251).astype(np.uint8)
    decision = decide_masks(folder_of(tmp_path, Image.fromarray(levels)), Reading())
    assert not decision.rule and "besides 0" in decision.reason


@pytest.mark.parametrize(("suffix", "how"), [(".png", {}), (".jpg", {"quality": 75}), (".jpg", {"quality": 95})])
def test_smooth_edges_are_read_by_the_half_and_their_share_is_said(tmp_path, suffix, how):
    samples = folder_of(tmp_path, smooth(), smooth().transpose(Image.Transpose.ROTATE_90), suffix=suffix, **how)
    decision = decided(samples)
    assert not decision.reason, decision.reason
    assert 0 < decision.share_between < 0.5
    truth = read_truth(samples[0], decision, (SIDE, SIDE))
    sharp = np.asarray(smooth()) >= 128
    assert (truth.mask != sharp).mean() < 0.02


def test_a_layout_that_numbers_its_masks_is_read_by_numbers_unless_they_are_none(tmp_path):
    numbered = folder_of(tmp_path / "a", with_void(3, 1), box(4, 9, 2))
    assert decided(numbered, layout_rule="defect=nonzero").said_by == "layout"
    void = folder_of(tmp_path / "b", with_void(1, 255))
    assert decided(void, layout_rule="defect=nonzero").reason


# -- regions -----------------------------------------------------------------------------------------------------------


def test_each_way_to_have_no_truth_has_its_code(tmp_path):
    samples = folder_of(tmp_path, box(4, 20, 255), box(0, 0, 255), np.zeros((5, 5), np.uint8))
    Path(samples[2].mask_path).write_bytes(samples[2].mask_path.read_bytes()[:30])
    small = folder_of(tmp_path, box(4, 20, 255)[:9], defect="small")
    bare = Sample("test/bare/0.png", samples[0].path, "test", "bare")
    decision = decided([*samples, *small])
    found = [read_truth(sample, decision, (SIDE, SIDE)) for sample in (*samples, *small, bare)]
    assert isinstance(found[0], Truth)
    assert [one.code for one in found[1:]] == ["empty", "unreadable", "size", "missing"]


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 24), st.integers(1, 24), st.integers(0, 2**32 - 1))
@settings(max_examples=150, deadline=None)
def test_no_size_loses_splits_or_joins_a_region_or_changes_an_area(height, width, rows, columns, seed):
    generator = np.random.default_rng(seed)
    mask = generator.random((height, width)) < generator.choice([0.05, 0.2, 0.6])
    ignored = ~mask & (generator.random((height, width)) < 0.2)
    truth = truth_of_mask(mask, (rows, columns), ignored)
    labels, n = ndimage.label(mask, EIGHT_NEIGHBOURS)
    assert truth.n_regions == n
    area = np.bincount(labels.ravel(), minlength=n + 1)[1:] * (rows * columns) / (height * width)
    np.testing.assert_allclose(truth.areas, area, rtol=1e-4, atol=1e-5)
    assert (np.bincount(truth.region[truth.in_regions], minlength=n) >= 1).all(), "each keeps a pixel"
    np.testing.assert_allclose(truth.left_out.sum(), ignored.sum() * rows * columns / mask.size, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(truth.normal + truth.defect + truth.left_out, 1, atol=1e-4)


def pixel_figures(mask: np.ndarray, values: np.ndarray, ignored: np.ndarray | None = None) -> dict:
    metrics = PixelMetrics()
    metrics.add(values, truth_of_mask(mask, values.shape, ignored))
    return metrics.result()


@pytest.mark.parametrize("factor", [1, 2, 5])
def test_figures_are_those_of_the_mask_at_its_own_size_under_the_enlarged_map(factor):
    generator = np.random.default_rng(factor)
    values = generator.gamma(2.0, 1.0, (20, 24)).astype(np.float32)
    mask = generator.random((20 * factor, 24 * factor)) < 0.03
    large = np.kron(values, np.ones((factor, factor), np.float32))
    assert pixel_figures(mask, values) == pytest.approx(pixel_figures(mask, large), abs=1e-6)
    assert pixel_figures(mask, values)["pixel_auroc"] == pytest.approx(
        roc_auc_score(mask.ravel(), large.ravel()), abs=2e-5
    )


def test_what_is_left_out_changes_no_figure():
    """Whatever the map says there: the figures are those of the other pixels."""
    generator = np.random.default_rng(3)
    values = generator.gamma(2.0, 1.0, (30, 30)).astype(np.float32)
    mask, ignored = np.zeros((30, 30), bool), np.zeros((30, 30), bool)
    mask[5:9, 5:9] = ignored[20:, :] = True
    wild = values.copy()
    wild[ignored] = generator.choice([0.0, 1e6], ignored.sum())
    found = pixel_figures(mask, values, ignored)
    assert pixel_figures(mask, wild, ignored) == found
    kept = ~ignored
    assert found["pixel_auroc"] == pytest.approx(roc_auc_score(mask[kept], values[kept]), abs=2e-5)


def test_a_half_covered_pixel_is_half_of_each_class():
    """Two pixels at score 2 and 1; the defect covers half of the first. So of one and a half normal pixels a third
    scores 2, as all of the defect does: the AUROC is 2/3 + 1/3 / 2."""
    mask = np.array([[True, False, False, False]])
    metrics = PixelMetrics()
    metrics.add(np.array([[2.0, 1.0]], np.float32), truth_of_mask(mask, (1, 2)))
    assert metrics.result()["pixel_auroc"] == pytest.approx(2 / 3 + 1 / 6)
    assert metrics.result()["pixel_ap"] == pytest.approx(0.5)


def test_a_thin_scratch_is_one_region_along_its_whole_length():
    mask = np.zeros((1024, 1024), bool)
    for k in range(900):
        mask[50 + k : 53 + k, 100 + int(0.37 * k) : 103 + int(0.37 * k)] = True
    truth = truth_of_mask(mask, (64, 64))
    assert truth.n_regions == 1
    rows = np.flatnonzero(truth.mask.any(axis=1))
    assert (rows[0], rows[-1]) == (3, 59)
    assert (np.diff(rows) == 1).all(), "no row of it is lost"


def test_regions_smaller_than_a_pixel_are_counted_and_the_size_that_holds_them_is_named():
    mask = np.zeros((100, 100), bool)
    mask[10:12, 10:12] = mask[50:70, 50:70] = True
    assert truth_of_mask(mask, (25, 25)).n_small == 1
    assert truth_of_mask(mask, (50, 50)).n_small == 0
    sizes = count_regions([region_sizes(mask)], 25)
    assert (sizes.n, sizes.n_small, sizes.size_for_all) == (2, 1, 50)
    assert count_regions([region_sizes(mask)], 50).n_small == 0
    for size_px in (1, 4, 5, 6, 49, 50, 51):
        assert sizes.at(size_px) == count_regions([region_sizes(mask)], size_px)
    assert [sizes.at(size_px).n_small for size_px in (4, 5, 49, 50)] == [2, 1, 1, 0]
    assert count_regions([], 50) is None


# -- the file of a run -------------------------------------------------------------------------------------------------


def test_a_truth_is_the_same_after_it_was_packed():
    mask = np.random.default_rng(0).random((37, 41)) < 0.1
    truth = RunTruth(
        (16, 16),
        {"test/ä/0.png": truth_of_mask(mask, (16, 16), ~mask), "test/b/1.png": truth_of_mask(mask[::-1], (16, 16))},
        {"test/c/2.png": LeftOut("unclear", "It is „so“.")},
    )
    back = from_arrays(to_arrays(truth))
    assert back.left_out == truth.left_out
    for name, one in truth.truths.items():
        for part in ("pixel", "region", "share", "left_pixel", "left_share"):
            np.testing.assert_array_equal(getattr(back.truths[name], part), getattr(one, part))
    assert back.of("test/good/0.png", is_defective=False).is_normal
    assert back.of("test/c/2.png", is_defective=True) is None
    assert from_arrays(to_arrays(RunTruth((4, 4), {}, {}))) == RunTruth((4, 4), {}, {})


def test_a_mask_at_map_size_is_itself():
    mask = np.random.default_rng(1).random((9, 11)) < 0.3
    np.testing.assert_array_equal(drawn(mask).mask, mask)


# -- a run without a truth of its own ----------------------------------------------------------------------------------


def test_masks_that_are_drawn_again_or_read_otherwise_are_noticed(tmp_path, monkeypatch):
    samples, said = folder_of(tmp_path, with_void(1, 255)), [Reading()]
    truth = FileTruth(samples, lambda: said[0], (SIDE, SIDE))
    name = samples[0].id
    assert truth.why(name).code == "unclear"
    said[0] = Reading(masks="defect=1,ignore=255")
    assert truth.read_all().truths[name].mask.sum() == 144, "all of them are read as the disk is now"
    Image.fromarray(box(4, 9, 255)).save(samples[0].mask_path)
    said[0] = Reading()
    monkeypatch.setattr("wtflow.datasets.masks.live.LOOK_AGAIN_S", 0.0)
    truth.read_all()
    Image.fromarray(box(4, 20, 7)).save(samples[0].mask_path)
    assert truth.of(name, is_defective=True).mask.sum() == 256
    assert truth.decision.rule == "defect=7"


def test_the_stamp_of_masks_is_the_same_in_every_process(tmp_path):
    samples = folder_of(tmp_path, box(4, 9, 255))
    code = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from pathlib import Path\n"
        "from wtflow.datasets.masks.live import stamp_masks\n"
        "from wtflow.records.core import Sample\n"
        "from wtflow.records.reading import Reading\n"
        f"print(stamp_masks([Sample('a', Path({str(samples[0].path)!r}), 'test', 'dent',"
        f" Path({str(samples[0].mask_path)!r}))], Reading(masks='invert')))"
    )
    found = set()
    for seed in ("1", "2"):
        seeded = os.environ | {"PYTHONHASHSEED": seed}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=seeded)
        found.add(done.stdout.strip())
    assert found == {stamp_masks(samples, Reading(masks="invert"))}
    Image.fromarray(box(4, 20, 255)).save(samples[0].mask_path)
    assert stamp_masks(samples, Reading(masks="invert")) not in found
