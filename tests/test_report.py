"""The report: what it shows, what it keeps private, how large it is, and that nothing in it runs or asks for
anything.
"""

import base64
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from markupsafe import Markup
from PIL import Image
from report_runs import write_category, write_run
from shell import call
from streamlit.testing.v1 import AppTest
from truths import drawn as truth_of
from truths import keep_truth
from typer.testing import CliRunner
from waiting import PATIENCE_S

from wtflow.cli.app import app
from wtflow.compare.common_truth import NOW
from wtflow.config import settings_from
from wtflow.errors import MetricError, RunNotFoundError, SettingsError, StoreError
from wtflow.export.report import write
from wtflow.export.report.reproduce import changed_settings, train_command, without_folder
from wtflow.export.report.write import ReportOptions, make_report, write_report
from wtflow.jobs import trainings
from wtflow.numbers import size
from wtflow.plots.still.report import Rates, still_rates, still_scores, still_types
from wtflow.plots.still.sheet import to_svg
from wtflow.records.core import Curve
from wtflow.records.reading import Reading
from wtflow.store import layout
from wtflow.store.notes import add_tag, flag_label, name_run, set_comment, star_run, tag_run

ROOT = Path(__file__).parent.parent
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"


class Page(HTMLParser):
    """A report taken apart: its tags, every address in it, and its text by tag."""

    def __init__(self, html: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.handlers: list[str] = []
        self.cells: list[list[str]] = []
        self.words: list[str] = []
        self._skip, self._in_cell = 0, False
        self.feed(html.decode())
        self.text = re.sub(r"\s+", " ", "".join(self.words))

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.addresses += [
            value
            for name, value in attributes
            if name in ("src", "href", "xlink:href", "srcset", "action", "data", "poster")
        ]
        self.handlers += [name for name, _ in attributes if name.startswith("on")]
        self._skip += tag == "style"
        if tag in ("br", "small", "code", "div"):
            self.handle_data(" ")
        if tag == "tr":
            self.cells.append([])
        elif tag in ("td", "th"):
            self._in_cell = True
            self.cells[-1].append("")

    def handle_endtag(self, tag):
        self._skip -= tag == "style"
        self._in_cell &= tag not in ("td", "th")

    def handle_data(self, data):
        if not self._skip:
            self.words.append(data)
            if self._in_cell:
                self.cells[-1][-1] += data

    def rows(self, first: str) -> list[list[str]]:
        """Cells of the table rows that begin so, space taken out."""
        found = [row for row in self.cells if row and row[0].strip().startswith(first)]
        return [[re.sub(r"\s+", " ", cell).strip() for cell in row] for row in found]

    def row(self, first: str) -> list[str]:
        """The first of them."""
        return self.rows(first)[0]

    @property
    def pictures(self) -> list[Image.Image]:
        return [
            Image.open(io.BytesIO(base64.b64decode(one.split(",", 1)[1])))
            for one in self.addresses
            if one.startswith("data:image/jpeg")
        ]


@pytest.fixture
def run_id(store, tmp_path):
    return write_run(store, write_category(tmp_path / "images"), weights="/secret/place/resnet18.pth")


@pytest.fixture
def drawn():
    """Requests real figures, which take most of the time of a small report."""


@pytest.fixture(autouse=True)
def _figures(request, monkeypatch):
    if "drawn" not in request.fixturenames:
        monkeypatch.setattr(
            write,
            "_figures",
            lambda run, _: dict.fromkeys(
                ("rates", "scores", "types"), Markup("<svg></svg>" * (len(run.results.test) > 0))
            ),
        )
        monkeypatch.setattr(write, "rates_figure", lambda *_: Markup(""))


def quiet(label, percent):
    pass


def report(store, *runs, thresholds=None, **options) -> Page:
    return Page(make_report(store, runs, quiet, ReportOptions(**options), thresholds).html)


# -- what it shows -----------------------------------------------------------------------------------------------------


def test_counts_at_the_threshold_come_with_wilson_intervals(store, run_id):
    """At 3.5: 2 of 3 defects found, 0 of 2 normals called defective. Wilson's 95 % ends: 2/3 gives 0.2077 and 0.9385,
    0/2 gives 0 and 0.6576 (tables).
    """
    page = report(store, run_id, thresholds={run_id: 3.5})
    assert page.row("Defective images")[1:] == ["2 found", "1 missed", "found", "67", "21 to 94"]
    assert page.row("Normal images")[1:] == ["0 false alarms", "2 passed", "false alarms", "0", "0 to 66"]
    assert "Set by hand." in page.text
    assert page.row("spot")[1:5] == ["3", "2", "67", "21 to 94"]


def test_without_a_threshold_it_takes_where_the_run_starts_and_says_how_that_was_chosen(store, run_id):
    page = report(store, run_id)
    assert page.row("Defective images")[1:3] == ["3 found", "0 missed"]
    assert "At 1.75. Highest F1 on the test images. Chosen on the test images themselves" in page.text


def test_metrics_have_an_interval_around_them_and_what_no_flow_would_reach_beside_them(store, run_id):
    store.write_metrics(
        run_id, store.metrics(run_id) | {"metrics": store.metrics(run_id)["metrics"] | {"image_auroc_start": 0.25}}
    )
    name, value, ends, floor = report(store, run_id).row("Image AUROC")
    low, high = map(float, ends.split(" to "))
    assert value == "0.833" and low < 5 / 6 < high == 1
    assert floor == "0.250"


def test_a_metric_that_the_images_do_not_define_says_why(store, tmp_path):
    root = write_category(tmp_path / "unmarked")
    shutil.rmtree(root / "plate/ground_truth")
    assert "No masks." in report(store, write_run(store, root)).row("AUPRO")[0]


def test_data_facts_count_every_split_and_type_and_carry_the_whole_fingerprint(store, run_id):
    page = report(store, run_id)
    assert page.row("train")[1:] == ["2", "2 good"]
    assert page.row("test")[1:] == ["5", "2 good, 3 spot"]
    assert store.data(run_id)["fingerprint"] in page.text


def test_settings_that_differ_from_the_preset_come_before_all_others(store, run_id):
    page = report(store, run_id)
    assert page.row("image_size")[1:] == ["64", "256"]
    assert (
        page.text.index("Settings that differ from preset") < page.text.index("Data") < page.text.index("All settings")
    )
    assert all(page.text.count(name) >= 1 for name in type(store.config(run_id).settings).model_fields)


def test_the_worst_images_come_first_each_beside_its_map(store, run_id):
    """At 2.5 the defect of score 2 is missed and the normal of score 3 called defective; pictures are pairs, in the
    order FN, FP, TP, TN.
    """
    page = report(store, run_id, thresholds={run_id: 2.5})
    said = (
        "2, defect missed test/spot/000",
        "3, false alarm test/good/001",
        "5, defect found test/spot/002",
        "1, normal passed test/good/000",
    )
    shown = [page.text.index(f"score {words}.png") for words in said]
    assert shown == sorted(shown)
    assert len(page.pictures) == 2 * 5


def test_notes_are_told_with_metrics_without_the_flagged(store, run_id):
    """Without the normal of score 3 every defect lies above every normal."""
    star_run(store, run_id, True)
    assert "There are no notes on this run" in report(store, run_id).text
    flag_label(store, run_id, "test/good/001.png", True)
    add_tag(store, run_id, "test/good/001.png", "glare")
    set_comment(store, run_id, None, "First line.\nSecond line.", 0)
    page = report(store, run_id)
    assert "First line." in page.text
    assert "Image AUROC with it 0.833, without 1.000" in page.text
    heads = ["test images", "defects found", "false alarms", "normals passed", "defects missed"]
    assert page.row("tag")[1:] == heads
    assert page.row("glare")[1:] == ["1", "0", "1", "0", "0"]
    assert "label is wrong" in page.row("test/good/001.png")[2]


def test_an_untrained_backbone_is_said_on_top(store, tmp_path, run_id):
    untrained = write_run(store, tmp_path / "images")
    assert "random weights" in report(store, untrained).text
    assert "random weights" not in report(store, run_id).text.replace(
        "resnet18, untrained (random weights, seed fixed)", ""
    )


def test_images_that_are_gone_cost_their_pictures_and_no_more(store, run_id, tmp_path):
    (tmp_path / "images").rename(tmp_path / "moved")
    page = report(store, run_id)
    assert "its file is gone or has changed" in page.text
    assert "The run holds no masks of its own, and its images are gone" in page.text
    assert page.row("Image AUROC")[1] == "0.833"
    assert str(tmp_path) not in page.text


@pytest.mark.parametrize(("n_good", "n_bad"), [(2, 0), (0, 3), (0, 0)])
def test_a_test_set_without_one_kind_of_image_still_gets_its_report(store, tmp_path, n_good, n_bad):
    root = write_category(tmp_path / "some", n_good=n_good, n_bad=n_bad)
    run_id = write_run(store, root, scores=tuple(float(i + 1) for i in range(n_good + n_bad)))
    metrics = store.metrics(run_id)
    undefined = dict.fromkeys(metrics["metrics"], "Needs both kinds of images.")
    store.write_metrics(
        run_id, metrics | {"metrics": dict.fromkeys(metrics["metrics"]), "undefined": undefined, "thresholds": {}}
    )
    page = report(store, run_id)
    assert page.row("Image AUROC")[1:] == ["–", "–", "–"]
    assert ("svg" in page.tags) == (n_good + n_bad > 0)


# -- what it keeps private --------------------------------------------------------------------------------------------


def test_it_asks_for_nothing_and_runs_nothing(store, run_id, drawn):
    html = make_report(store, [run_id], quiet).html
    page = Page(html)
    assert not {"script", "link", "iframe", "object", "embed", "base", "form"} & set(page.tags)
    assert page.handlers == []
    assert [one for one in page.addresses if not one.startswith(("data:image/", "#"))] == []
    assert not re.findall(rb"url\((?!#)|@import", html)
    assert b"default-src 'none'; img-src data:; style-src 'unsafe-inline'" in html


def test_folders_of_the_machine_appear_only_when_asked_for(store, run_id, tmp_path):
    page = report(store, run_id)
    assert str(tmp_path) not in page.text and "/secret" not in page.text
    assert "train ROOT plate" in page.text and "--weights resnet18.pth" in page.text
    full = report(store, run_id, with_paths=True)
    assert f"train {tmp_path / 'images'} plate" in full.text and "/secret/place/resnet18.pth" in full.text


def test_what_people_and_file_names_say_is_text_and_never_markup(store, tmp_path, drawn):
    name, defect = "<b>plate&amp;", '"><svg onload=alert(3)>'
    run_id = write_run(store, write_category(tmp_path / "images", name, defect), name)
    sample_id = f"test/{defect}/000.png"
    add_tag(store, run_id, sample_id, HOSTILE[:40])
    set_comment(store, run_id, sample_id, f"{{{{ 7 * 7 }}}} {HOSTILE}", 0)
    set_comment(store, run_id, None, HOSTILE, 0)
    name_run(store, run_id, "<em>dull light")
    tag_run(store, run_id, (), ("<i>of the run",))
    page = report(store, run_id, thresholds={run_id: 2.5})
    assert page.text.count(HOSTILE) == 2
    assert page.text.count("<em>dull light") == 2, "in the contents and in the heading"
    assert "<i>of the run" in page.text
    assert "{{ 7 * 7 }}" in page.text
    assert name in page.text and defect in page.text
    assert "script" not in page.tags and page.handlers == []
    assert "b" in page.tags, "the report's own"
    assert page.tags.count("svg") == 3, "its own figures"


def test_pictures_are_thumbnails_without_anything_a_camera_wrote(store, tmp_path):
    """One source is 900 px wide and carries a place in its EXIF and a comment; on request pictures are larger, still
    without both.
    """
    root = write_category(tmp_path / "images", size_px=900)
    path = root / "plate/test/spot/000.png"
    with Image.open(path) as image:
        exif = Image.Exif()
        exif[0x010E] = "SECRETPLACE"
        image.save(path, exif=exif)
    assert b"SECRETPLACE" in path.read_bytes()
    run_id = write_run(store, root)
    for options, longest in (({}, 200), ({"with_images": True}, 800)):
        page = report(store, run_id, **options)
        assert {max(picture.size) for picture in page.pictures} == {longest}
        assert all(not picture.getexif() and "comment" not in picture.info for picture in page.pictures)
        assert all(
            b"SECRETPLACE" not in base64.b64decode(one.split(",", 1)[1])
            for one in page.addresses
            if one.startswith("data:")
        )


# -- how large it is ---------------------------------------------------------------------------------------------------


def test_it_says_its_own_size(store, run_id):
    html = make_report(store, [run_id], quiet).html
    assert f"This file is {size(len(html))} large" in Page(html).text


def test_too_large_a_report_takes_smaller_pictures_then_fewer_and_says_so(store, tmp_path):
    root = write_category(tmp_path / "noise", size_px=220, n_good=3, n_bad=3)
    for path in root.rglob("test/*/*.png"):
        Image.fromarray(np.random.default_rng(len(str(path))).integers(0, 255, (220, 220, 3), dtype=np.uint8)).save(
            path
        )
    run_id = write_run(store, root, scores=tuple(float(i) for i in range(6)))
    whole = make_report(store, [run_id], quiet)
    smaller, bare = (
        make_report(store, [run_id], quiet, ReportOptions(most_mb=share * len(whole.html) / 1e6))
        for share in (0.9, 0.01)
    )
    assert whole.shrunk == ""
    assert len(smaller.html) <= 0.9 * len(whole.html)
    assert smaller.shrunk == "pictures of 160 px, at most 9 images in a group"
    assert bare.shrunk == "no images" and not Page(bare.html).pictures
    assert all(made.shrunk in Page(made.html).text and made.shrunk in made.words for made in (smaller, bare))


def test_progress_never_goes_back_and_ends_at_a_hundred(store, run_id, tmp_path):
    seen = []
    make_report(store, [run_id, write_run(store, tmp_path / "images")], lambda label, percent: seen.append(percent))
    assert seen == sorted(seen) and seen[-1] == 100
    assert len(seen) > 2 * 2 * 5, "each image of both runs is looked at twice"


# -- several runs ------------------------------------------------------------------------------------------------------


def test_two_runs_are_compared_by_settings_and_paired_differences(store, run_id, tmp_path, drawn):
    """The second run ranks all defects above all normals: image AUROC 1 against 5/6, a difference of 0.167."""
    better = write_run(
        store, tmp_path / "images", scores=(6.0, 7.0, 8.0, 1.0, 2.0), steps=1, weights="/secret/place/resnet18.pth"
    )
    page = report(store, run_id, better, thresholds={run_id: 3.5, better: 5.0})
    assert page.row("steps")[1:] == ["2", "1"]
    values, differences = page.rows("Image AUROC")[:2]
    assert values[1::2] == ["0.833", "1.000"]
    assert values[4] == "1.000 to 1.000" and differences[1:3] == ["B", "+0.167"]
    assert differences[3].startswith("+0.000 to +") and differences[4] == "within noise"
    assert page.row("AUPRO")[1:] == ["0.000", "0.000 to 0.000"] * 2, "maps rise from image to image, defects first"
    assert "A and B call 1 of 5 images differently: A is right on 0, B on 1." in page.text
    assert "Where A and B disagree" in page.text
    assert "B is right; maps: A, B test/spot/000.png" in page.text


def test_runs_of_different_test_sets_are_refused_before_anything_is_computed_and_compared_where_asked(
    store, run_id, tmp_path
):
    """One image changed after the first run: four of five are common."""
    Image.new("RGB", (64, 64), (10, 20, 30)).save(tmp_path / "images/plate/test/good/001.png")
    other = write_run(store, tmp_path / "images")
    with pytest.raises(MetricError, match="4 are common to all"):
        make_report(store, [run_id, other], quiet)
    assert not (store.folder(run_id) / layout.DERIVED).exists()
    assert "covers the 4 images that they have in common" in report(store, run_id, other, on_common=True).text


@pytest.fixture
def redrawn(store, run_id, tmp_path):
    """A second run of the same images whose first mask was a corner and which had none for the second image."""
    other = write_run(store, tmp_path / "images", weights="/secret/place/resnet18.pth")
    corner = np.zeros((64, 64), bool)
    corner[:6, :6] = True
    keep_truth(store, run_id, ["test/spot/001.png"], spot_000=truth_of(corner))
    keep_truth(store, other)
    return other


def test_runs_of_different_masks_name_them_and_compare_no_pixels(store, run_id, redrawn):
    made = make_report(store, [run_id, redrawn], quiet)
    page = Page(made.html)
    assert "1 image has different masks in A and B: test/spot/000.png." in page.text
    assert "1 image has a valid mask in B only: test/spot/001.png." in page.text
    assert made.uncompared in page.text and "nobody has chosen" in made.uncompared
    values, *_ = page.rows("AUPRO")
    assert [cell for cell in values[1:] if cell != "–"] == []
    assert "Pixel metrics of A, by its own masks, are of 4 images; 1 of 3 defective images has no mask." in page.text
    assert page.row("Image AUROC")[1] == "0.833"
    assert [row[1] for row in page.rows("AUPRO")[1:]] != ["–", "–"], "each run's own part has its own figure"


def test_runs_of_different_masks_are_counted_on_the_chosen_ones(store, run_id, redrawn):
    """Both runs have the same maps: on one truth they are exactly the same."""
    for key, words in ((run_id, "the masks of A"), (redrawn, "the masks of B"), (NOW, "the masks as they are now")):
        made = make_report(store, [run_id, redrawn], quiet, ReportOptions(truth=key))
        page = Page(made.html)
        assert made.uncompared == ""
        assert f"Pixel metrics of all runs are counted on {words} in this section" in page.text
        for metric in ("Pixel AUROC", "Pixel AP", "AUPRO"):
            values, difference = page.rows(metric)[:2]
            assert values[1] == values[3] and values[2] == values[4]
            low, high = map(float, values[2].split(" to "))
            assert low <= float(values[1]) <= high
            assert difference[1:] == ["B", "+0.000", "+0.000 to +0.000", "exactly the same"]
    with pytest.raises(SettingsError, match="names no masks"):
        make_report(store, [run_id, redrawn], quiet, ReportOptions(truth="20200101-000000-plate"))


def test_a_run_without_masks_of_its_own_says_that_it_is_counted_on_those_of_now(store, run_id):
    """It stored pixel metrics of masks that nobody knows; those that its interval belongs to are counted now."""
    metrics = store.metrics(run_id)
    store.write_metrics(run_id, metrics | {"metrics": metrics["metrics"] | {"aupro": 0.777}})
    page = report(store, run_id)
    name, value, ends, _ = page.row("AUPRO")
    low, high = map(float, ends.split(" to "))
    assert low <= float(value) <= high and value != "0.777"
    assert "The run holds no masks of its own: pixels are counted on its masks as they are now." in page.text
    assert "When it was scored it stored:" in page.text and "AUPRO 0.777" in page.text


def test_runs_without_a_common_image_stand_beside_each_other_uncompared(store, run_id, tmp_path):
    other = write_run(store, write_category(tmp_path / "more", "tile", size_px=80), "tile")
    page = report(store, run_id, other, on_common=True)
    assert "no test image in common" in page.text
    assert "Anomaly detection on plate and tile" in page.text
    assert "Different calls" not in page.text


@pytest.mark.parametrize("n", [0, 5])
def test_one_to_four_different_runs_make_a_report(store, run_id, n):
    with pytest.raises(SettingsError, match=f"these are {n}"):
        make_report(store, [f"20260101-00000{i}-plate" for i in range(n)], quiet)
    with pytest.raises(SettingsError, match="1 to 4 different runs"):
        make_report(store, [run_id, run_id], quiet)
    with pytest.raises(RunNotFoundError):
        make_report(store, ["20260101-000000-plate"], quiet)


# -- how to train it again ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("preset", "changes"),
    [
        ("fast", {}),
        ("fast", {"weights": "pretrained", "stages": (2,), "seed": 7}),
        ("best", {"cells": (14, 14, 14, 14), "block_groups": 2}),
        (
            "fast",
            {
                "backbone": "mobilenetv2_100",
                "weights": "/data/my weights/net;rm.pth",
                "backbone_args": {"pad_type": "same", "drop_rate": 0.5},
                "umap_after": True,
            },
        ),
        (
            "fast",
            {
                "pool_stride": 1,
                "learning_rate": 3e-4,
                "holdout_fraction": 0.0,
                "coupling": "optimal",
                "score": "deviation",
            },
        ),
        ("paper", {}),
        ("paper", {"weights": "untrained", "stages": (1, 2), "steps": 10, "solver": "heun"}),
    ],
)
def test_the_command_trains_with_exactly_the_run_s_settings(store, tmp_path, monkeypatch, preset, changes):
    """The command line itself reads the command; only starting the worker is left out."""
    settings, started = settings_from(preset, changes), []
    root = write_category(tmp_path / "my images")
    said = Reading(good=("spot",), masks="defect=nonzero") if changes else Reading()
    run_id = store.create(root, "plate", settings, said)

    def start(store, root, category, settings, reading, sized):
        started.append((Path(root), category, settings, reading, sized))
        raise StoreError("Enough.", fix="Nothing.")

    monkeypatch.setattr(trainings, "start", start)
    command = shlex.split(train_command(store.config(run_id), with_paths=True))
    assert command[:4] == ["python", "-m", "wtflow", "train"]
    CliRunner().invoke(app, command[3:], catch_exceptions=False)
    assert started == [(root, "plate", settings, said, None)], "its size is given, not chosen again"


