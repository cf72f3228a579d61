"""Notes of a run on disk: small changes, two writers at once, kill -9 while saving, damage."""

import errno
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hand_made_runs import write_finished_run
from waiting import PATIENCE_S

from wtflow.config import settings_from
from wtflow.errors import DamagedRunError, DiskFullError, RunNotFoundError, SettingsError
from wtflow.records.notes import ImageNote, RunNotes
from wtflow.store import layout
from wtflow.store.note_file import as_stored
from wtflow.store.notes import (
    JOINT,
    MAX_COMMENT,
    MAX_NAME,
    MAX_TAG,
    MAX_TAGS,
    add_tag,
    clean_tag,
    flag_label,
    name_run,
    notes_of,
    remove_tag,
    set_comment,
    star_run,
    tag_run,
)
from wtflow.store.runs import RunStore

A, B = "test/crack/000.png", "test/good/001.png"


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path / "runs")


@pytest.fixture
def run(store):
    return write_finished_run(store, settings_from())


def file_of(store, run) -> Path:
    return store.folder(run) / layout.NOTES


# -- one writer --------------------------------------------------------------------------------------------------------


def test_a_run_without_notes_reads_as_empty_and_reading_writes_nothing(store, run):
    before = sorted(store.folder(run).iterdir())
    assert notes_of(store, run) == RunNotes()
    assert notes_of(store, run).is_empty and notes_of(store, run).note(A) == ImageNote()
    assert sorted(store.folder(run).iterdir()) == before


def test_what_is_written_is_read_back_by_another_store(store, run):
    add_tag(store, run, A, "faint")
    add_tag(store, run, A, "near the rim")
    flag_label(store, run, A, True)
    set_comment(store, run, A, "  <script>alert(1)</script>\r\nTür 1\n", 0)
    last = set_comment(store, run, None, "Second batch", 0).notes
    found = notes_of(RunStore(store.home), run)
    assert found == last
    assert found.note(A) == ImageNote(("faint", "near the rim"), "<script>alert(1)</script>\nTür 1", True, 1)
    assert (found.comment, found.revision) == ("Second batch", 1)
    assert found.flagged == {A}


def test_taking_everything_back_leaves_an_empty_note(store, run):
    add_tag(store, run, A, "faint")
    flag_label(store, run, A, True)
    set_comment(store, run, A, "x", 0)
    remove_tag(store, run, A, "faint")
    flag_label(store, run, A, False)
    assert not notes_of(store, run).is_empty
    assert set_comment(store, run, A, "", 1).notes.is_empty
    assert notes_of(store, run).image_tags == ()


def test_what_changes_nothing_does_not_write(store, run):
    add_tag(store, run, A, "faint")
    before = file_of(store, run).stat().st_mtime_ns
    add_tag(store, run, A, " faint ")
    remove_tag(store, run, A, "never there")
    flag_label(store, run, B, False)
    set_comment(store, run, A, "  ", 0)
    assert file_of(store, run).stat().st_mtime_ns == before
    assert set(notes_of(store, run).images) == {A}


def test_tags_are_listed_by_use_then_by_name(store, run):
    for image, tag in ((A, "rim"), (A, "faint"), (B, "dust"), (B, "rim")):
        add_tag(store, run, image, tag)
    assert notes_of(store, run).image_tags == ("rim", "dust", "faint")


def test_a_tag_in_other_capitals_is_the_tag_that_the_run_knows(store, run):
    add_tag(store, run, A, "Near the rim")
    assert add_tag(store, run, B, "near THE rim").note(B).tags == ("Near the rim",)
    assert add_tag(store, run, A, "NEAR the rim").note(A).tags == ("Near the rim",)


@pytest.mark.parametrize("tag", ["", "   ", "x" * (MAX_TAG + 1), "two\nlines", "a\tb", "a\0b", "a\u2028b", "\ud800"])
def test_a_tag_that_is_none_is_refused_with_a_sentence(store, run, tag):
    with pytest.raises(SettingsError, match="A tag"):
        add_tag(store, run, A, tag)
    assert not file_of(store, run).exists()


