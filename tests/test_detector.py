"""A detector opened from a run scores as the run did, and so does its file elsewhere; other files get a sentence."""

import io
import itertools
import json
import os
import random
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from run_folders import train_here, write_tiny_category
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner
from waiting import PATIENCE_S

import wtflow
from wtflow import load_detector
from wtflow.cli.app import app
from wtflow.datasets.images import load_image
from wtflow.deciding.force import threshold_in_force
from wtflow.detector.file import open_file, write_file
from wtflow.detector.fingerprint import shared_settings
from wtflow.detector.opened import open_any, open_run
from wtflow.detector.parts import CARD, PARTS, WEIGHTS, read_parts, write_parts
from wtflow.detector.reasons import reasons_of
from wtflow.detector.score import pixel_maps, score_images
from wtflow.errors import DetectorFileError, FlowError, ImageReadError, RunNotFoundError, SettingsError
from wtflow.records.decision import Decision
from wtflow.results import open_results, pixel_map
from wtflow.scoring.whole import fit_whole
from wtflow.store.runs import RunStore

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("detector")
    store = RunStore(folder / "runs")
    return store, train_here(store, write_tiny_category(folder / "data"), edge_quantile=0.9)


@pytest.fixture(scope="module")
def opened(run):
    """With everything that a detector can have."""
    found = open_run(*run)
    descriptions = np.random.default_rng(1).normal(size=(20, found.detector.normaliser.channels)).astype(np.float32)
    whole = replace(fit_whole(descriptions), place_centre=-1.0)
    detector = found.detector.scoring_as(found.detector.settings, found.detector.edges, whole)
    decided = Decision(1.25, "by_hand", "Set by hand.", 1.7e9, "after the audit")
    return replace(found, detector=detector, threshold=decided)


@pytest.fixture(scope="module")
def path(opened, tmp_path_factory):
    path = tmp_path_factory.mktemp("out") / "plate.wtf"
    write_file(opened, path)
    return path


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(3).random((3, 64, 64, 3), np.float32)


# -- from a run -------------------------------------------------------------------------------------------------------


def test_scores_and_maps_are_those_that_the_run_holds(run):
    results, opened = open_results(*run), open_run(*run)
    paths = map(Path, results.test.path)
    images = np.stack([load_image(path, opened.shape, opened.settings.background) for path in paths])
    found = score_images(opened, images)
    np.testing.assert_allclose(found.scores, results.test.score, rtol=1e-5)
    np.testing.assert_allclose(pixel_maps(opened, found)[3], pixel_map(results, int(results.test.row.iloc[3])), 1e-5)


def test_what_it_knows_of_the_run_is_what_the_run_holds(run):
    results, opened = open_results(*run), open_run(*run)
    normal = results.table[~results.table.is_defective]
    assert opened.threshold == threshold_in_force(run[0], results)
    np.testing.assert_array_equal(np.sort(opened.normal_scores), np.sort(normal.score))
    assert opened.facts["n_normals"] + opened.facts["n_held_out"] == 12
    assert opened.index is not None
    assert len(opened.index[0]) == len(opened.index[1]) == opened.facts["n_normals"]


def test_images_of_another_shape_or_type_are_refused(run):
    opened = open_run(*run)
    for images in (
        np.zeros((1, 32, 64, 3), np.float32),
        np.zeros((1, 64, 64, 3)),
        np.zeros((0, 64, 64, 3), np.float32),
    ):
        with pytest.raises(FlowError, match="float32 images"):
            score_images(opened, images)


def test_a_run_without_results_opens_with_a_sentence(run):
    with pytest.raises(RunNotFoundError):
        open_run(run[0], "20260101-000000-nothing")


# -- its file ---------------------------------------------------------------------------------------------------------