def test_a_run_of_nothing_but_its_preset_differs_in_nothing():
    assert changed_settings(settings_from("paper")) == {}
    assert changed_settings(settings_from("fast")) == {}
    assert changed_settings(settings_from("fast", {"weights": "pretrained"})) == {"weights": ("pretrained", "embedded")}


@pytest.mark.parametrize("weights", ["/a/b/net.pth", "C:\\a\\net.pth", "~/x/net.pth", "net.pth"])
def test_of_a_weights_file_only_its_name_is_told(weights):
    assert without_folder(weights) == "net.pth"
    assert without_folder("pretrained") == "pretrained"


# -- figures -----------------------------------------------------------------------------------------------------------


def test_bars_hold_every_image_once(store):
    scores, labels = np.arange(20.0), np.arange(20) > 11
    axes = still_scores(scores, labels, 10.0).axes[0]
    assert sum(bar.get_height() for bar in axes.patches) == 20
    assert max(bar.get_y() + bar.get_height() for bar in axes.patches) < axes.get_ylim()[1]


def test_each_type_has_a_dot_per_image_on_a_line_of_its_own_and_its_median():
    axes = still_types({"good": np.array([1.0, 2.0, 9.0]), "a $dent$": np.array([3.0, 5.0])}, 4.0).axes[0]
    dots = [line for line in axes.get_lines() if line.get_marker() == "o"]
    assert [len(line.get_xdata()) for line in dots] == [3, 2]
    assert all(abs(height - i) < 0.5 for i, line in enumerate(dots) for height in line.get_ydata())
    assert {line.get_xdata()[0] for line in axes.get_lines() if line.get_color() == "#222222"} == {2.0, 4.0}
    assert b"a $dent$ (2)" in to_svg(axes.figure), "a dollar sign begins no formula"


