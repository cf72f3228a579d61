"""What pages ask about a run, on tiny real runs: the answers must be the run's own numbers."""

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from run_folders import train_here, write_tiny_category
from tried_images import try_images

from wtflow.detector import networks
from wtflow.errors import DamagedRunError, DatasetError, ImageReadError, RunNotFoundError, SettingsError, WeightsError
from wtflow.results import open_results, pixel_map
from wtflow.store import layout
from wtflow.store.features import FeatureCache
from wtflow.store.runs import RunStore
from wtflow.studies import probes, rescore

UNET = {"network": "unet", "scope": "image", "width": 8, "batch_size": 8, "group_size": 8, "iterations": 4}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("analysis")
    return RunStore(folder / "runs"), write_tiny_category(folder / "data")


@pytest.fixture(scope="module")
def mlp(place):
    return train_here(*place)


@pytest.fixture(scope="module")
def unet(place):
    return train_here(*place, **UNET, solver="heun")


@pytest.fixture
def copy(place, mlp):
    """A run of its own to spoil, with the same results."""
    store, _ = place
    run_id = "20200101-000000-copy"
    shutil.copytree(store.folder(mlp), store.home / run_id)
    yield run_id
    shutil.rmtree(store.home / run_id)


def quiet(done, total):
    pass


def content_of(results, row):
    return Path(results.table.path[row]).read_bytes()


# -- probe -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["mlp", "unet"])
@pytest.mark.parametrize(("row", "grid_row", "grid_column"), [(0, 0, 0), (5, 3, 6), (8, 7, 7)])
def test_the_last_score_of_a_probe_is_the_maps(place, request, kind, row, grid_row, grid_column):
    store, run_id = place[0], request.getfixturevalue(kind)
    results = open_results(store, run_id)
    probe = probes.probe(store, run_id, row, grid_row, grid_column)
    assert probe.map_score == results.maps[row, grid_row, grid_column]
    assert probe.score[-1] == pytest.approx(probe.map_score, rel=5e-3)
    assert probe.t.tolist() == [0, 0.5, 1], "two steps, start and end included"
    assert (probe.sample_id, probe.grid_row, probe.grid_column) == (results.table.sample_id[row], grid_row, grid_column)
    np.testing.assert_allclose(probe.score, 0.5 * probe.norm**2 / probe.n_channels, rtol=1e-5)


def test_a_probe_starts_at_the_floor_that_the_run_reports(place, mlp):
    """The highest start score of an image's positions, over its whole map, bounds the image's own from above."""
    store, _ = place
    results = open_results(store, mlp)
    height, width = results.maps.shape[1:]
    start = max(probes.probe(store, mlp, 6, r, c).score[0] for r in range(height) for c in range(width))
    assert results.table.start_score[6] <= start * 1.01
    assert results.table.start_score[6] > 0.5 * start


@pytest.mark.parametrize("position", [(-1, 0, 0), (99, 0, 0), (0, 8, 0), (0, 0, -1)])
def test_a_position_outside_the_run_is_a_sentence(place, mlp, position):
    with pytest.raises(RunNotFoundError, match="has no position .* 9 maps of 8 x 8"):
        probes.probe(place[0], mlp, *position)


def test_a_probe_of_an_image_that_has_gone_is_named(place, copy):
    store, _ = place
    data, name = store.data(copy), store.scores(copy).sample_id[3]
    next(entry for entry in data["samples"] if entry["id"] == name)["path"] = "/nowhere/003.png"
    store.write_data(copy, data)
    with pytest.raises(ImageReadError, match=r"003\.png"):
        probes.probe(store, copy, 3, 0, 0)


# -- try an image ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["mlp", "unet"])
def test_trying_images_of_the_test_set_gives_their_stored_scores_and_maps(place, request, kind):
    store, run_id = place[0], request.getfixturevalue(kind)
    results = open_results(store, run_id)
    rows = [0, 6, 7]
    tried = try_images(store, run_id, [(f"{row}.png", content_of(results, row)) for row in rows])
    for one, row in zip(tried, rows, strict=True):
        assert not one.problem
        assert one.score == pytest.approx(results.table.score[row], rel=1e-3)
        np.testing.assert_allclose(one.pixel_map, pixel_map(results, row), rtol=5e-3, atol=1e-4)
        with Image.open(results.table.path[row]) as image:
            assert np.array_equal(one.image, np.asarray(image))


