"""The app on a free port, for tests in a browser."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from waiting import PATIENCE_S, wait_until

PROJECT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def served(script: Path, home: Path) -> Iterator[str]:
    """Address of a Streamlit script whose store is `home`. Nothing has asked it for anything but its health."""
    port = free_port()
    environment = os.environ | {"PYTHONPATH": str(PROJECT), "WTFLOW_HOME": str(home), "OMP_NUM_THREADS": "1"}
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(script),
        "--server.port",
        str(port),
        "--server.headless",
        "true",
    ]
    log_path = home / "server.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            command, cwd=PROJECT, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: process.poll() is not None or _answers(address), log_path.read_text)
        assert process.poll() is None, log_path.read_text()
        yield address
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # it has nothing to save, and takes its time to end by itself
        process.wait(PATIENCE_S)


def _answers(address: str) -> bool:
    try:
        urllib.request.urlopen(f"{address}/_stcore/health", timeout=PATIENCE_S).close()
    except (urllib.error.URLError, OSError):
        return False
    return True
