"""A graph opened by ONNX Runtime or OpenVINO: images in, arrays out. Only these functions import the packages.

Every core works on images of its own, as with torch: each call computes on the thread that calls, and several threads
may call at once. Both compute in float32, as the graph says.
"""

import contextlib
import threading
from collections.abc import Callable, Generator
from pathlib import Path

import numpy as np

from wtflow.errors import ExportError
from wtflow.records.runtimes import TITLES, Runtime

Call = Callable[[np.ndarray], list[np.ndarray]]
"""Images (B, H, W, 3) float32 -> the arrays of an `Inner`."""


def open_graph(runtime: Runtime, path: Path, n_threads: int) -> Call:
    """The graph in the file `path`, to be called from n_threads threads at once. Raises ExportError where the runtime
    cannot open it; calls raise it where they fail.
    """
    with _explained(runtime):
        call = _OPENED[runtime](path, n_threads)

    def explained(images: np.ndarray) -> list[np.ndarray]:
        with _explained(runtime):
            return call(images)

    return explained


def _by_onnx(path: Path, _: int) -> Call:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # of each calling thread
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda images: session.run(None, {"pixels": images})


def _by_openvino(path: Path, n_threads: int) -> Call:
    import openvino

    model = openvino.Core().compile_model(
        path,
        "CPU",
        {
            "INFERENCE_PRECISION_HINT": "f32",  # its own choice may round the backbone to bfloat16
            "PERFORMANCE_HINT": "THROUGHPUT",
            "NUM_STREAMS": str(n_threads),
            "INFERENCE_NUM_THREADS": n_threads,
        },
    )
    own = threading.local()

    def call(images: np.ndarray) -> list[np.ndarray]:
        if not hasattr(own, "request"):
            own.request = model.create_infer_request()  # serves one thread at a time
        found = own.request.infer({"pixels": images})
        return [found[i] for i in range(len(model.outputs))]

    return call


_OPENED: dict[Runtime, Callable[[Path, int], Call]] = {"onnx": _by_onnx, "openvino": _by_openvino}


@contextlib.contextmanager
def _explained(runtime: Runtime) -> Generator[None, None, None]:
    try:
        yield
    except Exception as error:  # both raise kinds of errors of their own
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ExportError(
            f"{TITLES[runtime]} cannot compute this detector ({reason}).", fix="Inspect with --runtime torch."
        ) from error
