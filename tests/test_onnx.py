"""A detector as an ONNX graph: it computes what the app does, and says so itself."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from networks import stirred
from PIL import Image
from run_folders import tiny_settings, train_here, write_tiny_category
from scipy.stats import spearmanr

from wtflow.detector.record import OpenedDetector
from wtflow.detector.score import pixel_maps, score_images
from wtflow.errors import ExportError, SettingsError
from wtflow.export.onnx.check import TOLERANCE, compared, rank_correlation
from wtflow.export.onnx.graph import READINGS, WholeDetector
from wtflow.export.onnx.inner import InnerDetector, found_by
from wtflow.export.onnx.write import write_onnx
from wtflow.features.backbone import load_backbone
from wtflow.flow.integrate import integrate
from wtflow.flow.solvers import SOLVERS
from wtflow.flow.unrolled import unrolled
from wtflow.flow.velocity import build_velocity
from wtflow.records.decision import Decision
from wtflow.records.edges import EdgeFactors
from wtflow.scoring.detector import Detector
from wtflow.scoring.maps import SCORES
from wtflow.scoring.normalise import fit_normaliser
from wtflow.scoring.whole import fit_whole
from wtflow.store.runs import RunStore

ROOT = Path(__file__).parent.parent
UNET = {"network": "unet", "scope": "image", "batch_size": 8, "group_size": 8}
IMAGES = np.random.default_rng(3).random((3, 64, 64, 3), np.float32)


def detector(**changes) -> OpenedDetector:
    """With edge factors and whole images, from nothing but a seed."""
    settings = tiny_settings(**{"width": 8, "stages": (1, 2)} | changes)
    backbone = load_backbone(settings)
    grids = backbone.compute(IMAGES)
    positions, n_sizes = grids.reshape(-1, grids.shape[-1]), len(settings.sizes)
    normaliser = fit_normaliser(settings.normalise, positions, settings.whiten_power, 16, n_sizes)
    velocity = stirred(build_velocity(settings, normaliser.channels)).eval()
    rings = (min(grids.shape[1:3]) + 1) // 2
    edges = EdgeFactors(*[np.linspace(2, 1, rings, dtype=np.float32)] * 2, n_images=3)
    normal = np.random.default_rng(1).normal(size=(20, normaliser.channels // n_sizes)).astype(np.float32)
    scoring = Detector(settings, normaliser, velocity, edges, fit_whole(normal))
    decided = Decision(1.0, "by_hand", "By hand.", 0.0)
    return OpenedDetector(
        "plate", settings, scoring, backbone, (64, 64), decided, np.ones(3), None, None, {}, "fingerprint"
    )


def assert_same(opened: OpenedDetector, score: np.ndarray, maps: np.ndarray) -> None:
    found = score_images(opened, IMAGES)
    np.testing.assert_allclose(score, found.scores, rtol=2e-4)
    expected = pixel_maps(opened, found)
    np.testing.assert_allclose(maps, expected, atol=2e-4 * float(expected.max()))


@pytest.mark.parametrize(
    "changes",
    [
        *({"score": score} for score in SCORES),
        {"solver": "heun", "top_fraction": 0.03},
        UNET,
        UNET | {"normalise": "layernorm", "score": "mismatch", "padding": "zeros", "top_fraction": 0.03},
        {"smaller_sizes": (32,), "pool_window": 1, "pool_stride": 1},
        {"normalise": "channel", "stages": (1, 2, 3), "finest_grid": 2, "pool_window": 1, "pool_stride": 1},
    ],
    ids=str,
)
def test_the_graph_computes_what_the_app_does(changes):
    opened = detector(**changes)
    grid = score_images(opened, IMAGES).maps.shape[1:]
    with torch.no_grad():
        found = WholeDetector(opened, grid).eval()(torch.from_numpy(IMAGES))
    assert_same(opened, found.score.numpy(), found.map.numpy())


@pytest.mark.parametrize("changes", [{}, {"smaller_sizes": (32,), "pool_window": 1, "pool_stride": 1}], ids=str)
def test_the_app_makes_of_the_inner_graph_what_it_makes_of_torch(changes):
    opened = detector(**changes)
    expected = score_images(opened, IMAGES)
    with torch.no_grad():
        inner = InnerDetector(opened, expected.maps.shape[1:]).eval()(torch.from_numpy(IMAGES))
    found = found_by(opened, *(part.numpy() for part in inner))
    for part, same in zip(found, expected, strict=True):
        np.testing.assert_allclose(part, same, rtol=2e-3)


def test_every_score_can_be_read_off_a_graph():
    assert READINGS.keys() == SCORES.keys()


@pytest.mark.parametrize("solver", SOLVERS)
def test_unrolled_steps_end_where_the_solver_does(solver):
    velocity = stirred(build_velocity(tiny_settings(depth=2), 12)).eval()
    x = torch.randn(2, 3, 4, 12, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        for steps in (1, 3):
            expected = integrate(velocity, x, steps, solver)
            torch.testing.assert_close(unrolled(velocity, steps, solver)(x), expected, rtol=1e-5, atol=1e-5)


def test_ranks_correlate_as_scipy_says():
    generator = np.random.default_rng(4)
    a, b = generator.integers(0, 9, 40).astype(float), generator.normal(size=40)
    assert rank_correlation(a, a + b) == pytest.approx(spearmanr(a, a + b).statistic)
    assert rank_correlation(a, 3 * a + 1) == pytest.approx(1)
    assert rank_correlation(np.ones(3), np.arange(3.0)) == 1


def test_a_verdict_differs_only_where_the_score_is_clear_of_the_threshold():
    maps = np.ones((3, 2, 2), np.float32)
    app, graph = np.array([1 + TOLERANCE / 2, 2.0, 0.5]), np.array([1 - TOLERANCE / 2, 0.9, 0.5])
    found = compared("float32", (graph, maps), (app, maps + 0.5), 1.0, ["near", "clear", "same"])
    assert found.verdicts_that_differ == ("clear",)
    assert (found.score_difference, found.score_share) == pytest.approx((1.1, 0.55))
    assert (found.map_difference, found.map_share) == pytest.approx((0.5, 1 / 3))


def test_what_cannot_be_exported_gets_a_sentence(tmp_path):
    opened = detector()
    with pytest.raises(ExportError, match="tiles cannot be exported"):
        tiled = opened.settings.model_copy(update={"tile": 32})
        WholeDetector(OpenedDetector(**vars(opened) | {"settings": tiled}), (8, 8))
    with pytest.raises((SettingsError, ExportError), match=r"ends with \.onnx|not installed"):
        write_onnx(opened, tmp_path / "plate.pb")


@pytest.mark.slow
def test_the_shell_exports_checks_itself_and_a_script_runs_the_graph_alone(tmp_path):
    pytest.importorskip("onnxruntime", reason="requirements-export.txt is not installed")
    pytest.importorskip("onnxscript", reason="requirements-export.txt is not installed")
    from typer.testing import CliRunner

    from wtflow.cli.app import app

    store = RunStore(tmp_path / "runs")
    run_id = train_here(store, write_tiny_category(tmp_path / "data"), edge_quantile=0.9)
    path = tmp_path / "plate.onnx"
    shell = CliRunner(env={"WTFLOW_HOME": str(store.home)})
    done = shell.invoke(app, ["export", run_id, "--onnx", str(path), "--json"])
    assert done.exit_code == 0, done.output
    check = json.loads((tmp_path / "plate_check.json").read_text(encoding="utf-8"))
    assert check["is_equal"]
    assert check["n_by_type"] == {"good": 4, "spot": 4}
    assert json.loads(done.stdout.splitlines()[-1])["check"] == check
    image = tmp_path / "grey.png"
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (90, 70), dtype=np.uint8)).save(image)
    blocked = f"""
import sys
class Blocked:
    def find_spec(self, name, *_):
        if name.split(".")[0] in ("torch", "wtflow", "onnx", "scipy"):
            raise ImportError(name)
sys.meta_path.insert(0, Blocked())
sys.argv = ["run", {str(path)!r}, {str(image)!r}]
import runpy; runpy.run_path({str(tmp_path / "plate_run.py")!r}, run_name="__main__")
"""
    ran = subprocess.run([sys.executable, "-c", blocked], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    from wtflow import load_detector

    expected = load_detector(run_id, home=store.home)(image)
    assert float(ran.stdout.split()[1].rstrip(",")) == pytest.approx(expected.score, rel=1e-3)
    assert expected.verdict in ran.stdout
