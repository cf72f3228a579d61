"""Who may only look writes nothing, starts no process, reads no folder of the server and deletes nothing."""

import ast
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import sources
from hand_made_runs import write_finished_run
from run_folders import tiny_settings
from sources import tree_of

from pages.ui.errors import plain
from pages.ui.inspect.watching import _aftermath_words
from wtflow import permission
from wtflow.datasets.allowed import check_allowed, check_typed, list_below
from wtflow.errors import LayoutError, NotAllowedError
from wtflow.inspecting import tasks
from wtflow.inspecting.webhook import SETTINGS
from wtflow.intake import versions
from wtflow.jobs import demos, processes, studies, trainings
from wtflow.permission import LOOK, TRAIN
from wtflow.records.inspect import InspectSettings
from wtflow.store import datasets, decisions, derived, files, layout, notes, opened, tried, what_ifs
from wtflow.store.runs import RunStore
from wtflow.studies.requests import PicturesRequest


@pytest.fixture
def store(tmp_path):
    (tmp_path / "runs").mkdir()
    return RunStore(tmp_path / "runs")


@pytest.fixture
def run_id(store):
    return write_finished_run(store, tiny_settings())


@pytest.fixture
def looking(store, run_id, monkeypatch):
    """From here on, the person at work may only look."""
    monkeypatch.setattr(permission, "_ask", lambda: LOOK)


def snapshot(folder):
    """The index of runs is left out: it is made again from the folders whenever it is gone."""
    kept = (path for path in folder.rglob("*") if path.name != ".lock" and not path.name.startswith(layout.RUNS_INDEX))
    return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in kept}


def attempts(store, run_id):
    """Name -> a call that changes something."""
    return {
        "start": lambda: trainings.start(store, store.home, "plate", tiny_settings()),
        "create": lambda: store.create(store.home, "plate", tiny_settings()),
        "stop": lambda: store.request_stop(run_id),
        "delete": lambda: trainings.delete(store, run_id),
        "delete in the store": lambda: store.delete(run_id),
        "name": lambda: notes.name_run(store, run_id, "x"),
        "tag": lambda: notes.add_tag(store, run_id, "test/good/000.png", "x"),
        "comment": lambda: notes.set_comment(store, run_id, None, "x", 0),
        "flag": lambda: notes.flag_label(store, run_id, "test/good/000.png", True),
        "threshold": lambda: decisions.release_decision(store, run_id),
        "study": lambda: studies.start_task(store, run_id, PicturesRequest()),
        "stop a study": lambda: studies.stop_task(store, run_id, PicturesRequest()),
        "forget a study": lambda: studies.forget_failure(store, run_id, PicturesRequest()),
        "draw the demo": lambda: demos.draw_demo(store, ("fabric",)),
        "process": lambda: processes.launch("wtflow", [], store.home / "log", store.home),
        "inspect": lambda: tasks.start(store, run_id, [str(store.home)]),
        "delete a painting": lambda: what_ifs.delete_what_ifs(store, run_id, ["x"]),
        "delete an answer": lambda: tried.delete_tried(store, run_id, ["x"]),
        "data set": lambda: datasets.create_set(store, "mine"),
        "delete a data set": lambda: datasets.remove_folder(store, "mine"),
        "publish": lambda: versions.publish(store, "mine"),
        "browse": lambda: list_below(store.home),
        "read a folder": lambda: check_allowed(store.home),
        "write": lambda: files.write_json(store.home / "x.json", {}),
    }


NAMES = sorted(attempts(RunStore(Path("none")), ""))


@pytest.mark.parametrize("name", NAMES)
def test_who_may_only_look_changes_nothing(store, run_id, looking, name):
    before = snapshot(store.home)
    with pytest.raises(NotAllowedError, match="You may look here, but not"):
        attempts(store, run_id)[name]()
    assert snapshot(store.home) == before


def test_the_same_is_allowed_to_who_trains(store, run_id):
    assert permission.role() == TRAIN
    notes.name_run(store, run_id, "x")
    store.request_stop(run_id)
    store.delete(run_id)
    assert run_id not in store.ids()


def test_what_is_computed_in_passing_is_kept_for_who_looks(store, run_id, looking):
    path = store.folder(run_id) / "derived" / "x-0.npz"
    derived.write(path, {}, {"a": 1})
    assert path.is_file()
    trainings.reconcile(store)


def test_what_others_find_open_is_not_chosen_by_who_looks(store, run_id, looking):
    opened.remember_opened(store, run_id)
    assert opened.opened_last(store) is None


def test_with_roots_a_typed_path_lies_in_one_or_among_the_runs(store, tmp_path, monkeypatch):
    images, elsewhere = tmp_path / "images", tmp_path / "elsewhere"
    for folder in (images, elsewhere):
        folder.mkdir()
    (images / "way out").symlink_to(elsewhere)
    check_typed(elsewhere, store.home)
    monkeypatch.setenv("WTFLOW_ROOTS", str(images))
    for path in (images, images / "plate", store.home / "demo"):
        check_typed(path, store.home)
    outside = (elsewhere, images / "way out", f"{images}/../elsewhere", f"{images}2", "/", "/etc", "a\0b", "~nobody/x")
    for path in outside:
        with pytest.raises(LayoutError, match="outside the folders"):
            check_typed(path, store.home)


