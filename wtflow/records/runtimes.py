"""Programs that can compute a detector's networks, and what was measured of them on this computer."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

Runtime = Literal["torch", "onnx", "openvino"]
Wish = Literal["torch", "onnx", "openvino", "auto"]
WISHES: tuple[Wish, ...] = get_args(Wish)
TITLES: dict[Runtime, str] = {"torch": "torch", "onnx": "ONNX Runtime", "openvino": "OpenVINO"}

BUSY = 1.5
"""Load from which on times say little: an inspection itself is 1."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One runtime compared with torch on the same images, on one computer."""

    runtime: Runtime
    version: str
    n_checked: int
    """Images whose scores, maps and verdicts were compared."""
    score_share: float
    """Largest difference of scores to torch in float32, as a share of the larger of score and threshold."""
    map_share: float
    """Largest difference of a pixel, as a share of the highest of its map."""
    rank_correlation: float
    n_verdicts_differ: int
    """Also from torch in its own precision."""
    is_equal: bool
    """Within the tolerance of `wtflow/export/onnx/check.py`, no verdict differs."""
    torch_per_second: float
    """Images that torch scores a second on all cores, in turn with this runtime."""
    per_second: float
    opening_s: float
    """Seconds until the runtime had read the graph."""
    load: float = 0.0
    """Programs that wanted a core before it was timed, for each core."""

    @property
    def gain(self) -> float:
        """How many times as fast as torch."""
        return self.per_second / self.torch_per_second

    @property
    def was_busy(self) -> bool:
        """Other programs kept the cores busy while it was timed."""
        return self.load > BUSY

    @property
    def title(self) -> str:
        return f"{TITLES[self.runtime]} {self.version}"


@dataclass(frozen=True, slots=True)
class RuntimeUsed:
    """What computes an inspection, from its first image to its last."""

    name: Runtime
    version: str
    words: str = ""
    """Why, for a person; empty where torch was asked for. Says so where images were scored by two."""
    measured: tuple[Measured, ...] = ()
    """What the choice rests on."""

    @property
    def title(self) -> str:
        return f"{TITLES[self.name]} {self.version}"

    def to_json(self) -> dict[str, Any]:
        """Plain values, with what they say."""
        gains = [asdict(one) | {"gain": one.gain} for one in self.measured]
        return {"name": self.name, "version": self.version, "words": self.words, "measured": gains}


def measured_from_json(values: dict[str, Any]) -> Measured:
    """Read what `asdict` gave. Raises TypeError for anything else."""
    return Measured(**values)


def used_from_json(values: dict[str, Any]) -> RuntimeUsed:
    """Read what `asdict` gave. Raises KeyError and TypeError for anything else."""
    return RuntimeUsed(**values | {"measured": tuple(measured_from_json(one) for one in values["measured"])})