def test_one_broken_upload_is_named_and_the_others_are_scored(place, mlp):
    store, _ = place
    sound = content_of(open_results(store, mlp), 1)
    files = [
        ("a.png", sound),
        ("broken.png", b"not an image"),
        ("empty.jpg", b""),
        ("half.png", sound[: len(sound) // 2]),
        ("b.png", sound),
    ]
    tried = try_images(store, mlp, files)
    assert [bool(one.problem) for one in tried] == [False, True, True, True, False]
    assert [one.name for one in tried] == [name for name, _ in files]
    assert all(one.name in one.problem and one.pixel_map is None for one in tried if one.problem)
    assert tried[0].score == tried[4].score


def test_images_of_any_size_and_mode_are_taken(place, mlp):
    def picture(size, mode):
        file = io.BytesIO()
        Image.new(mode, size, 1).save(file, "PNG")
        return file.getvalue()

    files = [
        ("wide.png", picture((300, 20), "RGB")),
        ("grey.png", picture((64, 64), "L")),
        ("alpha.png", picture((10, 10), "RGBA")),
    ]
    for one in try_images(place[0], mlp, files):
        assert not one.problem
        assert one.image.shape == (64, 64, 3)


# -- score again -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["mlp", "unet"])
def test_evaluating_with_the_runs_own_settings_gives_the_stored_metrics(place, request, kind):
    store, run_id = place[0], request.getfixturevalue(kind)
    stored, seen = store.metrics(run_id), []
    facts = rescore.score_again(store, run_id, {}, lambda *done: seen.append(done)).summary
    assert facts["metrics"] == pytest.approx(stored["metrics"], abs=2e-3)
    assert facts["thresholds"]["best_f1"]["value"] == pytest.approx(stored["thresholds"]["best_f1"]["value"], rel=2e-2)
    assert facts["thresholds"]["holdout"]["value"] == pytest.approx(stored["thresholds"]["holdout"]["value"], rel=2e-2)
    done, totals = zip(*seen, strict=True)
    assert list(done) == sorted(done)
    assert done[-1] == totals[-1]


def test_evaluating_changes_nothing_in_the_run(place, copy):
    store, _ = place
    before = {path: path.read_bytes() for path in store.folder(copy).rglob("*") if path.is_file()}
    rescore.score_again(store, copy, {"steps": 7, "solver": "heun"}, quiet)
    assert {path: path.read_bytes() for path in store.folder(copy).rglob("*") if path.is_file()} == before


def test_other_steps_and_scores_give_what_a_run_trained_so_would_report(place, mlp):
    """Scoring settings have no part in training: a run of the same seed that asked for them has the same weights."""
    store, root = place
    changes = {"steps": 5, "solver": "heun", "score": "deviation", "deviation_time": 0.3}
    other = train_here(store, root, **changes)
    assert rescore.score_again(store, mlp, changes, quiet).summary["metrics"] == pytest.approx(
        store.metrics(other)["metrics"], abs=2e-3
    )


@pytest.mark.parametrize(
    "changes", [{"width": 32}, {"image_size": 128}, {"seed": 1}, {"steps": 3, "normalise": "channel"}]
)
def test_settings_that_training_used_cannot_be_changed_afterwards(place, mlp, changes):
    with pytest.raises(SettingsError, match="is fixed once run"):
        rescore.score_again(place[0], mlp, changes, quiet)
    with pytest.raises(SettingsError, match="^steps: "):
        rescore.score_again(place[0], mlp, {"steps": 0}, quiet)


def test_a_run_without_anything_to_score_is_a_sentence(tmp_path):
    store, root = RunStore(tmp_path / "runs"), write_tiny_category(tmp_path / "data", n_train=3, n_good=0, n_bad=0)
    run_id = train_here(store, root)
    results = open_results(store, run_id)
    assert len(results.table) == len(results.maps) == 0
    assert set(results.metrics["metrics"].values()) == {None}
    with pytest.raises(DatasetError, match="nothing to score"):
        rescore.score_again(store, run_id, {}, quiet)
    (one,) = try_images(store, run_id, [("x.png", (root / "plate/train/good/000.png").read_bytes())])
    assert one.score > 0, "but images can be tried"


def test_features_are_computed_anew_after_the_cache_was_cleared(place, copy):
    store, _ = place
    first = rescore.score_again(store, copy, {}, quiet).summary
    FeatureCache(store.home).clear()
    assert rescore.score_again(store, copy, {}, quiet).summary["metrics"] == first["metrics"]


# -- the run's own weights ---------------------------------------------------------------------------------------------


@pytest.fixture
def with_file(tmp_path):
    """(store, run, weights file): a run whose backbone was read from a file."""
    path = tmp_path / "w.pth"
    save_weights(path, seed=1)
    store, root = RunStore(tmp_path / "runs"), write_tiny_category(tmp_path / "data", n_train=4, n_good=1, n_bad=1)
    return store, root, train_here(store, root, backbone="test_resnet", weights=str(path)), path


def save_weights(path, seed):
    torch.manual_seed(seed)
    torch.save(timm.create_model("test_resnet").state_dict(), path)


def test_weights_that_changed_since_training_are_refused_by_everything_that_needs_them(with_file):
    store, _, run_id, path = with_file
    probes.probe(store, run_id, 0, 0, 0)
    save_weights(path, seed=2)
    for ask in (
        lambda: probes.probe(store, run_id, 0, 0, 0),
        lambda: try_images(store, run_id, [("x.png", b"")]),
        lambda: rescore.score_again(store, run_id, {}, quiet),
    ):
        with pytest.raises(WeightsError, match=f"have changed since run {run_id}"):
            ask()


def test_a_run_trained_after_the_file_changed_is_answered_with_the_new_weights(with_file):
    store, root, old, path = with_file
    probes.probe(store, old, 0, 0, 0)
    save_weights(path, seed=2)
    new = train_here(store, root, backbone="test_resnet", weights=str(path))
    assert probes.probe(store, new, 0, 0, 0).score[-1] == pytest.approx(store.maps(new)[0, 0, 0], rel=5e-3)


def test_weights_that_have_gone_are_named(with_file):
    store, _, run_id, path = with_file
    path.unlink()
    with pytest.raises(WeightsError, match="There is no weights file"):
        probes.probe(store, run_id, 0, 0, 0)


# -- damage ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
        lambda path: path.write_bytes(np.random.default_rng(0).bytes(1000)),
    ],
    ids=["missing", "empty", "cut off", "garbage"],
)
def test_a_damaged_checkpoint_is_an_error_that_names_it(place, copy, spoil):
    store, _ = place
    spoil(store.folder(copy) / layout.CHECKPOINT)
    for ask in (lambda: networks.open_detector(store, copy), lambda: probes.probe(store, copy, 0, 0, 0)):
        with pytest.raises(DamagedRunError, match="checkpoint"):
            ask()
    assert store.summary(copy).problem == "", "what was found can still be looked at"