@pytest.mark.parametrize("tag", ["=1+1", "<b>&amp;", "`[x](y)`", "ö" * MAX_TAG, "日本", "../../etc"])
def test_any_visible_words_make_a_tag(store, run, tag):
    assert add_tag(store, run, A, f"  {tag} ").note(A).tags == (tag,)
    assert notes_of(store, run).note(A).tags == (tag,)


def test_one_letter_in_two_encodings_is_one_tag():
    assert clean_tag("u\u0308ber") == clean_tag("\u00fcber") == "über"


def test_one_tag_too_many_is_refused_and_the_others_stay(store, run):
    for i in range(MAX_TAGS):
        add_tag(store, run, A, f"tag {i}")
    with pytest.raises(SettingsError, match=f"{MAX_TAGS} tags already"):
        add_tag(store, run, A, "one more")
    assert len(notes_of(store, run).note(A).tags) == MAX_TAGS
    assert add_tag(store, run, A, "tag 3").note(A).tags[3] == "tag 3"


def test_a_comment_has_a_length_and_a_full_one_fits(store, run):
    assert set_comment(store, run, A, "x" * MAX_COMMENT, 0).notes.note(A).comment == "x" * MAX_COMMENT
    with pytest.raises(SettingsError, match=f"{MAX_COMMENT + 1} characters"):
        set_comment(store, run, A, "x" * (MAX_COMMENT + 1), 1)
    with pytest.raises(SettingsError, match="control characters"):
        set_comment(store, run, A, "a\0b", 1)


def test_an_unknown_run_is_not_created_by_writing_about_it(store, run):
    for run_id in ("20200101-000000-gone", "../x"):
        with pytest.raises(RunNotFoundError):
            add_tag(store, run_id, A, "x")
    assert store.ids() == [run]


# -- the run as a whole ------------------------------------------------------------------------------------------------


def test_a_run_has_a_name_tags_and_a_star_and_its_summary_tells_them(store, run):
    name_run(store, run, "  Screws, dull light ")
    tag_run(store, run, (), ("best so far", "for Ann"))
    star_run(store, run, True)
    add_tag(store, run, A, "faint")
    found, summary = notes_of(RunStore(store.home), run), store.summary(run)
    assert (found.name, found.tags, found.star) == ("Screws, dull light", ("best so far", "for Ann"), True)
    assert (summary.name, summary.tags, summary.star) == (found.name, found.tags, found.star)
    assert found.image_tags == ("faint",), "tags of images are not those of the run"


def test_taking_name_tags_and_star_back_leaves_a_file_that_030_reads(store, run):
    name_run(store, run, "x")
    tag_run(store, run, (), ("y",))
    star_run(store, run, True)
    name_run(store, run, " ")
    tag_run(store, run, ("y",), ())
    assert star_run(store, run, False).is_empty
    assert set(json.loads(file_of(store, run).read_text())) == {"schema_version", "comment", "revision", "images"}


@pytest.mark.parametrize("name", ["x" * (MAX_NAME + 1), "two\nlines", "a\0b", "a\u2028b", "\ud800", "\u202egnp.exe"])
def test_a_name_that_is_none_is_refused_with_a_sentence(store, run, name):
    with pytest.raises(SettingsError, match="A name"):
        name_run(store, run, name)
    assert not file_of(store, run).exists()


@pytest.mark.parametrize("name", ["=1+1", "<b>&amp;", "`[x](y)`", "ö" * MAX_NAME, "日本", "../../etc", "x" * MAX_NAME])
def test_any_visible_words_make_a_name(store, run, name):
    assert name_run(store, run, name).name == store.summary(run).name == name


def test_tags_of_a_run_that_two_windows_change_are_both_kept(store, run):
    tag_run(store, run, (), ("old", "other"))
    tag_run(store, run, ("old", "other"), ("old", "other", "mine"))
    assert tag_run(store, run, ("old", "other"), ("other", "yours", "MINE")).tags == ("other", "mine", "yours")


