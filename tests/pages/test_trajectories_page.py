"""The page `trajectories` run alone: paths of a real tiny run, whatever the address says, and studies that a process
makes.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from flow_runs import field_of, links_of, tell_of
from page_runs import PAGES, OpenPage, texts
from run_folders import train_here, write_tiny_category
from streamlit.testing.v1 import AppTest
from waiting import PATIENCE_S

from pages.ui.flow import flow_cache, flow_words
from wtflow.jobs import studies
from wtflow.results import open_results
from wtflow.store.runs import RunStore
from wtflow.studies.compute import compute_answer
from wtflow.studies.requests import StepsRequest, TravelRequest, default_paths

SPOT, GOOD = "test/spot/001.png", "test/good/000.png"


def train(store: RunStore, folder: Path, n_good: int, n_bad: int, **settings) -> str:
    return train_here(store, write_tiny_category(folder / "images", n_good=n_good, n_bad=n_bad), **settings)


def button(page: AppTest, label: str):
    return next(one for one in page.button if one.label.startswith(label))


def row_of(store: RunStore, run_id: str, sample: str) -> int:
    table = open_results(store, run_id).table
    return int(table[table.sample_id == sample].row.iloc[0])


# -- what is there -----------------------------------------------------------------------------------------------------


def test_an_empty_store_says_what_to_do_first(open_page: OpenPage):
    page = open_page("trajectories")
    assert not page.exception
    assert "No finished run yet" in texts(page)
    assert field_of(page) is None


def test_a_run_opens_with_its_paths_and_says_its_numbers(open_page: OpenPage, trained: str):
    page = open_page("trajectories")
    assert not page.exception and not page.error
    field = field_of(page)
    n = field["ids"]["shape"][0]
    assert [view["family"] or view["key"] for view in field["views"]] == ["disc"] * 3 + ["radius"] * 3 + ["plane"] * 2
    assert field["opens_playing"] and field["choices"] == {}, "the first view plays once"
    assert [chart["key"] for chart in field["charts"]] == ["norm", "speed", "straightness", "score"]
    good, spot = field["colours"][0]["counts"]
    assert (good, n) == (128, 128 + spot), "both normal images have 8 x 8 positions, all of them normal"
    assert f"{n} of 2,000 positions: the images and masks have no more" in texts(page)
    assert "Normal positions" in texts(page) and "of normal and" in texts(page)


def test_a_hand_made_run_without_a_checkpoint_gets_a_sentence_and_keeps_its_studies_in_reach(
    open_page: OpenPage, finished: str
):
    page = open_page("trajectories", run=finished)
    assert not page.exception
    assert len(page.error) == 1 and "has no " in page.error[0].value
    assert field_of(page) is None
    assert "Look closer" in texts(page)


def test_a_run_without_test_images_says_so(open_page: OpenPage, store: RunStore, tmp_path: Path):
    train(store, tmp_path, 0, 0)
    page = open_page("trajectories")
    assert not page.exception and not page.error
    assert "no test images" in texts(page)


def test_a_run_without_defects_shows_the_normals_and_says_what_cannot_be_said(
    open_page: OpenPage, store: RunStore, tmp_path: Path
):
    run_id = train(store, tmp_path, 2, 0)
    page = open_page("trajectories", run=run_id)
    assert not page.exception and not page.error
    assert field_of(page)["colours"][0]["names"] == ["normal"]
    assert "128 of 2,000 positions: the images have no more" in texts(page)
    assert "There are no defect positions here" in texts(page)
    page = open_page("trajectories", run=run_id, how="defect")
    assert not page.exception
    assert "None of the chosen images has a defect pixel" in page.error[0].value


@pytest.mark.parametrize(("n_good", "n_bad"), [(1, 0), (0, 1)])
def test_a_single_test_image_is_enough(open_page: OpenPage, store: RunStore, tmp_path: Path, n_good: int, n_bad: int):
    train(store, tmp_path, n_good, n_bad)
    page = open_page("trajectories", tab="ideal")
    assert not page.exception and not page.error
    assert field_of(page)["ids"]["shape"] == [64]


def test_a_unet_moves_whole_images_and_the_study_of_single_positions_says_so(
    open_page: OpenPage, store: RunStore, tmp_path: Path
):
    train(store, tmp_path, 1, 1, network="unet", scope="image", width=8)
    page = open_page("trajectories", tab="ideal")
    assert not page.exception
    assert field_of(page) is not None
    assert "no line of their own per position" in page.error[0].value
    assert "every straight line" not in texts(page), "words about a figure that is not there"


# -- what the address says ---------------------------------------------------------------------------------------------


def test_an_image_and_a_position_in_the_address_are_one_path(open_page: OpenPage, store: RunStore, trained: str):
    page = open_page("trajectories", run=trained, sample=SPOT, position="2,3")
    assert not page.exception and not page.error
    field = field_of(page)
    assert field["pictures"]["names"] == [SPOT] and field["portrait"] == 0 and field["marked"] == [0]
    assert field["colours"][0]["counts"] == [1, 128] and field["colours"][0]["names"][1] == "normal, to compare"
    assert field["readings"][0]["kind"] == "times", "how far out it is, in radii of the well"
    assert "The run's map is scored with 2 steps, these paths take 20 steps" in texts(page)
    assert "row 2, column 3" in texts(page) and "Its distance from the origin is" in texts(page)
    assert links_of(page)["Open its image"] == f"localization?run={trained}&sample=test%2Fspot%2F001.png&position=2%2C3"
    assert "Follow it alone" not in links_of(page)
    answer = compute_answer(
        store,
        trained,
        TravelRequest(rows=(row_of(store, trained, SPOT),), at=(2, 3), n=1, steps=20),
        lambda share: None,
    )
    assert f"{answer.norm[0, 0]:.4g} at t = 0, {answer.norm[-1, 0]:.4g} at t = 1" in texts(page), (
        "the position that was asked for, no other"
    )


def test_a_position_of_an_image_that_the_filter_leaves_out_is_still_that_image(open_page: OpenPage, trained: str):
    page = open_page("trajectories", run=trained, sample=GOOD, position="1,1", images="one", defect="spot")
    assert not page.exception
    assert field_of(page)["pictures"]["names"] == [GOOD]
    assert page.selectbox(key="widget_sample").value == GOOD


def test_an_unknown_image_is_named_and_another_can_be_chosen(open_page: OpenPage, trained: str):
    page = open_page("trajectories", run=trained, images="one", sample="../secret.png")
    assert not page.exception
    assert "has no image" in page.error[0].value
    assert field_of(page) is None
    page.selectbox(key="widget_sample").set_value(SPOT).run()
    assert not page.exception and not page.error
    assert field_of(page)["pictures"]["names"] == [SPOT]


def test_a_filter_chooses_the_images(open_page: OpenPage, trained: str):
    page = open_page("trajectories", run=trained, defect="spot")
    assert "Only images with spot: 3 images" in texts(page)
    assert set(field_of(page)["pictures"]["names"]) == {f"test/spot/00{i}.png" for i in range(3)}
    button(page, "All images").click().run()
    assert "Only images" not in texts(page) and len(field_of(page)["pictures"]["names"]) > 3


def test_a_filter_that_leaves_nothing_is_left_out_with_a_word(open_page: OpenPage, trained: str):
    page = open_page("trajectories", run=trained, defect="good", range="1e8~2e8")
    assert not page.exception and not page.error
    assert "No image passes the filter" in texts(page)
    assert field_of(page)["ids"]["shape"][0] > 128
    button(page, "All images").click().run()
    assert "No image passes" not in texts(page)


def test_the_highest_scoring_images_are_those(open_page: OpenPage, store: RunStore, trained: str):
    test = open_results(store, trained).test
    page = open_page("trajectories", run=trained, images="highest", defect="spot", how="top", n="200")
    assert set(field_of(page)["pictures"]["names"]) == set(test[test.is_defective].sample_id)


NONSENSE = {
    "run": None,
    "sample": "x" * 4000,
    "position": "9999,-1",
    "threshold": "nan",
    "origin": "evil",
    "defect": "<script>",
    "outcome": "evil",
    "range": "b~a",
    "sort": "evil",
    "images": "evil",
    "how": "evil",
    "n": "abc",
    "saves": "-3",
    "probes": "yes",
    "tab": "evil",
    "view": "evil",
    "colour": "evil",
    "t": "nan",
}


def test_nonsense_in_every_parameter_is_passed_over(open_page: OpenPage, trained: str):
    page = open_page("trajectories", **(NONSENSE | {"run": trained}))
    assert not page.exception and not page.error
    assert field_of(page)["ids"]["shape"][0] > 128
    assert "t" not in field_of(page)["choices"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("n", "1e9"), ("n", "inf"), ("saves", "1e-300"), ("t", "7"), ("t", "-inf"), ("position", "0"), ("position", ",")],
)
def test_one_number_out_of_bounds_is_passed_over(open_page: OpenPage, trained: str, name: str, value: str):
    page = open_page("trajectories", run=trained, **{name: value})
    assert not page.exception and not page.error
    assert field_of(page) is not None


# -- particles ---------------------------------------------------------------------------------------------------------


def click(page: AppTest, particle: int) -> AppTest:
    """What the field's callback writes down when a particle is clicked."""
    page.session_state["paths_clicked"] = (page.session_state["paths_shown"], particle)
    return page.run()


