"""Files that look the same to every viewer give the same pixels, features, score and map."""

import functools
import io
import itertools
import struct
import zlib
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from run_folders import train_here
from same_picture import RGB, RGBA, encodings, is_refused, png, png_plain, write_tiff
from tried_images import try_images

from wtflow.datasets.decode import decode_image
from wtflow.datasets.images import load_image_bytes
from wtflow.errors import ImageReadError
from wtflow.store.runs import RunStore

WRITERS = dict(encodings())
LEVELS = (np.array([0, 255]), np.array([0, 85, 170, 255]), np.arange(16) * 17, np.arange(256))
"""What 1, 2, 4 and 8 bits a sample can show."""
ALPHAS = ([255], [0, 255], [0, 51, 102, 255])


def draw(seed: int, shape: tuple[int, int], n: int, levels: np.ndarray, alphas: list[int], is_grey: bool) -> np.ndarray:
    """uint8 (H, W, 4) of at most n colours."""
    generator = np.random.default_rng(seed)
    colours = generator.choice(levels, (n, 4)).astype(np.uint8)
    if is_grey:
        colours[:, 1:3] = colours[:, :1]
    colours[:, 3] = generator.choice(alphas, n)
    return colours[generator.integers(0, n, shape)]


pictures = st.builds(
    draw,
    st.integers(0, 999),
    st.tuples(st.integers(1, 24), st.integers(1, 24)),
    st.sampled_from([1, 2, 4, 16, 40]),
    st.sampled_from(LEVELS),
    st.sampled_from(ALPHAS),
    st.booleans(),
)


def assert_reads_as(
    data: bytes, picture: np.ndarray, name: str, sizes: tuple[int | None, ...], background: str
) -> None:
    plain = png_plain(picture, RGBA, 8)
    for size in sizes:
        found, expected = (load_image_bytes(file, name, size, background) for file in (data, plain))
        np.testing.assert_array_equal(found, expected, err_msg=f"{name}, size {size}")


def test_the_plain_file_reads_as_the_picture_itself():
    picture = draw(1, (5, 4), 16, LEVELS[3], ALPHAS[2], False)
    opacity = picture[..., 3:] / 255
    expected = np.round(picture[..., :3] * opacity + 255 * (1 - opacity)) / 255
    assert np.abs(load_image_bytes(png_plain(picture, RGBA, 8), "x", None, "white") - expected).max() < 1e-6


def test_every_encoding_gives_the_same_pixels_or_says_that_it_is_not_read():
    written: Counter[str] = Counter()
    drawn = [
        draw(seed, (21, 19), 16, levels, alphas, is_grey=seed % 4 < 3)
        for seed, (levels, alphas) in enumerate(itertools.product(LEVELS, ALPHAS))
    ]
    white_part = draw(5, (21, 19), 16, np.array([255]), ALPHAS[1], True)
    for picture in (*drawn, white_part):
        for name, write in WRITERS.items():
            if (data := write(picture)) is None:
                continue
            written[name] += 1
            if is_refused(name):
                with pytest.raises(ImageReadError):
                    decode_image(data, name)
            else:
                assert_reads_as(data, picture, name, (None,), "white")
    assert sorted(WRITERS.keys() - written.keys()) == []


@given(
    pictures, st.sampled_from([name for name in WRITERS if not is_refused(name)]), st.sampled_from(["black", "grey"])
)
@settings(max_examples=250, deadline=None)
def test_every_picture_reads_the_same_at_every_size(picture, name, background):
    if (data := WRITERS[name](picture)) is not None:
        assert_reads_as(data, picture, name, (None, 7, 32), background)


# Turned


def turned(picture: np.ndarray, orientation: int) -> np.ndarray:
    """The picture as a camera stores it that marks its file with `orientation`: EXIF's definition, by its first row and
    column: 6 has the first row at the right and the first column at the top.
    """
    height, width = picture.shape[:2]
    shape = (width, height) if orientation >= 5 else (height, width)
    row, column = np.indices(shape)
    last_row, last_column = height - 1, width - 1
    place = {
        1: (row, column),
        2: (row, last_column - column),
        3: (last_row - row, last_column - column),
        4: (last_row - row, column),
        5: (column, row),
        6: (column, last_column - row),
        7: (last_row - column, last_column - row),
        8: (last_row - column, row),
    }[orientation]
    return picture[place]