def test_thousands_of_dots_are_put_in_as_a_picture():
    many = np.linspace(1, 2, 20_000)
    assert len(to_svg(still_types({"good": many}, 1.5))) < 150_000


def test_curves_share_axes_and_panels_without_a_curve_are_left_out():
    curve = Curve(np.array([0.0, 0.5, 1.0]), np.array([0.0, 0.9, 1.0]), np.array([3.0, 2.0, 1.0]))
    both = still_rates([Rates("A", curve, curve, curve, 2.0), Rates("B", curve, None, None)])
    assert len(both.axes) == 3
    assert both.axes[2].get_xlim()[1] == pytest.approx(0.3, abs=0.01), "AUPRO ends there"
    marked = [line for line in both.axes[0].get_lines() if line.get_marker() == "o"]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in marked] == [(0.5, 0.9)]
    assert len(still_rates([Rates("A", curve, curve, None)]).axes) == 2


def test_figures_without_anything_to_draw_say_so():
    for draw in (
        lambda: still_scores([], [], 1.0),
        lambda: still_types({}, 1.0),
        lambda: still_rates([Rates("A", None, None, None)]),
    ):
        with pytest.raises(SettingsError):
            draw()


def test_figures_take_their_ink_from_the_page_and_have_no_ground_of_their_own(store, run_id, drawn):
    html = make_report(store, [run_id], quiet).html.decode()
    figures = re.findall(r"<svg.*?</svg>", html, re.DOTALL)
    assert len(figures) == 3
    for figure in figures:
        assert "currentColor" in figure
        assert not re.search(r"#222222|#ffffff", figure)
        assert not re.search(r"<style|<metadata|id=\"(figure|axes)_", figure)