def test_a_clicked_particle_is_ringed_and_leads_to_its_image_and_to_its_path_alone(
    open_page: OpenPage, store: RunStore, trained: str
):
    page = click(open_page("trajectories", run=trained), 5)
    places = compute_answer(store, trained, default_paths("euler"), lambda share: None).positions
    row, column = places.grid_row[5], places.grid_column[5]
    assert field_of(page)["marked"] == [5]
    assert f"**{GOOD}**, row {row}, column {column}: normal" in texts(page)
    assert links_of(page)["Open its image"].endswith(f"sample=test%2Fgood%2F000.png&position={row}%2C{column}")
    alone = links_of(page)["Follow it alone"]
    assert alone.startswith("trajectories?") and "images=one" in alone and "how=clicked" in alone
    page.selectbox(key="widget_n").set_value(200).run()
    assert field_of(page)["marked"] == [], "other paths have other particles"


def test_where_only_a_part_is_drawn_a_click_still_means_the_particle_under_the_pointer(
    open_page: OpenPage, store: RunStore, trained: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(flow_cache, "MOST_DRAWN", 6)
    page = open_page("trajectories", run=trained)
    field = field_of(page)
    assert field["ids"]["shape"] == [6]
    assert "6 of them are drawn, evenly over the types" in texts(page)
    page = click(page, 5)
    travel = compute_answer(store, trained, default_paths("euler"), lambda share: None)
    places = flow_cache.drawn(travel).positions
    name = open_results(store, trained).table.set_index("row").loc[int(places.row[5])].sample_id
    assert places.group[5] == "spot", "three of the six are defects, and they come last"
    assert f"**{name}**, row {places.grid_row[5]}, column {places.grid_column[5]}: spot" in texts(page)


def test_straight_lines_to_noise_are_laid_under_the_paths_that_are_shown(open_page: OpenPage, trained: str):
    page = open_page("trajectories", run=trained)
    assert field_of(page)["lines"] is None
    page.selectbox(key="widget_lines").set_value("worst").run()
    assert not page.exception and not page.error
    field = field_of(page)
    assert "worst pairs" in field["lines"]["label"] and set(field["lines"]["points"]) >= {"disc", "radius"}
    n = field["ids"]["shape"][0]
    assert field["arrays"][field["lines"]["points"]["disc"]["radius"]]["shape"] == [21, n]
    page = open_page("trajectories", run=trained, lines="evil")
    assert not page.exception and field_of(page)["lines"] is None


def test_the_line_says_what_is_shown_and_the_form_is_folded_into_it(open_page: OpenPage, trained: str):
    page = open_page("trajectories", run=trained)
    n = field_of(page)["ids"]["shape"][0]
    (form,) = [block for block in page.get("popover") if "positions of" in block.proto.popover.label]
    assert form.proto.popover.label == f"{n} positions of all test images"
    page = open_page("trajectories", run=trained, images="highest", defect="spot")
    assert any("of the 12 highest-scoring images" in block.proto.popover.label for block in page.get("popover"))


# -- studies that a process makes --------------------------------------------------------------------------------------


def test_the_box_of_the_steps_study_says_how_long_it_takes_at_the_pace_of_this_run(
    open_page: OpenPage, store: RunStore, trained: str
):
    facts = store.metrics(trained)
    store.write_metrics(trained, facts | {"rates": facts["rates"] | {"score": 0.4}})
    page = open_page("trajectories", run=trained, tab="steps")
    assert not page.exception and not page.error
    # 91 evaluations in the plan, which has the run's own two steps; five images at 0.4 s for two evaluations: 91 s
    assert "Takes about 1.5 min at the pace at which this run scored its own images" in texts(page)
    assert button(page, "Score the test set with 1 to 50 steps")


def test_a_study_under_way_shows_its_progress_and_can_be_stopped(
    open_page: OpenPage, store: RunStore, trained: str, monkeypatch: pytest.MonkeyPatch
):
    stopped = []
    monkeypatch.setattr(studies, "stop_task", lambda *args: stopped.append(args[2]))  # it would end this very process
    tell_of(store, trained, StepsRequest(), state="running", share=0.4)
    page = open_page("trajectories", run=trained, tab="steps")
    assert not page.exception
    (bar,) = [one.proto for one in page.get("progress")]
    assert bar.text.startswith("Score the test set with 1 to 50 steps: 40\N{NBSP}%")
    assert "You may leave this page" in bar.text
    assert not [one for one in page.button if one.label.startswith("Score the test set")]
    button(page, "Stop").click().run()
    assert stopped == [StepsRequest()]


def test_a_study_that_is_there_is_drawn_with_its_table_and_files(open_page: OpenPage, store: RunStore, trained: str):
    compute_answer(store, trained, StepsRequest(), lambda share: None)
    page = open_page("trajectories", run=trained, tab="steps")
    assert not page.exception and not page.error
    assert "There and back" in texts(page)
    table = page.dataframe[0].value
    assert table["solver"].tolist().count("euler (this run)") == 1
    assert table["evaluations"].tolist() == [1, 2, 4, 10, 50, 4, 20]
    labels = [one.proto.label for one in page.get("download_button")]
    assert (labels.count("PNG"), labels.count("SVG"), labels.count("CSV")) == (6, 6, 3)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "about 5 s"),
        (12, "about 10 s"),
        (57, "about 55 s"),
        (58, "about 1 min"),
        (100, "about 1.5 min"),
        (570, "about 10 min"),
        (4000, "about 1.1 h"),
    ],
)
def test_a_promise_has_no_more_digits_than_it_deserves(seconds: float, words: str):
    assert flow_words.roughly(seconds) == words


def test_what_was_computed_before_is_shown_without_torch(store: RunStore, trained: str):
    """In a process of its own, as after a restart: torch takes seconds to load, and these pages only draw."""
    code = f"""
import sys
from streamlit.testing.v1 import AppTest
page = AppTest.from_file({str(PAGES / "trajectories.py")!r}, default_timeout={PATIENCE_S})
page.query_params["run"] = {trained!r}
page.run()
assert not page.exception and not page.error and "paths" in [one.key for one in page.get("bidi_component")]
sys.exit(bool({{"torch", "umap", "matplotlib"}} & sys.modules.keys()))
"""
    environment = os.environ | {"PYTHONPATH": str(PAGES.parent), "WTFLOW_HOME": str(store.home)}
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert result.returncode == 0, result.stderr
