"""A run whose size nobody gave: expected times by size, what the shell asks for and says, what the run keeps."""

import json
from pathlib import Path

import numpy as np
import pytest
from hand_made_runs import write_finished_run
from image_folders import save
from run_folders import write_tiny_category
from typer.testing import CliRunner

from wtflow.cli.app import app
from wtflow.config import settings_from
from wtflow.datasets.scan import scan_category
from wtflow.datasets.sizes.choose import SIZES
from wtflow.datasets.sizes.look import NormalsSeen
from wtflow.errors import DatasetError, SettingsError
from wtflow.jobs import sizes, trainings
from wtflow.jobs.estimate import estimate, measured_runs
from wtflow.records.core import Category, Sample
from wtflow.store.runs import RunStore

FAST = settings_from("fast")
RATES = {"features": 0.1, "train": 0.02, "score": 0.2, "metrics": 0.05}
RICH = NormalsSeen(640, False, 16, dict.fromkeys(SIZES[:-1], 0.5) | {SIZES[-1]: 1.0})


def finished(store: RunStore, **settings) -> str:
    """A run of these settings that measured RATES. Each of a store is of another category: ids hold seconds."""
    return write_finished_run(store, settings_from("fast", settings), f"plate{len(store.ids())}", rates=RATES)


def category(n_train: int, n_test: int) -> Category:
    """So many samples, of which no file exists."""
    counts = {"train": n_train, "test": n_test}
    found = [Sample(f"{split}/{i}", Path("x"), split, "good") for split, n in counts.items() for i in range(n)]
    return Category(Path("/data"), "plate", "mvtec", tuple(found))


# -- time by size ------------------------------------------------------------------------------------------------------


def test_a_run_of_another_size_tells_the_time_by_the_number_of_pixels(tmp_path):
    """512 px have four times the pixels of 256; a step of the mlp costs the same, and so does opening files."""
    store = RunStore(tmp_path)
    run_id = finished(store)
    small, large = (estimate(store, 100, 50, settings_from("fast", {"image_size": size})) for size in (256, 512))
    assert small.stages["features"] == pytest.approx(15) and small.stages["score"] == pytest.approx(10)
    assert large.stages["features"] == pytest.approx(60) and large.stages["score"] == pytest.approx(40)
    assert large.stages["train"] == small.stages["train"] == pytest.approx(20)
    assert small.basis == f"Measured here by run {run_id}."
    assert large.basis == f"Measured here by run {run_id} at 256 px, by the number of pixels."
    unet = {"network": "unet", "batch_size": 8, "group_size": 2, "times_per_pair": 1}
    steps = [
        estimate(store, 9, 9, settings_from("fast", unet | {"image_size": size})).stages["train"] for size in (256, 512)
    ]
    assert steps[1] == pytest.approx(4 * steps[0]), "it sees whole grids"


def test_without_a_run_that_tells_one_thread_takes_twice_as_long_as_two(tmp_path):
    """Two runs side by side with a thread each take as long as two in turn with two."""
    one, two = (estimate(RunStore(tmp_path), 100, 50, settings_from("fast", {"threads": n})).stages for n in (1, 2))
    assert all(one[stage] == pytest.approx(2 * two[stage]) for stage in ("features", "train", "score"))


def test_the_run_of_the_same_size_counts_else_the_one_that_is_nearest(tmp_path):
    store = RunStore(tmp_path)
    small, large = finished(store), finished(store, image_size=512)
    finished(store, image_size=384, width=128)  # another network
    found = measured_runs(store, FAST, (256, 320, 448, 512))
    assert [found[size].run_id for size in (256, 320, 448, 512)] == [small, small, large, large]
    assert measured_runs(RunStore(tmp_path / "none"), FAST, (256,)) == {}


