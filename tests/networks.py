"""Velocity networks that tests can tell apart."""

import torch
from torch import nn


def stirred(network: nn.Module, seed: int = 0) -> nn.Module:
    """The network with its zero layers filled, so that outputs and gradients depend on everything."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return network.eval()
