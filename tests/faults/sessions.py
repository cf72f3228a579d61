"""Fifty people open pages of one server while three trainings run: every page answers without an error, the trainings
end with the figures that they have alone, and the server ends when it is told to.

Sessions speak Streamlit's own protocol, as a browser does. Each opens five pages, closes its tab, and begins again.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from urllib.parse import urlencode

import psutil
import websockets
from browser.app_server import free_port
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from faults.outcome import Round, check
from faults.places import figures, half_written, images, is_locked, small, wait_until_over
from pages.ui.frame import FIRST, PAGES
from wtflow.jobs import processes, trainings
from wtflow.machine.places import STUDIO
from wtflow.store.runs import RunStore

SESSIONS, SECONDS, SECONDS_LONG = 50, 75.0, 600.0
PAGES_A_TAB = 5
CATEGORIES = ("a", "b", "c")
VISIT_S = 600.0
"""Longest wait for one page, on a machine where all cores are busy."""
MOST_MIB = 3000
STUDIES_S = 600.0


def run(this: Round) -> None:
    os.environ["WTFLOW_MAX_RUNS"] = str(len(CATEGORIES))
    root, store = images(this.folder / "images", *CATEGORIES), RunStore(this.folder / "runs")
    alone = trainings.start(store, root, "a", small())
    check(wait_until_over(store, alone).state == "finished", store.log_tail(alone))
    wanted = figures(store, alone)
    port = free_port()
    log = (this.folder / "server.txt").open("wb")
    command = [sys.executable, "-m", "streamlit", "run", str(STUDIO / "app.py"), "--server.port", str(port)]
    server = subprocess.Popen(
        [*command, "--server.headless", "true"], cwd=STUDIO, stdout=log, stderr=subprocess.STDOUT, env=dict(os.environ)
    )
    try:
        _wait_for(port, server)
        begun = [
            trainings.start(store, root, name, small(iterations=4000 if name != "a" else 1000)) for name in CATEGORIES
        ]
        n, seconds = this.count(SESSIONS), (SECONDS_LONG if this.is_long else SECONDS) * min(1.0, 2 * this.share)
        visits, errors, used = asyncio.run(_all(this, port, alone, n, seconds, server.pid))
        for page, count in sorted(visits.items()):
            this.of_which[page] += count
        this.tried += sum(visits.values()) + len(errors)
        this.lost += errors
        for run_id in begun:
            with this.attempt(f"training {run_id}", "trainings"):
                ended = wait_until_over(store, run_id, 1200)
                check(ended.state == "finished", f"it is {ended.state}: {ended.message}")
                if store.config(run_id).category == "a":
                    check(figures(store, run_id) == wanted, "its figures differ from those that it has alone")
        with this.attempt("memory of the server", "the server"):
            check(used < MOST_MIB, f"{used} MiB")
    finally:
        server.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(120)
        if server.poll() is None:
            this.left.append("the server did not end within two minutes of being told to")
            server.kill()
        log.close()
    text = (this.folder / "server.txt").read_text(errors="replace")
    if "Traceback" in text:
        this.lost.append(f"the server's log holds a traceback: {text[text.index('Traceback') :][:400]}")
    processes.reap()
    this.leave("after all sessions", _after_studies())
    this.leave("after all sessions", half_written(store) + (["the store's lock is held"] if is_locked(store) else []))


def _after_studies() -> list[str]:
    """What still runs of this round once the studies that pages asked for had time to end: they outlive the app."""
    end = time.monotonic() + STUDIES_S
    while found := _running():
        if time.monotonic() > end:
            return found
        time.sleep(0.5)
    return []


def _running() -> list[str]:
    found, mark = [], os.environ.get("WTFLOW_FAULTS")
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and mark and process.environ().get("WTFLOW_FAULTS") == mark:
                found.append(f"process {process.pid}: {' '.join(process.cmdline())[:100]}")
    return found


def _wait_for(port: int, server: subprocess.Popen) -> None:
    end = time.monotonic() + 600
    while True:
        check(server.poll() is None, "the server ended at once")
        check(time.monotonic() < end, "the server does not answer")
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=30).close()
            return
        time.sleep(0.2)


async def _all(this: Round, port: int, run_id: str, n: int, seconds: float, pid: int) -> tuple[Counter, list[str], int]:
    """Visits by page, errors, and the most memory of the server in MiB."""
    end, visits, errors = time.monotonic() + seconds, Counter[str](), list[str]()
    most = [0]

    async def look() -> None:
        while time.monotonic() < end:
            most[0] = max(most[0], psutil.Process(pid).memory_info().rss >> 20)
            await asyncio.sleep(1.0)

    names = list(PAGES)
    sessions = [_session(port, run_id, names, this.chance.randrange(len(names)), end, visits, errors) for _ in range(n)]
    await asyncio.gather(look(), *sessions)
    return visits, errors, most[0]


async def _session(
    port: int, run_id: str, names: list[str], at: int, end: float, visits: Counter, errors: list[str]
) -> None:
    address = f"ws://127.0.0.1:{port}/_stcore/stream"
    while time.monotonic() < end:
        try:
            async with websockets.connect(
                address,
                origin=f"http://127.0.0.1:{port}",
                subprotocols=["streamlit"],
                max_size=None,
                open_timeout=VISIT_S,
                ping_timeout=None,
            ) as tab:
                for _ in range(PAGES_A_TAB):
                    if time.monotonic() > end:
                        break
                    name = names[at % len(names)]
                    at += 1
                    wrong = await _visit(tab, name, run_id)
                    visits[name] += not wrong
                    errors += [f"{name}: {wrong}"] if wrong else []
                    await asyncio.sleep(1.0)
        except Exception as error:
            errors.append(f"a session broke off: {type(error).__name__}: {str(error)[:200]}")
            await asyncio.sleep(1.0)


async def _visit(tab, name: str, run_id: str) -> str:
    """Open a page, and wait until it is drawn. What went wrong, empty where nothing did."""
    asked, wrong = BackMsg(), ""
    asked.rerun_script.query_string = urlencode({"run": run_id, "runs": run_id})
    asked.rerun_script.page_name = "" if name == FIRST else name
    await tab.send(asked.SerializeToString())
    while True:
        got = ForwardMsg()
        got.ParseFromString(await asyncio.wait_for(tab.recv(), VISIT_S))
        kind = got.WhichOneof("type")
        if kind == "delta" and got.delta.new_element.HasField("exception"):
            found = got.delta.new_element.exception
            wrong = f"{found.type}: {found.message[:200]}"
        if kind == "script_finished":
            return wrong