@pytest.mark.parametrize("content", ["", "{", "{}", "[]", '{"samples": 3, "held_out": []}'])
def test_a_damaged_list_of_images_is_an_error_that_names_it(place, copy, content):
    store, _ = place
    (store.folder(copy) / layout.DATA).write_text(content)
    with pytest.raises(DamagedRunError, match=r"data\.json"):
        rescore.score_again(store, copy, {}, quiet)


def test_the_checkpoint_of_another_kind_of_run_is_refused(place, copy, unet):
    store, _ = place
    shutil.copy(store.folder(unet) / layout.CHECKPOINT, store.folder(copy) / layout.CHECKPOINT)
    with pytest.raises(DamagedRunError, match="does not fit the run's settings"):
        networks.open_detector(store, copy)


def test_a_new_checkpoint_is_noticed_and_the_same_one_is_kept_in_memory(place, copy):
    store, _ = place
    first = networks.open_detector(store, copy).velocity
    assert networks.open_detector(store, copy).velocity is first
    path = store.folder(copy) / layout.CHECKPOINT
    path.write_bytes(path.read_bytes())
    assert networks.open_detector(store, copy).velocity is not first


def test_asking_leaves_the_number_of_threads_as_it_was(place, mlp):
    before = torch.get_num_threads()
    probes.probe(place[0], mlp, 0, 0, 0)
    assert torch.get_num_threads() == before
