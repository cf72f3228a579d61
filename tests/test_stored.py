import io

import numpy as np
import pytest
import tifffile
from image_folders import DEFECT_MASK, encode, make_mvtec, noise, png_16
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from wtflow.datasets.decode import decode_image, read_size, read_stored
from wtflow.datasets.health import check_category
from wtflow.datasets.scan import scan_category
from wtflow.records.core import Finding
from wtflow.records.reading import Reading

XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
)
RGB = noise(0, (6, 9, 3))


def stored(data: bytes, folder, **how):
    path = folder / "file"
    path.write_bytes(data)
    return read_stored(path, **how)


def palette_file(entries: list[int], index: np.ndarray, **options) -> bytes:
    image = Image.fromarray(index, "L")
    image.putpalette(entries)
    file = io.BytesIO()
    image.save(file, "PNG", **options)
    return file.getvalue()


def tiff(pixels: np.ndarray, **options) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, **options)
    return file.getvalue()


# Samples


def test_a_palette_gives_its_colours_and_its_indices(tmp_path):
    index = np.array([[0, 1, 2], [2, 1, 0]], np.uint8)
    colours = np.array([[9, 8, 7], [200, 0, 0], [0, 0, 200]], np.uint8)
    found = stored(palette_file(colours.ravel().tolist(), index), tmp_path)
    np.testing.assert_array_equal(found.index, index)
    np.testing.assert_array_equal(found.colour, colours[index])
    assert found.alpha is None


@pytest.mark.parametrize(("transparency", "of_entry"), [(1, [255, 0, 255]), (b"\x0a\x80", [10, 128, 255])])
def test_the_opacity_of_a_palette_is_that_of_its_entries(transparency, of_entry, tmp_path):
    index = np.array([[0, 1, 2]], np.uint8)
    found = stored(palette_file([1, 1, 1, 2, 2, 2, 3, 3, 3], index, transparency=transparency), tmp_path)
    np.testing.assert_array_equal(found.alpha, [of_entry])
    np.testing.assert_array_equal(found.colour[0, :, 0], [1, 2, 3])


