"""What shows of a transparent image, and what a run makes of it."""

import ast
import io
import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from image_folders import encode, make_mvtec, noise, png_16
from PIL import Image
from run_folders import tiny_settings, train_here, write_tiny_category

from wtflow.config import choices, settings_from_json
from wtflow.datasets.decode import decode_image, is_opaque
from wtflow.datasets.health import check_category
from wtflow.datasets.images import hash_pixels, load_image_bytes
from wtflow.datasets.run_images import data_from_json, read_data
from wtflow.datasets.scan import scan_category
from wtflow.datasets.stored import Stored
from wtflow.datasets.transparency import laid_on
from wtflow.store.features import FeatureCache, feature_key
from wtflow.store.runs import RunStore
from wtflow.studies.rescore import score_again

PROJECT = Path(__file__).resolve().parents[1]


def shown(colour: int, alpha: int, background: str, dtype: type = np.uint8) -> int:
    pixel = Stored(np.full((1, 1), colour, dtype), np.iinfo(dtype).max, np.full((1, 1), alpha, dtype), None, "", 1)
    return int(laid_on(pixel, background)[0, 0])


@pytest.mark.parametrize(("background", "behind"), [("black", 0), ("white", 255), ("grey", 128)])
def test_a_half_transparent_pixel_is_halfway_to_the_background(background, behind):
    # 200 at opacity 51 of 255 is a fifth of 200 and four fifths of what is behind.
    assert shown(200, 51, background) == round(0.2 * 200 + 0.8 * behind)
    assert shown(200, 0, background) == behind
    assert shown(200, 255, background) == 200
    assert shown(200, 51, "none") == 200


