"""The study of couplings: fields against closed forms, intervals, a tiny run from end to end, stops and restarts."""

import math
from dataclasses import fields

import numpy as np
import pytest
import torch
from run_folders import train_here, write_tiny_category
from scipy.stats import t as student
from small_studies import TINY_STUDY, chosen_study
from torch import nn

from wtflow.config import settings_from
from wtflow.flow.exact import gaussian_velocity
from wtflow.flow.strength import gaussian_bend
from wtflow.flow.velocity import build_velocity
from wtflow.machine.progress import StopRequestedError
from wtflow.records.core import GOOD
from wtflow.records.coupling import SCORED, STEPS
from wtflow.records.truth import Truth
from wtflow.results import open_results
from wtflow.scoring.detector import Detector
from wtflow.store.runs import RunStore
from wtflow.studies.answers import answer_path, load_answer
from wtflow.studies.compute import compute_answer
from wtflow.studies.coupling import study as study_module
from wtflow.studies.coupling.effects import Cell, cells_of, effect, figures_of, interval_of, own_cell
from wtflow.studies.coupling.features import averaged, chosen_images, coarse, joined_pixels, leading, read_features
from wtflow.studies.coupling.flows import grid_batches, image_settings, position_settings, train_flows
from wtflow.studies.coupling.kept import part_path, read_done
from wtflow.studies.coupling.measure import field_of
from wtflow.studies.coupling.plan import plan_of
from wtflow.studies.coupling.words import differs_from_run
from wtflow.studies.requests import FULL_COUPLING, QUICK_COUPLING, CouplingRequest
from wtflow.studies.run_flow import open_flow
from wtflow.training.pool import position_batches


def quiet(*_):
    pass


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("couplings")
    store = RunStore(folder / "runs")
    return store, train_here(store, write_tiny_category(folder / "data"))


@pytest.fixture(scope="module")
def answer(place):
    return compute_answer(*place, TINY_STUDY, quiet)


# -- fields ------------------------------------------------------------------------------------------------------------


class Exact(nn.Module):
    """The field of standard Gaussian data with correlation rho."""

    def __init__(self, rho):
        super().__init__()
        self.rho = rho

    def forward(self, x, t):
        return torch.from_numpy(gaussian_velocity(x.numpy(), float(t), 0.0, 1.0, self.rho)).to(x.dtype)


