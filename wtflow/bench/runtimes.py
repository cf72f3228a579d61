"""One detector by torch, by ONNX Runtime and by OpenVINO, beside the bare backbone: images a second on every core."""

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace

import numpy as np

from wtflow.bench.figures import Figure, Target, interleaved, per_second
from wtflow.bench.inspect import opened_of
from wtflow.bench.workshop import Workshop
from wtflow.detector.score import pixel_maps, score_images
from wtflow.export.onnx.write import missing_packages, write_onnx
from wtflow.features.extract import PORTION
from wtflow.machine.cores import n_cores
from wtflow.machine.prefetch import prepared_ahead

N_IMAGES = 8 * PORTION
WORTH = Target("ratio", "at least", 1.3)
"""From here on another runtime would be worth its installation (against the app on the same images)."""


def why_not() -> str | None:
    """What is missing to measure other runtimes, in a sentence; None where they can be."""
    missing = missing_packages()
    listed = ", ".join(missing)
    return f"The runtimes were not measured: requirements-export.txt is not installed ({listed})." if missing else None


def measure(shop: Workshop) -> list[Figure]:
    """Images a second from resized pixels to scores and maps: each core computes a portion of the images by torch, a
    runtime shares each portion between the cores in its own way.
    """
    opened = opened_of(shop)
    plain = opened.detector.settings.model_copy(update={"precision": "full"})
    full = replace(opened, detector=opened.detector.scoring_as(plain, opened.detector.edges, opened.detector.whole))
    images = np.resize(shop.images[:PORTION], (N_IMAGES, *shop.images.shape[1:])).astype(np.float32)
    portions = [images[first : first + PORTION] for first in range(0, N_IMAGES, PORTION)]

    def by_torch(work: Callable[[np.ndarray], object]) -> Callable[[], None]:
        def run() -> None:
            n_threads = n_cores()
            with closing(prepared_ahead(work, portions, n_threads if n_threads > 1 else 0)) as done:
                for _ in done:
                    pass

        return run

    tasks: dict[str, Callable[[], object]] = {
        "bare": by_torch(shop.backbone.compute),
        "the app, in its own precision": by_torch(lambda part: pixel_maps(opened, score_images(opened, part))),
        "the app, float32": by_torch(lambda part: pixel_maps(full, score_images(full, part))),
    }
    path = shop.folder / "bench.onnx"
    write_onnx(opened, path)
    for name, run in _runtimes(str(path)):
        tasks[name] = lambda run=run: [run(part) for part in portions]
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


def _runtimes(path: str) -> Iterator[tuple[str, Callable[[np.ndarray], object]]]:
    """Name -> what scores a portion. OpenVINO comes only where it is installed."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    yield f"ONNX Runtime {onnxruntime.__version__}, float32", lambda part: session.run(None, {"pixels": part})
    if importlib.util.find_spec("openvino") is None:
        return
    import openvino

    version = openvino.__version__.split("-")[0]
    core = openvino.Core()
    for words, options in (("float32", {"INFERENCE_PRECISION_HINT": "f32"}), ("its own choice of precision", {})):
        model = core.compile_model(path, "CPU", {"PERFORMANCE_HINT": "LATENCY"} | options)
        yield f"OpenVINO {version}, {words}", lambda part, model=model: model({"pixels": part})
