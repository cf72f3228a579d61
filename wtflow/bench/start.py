"""How long starting takes: `import wtflow`, and the app's server."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from wtflow.bench.children import TIMEOUT_S, run_python
from wtflow.bench.figures import Figure, interleaved, milliseconds
from wtflow.bench.workshop import Workshop
from wtflow.errors import StoreError
from wtflow.machine import systems
from wtflow.machine.places import STUDIO

REPEATS = 5
"""At most: a server takes seconds."""


def measure(shop: Workshop) -> list[Figure]:
    """Milliseconds from starting a process until it has imported wtflow, or until the server answers."""
    repeats = min(REPEATS, shop.sizes.repeats)
    tasks: dict[str, Callable[[], object]] = {
        "nothing": lambda: run_python(["-c", "pass"]),
        "wtflow": lambda: run_python(["-c", "import wtflow"]),
        "streamlit": lambda: run_python(["-c", "import streamlit"]),
        "server": lambda: start_server(shop.folder),
    }
    seconds = interleaved(tasks, repeats)
    return [
        Figure(
            "start",
            "import wtflow, in a new process",
            "ms",
            milliseconds(seconds["wtflow"]),
            "a new process that imports nothing",
            milliseconds(seconds["nothing"]),
        ),
        Figure(
            "start",
            "the app's server answers",
            "ms",
            milliseconds(seconds["server"]),
            "a new process that imports streamlit",
            milliseconds(seconds["streamlit"]),
        ),
    ]


def start_server(home: Path) -> None:
    """Start the app on a free port, wait until its health check answers, and end it.
    Raises StoreError when it does not start.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        "app.py",
        "--server.port",
        str(port),
        "--server.headless",
        "true",
    ]
    environment = os.environ | {"WTFLOW_HOME": str(home)}
    process = subprocess.Popen(
        command,
        cwd=STUDIO,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **systems.on_its_own(),
    )
    end = time.monotonic() + TIMEOUT_S
    try:
        while not _answers(f"http://127.0.0.1:{port}/_stcore/health"):
            if process.poll() is not None or time.monotonic() > end:
                raise StoreError(
                    "The app's server did not start.", fix="Start it by hand to see why: streamlit run app.py"
                )
            time.sleep(0.01)
    finally:
        systems.kill_with_children(process)
        process.wait()


def _answers(address: str) -> bool:
    try:
        urllib.request.urlopen(address, timeout=2).close()
    except (urllib.error.URLError, OSError):
        return False
    return True
