"""The run store: what is written is read back, damage is named and stays where it is, a full disk leaves nothing
behind.
"""

import errno
import json
import os
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hand_made_runs import plain_metrics, score_table, write_finished_run
from hypothesis import given
from hypothesis import strategies as st
from tried_images import Tried, save_tried

from wtflow.config import settings_from
from wtflow.errors import DamagedRunError, DiskFullError, RunNotFoundError, SettingsError, StoreError, WTFlowError
from wtflow.jobs import trainings
from wtflow.records.core import RunStatus
from wtflow.results import open_results
from wtflow.store import layout
from wtflow.store.files import read_json, write_array, write_atomic, write_json
from wtflow.store.folders import default_home
from wtflow.store.runs import RunStore
from wtflow.store.tried import delete_tried, list_tried, tried_map

SETTINGS = settings_from("fast", {"seed": 3, "backbone_args": {"pad_type": "same"}})


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path / "runs")


@pytest.fixture
def run(store):
    return write_finished_run(store, SETTINGS)


# -- what is written is read back --------------------------------------------------------------------------------------


def test_a_new_run_is_queued_and_holds_what_it_was_asked_for(store, tmp_path):
    run_id = store.create(tmp_path / "data", "plate", SETTINGS)
    config = store.config(run_id)
    assert (config.settings, config.category, config.root) == (SETTINGS, "plate", str(tmp_path / "data"))
    assert config.versions["numpy"] == np.__version__
    assert store.status(run_id).state == "queued"
    assert store.data(run_id) is None
    assert store.steps(run_id).empty
    assert store.log_tail(run_id) == ""


def test_two_runs_made_in_the_same_second_get_folders_of_their_own(store):
    ids = [store.create(Path("data"), "plate", SETTINGS) for _ in range(2)]
    assert len(set(ids)) == 2
    assert store.ids() == sorted(ids, reverse=True), "newest first"


def test_scores_maps_index_and_status_come_back_as_they_were_written(store, run):
    pd.testing.assert_frame_equal(store.scores(run), score_table())
    assert store.maps(run)[3].tolist() == [[3.0] * 4] * 4
    assert isinstance(store.maps(run), np.memmap)
    assert store.metrics(run) == plain_metrics()
    ids, vectors = store.index(run)
    assert (ids, vectors.tolist()) == (["train/good/002.png"], [[1, 1, 1]])
    status = RunStatus(
        state="running",
        stage="train",
        step=3,
        total=9,
        percent=33.3,
        seconds_left=None,
        pid=17,
        pid_created=1.25,
        heartbeat=2.5,
    )
    store.write_status(run, status)
    assert store.status(run) == status


@pytest.mark.parametrize("category", ["plate", "Schräge Platte", "a/../../b", "..", "", "x" * 500, "牛"])
def test_the_id_of_a_run_is_valid_for_any_name_of_a_category(category):
    name = layout.run_name(category, "20260102-030405")
    assert layout.is_run_id(name)
    assert name.startswith("20260102-030405-")


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "../20260102-030405-x",
        "20260102-030405-",
        "20260102-030405-a/b",
        "20260102-030405-a\n",
        "20260102-030405-a.b",
        None,
        3,
    ],
)
def test_what_is_not_an_id_never_touches_the_disk(store, text):
    assert not layout.is_run_id(text)
    with pytest.raises(RunNotFoundError, match="There is no run"):
        store.folder(text)


def test_a_status_that_is_only_derived_is_never_written(store, run):
    with pytest.raises(ValueError, match="never written"):
        store.write_status(run, RunStatus(state="lost"))


def test_a_line_cut_off_by_a_crash_is_left_out_and_a_repeated_step_counts_once(store, run):
    for step, loss in ((2, 1.5), (3, 1.25), (2, 1.75)):
        store.append_step(run, step, loss, 1e-3)
    path = store.folder(run) / layout.STEPS
    path.write_bytes(
        path.read_bytes() + b'3\n[]\n{"step": Infinity, "loss": 1, "learning_rate": 1}\n\xff\xfe\n{"step": 4, "lo'
    )
    table = store.steps(run)
    assert table.step.tolist() == [1, 2, 3]
    assert table.loss.tolist() == [2.0, 1.75, 1.25]


