"""Pipes, devices and links to them wherever a file is expected: nothing waits for them without end, and nothing reads
them; each is named in a sentence.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from shell import call

from faults.forked import result_in_child, warm_workers
from faults.outcome import Round, check
from faults.places import children, images, small, wait_until_over
from wtflow.jobs import processes, trainings
from wtflow.store.runs import RunStore

PATIENCE_S = 180.0


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _to_pipe(path: Path) -> None:
    os.mkfifo(path.with_name("pipe"))
    path.symlink_to("pipe")


KINDS: dict[str, Callable[[Path], object]] = {
    "a pipe": _pipe,
    "a link to a pipe": _to_pipe,
    "a link to /dev/zero": lambda path: path.symlink_to("/dev/zero"),
    "a link to /dev/tty": lambda path: path.symlink_to("/dev/tty"),
    "a link to a secret": lambda path: path.symlink_to("/etc/shadow"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a link to nothing": lambda path: path.symlink_to("gone"),
    "a folder": lambda path: path.mkdir(),
}
PLACES = {
    "a training image": "plate/train/good/zzz.png",
    "a test image": "plate/test/good/zzz.png",
    "a mask": "plate/ground_truth/spot/000_mask.png",
}
COMMANDS = (
    ("info", "FILE.wtf"),
    ("inspect", "FILE.wtf", "FOLDER"),
    ("train", "ROOT", "plate", "--weights", "FILE.pth"),
    ("new", "copy", "--good", "FILE.zip"),
    ("export", "20200101-000000-x", "--zip", "FILE.zip"),
    ("check", "FILE.zip"),
    ("relocate", "20200101-000000-x", "FILE.zip"),
)


def run(this: Round) -> None:
    os.environ["WTFLOW_MAX_RUNS"] = "1"
    good, root, store = images(this.folder / "good"), this.folder / "root", RunStore(this.folder / "runs")
    os.environ["WTFLOW_HOME"] = str(store.home)
    with warm_workers():
        for kind, put in KINDS.items():
            for title, place in PLACES.items():
                if this.chance.random() > this.share:
                    continue
                shutil.rmtree(root, ignore_errors=True)
                shutil.copytree(good, root)
                (root / place).unlink(missing_ok=True)
                put(root / place)
                with this.attempt(f"{kind} for {title}, trained on", "trainings"):
                    _train(store, root, place)
                with this.attempt(f"{kind} for {title}, checked", "checks"):
                    result_in_child(lambda: _say(["check", str(root)]), patience_s=PATIENCE_S)
            for words in COMMANDS:
                if this.chance.random() > this.share:
                    continue
                with this.attempt(f"{kind} for the file of {words[0]}", "commands"):
                    _command(this.folder, good, kind, put, words)
        processes.reap()
        this.leave("after all of them", children())


def _train(store: RunStore, root: Path, place: str) -> None:
    run_id = trainings.start(store, root, "plate", small(iterations=20))
    ended = wait_until_over(store, run_id, PATIENCE_S * 3)
    check(ended.state in ("finished", "failed"), f"it is {ended.state}: {ended.message}")
    if ended.state == "failed":
        check(Path(place).name in ended.message and ended.fix, f"it does not say what is wrong: {ended.message}")
    check("Traceback" not in store.log_tail(run_id), f"its log holds a traceback: {ended.message}")
    check("root:" not in store.log_tail(run_id), "it reads what a link outside leads to")
    trainings.delete(store, run_id)


def _command(folder: Path, root: Path, kind: str, put: Callable[[Path], object], words: tuple[str, ...]) -> None:
    place = folder / "place"
    shutil.rmtree(place, ignore_errors=True)
    (place / "folder").mkdir(parents=True)
    asked, here = [], {"WTFLOW_HOME": str(place / "runs")}  # a data set of this name is there only once
    for word in words:
        if word.startswith("FILE"):
            put(place / f"a{word[4:]}")
            word = str(place / f"a{word[4:]}")
        asked.append({"ROOT": str(root), "FOLDER": str(place / "folder")}.get(word, word))
    result_in_child(lambda: (os.environ.update(here), _say(asked)), patience_s=PATIENCE_S)


def _say(words: list[str]) -> None:
    done = call(*words)
    check(done.exit_code in (0, 1, 2), f"exit code {done.exit_code}: {done.output[-200:]}")
    check("Traceback" not in done.output, f"a traceback: {done.output[-300:]}")
    check("root:" not in done.output, "it shows what a link outside leads to")
