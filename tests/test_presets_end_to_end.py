"""Presets `best` and `edge` from the images to every question about a run, with random weights."""

from pathlib import Path

import numpy as np
import pytest
from run_folders import write_tiny_category
from tried_images import try_images

from wtflow.config import settings_from
from wtflow.detector.export import export_detector
from wtflow.detector.file import open_file
from wtflow.detector.opened import open_run
from wtflow.detector.score import score_images
from wtflow.export.report.write import write_report
from wtflow.features.fitting import fitted
from wtflow.jobs import trainings
from wtflow.jobs.reporter import Reporter
from wtflow.jobs.train_worker import run_stages
from wtflow.machine.progress import StopRequestedError
from wtflow.results import each_image, open_results, pixel_map
from wtflow.store.runs import RunStore
from wtflow.studies.probes import probe
from wtflow.studies.rescore import score_again
from wtflow.studies.what_if import compute_what_if

SMALL = {"width": 16, "depth": 1, "iterations": 12, "batch_size": 32, "group_size": 16, "max_positions": 2000}
QUIET = {"weights": "untrained", "threads": 1, "niceness": 0, "prepare_pages": False, "umap_after": False}
CASES = [
    ("best", {"backbone": "test_vit", "stages": (0, 2, 3, 5), "image_size": 70}, (64, 4)),
    pytest.param("edge", {"image_size": 96}, (96, 12), marks=pytest.mark.slow),
    pytest.param("best", {}, (392, 28), marks=pytest.mark.slow),
    pytest.param(
        "best", {"backbone": "vit_small_patch16_dinov3", "image_size": 250}, (256, 16), marks=pytest.mark.slow
    ),
    pytest.param("edge", {}, (256, 32), marks=pytest.mark.slow),
    pytest.param(
        "edge",
        {"backbone": "convnext_tiny.dinov3_lvd1689m", "stages": "stages.1,stages.2", "image_size": 320},
        (320, 40),
        marks=pytest.mark.slow,
    ),
]


class StopsInTraining(Reporter):
    """As if somebody asked for it in the middle of the training."""

    def progress(self, done: int, total: int) -> None:
        if total == SMALL["iterations"] and done >= total // 2:
            raise StopRequestedError
        super().progress(done, total)


@pytest.mark.parametrize(("preset", "changes", "sizes"), CASES)
def test_a_preset_trains_scores_resumes_and_answers_everything_asked_of_its_run(preset, changes, sizes, tmp_path):
    size_px, side = sizes
    store = RunStore(tmp_path / "runs")
    root = write_tiny_category(tmp_path / "images", n_train=6, n_good=2, n_bad=2, shape=(96, 96))
    settings = fitted(settings_from(preset, SMALL | QUIET | changes)).settings
    assert settings.image_size == size_px
    run_id = store.create(root, "plate", settings)
    trainings.claim(store, run_id)

    with pytest.raises(StopRequestedError):
        run_stages(store, run_id, StopsInTraining(store, run_id))
    run_stages(store, run_id, Reporter(store, run_id))

    results = open_results(store, run_id)
    assert results.maps.shape == (4, side, side) and np.isfinite(results.maps).all()
    assert results.source_label.startswith(settings.backbone)
    image = next(each_image(results.test[results.test.is_defective]))
    row, at = int(image.row), (int(image.peak_row), int(image.peak_column))
    assert probe(store, run_id, row, *at).score[-1] == pytest.approx(float(results.maps[row, *at]), rel=1e-3)
    (tried,) = try_images(store, run_id, [("again.png", Path(image.path).read_bytes())])
    assert tried.score == pytest.approx(image.score, rel=1e-3)
    assert compute_what_if(store, run_id, row, ()).recomputed_difference < 1e-3
    again = score_again(store, run_id, {"steps": 1}, lambda done, total: None)
    assert again.maps.shape == results.maps.shape
    export_detector(store, run_id, tmp_path / "plate.wtf", lambda done, total: None)
    pictures = np.random.default_rng(0).random((1, *results.shape, 3), dtype=np.float32)
    from_file, from_run = (
        score_images(one, pictures) for one in (open_file(tmp_path / "plate.wtf"), open_run(store, run_id))
    )
    np.testing.assert_array_equal(from_file.maps, from_run.maps)
    assert pixel_map(results, row).shape == (size_px, size_px)
    if size_px < 90:
        return  # what follows takes seconds, and does not depend on the network
    write_report(store, [run_id], tmp_path / "report.html", lambda done, total: None)
    assert settings.backbone in (tmp_path / "report.html").read_text(encoding="utf-8")
