"""The image size that is chosen from normals: detail against Nyquist, noise, the rule, and the time it may take."""

from pathlib import Path

import numpy as np
import pytest
from image_folders import save
from PIL import Image

from wtflow.config import settings_from
from wtflow.datasets.sizes.choose import ENOUGH, LONGEST_S, SIZES, choose_size, sizes_of
from wtflow.datasets.sizes.detail import MOST_PX, kept_detail, middle
from wtflow.datasets.sizes.look import NormalsSeen, look_at_normals
from wtflow.records.sizes import SizeChoice

FAST = settings_from("fast")


def grating(side: int, period: float, *, slanted: bool = False) -> np.ndarray:
    """(side, side) from 0 to 1: a wave of this many pixels, along the rows or along both axes."""
    rows, columns = np.mgrid[:side, :side]
    return 0.5 + 0.5 * np.sin(2 * np.pi * (columns + rows * slanted) / period)


def noise(side: int, deviation: float, seed: int) -> np.ndarray:
    return 0.5 + np.random.default_rng(seed).normal(0, deviation, (side, side))


def scene(side: int, seed: int) -> np.ndarray:
    """Sharp random blocks of 3 to 40 px, as normals of a rich part."""
    generator = np.random.default_rng(seed)
    picture = np.full((side, side), 0.5)
    for _ in range(400):
        row, column = generator.integers(0, side, 2)
        height, width = generator.integers(3, 40, 2)
        picture[row : row + height, column : column + width] = generator.random()
    return picture


def enlarged(picture: np.ndarray, side: int) -> np.ndarray:
    values = Image.fromarray((255 * picture).astype(np.uint8))
    return np.asarray(values.resize((side, side), Image.Resampling.BICUBIC)) / 255


def write(folder: Path, pictures: list[np.ndarray]) -> list[Path]:
    return [
        save(folder / f"{i:03}.png", (255 * picture).clip(0, 255).round().astype(np.uint8))
        for i, picture in enumerate(pictures)
    ]


def auto(paths: list[Path], *, tile: str = "off", seconds=lambda size: 1.0, longest_s: float = LONGEST_S) -> SizeChoice:
    seen = look_at_normals(paths, settings_from("fast", {"tile": tile}), SIZES)
    return choose_size(seen, {size: seconds(size) for size in sizes_of(offered=True)}, SIZES[-1], longest_s)


# -- detail, against Nyquist -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("slanted", [False, True])
@pytest.mark.parametrize(("period", "least"), [(3, 427), (3.5, 366), (4, 320), (5, 256), (8, 160)])
def test_a_grating_is_kept_from_twice_its_cycles_on_and_lost_below(period, least, slanted):
    """640 px hold 640 / p cycles a side; s px show s / 2 of them."""
    sizes = [least - 12, least + 12, 640]  # the window widens a line to 4 of 640 px, or 4 px of size, each way
    low, high, all_ = kept_detail(grating(640, period, slanted=slanted), (640, 640), sizes)
    assert low < 0.01 * all_ and high > 0.99 * all_


def test_the_energy_of_a_grating_goes_with_its_squared_amplitude_and_frequency():
    """The mean of the squared gradient of a sin(k x) is a^2 k^2 / 2."""
    one, twice, finer = (
        kept_detail(picture, (256, 256), [256])[0]
        for picture in (grating(256, 16), 2 * grating(256, 16), grating(256, 8))
    )
    assert twice == pytest.approx(4 * one, rel=1e-3) and finer == pytest.approx(4 * one, rel=1e-2)


def test_a_tile_keeps_what_the_whole_image_would_lose():
    """A period of 4 px is 160 cycles on 640 px, more than 256 px show; on a tile of 320 px it is 80."""
    picture, sizes = grating(640, 4), [256, 320, 512]
    whole, tile = kept_detail(picture, (640, 640), sizes), kept_detail(picture, (320, 320), sizes)
    assert whole[0] < 0.01 * whole[-1] and tile[0] > 0.99 * tile[-1]


def test_a_strip_loses_along_its_longer_side_first():
    columns = np.tile(grating(1024, 6)[:1], (200, 1))
    low, high = kept_detail(columns, (200, 1024), [320, 400])
    assert low < 0.01 * high, "1,024 / 6 cycles take 342 px"
    assert kept_detail(grating(1024, 6)[:200, :200], (200, 200), [320])[0] > 0


def test_white_noise_is_no_detail_and_hides_none():
    kept = kept_detail(noise(512, 0.1, 1), (512, 512), SIZES)
    signal = kept_detail(scene(512, 2), (512, 512), SIZES)
    noisy = kept_detail(scene(512, 2) + noise(512, 0.02, 3) - 0.5, (512, 512), SIZES)  # as of a dim camera
    assert kept[-1] < 0.01 * signal[-1]
    assert noisy / noisy[-1] == pytest.approx(signal / signal[-1], abs=0.1)


