"""New processes for what must be measured in a fresh one."""

import os
import subprocess
import sys
import time
from collections.abc import Callable

from wtflow.errors import StoreError
from wtflow.machine.places import STUDIO

TIMEOUT_S = 600.0


def run_python(arguments: list[str], changes: dict[str, str] | None = None) -> str:
    """What a new Python with these arguments prints, started where it finds the pages. Raises StoreError with its last
    line when it fails.
    """
    try:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=STUDIO,
            env=os.environ | (changes or {}),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise StoreError(
            f"A process of the bench did not end within {TIMEOUT_S:.0f} s.", fix="Run the bench with --quick."
        ) from error
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["it printed nothing"]
        raise StoreError(
            f"A process of the bench failed: {last[0]}", fix=f"Run it to see why: python {' '.join(arguments)[:200]}"
        )
    return done.stdout


def seconds_of(task: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    task()
    return time.perf_counter() - start
