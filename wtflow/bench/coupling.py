"""Pairing noise with data, against SciPy's assignment alone."""

import torch
from scipy.optimize import linear_sum_assignment

from wtflow.bench.figures import Figure, interleaved, milliseconds
from wtflow.bench.workshop import Workshop
from wtflow.flow.coupling import couple

ROWS = 1024
"""A batch of preset fast, also for a unet, whose batch counts images."""


def measure(shop: Workshop) -> list[Figure]:
    """Worst coupling of a batch of positions, in groups of the settings' size and of all rows."""
    channels = shop.features.shape[-1]
    generator = torch.Generator().manual_seed(0)
    data, noise = (torch.randn(ROWS, channels, generator=generator) for _ in range(2))
    figures = []
    for size in sorted({min(shop.settings.group_size, ROWS), ROWS}):
        costs = [(data[i : i + size] @ noise[i : i + size].T).numpy() for i in range(0, ROWS, size)]
        seconds = interleaved(
            {
                "bare": lambda costs=costs: [linear_sum_assignment(cost) for cost in costs],
                "couple": lambda size=size: couple(data, noise, "worst", size),
            },
            shop.sizes.repeats,
        )
        figures.append(
            Figure(
                "coupling",
                f"{ROWS} rows of {channels} channels, worst, groups of {size}",
                "ms",
                milliseconds(seconds["couple"]),
                "linear_sum_assignment of the same costs",
                milliseconds(seconds["bare"]),
            )
        )
    return figures
