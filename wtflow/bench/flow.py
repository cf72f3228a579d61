"""Moving features from data to noise and scoring where they end, against the backbone that made them."""

from collections.abc import Mapping

from wtflow.bench.figures import Figure, Target, interleaved, milliseconds
from wtflow.bench.workshop import Workshop
from wtflow.features.extract import BATCH
from wtflow.scoring.maps import compute_map
from wtflow.scoring.precision import autocast

TARGETS = {1: Target("ratio", "at most", 0.15), 4: Target("ratio", "at most", 0.5)}
"""Euler steps -> share of the backbone's time, on a CPU with preset fast."""


def measure(shop: Workshop) -> list[Figure]:
    """Milliseconds per image of 1 and 4 Euler steps in batches of the size that scoring uses."""
    return flow_figures(shop, "flow", BATCH, TARGETS)


def flow_figures(shop: Workshop, part: str, n: int, targets: Mapping[int, Target | None]) -> list[Figure]:
    """One figure for each number of Euler steps in `targets`, n images at a time."""
    x, velocity = shop.start(n), shop.training[1].velocity.eval()

    def move(steps: int) -> None:
        """As a run is scored, normalising left out."""
        with autocast(shop.device, shop.settings):
            compute_map(velocity, x, shop.settings.changed({"steps": steps, "solver": "euler", "score": "endpoint"}), 0)

    tasks = {"bare": shop.bare_backbone(n)} | {str(steps): lambda steps=steps: move(steps) for steps in targets}
    seconds = interleaved(tasks, shop.sizes.repeats)
    grid = "x".join(map(str, x.shape[1:]))
    return [
        Figure(
            part,
            f"{steps} Euler step{'s' * (steps > 1)}, {shop.settings.network}, {n} x {grid}",
            "ms/image",
            milliseconds(seconds[str(steps)], n),
            f"the bare network, {n} images",
            milliseconds(seconds["bare"], n),
            target,
        )
        for steps, target in targets.items()
    ]
