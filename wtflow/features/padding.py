"""What a network's convolutions see beyond the edge of an image."""

from torch import nn


def pad_with(model: nn.Module, padding: str) -> nn.Module:
    """The model, every convolution of which that added zeros around its input now adds `padding`, a mode of Conv2d;
    "zeros" leaves the model as it is.

    Zeros look like an edge, which every feature near the border answers to and which the flow cannot tell from a
    defect. Ours.
    """
    for module in model.modules() if padding != "zeros" else ():
        if isinstance(module, nn.Conv2d) and not isinstance(module.padding, str) and max(module.padding) > 0:
            rows, columns = module.padding
            module.padding_mode = padding
            module._reversed_padding_repeated_twice = [
                columns,
                columns,
                rows,
                rows,
            ]  # what Conv2d keeps for the modes other than zeros
    return model
