"""Every number of the pretraining. The shipped weights were made with the defaults."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """seed: start of every random number, of the pictures too.

    n_pictures, picture_size: the bank of drawn pictures, square, in pixels; the last `n_held_out` of them are never
    trained on, and the loss on them shows how good the copy is. crop_sizes, crop_shares: sides of the training crops in
    pixels, each for this share of the steps; small ones first, because they cost less. learning_rate: of the
    convolutions (Muon); `other_rate` of everything else (AdamW). Both rise for `warm_up_steps`, stay, and fall linearly
    to 0 over the last `decay_share` of the steps.
    """

    seed: int = 0
    n_pictures: int = 3000
    picture_size: int = 320
    n_held_out: int = 64
    batch_size: int = 32
    crop_sizes: tuple[int, ...] = (96, 128, 160)
    crop_shares: tuple[float, ...] = (0.5, 0.3, 0.2)
    steps: int = 3600
    learning_rate: float = 6e-3
    other_rate: float = 3e-3
    weight_decay: float = 0.02
    warm_up_steps: int = 100
    decay_share: float = 0.5

    def crop_size(self, step: int) -> int:
        """Side of the crops of a step."""
        done = 0.0
        for size, share in zip(self.crop_sizes, self.crop_shares, strict=True):
            done += share
            if step < done * self.steps:
                return size
        return self.crop_sizes[-1]

    def pace(self, step: int) -> float:
        """Share of the learning rates that a step uses."""
        rise = (step + 1) / max(1, min(self.warm_up_steps, self.steps // 10))
        fall = (self.steps - step) / max(1.0, self.decay_share * self.steps)
        return min(1.0, rise, fall)
