import importlib
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from flow_runs import links_of
from page_runs import OpenPage, components, texts
from PIL import Image
from run_folders import train_here

from wtflow.records.core import Probe
from wtflow.results import find_sample, open_results
from wtflow.store.runs import RunStore
from wtflow.studies.neighbours import nearest_positions


def sample_of(page) -> str:
    return page.selectbox(key="widget_sample").value


def pictures_of(page) -> dict:
    """What the component with the pictures was sent."""
    return json.loads(components(page)[0].proto.json)


def test_it_opens_on_the_worst_image_with_its_verdict(open_page: OpenPage, finished: str):
    page = open_page("localization")
    assert not page.exception
    assert sample_of(page) == "test/spot/002.png"
    assert "Defect found" in texts(page) and "called defective" in texts(page)


def test_next_and_previous_step_through_the_images_in_order(open_page: OpenPage, finished: str):
    page = open_page("localization", run=finished)
    following = next(button for button in page.button if button.label == "Next")
    following.click().run()
    assert sample_of(page) == "test/spot/001.png"
    assert page.query_params["sample"] == "test/spot/001.png"
    next(button for button in page.button if button.label == "Previous").click().run()
    assert sample_of(page) == "test/spot/002.png"


def test_stepping_stays_within_the_filter(open_page: OpenPage, finished: str):
    page = open_page("localization", run=finished, defect="good")
    assert page.selectbox(key="widget_sample").options == ["test/good/001.png", "test/good/000.png"]
    assert "1 of 2 with good" in texts(page)


def test_a_link_to_an_image_outside_the_filter_shows_that_image(open_page: OpenPage, finished: str):
    page = open_page("localization", run=finished, sample="test/spot/000.png", defect="good")
    assert sample_of(page) == "test/spot/000.png"


def test_the_threshold_of_the_address_decides_the_verdict(open_page: OpenPage, finished: str):
    page = open_page("localization", run=finished, sample="test/spot/000.png", threshold="2.5")
    assert "Defect missed" in texts(page) and "called normal" in texts(page)


def test_the_look_of_the_pictures_is_that_of_the_address_and_nonsense_is_passed_over(
    open_page: OpenPage, finished: str
):
    def look(**params: str) -> dict:
        page = open_page("localization", run=finished, **params)
        assert not page.exception
        return pictures_of(page)["look"]

    assert look() == {"opacity": 0.6, "scale": "run", "outline": "on"}
    assert look(opacity="0.25", scale="image", outline="off") == {"opacity": 0.25, "scale": "image", "outline": "off"}
    assert look(opacity="7", scale="x", outline="y") == {"opacity": 1.0, "scale": "run", "outline": "on"}


def test_the_pictures_hold_both_scales_the_threshold_and_the_outline(open_page: OpenPage, finished: str):
    sent = pictures_of(open_page("localization", run=finished, sample="test/spot/000.png", threshold="2.5"))
    assert sent["scales"]["run"] == [0.5, 4.0] and sent["scales"]["image"] != sent["scales"]["run"]
    assert sent["threshold"] == 2.5 and sent["truth"].startswith("M") and sent["selected"] is None
    assert "stretched to this image alone" in sent["own_scale_note"]
    assert not pictures_of(open_page("localization", run=finished, sample="test/good/000.png"))["truth"]


def test_an_unknown_image_gets_a_sentence(open_page: OpenPage, finished: str):
    page = open_page("localization", run=finished, sample="../secret.png")
    assert not page.exception
    assert "has no image" in page.error[0].value


def test_a_defect_that_pixel_metrics_leave_out_says_why(open_page: OpenPage, root: Path, finished: str):
    mask = root / "plate/ground_truth/spot/001_mask.png"
    Image.fromarray(np.zeros((64, 64), np.uint8)).save(mask)
    page = open_page("localization", run=finished, sample="test/spot/001.png")
    assert not page.exception
    assert "The true defect is not outlined. Its mask marks nothing." in texts(page)


