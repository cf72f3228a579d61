"""Tiles: where squares lie and what they weigh, features without seams, what images are resized to, and whole runs."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - the name everyone knows
from hypothesis import given, settings
from hypothesis import strategies as st
from image_folders import noise, save
from run_folders import tiny_settings, train_here, write_tiny_category
from tried_images import try_images
from typer.testing import CliRunner

from wtflow.cli.app import app
from wtflow.cli.bare_tile import with_value
from wtflow.config import settings_from
from wtflow.datasets.images import load_image
from wtflow.datasets.tiles import (
    MOST_PIXELS,
    canvas_of,
    map_side,
    n_tiles,
    quick_canvas,
    quick_shape,
    starts_of,
    usual_shape,
)
from wtflow.errors import BackboneError, DamagedRunError, DatasetError, DiskFullError, SettingsError
from wtflow.features.backbone import load_backbone
from wtflow.features.fitting import fitted
from wtflow.features.tiles import joined_grids, weights_along
from wtflow.jobs import trainings
from wtflow.jobs.estimate import estimate
from wtflow.jobs.reporter import Reporter
from wtflow.jobs.train_worker import run_stages
from wtflow.machine.cores import threads_for
from wtflow.records.shapes import at_once
from wtflow.results import each_image, open_results, pixel_map, truth_of
from wtflow.scoring.pixels import image_scores
from wtflow.store import layout
from wtflow.store.features import FeatureCache, feature_key
from wtflow.store.runs import RunStore
from wtflow.studies.keep_run import keep_run
from wtflow.studies.probes import probe
from wtflow.studies.rescore import score_again
from wtflow.studies.run_flow import open_flow
from wtflow.studies.what_if import compute_what_if

cells = st.integers(1, 40)

# -- where squares lie and what they weigh -----------------------------------------------------------------------------


@given(more=st.integers(0, 60), side=st.integers(1, 16), overlap=st.floats(0, 0.5), cell=st.sampled_from([8, 16, 32]))
@settings(max_examples=300, deadline=None)
def test_squares_cover_the_canvas_overlap_by_their_share_and_weigh_1_together(more, side, overlap, cell):
    length = (side + more) * cell
    starts = starts_of(length, side * cell, overlap, cell)
    assert starts[0] == 0 and starts[-1] + side * cell == length
    assert all(start % cell == 0 for start in starts)
    shared = [first + side * cell - second for first, second in zip(starts, starts[1:], strict=False)]
    if overlap * side > 1e-6 and side > 1:
        assert all(one >= overlap * side * cell - 1e-6 for one in shared)
    assert all(one >= 0 for one in shared)
    at = tuple(start // cell for start in starts)
    weights, total = weights_along(at, side), np.zeros(length // cell)
    for start, own in zip(at, weights, strict=True):
        total[start : start + side] += own
    np.testing.assert_allclose(total, 1, atol=1e-6)
    assert (weights > 0).all()


def test_squares_are_as_few_as_can_be():
    assert starts_of(1280, 256, 0.0, 16) == (0, 256, 512, 768, 1024)
    assert starts_of(512, 256, 0.25, 16) == (0, 128, 256)
    assert starts_of(256, 256, 0.5, 16) == (0,)
    assert len(starts_of(1280, 256, 0.25, 16)) == 7, "192 px further each: 1 + 1024 / 192, rounded up"


def test_weights_are_worked_by_hand():
    first, second = weights_along((0, 4), 8)
    assert first.tolist() == [1, 1, 1, 1, 0.875, 0.625, 0.375, 0.125]
    assert second.tolist() == [0.125, 0.375, 0.625, 0.875, 1, 1, 1, 1]
    assert weights_along((0, 8), 8).tolist() == [[1] * 8] * 2, "nothing in common: nothing falls"
    assert weights_along((0,), 8).tolist() == [[1] * 8]


@pytest.mark.parametrize("overlap", [0.0, 0.1, 0.25, 0.5])
@pytest.mark.parametrize("at_once", [1, 3, 100])
def test_what_a_square_sees_of_itself_alone_is_joined_as_if_it_had_never_been_cut(overlap, at_once):
    images = torch.rand(2, 3, 96, 160, generator=torch.Generator().manual_seed(0))
    seen = []

    def pooled(squares):
        seen.append(len(squares))
        return F.avg_pool2d(squares, 8)

    joined = joined_grids(images, 64, overlap, 16, pooled, at_once)
    torch.testing.assert_close(joined, F.avg_pool2d(images, 8))
    n = 2 * len(starts_of(96, 64, overlap, 16)) * len(starts_of(160, 64, overlap, 16))
    assert sum(seen) == n and max(seen) == min(at_once, n)


def test_a_canvas_of_one_square_has_the_features_of_an_image_without_tiles_to_the_last_bit():
    image = np.random.default_rng(0).random((2, 64, 64, 3), dtype=np.float32)
    whole, tiled = (load_backbone(tiny_settings(tile=tile)).compute(image) for tile in ("off", "side"))
    assert whole.tobytes() == tiled.tobytes()


# -- without seams -----------------------------------------------------------------------------------------------------

SIDE, N_SIDES = 128, 4


def pattern(kind: str) -> np.ndarray:
    """A strip whose content goes on over every border of its squares, float32 (1, 128, 512, 3)."""
    y, x = np.mgrid[:SIDE, : N_SIDES * SIDE]
    grain = np.random.default_rng(0).random((32, 32))
    values = {
        "constant": np.full(x.shape, 0.4),
        "stripes": 0.5 + 0.3 * np.sin(2 * np.pi * x / 16) + 0.1 * np.sin(2 * np.pi * y / 32),
        "repeated": np.tile(grain, (SIDE // 32, N_SIDES * SIDE // 32)),
    }
    return np.repeat(values[kind][None, ..., None], 3, axis=3).astype(np.float32)


def deviation(kind: str, overlap: float) -> np.ndarray:
    """How far features of tiles are from those that the backbone gives of the strip in one piece, by column of the
    grid, as a share of their norm; the ends of the strip are left out.
    """
    image = pattern(kind)
    whole, tiled = (
        load_backbone(settings_from("fast", {"image_size": SIDE, "tile": tile, "tile_overlap": overlap}))
        .compute(image)[0]
        .astype(np.float32)
        for tile in ("off", "side")
    )
    assert tiled.shape == whole.shape == (SIDE // 8, N_SIDES * SIDE // 8, whole.shape[2])
    return (np.linalg.norm(tiled - whole, axis=-1).mean(0) / np.linalg.norm(whole, axis=-1).mean())[4:-4]


@pytest.mark.parametrize("kind", ["stripes", "repeated"])
def test_an_overlap_takes_the_seams_away(kind):
    cut, joined = deviation(kind, 0.0), deviation(kind, 0.25)
    borders = SIDE // 8 * np.arange(1, N_SIDES) - 4
    assert (cut[borders] > 0.2).all(), "without an overlap the backbone sees its padding there"
    assert joined.max() < 0.07
    assert joined.max() < 0.3 * cut.max()


def test_a_constant_image_has_no_border_at_all():
    assert deviation("constant", 0.25).max() < 1e-3


# -- the canvas --------------------------------------------------------------------------------------------------------


def test_the_canvas_keeps_the_shape_and_gives_a_tile_the_image_size():
    strips = settings_from("fast", {"tile": "side", "image_size": 64})
    assert canvas_of((150, 750), strips) == (64, 320)
    assert canvas_of((750, 150), strips) == (320, 64)
    assert canvas_of((150, 160), strips) == (64, 64), "sides are rounded to cells of 16 px"
    assert n_tiles(strips, (64, 320)) == 7 and n_tiles(strips, (64, 64)) == 1
    detail = settings_from("fast", {"tile": 128})
    assert canvas_of((512, 512), detail) == (1024, 1024), "128 of their pixels become 256"
    assert n_tiles(detail, (1024, 1024)) == 5 * 5, "192 px further each: 1 + 768 / 192"


@given(
    height=st.integers(16, 3000),
    width=st.integers(16, 3000),
    share=st.floats(0.3, 1),
    stages=st.sampled_from([(1, 2, 3), (2,), (0, 4)]),
)
@settings(max_examples=100, deadline=None)
def test_any_canvas_is_of_whole_cells_and_holds_a_square(height, width, share, stages):
    tile = max(16, round(share * min(height, width)))
    chosen = settings_from("fast", {"tile": tile, "image_size": 128, "stages": stages, "weights": "imagenet"})
    try:
        canvas = canvas_of((height, width), chosen)
    except DatasetError:
        assert height * width * (128 / tile) ** 2 > 0.9 * MOST_PIXELS
        return
    assert all(side % chosen.coarsest_cell == 0 and side >= 128 for side in canvas)
    assert max(abs(side - length * 128 / tile) for side, length in zip(canvas, (height, width), strict=True)) <= max(
        chosen.coarsest_cell / 2, 0
    )


def test_tiles_that_fit_nowhere_or_make_absurd_canvases_are_refused_with_what_would_do():
    with pytest.raises(DatasetError, match="Tiles of 300 px do not fit into images of 750 x 150 px") as found:
        canvas_of((150, 750), settings_from("fast", {"tile": 300}))
    assert "150 px" in found.value.fix
    with pytest.raises(DatasetError, match=r"images of 6000 x 4000 px grow to 24000 x 16000 px") as found:
        canvas_of((4000, 6000), settings_from("fast", {"tile": 64}))
    (least,) = (int(word) for word in found.value.fix.split() if word.isdigit())
    height, width = canvas_of((4000, 6000), settings_from("fast", {"tile": least}))
    assert 0.9 * MOST_PIXELS < height * width <= MOST_PIXELS, "it would just do"
    with pytest.raises(DatasetError) as found:
        canvas_of((100, 20_000), settings_from("fast", {"tile": "side", "image_size": 1024}))
    (size,) = (int(word) for word in found.value.fix.split() if word.isdigit())
    assert found.value.fix == f"Use an image size of {size} px or less (--size)."
    height, width = canvas_of((100, 20_000), settings_from("fast", {"tile": "side", "image_size": size}))
    assert 0.8 * MOST_PIXELS < height * width <= MOST_PIXELS
    with pytest.raises(DatasetError, match="grow to") as found:
        canvas_of((16, 40_000), settings_from("fast", {"tile": "side", "image_size": 64}))
    assert found.value.fix == "Cut the images into shorter ones first."


def test_most_images_decide_the_shape_and_where_all_differ_the_middle_ones(tmp_path):
    shapes = {"a": (10, 30), "b": (10, 30), "c": (40, 40), "d": (5, 5), "e": (20, 50)}
    paths = {name: save(tmp_path / f"{name}.png", noise(1, shape)) for name, shape in shapes.items()}
    of = lambda names: usual_shape(paths[name] for name in names)  # noqa: E731
    assert of("abcd") == (10, 30), "two of four"
    assert of("cd") == (40, 40), "the larger of equally many"
    assert of("abcde") == (10, 30), "two of five are not half: the middle of 5, 10, 10, 20, 40 and of 5, 30, 30, 40, 50"
    assert of("cde") == (20, 40)
    side = settings_from("fast", {"tile": "side", "image_size": 64})
    assert quick_canvas(quick_shape([paths[name] for name in "abcd"]), side) == (64, 192)
    assert quick_shape([tmp_path / "absent.png", paths["a"]]) == (10, 30), "the check names what cannot be read"
    assert quick_shape([tmp_path / "absent.png"]) is quick_shape([]) is None
    assert quick_canvas(None, side) is quick_canvas((10, 30), settings_from("fast")) is None
    assert map_side((64, 256), side) == 128 and map_side(None, side) == 64


def test_settings_take_off_side_or_pixels_and_an_image_size_of_whole_cells():
    assert settings_from("fast").tile == "off"
    assert settings_from("fast", {"tile": "256"}).tile == settings_from("fast", {"tile": 256}).tile == 256
    assert settings_from("fast", {"tile": "side"}).tile == "side"
    for wrong in ("", "all", 0, 15, -1, "1.5", True, None):
        with pytest.raises(SettingsError, match="tile: expected off, side, or a number of pixels, 16 or more"):
            settings_from("fast", {"tile": wrong})
    tiled = fitted(settings_from("fast", {"tile": "side", "image_size": 100}))
    assert (tiled.settings.image_size, len(tiled.said)) == (96, 1)
    assert tiled.said[0] == "Image size 96 px instead of 100: resnet18 takes multiples of 16 in tiles."
    assert fitted(settings_from("fast", {"image_size": 100})).settings.image_size == 100
    labels = [settings_from("fast", {"tile": tile}).label for tile in ("off", "side", 64)]
    assert ["tiles" in label for label in labels] == [False, True, True] and "tiles of 64 px" in labels[2]


def test_cells_come_from_the_model_and_those_that_do_not_fit_are_refused_in_a_sentence():
    """This network's stages have twice the stride that their numbers say. A run is told (`fitted`)."""
    chosen = tiny_settings(backbone="test_convnext", stages=(2,), pool_stride=1, padding="zeros", tile="side")
    strip = np.zeros((1, 64, 192, 3), np.float32)
    with pytest.raises(BackboneError, match="cannot be joined from tiles: a square of 64 px has 4 x 4 positions"):
        load_backbone(chosen).compute(strip)
    told = fitted(chosen).settings
    assert (told.cells, told.coarsest_cell) == ((16,), 16)
    assert load_backbone(told).compute(strip).shape[1:3] == (4, 12)