def test_a_run_takes_so_many_tags_and_no_more(store, run):
    tags = [f"tag {i}" for i in range(MAX_TAGS)]
    tag_run(store, run, (), tags)
    with pytest.raises(SettingsError, match=f"at most {MAX_TAGS} tags"):
        tag_run(store, run, tags, [*tags, "one more"])
    with pytest.raises(SettingsError, match="A tag"):
        tag_run(store, run, tags, ["two\nlines"])
    assert notes_of(store, run).tags == tuple(tags)


# -- two windows -------------------------------------------------------------------------------------------------------


def test_a_comment_changed_in_another_window_is_kept_beside_the_new_one(store, run):
    start = set_comment(store, run, A, "seen", 0).notes.note(A).revision
    first = set_comment(store, run, A, "seen by Ann", start)
    second = set_comment(store, run, A, "seen by Bob", start)
    assert (first.is_joined, second.is_joined) == (False, True)
    assert second.notes.note(A).comment == f"seen by Ann{JOINT}seen by Bob"
    assert second.notes.note(A).revision == start + 2


def test_an_old_window_cannot_empty_a_comment_that_it_has_not_seen(store, run):
    set_comment(store, run, A, "Ann", 0)
    assert set_comment(store, run, A, "", 0).is_joined
    assert notes_of(store, run).note(A).comment == "Ann"


def test_the_same_words_twice_are_kept_once(store, run):
    set_comment(store, run, A, "Ann", 0)
    assert not set_comment(store, run, A, "Ann", 0).is_joined
    assert notes_of(store, run).note(A).comment == "Ann"


def test_two_full_comments_are_both_kept_and_can_be_shortened_afterwards(store, run):
    set_comment(store, run, None, "a" * MAX_COMMENT, 0)
    joined = set_comment(store, run, None, "b" * MAX_COMMENT, 0).notes
    assert joined.comment == "a" * MAX_COMMENT + JOINT + "b" * MAX_COMMENT
    shorter = joined.comment[:-1]
    assert set_comment(store, run, None, shorter, joined.revision).notes.comment == shorter


def test_tags_and_flags_of_two_windows_do_not_touch_each_other(store, run):
    other = RunStore(store.home)
    add_tag(store, run, A, "mine")
    add_tag(other, run, A, "yours")
    flag_label(store, run, A, True)
    remove_tag(other, run, A, "mine")
    assert notes_of(store, run).note(A) == ImageNote(("yours",), "", True, 0)


# -- processes ---------------------------------------------------------------------------------------------------------


def write_many(home: str, run_id: str, name: str, n: int) -> None:
    """A person in a hurry: tags an image of their own and one that all share, and adds to the comment that all
    share.
    """
    store = RunStore(Path(home))
    for i in range(n):
        add_tag(store, run_id, f"test/{name}/{i:03d}.png", name)
        add_tag(store, run_id, A, f"{name} {i}")
        set_comment(store, run_id, B, f"[{name} {i}]", 0)
        time.sleep(0.003)


def write_until_killed(home: str, run_id: str, start: int) -> None:
    """Saves one change after the other and prints each time which one is on the disk."""
    store = RunStore(Path(home))
    for i in itertools.count(start):
        add_tag(store, run_id, f"test/{i:05d}.png", f"tag {i % 7}")
        sys.stdout.write(f"{i}\n")
        sys.stdout.flush()


def start(function: Callable[..., None], store: RunStore, *arguments: object) -> subprocess.Popen:
    """Another process that calls a function of this file; what it prints can be read line by line."""
    code = f"import {__name__}; {__name__}.{function.__name__}{(str(store.home), *arguments)!r}"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    return subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True)


def test_three_processes_that_write_at_once_lose_nothing(store, run):
    names, n = ("ann", "bob", "cyd"), 6
    writers = [start(write_many, store, run, name, n) for name in names]
    for writer in writers:
        writer.communicate(timeout=PATIENCE_S)
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    notes = notes_of(store, run)
    for name in names:
        assert [notes.note(f"test/{name}/{i:03d}.png").tags for i in range(n)] == [(name,)] * n
    words = {f"{name} {i}" for name in names for i in range(n)}
    assert set(notes.note(A).tags) == words
    assert sorted(notes.note(B).comment.split(JOINT)) == sorted(f"[{word}]" for word in words)


