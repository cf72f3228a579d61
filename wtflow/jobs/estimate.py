"""How long a run will take and how much disk it needs, before it starts, and where the figures come from."""

from collections.abc import Collection
from dataclasses import dataclass

from wtflow.config import Settings
from wtflow.datasets.tiles import n_tiles
from wtflow.errors import WTFlowError
from wtflow.features.stages import effort, layout, n_channels
from wtflow.records.run_list import RunQuery
from wtflow.records.shapes import Shape, shape_of
from wtflow.store.index.look import index_of
from wtflow.store.runs import RunStore

STAGES = ("read", "features", "train", "score", "metrics", "normals")
"""What a training does at most, in order. Pages have a word for each."""

_SAME = (
    *("backbone", "block_groups", "finest_grid", "pool_stride", "network", "width", "depth", "batch_size", "steps"),
    *("solver", "coupling", "group_size", "times_per_pair", "precision", "threads"),
)
"""Settings of one value each that similar runs share."""
MOST_LOOKED_AT = 500
"""Runs that may be similar, of which the newest that is tells."""


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
    feature_bytes: int | None = None
    """What of n_bytes are features, which runs on the same images share."""


@dataclass(frozen=True, slots=True)
class MeasuredRun:
    """What a finished run took: seconds per image and per training step, with its settings and canvas."""

    run_id: str
    settings: Settings
    canvas: Shape | None
    rates: dict[str, float]


def measured_runs(store: RunStore, settings: Settings, sizes: Collection[int]) -> dict[int, MeasuredRun]:
    """Image size -> the latest finished run of that size with otherwise similar settings, else one of the size that is
    nearest. Empty where no such run has finished here.
    """
    found: dict[int, MeasuredRun] = {}
    for run_id in _finished(store, settings):
        if found.keys() >= set(sizes):
            break
        try:
            config = store.config(run_id).settings
            if not _alike(config, settings) or config.image_size in found or store.status(run_id).state != "finished":
                continue
            rates, canvas = store.metrics(run_id).get("rates", {}), store.canvas(run_id)
        except WTFlowError:
            continue
        if all(rates.get(name) for name in ("features", "train", "score", "metrics")):
            found[config.image_size] = MeasuredRun(run_id, config, canvas, rates)
    return {size: found[min(found, key=lambda other: abs(other - size))] for size in sizes if found}


def _finished(store: RunStore, settings: Settings) -> list[str]:
    """Finished runs that may be similar, newest first: the index knows words and numbers of their settings."""
    words = " ".join(f'"{name}={getattr(settings, name)}"' for name in _SAME if '"' not in str(getattr(settings, name)))
    index = index_of(store)
    index.look()
    query = RunQuery(search=words, states=("finished",), sort="-run", archived="also", limit=MOST_LOOKED_AT)
    return [run.run_id for run in index.find(query, {}).runs]


def estimate(store: RunStore, n_train: int, n_test: int, settings: Settings, canvas: Shape | None = None) -> Estimate:
    """From the latest finished run with similar settings where there is one, else from figures
    measured on two CPU cores. canvas: what images are resized to before they are cut into tiles.
    """
    size_px = settings.image_size
    return estimate_from(measured_runs(store, settings, [size_px]).get(size_px), n_train, n_test, settings, canvas)


def estimate_from(
    measured: MeasuredRun | None, n_train: int, n_test: int, settings: Settings, canvas: Shape | None = None
) -> Estimate:
    """The same from what `measured_runs` found, for several sizes after one look at the runs."""
    n_images = n_train + n_test
    n_steps = (
        settings.iterations
        if not (settings.epochs and settings.network == "unet")
        else settings.epochs * -(-n_train // settings.batch_size)
    )
    rates, basis = _rates(measured, settings, canvas)
    stages = {
        "read": 0.5 + 0.002 * n_images,
        "features": n_images * rates["features"],
        "train": n_steps * rates["train"],
        "score": n_test * rates["score"],
        "metrics": 1 + n_test * rates["metrics"],
        "normals": n_steps * rates["train"] * EFFORT[settings.cross_fit]
        + n_train * rates["score"] * (settings.cross_fit != "off"),
    }
    disk = _disk(n_images, n_test, settings, canvas)
    return Estimate(
        seconds=sum(stages.values()),
        stages=stages,
        n_bytes=None if disk is None else sum(disk),
        basis=basis,
        feature_bytes=None if disk is None else disk[0],
    )


def _rates(measured: MeasuredRun | None, settings: Settings, canvas: Shape | None) -> tuple[dict[str, float], str]:
    """Seconds per image and per step, and a sentence on where they come from."""
    now = _work(settings, canvas)
    if measured is not None:
        before = _work(measured.settings, measured.canvas)
        rates = {name: measured.rates[name] * now[name] / before[name] for name in now}
        size_px = measured.settings.image_size
        at = "" if size_px == settings.image_size else f" at {size_px} px, by the number of pixels"
        return rates, f"Measured here by run {measured.run_id}{at}."
    work = settings.depth * settings.width**2 * settings.batch_size if settings.network == "mlp" else 0
    work *= len(settings.sizes)
    slower = 2.0 if settings.threads == 1 else 1.0  # each of the two cores has half of the work
    rates = {
        "features": slower * 0.03 * now["features"] * _effort(settings),
        "train": slower * (0.01 + 8e-11 * work if work else now["train"]),
        "score": slower * (0.02 + 0.01 * settings.steps) * now["score"],
        "metrics": 0.01 * now["metrics"],
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
    """What each stage has to do for one image, or in one training step, in images of 256 px. The backbone sees overlaps
    more than once; the mlp trains on as many positions whatever the size.
    """
    height, width = shape_of(canvas or settings.image_size)
    seen = settings.image_size**2 * (1 if canvas is None else n_tiles(settings, canvas))
    smaller = sum(size**2 for size in settings.smaller_sizes)
    pixels = height * width
    work = {
        "features": seen + smaller,
        "train": 256**2 if settings.network == "mlp" else pixels,
        "score": pixels + smaller,
        "metrics": pixels,
    }
    return {name: n / 256**2 for name, n in work.items()}


def _alike(a: Settings, b: Settings) -> bool:
    """But for how large the images are: work goes with their pixels."""
    same = all(getattr(a, name) == getattr(b, name) for name in ("stages", *_SAME))
    return same and len(a.sizes) == len(b.sizes)


def _disk(n_images: int, n_test: int, settings: Settings, canvas: Shape | None) -> tuple[int, int] | None:
    """Bytes of features in float16, and of maps in float32 with the checkpoint; None for a network that cannot be
    built.
    """
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
    return n_images * height * width * channels * 2, n_test * height * width * 4 + 3 * network
