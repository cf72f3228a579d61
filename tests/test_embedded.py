"""The weights that ship with the app: small, described correctly by their card, available without a network, and
refused where they do not belong.
"""

import hashlib
import json
import re
import socket
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
import safetensors.torch
import timm
import torch
from run_folders import tiny_settings

from wtflow.config import EMBEDDED_BACKBONE, EMBEDDED_LAST_STAGE
from wtflow.errors import BackboneError, SettingsError, WeightsError
from wtflow.features.backbone import load_backbone
from wtflow.features.embedded import FILE, LARGEST_BYTES, load_embedded
from wtflow.features.weight_sources import source_label
from wtflow.pretraining.drawn.pictures import DRAWN_VERSION
from wtflow.pretraining.recipe import Recipe

CARD = FILE.with_suffix(".md").read_text(encoding="utf-8")


def embedded(**changes):
    return tiny_settings(**{"weights": "embedded", "stages": (2, 3), "pool_window": 1, "pool_stride": 1} | changes)


@pytest.fixture(scope="module")
def facts() -> dict[str, Any]:
    with safetensors.safe_open(FILE, "pt") as file:
        return json.loads(file.metadata()["facts"])


# -- the file and its card ---------------------------------------------------------------------------------------------


def test_the_file_is_small_and_in_half_precision():
    assert FILE.stat().st_size <= LARGEST_BYTES
    weights = safetensors.torch.load_file(FILE)
    assert {tensor.dtype for tensor in weights.values()} == {torch.float16}
    assert all(torch.isfinite(tensor).all() for tensor in weights.values())


def test_the_file_holds_the_stages_it_promises_and_nothing_else():
    cut = timm.create_model(EMBEDDED_BACKBONE, features_only=True, out_indices=(EMBEDDED_LAST_STAGE,))
    assert set(safetensors.torch.load_file(FILE)) == {
        key for key in cut.state_dict() if not key.endswith("num_batches_tracked")
    }


def test_the_card_names_this_very_file():
    assert hashlib.sha256(FILE.read_bytes()).hexdigest() in CARD
    assert f"{FILE.stat().st_size:,} bytes" in CARD
    assert EMBEDDED_BACKBONE in CARD


def test_the_defaults_of_the_script_are_what_the_file_was_made_with(facts):
    assert facts["recipe"] == json.loads(json.dumps(asdict(Recipe())))
    assert facts["backbone"] == EMBEDDED_BACKBONE
    assert facts["drawn_version"] == DRAWN_VERSION


def test_the_card_tells_the_loss_and_the_time_that_the_file_tells(facts):
    for share in facts["unexplained"]:
        assert f"{share:.3f}" in CARD
    assert f"{facts['cpu_seconds'] // 60} minutes" in CARD
    assert f"{Recipe().steps:,} steps" in CARD


def test_the_card_says_whose_weights_taught_and_under_which_licence():
    assert re.search(r"mobilenetv2_100.*Apache-2\.0", CARD, re.DOTALL)
    assert "same licence as this project" in CARD


# -- use ---------------------------------------------------------------------------------------------------------------


def test_it_loads_without_a_network(monkeypatch):
    monkeypatch.setattr(socket, "socket", lambda *args, **kwargs: pytest.fail("asked the network"))
    backbone = load_backbone(embedded())
    assert backbone.channels == 128 + 256
    features = backbone.compute(np.random.default_rng(0).random((2, 64, 64, 3), dtype=np.float32))
    assert features.shape == (2, 8, 8, 384)
    assert features.std() > 0.05


def test_its_features_are_those_of_timms_own_forward_pass_with_the_files_numbers():
    pictures = np.random.default_rng(1).random((2, 64, 64, 3), dtype=np.float32)
    whole = timm.create_model(EMBEDDED_BACKBONE).eval()
    whole.load_state_dict(
        {key: tensor.float() for key, tensor in safetensors.torch.load_file(FILE).items()}, strict=False
    )
    cfg = timm.get_pretrained_cfg(EMBEDDED_BACKBONE)
    x = (torch.from_numpy(pictures).permute(0, 3, 1, 2) - torch.tensor(cfg.mean).view(1, 3, 1, 1)) / torch.tensor(
        cfg.std
    ).view(1, 3, 1, 1)
    with torch.inference_mode():
        (expected,) = whole.forward_intermediates(x, indices=[2], intermediates_only=True)
    found = load_backbone(embedded(stages=(2,), padding="zeros")).compute(pictures)
    np.testing.assert_allclose(found, expected.permute(0, 2, 3, 1), rtol=2e-3, atol=2e-3)


def test_the_seed_does_not_change_it():
    assert load_backbone(embedded(seed=1)).weights_hash == load_backbone(embedded(seed=2)).weights_hash
    assert load_backbone(embedded()).weights_hash != load_backbone(embedded(weights="untrained")).weights_hash


def test_its_name_says_where_it_comes_from():
    assert source_label(embedded()) == "embedded backbone (resnet18, trained by this project on drawn images)"


@pytest.mark.parametrize("changes", [{"stages": (3, 4)}, {"stages": (4,)}, {"backbone": "resnet34"}])
def test_later_stages_and_other_models_are_refused_with_what_to_do(changes):
    with pytest.raises(
        SettingsError,
        match=r"embedded weights are for resnet18, stages 0 to 3.*choose weights pretrained, untrained or a file",
    ):
        embedded(**changes)


def test_arguments_that_change_the_model_are_refused():
    with pytest.raises(WeightsError, match="do not fit resnet18.*such as.*without arguments"):
        load_backbone(embedded(backbone_args={"stem_width": 32, "stem_type": "deep"}))
    with pytest.raises(BackboneError, match="no argument 'colour'"):
        load_backbone(embedded(backbone_args={"colour": 1}))


def test_a_file_that_lacks_a_tensor_is_refused(tmp_path: Path):
    weights = safetensors.torch.load_file(FILE)
    del weights["layer2.0.conv1.weight"]
    safetensors.torch.save_file(weights, tmp_path / "short.safetensors")
    model = timm.create_model(EMBEDDED_BACKBONE, features_only=True, out_indices=(3,))
    with pytest.raises(
        WeightsError, match=r"1 tensors are missing or of another shape, such as layer2\.0\.conv1\.weight"
    ):
        load_embedded(model, EMBEDDED_BACKBONE, tmp_path / "short.safetensors")
    load_embedded(
        timm.create_model(EMBEDDED_BACKBONE, features_only=True, out_indices=(1,)),
        EMBEDDED_BACKBONE,
        tmp_path / "short.safetensors",
    )