def test_a_position_outside_the_grid_is_passed_over(open_page: OpenPage, finished: str):
    for position in ("99,0", "0,99", "-1,0", "a,b", "1"):
        page = open_page("localization", run=finished, position=position)
        assert not page.exception and not page.error


def test_a_position_in_the_address_is_probed(open_page: OpenPage, finished: str, monkeypatch: pytest.MonkeyPatch):
    asked = []

    def probe(store: RunStore, run_id: str, row: int, grid_row: int, grid_column: int) -> Probe:
        asked.append((row, grid_row, grid_column))
        times = np.array([0.0, 0.5, 1.0])
        return Probe(
            "x", grid_row, grid_column, times, times + 1, times, 0.25, 16, times, ((3, 2.0, 0.25),), edge_factor=1.25
        )

    monkeypatch.setattr(importlib.import_module("wtflow.studies.probes"), "probe", probe)
    page = open_page("localization", run=finished, sample="test/spot/000.png", position="1,2")
    assert not page.exception
    assert asked == [(2, 1, 2)]
    assert "Row 1, column 2: the map shows 0.25" in texts(page)
    assert "scores here are divided by 1.25" in texts(page)


def test_a_probe_that_fails_leaves_the_picture_and_says_why(open_page: OpenPage, finished: str):
    page = open_page("localization", run=finished, position="0,0")  # the hand-made run has no checkpoint
    assert not page.exception
    assert len(page.error) == 1
    assert "Among all test images" in texts(page)


def test_looking_at_an_image_imports_no_torch(open_page: OpenPage, finished: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delitem(sys.modules, "wtflow.studies.probes", raising=False)
    open_page("localization", run=finished)
    assert "wtflow.studies.probes" not in sys.modules


@pytest.fixture
def trained(store: RunStore, root: Path) -> str:
    return train_here(store, root)


def test_a_chosen_position_is_followed_compared_with_normals_and_leads_to_its_fine_path(
    open_page: OpenPage, store: RunStore, trained: str
):
    page = open_page("localization", run=trained, sample="test/good/000.png", position="2,3")
    assert not page.exception and not page.error
    assert "Row 2, column 3: the map shows" in texts(page)
    row = int(find_sample(open_results(store, trained), "test/good/000.png").row)
    nearest = [one.distance for one in nearest_positions(store, trained, row, 2, 3)]
    assert nearest == sorted(nearest) and len(nearest) == 5
    shown = [float(found) for found in re.findall(r"\*\*distance ([\d.e+-]+)\*\*", texts(page))]
    assert shown == pytest.approx(nearest, rel=1e-3)
    assert len(re.findall(r"train/good/\d{3}", texts(page).replace("\\", ""))) == 5
    assert (
        links_of(page)["Follow it in fine steps"]
        == f"trajectories?run={trained}&sample=test%2Fgood%2F000.png&position=2%2C3&images=one&how=clicked"
    )


def test_without_a_position_nothing_is_followed(open_page: OpenPage, trained: str):
    page = open_page("localization", run=trained)
    assert not page.exception and not page.error
    assert "the map shows" not in texts(page)
    assert "Follow it in fine steps" not in links_of(page)


def test_a_position_sent_along_with_an_image_stays_with_it(open_page: OpenPage, trained: str):
    """Stepping to the next image forgets it: it was chosen in another picture."""
    page = open_page("localization", run=trained, sample="test/spot/000.png", position="1,1")
    assert page.query_params["position"] == "1,1"
    next(button for button in page.button if button.label == "Next").click().run()
    assert "position" not in page.query_params
    assert not page.exception


def test_a_defect_whose_file_and_mask_are_gone_leaves_its_map(open_page: OpenPage, finished: str, root):
    """The run holds no truth of its own, so its outline cannot be told any more."""
    for path in (root / "plate").rglob("spot/*.png"):
        path.unlink()
    page = open_page("localization", run=finished, sample="test/spot/000.png")
    assert not page.exception and not page.error