def test_a_detector_from_its_file_scores_to_the_last_bit_as_from_its_run(opened, path, images):
    again = open_file(path)
    for mine, theirs in zip(score_images(opened, images), score_images(again, images), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_all_that_is_known_of_it_comes_back(opened, path):
    again = open_file(path)
    assert (again.name, again.shape, again.threshold, again.facts) == (
        *(opened.name, opened.shape, opened.threshold),
        json.loads(json.dumps(opened.facts)),
    )
    assert again.settings == opened.settings
    assert again.index[0] == opened.index[0]
    np.testing.assert_array_equal(again.index[1], opened.index[1])
    np.testing.assert_array_equal(again.normal_scores, opened.normal_scores)


def test_the_same_detector_gives_the_same_bytes(opened, path, tmp_path):
    write_file(opened, tmp_path / "b.wtf")
    assert (tmp_path / "b.wtf").read_bytes() == path.read_bytes()


def test_no_folder_of_this_computer_is_in_it(run, opened, path):
    content = path.read_bytes()
    assert str(run[0].home.parent).encode() not in content
    assert shared_settings(opened.settings.changed({"weights": "/home/me/w.pth"})).weights == "w.pth"


@pytest.mark.slow
def test_it_opens_in_a_process_without_store_weights_or_network(path, opened, images, tmp_path):
    """Another process, an empty home, no address to connect to, and neither pandas nor Streamlit nor SciPy's tools."""
    np.save(tmp_path / "images.npy", images)
    code = f"""
import socket, sys
socket.socket.connect = lambda *_: sys.exit("it looks for a network")
import numpy as np
from wtflow.detector.file import open_file
from wtflow.detector.reasons import reasons_of
from wtflow.detector.score import pixel_maps, score_images
np.save("scores.npy", score_images(open_file({str(path)!r}), np.load("images.npy")).scores)
heavy = {{"streamlit", "pandas", "sklearn", "plotly", "matplotlib", "umap", "typer"}} & sys.modules.keys()
sys.exit(", ".join(sorted(heavy)) or 0)
"""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(np.load(tmp_path / "scores.npy"), score_images(opened, images).scores, rtol=1e-6)


# -- files that are none ----------------------------------------------------------------------------------------------


def changed(path: Path, out: Path, members: dict[str, bytes | None], method: int = zipfile.ZIP_STORED) -> Path:
    """A copy with members replaced, added, or (None) left out."""
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()} | members
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in content.items():
            if data is not None:
                archive.writestr(name, data)
    return out


def card_of(path: Path) -> dict:
    return read_parts(path)[0]


def rewritten(path: Path, out: Path, change: dict) -> Path:
    """A copy whose card says something else, and whose parts have the right hashes."""
    card, parts = read_parts(path)
    card.pop("parts")
    write_parts(out, card | change, parts)
    return out


def test_each_kind_of_wrong_file_gets_its_sentence(path, tmp_path):
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in (CARD, *PARTS):
            archive.writestr(name, bytes(2_000_000))
    cases = {
        "no detector's file": b"\x80\x04pickle",
        "is damaged, or no": path.read_bytes()[:-2000],
        "not stored as": bomb.getvalue(),
    }
    for i, (sentence, data) in enumerate(cases.items()):
        (tmp_path / f"{i}.wtf").write_bytes(data)
        with pytest.raises(DetectorFileError, match=sentence):
            open_file(tmp_path / f"{i}.wtf")
    for sentence, members in {
        r"it holds .*\.\./evil": {"../evil": b"x", WEIGHTS: None},
        "no detector's file: it holds": {WEIGHTS: None},
        "not what was written": {WEIGHTS: b"other"},
        "cannot be read": {CARD: b"[" * 100_000},
    }.items():
        with pytest.raises(DetectorFileError, match=sentence):
            open_file(changed(path, tmp_path / "changed.wtf", members))
    with pytest.raises(DetectorFileError, match="no detector's file"):
        open_file(tmp_path / "absent.wtf")
    with pytest.raises(DetectorFileError):
        open_file(tmp_path)


def test_a_newer_format_is_named_as_such(path, tmp_path):
    with pytest.raises(DetectorFileError, match=r"newer version .*format 99.*Update"):
        open_file(rewritten(path, tmp_path / "new.wtf", {"format": 99, "unheard_of": 1}))


@pytest.mark.parametrize(
    "change",
    [
        {"settings": {"backbone": "hf-hub:someone/else"}},
        {"settings": {"backbone": "resnet18", "backbone_args": {"checkpoint_path": "/etc/passwd"}}},
        {"settings": {"width": 64}},
        {"settings": {"no_such_setting": 1}},
        {"shape": [10**6, 10**6]},
        {"shape": [64]},
        {"threshold": {"value": "nan", "rule": "", "words": "", "date": 0}},
        {"index_ids": ["one"]},
        {"mean": []},
        {"edges_n_images": None},
    ],
    ids=str,
)
def test_a_card_that_lies_is_refused(path, tmp_path, change):
    if "settings" in change:
        change = {"settings": card_of(path)["settings"] | change["settings"]}
    with pytest.raises(DetectorFileError):
        open_file(rewritten(path, tmp_path / "lie.wtf", change))