# -- from the shell and on a page --------------------------------------------------------------------------------------


def test_the_command_says_why_pixels_are_not_compared_and_how_to_choose(store, run_id, redrawn, tmp_path):
    out = tmp_path / "report.html"
    result = call("report", run_id, redrawn, "--out", out, "--json")
    assert result.exit_code == 0
    assert "--truth RUN or --truth now" in result.stderr
    assert "different masks" in json.loads(result.stdout)["pixels_not_compared"]
    result = call("report", run_id, redrawn, "--out", out, "--force", "--truth", redrawn, "--json")
    assert "--truth" not in result.stderr and json.loads(result.stdout)["pixels_not_compared"] == ""
    result = call("report", run_id, redrawn, "--out", out, "--force", "--truth", "yesterday")
    assert result.exit_code == 2 and "'yesterday' names no masks" in result.stderr


def test_the_command_writes_the_file_and_says_its_size(store, run_id, tmp_path):
    out = tmp_path / "deep/report.html"
    result = call("report", run_id, "--out", out, "--json")
    assert result.exit_code == 0, result.stderr
    facts = json.loads(result.stdout.splitlines()[-1])
    assert facts["n_bytes"] == out.stat().st_size and facts["runs"] == [run_id] and facts["shrunk"] == ""
    assert size(out.stat().st_size) in result.stderr