def test_kill_9_while_saving_loses_nothing_that_was_saved(store, run):
    set_comment(store, run, None, "before", 0)
    saved, kills, met_at_work = -1, 0, 0
    while kills < 10 or (met_at_work < 3 and kills < 100):
        with start(write_until_killed, store, run, saved + 1) as writer:
            saved = int(writer.stdout.readline())
            time.sleep(0.0013 * (kills % 10))  # another moment of the save each time
            writer.kill()
            said = [int(line) for line in writer.stdout if line.endswith("\n")]
        saved = max([saved, *said])
        met_at_work += any(store.folder(run).glob(f".{layout.NOTES}.*"))
        notes = notes_of(store, run)
        assert notes.comment == "before"
        written = {int(name[5:10]) for name in notes.images}
        assert written in (
            set(range(saved + 1)),
            set(range(saved + 2)),
        ), "all that was said to be saved, and at most the one under way"
        saved, kills = max(written), kills + 1
    assert met_at_work, "no kill met a writer with the file half written, so nothing was tested"
    add_tag(store, run, A, "goes on")
    assert not list(store.folder(run).glob(f".{layout.NOTES}.*")), "what killed writers left is cleared away"


# -- damage ------------------------------------------------------------------------------------------------------------


def stored(**changes) -> str:
    image = {"tags": ["x"], "comment": "", "label_is_wrong": False, "revision": 0} | changes.pop("image", {})
    return json.dumps({"schema_version": 1, "comment": "", "revision": 0, "images": {A: image}} | changes)


def test_the_sound_file_that_the_damaged_ones_are_made_of_is_read(store, run):
    file_of(store, run).write_text(stored())
    assert notes_of(store, run).note(A).tags == ("x",)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        stored()[:-20],
        "\0" * 200,
        '{"a":' * 5000,
        stored(schema_version=2),
        stored(schema_version="1"),
        stored(unknown=1),
        stored(comment=None),
        stored(revision=-1),
        stored(images=[]),
        stored(image={"tags": "x"}),
        stored(image={"tags": [1]}),
        stored(image={"label_is_wrong": "no"}),
        stored(image={"mood": "good"}),
        stored(name=None),
        stored(tags="x"),
        stored(star=1),
    ],
)
def test_a_damaged_file_is_a_sentence_and_is_never_written_over(store, run, content):
    path = file_of(store, run)
    path.write_text(content)
    for attempt in (
        lambda: notes_of(store, run),
        lambda: add_tag(store, run, A, "x"),
        lambda: set_comment(store, run, None, "x", 0),
    ):
        with pytest.raises(DamagedRunError, match="notes.json of .* cannot be read") as caught:
            attempt()
        assert "move it out" in caught.value.fix
    assert path.read_text() == content


def test_bytes_that_are_no_text_are_damage_too(store, run):
    file_of(store, run).write_bytes(b'{"comment": "\xff\xfe"}')
    with pytest.raises(DamagedRunError, match="notes.json"):
        notes_of(store, run)


def test_the_rest_of_a_run_with_damaged_notes_is_sound(store, run):
    file_of(store, run).write_text("{")
    summary = store.summary(run)
    assert (summary.problem, summary.name, summary.tags, summary.star) == ("", "", (), False)


def test_an_exported_file_can_be_put_back(store, run):
    add_tag(store, run, A, "faint")
    set_comment(store, run, A, "x", 0)
    name_run(store, run, "mine")
    notes = tag_run(store, run, (), ("y",))
    file_of(store, run).write_text(json.dumps(as_stored(notes)))
    assert notes_of(store, run) == notes


def test_a_full_disk_is_said_and_the_old_notes_stay(store, run, monkeypatch):
    add_tag(store, run, A, "kept")

    def full(file):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFullError, match="No space left while writing notes.json"):
        add_tag(store, run, A, "lost")
    assert notes_of(store, run).note(A).tags == ("kept",)
    assert [path.name for path in store.folder(run).glob(".notes*")] == []
