import io
import os
import struct
import zlib

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from image_folders import encode, noise, png_16, png_chunks, save, tiff_16_packbits
from PIL import Image, ImageOps
from same_picture import write_tiff

from wtflow.datasets.decode import decode_image, read_size
from wtflow.datasets.images import (
    hash_file,
    hash_pixels,
    load_image,
    load_image_bytes,
)
from wtflow.errors import ImageReadError

RGB = noise(0, (6, 9, 3))


def load(data: bytes) -> np.ndarray:
    return load_image_bytes(data, "upload", None)


# What is read


@pytest.mark.parametrize(
    ("kind", "options"),
    [("PNG", {}), ("BMP", {}), ("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"}), ("WEBP", {"lossless": True})],
)
def test_lossless_formats_keep_every_value(kind, options):
    image = load(encode(RGB, kind, **options))
    assert image.dtype == np.float32
    assert image.shape == (6, 9, 3)
    np.testing.assert_array_equal(np.round(image * 255), RGB)


def test_jpeg_is_within_its_own_loss():
    smooth = np.tile(np.linspace(0, 255, 32, dtype=np.uint8)[:, None, None], (1, 32, 3))
    assert np.abs(load(encode(smooth, "JPEG", quality=95)) - smooth / 255).max() < 0.03


def test_grey_is_repeated_in_three_channels():
    grey = noise(1)
    np.testing.assert_array_equal(load(encode(grey, "PNG")), np.repeat(grey[..., None] / np.float32(255), 3, axis=2))


def test_one_bit_becomes_black_and_white():
    bits = noise(2) > 127
    for kind in ("PNG", "BMP", "TIFF"):
        np.testing.assert_array_equal(load(encode(bits, kind))[..., 0], bits.astype(np.float32))


def test_a_palette_shows_its_colours():
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putpixel((1, 0), 1)
    file = io.BytesIO()
    image.save(file, "PNG")
    np.testing.assert_array_equal(load(file.getvalue()), [[[1, 0, 0], [0, 0, 1]]])


def test_cmyk_jpeg_becomes_rgb():
    file = io.BytesIO()
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(file, "JPEG")
    red = load(file.getvalue())
    assert red[..., 0].min() > 0.9
    assert red[..., 1:].max() < 0.1


# 16 bit


@pytest.mark.parametrize("channels", [(), (2,), (3,), (4,)])
def test_16_bit_png_keeps_both_bytes(channels):
    pixels = noise(4, (5, 7, *channels), np.uint16)
    if channels in ((2,), (4,)):
        pixels[..., -1] = 65535
    decoded = decode_image(png_16(pixels), "x")
    colour = {0: pixels, 2: pixels[..., 0], 3: pixels, 4: pixels[..., :3]}[channels[0] if channels else 0]
    np.testing.assert_array_equal(decoded.pixels, colour)
    assert decoded.white == 65535


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_16_bit_rgb_tiff_keeps_both_bytes(byteorder, compression, planar):
    pixels = noise(5, (6, 4, 3), np.uint16)
    stored = pixels if planar == "contig" else np.ascontiguousarray(np.moveaxis(pixels, -1, 0))
    file = io.BytesIO()
    tifffile.imwrite(file, stored, photometric="rgb", planarconfig=planar, compression=compression, byteorder=byteorder)
    decoded = decode_image(file.getvalue(), "x")
    np.testing.assert_array_equal(decoded.pixels, pixels)
    assert decoded.mode == "RGB 16 bit"


def test_16_bit_rgb_tiff_with_other_compression_keeps_both_bytes():
    pixels = noise(6, (9, 11, 3), np.uint16)
    np.testing.assert_array_equal(decode_image(tiff_16_packbits(pixels), "x").pixels, pixels)


# Pillow refuses the fourth combination, big-endian with white as zero.
@pytest.mark.parametrize(("photometric", "byteorder"), [("minisblack", "<"), ("minisblack", ">"), ("miniswhite", "<")])
def test_16_bit_grey_tiff_is_bright_where_it_should_be(photometric, byteorder):
    pixels = noise(7, (4, 6), np.uint16)
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, photometric=photometric, byteorder=byteorder)
    expected = pixels if photometric == "minisblack" else 65535 - pixels.astype(int)
    np.testing.assert_array_equal(decode_image(file.getvalue(), "x").pixels, expected)


