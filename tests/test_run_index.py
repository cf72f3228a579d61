"""The index of runs answers as reading every folder does, after anything that happens to the folders."""

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hand_made_runs import write_finished_run
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from run_folders import tiny_settings

from wtflow.errors import DamagedRunError, SettingsError
from wtflow.records.core import RunStatus
from wtflow.records.run_list import RunQuery
from wtflow.store import layout
from wtflow.store.index import file, look, stamps
from wtflow.store.index.look import RunIndex
from wtflow.store.notes import archive_run, name_run, star_run, tag_run
from wtflow.store.runs import RunStore

ALL = RunQuery(sort="-run", archived="also")
TICK_S = 0.02
"""More than the clock of a disk needs to go on."""


@pytest.fixture
def store(tmp_path, monkeypatch) -> RunStore:
    monkeypatch.setattr(look, "UNSURE_S", TICK_S)
    return RunStore(tmp_path / "runs")


@pytest.fixture
def index(store: RunStore) -> RunIndex:
    return RunIndex(store.home)


def make(store: RunStore, category: str = "plate", **metrics) -> str:
    changes = {name: metrics.pop(name) for name in ("seed", "coupling", "steps") if name in metrics}
    return write_finished_run(store, tiny_settings().changed(changes), category, **metrics)


def ids(index: RunIndex, **asked) -> list[str]:
    index.look()
    return [one.run_id for one in index.find(RunQuery(**asked), {}).runs]


def agrees(index: RunIndex, store: RunStore) -> None:
    index.look()
    assert list(index.find(ALL, {}).runs) == store.summaries()


# -- it equals the folders --------------------------------------------------------------------------------------------


def _new(store: RunStore, k: int) -> None:
    category = f"plate{len(store.ids())}"  # ids hold the second and the category: another one need not wait
    if k % 3:
        make(store, category)
    else:
        store.create(Path("/data"), category, tiny_settings())


def _on_one(change):
    """A change of the k-th run, where there are runs."""

    def work(store: RunStore, k: int) -> None:
        if found := store.ids():
            change(store, found[k % len(found)], k)

    return work


def _overwrite(store: RunStore, run_id: str, k: int) -> None:
    """As a text editor does that keeps the file, and as a disk does that loses blocks."""
    name = (layout.NOTES, layout.CONFIG, layout.STATUS, layout.METRICS, layout.MAPS, layout.SCORES, layout.PLACE)[k % 7]
    path = store.folder(run_id) / name
    if path.exists():
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2] if k % 2 else content.replace(b"plate", b"plats"))


def _remove(store: RunStore, run_id: str, k: int) -> None:
    names = (layout.NOTES, layout.CONFIG, layout.STATUS, layout.METRICS, layout.CHECKPOINT, layout.INDEX)
    (store.folder(run_id) / names[k % len(names)]).unlink(missing_ok=True)


def _checkpoint(store: RunStore, run_id: str, k: int) -> None:
    path = store.folder(run_id) / layout.CHECKPOINT
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"x" * k)


def _copy(store: RunStore, run_id: str, k: int) -> None:
    other = store.home / f"2026010{k % 9}-000000-copy"
    if not other.exists():
        shutil.copytree(store.folder(run_id), other)


def _pass(store: RunStore, run_id: str, k: int) -> None:
    """A second pass that has written some of its results, or all."""
    fresh = store.folder(run_id) / layout.FRESH
    fresh.mkdir(exist_ok=True)
    (fresh / layout.METRICS).write_text(json.dumps({"metrics": {"image_auroc": k / 100}}))
    if k % 2:
        (fresh / layout.COMPLETE).write_text(json.dumps({"names": [layout.METRICS, layout.SCORES, layout.MAPS]}))


CHANGES = {
    "new": _new,
    "copy in": _on_one(_copy),
    "name": _on_one(lambda store, run_id, k: _try(lambda: name_run(store, run_id, f"n{k}"))),
    "star": _on_one(lambda store, run_id, k: _try(lambda: star_run(store, run_id, k % 2 == 0))),
    "archive": _on_one(lambda store, run_id, k: _try(lambda: archive_run(store, run_id, k % 2 == 0))),
    "status": _on_one(
        lambda store, run_id, k: store.write_status(
            run_id, RunStatus(state=("queued", "running", "finished", "failed")[k % 4], heartbeat=float(k))
        )
    ),
    "metrics": _on_one(
        lambda store, run_id, k: store.write_metrics(run_id, {"metrics": {"image_auroc": k / 100, "aupro": None}})
    ),
    "delete": _on_one(lambda store, run_id, k: store.delete(run_id)),
    "delete by hand": _on_one(lambda store, run_id, k: shutil.rmtree(store.folder(run_id))),
    "overwrite by hand": _on_one(_overwrite),
    "remove by hand": _on_one(_remove),
    "checkpoint": _on_one(_checkpoint),
    "second pass": _on_one(_pass),
    "index lost": lambda store, k: (store.home / layout.RUNS_INDEX).unlink(missing_ok=True),
}