def test_the_log_tail_is_the_last_lines_of_a_long_log(store, run):
    lines = [f"line {i} " + "x" * 100 for i in range(5000)]
    (store.folder(run) / layout.LOG).write_text("\n".join(lines))
    assert store.log_tail(run, 3).splitlines() == lines[-3:]
    (store.folder(run) / layout.LOG).write_bytes(b"\xff broken bytes\nfine")
    assert store.log_tail(run).endswith("fine")


def test_the_first_request_to_stop_counts_and_can_be_taken_back(store, run):
    assert store.stop_requested_at(run) is None
    store.request_stop(run)
    os.utime(store.folder(run) / layout.STOP, (100, 100))
    store.request_stop(run)
    assert store.stop_requested_at(run) == 100
    store.clear_stop(run)
    assert store.stop_requested_at(run) is None


def test_a_deleted_run_is_gone_and_the_others_stay(store, run):
    other = store.create(Path("data"), "disc", SETTINGS)
    store.delete(run)
    assert store.ids() == [other]
    assert [path.name for path in store.home.iterdir()] == [other]
    with pytest.raises(RunNotFoundError):
        store.delete(run)


def test_the_home_is_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("WTFLOW_HOME", str(tmp_path / "elsewhere"))
    assert default_home() == tmp_path / "elsewhere"
    monkeypatch.setenv("WTFLOW_HOME", "")
    monkeypatch.chdir(tmp_path)
    assert default_home() == tmp_path / "runs"
    assert RunStore().ids() == [], "a store that nobody has written to is empty"


def test_a_home_may_begin_with_the_users_own_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("WTFLOW_HOME", "~/runs of mine")
    assert default_home() == tmp_path / "runs of mine"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WTFLOW_HOME", "deep/~runs")
    assert default_home() == tmp_path / "deep/~runs", "only in front it means that"
    monkeypatch.setenv("WTFLOW_HOME", "~nobody-of-this-name/runs")
    with pytest.raises(SettingsError, match="nobody-of-this-name"):
        default_home()


# -- damage ------------------------------------------------------------------------------------------------------------


def cut(path: Path, share: float = 0.5) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])


def change_json(path: Path, **values) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def other_than_an_object(folder: Path) -> None:
    (folder / "status.json").write_text("[1, 2]")


def a_folder_in_place(path: Path) -> None:
    path.unlink()
    path.mkdir()


LISTED_AS_DAMAGED = {
    "config cut off": lambda folder: cut(folder / "config.json"),
    "config empty": lambda folder: cut(folder / "config.json", 0),
    "config missing": lambda folder: (folder / "config.json").unlink(),
    "config of a later version": lambda folder: change_json(folder / "config.json", schema_version=99),
    "config without version": lambda folder: (folder / "config.json").write_text("{}"),
    "config with a setting of the future": lambda folder: change_json(folder / "config.json", colour="red"),
    "config with a wrong setting": lambda folder: change_json(folder / "config.json", settings={"width": -1}),
    "config nested without end": lambda folder: (folder / "config.json").write_text("[" * 100_000),
    "config in bytes": lambda folder: (folder / "config.json").write_bytes(b"\xff\xfe\x00garbage"),
    "config a folder": lambda folder: a_folder_in_place(folder / "config.json"),
    "status missing": lambda folder: (folder / "status.json").unlink(),
    "status garbage": lambda folder: (folder / "status.json").write_bytes(os.urandom(64)),
    "status cut off": lambda folder: cut(folder / "status.json"),
    "status no object": other_than_an_object,
    "status of an unknown state": lambda folder: change_json(folder / "status.json", state="dreaming"),
    "status lost": lambda folder: change_json(folder / "status.json", state="lost"),
    "status with a list for a state": lambda folder: change_json(folder / "status.json", state=["running"]),
    "status with a word for a process": lambda folder: change_json(folder / "status.json", state="running", pid="abc"),
    "status with an impossible process": lambda folder: change_json(folder / "status.json", state="running", pid=-4),
    "status with a huge process": lambda folder: change_json(folder / "status.json", state="running", pid=10**30),
    "status without a time": lambda folder: change_json(folder / "status.json", state="running", heartbeat=None),
    "status with a field of the future": lambda folder: change_json(folder / "status.json", mood="good"),
    "metrics missing": lambda folder: (folder / "metrics.json").unlink(),
    "metrics cut off": lambda folder: cut(folder / "metrics.json"),
    "metrics without metrics": lambda folder: (folder / "metrics.json").write_text('{"seconds": {}}'),
    "scores missing": lambda folder: (folder / "scores.parquet").unlink(),
    "maps missing": lambda folder: (folder / "maps.npy").unlink(),
}


