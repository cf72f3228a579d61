"""Is the image as a whole unlike normal ones? What no single place shows: a surface a little too rough everywhere, light from elsewhere.

An image is described by how strongly each component of its features varies over the picture, as a logarithm. Normals' descriptions are
taken for Gaussian, with a covariance that is shrunk, because there are fewer images than components. The exact flow of that Gaussian
ends at the whitened description whatever the coupling (METHOD 5.2), so the score is that of any position: half the mean square of the end.
Source: ours.
"""

import numpy as np
import torch
from torch import Tensor

QUIET = 1e-3
"""Added to variances, whose mean is about 1: components that hardly vary at all would otherwise count by their rounding."""


def describe(x: Tensor) -> np.ndarray:
    """Half the logarithm of each component's variance over the grid: features at t=0 (B, H, W, K) -> float32 (B, K)."""
    x = x.flatten(1, -2).float()
    variance = (x - x.mean(1, keepdim=True)).square_().mean(1)  # torch's own var takes eight times as long over this axis
    return (0.5 * torch.log(variance + QUIET)).cpu().numpy()