def test_16_bit_is_scaled_by_65535_and_agrees_with_8_bit():
    eight = noise(8, (32, 32))
    sixteen = eight.astype(np.uint16) * 257
    np.testing.assert_array_equal(load(png_16(sixteen)), load(encode(eight, "PNG")))
    both = [load_image_bytes(data, "x", 12) for data in (png_16(sixteen), encode(eight, "PNG"))]
    assert np.abs(both[0] - both[1]).max() <= 1 / 255


# Upright


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone_as_pillow_does(kind, orientation, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "turned"
    path.write_bytes(encode(RGB, kind, exif=exif))
    with Image.open(path) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    decoded = decode_image(path.read_bytes(), "x").pixels
    np.testing.assert_array_equal(decoded, expected)
    assert read_size(path) == decoded.shape[:2]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_of_16_bit_equals_that_of_8_bit(orientation):
    def stored(pixels):
        file = io.BytesIO()
        tifffile.imwrite(file, pixels, photometric="rgb", extratags=[(274, "H", 1, orientation, True)])
        return load(file.getvalue())

    np.testing.assert_array_equal(stored(RGB.astype(np.uint16) * 257), stored(RGB))


# Size


def test_resizing_is_square_and_averages_what_it_shrinks():
    stripes = np.zeros((64, 32), np.uint8)
    stripes[::2] = 255
    small = load_image_bytes(encode(stripes, "PNG"), "x", 8)
    assert small.shape == (8, 8, 3)
    assert np.abs(small[1:-1] - 0.5).max() < 0.02


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 24), st.booleans())
@settings(max_examples=40, deadline=None)
def test_every_size_gives_values_between_0_and_1(height, width, size_px, is_wide):
    pixels = noise(height * width, (height, width, 3), np.uint16 if is_wide else np.uint8)
    image = load_image_bytes(png_16(pixels) if is_wide else encode(pixels, "PNG"), "x", size_px)
    assert image.shape == (size_px, size_px, 3)
    assert image.dtype == np.float32
    assert image.flags.c_contiguous
    assert image.min() >= 0
    assert image.max() <= 1


# Bad files


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "TIFF", "WEBP"])
def test_a_truncated_image_is_refused_wherever_it_ends(kind):
    data = encode(noise(9, (20, 20, 3)), kind)
    # PNG's last four bytes are the checksum of nothing.
    for end in range(0, len(data) - 4, 7):
        with pytest.raises(ImageReadError):
            load(data[:end])


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_damaged_bytes_give_an_image_or_our_error_and_nothing_else(data):
    kind = data.draw(st.sampled_from(["PNG", "JPEG", "BMP", "TIFF", "WEBP"]))
    damaged = bytearray(encode(noise(10, (12, 12, 3)), kind))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        image = load(bytes(damaged))
    except ImageReadError as error:
        assert error.fix
    else:
        assert np.isfinite(image).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(("tag", "right", "wrong"), [(273, 8, 0), (273, 8, 10**6), (279, None, 0)])
def test_a_strip_that_is_not_there_is_not_read_as_black(dtype, tag, right, wrong):
    pixels = noise(12, (5, 4, 3), dtype)
    data = write_tiff(pixels, 2)
    entry = struct.pack("<HHLL", tag, 4, 1, pixels.nbytes if right is None else right)
    assert entry in data
    try:
        found = decode_image(data.replace(entry, entry[:8] + struct.pack("<L", wrong)), "x").pixels
    except ImageReadError:
        return
    np.testing.assert_array_equal(found, pixels)  # the length of the only strip follows from the size


