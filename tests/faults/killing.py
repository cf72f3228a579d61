"""A process that kills itself while it writes: at the n-th call into the system's files.

Python reports every call of a built-in function before and after it (`sys.setprofile`). So a death can fall between
opening a file and filling it, before a flush, and on both sides of a rename: where a write that is not atomic loses.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

OF_FILES = {
    "open",
    "write",
    "writelines",
    "flush",
    "fsync",
    "replace",
    "rename",
    "unlink",
    "remove",
    "rmdir",
    "mkdir",
    "link",
    "symlink",
    "truncate",
    "ftruncate",
    "utime",
    "close",
    "__exit__",
    "tofile",
    "copyfile",
    "sendfile",
    "chmod",
}
"""Names of the functions that count."""


class Dying:
    """Counts the calls, and dies at one of them; at none where `at` is 0."""

    def __init__(self, at: int = 0) -> None:
        self.at, self.n = at, 0

    def __call__(self) -> None:
        sys.setprofile(self.look)
        threading.setprofile(self.look)

    def look(self, frame: FrameType, event: str, called: Any) -> None:
        if event[0] == "c" and event != "call" and getattr(called, "__name__", "") in OF_FILES:
            self.n += 1
            if self.n == self.at:
                os.kill(os.getpid(), signal.SIGKILL)


def counting(into: Path) -> Callable[[], Callable[[], object]]:
    """For a forked worker: count its calls, and write the number to a file at its end."""

    def begin() -> Callable[[], object]:
        dying = Dying()
        dying()

        def end() -> None:
            sys.setprofile(None)
            into.write_text(str(dying.n))

        return end

    return begin


def counted(act: Callable[[], Any]) -> Callable[[], tuple[int, Any]]:
    """The same function; returns how many such calls it made, too."""

    def run() -> tuple[int, Any]:
        dying = Dying()
        dying()
        try:
            result = act()
        finally:
            sys.setprofile(None)
        return dying.n, result

    return run
