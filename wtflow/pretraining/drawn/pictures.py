"""Pictures drawn from a seed, as varied as possible, to train the embedded backbone on. They use nobody else's data.

A picture is a scene of one of a few kinds: a surface, leaves that hide each other, things on a ground, a print, a
patchwork; then flaws, light and camera. Dead leaves and noise as training images: Baradad et al., Learning to See by
Looking at Noise, 2021.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from wtflow.pretraining.drawn.camera import lit, paint, photograph, random_colours
from wtflow.pretraining.drawn.fields import level_plane, noise, smooth, step, turned
from wtflow.pretraining.drawn.lines import draw_cracks, draw_scratches, draw_tracks, draw_writing
from wtflow.pretraining.drawn.materials import random_material
from wtflow.pretraining.drawn.shapes import random_shape

DRAWN_VERSION = 1
"""Raise it whenever the pictures of a seed change."""


class Canvas:
    """A scene being built: colour (S, S, 3) and height (S, S) in pixels;
    each thing that is put on it hides what lies below.
    """

    def __init__(self, colour: np.ndarray, height: np.ndarray) -> None:
        self.colour, self.height = colour, height

    @property
    def size(self) -> int:
        return len(self.height)

    def put(self, colour: np.ndarray, height: np.ndarray, share: np.ndarray) -> None:
        """Cover `share` (S, S) of the canvas."""
        self.colour = self.colour + share[..., None] * (colour - self.colour)
        self.height = self.height + share * (height - self.height)


def draw_image(seed: int, index: int, size: int) -> np.ndarray:
    """Picture number `index` of a seed, uint8 (size, size, 3)."""
    rng = np.random.default_rng((seed, index))
    canvas = _SCENES[rng.choice(len(_SCENES), p=_SHARES)](rng, size)
    if rng.random() < 0.35:
        _add_flaws(rng, canvas)
    return photograph(rng, lit(rng, canvas.colour, canvas.height))


def write_bank(path: Path, n: int, size: int, seed: int, progress: Callable[[int, int], None]) -> np.ndarray:
    """The first `n` pictures of a seed as a file, uint8 (n, size, size, 3), memory-mapped read-only; drawn only if it
    is not there.

    The file appears once it is whole. `progress(done, total)` is called after each picture.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        bank = np.lib.format.open_memmap(part, mode="w+", dtype=np.uint8, shape=(n, size, size, 3))
        for index in range(n):
            bank[index] = draw_image(seed, index, size)
            progress(index + 1, n)
        bank.flush()
        part.replace(path)
    return np.load(path, mmap_mode="r", allow_pickle=False)


# -- scenes -----------------------------------------------------------------------------------------------------------


def _surface(rng: np.random.Generator, size: int) -> Canvas:
    """One material fills the picture."""
    relief = random_material(rng, size)
    return Canvas(paint(rng, relief), relief * np.float32(rng.choice([0.0, np.exp(rng.uniform(0, np.log(12)))])))


def _leaves(rng: np.random.Generator, size: int) -> Canvas:
    """Many shapes of all sizes over each other, each cut from one of a few materials."""
    canvas = _surface(rng, size)
    materials = [_surface(rng, size) for _ in range(rng.integers(2, 5))]
    is_flat = rng.random() < 0.4
    for _ in range(rng.integers(8, 40)):
        radius = size * 0.06 / max(0.12, rng.random()) ** 0.9  # as many small as large ones by area
        below = materials[rng.integers(len(materials))]
        colour = (
            random_colours(rng, 1)
            if rng.random() < 0.3
            else below.colour * rng.uniform(0.5, 1.3, 3 if rng.random() < 0.5 else 1).astype(np.float32)
        )
        _put_thing(rng, canvas, radius, colour, below.height * np.float32(0 if is_flat else 1), is_flat)
    return canvas


def _things(rng: np.random.Generator, size: int) -> Canvas:
    """One or a few things on a ground that is mostly calm, with shadows, as a product lies before a camera."""
    canvas = _surface(rng, size)
    if rng.random() < 0.7:  # calm the ground
        calm = np.float32(rng.uniform(0.02, 0.3))
        mean = canvas.colour.mean((0, 1), keepdims=True)
        canvas = Canvas(mean + calm * (canvas.colour - mean), canvas.height * calm)
    for _ in range(rng.choice([1, 1, 2, 3, 6])):
        radius, centre, angle = (
            size * rng.uniform(0.12, 0.45),
            tuple(rng.uniform(-0.3, 0.3, 2) * size),
            rng.uniform(0, 2 * np.pi),
        )
        for _ in range(rng.integers(1, 4)):  # parts on top of each other about the same centre
            surface = _surface(rng, size)
            calm = np.float32(rng.uniform(0.05, 1))
            mean = surface.colour.mean((0, 1), keepdims=True)
            _put_thing(
                rng,
                canvas,
                radius,
                mean + calm * (surface.colour - mean),
                surface.height * calm * 0.5,
                False,
                centre,
                angle,
            )
            radius *= rng.uniform(0.3, 0.8)
    return canvas