def test_a_secret_in_the_address_of_a_webhook_is_shown_to_nobody(store):
    (store.home / SETTINGS).write_text(
        '{"webhook": "https://user:canary@hooks.example.org/services/canary?key=canary"}'
    )
    said = _aftermath_words(store, SimpleNamespace(settings=InspectSettings(True)))
    assert "canary" not in said and "hooks.example.org" in said


def test_permission_in_passing_ends_with_its_block(looking):
    with permission.in_passing():
        permission.need_train("x")
    with pytest.raises(NotAllowedError):
        permission.need_train("x")


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("/home/me/images/plate", "…/plate"),
        ("'/home/my own/images/plate' is no folder.", "'…/plate' is no folder."),
        (r"C:\Users\me\plate is gone", "…/plate is gone"),
        ("Images in /srv/a/b.png and /srv/c/d.png", "Images in …/b.png and …/d.png"),
        ("test/good/000.png", "test/good/000.png"),
        ("on/off, 3/4, km/h", "on/off, 3/4, km/h"),
    ],
)
def test_paths_of_the_server_are_shown_to_who_trains_alone(monkeypatch, text, seen):
    assert ("…" in plain(text)) is False
    monkeypatch.setattr(permission, "_ask", lambda: LOOK)
    assert plain(text).replace("\\", "") == seen.replace("\\", "")


# -- a new function that changes something -----------------------------------------------------------------------------

CHANGING = {"rmtree", "unlink", "rename", "touch", "Popen", "copy2", "copyfile"}
"""What changes the disk or starts a process. Files are written by `write_atomic`, which asks."""
SUSPECT = re.compile(rf"\.(?:{'|'.join(sorted(CHANGING))})\(")
OUTSIDE = ("wtflow/bench/", "wtflow/pretraining/", "wtflow/cli/", "wtflow/training/")
"""No page calls these."""
DECIDED = {
    "_draw": "the demo's own process",
    "_swap": "the demo's own process",
    "clear_status": "what a process of ours left behind",
    "put_into": "the process of an inspection",
    "keep_renamed": "the process of an inspection",
    "_change": "called after write_atomic, or in a changing function",
    "_write_images": "called by publish",
    "_link_or_copy": "called by publish",
    "_put_in_place": "called by publish",
    "change": "called by publish",
    "_clear": "called by functions that ask",
    "to_mp4": "a movie, in a folder for the moment",
    "discard": "derived: can be made again",
    "writer": "the cache of features",
    "is_moved": "called after write_json, which asks",
    "one_at_a_time": "the cache of features",
    "throw_away": "the index of runs: made again from the folders",
    "clear": "the shell",
    "_make_room": "caches",
    "write_atomic": "asks by itself",
    "find": "a graph that is damaged: can be made again",
    "clear_stop": "called before launch, which asks",
    "tidy": "what killed processes left behind",
    "_remove_half_written": "what killed processes left behind",
    "_remove_of_pass": "what killed processes left behind",
    "begin": "the process of a training",
    "settle": "the process of a training",
    "_remove": "the process of a training",
    "write_place": "called after relocate has written",
    "free_reserve": "the process of a training",
    "forget_before": "the process of a training",
    "keep_small": "pictures: can be made again",
    "_fill": "called by keep_run",
    "_link_pictures": "called by keep_run",
}


def asks(function: ast.FunctionDef) -> bool:
    """Whether the function asks for the role: by `changes`, or by a call of `need_train`."""
    names = {
        node.id
        for part in (*function.decorator_list, *function.body)
        for node in ast.walk(part)
        if isinstance(node, ast.Name)
    }
    return bool(names & {"changes", "need_train"})


def test_a_function_that_changes_the_disk_asks_for_the_role_or_somebody_decided_that_it_need_not():
    found = {}
    for name, path in sources.SOURCES.items():
        if name.startswith("wtflow/") and not name.startswith(OUTSIDE) and SUSPECT.search(path.read_text("utf-8")):
            for node in ast.walk(tree_of(path)):
                if isinstance(node, ast.FunctionDef) and not asks(node):
                    called = {
                        one.func.attr
                        for one in ast.walk(node)
                        if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute)
                    }
                    if called & CHANGING:
                        found[node.name] = name
    assert len(found) > 10
    assert {name: where for name, where in found.items() if name not in DECIDED} == {}


def test_pages_write_nothing_themselves():
    for name, path in sources.SOURCES.items():
        if name.startswith("pages/") and name != "pages/ui/intake/mask_import.py":  # a folder for the moment
            text = path.read_text("utf-8")
            assert not SUSPECT.search(text) and not re.search(r"\.(?:write_text|write_bytes|mkdir|system)\(", text), (
                name
            )
