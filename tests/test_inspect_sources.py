"""Which images an inspection is of, when a watched file is complete, what becomes of defective ones. No network."""

import json
import os
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from waiting import wait_until

from wtflow.errors import DatasetError, SettingsError
from wtflow.inspecting.aftermath import put_into
from wtflow.inspecting.sources import Item, labels_of, list_images, natural
from wtflow.inspecting.watched import Watched
from wtflow.inspecting.webhook import WatchSettings, Webhook, watch_settings
from wtflow.records.inspect import Inspected

ROW = Inspected("a.png", "/x/a.png", 3.0, "defective", 2.0)


def touch(*paths):
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(path.name.encode(errors="surrogateescape"))


def names(*sources, without=()):
    return [item.image for item in list_images(sources, without).items]


# -- sources -----------------------------------------------------------------------------------------------------------


def test_a_folder_is_listed_to_its_bottom_in_natural_order_without_junk(tmp_path):
    found = ["2.png", "10.JPG", "a/9.png", "a/10.png", "a/b/1.tif"]
    other = [".hidden.png", "Thumbs.db", ".cache/1.png", "__MACOSX/1.png", "notes.txt", "a/1.png.part", "a/._9.png"]
    touch(*(tmp_path / name for name in (*found, *other)))
    assert names(tmp_path) == found


def test_links_lead_nowhere_and_those_that_lead_out_are_counted(tmp_path):
    touch(tmp_path / "in/1.png", tmp_path / "out/secret.png", tmp_path / "in/deep/2.png")
    (tmp_path / "in/secret.png").symlink_to(tmp_path / "out/secret.png")
    (tmp_path / "in/folder").symlink_to(tmp_path / "out")
    (tmp_path / "in/again").symlink_to(tmp_path / "in")
    (tmp_path / "in/beside").symlink_to(tmp_path / "in/1.png")
    (tmp_path / "in/dead.png").symlink_to(tmp_path / "nothing.png")
    listing = list_images([tmp_path / "in"])
    assert [item.image for item in listing.items] == ["1.png", "deep/2.png"]
    assert listing.n_links == 4, "the circle leads to the folder itself, not into it"
    assert "links lead out" in listing.notes[0]
    (tmp_path / "way").symlink_to(tmp_path / "in")
    assert names(tmp_path / "way") == ["1.png", "deep/2.png"], "a folder that was named itself may be a link"


def test_folders_that_are_written_to_are_left_out(tmp_path):
    touch(tmp_path / "1.png", tmp_path / "out/overlays/1.png", tmp_path / "outer/2.png")
    assert names(tmp_path, without=[tmp_path / "out"]) == ["1.png", "outer/2.png"]


def test_images_of_several_sources_have_different_names(tmp_path):
    touch(tmp_path / "a/x/1.png", tmp_path / "b/x/1.png", tmp_path / "c/1.png", tmp_path / "1.png")
    sources = [tmp_path / "a/x", tmp_path / "b/x", tmp_path / "1.png", tmp_path / "c/1.png"]
    assert names(*sources) == ["x/1.png", "x (2)/1.png", "1.png", "1 (2).png"]
    assert labels_of([tmp_path / "1.png"]) == ["1.png"]
    with pytest.raises(DatasetError, match="does not exist"):
        list_images([tmp_path / "absent"])


def test_a_name_that_is_no_utf_8_is_shown_as_text_and_still_leads_to_its_file(tmp_path):
    touch(tmp_path / os.fsdecode(b"\xff.png"))
    (item,) = list_images([tmp_path]).items
    item.image.encode()
    assert item.path.read_bytes() == b"\xff.png"


@given(st.lists(st.text(st.sampled_from("ab/.01239²é"), max_size=8), max_size=8))
def test_natural_order_is_an_order_whatever_the_names(texts):
    keys = sorted(map(natural, texts))
    assert all(one <= two for one, two in zip(keys, keys[1:], strict=False))
    assert natural("a2") < natural("a10") < natural("b1")


# -- watching ----------------------------------------------------------------------------------------------------------


def item(name, *stamp):
    return Item(name, Path(name), stamp)


def test_a_file_is_ready_once_it_is_the_same_at_two_looks_in_a_row():
    watched = Watched(lambda item: False)
    assert watched.look([item("a", 1, 1)]) == []
    assert watched.look([item("a", 2, 2)]) == [], "it grew"
    assert watched.look([item("a", 2, 2), item("b", 1, 1)]) == [item("a", 2, 2)]
    assert watched.look([]) == [], "a was taken away"
    assert watched.look([item("a", 2, 2), item("b")]) == [], "and counts as new"
    assert watched.look([item("a", 2, 2), item("b")]) == [item("a", 2, 2)], "b cannot be looked at"


