"""Images and masks change, vanish, or move while a run trains and after it: the run ends, says what happened, and what
was computed before is not touched. Once the data are back, it goes on to the same figures.
"""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from shell import call

from faults.forked import warm_workers
from faults.outcome import Round, check
from faults.places import children, contents, figures, half_written, images, small, wait_until_over
from wtflow.jobs import processes, trainings
from wtflow.store import layout
from wtflow.store.runs import RunStore

DURING = 30
PLATE = "plate"


def _other_image(folder: Path) -> None:
    shutil.copy(folder / "train/good/000.png", folder / "train/good/001.png")


def _no_image(folder: Path) -> None:
    path = folder / "test/good/000.png"
    path.write_bytes(b"no image")


def _cut_image(folder: Path) -> None:
    path = folder / "train/good/003.png"
    path.write_bytes(path.read_bytes()[:200])


def _gone_image(folder: Path) -> None:
    (folder / "test/spot/001.png").unlink()


def _new_image(folder: Path) -> None:
    shutil.copy(folder / "test/spot/001.png", folder / "train/good/999.png")


def _other_mask(folder: Path) -> None:
    shutil.copy(folder / "ground_truth/spot/000_mask.png", folder / "ground_truth/spot/001_mask.png")


def _gone_mask(folder: Path) -> None:
    (folder / "ground_truth/spot/002_mask.png").unlink()


def _gone(folder: Path) -> None:
    shutil.rmtree(folder)


def _moved(folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))


def _pipe(folder: Path) -> None:
    (folder / "train/good/002.png").unlink()
    os.mkfifo(folder / "train/good/002.png")


CHANGES: tuple[Callable[[Path], None], ...] = (
    _other_image,
    _no_image,
    _cut_image,
    _gone_image,
    _new_image,
    _other_mask,
    _gone_mask,
    _gone,
    _moved,
    _pipe,
)
AFTER = (
    ("runs",),
    ("evaluate", "RUN", "--steps", "3"),
    ("report", "RUN", "--out", "OUT/report.html", "--force"),
    ("export", "RUN", "--zip", "OUT/a.zip", "--force"),
    ("export", "RUN", "--out", "OUT/tables"),
    ("resume", "RUN"),
    ("threshold", "RUN"),
    ("check", "ROOT"),
)
"""Commands on a finished run whose data have changed: each answers, or says in a sentence why it cannot."""


def run(this: Round) -> None:
    os.environ["WTFLOW_MAX_RUNS"] = "1"
    original, store = images(this.folder / "original"), RunStore(this.folder / "runs")
    os.environ["WTFLOW_HOME"] = str(store.home)
    root = this.folder / "images"
    shutil.copytree(original, root)
    with warm_workers():
        whole = trainings.start(store, root, PLATE, small())
        check(wait_until_over(store, whole).state == "finished", store.log_tail(whole))
        wanted, seconds = figures(store, whole), sum(store.metrics(whole)["seconds"].values())
        kept = contents(store.folder(whole))
        for number in range(this.count(DURING)):
            change = CHANGES[number % len(CHANGES)]
            with this.attempt(f"{change.__name__.strip('_')} while it trains, try {number + 1}", "while it trains"):
                _during(this, store, original, root, change, seconds, wanted)
            _put_back(original, root)
        for change in CHANGES:
            change(root / PLATE)
            for words in AFTER:
                with this.attempt(f"{change.__name__.strip('_')}, then {words[0]}", "after it"):
                    _after(this, store, whole, root, words, kept)
            _put_back(original, root)
        processes.reap()
        this.leave("after all changes", children() + half_written(store))
    if figures(store, whole) != wanted:
        this.lost.append("the figures of the finished run have changed")


def _during(this: Round, store: RunStore, original: Path, root: Path, change, seconds: float, wanted: str) -> None:
    for path in (store.home / layout.CACHE).glob("*.npy"):
        path.unlink()
    run_id = trainings.start(store, root, PLATE, small())
    time.sleep(this.chance.uniform(0, seconds))
    change(root / PLATE)
    ended = wait_until_over(store, run_id)
    check(ended.state in ("finished", "failed"), f"it is {ended.state}: {ended.message}")
    if ended.state == "failed":
        check(ended.message and ended.fix, "it failed without saying why, or what to do")
        check("Traceback" not in store.log_tail(run_id), f"its log holds a traceback: {ended.message}")
        _put_back(original, root)
        before = (store.data(run_id) or {}).get("fingerprint")
        whole = store.data(store.ids()[-1])
        if before is None or whole is None or before == whole["fingerprint"]:
            trainings.resume(store, run_id)
            ended = wait_until_over(store, run_id)
            check(ended.state == "finished", f"with its data back it is {ended.state}: {ended.message}")
            check(figures(store, run_id) == wanted, "with its data back, its figures are others")
    trainings.delete(store, run_id)


def _after(this: Round, store: RunStore, run_id: str, root: Path, words: tuple[str, ...], kept: dict[str, str]) -> None:
    out = this.folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    places = {"RUN": run_id, "ROOT": str(root), "OUT": str(out)}
    asked = [places.get(one, one.replace("OUT/", f"{out}/")) for one in words]
    done = call(*asked)
    check(done.exit_code in (0, 1, 2), f"exit code {done.exit_code}: {done.output[-200:]}")
    check("Traceback" not in done.output, f"a traceback: {done.output[-300:]}")
    if words[0] == "resume":
        wait_until_over(store, run_id)
    now = {name: digest for name, digest in contents(store.folder(run_id)).items() if name in kept}
    free = (layout.STATUS, layout.LOG, layout.DECISION)
    changed = [name for name in kept if name not in free and now.get(name) != kept[name]]
    check(not changed, f"it changed what the run holds: {changed[:4]}")


def _put_back(original: Path, root: Path) -> None:
    shutil.rmtree(root)
    shutil.copytree(original, root)
