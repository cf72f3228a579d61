"""Write a detector as an ONNX graph by torch's exporter. The only module that needs onnx. Imports torch."""

import contextlib
import copy
import json
import logging
import re
import tempfile
import warnings
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import nn

from wtflow.detector.record import OpenedDetector
from wtflow.detector.score import score_images
from wtflow.errors import ExportError, SettingsError
from wtflow.export.onnx.graph import WholeDetector, refuse_unexportable
from wtflow.export.onnx.inner import Inner, InnerDetector
from wtflow.export.onnx.needed import require_packages
from wtflow.store.files import write_atomic

SUFFIX: Final = ".onnx"
OPSET: Final = 18
"""What torch's exporter writes without conversion; ONNX Runtime reads it since 1.14, OpenVINO since 2023."""
_COLOURS: Final = re.compile(r"\x1b\[[0-9;]*m")
"""The exporter's errors are written for a console."""


def write_onnx(opened: OpenedDetector, path: Path) -> int:
    """Write the graph: `pixels` (N, H, W, 3) float32 in [0, 1] to `score` (N,) and `map` (N, H, W), for any N. Returns
    its bytes. Name, threshold, size and fingerprint stand in its metadata.

    Raises ExportError for what cannot be exported, SettingsError for another ending, DiskFullError, StoreError.
    """
    require_packages()
    refuse_unexportable(opened.settings)
    if path.suffix != SUFFIX or path.is_dir():
        raise SettingsError(f"{path} is no name for a graph.", fix=f"Give one that ends with {SUFFIX}.")
    content = _exported(opened, WholeDetector, ("score", "map"), _metadata(opened))
    write_atomic(path, lambda file: file.write(content))
    return len(content)


def inner_graph(opened: OpenedDetector) -> bytes:
    """The graph of `InnerDetector`: `pixels` as in `write_onnx` to `raw`, `spread` and `means`. Takes some ten seconds.
    Raises ExportError for what cannot be exported.
    """
    require_packages()
    refuse_unexportable(opened.settings)
    return _exported(opened, InnerDetector, Inner._fields, {"fingerprint": opened.fingerprint})


def _exported(
    opened: OpenedDetector,
    make: Callable[[OpenedDetector, tuple[int, int]], nn.Module],
    outputs: Sequence[str],
    metadata: dict[str, str],
) -> bytes:
    import onnx

    pixels = np.zeros((2, *opened.shape, 3), np.float32)  # more than one image, or the number would be a constant
    height, width = score_images(opened, pixels).maps.shape[1:]
    graph = copy.deepcopy(make(opened, (height, width))).cpu().eval()
    with tempfile.TemporaryDirectory() as folder, torch.no_grad(), _quiet():
        path = Path(folder) / "graph.onnx"
        try:
            torch.onnx.export(
                graph,
                (torch.from_numpy(pixels),),
                path,
                dynamo=True,
                verbose=False,
                input_names=["pixels"],
                output_names=list(outputs),
                dynamic_shapes={"pixels": {0: torch.export.Dim("n")}},
                opset_version=OPSET,
                external_data=False,
            )
            model = onnx.load(path)
        except Exception as error:  # the exporter raises dozens of kinds of errors for what it does not know
            told = _COLOURS.sub("", str(error.__cause__ or error))
            reason = " ".join(told.split())[:200] or type(error).__name__
            raise ExportError(
                f"{opened.settings.backbone} cannot be written as a graph ({reason}).",
                fix="Choose another backbone, or take the detector's file: export RUN --detector FILE.wtf.",
            ) from error
    onnx.helper.set_model_props(model, metadata)
    return model.SerializeToString(deterministic=True)


def _metadata(opened: OpenedDetector) -> dict[str, str]:
    """What stands in the file besides the graph, as text."""
    return {
        "name": opened.name,
        "threshold": repr(opened.threshold.value),
        "rule": opened.threshold.words,
        "height": str(opened.shape[0]),
        "width": str(opened.shape[1]),
        "settings": json.dumps(opened.settings.model_dump(mode="json"), sort_keys=True),
        "fingerprint": opened.fingerprint,
    }


@contextlib.contextmanager
def _quiet() -> Generator[None, None, None]:
    """The exporter warns of its own parts, which nobody here can act on."""
    loggers = [logging.getLogger(name) for name in ("torch", "torch.onnx", "onnxscript", "onnx_ir")]
    levels = [one.level for one in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for one in loggers:
            one.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for one, level in zip(loggers, levels, strict=True):
                one.setLevel(level)