def _print(rng: np.random.Generator, size: int) -> Canvas:
    """Two tones or three, sharp and flat: circuits, writing, signs."""
    canvas = _surface(rng, size)
    if rng.random() < 0.6:
        canvas = Canvas(np.broadcast_to(random_colours(rng, 1), (size, size, 3)), np.zeros((size, size), np.float32))
    for _ in range(rng.integers(1, 3)):
        ink = (draw_tracks, draw_writing, random_material)[rng.integers(3)](rng, size)
        if rng.random() < 0.3:
            ink = 1 - ink
        canvas.put(random_colours(rng, 1), canvas.height + np.float32(rng.uniform(-1, 2)) * ink, step(ink, 0.5, 0.6))
    return canvas


def _patchwork(rng: np.random.Generator, size: int) -> Canvas:
    """Surfaces that meet along smooth or ragged borders."""
    canvas = _surface(rng, size)
    for _ in range(rng.integers(1, 4)):
        other = _surface(rng, size)
        field = (
            noise(rng, size, rng.uniform(1.2, 3))
            if rng.random() < 0.6
            else smooth(rng, size, rng.uniform(0.2, 0.8) * size)
        )
        canvas.put(
            other.colour, other.height, step(field, rng.uniform(-0.7, 0.7), rng.choice([0.05, rng.uniform(0.05, 1)]))
        )
    return canvas


_SCENES: tuple[Callable[[np.random.Generator, int], Canvas], ...] = (_surface, _leaves, _things, _print, _patchwork)
_SHARES = (0.22, 0.28, 0.28, 0.12, 0.10)


def _put_thing(
    rng: np.random.Generator,
    canvas: Canvas,
    radius: float,
    colour: np.ndarray,
    relief: np.ndarray,
    is_flat: bool,
    centre: tuple[float, float] | None = None,
    angle: float | None = None,
) -> None:
    """Lay a random shape on the canvas, now and then with a shadow next to it."""
    size = canvas.size
    centre = tuple(rng.uniform(-size / 2, size / 2, 2)) if centre is None else centre
    plane = turned(level_plane(size), rng.uniform(0, 2 * np.pi) if angle is None else angle, centre)
    shape = random_shape(rng, plane, radius)
    if rng.random() < 0.4:
        far, soft = rng.uniform(-8, 8, 2).round().astype(int), rng.uniform(2, 16)
        shade = step(np.roll(shape.inside, tuple(far), (0, 1)), 0, soft) * np.float32(rng.uniform(0.2, 0.7))
        canvas.colour = canvas.colour * (1 - shade[..., None])
    canvas.put(colour, relief if is_flat else shape.height + relief, step(shape.inside, 0, 1.4))


def _add_flaws(rng: np.random.Generator, canvas: Canvas) -> None:
    """Scratches, cracks, stains, dents or specks on what is there."""
    size = canvas.size
    for _ in range(rng.integers(1, 3)):
        kind = rng.integers(5)
        if kind == 0:
            mark = draw_scratches(rng, size)
        elif kind == 1:
            mark = draw_cracks(rng, size)
        elif kind == 2:
            mark = step(noise(rng, size, rng.uniform(1.2, 2.2)), rng.uniform(1, 2.2), rng.uniform(0.05, 1))
        elif kind == 3:
            at = rng.uniform(-0.45, 0.45, 2) * size
            plane = turned(level_plane(size), rng.uniform(0, np.pi), tuple(at))
            mark = np.exp(-((plane.u / rng.uniform(3, 40)) ** 2) - (plane.v / rng.uniform(3, 40)) ** 2).astype(
                np.float32
            )
        else:
            mark = step(noise(rng, size, 0.0, 0.0, rng.uniform(0.1, 0.5)), rng.uniform(2, 3.2), 0.3)
        canvas.height = canvas.height + np.float32(rng.uniform(-6, 4)) * mark
        if rng.random() < 0.8:
            share = mark * np.float32(rng.uniform(0.1, 1))
            canvas.colour = canvas.colour + share[..., None] * (random_colours(rng, 1) - canvas.colour)