@pytest.mark.parametrize("damage", LISTED_AS_DAMAGED)
def test_a_damaged_run_is_listed_with_its_reason_and_breaks_nothing_else(store, run, damage):
    sound = store.create(Path("/data"), "disc", SETTINGS)
    store.write_status(sound, replace(store.status(sound), state="stopped"))
    LISTED_AS_DAMAGED[damage](store.folder(run))
    trainings.reconcile(store)
    found = {summary.run_id: summary for summary in trainings.live_summaries(store)}
    assert found.keys() == {run, sound}
    assert found[run].problem, "listed, with a reason"
    assert found[run].status is None
    assert not found[sound].problem
    assert found[sound].status.state == "stopped"
    with pytest.raises((DamagedRunError, RunNotFoundError)) as caught:
        open_results(store, run)
    assert caught.value.fix
    trainings.delete(store, run)
    assert store.ids() == [sound], "a damaged run can be deleted"


DAMAGED_WHEN_OPENED = {
    "scores cut off": ("scores.parquet", lambda path: cut(path)),
    "scores empty": ("scores.parquet", lambda path: cut(path, 0)),
    "scores garbage": ("scores.parquet", lambda path: path.write_bytes(os.urandom(500))),
    "scores of another table": ("scores.parquet", lambda path: pd.DataFrame({"a": [1]}).to_parquet(path)),
    "maps cut off": ("maps.npy", lambda path: cut(path)),
    "maps cut in the header": ("maps.npy", lambda path: cut(path, 0.1)),
    "maps empty": ("maps.npy", lambda path: cut(path, 0)),
    "maps garbage": ("maps.npy", lambda path: path.write_bytes(os.urandom(500))),
    "maps with one row less": ("maps.npy", lambda path: write_array(path, np.load(path)[1:])),
    "maps of another shape": ("maps.npy", lambda path: write_array(path, np.zeros(7))),
    "maps of text": ("maps.npy", lambda path: write_array(path, np.full((7, 2, 2), "x"))),
    "maps an archive": ("maps.npy", lambda path: shutil.copy(path.with_name("index.npz"), path)),
}


@pytest.mark.parametrize("damage", DAMAGED_WHEN_OPENED)
def test_damaged_results_are_an_error_that_names_the_file(store, run, damage):
    name, spoil = DAMAGED_WHEN_OPENED[damage]
    spoil(store.folder(run) / name)
    with pytest.raises(DamagedRunError, match=name.split(".")[0]):
        open_results(store, run)
    assert [summary.run_id for summary in store.summaries()] == [run], "and the list still stands"


@pytest.mark.parametrize("share", [0, 0.3, 0.9])
def test_a_damaged_index_is_an_error_that_names_it(store, run, share):
    cut(store.folder(run) / layout.INDEX, share)
    with pytest.raises(DamagedRunError, match=r"index\.npz"):
        store.index(run)


@pytest.mark.parametrize("name", [layout.SCORES, layout.MAPS])
def test_results_never_come_from_a_file_with_a_flipped_bit_except_as_a_table_of_the_same_shape(store, run, name):
    """Bit rot: whatever the parsers make of it, a person gets a sentence or a table that the pages can take."""
    path = store.folder(run) / name
    content = path.read_bytes()
    generator = np.random.default_rng(0)
    for _ in range(120):
        spoilt = bytearray(content)
        spoilt[generator.integers(min(len(spoilt), 6000))] ^= 1 << generator.integers(8)
        path.write_bytes(bytes(spoilt))
        try:
            results = open_results(store, run)
        except WTFlowError:
            continue
        assert list(results.table.columns) == list(layout.SCORE_COLUMNS)
        assert results.maps.ndim == 3