@pytest.mark.parametrize(
    "given, tile",
    [
        (["--tile"], "side"),
        (["--tile", "--seed", "3"], "side"),
        (["--seed", "3", "--tile"], "side"),
        (["--tile", "32"], 32),
        (["--tile=32"], 32),
        (["--tile", "off"], "off"),
        (["--tile", "side", "--seed", "3"], "side"),
        (["--set", "tile=32"], 32),
        ([], "off"),
    ],
)
def test_the_option_takes_a_number_or_stands_alone(given, tile, tmp_path, monkeypatch):
    monkeypatch.setenv("WTFLOW_HOME", str(tmp_path / "runs"))
    asked = []
    monkeypatch.setattr(trainings, "start", lambda *arguments: asked.append(arguments[3]) or "")
    monkeypatch.setattr("wtflow.cli.runs.follow", lambda *arguments: None)
    root = str(write_tiny_category(tmp_path / "images", n_train=2, n_good=0, n_bad=0))
    for arguments in ([root, "plate", *given], [*given, root, "plate"]):
        done = CliRunner().invoke(app, ["train", *arguments])
        assert done.exit_code == 0, done.output
    assert [one.tile for one in asked] == [tile, tile]


def test_a_number_that_is_no_tile_is_refused_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("WTFLOW_HOME", str(tmp_path / "runs"))
    for number in ("0", "-5", "7"):
        done = CliRunner().invoke(app, ["train", str(tmp_path), "plate", "--tile", number])
        assert done.exit_code == 2
        assert "expected off, side, or a number of pixels" in " ".join(done.stderr.split())
    assert with_value(["a", "--tile", "--", "--tile", "8"]) == ["a", "--tile", "side", "--", "--tile", "8"]


