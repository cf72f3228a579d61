"""What a network's convolutions see beyond the edge of an image."""

from typing import TypeGuard

from torch import nn

from wtflow.config import Padding


def pad_with(model: nn.Module, padding: Padding) -> nn.Module:
    """The model, changed: each convolution that added zeros around its input now adds `padding`, a mode of Conv2d;
    "zeros" leaves the model as it is.

    Zeros look like an edge: every feature near the border responds to it, and the flow cannot tell it from a defect.
    Ours.
    """
    for module in model.modules() if padding != "zeros" else ():
        if _pads(module):
            rows, columns = (int(side) for side in module.padding)
            module.padding_mode = padding
            # What Conv2d keeps for the modes other than zeros.
            module._reversed_padding_repeated_twice = [columns, columns, rows, rows]
    return model


def has_padding(model: nn.Module) -> bool:
    """Some convolution of the model sees something beyond its input."""
    return any(_pads(module) for module in model.modules())


def _pads(module: nn.Module) -> TypeGuard[nn.Conv2d]:
    return isinstance(module, nn.Conv2d) and not isinstance(module.padding, str) and max(module.padding) > 0
