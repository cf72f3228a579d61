"""Training steps, against the network forward and backward alone."""

from collections.abc import Callable

from torch import nn

from wtflow.bench.figures import Figure, Target, interleaved, per_second
from wtflow.bench.workshop import Workshop
from wtflow.flow.path import interpolate, target_velocity
from wtflow.scoring.precision import autocast

FLOOR = "the network forward and backward on one batch"


def measure(shop: Workshop) -> list[Figure]:
    """Iterations per second with batches prepared ahead, and with each drawn when it is needed."""
    trainer, _, batches = shop.training
    n = shop.sizes.steps

    def train(n_threads: int | None) -> None:
        trainer.total_steps = trainer.step + n
        trainer.run(batches, lambda step, loss: None, n_threads)
        shop.wait()

    seconds = interleaved(
        {"bare": bare_steps(shop, n), "ahead": lambda: train(None), "inline": lambda: train(0)}, shop.sizes.repeats
    )
    floor = per_second(seconds["bare"], n)
    what = f"{shop.settings.network}, {shop.settings.coupling} coupling"
    return [
        Figure(
            "train",
            f"{what}, batches prepared ahead",
            "iterations/s",
            per_second(seconds["ahead"], n),
            FLOOR,
            floor,
            Target("ratio", "at least", 0.85),
        ),
        Figure(
            "train",
            f"{what}, each batch drawn when needed",
            "iterations/s",
            per_second(seconds["inline"], n),
            FLOOR,
            floor,
        ),
    ]


def bare_steps(shop: Workshop, n: int) -> Callable[[], None]:
    """A call that runs the network forward and backward n times on one batch in memory: no drawing, no optimiser."""
    trainer, _, batches = shop.training
    x_data, x_noise, t = (part.to(shop.device) for part in batches(0))
    x_t, target = interpolate(x_data, x_noise, t), target_velocity(x_data, x_noise)

    def run() -> None:
        trainer.velocity.train()
        for _ in range(n):
            trainer.velocity.zero_grad(set_to_none=True)
            with autocast(shop.device, shop.settings):
                loss = nn.functional.mse_loss(trainer.velocity(x_t, t).float(), target)
            loss.backward()
        shop.wait()

    return run
