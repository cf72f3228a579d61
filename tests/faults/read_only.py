"""The store may no longer be written to: from the beginning, or from some moment of a training on. Everything can still
be read, what fails says so in plain words, and once it may be written again it goes on to the same end.

Root may write everywhere, so this process gives that right up first (the capability CAP_DAC_OVERRIDE).
"""

import ctypes
import os
import stat
import subprocess
import time
from pathlib import Path

from faults.acts import ACTS, write_base
from faults.app_killed import expected, stopped_clock
from faults.forked import in_child, warm_workers
from faults.full_disk import small_disk
from faults.outcome import Round, check
from faults.places import children, contents, copied, figures, half_written, images, small, wait_until_over
from wtflow.errors import WTFlowError
from wtflow.jobs import processes, trainings
from wtflow.store.runs import RunStore

TRAININGS = 25
WORDS = ("written", "read-only", "permission", "may not")
_CAPABILITIES_V3 = 0x20080522
_RIGHTS = 0b110
"""CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, the second and third bit."""


def run(this: Round) -> None:
    _on_a_read_only_disk(this)
    give_up_rights()
    probe = this.folder / "probe"
    probe.mkdir(mode=0o500)
    if os.access(probe, os.W_OK):
        this.skipped = "trainings: this user may write everywhere, and could not give that right up."
        return
    _under_trainings(this)


def give_up_rights() -> None:
    """Let the permissions of files count for root, too, in this process and those that it forks. Linux only."""
    libc = ctypes.CDLL(None, use_errno=True)
    head = (ctypes.c_uint32 * 2)(_CAPABILITIES_V3, 0)
    sets = (ctypes.c_uint32 * 6)()
    if not hasattr(libc, "capget") or libc.capget(head, sets):
        return
    sets[0] &= ~_RIGHTS  # the effective set; the next is the permitted one
    sets[1] &= ~_RIGHTS
    libc.capset(head, sets)


def lock_up(folder: Path) -> None:
    _change_modes(folder, lambda mode: mode & ~0o222)


def unlock(folder: Path) -> None:
    _change_modes(folder, lambda mode: mode | stat.S_IWUSR)


def _change_modes(folder: Path, change) -> None:
    """Deepest last, so that what appears meanwhile lies in a folder that has changed already."""
    for path in (folder, *folder.rglob("*")):
        try:
            path.chmod(change(path.stat().st_mode))
        except FileNotFoundError:
            continue


def _under_trainings(this: Round) -> None:
    root, store = images(this.folder / "images"), RunStore(this.folder / "runs")
    os.environ["WTFLOW_MAX_RUNS"] = "1"
    with warm_workers():
        whole = trainings.start(store, root, "plate", small())
        check(wait_until_over(store, whole).state == "finished", store.log_tail(whole))
        wanted, seconds = figures(store, whole), sum(store.metrics(whole)["seconds"].values())
        for number in range(this.count(TRAININGS)):
            run_id = trainings.start(store, root, "plate", small())
            after_s = this.chance.uniform(0, 1.2 * seconds)
            with this.attempt(f"training {number + 1}, locked up after {after_s:.2f} s"):
                time.sleep(after_s)
                stage = trainings.live_status(store, run_id).stage
                lock_up(store.home)
                try:
                    ended = wait_until_over(store, run_id)
                    this.of_which[f"at {stage or 'start'}"] += 1
                    listed = {one.run_id: one for one in trainings.live_summaries(store)}
                    check(figures(store, whole) == wanted, "another run cannot be read")
                    check(not listed[run_id].problem, listed[run_id].problem)
                    if ended.state != "finished":
                        said = f"{ended.message} {ended.fix}".lower()
                        check(any(word in said for word in WORDS), f"it does not say why: {said!r}")
                        check("Traceback" not in store.log_tail(run_id), "its log holds a traceback")
                finally:
                    unlock(store.home)
                if ended.state != "finished":
                    trainings.resume(store, run_id)
                    ended = wait_until_over(store, run_id)
                check(ended.state == "finished", f"writable again, it is {ended.state}: {ended.message}")
                check(figures(store, run_id) == wanted, "its figures differ from those of an undisturbed run")
                this.leave(f"training {number + 1}", half_written(store))
            trainings.delete(store, run_id)
        processes.reap()
        this.leave("after the trainings", children())


def _on_a_read_only_disk(this: Round) -> None:
    base = write_base(this.folder / "base", this.folder / "photos")
    with small_disk(this.folder / "disk") as disk:
        if disk is None:
            this.skipped = "a read-only disk: no file system can be mounted here."
            return
        store = copied(base.home, disk / "store")
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        was = contents(store.home)
        for name, act in ACTS.items():
            with this.attempt(f"{name} on a read-only disk", "acts of the app on a read-only disk"):
                before = expected(base, act, this.folder)[1][0] if name != "rows" else None
                code, error = in_child(lambda act=act: act.do(store, base), stopped_clock)
                if "read-only" not in act.gives_way:
                    check(code, "it said nothing, although nothing can be written")
                    check(isinstance(error, WTFlowError), f"it raised {type(error).__name__}: {error}")
                    said = f"{error.message} {error.fix}".lower()
                    check(any(word in said for word in WORDS), f"it does not say why: {said!r}")
                check(contents(store.home) == was, "something was written")
                check(before is None or act.read(store, base) == before, "it reads otherwise than before")