def test_foreign_folders_and_files_are_not_runs_and_those_named_like_one_are_damaged(store, run):
    for name in ("notes", ".git", "20260101-000000"):
        (store.home / name).mkdir()
    (store.home / "20260101-000000-file").write_text("a file named like a run")
    foreign = "20260101-000000-holiday"
    (store.home / foreign).mkdir()
    (store.home / foreign / "beach.jpg").write_bytes(b"")
    assert store.ids() == [run, foreign]
    assert "config.json is missing" in store.summary(foreign).problem


@given(st.binary(max_size=300))
def test_no_bytes_in_a_json_file_get_past_the_reader(content):
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "status.json"
        path.write_bytes(content)
        try:
            assert isinstance(read_json(path), dict)
        except DamagedRunError as error:
            assert "status.json" in error.message


def test_an_unfinished_run_has_no_results_and_the_error_says_why(store):
    run_id = store.create(Path("data"), "plate", SETTINGS)
    with pytest.raises(RunNotFoundError, match="it is queued"):
        open_results(store, run_id)
    for read in (store.scores, store.maps):
        with pytest.raises(RunNotFoundError, match="yet"):
            read(run_id)


# -- writing -----------------------------------------------------------------------------------------------------------


def test_a_reader_sees_the_old_file_or_the_new_one_and_never_half_of_either(tmp_path):
    path = tmp_path / "status.json"
    write_json(path, {"n": 0, "filling": "x" * 50_000})
    seen, done = set(), threading.Event()

    def read():
        while not done.is_set():
            seen.add(len(read_json(path)["filling"]))

    reader = threading.Thread(target=read)
    reader.start()
    for i in range(60):
        write_json(path, {"n": i, "filling": "x" * (50_000 + i % 2)})
    done.set()
    reader.join()
    assert seen <= {50_000, 50_001}
    assert [p.name for p in tmp_path.iterdir()] == ["status.json"]


def test_a_write_that_fails_midway_leaves_the_old_file(tmp_path):
    path = tmp_path / "scores"
    path.write_bytes(b"old")

    def write(file):
        file.write(b"half")
        raise RuntimeError("interrupted")

    with pytest.raises(RuntimeError):
        write_atomic(path, write)
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["scores"]


def test_json_that_no_other_program_could_read_is_refused(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "metrics.json", {"auroc": float("nan")})
    assert list(tmp_path.iterdir()) == []


class FullDisk:
    """A file that takes some bytes and then has no room, as /dev/full and a full partition do."""

    def __init__(self, file, room):
        self.file, self.room = file, room

    def write(self, data):
        data = bytes(data)
        self.file.write(data[: self.room])
        self.room -= len(data)
        if self.room < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return len(data)

    def __getattr__(self, name):
        return getattr(self.file, name)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.file.close()


@pytest.fixture
def full_disk(monkeypatch):
    """From now on no file can be written beyond its first ten bytes."""
    really_open = Path.open

    def open_full(self, mode="r", *args, **options):
        file = really_open(self, mode, *args, **options)
        return FullDisk(file, room=10) if set(mode) & set("wax") and "b" in mode else file

    monkeypatch.setattr(Path, "open", open_full)


def test_a_full_disk_is_said_in_a_sentence_and_the_old_files_stay(store, run, full_disk):
    folder = store.folder(run)
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    writes = [
        lambda: store.write_status(run, RunStatus(state="queued")),
        lambda: store.write_metrics(run, plain_metrics()),
        lambda: store.write_scores(run, score_table()),
        lambda: store.write_maps(run, np.ones((3, 4, 4), np.float32)),
        lambda: store.write_index(run, ["a"], np.ones((1, 3))),
        lambda: save_tried(store, run, Tried("a.png", 1.0, np.ones((4, 4), np.float32)), b"the bytes of an image"),
    ]
    for write in writes:
        with pytest.raises(DiskFullError, match="No space left") as caught:
            write()
        assert "WTFLOW_HOME" in caught.value.fix
    after = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert after == before
    assert list((folder / layout.TRIED).iterdir()) == []