def test_of_a_huge_picture_the_middle_is_looked_at():
    picture = np.full((MOST_PX, 2 * MOST_PX), 0.5)
    picture[:, : MOST_PX // 2] = grating(MOST_PX, 8)[:, : MOST_PX // 2]
    assert middle(picture).shape == (MOST_PX, MOST_PX) and np.ptp(middle(picture)) == 0
    assert middle(picture[:100, :50, None]).shape == (100, 50, 1)


# -- what is chosen ----------------------------------------------------------------------------------------------------


def test_sharp_normals_get_the_largest_size_up_to_their_own(tmp_path):
    for side, expected, why in ((640, 512, "most"), (512, 512, "most"), (400, 384, "own"), (300, 256, "own")):
        found = auto(write(tmp_path / str(side), [scene(side, seed) for seed in range(4)]))
        assert (found.size_px, found.why, found.own_px) == (expected, why, side)


@pytest.mark.parametrize(("period", "expected"), [(4.6, 384), (6, 256), (3.5, 384), (2.7, 512)])
def test_a_grating_gets_the_smallest_size_that_shows_it(tmp_path, period, expected):
    """On 640 px it takes 1,280 / p px: 278, 213, 366 and 474."""
    found = auto(write(tmp_path, [grating(640, period)] * 3))
    assert found.size_px == expected
    assert all((cost.shown or 0) < 0.02 for cost in found.costs if cost.size_px < expected)


def test_enlarged_noisy_and_empty_normals_get_the_smallest_size(tmp_path):
    kinds = {
        "enlarged": [enlarged(scene(128, seed), 640) for seed in range(3)],
        "noise": [noise(640, 0.1, seed) for seed in range(3)],
        "empty": [np.full((640, 640), 0.5)] * 3,
    }
    for name, pictures in kinds.items():
        found = auto(write(tmp_path / name, pictures))
        assert (found.size_px, found.why, found.n_images) == (256, "detail", 3), name
        is_nothing_more = found.reason == "no larger size shows more of the normals' detail"
        assert is_nothing_more or (name == "enlarged" and found.cost.shown > 0.99)


def test_small_normals_are_enlarged_to_the_smallest_size_as_before(tmp_path):
    found = auto(write(tmp_path, [scene(64, 0), scene(64, 1)]))
    assert (found.size_px, found.why, found.n_images) == (256, "own", 0), "nobody looks at their detail"
    assert "the normals have 64 px" in found.reason


def test_of_mixed_sizes_the_middle_one_counts(tmp_path):
    sides = [120, 200, 450, 640, 640]
    found = auto(write(tmp_path, [scene(side, side) for side in sides]))
    assert (found.own_px, found.size_px) == (450, 384)


def test_tiles_are_judged_by_their_own_pixels(tmp_path):
    paths = write(tmp_path, [scene(640, 1)] * 2)
    assert auto(paths, tile="128").size_px == 256 and "tiles have 128 px" in auto(paths, tile="128").reason
    assert auto(paths, tile="side").size_px == 512


def test_what_cannot_be_read_is_left_out(tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    alone = auto([broken])
    assert (alone.size_px, alone.why, alone.own_px) == (256, "unread", None)
    assert auto([]).why == "unread"
    assert auto([broken, *write(tmp_path / "sound", [scene(512, 1)] * 2)]).size_px == 512


def test_the_same_normals_give_the_same_answer_and_the_progress_ends(tmp_path):
    paths, told = write(tmp_path, [scene(512, seed) for seed in range(20)]), []
    found = look_at_normals(paths, FAST, SIZES, lambda done, total: told.append((done, total)))
    assert found == look_at_normals(paths, FAST, SIZES)
    assert found.n_images == 16 and told[-1] == (16, 16)


# -- time --------------------------------------------------------------------------------------------------------------

RICH = NormalsSeen(640, False, 16, dict(zip(SIZES, (0.4, 0.7, 1.0), strict=True)))
SECONDS = {256: 60.0, 384: 110.0, 512: 200.0, 640: 300.0}


@pytest.mark.parametrize(("longest_s", "expected"), [(200, 512), (199, 384), (109, 256), (60, 256), (10, 256)])
def test_the_time_is_kept_unless_nothing_is_quick_enough(longest_s, expected):
    found = choose_size(RICH, SECONDS, 512, longest_s)
    assert found.size_px == expected and found.useful_px == 512
    assert (found.why == "time") == (expected < 512)
    assert ("more than the" in found.price) == (longest_s < 60)


def test_it_says_what_was_chosen_why_and_what_the_next_larger_costs():
    assert choose_size(RICH, SECONDS, 512, 600).words.replace("\N{NBSP}", " ") == (
        "512 px (auto): the largest that is chosen unasked; 384 px would lose 30 % of the normals' detail."
        " Expected time: about 3 min 20 s; 640 px: about 5 min 0 s."
    )
    assert choose_size(RICH, SECONDS, 512, 120).reason == (
        "512 px would show more, but is expected to take 3 min 20 s, and 2 min 0 s are allowed"
    )
    soft = NormalsSeen(640, False, 16, dict(zip(SIZES, (0.8, ENOUGH, 1.0), strict=True)))
    found = choose_size(soft, SECONDS, 512, 600)
    assert found.size_px == 384 and found.next_larger.size_px == 512
    assert "it shows 98 % of the normals' detail that 512 px would show" in found.reason.replace("\N{NBSP}", " ")


def test_sizes_that_cannot_be_had_are_not_chosen():
    """Tiles of a large canvas stop at the memory that they take."""
    assert choose_size(RICH, {256: 60.0, 384: 80.0}, 512, 600).size_px == 384


def test_sizes_are_those_that_the_backbone_takes():
    assert sizes_of() == SIZES and sizes_of(offered=True) == (*SIZES, 640)
    patches, coarse = (lambda px: 14 * round(px / 14)), (lambda px: 128 * round(px / 128))
    assert sizes_of(patches) == (252, 378, 518) and sizes_of(coarse) == (256, 384, 512)
    assert sizes_of(lambda px: 224, offered=True) == (224,)
    only = choose_size(RICH, {224: 60.0}, 224, 600)
    assert (only.size_px, only.why, only.next_larger) == (224, "only", None)