@pytest.mark.parametrize("gamma", [0.0, 0.4, -0.4])
def test_an_exact_field_is_measured_at_its_closed_forms(gamma):
    x = torch.randn(400, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found, apart = (field_of(Exact(-g), x, x) for g in (gamma, 0.0))
    assert found.slope == pytest.approx(-gamma, abs=1e-9)
    assert found.departure == pytest.approx(abs(gamma), abs=1e-9)
    assert found.depth_start / apart.depth_start == pytest.approx(1 + gamma)
    assert found.depth == found.depth_start, "a Gaussian well is deepest at the start"
    assert found.bend == pytest.approx(float(gaussian_bend(-gamma)), rel=0.15), "20 steps of Euler"


def test_what_a_perfect_field_turns_along_x_is_gamma_for_any_data():
    """The best field at t = 0 is E[noise | x] - x. With few atoms it is a mean over draws; its slope is -gamma / s."""
    atoms = torch.tensor([[3.0, 0.0], [-1.0, 2.0], [0.0, -1.0], [0.2, 0.1]])
    generator = torch.Generator().manual_seed(0)
    which = torch.randint(4, (40_000,), generator=generator)
    x, noise = atoms[which], torch.randn(40_000, 2, generator=generator)
    from wtflow.flow.coupling import couple
    from wtflow.studies.coupling.measure import gamma_of

    noise = noise[couple(x, noise, "worst", 8)]
    mean = torch.stack([noise[which == k].mean(0) for k in range(4)])
    turned = (mean[which] * x).sum() / x.square().sum()
    spread = x.square().mean().sqrt()
    assert float(turned) == pytest.approx(-gamma_of(x, noise, 8)[0] / float(spread), abs=1e-4)


# -- features ----------------------------------------------------------------------------------------------------------


def test_leading_components_have_mean_variance_one_and_all_of_them_are_the_runs_own(place):
    features = read_features(open_flow(*place), 2000, 10_000, quiet)
    assert torch.equal(leading(features, features.n_channels)(features.pool), features.pool.float())
    for d in (2, 5):
        x = leading(features, d)(features.pool)
        assert float(x.var(0, correction=0).mean()) == pytest.approx(1, abs=1e-3)
        ratio = x / features.pool[:, :d].float()
        assert float(ratio.std()) < 1e-3, "one factor for all: the run's own whitening stays"


def test_features_without_components_get_principal_axes(place):
    features = read_features(open_flow(*place), 2000, 10_000, quiet)
    mixed = torch.linalg.qr(torch.randn(features.n_channels, features.n_channels))[0]
    changed = study_module.replace(features, is_pca=False, pool=(features.pool.float() @ mixed).half())
    x = leading(changed, 3)(changed.pool)
    covariance = torch.cov(x.T)
    assert float((covariance - covariance.diag().diag()).abs().max()) < 0.02
    assert covariance.diag().tolist() == sorted(covariance.diag().tolist(), reverse=True)


def test_a_run_whose_features_are_cached_reads_as_its_detector_does(place):
    flow = open_flow(*place)
    features = read_features(flow, 2000, 10_000, quiet)
    results = flow.results
    assert [image.sample_id for image in features.images] == list(results.test.sample_id)
    assert features.labels.tolist() == results.test.is_defective.tolist()
    detector: Detector = flow.detector
    row = int(results.test.row.iloc[3])
    ((_, grid),) = flow.grids(np.array([row]))
    assert torch.allclose(features.test[3].float(), detector.start(grid[None])[0], rtol=1e-3, atol=1e-3)


def test_chosen_test_images_keep_every_kind_and_their_proportion(place):
    results = open_results(*place)
    per_image = results.maps.shape[1] * results.maps.shape[2]
    few = chosen_images(results, 4 * per_image)
    assert [image.defect == GOOD for image in few].count(True) == 2
    assert len(few) == 4
    assert len(chosen_images(results, 1)) == 2, "one of each kind"
    assert len(chosen_images(results, 10**9)) == len(results.test)


def test_grids_are_averaged_to_eight_by_eight():
    grid = torch.arange(16 * 16, dtype=torch.float32).reshape(16, 16, 1)
    small = averaged(grid)
    assert small.shape == (8, 8, 1)
    assert float(small[0, 0, 0]) == (0 + 1 + 16 + 17) / 4
    assert averaged(small) is small


def test_a_coarser_truth_keeps_areas_and_regions():
    pixel = np.array([0, 1, 4, 15, 15], np.int32)
    truth = Truth(
        (4, 4),
        pixel,
        np.array([0, 0, 0, 1, 2], np.int32),
        np.array([1, 0.5, 1, 0.25, 0.5], np.float32),
        np.array([2], np.int32),
        np.array([1], np.float32),
    )
    small = coarse(truth, 2)
    assert small.shape == (2, 2)
    assert small.n_regions == 3
    assert small.areas == pytest.approx(truth.areas / 4)
    assert small.defect == pytest.approx(np.array([[2.5, 0], [0, 0.75]]) / 4)
    assert small.left_out == pytest.approx(np.array([[0, 1], [0, 0]]) / 4)
    assert coarse(truth, 1).defect == pytest.approx(truth.defect)
    assert [joined_pixels(shape, 64) for shape in ((256, 256), (250, 256), (100, 100), (64, 640))] == [4, 2, 1, 1]


# -- plan --------------------------------------------------------------------------------------------------------------


def test_the_quick_form_varies_one_thing_at_a_time_and_the_full_one_both(place):
    settings = open_flow(*place).settings.changed({"batch_size": 1024, "group_size": 256})
    quick, full = (plan_of(request, settings, 448) for request in (QUICK_COUPLING, FULL_COUPLING))
    assert quick.dimensions == (2, 4, 8, 16, 64, 256, 448)
    assert set(quick.cells) == {(d, 256) for d in quick.dimensions} | {(448, n) for n in (8, 64, 256, 1024)}
    assert len(full.cells) == 7 * 4
    assert quick.n_pairs == 1024
    names = [unit.name for unit in full.units()]
    assert len(set(names)) == len(names)
    assert plan_of(QUICK_COUPLING, settings, 16).dimensions == (2, 4, 8, 16), "all components once"
    other = plan_of(QUICK_COUPLING, settings.changed({"group_size": 100}), 64)
    assert other.group_sizes == (8, 64, 100, 256, 1024)
    assert (64, 100) in other.cells and (2, 100) in other.cells and (2, 256) not in other.cells


def test_a_run_of_several_image_sizes_has_small_flows_that_see_them_all():
    several = settings_from("fast", {"image_size": 256, "smaller_sizes": (128,)})
    plan = plan_of(QUICK_COUPLING, several, 896)
    for settings in (position_settings(several, plan, "worst", 256, 0), image_settings(several, plan, "worst", 0)):
        assert settings.smaller_sizes == ()
        assert build_velocity(settings, 3).channels == 3
    assert "one network for all image sizes" in differs_from_run(chosen_study(), several)


# -- flows -------------------------------------------------------------------------------------------------------------


def test_the_optimal_flow_is_that_of_the_worst_one_for_mirrored_data_of_mirrored_noise(place):
    """Both come from one assignment. That of the optimal coupling alone, on the same mirrored noise, is the same."""
    settings = open_flow(*place).settings.changed(
        {"iterations": 3, "times_per_pair": 1, "coupling": "worst", "rarity_power": 0.0}
    )
    pool = torch.randn(200, 4, generator=torch.Generator().manual_seed(0))
    draw = position_batches(pool, settings)
    both = train_flows(draw, settings, 4, quiet)
    assert set(both) == {"worst", "optimal"}
    alone = settings.changed({"coupling": "optimal"})
    mirrored = train_flows(lambda step: (lambda x, z, t: (x, -z, t))(*draw(step)), alone, 4, quiet)
    for one, other in zip(both["optimal"].parameters(), mirrored["optimal"].parameters(), strict=True):
        assert torch.equal(one, other)


def test_whole_grids_are_paired_as_single_vectors(place):
    settings = open_flow(*place).settings.changed(
        {"network": "unet", "scope": "image", "batch_size": 4, "group_size": 4, "coupling": "worst"}
    )
    grids = torch.randn(9, 8, 8, 3, generator=torch.Generator().manual_seed(0))
    x, noise, t = grid_batches(grids, settings)(5)
    assert x.shape == noise.shape == (4, 8, 8, 3)
    assert t.shape == (4,)
    inner = x.flatten(1) @ noise.flatten(1).T
    import itertools

    least = min(sum(inner[i, p[i]] for i in range(4)) for p in itertools.permutations(range(4)))
    assert float(inner.trace()) == pytest.approx(float(least), rel=1e-5)


# -- intervals ---------------------------------------------------------------------------------------------------------


def test_an_interval_adds_what_images_and_seeds_contribute():
    rng = np.random.default_rng(0)
    drawn = 0.1 + 0.02 * rng.standard_normal((1, 4000)) + np.zeros((3, 1))
    same = interval_of(np.full(3, 0.1), drawn)
    assert same.high - same.value == pytest.approx(1.96 * 0.02, rel=0.05), "seeds agree: images alone, a normal's ends"
    values = np.array([0.05, 0.10, 0.15])
    still = interval_of(values, np.repeat(values[:, None], 50, axis=1))
    assert still.high - still.value == pytest.approx(student.ppf(0.975, 2) * 0.05 / math.sqrt(3))
    both = interval_of(values, drawn)
    assert same.high - same.low < both.high - both.low < still.high - still.low + same.high - same.low
    assert interval_of(np.array([0.1, np.nan]), drawn[:2]) is None
    assert interval_of(np.full(3, 0.25), np.full((3, 10), 0.25)).low == 0.25


def test_intervals_cover_as_often_as_they_say():
    """Gaussian images and seeds of about equal weight: 95 % of intervals hold the truth."""
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(600):
        images, seeds = 0.02 * rng.standard_normal(), 0.03 * rng.standard_normal(3)
        values = images + seeds
        drawn = values[:, None] + 0.02 * rng.standard_normal((1, 300))
        held += interval_of(values, drawn).holds_zero
    assert 0.92 <= held / 600 <= 0.985


def test_effects_pair_flows_of_one_seed():
    """Seeds differ by far more than couplings; pairing takes that out."""
    study = chosen_study(change=0.05, noise=0.001)
    worst = effect(study, Cell("positions", 100, 32, "worst"), "aupro")
    assert worst.value == pytest.approx(0.05)
    assert worst.low > 0.04
    assert effect(study, Cell("positions", 4, 32, "worst"), "aupro").holds_zero
    assert effect(study, Cell("positions", 100, 999, "worst"), "aupro") is None
    assert own_cell(study) == ("positions", 100, 32, "worst")
    assert cells_of(study, "positions", "worst") == (
        ("positions", 4, 32, "worst"),
        ("positions", 100, 8, "worst"),
        ("positions", 100, 32, "worst"),
    )


# -- a tiny run from end to end ----------------------------------------------------------------------------------------


def test_a_tiny_run_is_studied_from_end_to_end(place, answer):
    store, run_id = place
    k = open_flow(store, run_id).n_channels
    assert answer.dimensions == (2, k)
    assert answer.group_sizes == (8, 16)
    flows = {(row.part, row.dimension, row.group_size, row.coupling) for row in answer.flows}
    pairs = {("positions", d, n) for d in (2, k) for n in (8, 16)} | {("images", 64 * k, 8)}
    assert flows == {(*pair, coupling) for pair in pairs for coupling in ("worst", "optimal")} | {
        ("positions", 2, 0, "independent"),
        ("positions", k, 0, "independent"),
        ("images", 64 * k, 0, "independent"),
    }
    assert answer.values.shape == (len(answer.flows), len(STEPS) * len(SCORED))
    assert np.isfinite(answer.values).all() and np.isfinite(answer.drawn).all()
    assert ((answer.values >= 0) & (answer.values <= 1)).all()
    for one in answer.strengths:
        assert 0 < one.gamma <= one.most
    figures = figures_of(answer)
    assert len(figures.points) == len(answer.flows)
    assert {one.coupling for one in figures.effects} == {"worst", "optimal"}


def test_an_answer_comes_back_from_the_runs_folder_as_it_was(place, answer):
    again = load_answer(*place, TINY_STUDY)
    for field in fields(answer):
        mine, other = getattr(answer, field.name), getattr(again, field.name)
        if isinstance(mine, np.ndarray):
            assert np.array_equal(mine, other)
        elif field.name != "strengths":  # NaN of whole grids is not equal to itself
            assert mine == other
    assert [one.gamma for one in again.strengths] == [one.gamma for one in answer.strengths]
    assert not part_path(answer_path(*place, TINY_STUDY)).exists(), "what was done unit by unit is no longer needed"


def test_a_study_that_was_stopped_goes_on_and_ends_in_the_same_numbers(place, answer, monkeypatch):
    store, run_id = place
    request = CouplingRequest(**TINY_STUDY.model_dump() | {"n_resamples": 41})
    path = part_path(answer_path(store, run_id, request))
    shares = []

    def stop(share):
        shares.append(float(share))
        if share > 0.6:
            raise StopRequestedError

    with pytest.raises(StopRequestedError):
        compute_answer(store, run_id, request, stop)
    assert shares == sorted(shares)
    kept = read_done(path)
    assert kept.flows
    done_again = []
    real = study_module._do
    monkeypatch.setattr(study_module, "_do", lambda unit, *rest: done_again.append(unit.name) or real(unit, *rest))
    found = compute_answer(store, run_id, request, quiet)
    assert not {*kept.flows, *kept.strengths} & {*done_again}
    assert np.array_equal(found.values, answer.values)
    assert not path.exists()


def test_a_damaged_file_of_what_is_done_starts_the_study_anew(place):
    store, run_id = place
    path = part_path(answer_path(store, run_id, CouplingRequest(**TINY_STUDY.model_dump() | {"n_resamples": 42})))
    for content in (b"", b"PK\x03\x04 cut off"):
        path.write_bytes(content)
        assert not read_done(path).flows
        assert not path.exists()


def test_without_defects_strength_is_measured_and_nothing_is_said_of_scores(tmp_path):
    store = RunStore(tmp_path / "runs")
    run_id = train_here(store, write_tiny_category(tmp_path / "data", n_bad=0))
    request = CouplingRequest(**TINY_STUDY.model_dump() | {"dimensions": (), "n_resamples": 20, "is_full": False})
    found = compute_answer(store, run_id, request, quiet)
    assert np.isnan(found.values).all()
    assert not figures_of(found).effects
    assert [one.part for one in found.strengths] == ["images", "positions", "positions"]
    assert all(one.gamma > 0 for one in found.strengths)
    assert {row.part for row in found.flows} == {"positions"}, "the quick form measures gamma of whole grids alone"
