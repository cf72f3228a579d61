"""The truth of a run's test images as one compressed file, so that it outlives the masks."""

import numpy as np

from wtflow.records.truth import LeftOut, RunTruth, Truth

_ENTRIES = (("pixel", np.int32), ("region", np.int32), ("share", np.float32))
_LEFT = (("left_pixel", np.int32), ("left_share", np.float32))


def to_arrays(truth: RunTruth) -> dict[str, np.ndarray]:
    """Named arrays without Python objects; `from_arrays` undoes it."""
    truths = list(truth.truths.values())
    arrays = {
        name: np.concatenate([getattr(one, name) for one in truths]) if truths else np.zeros(0, kind)
        for name, kind in (*_ENTRIES, *_LEFT)
    }
    return arrays | {
        "shape": np.array(truth.shape, np.int64),
        "ids": _text(truth.truths),
        "n_entries": np.array([len(one.pixel) for one in truths], np.int64),
        "n_left": np.array([len(one.left_pixel) for one in truths], np.int64),
        "left_out_ids": _text(truth.left_out),
        "codes": _text(one.code for one in truth.left_out.values()),
        "reasons": _text(one.reason for one in truth.left_out.values()),
    }


def from_arrays(arrays: dict[str, np.ndarray]) -> RunTruth:
    """The truth that `to_arrays` packed. Raises KeyError, ValueError or TypeError for anything else."""
    height, width = (int(side) for side in arrays["shape"])
    ends, left_ends = np.cumsum(arrays["n_entries"]), np.cumsum(arrays["n_left"])
    n_ids = len(arrays["ids"])
    if not (len(ends) == len(left_ends) == n_ids) or (n_ids and ends[-1] != len(arrays["pixel"])):
        raise ValueError("the parts do not fit together")
    if len(arrays["pixel"]) and not 0 <= arrays["pixel"].min() <= arrays["pixel"].max() < height * width:
        raise ValueError("a pixel lies outside the map")
    truths = {}
    for i, sample_id in enumerate(arrays["ids"].tolist()):
        own = slice(int(ends[i] - arrays["n_entries"][i]), int(ends[i]))
        left = slice(int(left_ends[i] - arrays["n_left"][i]), int(left_ends[i]))
        parts = [arrays[name][own].astype(kind) for name, kind in _ENTRIES]
        truths[sample_id] = Truth((height, width), *parts, *(arrays[name][left].astype(kind) for name, kind in _LEFT))
    left_out = {
        sample_id: LeftOut(code, reason)
        for sample_id, code, reason in zip(
            *(arrays[name].tolist() for name in ("left_out_ids", "codes", "reasons")), strict=True
        )
    }
    return RunTruth((height, width), truths, left_out)


def _text(words) -> np.ndarray:
    return np.array(list(words), dtype=np.str_)