def _try(change) -> None:
    with contextlib.suppress(DamagedRunError):  # notes that were damaged by hand are never overwritten
        change()


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.sampled_from(sorted(CHANGES)), st.integers(0, 20), st.booleans()), max_size=8))
def test_after_any_changes_the_index_tells_what_every_folder_tells(tmp_path_factory, steps):
    look.UNSURE_S, before = TICK_S, look.UNSURE_S
    try:
        store = RunStore(tmp_path_factory.mktemp("any") / "runs")
        index, other = RunIndex(store.home), RunIndex(store.home)
        run_id = make(store)
        (store.folder(run_id) / layout.NOTES).write_text('{"schema_version": 1, "comment": "plate", "revision": 0}')
        for name, k, is_looked_at in [*steps, ("star", 2, True)]:
            CHANGES[name](store, k)
            if is_looked_at:
                agrees(index, store)
            time.sleep(1.5 * TICK_S)
        agrees(other, store)
        agrees(index, store)
        agrees(RunIndex(store.home), store)
    finally:
        look.UNSURE_S = before


def test_a_file_overwritten_in_place_is_found_where_it_is_shown_and_soon_everywhere(store, monkeypatch):
    monkeypatch.setattr(look, "IN_TURN", 2)
    runs = [make(store, f"plate{i}") for i in range(7)]
    time.sleep(2 * TICK_S)
    index = RunIndex(store.home)
    agrees(index, store)
    for run_id in runs:
        path = store.folder(run_id) / layout.CONFIG
        path.write_bytes(path.read_bytes().replace(b'"plate', b'"flate'))
    index.look()
    shown = index.find(RunQuery(sort="-run", limit=3), {}).runs
    assert [one.category[:5] for one in shown] == ["flate"] * 3
    for _ in range(4):
        index.look()
    found = index._column(f"SELECT DISTINCT substr(category, 1, 5) FROM {file.LINES}")
    assert found == ["flate"], "four looks at two runs each, three of seven were found by showing them"


def test_a_file_that_changed_a_moment_before_it_was_read_is_read_again(store, index, monkeypatch):
    """Its clock may not have gone on, and its size may be the same."""
    monkeypatch.setattr(look, "UNSURE_S", 60.0)
    run_id = make(store)
    index.look()
    path = store.folder(run_id) / layout.CONFIG
    monkeypatch.setattr(look, "files_stamp", lambda folder: stamps.FilesStamp("the same", 0))
    path.write_bytes(path.read_bytes().replace(b"plate", b"flate"))
    agrees(index, store)


def test_runs_that_did_not_change_are_not_read_again(store, index, monkeypatch):
    for i in range(3):
        make(store, f"plate{i}")
    time.sleep(2 * TICK_S)
    index.look()
    monkeypatch.setattr(RunStore, "line", lambda *_: pytest.fail("read again"))
    index.look()
    assert len(ids(RunIndex(store.home))) == 3, "nor by another process"


