"""What stands under an image's name and is no file: a pipe, a device, a socket, a folder, a dead link. Reading it ends
at once with a sentence; waiting for a pipe would end never."""

import os
import signal
import socket
from pathlib import Path

import pytest
from run_folders import tiny_settings, write_tiny_category

from wtflow.datasets import visa
from wtflow.datasets.decode import read_image
from wtflow.datasets.demo.write import write_demo
from wtflow.datasets.files import open_regular
from wtflow.datasets.health import check_category
from wtflow.datasets.images import hash_file
from wtflow.datasets.run_images import read_data
from wtflow.datasets.scan import scan_category
from wtflow.errors import DatasetError, ImageReadError, LayoutError, WeightsError
from wtflow.features.weights import read_state_dict
from wtflow.records.reading import Reading
from wtflow.store.runs import RunStore

KINDS = ("pipe", "link to a pipe", "link to a device", "socket", "folder", "dead link", "link to itself")


def put(kind: str, path: Path) -> None:
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "link to a pipe":
        pipe = path.with_name(f"{path.name}-pipe")
        os.mkfifo(pipe)
        path.symlink_to(pipe)
    elif kind == "link to a device":
        path.symlink_to("/dev/zero")
    elif kind == "socket":
        here = Path.cwd()
        os.chdir(path.parent)  # the name of a socket has a hundred letters at most
        try:
            with socket.socket(socket.AF_UNIX) as one:
                one.bind(path.name)
        finally:
            os.chdir(here)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(path if kind == "link to itself" else "nowhere")


@pytest.fixture(autouse=True)
def alarm():
    """A reader that waits is woken and fails."""

    def ring(*_):
        raise AssertionError("it waited")

    previous = signal.signal(signal.SIGALRM, ring)
    signal.alarm(30)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, previous)


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_reads_a_persons_file_refuses_it_at_once(tmp_path, kind):
    for name in ("a.png", "a.pth", "split_csv/1cls.csv", "demo.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        put(kind, tmp_path / name)
    with pytest.raises(OSError):
        open_regular(tmp_path / "a.png")
    with pytest.raises(ImageReadError):
        hash_file(tmp_path / "a.png")
    with pytest.raises(ImageReadError):
        read_image(tmp_path / "a.png")
    with pytest.raises(WeightsError):
        read_state_dict(tmp_path / "a.pth")
    (tmp_path / "x/Data/Images/Normal").mkdir(parents=True)
    with pytest.raises(LayoutError):
        visa.scan(tmp_path, "x", Reading())
    if "dead" not in kind:
        with pytest.raises(DatasetError):
            write_demo(tmp_path, ("fabric",))


@pytest.mark.parametrize("part", ["train/good", "test/good", "test/spot"])
def test_a_run_on_a_folder_with_a_link_to_a_pipe_ends_with_a_sentence_that_names_it(tmp_path, part):
    root = write_tiny_category(tmp_path / "data")
    put("link to a pipe", root / "plate" / part / "000.png")
    store = RunStore(tmp_path / "runs")
    run_id = store.create(root, "plate", tiny_settings())
    with pytest.raises(ImageReadError, match=r"000\.png"):
        read_data(store.config(run_id), lambda done, total: None)
    report = check_category(scan_category(root, "plate"), lambda done, total: None)
    assert any("000.png" in path for finding in report.findings for path in finding.paths)


def test_a_file_is_read_whole_and_as_it_is(tmp_path):
    (tmp_path / "a").write_bytes(content := os.urandom(300_000))
    (tmp_path / "b").symlink_to("a")
    for name in "ab":
        with open_regular(tmp_path / name) as file:
            assert file.read() == content
