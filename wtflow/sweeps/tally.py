"""What a coordinator knows of one cell, besides what the store holds."""

import math
from dataclasses import dataclass, field
from typing import Final

from wtflow.records.sweep import Cell

OUT_OF_MEMORY: Final = (
    "out of memory",
    "outofmemory",
    "memoryerror",
    "can't allocate memory",
    "cannot allocate memory",
)


@dataclass(slots=True)
class Tally:
    """memory_mib: set aside for the run; 0 as for all others. began: on the clock of `time.monotonic`."""

    cell: Cell
    state: str = "waiting"
    """waiting, active, or how it ended: finished, failed, stopped."""
    tries: int = 0
    is_over: bool = False
    """Its process is known to be gone, although the status of its run does not tell."""
    memory_mib: float = 0.0
    why: str = ""
    began: float = field(default=math.nan)


def is_out_of_memory(message: str) -> bool:
    """Whether the message of a failed run says that memory ran out."""
    return any(word in message.lower() for word in OUT_OF_MEMORY)