def test_regions_are_compared_with_the_map_that_the_run_will_have(tmp_path, monkeypatch):
    """A flaw of 2 x 2 in 192 x 192 pixels is less than a pixel of a map of 64 px, and 4 of one with tiles of 64."""
    monkeypatch.setenv("WTFLOW_HOME", str(tmp_path / "runs"))
    monkeypatch.setattr(trainings, "start", lambda *arguments: "")
    monkeypatch.setattr("wtflow.cli.runs.follow", lambda *arguments: None)
    root = write_tiny_category(tmp_path / "images", n_train=2, n_good=1, n_bad=1, shape=(192, 192))
    mask = np.zeros((192, 192), np.uint8)
    mask[91:93, 91:93] = 255
    save(root / "plate/ground_truth/spot/000_mask.png", mask)
    said = [
        " ".join(CliRunner().invoke(app, ["train", str(root), "plate", "--size", "64", *tile]).stderr.split())
        for tile in ([], ["--tile", "64"])
    ]
    assert "1 of 1 region is smaller than a pixel of the map at 64 px" in said[0]
    assert "smaller than a pixel" not in said[1]


def test_strips_are_named_before_training_unless_they_are_cut(tmp_path, monkeypatch):
    monkeypatch.setenv("WTFLOW_HOME", str(tmp_path / "runs"))
    monkeypatch.setattr(trainings, "start", lambda *arguments: "")
    asked = []
    monkeypatch.setattr("wtflow.cli.runs.follow", lambda *arguments: asked.append(arguments[-1]))
    root = str(write_tiny_category(tmp_path / "images", n_train=2, n_good=1, n_bad=1, shape=(64, 192)))
    said = [CliRunner().invoke(app, ["train", root, "plate", *tile]).stderr for tile in ([], ["--tile"])]
    assert ["--tile" in one for one in said] == [True, False]
    assert ["strip" in {found["code"] for found in one["findings"]} for one in asked] == [True, False]


