"""What differs between operating systems, each with both ways. Imports no torch.

Tried on Linux only. The branch for Windows runs in tests with `sys.platform` set, up to where the system itself would
answer; macOS takes that of POSIX. Peak memory: `wtflow/machine/memory.py`. Names that Windows keeps: `dataset_names.py`
of the store. Code pages of consoles: `wtflow/console.py`.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

REPLACE_PATIENCE_S: Final = 2.0
"""How long a file that another program has open is waited for on Windows: longer than a reader of ours takes."""
REPLACE_POLL_S: Final = 0.02
_NEW_GROUP: Final = 0x00000200  # subprocess.CREATE_NEW_PROCESS_GROUP, which only Windows has
_NO_WINDOW: Final = 0x08000000  # subprocess.CREATE_NO_WINDOW
_BELOW_NORMAL: Final = 0x00004000  # psutil.BELOW_NORMAL_PRIORITY_CLASS


def is_windows() -> bool:
    return sys.platform == "win32"


def on_its_own() -> dict[str, Any]:
    """Arguments of Popen for a process that neither Ctrl-C nor the end of this one ends."""
    return {"creationflags": _NEW_GROUP | _NO_WINDOW} if is_windows() else {"start_new_session": True}


def give_way(niceness: int) -> None:
    """Lower the priority of this process."""
    if is_windows():
        import psutil  # not in a base install, which replaces files, too

        if niceness > 0:
            psutil.Process().nice(_BELOW_NORMAL)
    else:
        os.nice(niceness)


def replace(fresh: Path, path: Path) -> None:
    """Put a new file in the place of another in one step. POSIX does so even where the old one is open; on Windows that
    is waited for. Raises OSError.
    """
    last = time.monotonic() + REPLACE_PATIENCE_S
    while True:
        try:
            fresh.replace(path)
            return
        except PermissionError:
            if not is_windows() or path.is_dir() or time.monotonic() > last:
                raise
        time.sleep(REPLACE_POLL_S)


def kill_with_children(process: subprocess.Popen[Any]) -> None:
    """Kill a process that was started `on_its_own`, and what it started; it has nothing to save."""
    if is_windows():
        import psutil

        with contextlib.suppress(psutil.NoSuchProcess):
            for child in psutil.Process(process.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
        process.kill()
    else:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