def test_a_file_that_is_there_is_replaced_only_by_force_and_never_half(store, run_id, tmp_path):
    out = tmp_path / "report.html"
    out.write_bytes(b"old")
    refused = call("report", run_id, "--out", out)
    assert refused.exit_code == 2 and "--force" in refused.stderr
    assert call("report", "20260101-000000-no", "--out", out, "--force").exit_code == 2

    def stop(label, percent):
        if percent > 50:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_report(store, [run_id], out, stop, is_replacing=True)
    assert out.read_bytes() == b"old" and {path.name for path in tmp_path.iterdir()} == {
        "images",
        "runs",
        "report.html",
    }
    assert call("report", run_id, "--out", out, "--force").exit_code == 0
    assert out.read_bytes().startswith(b"<!doctype html>")


SCRIPT = """
import streamlit as st
from pages.ui.report_menu import show_report, show_zip
from wtflow.results import open_results
from wtflow.store.runs import RunStore
store = RunStore()
(run_id,) = store.ids()
show_report(store, {run_id: 3.5})
show_zip(store, open_results(store, run_id), 3.5)
"""


def test_on_a_page_both_files_are_made_when_asked_for_and_then_offered_with_their_size(store, run_id):
    page = AppTest.from_string(SCRIPT, default_timeout=PATIENCE_S).run()
    assert not page.exception and not page.get("download_button")
    page.button(key="make_report").click().run()
    assert [button.proto.label[:10] for button in page.get("download_button")] == ["Save HTML,"]
    page.button(key="make_zip").click().run()
    assert [button.proto.label[:9] for button in page.get("download_button")] == ["Save ZIP,"]
    assert [path.name for path in store.home.iterdir() if path.name.startswith(".zip")] == [], "nothing stays behind"


