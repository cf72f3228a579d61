"""One detector by torch, by ONNX Runtime and by OpenVINO, beside the bare backbone: images a second on every core."""

from collections.abc import Callable
from contextlib import closing

import numpy as np

from wtflow.bench.figures import Figure, Target, interleaved, per_second
from wtflow.bench.inspect import opened_of
from wtflow.bench.workshop import Workshop
from wtflow.detector.score import Found, pixel_maps, score_images
from wtflow.export.onnx.check import in_float32
from wtflow.export.onnx.inner import found_by
from wtflow.export.onnx.needed import missing_packages
from wtflow.export.onnx.write import inner_graph
from wtflow.features.extract import PORTION
from wtflow.inspecting.runtimes.decide import LEAST_GAIN
from wtflow.inspecting.runtimes.installed import installed, version_of
from wtflow.inspecting.runtimes.sessions import open_graph
from wtflow.machine.cores import n_cores
from wtflow.machine.prefetch import prepared_ahead
from wtflow.records.runtimes import TITLES

N_IMAGES = 8 * PORTION
WORTH = Target("ratio", "at least", LEAST_GAIN)
"""From here on another runtime would be worth its installation (against the app on the same images)."""


def why_not() -> str | None:
    """What is missing to measure other runtimes, in a sentence; None where they can be."""
    missing = missing_packages()
    listed = ", ".join(missing)
    return f"The runtimes were not measured: requirements-export.txt is not installed ({listed})." if missing else None


def measure(shop: Workshop) -> list[Figure]:
    """Images a second from resized pixels to scores and maps, as an inspection computes them: each core a portion of
    the images.
    """
    opened = opened_of(shop)
    full = in_float32(opened)
    images = np.resize(shop.images[:PORTION], (N_IMAGES, *shop.images.shape[1:])).astype(np.float32)
    portions = [images[first : first + PORTION] for first in range(0, N_IMAGES, PORTION)]

    def on_cores(work: Callable[[np.ndarray], object]) -> Callable[[], None]:
        def run() -> None:
            n_threads = n_cores()
            with closing(prepared_ahead(work, portions, n_threads if n_threads > 1 else 0)) as done:
                for _ in done:
                    pass

        return run

    def scoring(network: Callable[[np.ndarray], Found]) -> Callable[[], None]:
        return on_cores(lambda part: pixel_maps(opened, network(part)))

    tasks: dict[str, Callable[[], object]] = {
        "bare": on_cores(shop.backbone.compute),
        "the app, in its own precision": scoring(lambda part: score_images(opened, part)),
        "the app, float32": scoring(lambda part: score_images(full, part)),
    }
    path = shop.folder / "bench.onnx"
    path.write_bytes(inner_graph(opened))
    for runtime in installed():
        call = open_graph(runtime, path, n_cores())
        name = f"{TITLES[runtime]} {version_of(runtime)}, float32"
        tasks[name] = scoring(lambda part, call=call: found_by(opened, *call(part)))
    seconds = interleaved(tasks, shop.sizes.repeats)
    bare = per_second(seconds.pop("bare"), N_IMAGES)
    own = per_second(seconds["the app, in its own precision"], N_IMAGES)
    figures = []
    for name, values in seconds.items():
        is_app = name.startswith("the app")
        floor_name, floor = ("the bare backbone", bare) if is_app else ("the app, in its own precision", own)
        target = None if is_app else WORTH
        figures.append(Figure("runtimes", name, "images/s", per_second(values, N_IMAGES), floor_name, floor, target))
    return figures