def test_tiles_that_do_not_fit_are_refused_before_a_run_is_made(tmp_path, monkeypatch):
    monkeypatch.setenv("WTFLOW_HOME", str(tmp_path / "runs"))
    root = write_tiny_category(tmp_path / "images", n_train=2, n_good=0, n_bad=0)
    done = CliRunner().invoke(app, ["train", str(root), "plate", "--tile", "65"])
    assert done.exit_code == 2 and "do not fit into images of 64 x 64 px" in " ".join(done.stderr.split())
    assert RunStore().ids() == []


# -- memory and disk ---------------------------------------------------------------------------------------------------


def test_fewer_images_are_held_at_once_the_larger_they_are_and_all_of_them_without_tiles():
    assert at_once(8, 256, (256, 256)) == 8
    assert at_once(8, 256, (256, 1280)) == 1
    assert at_once(8, 256, (512, 256)) == 4
    assert at_once(8, 64, (2048, 2048)) == 1


def test_fewer_cores_work_at_once_on_canvases_that_would_fill_memory(monkeypatch):
    monkeypatch.setattr("wtflow.machine.cores.n_cores", lambda: 16)
    assert threads_for(None) == 16
    assert threads_for((512, 512)) == 16
    assert threads_for((2048, 2048)) == 4
    assert threads_for((2048, 4096)) == 2
    assert threads_for((8192, 8192)) == 1