def test_what_is_done_is_not_ready_until_it_changes():
    done = {("a", (1, 1))}
    watched = Watched(lambda item: (item.image, item.stamp) in done)
    for _ in range(3):
        assert watched.look([item("a", 1, 1)]) == []
    watched.look([item("a", 2, 2)])
    assert watched.look([item("a", 2, 2)]) == [item("a", 2, 2)]


def test_a_file_that_does_not_decode_counts_as_broken_only_after_some_tries_without_a_change():
    watched = Watched(lambda item: False, broken_after=3)
    watched.look([item("a", 1, 1)])
    said = []
    for stamp in [(1, 1), (1, 1), (2, 2), (2, 2), (2, 2), (2, 2)]:
        if watched.look([item("a", *stamp)]):
            said.append(watched.is_broken("a"))
    assert said == [False, False, False, False, True], "the second half came before the third try"
    assert not watched.is_broken("never seen")


# -- afterwards --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_moved", [True, False])
def test_a_defective_file_is_put_beside_others_of_its_name_and_never_out_of_the_folder(tmp_path, is_moved):
    touch(tmp_path / "in/a.png", tmp_path / "bad/a.png", tmp_path / "bad/a (2).png")
    found = put_into(tmp_path / "in/a.png", tmp_path / "bad", "../../a.png", is_moved=is_moved)
    assert found == tmp_path / "bad/a (3).png"
    assert found.read_bytes() == b"a.png"
    assert (tmp_path / "in/a.png").exists() != is_moved
    assert sorted(path.name for path in (tmp_path / "bad").iterdir()) == ["a (2).png", "a (3).png", "a.png"]


def test_the_webhook_is_off_unless_the_settings_name_an_http_address(tmp_path):
    assert watch_settings(tmp_path).webhook == ""
    for text in ('{"webhook": "file:///etc/passwd"}', '{"webhook": "http://"}', '{"hook": ""}', "{", '{"tries": 0}'):
        (tmp_path / "watch.json").write_text(text)
        with pytest.raises(SettingsError, match="watch.json is not valid"):
            watch_settings(tmp_path)
    (tmp_path / "watch.json").write_text('{"webhook": "https://line.example/parts", "of": "all"}')
    assert watch_settings(tmp_path).of == "all"


class Listener(BaseHTTPRequestHandler):
    """Answers 503 to the first call, then 204, and redirects elsewhere from /moved."""

    heard: list[dict] = []

    def do_POST(self):  # noqa: N802 - as http.server names it
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.heard.append(body | {"at": self.path})
        self.send_response(302 if self.path == "/moved" else 503 if len(self.heard) == 1 else 204)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *arguments):
        pass


def test_messages_arrive_after_a_second_try_and_one_that_does_not_is_noted_on_its_image():
    server = HTTPServer(("127.0.0.1", 0), Listener)
    Listener.heard = []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    try:
        hook = Webhook(WatchSettings(webhook=f"{address}/parts", pause_s=0.0), {"detector": "plate"})
        hook.send(replace(ROW, verdict="normal"))
        hook.send(ROW)
        wait_until(lambda: len(Listener.heard) == 2)
        hook.close()
        assert list(hook.failures()) == []
        assert [one["image"] for one in Listener.heard] == ["a.png", "a.png"]
        assert Listener.heard[1]["detector"] == "plate"
        assert Listener.heard[1]["score"] == 3.0

        away = Webhook(WatchSettings(webhook=f"{address}/moved", pause_s=0.0, tries=2), {})
        away.send(ROW)
        away.close()
        ((image, note),) = away.failures()
        assert image == "a.png"
        assert "was not told" in note
        assert "/elsewhere" not in {one["at"] for one in Listener.heard}, "no redirect is followed"
        assert away.notes
    finally:
        server.shutdown()
        server.server_close()


def test_a_webhook_that_hangs_stops_nothing():
    release, asked = threading.Event(), []

    def hang(address, body, timeout_s):
        asked.append(body)
        release.wait()
        raise TimeoutError("timed out")

    hook = Webhook(WatchSettings(webhook="http://127.0.0.1/", tries=1), {}, hang)
    for _ in range(1200):
        hook.send(ROW)
    wait_until(lambda: len(asked) == 1)
    assert len(list(hook.failures())) >= 199, "beyond a thousand that wait, messages are given up at once"
    release.set()
    hook.close()
    assert "timed out" in hook.notes[0]