def test_the_more_images_the_smaller_the_size_and_the_test_images_are_never_opened(tmp_path):
    store, chosen = RunStore(tmp_path), []
    finished(store)
    for n in (100, 1000, 2000, 10_000):
        found = sizes.size_for(store, category(n, n // 2), FAST, RICH, (640, 640))
        chosen.append(found.size_px)
        assert found.cost.seconds <= 600 or found.size_px == 256
        at_size = sizes.at_chosen_size(FAST, found.size_px)
        assert found.cost.seconds == estimate(store, n, n // 2, at_size).seconds, "the page says the same"
    assert chosen[0] == 512 and chosen == sorted(chosen, reverse=True) and chosen[-1] == 256


def test_half_the_size_comes_with_it_unless_smaller_sizes_or_tiles_are_set():
    halves = {size: sizes.at_chosen_size(FAST, size).smaller_sizes for size in (256, 320, 384, 512)}
    assert halves == {256: (), 320: (), 384: (192,), 512: (256,)}
    for changes, smaller in (({"smaller_sizes": (128,)}, (128,)), ({"tile": "side"}, ())):
        assert sizes.at_chosen_size(FAST.changed(changes), 512).smaller_sizes == smaller


def test_tiles_that_become_too_large_a_canvas_are_left_out(tmp_path):
    """Tiles of 256 px in images of 2,560: at 384 px a side of 3,840, and 8.4 million pixels are taken."""
    store, tiled = RunStore(tmp_path), settings_from("fast", {"tile": 256})
    found = sizes.size_for(store, category(9, 3), tiled, RICH, (2560, 2560), 1e9)
    assert [cost.size_px for cost in found.costs] == [256] and found.next_larger is None
    with pytest.raises(DatasetError, match="do not fit"):
        sizes.size_for(store, category(9, 3), tiled, RICH, (128, 128))


# -- the shell ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def asked(tmp_path, monkeypatch) -> list:
    """(settings, how the size was chosen) of what was asked to be trained; no process is started."""
    monkeypatch.setenv("WTFLOW_HOME", str(tmp_path / "runs"))
    found = []

    def start(store, root, category, settings, reading, sized):
        found.append((settings, sized))
        return ""

    monkeypatch.setattr(trainings, "start", start)
    monkeypatch.setattr(
        "wtflow.cli.runs.follow", lambda store, run, stops, as_json, more: print(json.dumps(more)) if as_json else None
    )
    return found


@pytest.fixture
def fine(tmp_path) -> Path:
    """Normals of 512 px that show a grating of 3 px, which takes 341 px."""
    root = write_tiny_category(tmp_path / "fine", n_train=2, n_good=1, n_bad=1)
    wave = 127 + 100 * np.sin(2 * np.pi * np.arange(512) / 3)
    for i in range(2):
        save(root / f"plate/train/good/{i:03}.png", np.tile(wave, (512, 1)).astype(np.uint8))
    return root


def train(root: Path, *words: str):
    return CliRunner().invoke(app, ["train", str(root), "plate", "--no-check", *words])


def test_a_size_that_nobody_gives_is_chosen_said_and_carried_by_json(fine, asked):
    done = train(fine, "--json")
    assert done.exit_code == 0, done.output
    ((settings, sized),) = asked
    assert settings.image_size == sized.size_px == 384 and sized.why == "detail"
    assert settings.smaller_sizes == sized.smaller == (192,) and "seen at 192 px as well" in done.stderr
    assert "Image size: 384 px (auto): no larger size shows more" in done.stderr and "512 px:" in done.stderr
    facts = json.loads(done.stdout.splitlines()[-1])["image_size"]
    assert facts["size_px"] == 384 and facts["chosen"]["own_px"] == 512
    assert {cost["size_px"]: cost["seconds"] for cost in facts["chosen"]["costs"]}.keys() == {*SIZES, 640}
    assert facts["chosen"]["words"].startswith("384 px (auto)")


def test_auto_and_numbers_are_taken_in_either_way_and_paper_keeps_its_own(fine, asked):
    for words in (["--size", "auto"], ["--set", "image_size=auto"], ["--size", "320"], ["--set", "image_size=320"]):
        assert train(fine, *words).exit_code == 0
    assert [settings.image_size for settings, _ in asked] == [384, 384, 320, 320]
    assert [sized is None for _, sized in asked] == [False, False, True, True]
    for words in ([], ["--size", "auto"]):
        assert train(fine, "--preset", "paper", *words).exit_code == 0
    assert [settings.image_size for settings, _ in asked[4:]] == [256, 384]


def test_the_time_can_be_given(fine, asked):
    done = train(fine, "--within", "0.01")
    assert asked[0][0].image_size == 256 and "384 px would show more" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--within", "0"], "is no time"),
        (["--within", "5", "--size", "256"], "says nothing here"),
        (["--within", "5", "--preset", "paper"], "says nothing here"),
        (["--size", "large"], "image_size: "),
    ],
)
def test_what_makes_no_size_is_refused_in_a_sentence(fine, asked, words, said):
    done = train(fine, *words)
    assert done.exit_code == 2 and said in " ".join(done.stderr.split()) and asked == []


# -- what the run keeps ------------------------------------------------------------------------------------------------


def test_a_run_keeps_how_its_size_was_chosen_and_trains_again_with_it(tmp_path, monkeypatch):
    from wtflow.jobs.again import train_again

    store = RunStore(tmp_path / "runs")
    monkeypatch.setattr(trainings, "_advance", lambda *_: None)
    root = write_tiny_category(tmp_path / "images")
    found = sizes.size_for(store, scan_category(root, "plate"), FAST, RICH, (640, 640))
    run_id = trainings.start(store, root, "plate", settings_from("fast", {"image_size": 512}), None, found)
    assert store.config(run_id).sized == found
    monkeypatch.setattr("wtflow.jobs.again.version_root", lambda store, name, number: tmp_path / "version")
    again = store.config(train_again(store, run_id, "other", 2))
    assert (again.settings.image_size, again.sized) == (512, found)
    assert store.config(store.create(root, "third", FAST)).sized is None


# -- other settings ----------------------------------------------------------------------------------------------------


def test_sizes_go_with_the_smaller_ones_at_which_images_are_seen_as_well(fine, asked):
    """Smaller sizes are whole parts of the image size: 256 leaves 512 alone, 128 all its multiples."""
    half, quarter = (sizes.with_some_size("fast", {"smaller_sizes": size}) for size in (256, 128))
    assert (half.image_size, sizes.open_sizes(half)) == (512, (512,))
    assert sizes.open_sizes(quarter, offered=True) == (256, 384, 512, 640)
    assert sizes.open_sizes(sizes.with_some_size("fast", {"smaller_sizes": 320})) == (640,)
    with pytest.raises(SettingsError, match="whole multiple"):
        sizes.with_some_size("fast", {"smaller_sizes": 250})
    assert train(fine, "--set", "smaller_sizes=256").exit_code == 0
    assert (asked[0][0].image_size, asked[0][1].why) == (512, "only")