def test_a_batch_of_rows_stays_small_for_large_grids(tmp_path, monkeypatch):
    cache = FeatureCache(tmp_path)
    values = np.random.default_rng(0).normal(size=(5, 4, 20, 8)).astype(np.float16)
    with cache.writer("key", values.shape) as writer:
        writer.append(values)
    monkeypatch.setattr("wtflow.store.features.BATCH_BYTES", 2 * values[0].nbytes)
    batches = list(cache.batches("key", 8))
    assert [(first, len(batch)) for first, batch in batches] == [(0, 2), (2, 2), (4, 1)]
    np.testing.assert_array_equal(np.concatenate([batch for _, batch in batches]), values)
    monkeypatch.setattr("wtflow.store.features.BATCH_BYTES", 1)
    assert [len(batch) for _, batch in cache.batches("key", 8)] == [1] * 5


def test_features_that_do_not_fit_the_cache_are_refused_before_any_is_computed(tmp_path, monkeypatch):
    root = write_tiny_category(tmp_path / "images", n_train=4, n_good=1, n_bad=1, shape=(256, 256))
    store = RunStore(tmp_path / "runs")
    monkeypatch.setenv("WTFLOW_CACHE_GB", "0.01")
    with pytest.raises(DiskFullError, match=r"6 images of 512 x 512 px, cut into tiles, have 0\.0 GB") as found:
        train_here(store, root, tile=32, pool_stride=1, pool_window=1)
    assert not list((store.home / layout.CACHE).glob("*.npy"))
    (least,) = (int(word) for word in found.value.fix.split() if word.isdigit())
    assert "tiles of" in found.value.fix
    train_here(store, root, tile=least, pool_stride=1, pool_window=1)


def test_the_estimate_counts_squares_and_the_canvas(tmp_path):
    store, fast = RunStore(tmp_path), settings_from("fast")
    plain = estimate(store, 10, 10, fast)
    tiled = estimate(store, 10, 10, settings_from("fast", {"tile": "side"}), (256, 1280))
    assert tiled.stages["features"] == pytest.approx(7 * plain.stages["features"])
    assert tiled.stages["score"] == pytest.approx(5 * plain.stages["score"])
    assert tiled.stages["train"] == plain.stages["train"]
    network = 3 * 4 * (2 * 3 * 256**2 + 2 * 448 * 256)
    assert tiled.n_bytes - network == 5 * (plain.n_bytes - network)


def test_features_of_tiles_depend_on_the_canvas_and_the_overlap():
    def key(canvas: tuple[int, int] | None, **changes):
        return feature_key(["a"], tiny_settings(**changes), "w", "cpu", canvas=canvas)

    assert key((64, 192), tile="side") != key((64, 128), tile="side")
    assert key((64, 192), tile="side") != key((64, 192), tile="side", tile_overlap=0.5)
    assert key((64, 192), tile="side") == key((64, 192), tile=32), "how the canvas came about does not matter"
    assert key(None) == key(None, tile_overlap=0.5), "without tiles nothing depends on it"
    with pytest.raises(ValueError, match="canvas"):
        key(None, tile="side")


