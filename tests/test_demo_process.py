"""The drawing of the demo as a process: begun once, seen by everybody, complete or nothing, failed with a sentence."""

import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from demo_process import Drawing, small_demo
from waiting import wait_until

from wtflow.datasets.demo.write import DEMO_CATEGORIES, write_demo
from wtflow.datasets.scan import find_categories
from wtflow.errors import DiskFullError, StoreError
from wtflow.jobs import demo_worker, demos, processes
from wtflow.jobs.demos import demo_root, demo_state, draw_demo
from wtflow.store.runs import RunStore

ONE = ("fabric",)
GONE = 2**30
"""Number of no process."""


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "runs")


@pytest.fixture
def drawing(store: RunStore, monkeypatch: pytest.MonkeyPatch):
    with small_demo(store, monkeypatch) as drawing:
        yield drawing


def wait_for(store: RunStore, state: str, categories=DEMO_CATEGORIES) -> demos.TaskState:
    wait_until(lambda: demo_state(store, categories).state == state, lambda: demo_state(store, categories))
    return demo_state(store, categories)


def test_it_is_absent_then_drawn_share_by_share_then_ready_and_leaves_no_status(store: RunStore, drawing: Drawing):
    assert demo_state(store).state == "absent"
    drawing.hold.touch()
    draw_demo(store)
    wait_until(lambda: demo_state(store).share > 0)
    now = demo_state(RunStore(store.home))  # as another session, or the same after F5, sees it
    assert (now.state, now.share) == ("running", round(1 / 18, 4))
    drawing.hold.unlink()
    wait_for(store, "ready")
    assert find_categories(demo_root(store)).categories == tuple(sorted(DEMO_CATEGORIES))
    wait_until(lambda: processes.find(*drawing.started[0]) is None)
    assert [path.name for path in (store.home / demos.FOLDER).iterdir()] == ["log.txt"]


@pytest.mark.slow
def test_ten_who_ask_at_once_begin_one_process(store: RunStore, drawing: Drawing):
    drawing.hold.touch()
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda _: draw_demo(RunStore(store.home)), range(10)))
    assert len(drawing.started) == 1
    drawing.hold.unlink()
    wait_for(store, "ready")
    draw_demo(store)
    assert len(drawing.started) == 1, "what is drawn is not drawn again"


@pytest.mark.slow
def test_who_asks_for_other_categories_waits_for_the_process_that_is_there_and_asks_again(
    store: RunStore, drawing: Drawing
):
    drawing.hold.touch()
    draw_demo(store, ONE)
    draw_demo(store, ("flange",))
    assert demo_state(store, ("flange",)).state == "running"
    drawing.hold.unlink()
    wait_for(store, "ready", ONE)
    wait_for(store, "absent", ("flange",))
    draw_demo(store, ("flange",))
    wait_for(store, "ready", ("flange",))
    assert len(drawing.started) == 2


@pytest.mark.slow
def test_a_killed_process_leaves_no_half_category_and_a_sentence_and_the_next_try_succeeds(
    store: RunStore, drawing: Drawing
):
    drawing.hold.touch()
    draw_demo(store, ONE)
    wait_until(drawing.drew)
    processes.find(*drawing.started[0]).kill()
    now = wait_for(store, "failed", ONE)
    assert "ended without a message" in now.message and now.fix
    assert not (demo_root(store) / "fabric").exists()
    drawing.hold.unlink()
    draw_demo(store, ONE)
    wait_for(store, "ready", ONE)
    assert not (demo_root(store) / ".demo-work").exists()


@pytest.mark.slow
def test_what_stands_in_the_way_is_named_and_the_next_try_succeeds_without_it(store: RunStore, drawing: Drawing):
    mine = demo_root(store) / "fabric/mine.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    draw_demo(store, ONE)
    now = wait_for(store, "failed", ONE)
    assert "holds files that the demo did not write, such as mine.txt" in now.message
    assert now.fix.startswith("Choose another folder")
    mine.unlink()
    draw_demo(store, ONE)
    wait_for(store, "ready", ONE)


def test_what_was_drawn_before_a_failure_counts(store: RunStore, drawing: Drawing):
    write_demo(demo_root(store), lambda *_: None, categories=ONE)
    demos.write_status(store, {"state": "failed", "message": "No space left.", "fix": "Free some."})
    assert demo_state(store, ONE).state == "ready"
    assert demo_state(store).state == "failed"


@pytest.mark.slow
@pytest.mark.parametrize("text", ["{", "[]", '{"state": "running", "pid": []}'])
def test_a_status_that_cannot_be_read_stops_nobody_from_drawing(store: RunStore, drawing: Drawing, text: str):
    (store.home / demos.FOLDER).mkdir()
    (store.home / demos.FOLDER / "status.json").write_text(text)
    assert demo_state(store, ONE).state in ("absent", "failed")
    draw_demo(store, ONE)
    wait_for(store, "ready", ONE)


@pytest.mark.slow
def test_a_disk_without_room_for_the_reason_is_told_all_the_same(
    store: RunStore, drawing: Drawing, monkeypatch: pytest.MonkeyPatch
):
    """The worker fails, and so does writing why: what is left is its exit code."""
    worker = store.home / "small_worker.py"
    full = """
from wtflow.errors import DiskFullError

def refuse(*arguments, **named):
    raise DiskFullError("No space left.", fix="Free some.")

demo_worker.write_demo = demo_worker.demos.write_json = refuse
"""
    worker.write_text(worker.read_text().replace("demo_worker.STATUS_EVERY_S", f"{full}demo_worker.STATUS_EVERY_S"))
    draw_demo(store, ONE)
    now = wait_for(store, "failed", ONE)
    assert "No space was left on the disk" in now.message
    assert now.fix.endswith("Draw the demo again.")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (None, "ended without a message"),
        (-signal.SIGKILL, "ended without a message: it was killed"),
        (processes.ENDED_WITHOUT_ROOM, "No space was left on the disk"),
    ],
)
def test_a_process_that_is_gone_without_a_word_is_a_failure_with_a_sentence(
    store: RunStore, monkeypatch: pytest.MonkeyPatch, code: int | None, words: str
):
    demos.write_status(store, {"state": "running", "pid": GONE, "pid_created": 1.0})
    if code is not None:
        monkeypatch.setitem(processes._EXIT_CODES, GONE, code)
    now = demo_state(store, ONE)
    assert (now.state, words in now.message) == ("failed", True)
    assert now.fix.endswith("Draw the demo again.")


def test_a_worker_that_can_write_nothing_says_so_by_its_exit_code(store: RunStore, monkeypatch: pytest.MonkeyPatch):
    def refuse(*arguments, **named):
        raise DiskFullError("No space left.", fix="Free some.")

    monkeypatch.setenv("WTFLOW_HOME", str(store.home))
    monkeypatch.setattr(demo_worker.systems, "give_way", lambda niceness: None)
    monkeypatch.setattr(demos, "write_json", refuse)
    assert demo_worker.main(list(ONE)) == processes.ENDED_WITHOUT_ROOM


def test_a_store_that_cannot_be_written_is_a_sentence(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError):
        draw_demo(RunStore(tmp_path / "file"))