def with_orientation(picture: np.ndarray, orientation: int) -> dict[str, bytes]:
    stored = np.ascontiguousarray(turned(picture, orientation))
    exif = Image.Exif()
    exif[0x0112] = orientation
    block = exif.tobytes()[6:]  # without the name that JPEG gives it
    webp = io.BytesIO()
    Image.fromarray(stored).save(webp, "WEBP", lossless=True, exif=exif)
    tiff = functools.partial(write_tiff, extra=2, orientation=orientation)
    return {
        "png, before the pixels": png(stored, RGBA, 8, chunks=((b"eXIf", block),)),
        "png, after the pixels": png(stored, RGBA, 8, late=((b"eXIf", block),)),
        "png, 16 bit": png(stored.astype(np.uint16) * 257, RGBA, 16, chunks=((b"eXIf", block),)),
        "webp": webp.getvalue(),
        "tiff": tiff(stored, 2),
        "tiff, LZW": tiff(stored, 2, compression=5),
        "tiff, 16 bit": tiff(stored.astype(np.uint16) * 257, 2, order=">"),
        "tiff, 16 bit, LZW": tiff(stored.astype(np.uint16) * 257, 2, compression=5),
    }


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_reads_the_same_whichever_way_its_file_stores_it(orientation):
    picture = draw(3, (11, 8), 40, LEVELS[3], ALPHAS[2], False)
    for name, data in with_orientation(picture, orientation).items():
        assert_reads_as(data, picture, name, (None, 7), "black")
        assert decode_image(data, name).orientation == orientation


# JPEG, and what is not followed


def jpeg(**options) -> bytes:
    file = io.BytesIO()
    smooth = np.indices((24, 24)).sum(0).astype(np.uint8)[..., None] * np.array([5, 3, 2], np.uint8)
    Image.fromarray(smooth).save(file, options.pop("kind", "JPEG"), quality=90, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    "options",
    [
        {"progressive": True},
        {"optimize": True},
        {"restart_marker_rows": 1},
        {"comment": b"a note"},
        {"icc_profile": bytes(200)},
        {"dpi": (300, 300)},
        {"kind": "MPO", "save_all": True, "append_images": [Image.new("RGB", (24, 24))]},
    ],
    ids=lambda options: ", ".join(options),
)
def test_a_jpeg_shows_its_coefficients_however_they_are_packed(options):
    np.testing.assert_array_equal(load_image_bytes(jpeg(**options), "x", 7), load_image_bytes(jpeg(), "x", 7))


@pytest.mark.parametrize(
    "chunk",
    [
        (b"gAMA", struct.pack(">I", 100_000)),
        (b"sRGB", bytes(1)),
        (b"cHRM", struct.pack(">8I", *range(8))),
        (b"iCCP", b"profile\0\0" + zlib.compress(bytes(200))),
        (b"sBIT", bytes([5, 5, 5])),
        (b"bKGD", bytes(6)),
        (b"pHYs", struct.pack(">IIB", 300, 300, 1)),
    ],
    ids=lambda chunk: chunk[0].decode(),
)
def test_numbers_are_taken_as_stored_whatever_is_said_about_colour(chunk):
    picture = draw(4, (9, 8), 40, LEVELS[3], ALPHAS[0], False)
    assert_reads_as(png(picture[..., :3], RGB, 8, chunks=(chunk,)), picture, chunk[0].decode(), (None, 7), "black")


# Features, scores and maps


def test_a_category_in_other_encodings_gives_the_same_run(tmp_path):
    generator = np.random.default_rng(7)
    names = [name for name in WRITERS if not is_refused(name)]
    next_name = iter(generator.permutation(names * 3))
    for part in ("train/good", "test/good", "test/spot"):
        for i in range(12 if part.startswith("train") else 3):
            grey = generator.integers(4, 8, (16, 16)).repeat(4, 0).repeat(4, 1) * 17
            alpha = np.full((64, 64), 255)
            alpha[:6] = alpha[:, :9] = 0
            if part.endswith("spot"):
                grey[30:44, 20:40] = 255
            picture = np.dstack([grey, grey, grey, alpha]).astype(np.uint8)
            files = {"plain": png_plain(picture, RGBA, 8)}
            while "mixed" not in files:
                hidden = picture.copy()
                hidden[alpha == 0, :3] = generator.integers(0, 16) * 17
                if data := WRITERS[next(next_name)](hidden):
                    files["mixed"] = data
            for category, data in files.items():
                folder = tmp_path / "data" / category / part
                folder.mkdir(parents=True, exist_ok=True)
                (folder / f"{i}.png").write_bytes(data)
    store = RunStore(tmp_path / "runs")
    runs = {category: train_here(store, tmp_path / "data", category) for category in ("plain", "mixed")}
    tables = [store.scores(run_id) for run_id in runs.values()]
    assert list(tables[0].score) == list(tables[1].score)
    np.testing.assert_array_equal(*(store.maps(run_id) for run_id in runs.values()))
    assert tables[0].score.nunique() > 3

    files = [(name, data) for name in names if (data := WRITERS[name](picture))][:64]
    tried = try_images(store, runs["plain"], files)
    assert len(tried) > 20
    assert {one.score for one in tried} == {tried[0].score}
    assert all((one.pixel_map == tried[0].pixel_map).all() for one in tried)
