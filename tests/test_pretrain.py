"""Making the embedded backbone, in small: the optimiser against a second method, crops, targets, and a tiny run that
learns and resumes.
"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors
import safetensors.torch
import timm
import torch
from run_folders import tiny_settings
from typer.testing import CliRunner

from wtflow.errors import WeightsError
from wtflow.features.backbone import load_backbone
from wtflow.pretraining.__main__ import app, run
from wtflow.pretraining.crops import held_out_batches, train_batch
from wtflow.pretraining.loop import Pretrainer
from wtflow.pretraining.muon import Muon, orthogonal
from wtflow.pretraining.recipe import Recipe
from wtflow.pretraining.student import new_student
from wtflow.pretraining.teacher import load_teacher

TINY = replace(
    Recipe(),
    n_pictures=8,
    n_held_out=2,
    picture_size=64,
    batch_size=8,
    crop_sizes=(32, 48),
    crop_shares=(0.75, 0.25),
    steps=32,
    warm_up_steps=4,
)
SMALL = "test_resnet"


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def teacher_file(tmp_path_factory) -> Path:
    """Weights of a whole mobilenetv2_100 that nobody trained, its statistics settled on noise."""
    torch.manual_seed(0)
    model = timm.create_model("mobilenetv2_100", pad_type="same").train()
    with torch.inference_mode():
        for _ in range(2):
            model(torch.randn(4, 3, 64, 64))
    path = tmp_path_factory.mktemp("teacher") / "teacher.pth"
    torch.save(model.state_dict(), path)
    return path


@pytest.fixture(scope="module")
def bank():
    return np.random.default_rng(0).integers(0, 256, (8, 64, 64, 3), dtype=np.uint8)


# -- recipe ------------------------------------------------------------------------------------------------------------


def test_the_pace_rises_stays_and_falls_to_nothing():
    recipe = Recipe(steps=1000, warm_up_steps=50, decay_share=0.4)
    assert [recipe.pace(step) for step in (0, 24, 49, 300, 600)] == pytest.approx([0.02, 0.5, 1, 1, 1])
    assert [recipe.pace(step) for step in (800, 999)] == pytest.approx([0.5, 0.0025])


def test_crops_grow_when_their_share_of_the_steps_is_over():
    recipe = Recipe(steps=10, crop_sizes=(96, 128, 160), crop_shares=(0.5, 0.3, 0.2))
    assert [recipe.crop_size(step) for step in range(10)] == [96] * 5 + [128] * 3 + [160] * 2


# -- optimiser ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(12, 40), (40, 12), (16, 16)])
def test_the_orthogonal_matrix_is_about_that_of_a_singular_value_decomposition(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(3))
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    found = orthogonal(matrix)
    values = torch.linalg.svdvals(found)
    assert values.min() > 0.5
    assert values.max() < 1.3
    assert float((found * (u @ v)).sum() / (found.norm() * (u @ v).norm())) > 0.97


def test_a_muon_step_is_as_long_as_one_of_adam_and_points_down():
    weight = torch.nn.Parameter(torch.randn(16, 8, 3, 3, generator=torch.Generator().manual_seed(0)))
    before = weight.detach().clone()
    (weight**2).sum().backward()
    Muon([weight], lr=0.01).step()
    change = weight.detach() - before
    assert 0.1 < float(change.square().mean().sqrt()) / 0.01 < 0.3
    assert float((change * weight.grad).sum()) < 0


def test_weights_decay_by_rate_times_decay():
    weight = torch.nn.Parameter(torch.full((2, 2, 1, 1), 4.0))
    weight.grad = torch.zeros_like(weight)
    Muon([weight], lr=0.1, weight_decay=0.5).step()
    torch.testing.assert_close(weight.detach(), torch.full((2, 2, 1, 1), 3.8))


# -- crops -------------------------------------------------------------------------------------------------------------


def test_a_batch_depends_on_its_step_alone(bank):
    first = train_batch(bank, TINY, 3)
    assert torch.equal(first, train_batch(bank, TINY, 3))
    assert not torch.equal(first, train_batch(bank, TINY, 4))
    assert not torch.equal(first, train_batch(bank, replace(TINY, seed=1), 3))
    assert first.shape == (8, 3, 32, 32)
    assert train_batch(bank, TINY, 24).shape == (8, 3, 48, 48)
    batches = torch.cat([train_batch(bank, TINY, step) for step in range(12)])
    assert batches.min() >= 0
    assert batches.max() <= 1


class Watched:
    """A bank that writes down which pictures are read."""

    def __init__(self, bank: np.ndarray) -> None:
        self.bank, self.read = bank, []

    def __len__(self) -> int:
        return len(self.bank)

    def __getitem__(self, row):
        self.read.append(row)
        return self.bank[row]


def test_the_last_pictures_are_for_measuring_only(bank):
    watched = Watched(bank)
    for step in range(24):
        train_batch(watched, TINY, step)
    assert {int(row) for row in watched.read} == set(range(6))
    measured = torch.cat(held_out_batches(bank, TINY))
    np.testing.assert_allclose(measured.permute(0, 2, 3, 1) * 255, bank[6:, 8:56, 8:56], atol=1e-3)


# -- teacher and student -----------------------------------------------------------------------------------------------


def test_the_targets_of_the_pictures_settled_on_have_mean_0_and_deviation_1(teacher_file, bank):
    teacher = load_teacher(teacher_file)
    batches = [train_batch(bank, TINY, step) for step in range(24, 28)]
    teacher.settle(batches)
    assert teacher.channels == [24, 32 + 192, 96 + 576]
    stages = zip(*(teacher.targets(teacher.normalised(batch)) for batch in batches), strict=True)
    for stage, side in zip(stages, (12, 6, 3), strict=True):
        joined = torch.cat(stage)
        assert joined.shape[2:] == (side, side)
        assert joined.mean((0, 2, 3)).abs().median() < 0.02
        assert joined.std((0, 2, 3)).median() == pytest.approx(1, abs=0.05)


def test_the_teachers_stages_are_those_of_the_backbone(teacher_file, bank):
    teacher = load_teacher(teacher_file)
    pictures = torch.from_numpy(bank[:2]).permute(0, 3, 1, 2).float() / 255
    stages = teacher.features(teacher.normalised(pictures))
    changes = {"backbone": "mobilenetv2_100", "backbone_args": {"pad_type": "same"}, "weights": str(teacher_file)}
    expected = load_backbone(tiny_settings(**changes, stages=(2,), pool_window=1, pool_stride=1)).compute(
        (bank[:2] / 255).astype(np.float32)
    )
    np.testing.assert_allclose(
        stages[1][:, :32].permute(0, 2, 3, 1), expected, rtol=2e-3, atol=2e-3 * float(np.abs(expected).max())
    )


def test_a_missing_teacher_is_an_error_for_people(tmp_path):
    result = CliRunner().invoke(
        app,
        ["--teacher", str(tmp_path / "none.pth"), "--out", str(tmp_path / "w.safetensors"), "--work", str(tmp_path)],
    )
    assert result.exit_code == 2
    with pytest.raises(WeightsError):
        load_teacher(tmp_path / "none.pth")


# -- a tiny run --------------------------------------------------------------------------------------------------------


def trainer(teacher_file, batch, steps) -> Pretrainer:
    teacher = load_teacher(teacher_file)
    teacher.settle([batch])
    return Pretrainer(new_student(SMALL, teacher.channels, TINY.seed), teacher, replace(TINY, steps=steps))


def test_a_tiny_run_lowers_its_loss_and_resumes_to_the_same_weights(teacher_file, bank, tmp_path):
    batch, losses = train_batch(bank, TINY, 0), []
    whole = trainer(teacher_file, batch, 12)

    def keep(step, shares):
        losses.append(sum(shares))
        if step == 8:
            whole.save(tmp_path / "checkpoint.pt")

    whole.run(lambda step: batch, keep)
    assert np.mean(losses[-3:]) < 0.75 * losses[0]
    resumed = trainer(teacher_file, batch, 12)
    resumed.restore(tmp_path / "checkpoint.pt")
    assert resumed.step == 8
    resumed.run(lambda step: batch, lambda step, shares: None)
    for one, other in zip(whole.student.state_dict().values(), resumed.student.state_dict().values(), strict=True):
        assert torch.equal(one, other)


def test_the_command_writes_weights_that_the_app_reads(teacher_file, tmp_path):
    out = tmp_path / "small.safetensors"
    arguments = [
        "--steps",
        "3",
        "--batch-size",
        "2",
        "--pictures",
        "4",
        "--held-out",
        "2",
        "--picture-size",
        "48",
        "--crops",
        "32",
        "--save-every",
        "2",
    ]
    result = CliRunner().invoke(
        app,
        ["--teacher", str(teacher_file), "--out", str(out), "--work", str(tmp_path), "--backbone", SMALL, *arguments],
    )
    assert result.exit_code == 0, result.output
    with safetensors.safe_open(out, "pt") as file:
        facts = json.loads(file.metadata()["facts"])
    assert facts["recipe"]["steps"] == 3
    assert len(facts["unexplained"]) == 3
    weights = safetensors.torch.load_file(out)
    assert {tensor.dtype for tensor in weights.values()} == {torch.float16}
    body = timm.create_model(SMALL, features_only=True, out_indices=(1, 2, 3))
    assert set(weights) == {key for key in body.state_dict() if not key.endswith("num_batches_tracked")}
    assert list(tmp_path.glob("bank-*.npy"))
    assert list(tmp_path.glob("checkpoint-*.pt"))


def test_a_finished_run_measured_again_gives_the_same_shares(teacher_file, tmp_path):
    recipe = replace(TINY, steps=2, n_pictures=4, picture_size=48)
    first = run(recipe, SMALL, teacher_file, tmp_path / "a.safetensors", tmp_path, 1, 1)
    again = run(recipe, SMALL, teacher_file, tmp_path / "b.safetensors", tmp_path, 1, 1)
    assert again == first
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
