"""Real images and real weights, through the real stages. Skips with a word where they are absent."""

import os
from pathlib import Path

import numpy as np
import pytest
from tried_images import try_images

from wtflow.config import settings_from
from wtflow.datasets.health import check_category
from wtflow.datasets.scan import find_categories, scan_category
from wtflow.results import open_results, pixel_map
from wtflow.store.runs import RunStore

SHARED = Path(os.environ.get("WTFLOW_SHARED") or Path(__file__).parent.parent.parent / "shared").absolute()
DATA, WEIGHTS = SHARED / "data", SHARED / "weights"

pytestmark = pytest.mark.real


def needed(*paths: Path) -> None:
    for path in paths:
        if not path.exists():
            pytest.skip(f"{path} is not there: set WTFLOW_SHARED to the folder of shared data and weights")


def train(folder: Path, category: str, **changes):
    from wtflow.jobs import trainings
    from wtflow.jobs.reporter import Reporter
    from wtflow.jobs.train_worker import run_stages

    store = RunStore(folder / "runs")
    run_id = store.create(DATA, category, settings_from("fast", {"threads": 1, "niceness": 0} | changes))
    trainings.claim(store, run_id)
    run_stages(store, run_id, Reporter(store, run_id))
    return store, run_id


@pytest.fixture(scope="module")
def tiles(tmp_path_factory):
    """Magnetic tiles at 128 px with ImageNet features, on a tenth of the usual budget."""
    weights = WEIGHTS / "mobilenetv2_100.pth"
    needed(DATA / "magnetic_tile", weights)
    return train(
        tmp_path_factory.mktemp("real"),
        "magnetic_tile",
        backbone="mobilenetv2_100",
        backbone_args={"pad_type": "same"},
        weights=str(weights),
        stages=(3, 4),
        image_size=128,
        width=256,
        iterations=250,
        batch_size=512,
        max_positions=20_000,
    )


def test_real_defects_are_told_from_normal_tiles_and_no_worse_than_by_the_features_alone(tiles):
    store, run_id = tiles
    metrics = open_results(store, run_id).metrics["metrics"]
    assert metrics["image_auroc"] > 0.75, metrics
    assert metrics["image_auroc"] > metrics["image_auroc_start"] - 0.01
    assert metrics["pixel_auroc"] > 0.68
    assert 0.3 < metrics["aupro"] < 1
    assert metrics["image_ap"] > 0.8, "192 of 292 are defective: chance is 0.66"
    assert metrics["image_f1_max"] > 0.78


def test_the_run_holds_every_image_of_the_category_with_its_features_and_stages_timed(tiles):
    store, run_id = tiles
    results, category = open_results(store, run_id), scan_category(DATA, "magnetic_tile")
    assert results.test.sample_id.tolist() == [sample.id for sample in category.of("test")]
    assert len(results.holdout) == 24, "a tenth of 240"
    assert results.metrics["seconds"]["features"] > 0
    assert results.metrics["rates"]["features"] > 0
    assert len(results.metrics["weights_hash"]) == 64
    assert results.source_label == "mobilenetv2_100, weights from mobilenetv2_100.pth"
    assert results.metrics["peak_rss_mib"] < 3000


def test_heat_lies_where_the_defect_is_in_most_of_the_large_ones(tiles):
    """Inside the mask the map is hotter on average than outside: so for a clear majority of defective tiles."""
    from wtflow.datasets.masks.read import decide_masks, read_truth
    from wtflow.records.reading import Reading
    from wtflow.records.truth import Truth

    store, run_id = tiles
    results = open_results(store, run_id)
    samples = {sample.id: sample for sample in scan_category(DATA, "magnetic_tile").of("test")}
    decision = decide_masks(list(samples.values()), Reading())
    hotter = []
    for row in results.test.itertuples():
        found = read_truth(samples[row.sample_id], decision, (128, 128)) if row.is_defective else None
        if isinstance(found, Truth) and 0.002 < found.defect.mean() < 0.5:
            values, truth = pixel_map(results, row.row), found.mask
            hotter.append(values[truth].mean() > values[~truth].mean())
    assert len(hotter) > 50
    assert np.mean(hotter) > 0.7


def test_trying_a_real_test_image_repeats_its_stored_score(tiles):

    store, run_id = tiles
    results = open_results(store, run_id)
    row = results.test[results.test.is_defective].iloc[0]
    (one,) = try_images(store, run_id, [("tile.png", Path(row.path).read_bytes())])
    assert one.score == pytest.approx(row.score, rel=5e-3)


def test_the_sound_stages_of_the_other_backbone_give_live_features():
    from wtflow.datasets.images import load_image
    from wtflow.features.backbone import load_backbone

    weights = WEIGHTS / "resnet18_layer1to3.pth"
    needed(DATA / "screw", weights)
    settings = settings_from(
        "fast", {"backbone": "resnet18", "weights": str(weights), "stages": (2, 3), "image_size": 128}
    )
    image = load_image(next(iter((DATA / "screw/train/good").iterdir())), 128)
    features = load_backbone(settings).compute(image[None])
    assert features.shape == (1, 16, 16, 384)
    assert (features.astype(np.float32).std((0, 1, 2)) > 0).mean() > 0.8


@pytest.mark.parametrize(("category", "n_train", "n_good", "n_bad"), [("screw", 320, 41, 119), ("pcb", 150, 60, 60)])
def test_real_categories_are_found_sound(category, n_train, n_good, n_bad):
    needed(DATA / category)
    assert category in find_categories(DATA).categories
    report = check_category(scan_category(DATA, category))
    assert report.errors == ()
    assert report.counts["train"] == {"good": n_train}
    assert report.counts["test"]["good"] == n_good
    assert sum(report.counts["test"].values()) == n_good + n_bad
