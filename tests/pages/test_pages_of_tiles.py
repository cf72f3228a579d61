"""Every page of a run in tiles: its images are strips, its maps 8 x 24 positions."""

import json
from pathlib import Path

import numpy as np
import pytest
from flow_runs import field_of
from made_once import copy_store
from page_runs import PAGES, OpenPage, components, texts
from PIL import Image
from run_folders import train_answered, write_tiny_category
from streamlit.testing.v1 import AppTest
from waiting import PATIENCE_S

from wtflow.results import each_image, image_at, open_results
from wtflow.store.runs import RunStore
from wtflow.studies.compute import compute_answer
from wtflow.studies.keep_run import keep_run
from wtflow.studies.requests import StepsRequest
from wtflow.studies.rescore import score_again

STRIP = (64, 192)
LAST = "7,23"
"""Of a square grid of 8 x 8 positions there is none."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A store with a run, and the same scored with one step."""
    folder = tmp_path_factory.mktemp("tiles")
    store = RunStore(folder / "runs")
    root = write_tiny_category(folder / "images", n_good=2, n_bad=3, shape=STRIP)
    run_id = train_answered(store, root, tile="side")
    compute_answer(store, run_id, StepsRequest(n_trips=20), lambda share: None)
    kept = keep_run(store, run_id, score_again(store, run_id, {"steps": 1}, lambda done, total: None))
    return store.home, run_id, kept


@pytest.fixture
def trained(store: RunStore, home: tuple[Path, str, str]) -> str:
    copy_store(home[0], store)
    return home[1]


@pytest.fixture
def strip(store: RunStore, trained: str) -> str:
    """The id of a defective image."""
    results = open_results(store, trained)
    return next(image.sample_id for image in each_image(results.test[results.test.is_defective]))


def figures_of(page) -> dict[str, dict]:
    return {one.proto.alt: json.loads(one.proto.spec) for one in page.get("plotly_chart")}


def figure(page, words: str) -> dict:
    return next(spec for alt, spec in figures_of(page).items() if words in alt)


def is_sound(page) -> bool:
    return not page.exception and not page.error


def test_results_say_how_the_images_were_cut(open_page: OpenPage, trained: str):
    page = open_page("results", run=trained)
    assert is_sound(page)
    assert "tiles of 64 px on 192 x 64 px" in texts(page)


def test_a_click_at_the_far_end_of_a_strip_is_probed(open_page: OpenPage, store: RunStore, trained: str, strip: str):
    page = open_page("localization", run=trained, sample=strip, position=LAST)
    assert is_sound(page)
    pictures = json.loads(components(page)[0].proto.json)
    assert (pictures["width"], pictures["height"]) == (192, 64)
    assert pictures["selected"] == [int(part) for part in LAST.split(",")]
    assert "norm of the feature" in json.dumps(figures_of(page)), "the probe is drawn"


def test_a_strip_can_be_painted_on_along_its_whole_length(
    open_page: OpenPage, store: RunStore, trained: str, strip: str
):
    row = int(open_results(store, trained).table.set_index("sample_id").row[strip])
    page = open_page("localization", run=trained, sample=strip)
    stroke = {"kind": "bright", "points": [[180.0, 30.0]], "radius": 9, "strength": 1.0}
    page.session_state["what_if_pictures"] = {
        (trained, row): {"done": [stroke], "undone": [], "serial": 1, "version": 0}
    }
    page.toggle(key="what_if_open").set_value(True).run()
    assert is_sound(page)
    canvas = json.loads(components(page)[1].proto.json)
    assert (canvas["width"], canvas["height"]) == (192, 64)
    both = figure(page, "before and after painting")
    assert both["layout"]["xaxis"]["range"] == [0, 192] and both["layout"]["yaxis"]["range"] == [64, 0]
    assert "grid positions with paint in their cells" in texts(page)
    next(one for one in page.button if one.key == "what_if_sweep").click().run()
    assert is_sound(page)
    assert figure(page, "Score against strength")


def test_failures_measure_strips(open_page: OpenPage, store: RunStore, trained: str):
    threshold = str(float(open_results(store, trained).test.score.max()) + 1)
    page = open_page("failures", run=trained, threshold=threshold)
    assert is_sound(page)
    assert "Measuring" not in texts(page)


def test_two_runs_of_strips_are_compared(open_page: OpenPage, store: RunStore, home, trained: str, strip: str):
    page = open_page("compare", runs=[home[1], home[2]], sample=strip)
    assert is_sound(page)
    assert "same 5 images" in texts(page)


def test_positions_of_strips_travel_and_end_in_the_well(open_page: OpenPage, trained: str):
    for name in ("trajectories", "wells"):
        page = open_page(name, run=trained)
        assert is_sound(page)
        if name == "trajectories":
            assert field_of(page)["pictures"]["size"] == pytest.approx([1 / 24, 1 / 8])


def test_a_strip_that_is_dropped_is_scored_as_in_the_run(
    open_page: OpenPage, store: RunStore, trained: str, strip: str
):
    results = open_results(store, trained)
    image = image_at(results.table[results.table.sample_id == strip], 0)
    page = open_page("inspect", run=trained)
    page.file_uploader[0].upload("strip.png", Path(image.path).read_bytes(), "image/png").run()
    assert is_sound(page)
    shown = next(metric for metric in page.metric if metric.label.startswith("Score"))
    assert float(shown.value.replace(",", "")) == pytest.approx(image.score, rel=1e-2)


def test_strips_are_named_before_training_and_a_click_cuts_them(open_page: OpenPage, tmp_path: Path):
    strips = write_tiny_category(tmp_path / "strips", n_train=4, n_good=1, n_bad=1, shape=(64, 192))
    page = open_page("train", root=str(strips))
    assert not page.exception
    assert "6 images with sides beyond 2 \\: 1" in texts(page)
    next(one for one in page.button if one.key == "use_tiles").click().run()
    assert is_sound(page)
    assert page.selectbox(key="set_tile").value == "side"
    assert "beyond 2" not in texts(page) and not [one for one in page.button if one.key == "use_tiles"]


def test_regions_too_small_for_the_size_are_offered_tiles_of_the_images_own_pixels(open_page: OpenPage, tmp_path: Path):
    root = write_tiny_category(tmp_path / "small", n_train=2, n_good=1, n_bad=1, shape=(300, 300))
    mask = np.zeros((300, 300), np.uint8)
    mask[100, 100] = 255
    Image.fromarray(mask).save(root / "plate/ground_truth/spot/000_mask.png")
    page = open_page("train", root=str(root))
    assert "is smaller than a pixel of the map" in texts(page)
    next(one for one in page.button if one.key == "use_tiles").click().run()
    assert is_sound(page) and page.selectbox(key="set_tile").value == "256"
    assert "is smaller than a pixel of the map" not in texts(page), "the canvas has 304 px a side"


def test_the_form_offers_tiles_and_refuses_such_as_do_not_fit(open_page: OpenPage, root: Path):
    page = open_page("train", root=str(root))
    page.selectbox(key="set_tile").set_value("side").run()
    assert is_sound(page)
    page = AppTest.from_file(PAGES / "train.py", default_timeout=PATIENCE_S)
    page.query_params["root"], page.session_state["set_tile"] = str(root), "100"  # as typed
    page.run()
    assert not page.exception
    assert "Tiles of 100 px do not fit into images of 64 x 64 px" in page.error[0].value.replace("\\", "")
    assert next(one for one in page.button if one.label == "Start training").disabled
