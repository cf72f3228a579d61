"""Which GPUs of this computer a run may have, without importing torch: a coordinator does not need it."""

import os
import shutil
import subprocess

ASK = ("nvidia-smi", "--query-gpu=index", "--format=csv,noheader")
PATIENCE_S = 20.0


def visible_gpus() -> tuple[str, ...]:
    """The CUDA devices as CUDA_VISIBLE_DEVICES names them: those that it lists where it is set, else those that the
    driver lists. Empty without one, and where WTFLOW_DEVICE names another kind; one where it names one.
    """
    kind, _, number = os.environ.get("WTFLOW_DEVICE", "auto").strip().lower().partition(":")
    if kind not in ("", "auto", "cuda"):
        return ()
    found = _all_gpus()
    return found[int(number) : int(number) + 1] if number.isdecimal() else found


def _all_gpus() -> tuple[str, ...]:
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return tuple(part.strip() for part in named.split(",") if part.strip() and part.strip() != "-1")
    if shutil.which(ASK[0]) is None:
        return ()
    try:
        asked = subprocess.run(ASK, capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return ()
    return tuple(line.strip() for line in asked.stdout.splitlines() if line.strip().isdecimal())