def test_on_a_page_a_run_that_cannot_be_told_gets_a_sentence(store, run_id):
    (store.folder(run_id) / layout.NOTES).write_text("{")
    page = AppTest.from_string(SCRIPT, default_timeout=PATIENCE_S).run()
    for key in ("make_report", "make_zip"):
        page.button(key=key).click().run()
        assert not page.exception and "notes" in page.error[0].value


# -- what it costs -----------------------------------------------------------------------------------------------------

MEASURE = """
import json, resource, sys, time
from wtflow.export.report.write import make_report
from wtflow.store.runs import RunStore
start = time.monotonic()
made = make_report(RunStore(), [sys.argv[1]], lambda label, percent: None)
print(json.dumps([time.monotonic() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, len(made.html)]))
"""


@pytest.mark.slow
def test_two_thousand_images_take_less_than_a_minute_and_two_gibibytes(store, tmp_path):
    root = write_category(tmp_path / "many", size_px=256, n_good=1000, n_bad=1000)
    generator = np.random.default_rng(0)
    run_id = write_run(store, root, scores=tuple(generator.normal([3] * 1000 + [2] * 1000, 1)), image_size=256)
    store.write_maps(run_id, generator.gamma(2, 1, (2000, 32, 32)).astype(np.float32))
    metrics = store.metrics(run_id)
    store.write_metrics(
        run_id,
        metrics
        | {
            "metrics": metrics["metrics"] | {"pixel_auroc": 0.5, "pixel_ap": 0.5, "aupro": 0.5},
            "undefined": {},
        },
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    result = subprocess.run(
        [sys.executable, "-c", MEASURE, run_id],
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=True,
    )
    seconds, mib, n_bytes = json.loads(result.stdout)
    assert seconds < 60 and mib < 2048 and n_bytes < 15e6, (seconds, mib, n_bytes)