def test_a_flipped_bit_is_noticed_or_changes_nothing(path, tmp_path):
    """Some bits of a zip, such as the times of its members, say nothing of what it holds."""
    data, expected = path.read_bytes(), read_parts(path)
    generator = random.Random(7)
    noticed = 0
    places = [generator.randrange(len(data)) for _ in range(20)]
    places += [len(data) - 1 - generator.randrange(600) for _ in range(40)]
    for at in places:
        flipped = bytearray(data)
        flipped[at] ^= 1 << generator.randrange(8)
        (tmp_path / "flipped.wtf").write_bytes(flipped)
        try:
            assert read_parts(tmp_path / "flipped.wtf") == expected
        except DetectorFileError:
            noticed += 1
    assert noticed >= 20


def test_what_a_person_names_is_a_run_its_folder_or_a_file(opened, path, tmp_path):
    store = RunStore(tmp_path)
    assert open_any(store, str(path)).fingerprint == open_file(path).fingerprint
    with pytest.raises(RunNotFoundError):
        open_any(store, "20260101-000000-plate")
    with pytest.raises(RunNotFoundError, match=r"no run and no detector's file .*\.wtf"):
        open_any(store, "nothing")
    with pytest.raises(SettingsError, match=r"ends with \.wtf"):
        write_file(opened, tmp_path / "plate.zip")


def test_the_shell_writes_the_file_and_says_what_it_is(run, tmp_path):
    store, run_id = run
    shell, target = CliRunner(env={"WTFLOW_HOME": str(store.home)}), tmp_path / "plate.wtf"
    made = shell.invoke(app, ["export", run_id, "--detector", str(target), "--json"])
    assert json.loads(made.stdout.splitlines()[-1])["n_detector_bytes"] == target.stat().st_size
    assert open_file(target).fingerprint == open_run(*run).fingerprint
    said = shell.invoke(app, ["info", str(target), "--json"])
    assert "on 11 normal images of plate" in said.stdout
    assert json.loads(said.stdout.splitlines()[-1])["threshold"]["value"] == open_run(*run).threshold.value
    target.write_bytes(target.read_bytes()[:1000])
    refused = shell.invoke(app, ["info", str(target)])
    assert (refused.exit_code, "damaged" in refused.stderr) == (2, True)


PAGE = """
from pages.ui.report_menu import show_detector_file
from wtflow.store.runs import RunStore
store = RunStore()
show_detector_file(store, store.ids()[0])
"""


def test_a_page_offers_the_file_when_it_is_asked_for(run, monkeypatch):
    """With what normal images look like, and nothing stays behind."""
    store, _ = run
    monkeypatch.setenv("WTFLOW_HOME", str(store.home))
    page = AppTest.from_string(PAGE, default_timeout=PATIENCE_S).run()
    assert not page.exception and not page.get("download_button")
    page.button(key="make_detector").click().run()
    assert not page.exception
    assert [button.proto.label[:9] for button in page.get("download_button")] == ["Save WTF,"]
    assert [path.name for path in store.home.iterdir() if path.name.startswith(".detector")] == []
    assert open_run(*run).normal_looks is not None


# -- from Python -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["README.md", "assets/docs/detector.md"])
def test_the_examples_of_the_documents_run_as_they_stand(path, tmp_path, monkeypatch, name, capsys):
    monkeypatch.chdir(tmp_path)
    shutil.copy(path, "screw.wtf")
    Path("new").mkdir()
    for target in ("part.png", "new/part.png"):
        Image.fromarray(np.full((50, 70, 3), 90, np.uint8)).save(target)
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / name).read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, name, "exec"), {})  # noqa: S102 - the project's own documents
    assert "The score is that of" in capsys.readouterr().out or name != "README.md"


