"""A watched folder: files that come in two halves, under temporary names, broken, renamed: each scored once, whole."""

import hashlib
import json
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from image_folders import encode, noise
from run_folders import train_here, write_tiny_category
from waiting import PATIENCE_S

from wtflow.inspecting import kept, tasks
from wtflow.inspecting.work import inspect_here
from wtflow.machine.progress import StopRequestedError
from wtflow.records.inspect import InspectSettings
from wtflow.store.runs import RunStore

PER_SECOND = 50


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("watch")
    store = RunStore(folder / "runs")
    return store, train_here(store, write_tiny_category(folder / "data"))


class Line(threading.Thread):
    """Writes n images, 50 a second, each in two halves; every third under a temporary name that is an image's, too."""

    def __init__(self, folder, n):
        super().__init__(daemon=True)
        self.folder, self.n, self.contents = folder, n, {}

    def run(self):
        for i in range(self.n):
            content = encode(noise(i, (64, 64, 3)), "PNG" if i % 2 else "BMP")
            path = self.folder / f"part {i:05d}.{'png' if i % 2 else 'bmp'}"
            first = self.folder / f".{path.name}" if i % 3 == 0 else path
            self.contents[path.name] = hashlib.sha256(content).hexdigest()
            with first.open("wb") as file:
                file.write(content[: len(content) // 2])
                file.flush()
                time.sleep(0.5 / PER_SECOND)
                file.write(content[len(content) // 2 :])
            first.rename(path)
            time.sleep(0.5 / PER_SECOND)


def watch(made, folder, is_over, patience_s=PATIENCE_S, **settings):
    """Watch until `is_over` holds for the inspection. Returns its id and the rows as they came."""
    store, run_id = made
    begun = tasks.create(store, run_id, [folder], settings=InspectSettings(watch=True, **settings))
    end, came = time.monotonic() + patience_s, []

    def tell(inspection):
        assert time.monotonic() < end, inspection
        if is_over(inspection):
            raise StopRequestedError

    inspect_here(store, begun.inspection_id, tell, came.append)
    return begun.inspection_id, came


@pytest.mark.parametrize("seconds", [1, pytest.param(60, marks=pytest.mark.slow)])
def test_of_fifty_files_a_second_in_two_halves_none_is_lost_or_half_read_and_each_is_scored_once(
    made, tmp_path, monkeypatch, seconds
):
    monkeypatch.setattr("wtflow.inspecting.session.STATUS_EVERY_S", 0.05)
    monkeypatch.setattr("wtflow.inspecting.work.LOOK_EVERY_S", 0.1)
    line = Line(tmp_path, PER_SECOND * seconds)
    line.start()
    inspection_id, came = watch(
        made,
        tmp_path,
        lambda one: not line.is_alive() and one.counts.n_done == line.n,
        PATIENCE_S + 5 * seconds,  # a busy machine writes them more slowly, too
    )
    rows = kept.rows(made[0], inspection_id)
    assert {row.image: row.sha256 for row in rows} == line.contents
    assert not any(row.problem for row in rows)
    assert set(Counter(row.image for row in came).values()) == {1}


def test_a_broken_file_becomes_a_row_and_a_renamed_one_keeps_its_own(made, tmp_path, monkeypatch):
    monkeypatch.setattr("wtflow.inspecting.session.STATUS_EVERY_S", 0.0)
    monkeypatch.setattr("wtflow.inspecting.work.LOOK_EVERY_S", 0.01)
    (tmp_path / "a.png").write_bytes(encode(noise(1, (64, 64, 3)), "PNG"))
    (tmp_path / "half.png").write_bytes(encode(noise(2, (64, 64, 3)), "PNG")[:2000])

    def is_over(inspection):
        if inspection.counts.n_done == 2 and (tmp_path / "a.png").exists():
            (tmp_path / "a.png").rename(tmp_path / "b.png")
        return any(row.image == "b.png" for row in kept.rows(made[0], inspection.inspection_id))

    inspection_id, came = watch(made, tmp_path, is_over)
    assert sorted(row.image for row in came) == ["a.png", "half.png"]
    rows = {row.image: row for row in kept.rows(made[0], inspection_id)}
    assert sorted(rows) == ["b.png", "half.png"]
    assert rows["b.png"].score == next(row.score for row in came if row.image == "a.png")
    assert "damaged" in rows["half.png"].problem


class Listener(BaseHTTPRequestHandler):
    heard: list[dict] = []

    def do_POST(self):  # noqa: N802 - as http.server names it
        self.heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *arguments):
        pass


def test_the_webhook_of_the_settings_file_hears_of_each_image_and_defective_ones_are_copied(
    made, tmp_path, monkeypatch
):
    monkeypatch.setattr("wtflow.inspecting.session.STATUS_EVERY_S", 0.0)
    monkeypatch.setattr("wtflow.inspecting.work.LOOK_EVERY_S", 0.01)
    server = HTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings = made[0].home / "watch.json"
    settings.write_text(json.dumps({"webhook": f"http://127.0.0.1:{server.server_port}/", "of": "all"}))
    folder = tmp_path / "in"
    folder.mkdir()
    for i in range(3):
        (folder / f"{i}.png").write_bytes(encode(noise(i, (64, 64, 3)), "PNG"))
    try:
        inspection_id, _ = watch(
            made, folder, lambda one: one.counts.n_done == 3, defective_to=str(folder / "bad"), is_moved=False
        )
    finally:
        settings.unlink()
        server.shutdown()
        server.server_close()
    assert sorted(one["image"] for one in Listener.heard) == ["0.png", "1.png", "2.png"]
    rows = kept.rows(made[0], inspection_id)
    bad = [row.image for row in rows if row.verdict == "defective"]
    assert bad, "noise is no plate"
    assert sorted(path.name for path in (folder / "bad").iterdir()) == sorted(bad)
    assert len(rows) == 3, "what is put into a folder inside is not inspected again"