# -- whole runs --------------------------------------------------------------------------------------------------------

STRIP = (64, 192)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A store with a finished run of strips in tiles."""
    folder = tmp_path_factory.mktemp("tiles")
    store = RunStore(folder / "runs")
    root = write_tiny_category(folder / "images", n_good=2, n_bad=3, shape=STRIP)
    return store, train_here(store, root, tile="side", edge_quantile=0.99)


def test_a_run_of_strips_has_maps_of_their_shape_and_finds_their_defects(home):
    store, run_id = home
    results = open_results(store, run_id)
    assert results.shape == STRIP and results.maps.shape[1:] == (8, 24)
    assert json.loads((store.folder(run_id) / layout.DATA).read_text())["canvas"] == list(STRIP)
    assert pixel_map(results, 0).shape == STRIP
    for image in each_image(results.test):
        row = int(image.row)
        assert image.score == pytest.approx(image_scores(pixel_map(results, row)[None], 0)[0]), "of the joined map"
        if image.is_defective:
            truth = truth_of(results, image).mask
            assert truth.shape == STRIP and truth.any()
            rows, columns = (slice(8 * max(at - 1, 0), 8 * (at + 2)) for at in (image.peak_row, image.peak_column))
            assert truth[rows, columns].any(), "the peak is at the defect"
    assert results.metrics["metrics"]["image_auroc"] == 1
    assert results.metrics["metrics"]["aupro"] > 0.9


def test_what_a_run_of_tiles_is_asked_later_agrees_with_its_maps(home):
    store, run_id = home
    results = open_results(store, run_id)
    image = next(each_image(results.test[results.test.is_defective]))
    row, at = int(image.row), (int(image.peak_row), int(image.peak_column))
    found = probe(store, run_id, row, *at)
    assert found.score[-1] == pytest.approx(float(results.maps[row, at[0], at[1]]), rel=1e-4)
    (tried,) = try_images(store, run_id, [("again.png", Path(image.path).read_bytes())])
    assert tried.score == pytest.approx(image.score, rel=1e-4)
    assert tried.image.shape == (*STRIP, 3) and tried.pixel_map.shape == STRIP
    unpainted = compute_what_if(store, run_id, row, ())
    assert unpainted.recomputed_difference < 1e-4 and unpainted.image.shape == (*STRIP, 3)
    _, cached = next(open_flow(store, run_id).grids(np.array([row])))
    FeatureCache(store.home).clear()
    _, computed = next(open_flow(store, run_id).grids(np.array([row])))
    np.testing.assert_array_equal(cached, computed)
    again = score_again(store, run_id, {}, lambda done, total: None)
    np.testing.assert_allclose(again.maps, results.maps, rtol=1e-4)
    kept = keep_run(store, run_id, again)
    assert open_results(store, kept).shape == STRIP


def test_a_run_of_tiles_that_lost_what_its_images_are_resized_to_is_damaged_not_square(home, tmp_path):
    store, run_id = home
    path = store.folder(run_id) / layout.DATA
    text = path.read_text()
    for damage in ({}, {"canvas": [64]}, {"canvas": "64"}, {"canvas": [64, -1]}):
        path.write_text(json.dumps({k: v for k, v in json.loads(text).items() if k != "canvas"} | damage))
        with pytest.raises(DamagedRunError, match="does not tell the size"):
            open_results(store, run_id)
    path.write_text(text)
    assert open_results(store, run_id).shape == STRIP


def test_a_run_of_tiles_can_be_done_again_from_its_folder(home):
    store, run_id = home
    before = np.array(open_results(store, run_id).maps)
    run_stages(store, run_id, Reporter(store, run_id))
    np.testing.assert_array_equal(np.array(open_results(store, run_id).maps), before)


def test_the_unet_takes_joined_grids(tmp_path):
    root = write_tiny_category(tmp_path / "images", n_train=6, n_good=2, n_bad=2, shape=STRIP)
    store = RunStore(tmp_path / "runs")
    unet = {"network": "unet", "batch_size": 4, "group_size": 2, "width": 8, "normalise": "layernorm"}
    run_id = train_here(store, root, tile=48, **unet)
    results = open_results(store, run_id)
    assert results.shape == (80, 256) and results.maps.shape[1:] == (10, 32)
    assert np.isfinite(results.maps).all()
    assert load_image(tmp_path / "images/plate/train/good/000.png", results.shape).shape == (80, 256, 3)
