"""Workers that are forked from this process, which has imported torch already: the same code from the first line of
their `main` on, without the seconds of importing, so that many more can be killed. Some are started for real.
"""

import contextlib
import importlib
import os
import pickle
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from faults.outcome import check
from wtflow.jobs import processes

IN_CHILD: list[Callable[[], object]] = []
"""What a forked worker does first, such as to plan its own death; it calls what they return at its end."""
PATIENCE_S = 300.0

_really = subprocess.Popen


class HungError(Exception):
    """What was tried did not end."""


class Forked:
    """As much of a Popen as `processes` needs."""

    def __init__(self, pid: int) -> None:
        self.pid, self.returncode = pid, None

    def poll(self) -> int | None:
        if self.returncode is None:
            with contextlib.suppress(ChildProcessError):
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode

    def wait(self, timeout: float = PATIENCE_S) -> int:
        end = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > end:
                raise HungError(f"process {self.pid} did not end within {timeout:.0f} s")
            time.sleep(0.002)
        return code

    def kill(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)


@contextlib.contextmanager
def warm_workers(is_real: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """Inside, workers are forked, but for those of which `is_real` says otherwise."""
    import torch

    import wtflow.bench.scored_run  # noqa: F401 - whatever else a worker imports
    import wtflow.jobs.train_worker as worker

    for name in ("features.extract", "scoring.evaluate", "training.stages", "training.crossfit", "inspecting.work"):
        importlib.import_module(f"wtflow.{name}")
    torch.set_num_threads(1)  # a thread of this process would be missing in its children
    del worker

    def popen(command: Sequence[str], **options: Any) -> object:
        if is_real() or command[1] != "-m":
            return _really(command, **options)
        return _fork(command[2], list(command[3:]), options["stdout"], options["env"], options["cwd"])

    processes.subprocess.Popen = popen  # type: ignore[assignment]
    try:
        yield
    finally:
        processes.subprocess.Popen = _really


def _fork(module: str, arguments: list[str], log: Any, environment: dict[str, str], folder: Path) -> Forked:
    descriptor = log.fileno()
    pid = os.fork()
    if not pid:
        _work(module, arguments, descriptor, environment, folder)
    return Forked(pid)


def _work(module: str, arguments: list[str], descriptor: int, environment: dict[str, str], folder: Path) -> NoReturn:
    """What the forked process does. Nothing of its parent is unwound: it ends here."""
    code = 1
    try:
        os.setsid()
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        close_files_below(folder)
        sys.stdout, sys.stderr = (open(n, "w", 1, "utf-8", closefd=False) for n in (1, 2))  # noqa: PTH123, SIM115
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(folder)
        processes._CHILDREN.clear()
        processes._EXIT_CODES.clear()
        processes.subprocess.Popen = _really
        ends = [act() for act in IN_CHILD]
        code = importlib.import_module(module).main(arguments)
        for end in filter(callable, ends):
            end()
    except BaseException:
        traceback.print_exc()
    with contextlib.suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def open_files() -> dict[int, str]:
    """Number -> place of every file that this process holds open. Linux only."""
    found = {}
    for path in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            found[int(path.name)] = str(path.readlink())
    return found


def close_files_below(folder: Path) -> None:
    """Close what this process inherited of a store, as starting a program does: its lock above all."""
    for number, place in open_files().items():
        if number > 2 and place.startswith(f"{folder}{os.sep}"):
            os.close(number)


def in_child(act: Callable[[], Any], *first: Callable[[], object], patience_s: float = PATIENCE_S) -> tuple[int, Any]:
    """(exit code, result) of a function in a forked process; the result is the exception that it raised, or None where
    the process was killed. Raises HungError, after it has killed the process.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(reading)
        code = 0
        try:
            for prepare in first:
                prepare()
            result = act()
        except BaseException as error:
            sys.setprofile(None)
            code, result = 1, error
        try:
            content = pickle.dumps(result)
        except Exception:
            content = pickle.dumps(RuntimeError(f"{type(result).__name__}: {result}"))
        with open(writing, "wb") as pipe:  # noqa: PTH123
            pipe.write(content)
        os._exit(code)
    os.close(writing)
    child, parts, end = Forked(pid), [], time.monotonic() + patience_s
    os.set_blocking(reading, False)
    try:
        while True:
            try:
                part = os.read(reading, 1 << 16)
            except BlockingIOError:
                if time.monotonic() > end:
                    child.kill()
                    child.wait()
                    raise HungError(f"it did not end within {patience_s:.0f} s") from None
                time.sleep(0.0005)
                continue
            if not part:
                break
            parts.append(part)
    finally:
        os.close(reading)
    code = child.wait()
    return code, pickle.loads(b"".join(parts)) if parts else None


def result_in_child(act: Callable[[], Any], *first: Callable[[], object], patience_s: float = PATIENCE_S) -> Any:
    """What a function returns in a forked process. Raises what it raised, and HungError."""
    code, found = in_child(act, *first, patience_s=patience_s)
    if isinstance(found, BaseException):
        raise found
    check(code == 0, f"the process ended with {code}")
    return found