@pytest.mark.parametrize("n_channels", [2, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_colour_stays_as_it_is_under_alpha(n_channels, dtype, tmp_path):
    pixels = noise(3, (5, 4, n_channels), dtype)
    pixels[:2, :, -1] = 0
    found = stored(encode(pixels, "PNG") if dtype == np.uint8 else png_16(pixels), tmp_path)
    np.testing.assert_array_equal(found.colour, pixels[..., 0] if n_channels == 2 else pixels[..., :3])
    np.testing.assert_array_equal(found.alpha, pixels[..., -1])
    assert found.white == np.iinfo(dtype).max


def test_grey_has_neither_alpha_nor_indices(tmp_path):
    grey = noise(4)
    for data, white in ((encode(grey, "PNG"), 255), (png_16(grey.astype(np.uint16)), 65535)):
        found = stored(data, tmp_path)
        np.testing.assert_array_equal(found.colour, grey)
        assert (found.alpha, found.index, found.white) == (None, None, white)


def test_one_colour_may_be_declared_transparent(tmp_path):
    grey = np.array([[7, 8], [8, 9]], np.uint8)
    found = stored(encode(grey, "PNG", transparency=8), tmp_path)
    np.testing.assert_array_equal(found.alpha, [[255, 0], [0, 255]])
    colour = np.array([[[1, 2, 3], [1, 2, 4]]], np.uint8)
    found = stored(encode(colour, "PNG", transparency=(1, 2, 3)), tmp_path)
    np.testing.assert_array_equal(found.alpha, [[0, 255]])


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_premultiplied_colours_of_a_16_bit_tiff_are_restored(compression, tmp_path):
    colour, alpha = noise(5, (6, 4, 3), np.uint16), noise(6, (6, 4, 1), np.uint16) | 0x8000
    product = np.round(colour * (alpha / 65535)).astype(np.uint16)
    data = tiff(np.dstack([product, alpha]), photometric="rgb", extrasamples=["ASSOCALPHA"], compression=compression)
    found = stored(data, tmp_path)
    assert np.abs(found.colour.astype(int) - colour).max() <= 1
    np.testing.assert_array_equal(found.alpha, alpha[..., 0])


# Turned or not


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_samples_are_upright_or_as_they_lie_in_the_file(kind, orientation, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"WEBP": {"lossless": True}}.get(kind, {})
    turned = encode(RGB, kind, exif=exif, **options)
    plain = stored(encode(RGB, kind, **options), tmp_path)
    as_stored = stored(turned, tmp_path, upright=False)
    np.testing.assert_array_equal(as_stored.colour, plain.colour)
    assert as_stored.orientation == orientation
    np.testing.assert_array_equal(stored(turned, tmp_path).colour, decode_image(turned, "x").pixels)
    assert decode_image(turned, "x").orientation == orientation


def test_alpha_and_indices_turn_with_the_colours(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    index = np.array([[0, 1, 2], [2, 1, 1]], np.uint8)
    found = stored(palette_file([1, 1, 1, 2, 2, 2, 3, 3, 3], index, transparency=b"\x0a\x14\x1e", exif=exif), tmp_path)
    expected = np.array([[2, 0], [1, 1], [1, 2]])  # a quarter turn clockwise
    np.testing.assert_array_equal(found.index, expected)
    np.testing.assert_array_equal(found.alpha, (expected + 1) * 10)
    np.testing.assert_array_equal(found.colour[..., 0], expected + 1)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_orientation_in_xmp_is_not_followed(kind, tmp_path):
    options = {"xmp": XMP} if kind != "TIFF" else {"tiffinfo": {700: XMP}}
    if kind == "PNG":
        text = PngInfo()
        text.add_itxt("XML:com.adobe.xmp", XMP.decode())
        options = {"pnginfo": text}
    plain, edited = encode(RGB, kind), encode(RGB, kind, **options)
    assert b"tiff:Orientation" in edited
    np.testing.assert_array_equal(decode_image(edited, "x").pixels, decode_image(plain, "x").pixels)
    assert stored(edited, tmp_path).orientation == 1
    assert read_size(tmp_path / "file") == (6, 9)


def test_orientation_in_a_raw_profile_of_a_png_is_not_followed(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    block = exif.tobytes()
    text = PngInfo()
    text.add_text("Raw profile type exif", f"\nexif\n{len(block):8}\n{block.hex()}\n")
    assert stored(encode(RGB, "PNG", pnginfo=text), tmp_path).colour.shape == (6, 9, 3)


@pytest.mark.parametrize("block", [b"", b"Exif\0\0", b"Exif\0\0II*\0", b"Exif\0\0not a directory", bytes(40)])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_damaged_block_of_exif_leaves_an_image_as_it_is(kind, block, tmp_path):
    options = {"exif": block} if block else {}
    assert stored(encode(RGB, kind, **options), tmp_path).orientation == 1
    assert read_size(tmp_path / "file") == (6, 9)


def test_an_orientation_that_does_not_exist_leaves_an_image_as_it_is(tmp_path):
    for value in (0, 9, 255):
        exif = Image.Exif()
        exif[0x0112] = value
        assert stored(encode(RGB, "JPEG", exif=exif), tmp_path).orientation == 1


# What check says


def test_images_that_exif_turns_are_reported_with_their_masks(tmp_path):
    folder = make_mvtec(tmp_path / "part", n_broken=3)
    exif = Image.Exif()
    exif[0x0112] = 3
    for place in ("train/good/001.png", "test/broken/000.png", "test/broken/001.png"):
        (folder / place).write_bytes(encode(noise(len(place)), "PNG", exif=exif))
    # One mask is turned with its image: drawn in the same program, or as the file lies.
    (folder / "ground_truth/broken/001_mask.png").write_bytes(encode(DEFECT_MASK, "PNG", exif=exif))

    def found(reading: Reading) -> dict[str, Finding]:
        return {one.code: one for one in check_category(scan_category(tmp_path, "part", reading)).findings}

    as_found = found(Reading())
    assert len(as_found["turned"].paths) == 3
    assert as_found["turned"].message.startswith("3 images that EXIF turns, as viewers do: train/good/001.png")
    assert as_found["turned_mask"].paths == ("ground_truth/broken/000_mask.png",)
    assert as_found["turned_mask"].severity == "warning"
    assert "--masks-as-stored" in as_found["turned_mask"].fix
    as_stored = found(Reading(masks_as_stored=True))
    assert "turned_mask" not in as_stored
    assert "turned" in as_stored


def test_orientation_in_xmp_alone_is_no_finding(tmp_path):
    folder = make_mvtec(tmp_path / "part")
    text = PngInfo()
    text.add_itxt("XML:com.adobe.xmp", XMP.decode())
    (folder / "test/broken/000.png").write_bytes(encode(noise(9), "PNG", pnginfo=text))
    assert check_category(scan_category(tmp_path, "part")).findings == ()