def test_two_processes_share_what_they_read(store, index):
    run_id = make(store)
    code = (
        "from wtflow.store.runs import RunStore; from wtflow.store.index.look import index_of; s = RunStore();"
        "i = index_of(s); i.look(); print(i.words)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"WTFLOW_HOME": str(store.home)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert layout.RUNS_INDEX in done.stdout
    with contextlib.closing(sqlite3.connect(store.home / layout.RUNS_INDEX)) as found:
        assert found.execute(f"SELECT run_id FROM {file.LINES}").fetchall() == [(run_id,)]
    agrees(index, store)


def test_a_new_index_is_written_in_steps_with_progress(store, index, monkeypatch):
    monkeypatch.setattr(look, "BATCH", 2)
    for i in range(5):
        make(store, f"plate{i}")
    seen = []

    def stop_at_four(done: int, total: int) -> None:
        seen.append((done, total))
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index.look(stop_at_four)
    assert seen == [(0, 5), (2, 5), (4, 5)]
    with contextlib.closing(sqlite3.connect(store.home / layout.RUNS_INDEX)) as found:
        assert found.execute(f"SELECT count(*) FROM {file.LINES}").fetchone() == (4,), "what was read is kept"
    agrees(index, store)


# -- its file ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"no database at all, but text" * 100, None])
def test_a_file_that_is_no_index_or_a_damaged_one_is_made_anew(store, index, content):
    make(store)
    index.look()
    path = store.home / layout.RUNS_INDEX
    if content is None:
        with contextlib.closing(sqlite3.connect(path)) as one:
            one.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        whole = bytearray(path.read_bytes())
        whole[4096:] = os.urandom(len(whole) - 4096)
        content = bytes(whole)
    index.kept.file.close()
    path.write_bytes(content)
    for again in (index, RunIndex(store.home)):
        agrees(again, store)
        assert again.words.startswith("The index of runs is .index.sqlite")


def test_tables_of_another_version_are_left_alone_until_nobody_uses_them(store, index):
    make(store)
    index.look()
    with contextlib.closing(sqlite3.connect(store.home / layout.RUNS_INDEX)) as other:
        other.execute("CREATE TABLE lines_0_9 (run_id TEXT)")
        other.execute("INSERT INTO versions VALUES ('0_9', ?)", (time.time() - file.KEPT_S + 60,))
        other.commit()
        names = "SELECT name FROM sqlite_master WHERE name = 'lines_0_9'"
        other.execute("UPDATE versions SET used = used - 90000 WHERE token = ?", (file.TOKEN,))
        other.commit()
        agrees(RunIndex(store.home), store)
        assert other.execute(names).fetchall()
        other.execute("UPDATE versions SET used = used - 90000")
        other.commit()
        agrees(RunIndex(store.home), store)
        assert not other.execute(names).fetchall()


def test_a_store_that_may_only_be_read_is_listed_from_memory(store, monkeypatch):
    make(store)
    real = sqlite3.connect

    def refuse(path, *args, **kwargs):  # root may write everywhere, so the folder's rights would not do
        if path != ":memory:":
            raise sqlite3.OperationalError("unable to open database file")
        return real(path, *args, **kwargs)

    monkeypatch.setattr(file.sqlite3, "connect", refuse)
    index = RunIndex(store.home)
    agrees(index, store)
    assert "memory: nothing can be written" in index.words
    assert not (store.home / layout.RUNS_INDEX).exists()
    star_run(store, store.ids()[0], True)
    agrees(index, store)
    monkeypatch.setattr(file.sqlite3, "connect", real)
    agrees(index, store)
    assert index.words.startswith("The index of runs is kept in memory"), "for a while"
    index.kept.file._again_at = 0.0
    agrees(index, store)
    assert index.words.startswith("The index of runs is .index.sqlite")


def test_while_another_program_holds_the_index_the_answer_comes_from_memory(store, index, monkeypatch):
    monkeypatch.setattr(file, "BUSY_S", 0.05)
    first = make(store)
    index.look()
    with contextlib.closing(sqlite3.connect(store.home / layout.RUNS_INDEX)) as other:
        other.execute("BEGIN IMMEDIATE")
        make(store, "disc")
        agrees(index, store)
        assert "locked" in index.words
        other.rollback()
        assert other.execute(f"SELECT run_id FROM {file.LINES}").fetchall() == [(first,)]


def test_on_a_network_drive_each_computer_has_an_index_of_its_own(store, monkeypatch):
    monkeypatch.setattr(file, "network_kind", lambda home: "nfs4")
    monkeypatch.setattr(file.platform, "node", lambda: "box 7/x")
    make(store)
    index = RunIndex(store.home)
    agrees(index, store)
    assert (store.home / ".index-box-7-x.sqlite").is_file() and "nfs4" in index.words
    assert index.kept.file.connection().execute("PRAGMA journal_mode").fetchone() == ("truncate",)


def test_an_empty_or_absent_store_has_no_runs(store, index):
    assert ids(index) == [] and not store.home.exists()


# -- questions --------------------------------------------------------------------------------------------------------


@pytest.fixture
def lab(store) -> dict[str, str]:
    """Runs by what they are called here."""
    found = {
        "good": make(store, "screw", seed=1, coupling="worst", metrics={"image_auroc": 0.97, "aupro": 0.9}),
        "poor": make(store, "plate", seed=10, coupling="optimal", metrics={"image_auroc": 0.6, "aupro": 0.95}),
        "none": make(store, "disc", seed=2, coupling="optimal", metrics={"image_auroc": None}),
        "waits": store.create(Path("/other/data"), "cable", tiny_settings()),
    }
    (store.folder(found["none"]) / layout.CHECKPOINT).parent.mkdir(exist_ok=True)
    broken = found["broken"] = make(store, "torn")
    (store.folder(broken) / layout.CONFIG).write_text("{")
    tag_run(store, found["good"], (), ["Paper", "50% off"])
    name_run(store, found["poor"], "Ünique one")
    archive_run(store, found["none"], True)
    return found


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ({}, {"good", "poor", "waits", "broken"}),
        ({"archived": "also"}, {"good", "poor", "none", "waits", "broken"}),
        ({"archived": "only"}, {"none"}),
        ({"category": "screw"}, {"good"}),
        ({"category": "scre"}, set()),
        ({"root": "/other/data"}, {"waits"}),
        ({"below": "/other"}, {"waits"}),
        ({"below": "/oth"}, set()),
        ({"states": ("queued", "damaged")}, {"waits", "broken"}),
        ({"search": "SCREW"}, {"good"}),
        ({"search": "ünique"}, {"poor"}),
        ({"search": '"ünique one" plate'}, {"poor"}),
        ({"search": '"one ünique"'}, set()),
        ({"search": "paper screw"}, {"good"}),
        ({"search": "paper plate"}, set()),
        ({"search": "50%"}, {"good"}),
        ({"search": "queued"}, {"waits"}),
        ({"search": "damaged"}, {"broken"}),
        ({"search": "tag=paper"}, {"good"}),
        ({"search": "tag!=paper"}, {"poor", "waits", "broken"}),
        ({"search": "coupling=optimal"}, {"poor"}),
        ({"search": "coupling=optimal", "archived": "also"}, {"poor", "none"}),
        ({"search": "seed=1"}, {"good"}),
        ({"search": "seed!=1"}, {"poor", "waits"}),
        ({"search": "seed>=1"}, {"good", "poor"}),
        ({"search": "seed>1"}, {"poor"}),
        ({"search": "seed<10 screw"}, {"good"}),
        ({"search": "image_auroc>0.6"}, {"good"}),
        ({"search": "image_auroc>=0.6 aupro>0.9"}, {"poor"}),
        ({"search": "seed="}, {"good", "poor", "waits", "broken"}),
        ({"search": 'say "'}, set()),
        ({"search": "' OR 1=1 --"}, set()),
    ],
)
def test_a_question_is_answered_by_the_runs_that_fit(lab, index, asked, wanted):
    assert set(ids(index, **asked)) == {lab[name] for name in wanted}


