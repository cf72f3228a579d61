"""Where the flow is computed in bfloat16. Its eight bits suffice to rank positions, and it takes half the time.

On a GPU the whole flow runs in bfloat16 (autocast). On a processor with bfloat16 instructions only the matrix products
of scoring do; sums between them stay float32. Training stays in float32, so a run's weights do not depend on such
instructions.
"""

import contextlib
import functools

import torch

from wtflow.config import Settings


def autocast(device: torch.device, settings: Settings) -> contextlib.AbstractContextManager:
    """bfloat16 on CUDA unless the settings ask for full precision; as it is on a CPU."""
    if device.type == "cuda" and settings.precision == "auto":
        return torch.autocast("cuda", dtype=torch.bfloat16)
    return contextlib.nullcontext()


def type_of_products(device: torch.device, settings: Settings) -> torch.dtype | None:
    """What matrix products of a score are rounded to on a CPU; None: not at all."""
    return torch.bfloat16 if device.type == "cpu" and settings.precision == "auto" and multiplies_bfloat16() else None


@functools.cache
def multiplies_bfloat16() -> bool:
    """Whether the processor has instructions for products of bfloat16 (AVX-512 BF16 or AMX); without them rounding
    costs more than it saves.
    """
    capabilities = getattr(torch.cpu, "get_capabilities", dict)()  # older releases of torch lack it
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
