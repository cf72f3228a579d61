"""From surfaces to a photograph: colours, light from one side, gloss, shadow, lens, sensor, JPEG."""

import io

import numpy as np
from PIL import Image
from scipy import ndimage

from wtflow.pretraining.drawn.fields import smooth


def random_colours(rng: np.random.Generator, n: int) -> np.ndarray:
    """Colours (n, 3) in [0, 1] that go together: greys, one hue, or anything."""
    kind = rng.integers(4)
    if kind == 0:
        return np.repeat(rng.uniform(0.02, 1, (n, 1)), 3, 1).astype(np.float32)
    if kind == 1:
        tint = rng.uniform(0.75, 1, 3)
        return (rng.uniform(0.05, 1, (n, 1)) * tint).astype(np.float32)
    base = rng.uniform(0, 1, (1 if kind == 2 else n, 3))
    return np.clip(base + rng.normal(0, 0.15, (n, 3)), 0, 1).astype(np.float32)


def paint(rng: np.random.Generator, relief: np.ndarray) -> np.ndarray:
    """A surface (S, S, 3): the relief's values as a range of two to four colours, strong or hardly visible."""
    n = int(rng.integers(2, 5))
    colours = random_colours(rng, n)
    if rng.random() < 0.5:  # most real surfaces vary little about one colour
        colours = colours[:1] + (colours - colours[:1]) * np.float32(rng.uniform(0.05, 0.6))
    stops = np.concatenate([[0.0], np.sort(rng.uniform(0.1, 0.9, n - 2)), [1.0]])
    table = np.stack([np.interp(np.linspace(0, 1, 256), stops, colours[:, c]) for c in range(3)], 1).astype(np.float32)
    return table[np.clip(relief * 255, 0, 255).astype(np.uint8)]


def lit(rng: np.random.Generator, colour: np.ndarray, height: np.ndarray) -> np.ndarray:
    """The surface under one lamp: brighter where its slope faces the lamp, with gloss, and unevenly lit.
    Height in pixels.
    """
    dy, dx = np.gradient(height)
    norm = 1 / np.sqrt(1 + dx * dx + dy * dy)
    azimuth, rise = rng.uniform(0, 2 * np.pi), rng.uniform(0.4, 1.3)
    lamp = np.array([np.cos(azimuth) * np.cos(rise), np.sin(azimuth) * np.cos(rise), np.sin(rise)], dtype=np.float32)
    facing = np.clip((lamp[2] - dx * lamp[0] - dy * lamp[1]) * norm, 0, None)
    ambient = np.float32(rng.uniform(0.2, 0.8))
    light = ambient + (1 - ambient) * facing / lamp[2]
    if rng.random() < 0.6:
        light = light * (
            1 + np.float32(rng.uniform(0, 0.3)) * smooth(rng, len(height), rng.uniform(0.4, 2) * len(height))
        )
    picture = colour * light[..., None]
    if rng.random() < 0.5:
        half = lamp + np.array([0, 0, 1], dtype=np.float32)
        half /= np.linalg.norm(half)
        gloss = np.clip((half[2] - dx * half[0] - dy * half[1]) * norm, 0, 1) ** np.float32(
            np.exp(rng.uniform(np.log(4), np.log(120)))
        )
        picture = picture + np.float32(rng.uniform(0.05, 0.8)) * gloss[..., None]
    return picture


def photograph(rng: np.random.Generator, light: np.ndarray) -> np.ndarray:
    """What a camera makes of light (S, S, 3): uint8, exposed at random, more or less sharp, noisy and packed."""
    size = len(light)
    if rng.random() < 0.3:
        light = np.repeat(light.mean(2, keepdims=True), 3, 2)
    elif rng.random() < 0.3:
        light = light * rng.uniform(0.7, 1.15, 3).astype(np.float32)
    light = light * np.float32(np.exp(rng.normal(0, 0.25)))
    if rng.random() < 0.3:
        line = np.linspace(-1, 1, size, dtype=np.float32)
        light = light * (1 - np.float32(rng.uniform(0, 0.5)) * (line[:, None] ** 2 + line**2) / 2)[..., None]
    picture = np.clip(light, 0, 1) ** np.float32(np.exp(rng.normal(0, 0.25)))
    if rng.random() < 0.5:
        picture = np.clip(
            0.5 + (picture - 0.5) * np.float32(rng.uniform(0.4, 1.6)) + np.float32(rng.uniform(-0.15, 0.15)), 0, 1
        )
    if rng.random() < 0.6:
        sigma = rng.choice([rng.uniform(0.3, 0.9), rng.uniform(0.5, 2.5)])
        picture = ndimage.gaussian_filter(picture, (sigma, sigma, 0), truncate=3.0)
    if rng.random() < 0.7:
        grain = rng.standard_normal((size, size, 1 if rng.random() < 0.5 else 3), dtype=np.float32)
        if rng.random() < 0.4:
            grain = ndimage.uniform_filter(grain, (2, 2, 0)) * 2
        picture = picture + np.float32(np.exp(rng.uniform(np.log(0.003), np.log(0.06)))) * grain
    pixels = np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
    return _packed(pixels, int(rng.integers(25, 96))) if rng.random() < 0.25 else pixels


def _packed(pixels: np.ndarray, quality: int) -> np.ndarray:
    """The picture after JPEG."""
    with io.BytesIO() as file:
        Image.fromarray(pixels).save(file, "JPEG", quality=quality)
        return np.asarray(Image.open(file).convert("RGB"))
