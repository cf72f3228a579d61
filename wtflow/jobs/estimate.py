"""How long a run will take and how much disk it needs, before it starts, and where the figures come from."""

from dataclasses import dataclass

from wtflow.config import Settings
from wtflow.datasets.tiles import n_tiles
from wtflow.errors import WTFlowError
from wtflow.features.stages import effort, layout, n_channels
from wtflow.records.shapes import Shape, shape_of
from wtflow.store.runs import RunStore

STAGES = ("read", "features", "train", "score", "metrics", "normals")
"""What a training does at most, in order. Pages have a word for each."""


def stages_of(settings: Settings) -> tuple[str, ...]:
    """What a training with these settings does, in order: it scores normals by others only where they ask for it."""
    return STAGES if settings.cross_fit != "off" else tuple(stage for stage in STAGES if stage != "normals")


EFFORT = {"off": 0.0, "short": 0.4, "full": 5.0}
"""What scoring normals by others takes, in trainings of the run."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Expected seconds per stage and bytes on disk. `basis` is a sentence on where they come from."""

    seconds: float
    stages: dict[str, float]
    n_bytes: int | None
    basis: str


def estimate(store: RunStore, n_train: int, n_test: int, settings: Settings, canvas: Shape | None = None) -> Estimate:
    """From the latest finished run with similar settings where there is one, else from figures
    measured on two CPU cores. canvas: what images are resized to before they are cut into tiles.
    """
    n_images = n_train + n_test
    n_steps = (
        settings.iterations
        if not (settings.epochs and settings.network == "unet")
        else settings.epochs * -(-n_train // settings.batch_size)
    )
    rates, basis = _rates(store, settings, canvas)
    stages = {
        "read": 0.5 + 0.002 * n_images,
        "features": n_images * rates["features"],
        "train": n_steps * rates["train"],
        "score": n_test * rates["score"],
        "metrics": 1 + n_test * rates["metrics"],
        "normals": n_steps * rates["train"] * EFFORT[settings.cross_fit]
        + n_train * rates["score"] * (settings.cross_fit != "off"),
    }
    return Estimate(
        seconds=sum(stages.values()), stages=stages, n_bytes=_disk(n_images, n_test, settings, canvas), basis=basis
    )


def _rates(store: RunStore, settings: Settings, canvas: Shape | None) -> tuple[dict[str, float], str]:
    """Seconds per image and per step, and a sentence on where they come from."""
    for run_id in store.ids():
        try:
            config = store.config(run_id).settings
            if store.status(run_id).state != "finished" or not _alike(config, settings):
                continue
            rates = store.metrics(run_id).get("rates", {})
            measured_on = store.canvas(run_id)
        except WTFlowError:
            continue
        if all(rates.get(name) for name in ("features", "train", "score", "metrics")):
            now, before = _work(settings, canvas), _work(settings, measured_on)
            per_image = {name: rates[name] * (now[name] / before[name]) for name in now}
            return rates | per_image, f"Measured here by run {run_id}."
    work = settings.depth * settings.width**2 * settings.batch_size if settings.network == "mlp" else 0
    work *= len(settings.sizes)
    scale = _work(settings, canvas)
    rates = {
        "features": 0.03 * scale["features"] * _effort(settings),
        "train": 0.01 + 8e-11 * work if work else 1.0,
        "score": (0.02 + 0.01 * settings.steps) * scale["score"],
        "metrics": 0.01 * scale["metrics"],
    }
    return (
        rates,
        (
            "Rough: no run with similar settings has finished here yet, so these figures come from a laptop-class CPU"
            " with two cores."
        ),
    )


def _effort(settings: Settings) -> float:
    """As far as it is known; a network that cannot be built is named when the run starts."""
    try:
        return effort(settings)
    except WTFlowError:
        return 1.0


def _work(settings: Settings, canvas: Shape | None) -> dict[str, float]:
    """What each stage has to do for one image, in images of 256 px: the backbone sees overlaps more than once."""
    height, width = shape_of(canvas or settings.image_size)
    seen = settings.image_size**2 * (1 if canvas is None else n_tiles(settings, canvas))
    smaller = sum(size**2 for size in settings.smaller_sizes)
    scored = height * width + smaller
    return {"features": (seen + smaller) / 256**2, "score": scored / 256**2, "metrics": height * width / 256**2}


def _alike(a: Settings, b: Settings) -> bool:
    shape = (
        "backbone",
        "stages",
        "block_groups",
        "finest_grid",
        "sizes",
        "pool_stride",
        "network",
        "width",
        "depth",
    )
    same = (*shape, "batch_size", "steps", "solver", "coupling", "group_size", "times_per_pair", "precision", "threads")
    return all(getattr(a, name) == getattr(b, name) for name in same)


def _disk(n_images: int, n_test: int, settings: Settings, canvas: Shape | None) -> int | None:
    """Features in float16, maps in float32, the checkpoint; None for a network that cannot be built."""
    try:
        per_stage = layout(settings).channels
        channels = n_channels(settings, tuple(per_stage[number] for number in settings.stage_numbers))
        channels *= len(settings.sizes)
    except (WTFlowError, IndexError):
        return None
    cells = settings.stage_cells
    pitch = next((cell for cell in cells if cell >= settings.finest_cell), cells[0]) * settings.pool_stride
    height, width = (-(-side // pitch) for side in shape_of(canvas or settings.image_size))
    network = 4 * (2 * settings.depth * settings.width**2 + 2 * channels * settings.width)
    return n_images * height * width * channels * 2 + n_test * height * width * 4 + 3 * network