def test_runs_are_sorted_by_any_setting_metric_or_column(lab, index):
    def names(sort: str) -> list[str]:
        by_id = {run_id: name for name, run_id in lab.items()}
        return [by_id[run_id] for run_id in ids(index, sort=sort, archived="also")]

    assert names("-image_auroc")[:2] == ["good", "poor"] and names("image_auroc")[:2] == ["poor", "good"]
    assert set(names("image_auroc")[2:]) == {"none", "waits", "broken"}, "without one: last both ways"
    assert names("seed")[-1] == "broken" and names("-seed")[:3] == ["poor", "none", "good"]
    assert [name for name in names("category") if name != "broken"] == ["waits", "none", "poor", "good"]
    assert names("-created")[-1] == "broken", "a damaged run has no time"
    assert names("run") == names("-run")[::-1] == sorted(lab, key=lab.__getitem__)


def test_a_page_is_a_part_of_all_that_fit(lab, index):
    index.look()
    page = index.find(RunQuery(sort="run", limit=2, offset=1), {})
    everything = index.find(RunQuery(sort="run"), {}).runs
    assert page.runs == everything[1:3]
    assert (page.n_found, page.n_all, page.n_archived) == (4, 5, 1)


@pytest.mark.parametrize("name", ["no_such_thing", "1", 'x"', "image_auroc'"])
def test_a_name_that_no_run_has_is_refused_in_words(lab, index, name):
    with pytest.raises(SettingsError, match="no setting or metric|No run has"):
        ids(index, sort=name)


def test_text_that_no_encoding_has_stops_nothing(store, index):
    run_id = make(store, "disc")
    path = store.folder(run_id) / layout.CONFIG
    path.write_text(path.read_text().replace('"disc"', '"d\\ud800\\u0000sc"'))
    agrees(index, store)
    assert ids(index, search="d?") == [run_id]


def test_tags_and_categories_are_those_of_the_runs(lab, index):
    index.look()
    assert index.tags() == ["50% off", "Paper"]
    assert set(index.categories(RunQuery(states=("finished",)), {})) == {("/data", "plate"), ("/data", "screw")}
    assert index.categories(RunQuery(states=("queued",)), {}) == [("/other/data", "cable")]


FORKS = """
import os, sys
from pathlib import Path
from wtflow.store.index.look import index_of
from wtflow.store.runs import RunStore
store = RunStore(Path(sys.argv[1]))
held = index_of(store)  # as lists that pages keep do
held.look()
pid = os.fork()
if not pid:
    for name in os.listdir("/proc/self/fd"):  # as starting a program closes what it inherits
        if int(name) > 2:
            try:
                os.close(int(name))
            except OSError:
                pass
    index_of(store).look()
    os._exit(bool(index_of(store).kept.file.why_in_memory))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="this system does not list open files there")
def test_a_forked_process_waits_for_no_lock_of_its_parent(store):
    """A lock that was open in the parent stays, in the child, one that nobody gives back."""
    make(store, "plate")
    done = subprocess.run([sys.executable, "-c", FORKS, str(store.home)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