def test_a_flipped_bit_in_png_data_is_noticed():
    data = bytearray(encode(noise(11, (30, 30)), "PNG"))
    data[len(data) // 2] ^= 1
    with pytest.raises(ImageReadError, match="is damaged"):
        load(bytes(data))


def test_a_decompression_bomb_is_refused_by_its_header():
    bomb = png_chunks(struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0), zlib.compress(b""))
    with pytest.raises(ImageReadError, match="too many pixels|60000 x 60000") as caught:
        load(bomb)
    assert "Shrink" in caught.value.fix


def test_several_pages_are_refused():
    file = io.BytesIO()
    tifffile.imwrite(file, noise(12, (3, 8, 8)), photometric="minisblack")
    with pytest.raises(ImageReadError, match="holds 3 pictures"):
        load(file.getvalue())


@pytest.mark.parametrize("dtype", [np.float32, np.uint32, np.int16])
def test_values_without_a_known_white_are_refused(dtype):
    file = io.BytesIO()
    tifffile.imwrite(file, np.ones((8, 8), dtype))
    with pytest.raises(ImageReadError) as caught:
        load(file.getvalue())
    assert "8 or 16 bit" in caught.value.fix


def test_other_formats_are_refused_whatever_their_name_says(tmp_path):
    path = tmp_path / "picture.png"
    for data in (encode(noise(13), "GIF"), b"hello", b"\0" * 100):
        path.write_bytes(data)
        with pytest.raises(ImageReadError, match=r"picture.png is not a PNG, JPEG, BMP, TIFF or WebP"):
            load_image(path, 8)


def test_a_png_called_jpg_is_read(tmp_path):
    path = tmp_path / "picture.JPG"
    path.write_bytes(encode(RGB, "PNG"))
    np.testing.assert_array_equal(np.round(load_image(path, None) * 255), RGB)


def test_what_is_no_readable_file_is_named(tmp_path):
    (tmp_path / "empty.png").touch()
    (tmp_path / "link.png").symlink_to("nowhere.png")
    (tmp_path / "circle.png").symlink_to("circle.png")
    os.mkfifo(tmp_path / "pipe.png")
    for name, reason in {
        "empty.png": "is empty: it has 0 bytes",
        "link.png": "is a link to a file that is not there",
        "circle.png": "cannot be opened",
        "absent.png": "does not exist",
        ".": "is not a file",
        "pipe.png": "is not a file",
        "a\0b.png": "cannot be opened",
    }.items():
        with pytest.raises(ImageReadError, match=reason):
            load_image(tmp_path / name, 8)


def test_names_with_spaces_and_unicode_are_read(tmp_path):
    path = save(tmp_path / "Teil 1 – groß é 部品.PNG", RGB)
    assert load_image(path, 4).shape == (4, 4, 3)


def test_images_are_brought_to_any_height_and_width(tmp_path):
    pixels = noise(18, (30, 90, 3))
    path, shape = save(tmp_path / "strip.png", pixels), (10, 40)
    expected = np.asarray(Image.fromarray(pixels).resize(shape[::-1], Image.Resampling.BILINEAR)) / np.float32(255)
    np.testing.assert_array_equal(load_image(path, shape), expected)
    np.testing.assert_array_equal(load_image(path, (12, 12)), load_image(path, 12))


# Hashes


def test_the_file_hash_is_sha256(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    assert hash_file(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    with pytest.raises(ImageReadError, match="cannot be read"):
        hash_file(tmp_path / "absent")


def test_the_pixel_hash_sees_content_and_not_the_container():
    grey = noise(18)
    same = [encode(grey, "PNG"), encode(grey, "BMP"), encode(np.repeat(grey[..., None], 3, axis=2), "TIFF")]
    assert len({hash_pixels(decode_image(data, "x")) for data in same}) == 1
    other = [
        encode(grey, "PNG"),
        encode(grey.T, "PNG"),
        encode(grey[:, ::-1], "PNG"),
        encode(255 - grey, "PNG"),
        png_16(grey.astype(np.uint16)),
    ]
    assert len({hash_pixels(decode_image(data, "x")) for data in other}) == 5
    assert hash_pixels(decode_image(encode(np.zeros((2, 8), np.uint8), "PNG"), "x")) != hash_pixels(
        decode_image(encode(np.zeros((4, 4), np.uint8), "PNG"), "x")
    )
