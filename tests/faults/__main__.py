"""`python -m faults`: every fault in a process of its own, two at once, then one table. Exit code 1 where anything was
lost or left behind.
"""

import argparse
import contextlib
import importlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import psutil

from faults.outcome import Outcome, Round, table

FAULTS = {
    "worker": ("worker killed", "worker_killed"),
    "cycles": ("started and stopped", "cycles"),
    "sessions": ("50 sessions beside three trainings", "sessions"),
    "full": ("full disk", "full_disk"),
    "links": ("links to pipes and devices", "links"),
    "folders": ("hostile folders", "folders"),
    "readonly": ("read-only disk", "read_only"),
    "app": ("app killed in mid-write", "app_killed"),
    "addresses": ("hostile addresses", "addresses"),
    "data": ("data changed and deleted", "data_changed"),
    "clock": ("clock set back", "clock"),
    "zips": ("hostile and broken zips", "zips"),
    "images": ("broken images", "broken_images"),
    "ray": ("Ray node killed", "ray_node"),
}
"""Name -> title and module; the long ones first, so that two at once end together."""
TITLES = {name: title for name, (title, _) in FAULTS.items()}
MARK = "WTFLOW_FAULTS"
"""In the environment of every process of a round, so that what it leaves running is found."""
PATIENCE_S = 1500.0


def main() -> int:
    asked = _arguments()
    if asked.child:
        return _child(asked)
    names = list(TITLES) if not asked.only else asked.only
    print(f"seed {asked.seed}; repeat this round with: make faults ARGS='--seed {asked.seed}'", flush=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="wtflow-faults-") as folder, ThreadPoolExecutor(asked.jobs) as pool:
        outcomes = list(pool.map(lambda name: _one(name, asked, Path(folder) / name), names))
    print(table(outcomes, TITLES))
    print(f"{time.monotonic() - began:.0f} s, seed {asked.seed}, share {asked.share:g}")
    if asked.json:
        about = {"seed": asked.seed, "share": asked.share, "seconds": round(time.monotonic() - began, 1)}
        asked.json.write_text(json.dumps(about | {"faults": [asdict(one) for one in outcomes]}, indent=1))
    return 0 if all(one.is_sound for one in outcomes) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--only", action="append", choices=TITLES, metavar="NAME", help=f"one of {', '.join(TITLES)}")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--share", type=float, default=1.0, help="of the usual number of tries, such as 0.1")
    parser.add_argument("--long", action="store_true", help="sessions for ten minutes")
    parser.add_argument("--jobs", type=int, default=2, help="faults at once")
    parser.add_argument("--json", type=Path, metavar="F", help="write all that was found to a file")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _one(name: str, asked: argparse.Namespace, folder: Path) -> Outcome:
    """Try one fault in a process of its own, and look what it leaves running."""
    folder.mkdir()
    began, mark = time.monotonic(), f"{os.getpid()}-{name}"
    environment = os.environ | {
        MARK: mark,
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "WTFLOW_HOME": str(folder / "runs"),
        "TMPDIR": str(folder),
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]),
    }
    words = [sys.executable, "-m", "faults", "--child", name, "--folder", str(folder), "--seed", str(asked.seed)]
    words += ["--share", str(asked.share), *(["--long"] if asked.long else [])]
    log = folder / "log.txt"
    with log.open("wb") as output:
        child = subprocess.Popen(
            _with_own_mounts(words), stdout=output, stderr=subprocess.STDOUT, env=environment, start_new_session=True
        )
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(PATIENCE_S * (2 if asked.long else 1))
    hung = child.poll() is None
    left = _end_marked(mark)
    result = folder / "outcome.json"
    if result.is_file() and not hung:
        found = Outcome(**json.loads(result.read_text()))
    else:
        tail = log.read_text(errors="replace").strip().splitlines()[-12:]
        found = Outcome(name, 1, [f"the round itself {'hung' if hung else 'ended early'}: " + " | ".join(tail)])
    found.left += [] if hung else left
    found.seconds = round(time.monotonic() - began, 1)
    state = "sound" if found.is_sound else f"{len(found.lost)} lost, {len(found.left)} left behind"
    print(f"{TITLES[name]}: {found.tried} tried, {state}, {found.seconds:.0f} s {found.skipped}", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    return found


def _with_own_mounts(words: list[str]) -> list[str]:
    """The same command where file systems that it mounts are its own and end with it, if the system allows that."""
    for way in (["unshare", "-m"], ["unshare", "-rm"]):
        if shutil.which("unshare") and subprocess.run([*way, "true"], capture_output=True).returncode == 0:
            return [*way, "--propagation", "private", *words]
    return words


def _end_marked(mark: str) -> list[str]:
    """End what still runs with this mark, and say what it was."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == mark:
                found.append(f"process {process.pid}: {' '.join(process.cmdline())[:100]}")
                process.kill()
    return found


def _child(asked: argparse.Namespace) -> int:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    began = time.monotonic()
    this = Round(asked.child, asked.folder, asked.seed, asked.share, asked.long)
    importlib.import_module(f"faults.{FAULTS[asked.child][1]}").run(this)
    (asked.folder / "outcome.json").write_text(json.dumps(asdict(this.outcome(time.monotonic() - began))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