def test_a_run_that_could_not_be_written_down_is_not_listed(store, full_disk):
    with pytest.raises(DiskFullError):
        store.create(Path("data"), "plate", SETTINGS)
    assert store.ids() == []
    assert list(store.home.iterdir()) == []


@pytest.fixture
def small_disk(tmp_path):
    """A real file system of 1 MiB; skips where this process may not mount one."""
    import subprocess

    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], capture_output=True, check=False
    ).returncode:
        pytest.skip("mounting a small file system needs root")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


@pytest.mark.parametrize("room", [0, 4096, 65_536])
def test_a_file_system_without_room_gives_the_same_sentence(small_disk, room):
    """NumPy, given a real file, reports a full disk without saying that it is one."""
    facts = os.statvfs(small_disk)
    (small_disk / "filling").write_bytes(bytes(facts.f_bavail * facts.f_frsize - room))
    with pytest.raises(DiskFullError, match="No space left"):
        write_array(small_disk / "maps.npy", np.ones((40, 40, 40)))
    table = pd.concat([score_table()] * 5000)
    table["score"] = np.random.default_rng(0).random(len(table))  # that does not compress
    with pytest.raises(DiskFullError, match="No space left"):
        write_atomic(small_disk / "scores.parquet", lambda file: table.to_parquet(file, index=False))
    assert [path.name for path in small_disk.iterdir()] == ["filling"]


def test_a_home_that_cannot_be_a_folder_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    store = RunStore(tmp_path / "file" / "runs")
    assert store.ids() == []
    with pytest.raises(StoreError, match="cannot be read or written"):
        store.create(Path("data"), "plate", SETTINGS)
    with pytest.raises(StoreError, match="cannot be read or written"):
        trainings.start(store, Path("data"), "plate", settings_from("fast"))


# -- tried images ------------------------------------------------------------------------------------------------------


def test_tried_images_are_kept_by_content_and_never_by_the_name_a_person_gave(store, run):
    tried = Tried(
        "../../etc/pass\x00wd.PNG",
        2.5,
        np.full((4, 4), 2.5, np.float32),
    )
    key = save_tried(store, run, tried, b"bytes of one")
    assert save_tried(store, run, replace(tried, score=3.5), b"bytes of one") == key, (
        "the same content again replaces the first"
    )
    other = save_tried(store, run, Tried("odd.exe", 1.0, np.zeros((4, 4), np.float32)), b"bytes of another")
    found = {facts["key"]: facts for facts in list_tried(store, run)}
    assert found.keys() == {key, other}
    assert found[key]["score"] == 3.5
    assert found[key]["image"].read_bytes() == b"bytes of one"
    assert tried_map(found[key]).tolist() == [[2.5] * 4] * 4
    assert found[key]["nearest"] == []
    assert found[other]["image"].suffix == ".bin"
    assert all(path.parent == store.folder(run) / layout.TRIED for path in (found[key]["image"], found[key]["map"]))
    delete_tried(store, run, [key])
    assert [facts["key"] for facts in list_tried(store, run)] == [other]
    assert len(list((store.folder(run) / layout.TRIED).iterdir())) == 3


@pytest.mark.parametrize("share", [0, 0.5])
def test_a_damaged_map_of_a_tried_image_is_named(store, run, share):
    save_tried(store, run, Tried("a.png", 1.0, np.zeros((4, 4), np.float32)), b"a")
    (facts,) = list_tried(store, run)
    cut(facts["map"], share)
    with pytest.raises(DamagedRunError, match=r"map of a\.png"):
        tried_map(facts)


@pytest.mark.parametrize("content", ["{}", '{"image": 3, "kept": 1}', '{"image": "a.png", "kept": "today"}', "garbage"])
def test_a_damaged_tried_image_is_named(store, run, content):
    save_tried(store, run, Tried("a.png", 1.0, np.zeros((4, 4), np.float32)), b"a")
    (store.folder(run) / layout.TRIED / "0000.json").write_text(content)
    with pytest.raises(DamagedRunError, match=r"0000\.json"):
        list_tried(store, run)
