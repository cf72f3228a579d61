"""The disk fills up: under a training at every stage, and under every act of the app. What fails says so plainly,
nothing is lost, and with space again it goes on to the same end.

The disk is a small one in memory, mounted for this process alone. Where nothing can be mounted, it is not tried.
"""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from faults.acts import ACTS, write_base
from faults.app_killed import expected, stopped_clock
from faults.forked import in_child, result_in_child, warm_workers
from faults.outcome import Round, check
from faults.places import children, copied, figures, half_written, images, left_in, small, wait_until_over
from wtflow.errors import WTFlowError
from wtflow.jobs import processes, trainings
from wtflow.store.runs import RunStore

DISKS = 60
"""Trainings on a disk that fills up."""
ROOMS_EACH = 3
"""Sizes of what is left on the disk, for each act of the app."""
SIZE_MIB = 16
PAGE = 4096
WORDS = ("space", "full", "room")


def run(this: Round) -> None:
    with small_disk(this.folder / "disk") as disk:
        if disk is None:
            this.skipped = "no file system can be mounted here, which needs root or user namespaces."
            return
        _under_trainings(this, disk)
        _under_acts(this, disk)


@contextlib.contextmanager
def small_disk(folder: Path, size: str = f"{SIZE_MIB}m") -> Iterator[Path | None]:
    """A file system of its own, mounted; None where that is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True)
    if done.returncode:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def free_of(disk: Path) -> int:
    found = os.statvfs(disk)
    return found.f_bavail * found.f_frsize


def leave_room(disk: Path, n_bytes: int) -> Path:
    """Fill the disk but for so many bytes; returns the file that fills it."""
    filling = disk / "filling"
    with filling.open("wb") as file:
        file.write(bytes(max(0, free_of(disk) - n_bytes)))
    return filling


def _under_trainings(this: Round, disk: Path) -> None:
    root, store = images(this.folder / "images"), RunStore(disk / "runs")
    os.environ["WTFLOW_MAX_RUNS"] = "1"
    with warm_workers():
        free = free_of(disk)
        whole = trainings.start(store, root, "plate", small())
        check(wait_until_over(store, whole).state == "finished", store.log_tail(whole))
        wanted, used = figures(store, whole), free - free_of(disk)
        for _ in range(this.count(DISKS)):
            shutil.rmtree(store.home, ignore_errors=True)
            # A run that has less than LEAST_ROOM waits; most of these begin, and meet the end of the disk on the way.
            least = processes.LEAST_ROOM if this.chance.random() < 0.8 else 0
            room = least + this.chance.randrange(0, used + 4 * PAGE)
            with this.attempt(f"a training with {room:,} bytes left", "trainings"):
                _one_training(this, store, root, disk, room, wanted)
        processes.reap()
        this.leave("after the trainings", children())


def _one_training(this: Round, store: RunStore, root: Path, disk: Path, room: int, wanted: str) -> None:
    filling = leave_room(disk, room)
    try:
        run_id = trainings.start(store, root, "plate", small())
    except WTFlowError as error:
        _check_words(f"{error.message} {error.fix}")
        filling.unlink()  # where there was room for the run and none for its process, it waits
        run_id = store.ids()[0] if store.ids() else trainings.start(store, root, "plate", small())
        ended = wait_until_over(store, run_id)
        check(ended.state == "finished", f"with space it is {ended.state}: {ended.message}")
    else:
        status = trainings.live_status(store, run_id)
        if status.state == "queued":
            _check_words(status.message)
            filling.unlink()
        ended = wait_until_over(store, run_id)
        if ended.state != "finished":
            _check_words(f"{ended.message} {ended.fix}")
            check("Traceback" not in store.log_tail(run_id), "its log holds a traceback")
            filling.unlink(missing_ok=True)
            trainings.resume(store, run_id)
            ended = wait_until_over(store, run_id)
            check(ended.state == "finished", f"resumed with space, it is {ended.state}: {ended.message}")
    filling.unlink(missing_ok=True)
    check(figures(store, run_id) == wanted, "its figures differ from those of an undisturbed run")
    this.leave(f"a training with {room:,} bytes left", half_written(store))


def _under_acts(this: Round, disk: Path) -> None:
    base = write_base(this.folder / "base", this.folder / "photos")
    for name, act in ACTS.items():
        _, before, after = expected(base, act, this.folder)
        for pages in sorted(this.chance.sample(range(8), min(8, this.count(ROOMS_EACH)))):
            with this.attempt(f"{name} with {pages} pages left", "acts of the app"):
                store = copied(base.home, disk / "store")
                filling = leave_room(disk, pages * PAGE)
                code, error = in_child(lambda act=act, store=store: act.do(store, base), stopped_clock)
                filling.unlink()
                if code:
                    check(isinstance(error, WTFlowError), f"it raised {type(error).__name__}: {error}")
                    _check_words(f"{error.message} {error.fix}")
                now = act.read(store, base)
                check(act.is_whole(now, before[0], after[0]), f"neither old nor new: {now!r:.200}")
                is_told = code or now == after[0] or not act.is_repeated or "full" in act.gives_way
                check(is_told, "it said nothing, and nothing was written")
                if act.is_repeated:
                    result_in_child(lambda act=act, store=store: act.do(store, base), stopped_clock)
                    check(act.read(store, base) == after[0], "with space again, it is not what was wanted")
                this.leave(f"{name} with {pages} pages left", left_in(store))


def _check_words(text: str) -> None:
    check(any(word in text.lower() for word in WORDS), f"it does not say that space is short: {text!r}")