def test_an_image_scores_the_same_from_its_path_as_pillow_image_and_as_array(path, tmp_path):
    """Also turned by EXIF, transparent, and with 16 bits."""
    detector, generator = load_detector(path), np.random.default_rng(2)
    pixels = generator.integers(0, 256, (40, 90, 4), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    wide = generator.integers(0, 65536, (50, 64), dtype=np.uint16)
    cases = {
        "plain.png": (Image.fromarray(pixels[..., :3]), {}),
        "turned.jpg": (Image.fromarray(pixels[..., :3]), {"exif": exif}),
        "clear.png": (Image.fromarray(pixels), {}),
        "wide.png": (Image.fromarray(wide), {}),
    }
    for name, (image, options) in cases.items():
        image.save(tmp_path / name, **options)
        with Image.open(tmp_path / name) as again:
            assert detector(again).score == detector(tmp_path / name).score, name
    from_path = detector(tmp_path / "plain.png")
    assert (from_path.name, from_path.map.shape, from_path.map.dtype) == ("plain.png", (64, 64), np.float32)
    assert detector(pixels[..., :3]).score == from_path.score
    assert detector(pixels[..., :3] / 255.0).score == pytest.approx(from_path.score, rel=1e-2)  # rounded once less
    assert detector(wide).score == detector(tmp_path / "wide.png").score
    assert detector(wide[..., None].repeat(3, 2)).score == detector(wide).score


def test_a_stream_is_read_as_it_goes_and_keeps_its_order(path, images):
    detector, taken = load_detector(path), []

    def endless():
        for number in itertools.count():
            taken.append(number)
            yield images[number % 3]

    found = list(itertools.islice(detector(endless()), 7))
    assert len(taken) < 40
    assert [one.score for one in found] == pytest.approx([detector(images[n % 3]).score for n in range(7)], rel=1e-5)
    assert list(detector([])) == []


def test_another_threshold_changes_verdict_and_words_but_no_score(path, images):
    detector = load_detector(str(path))
    found = detector(images[0])
    for threshold, verdict in ((found.score, "defective"), (np.nextafter(found.score, np.inf), "normal")):
        again = detector.with_threshold(threshold)
        other = again(images[0])
        assert (other.score, other.verdict, other.is_defective) == (found.score, verdict, verdict == "defective")
        assert again.threshold == threshold
    assert detector.threshold == 1.25
    assert detector.rule == "Set by hand."
    with pytest.raises(FlowError, match="not a number"):
        detector.with_threshold(float("nan"))


def test_reasons_name_the_highest_pixel_the_whole_image_and_the_threshold():
    pixels = np.zeros((10, 20), np.float32)
    pixels[1, 4] = 2.0
    share, place, where = reasons_of(2.0, float("nan"), pixels, 0.0, 1.0)
    assert share == "The score 2 is at or above the threshold 1, 200\N{NBSP}% of the threshold."
    assert place == "The score is that of its highest pixel."
    assert "22\N{NBSP}% of the width from the left and 15\N{NBSP}% of the height" in where
    assert "as a whole" in reasons_of(3.0, 3.0, pixels, 0.0, 4.0)[1]


@pytest.mark.parametrize(
    ("image", "sentence"),
    [
        (np.zeros((4, 4, 4), np.uint8), "4 x 4 x 4 is no image"),
        (np.zeros((2, 4, 4, 3), np.uint8), "one image at a time"),
        (np.zeros((4, 4), np.int64), "no white that is known"),
        (np.full((4, 4), 200.0), "from 200 to 200"),
        (np.full((4, 4), np.nan), "is no image"),
        (np.zeros((0, 4), np.uint8), "is no image"),
        (Image.new("F", (4, 4)), "mode F"),
        ("absent.png", "does not exist"),
        ([3], "A int is no image"),
    ],
    ids=[
        "four channels",
        "a stack",
        "whole numbers",
        "floats to 255",
        "not a number",
        "empty",
        "mode F",
        "absent",
        "a number",
    ],
)
def test_what_is_no_image_gets_a_sentence(path, image, sentence):
    with pytest.raises((FlowError, ImageReadError), match=sentence):
        found = load_detector(path)(image)
        list(found)


def test_a_run_loads_by_its_id_and_by_its_folder(run, images):
    store, run_id = run
    score = load_detector(run_id, home=store.home)(images[0]).score
    assert load_detector(store.home / run_id)(images[0]).score == score


def test_asking_the_package_for_a_name_it_lacks_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'load_model'"):
        _ = wtflow.load_model