@given(st.integers(0, 65535), st.integers(0, 65535), st.sampled_from(["black", "white", "grey"]), st.booleans())
def test_mixing_is_exact_to_the_nearest_value_in_8_and_in_16_bits(colour, alpha, background, is_wide):
    white, dtype = (65535, np.uint16) if is_wide else (255, np.uint8)
    colour, alpha = colour & white, alpha & white
    behind = {"black": 0, "white": white, "grey": 128 * white // 255}[background]
    exact = (colour * alpha + behind * (white - alpha)) / white
    assert abs(shown(colour, alpha, background, dtype) - exact) <= 0.5


def test_what_is_hidden_under_alpha_0_does_not_count():
    seen, hidden = noise(1, (6, 5, 4)), noise(2, (6, 5, 4))
    seen[..., 3] = hidden[..., 3] = noise(3, (6, 5)) | 1
    seen[:3, :, 3] = hidden[:3, :, 3] = 0
    hidden[3:] = seen[3:]
    first, second = (decode_image(encode(pixels, "PNG"), "x") for pixels in (seen, hidden))
    np.testing.assert_array_equal(first.pixels, second.pixels)
    assert hash_pixels(first) == hash_pixels(second)
    kept = [decode_image(encode(pixels, "PNG"), "x", "none").pixels for pixels in (seen, hidden)]
    assert (kept[0][:3] != kept[1][:3]).any()


def test_an_image_is_laid_on_its_background_before_it_is_resized():
    # Half of the columns transparent, with white hidden there: on black, nothing of the white may bleed in.
    pixels = np.full((16, 16, 4), 255, np.uint8)
    pixels[:, ::2, 3] = 0
    small = load_image_bytes(encode(pixels, "PNG"), "x", 4, "black")
    assert np.abs(small[:, 1:3] - 0.5).max() < 0.1
    assert load_image_bytes(encode(pixels, "PNG"), "x", 4, "white").min() == 1


def test_opacity_is_that_of_the_file():
    pixels = noise(4, (4, 4, 4))
    pixels[..., 3] = 255
    assert decode_image(encode(pixels, "PNG"), "x").opacity == (1, 1)
    pixels[0, 0, 3] = 51
    assert decode_image(encode(pixels, "PNG"), "x").opacity == (0.2, 1)
    assert decode_image(encode(pixels[..., :3], "PNG"), "x").opacity == (1, 1)


def test_a_bmp_whose_fourth_byte_is_always_0_is_opaque():
    # Bit fields with a mask for alpha, as screenshot tools write them: header of 108 bytes, rows from the bottom.
    header = np.array([108, 2, 2, 1 | 32 << 16, 3, 16, 0, 0, 0, 0, 0xFF0000, 0xFF00, 0xFF, 0xFF000000], "<u4").tobytes()
    header += bytes(108 - len(header))
    for alpha, expected in ((0, 90), (128, 45)):
        pixels = bytes([90, 90, 90, alpha]) * 3 + bytes([90, 90, 90, 0])
        start = b"BM" + np.array([14 + 108 + 16, 0, 14 + 108], "<u4").tobytes()
        shown_pixels = decode_image(start + header + pixels, "x").pixels
        assert abs(int(shown_pixels[1, 0, 0]) - expected) <= 1
        assert shown_pixels[0, 1, 0] == (90 if alpha == 0 else 0)


# Which files have alpha


def test_the_header_tells_which_files_have_alpha():
    palette = Image.fromarray(noise(5)).convert("P")
    files = {
        "grey.png": (encode(noise(6), "PNG"), True),
        "colour.jpg": (encode(noise(6, (8, 8, 3)), "JPEG"), True),
        "alpha.png": (encode(noise(6, (8, 8, 4)), "PNG"), False),
        "wide.png": (png_16(noise(6, (8, 8, 2), np.uint16)), False),
        "key.png": (encode(noise(6), "PNG", transparency=3), False),
        "alpha.webp": (encode(noise(6, (8, 8, 4)), "WEBP"), False),
        "alpha.tif": (encode(noise(6, (8, 8, 4)), "TIFF"), False),
    }
    for name, options in (("palette.png", {}), ("clear.png", {"transparency": 0})):
        file = io.BytesIO()
        palette.save(file, "PNG", **options)
        files[name] = (file.getvalue(), not options)
    file = io.BytesIO()
    tifffile.imwrite(file, noise(6, (8, 8, 4), np.uint16), photometric="rgb", extrasamples=["ASSOCALPHA"])
    files["premultiplied.tif"] = (file.getvalue(), False)
    for name, (data, expected) in files.items():
        assert is_opaque(data, name) == expected, name


def test_a_run_knows_which_of_its_images_have_alpha(tmp_path):
    folder = make_mvtec(tmp_path / "part")
    (folder / "test/good/000.png").write_bytes(encode(noise(1, (8, 8, 4)), "PNG"))
    store = RunStore(tmp_path / "runs")
    data = read_data(store.config(store.create(tmp_path, "part", tiny_settings())), lambda done, total: None)
    assert data.with_alpha == {"test/good/000.png"}
    assert data.are_opaque(data.train)
    assert not data.are_opaque(data.test)
    again = data_from_json(data.to_json())
    assert again.with_alpha == data.with_alpha
    rows = data.to_json()["samples"]
    assert [row["id"] for row in rows if "alpha" in row] == ["test/good/000.png"]


# What depends on the background


def test_features_of_opaque_images_serve_every_background_and_those_of_others_one():
    def keys(is_opaque: bool) -> set[str]:
        return {
            feature_key(["aa"], tiny_settings(background=name), "w", "cpu", is_opaque=is_opaque)
            for name in choices("background")
        }

    assert len(keys(True)) == 1
    assert len(keys(False)) == 4
    # What 0.3.0 computed, which left alpha out, serves where alpha is left out, or where there is none.
    assert keys(True) < keys(False)


def test_a_run_made_before_the_setting_existed_leaves_alpha_out():
    text = tiny_settings().to_json()
    assert settings_from_json(text).background == "black"
    old = "\n".join(line for line in text.splitlines() if '"background"' not in line)
    assert settings_from_json(old).background == "none"


def test_a_finished_run_of_before_is_asked_again_as_it_was_made(tmp_path):
    """Its features are computed anew: those in the cache could hide that they would come out differently."""
    write_tiny_category(tmp_path / "data")
    generator = np.random.default_rng(3)
    for path in sorted((tmp_path / "data/plate").glob("t*/*/*.png")):
        alpha = np.full((64, 64, 1), 255, np.uint8)
        alpha[:20] = 0
        pixels = np.dstack([np.asarray(Image.open(path)), alpha])
        pixels[:20, :, :3] = generator.integers(0, 256)
        Image.fromarray(pixels).save(path)
    store = RunStore(tmp_path / "runs")
    run_id = train_here(store, tmp_path / "data", background="none")
    config = store.folder(run_id) / "config.json"
    values = json.loads(config.read_text())
    del values["settings"]["background"]
    config.write_text(json.dumps(values))
    assert store.config(run_id).settings.background == "none"
    assert FeatureCache(store.home).clear() > 0
    again = score_again(store, run_id, {}, lambda done, total: None)
    assert list(again.table.score) == list(store.scores(run_id).score)
    np.testing.assert_array_equal(again.maps, store.maps(run_id))


# What check says


def test_transparent_images_are_counted_with_what_they_are_laid_on(tmp_path):
    folder = make_mvtec(tmp_path / "part")
    for place in ("train/good/000.png", "test/good/000.png"):
        pixels = noise(len(place), (8, 8, 4))
        pixels[0, 0, 3] = 7
        (folder / place).write_bytes(encode(pixels, "PNG"))
    pixels[..., 3] = 255
    (folder / "train/good/001.png").write_bytes(encode(pixels, "PNG"))
    (folder / "test/broken/000.png").write_bytes(encode(np.zeros((8, 8, 4), np.uint8), "PNG"))
    found = {one.code: one for one in check_category(scan_category(tmp_path, "part")).findings}
    assert found["transparent"].message.startswith(
        "2 images with transparent pixels, laid on black: train/good/000.png"
    )
    assert found["transparent"].severity == "info"
    assert found["invisible"].paths == ("test/broken/000.png",)
    assert found["invisible"].severity == "warning"


def test_every_image_that_a_run_reads_at_its_size_is_laid_on_its_background():
    """A call that forgets the setting would score a picture that the run never saw."""
    calls = 0
    for path in (*(PROJECT / "wtflow").rglob("*.py"), *(PROJECT / "pages").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            n_before = {"load_image": 1, "load_image_bytes": 2, "load_recorded": 2}.get(ast.unparse(node.func))
            if n_before is None or ast.unparse(node.args[n_before]) == "None":
                continue
            calls += 1
            given = [*node.args[n_before + 1 :], *node.keywords]
            assert any("background" in ast.unparse(part) for part in given), f"{path}:{node.lineno}"
    assert calls > 2


@pytest.mark.parametrize(
    ("cut_out", "start"),
    [
        (
            {"test/good/000.png", "test/broken/001.png"},
            "No training image has transparent pixels, but 2 of 4 test images",
        ),
        ({f"train/good/00{i}.png" for i in range(3)}, "Every training image has transparent pixels, but no test image"),
        ({"train/good/000.png"}, None),
        ({"train/good/000.png", "test/broken/001.png"}, None),
        (set(), None),
    ],
)
def test_parts_that_are_cut_out_in_one_half_of_the_images_are_a_warning(cut_out, start, tmp_path):
    folder = make_mvtec(tmp_path / "part")
    for place in cut_out:
        pixels = noise(sum(place.encode()), (8, 8, 4))
        pixels[0, 0, 3] = 0
        (folder / place).write_bytes(encode(pixels, "PNG"))
    found = [one for one in check_category(scan_category(tmp_path, "part")).findings if one.code == "cut_out_in_some"]
    assert [one.severity for one in found] == ["warning"] * (start is not None)
    assert all(one.message.startswith(start) for one in found)
