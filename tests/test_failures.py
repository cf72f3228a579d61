"""Wrong calls of hand-made runs: order, margins, rates per type, where normal images look defective, facts from
drawn masks, sentences.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hand_made_runs import HELD_OUT, SCORES, plain_metrics, record_images, write_finished_run
from PIL import Image
from run_folders import tiny_settings
from scipy.stats import binomtest
from truths import drawn as truth

from wtflow.failures.calls import alarm_map, failures_of, position_scores, type_rows
from wtflow.failures.facts import compute_facts
from wtflow.failures.words import describe_alarms, study_failures
from wtflow.metrics import PixelMetrics
from wtflow.records.core import RunStatus
from wtflow.records.failures import ImageFacts, NearestNormals
from wtflow.results import RunResults, open_results, pixel_map
from wtflow.store.layout import SCORE_COLUMNS
from wtflow.store.runs import RunStore
from wtflow.studies.answers import answer_path, ask, load_answer
from wtflow.studies.requests import FactsRequest, NearestRequest


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "runs")


@pytest.fixture
def results(store: RunStore) -> RunResults:
    """Scores 1 and 3 of good, 2 and 4 of crack, 5 of dent."""
    return open_results(store, write_finished_run(store, tiny_settings()))


# -- worst first -------------------------------------------------------------------------------------------------------


def test_wrong_calls_come_by_how_far_they_are_on_the_wrong_side(results: RunResults):
    found = failures_of(results.test, threshold=4.5)
    assert list(found.sample_id) == ["test/crack/000.png", "test/crack/001.png"]
    assert list(found.margin) == [2.5, 0.5]
    assert set(found.outcome) == {"FN"}


def test_misses_and_false_alarms_stand_in_one_order(results: RunResults):
    found = failures_of(results.test, threshold=2.25)
    assert list(zip(found.sample_id, found.outcome, found.margin, strict=True)) == [
        ("test/good/001.png", "FP", 0.75),
        ("test/crack/000.png", "FN", 0.25),
    ]


def test_at_the_threshold_itself_a_defect_is_found_and_a_good_part_rejected(results: RunResults):
    assert failures_of(results.test, threshold=2.0).sample_id.tolist() == ["test/good/001.png"]
    found = failures_of(results.test, threshold=3.0)
    assert found.set_index("sample_id").margin.to_dict() == {"test/crack/000.png": 1.0, "test/good/001.png": 0.0}


def test_equal_margins_stand_by_name():
    table = pd.DataFrame({"sample_id": ["b", "a"], "score": [1.0, 1.0], "is_defective": [True, True]})
    assert list(failures_of(table, 2.0).sample_id) == ["a", "b"]


def test_held_out_normals_are_no_failures(results: RunResults):
    assert not set(failures_of(results.test, 0.0).sample_id) & set(HELD_OUT)


# -- per type ----------------------------------------------------------------------------------------------------------


def test_each_type_is_counted_against_all_normals(results: RunResults):
    """crack (2, 4) against good (1, 3): of 4 pairs 3 are in order. dent (5) is above both."""
    crack, dent = type_rows(results, None, threshold=3.5)
    assert (crack.defect, crack.n, crack.n_found, crack.rate, crack.auroc) == ("crack", 2, 1, 0.5, 0.75)
    assert (dent.defect, dent.n, dent.n_found, dent.auroc) == ("dent", 1, 1, 1.0)
    assert crack.worst == ("test/crack/000.png", "test/crack/001.png")
    assert crack.aupro is crack.median_area is None


def test_the_interval_of_a_rate_is_wilsons(results: RunResults):
    expected = binomtest(1, 2).proportion_ci(0.95, method="wilson")
    crack = type_rows(results, None, threshold=3.5)[0]
    assert (crack.rate_low, crack.rate_high) == pytest.approx((expected.low, expected.high))


def test_without_normals_a_type_has_no_auroc(store: RunStore, results: RunResults):
    table = results.table[results.table.is_defective]
    only = replace(results, table=table)
    assert {row.auroc for row in type_rows(only, None, 3.0)} == {None}


# -- where normal images look defective --------------------------------------------------------------------------------


def with_maps(results: RunResults, maps: np.ndarray) -> RunResults:
    return replace(results, maps=maps)


def test_the_alarm_map_holds_shares_of_normal_images_alone(results: RunResults):
    """Two normal images (rows 0 and 1) of 4 x 4: one is high in a corner, the other there and in one more place;
    defects are high all over.
    """
    maps = np.zeros((7, 4, 4), np.float32)
    maps[2:5] = 9
    maps[0, 0, 0], maps[1, 0, 0], maps[1, 2, 2] = 1, 2, 3
    alarms = alarm_map(with_maps(results, maps), quantile=0.9)
    assert alarms.threshold < 1
    assert alarms.share[0, 0] == 1.0 and alarms.share[2, 2] == 0.5
    assert alarms.share.sum() == 1.5
    assert (alarms.row[0, 0], alarms.row[2, 2]) == (1, 1)
    assert alarms.n_images == 2


def test_the_rim_is_the_outermost_ring_of_positions(results: RunResults):
    """12 of 16 positions; of three exceedances two lie there; in the first image more than inside, in the second
    less (1/12 against 1/4).
    """
    maps = np.zeros((7, 4, 4), np.float32)
    maps[0, 0, 0], maps[1, 0, 0], maps[1, 2, 2] = 1, 2, 3
    alarms = alarm_map(with_maps(results, maps), quantile=0.9)
    assert (alarms.rim_area, alarms.rim_share) == (0.75, pytest.approx(2 / 3))
    assert (alarms.n_rim_higher, alarms.n_rim_lower) == (1, 1)


def test_a_border_that_alarms_in_every_image_is_said_and_an_even_one_is_not(results: RunResults):
    generator = np.random.default_rng(0)
    table = pd.concat([results.test.iloc[:1]] * 30, ignore_index=True).assign(row=range(30))
    maps = generator.random((30, 8, 8)).astype(np.float32)
    even = replace(results, table=table, maps=maps)
    assert len(describe_alarms(alarm_map(even))) == 1
    bright = maps.copy()
    bright[:, 0, :] += 1
    first, second = describe_alarms(alarm_map(replace(results, table=table, maps=bright)))
    assert "100\N{NBSP}% of what exceeds" in first and "44\N{NBSP}% of all" in first
    assert "at row 0" in second


def test_without_normal_images_there_is_no_alarm_map(results: RunResults):
    table = results.table[results.table.is_defective]
    assert alarm_map(replace(results, table=table)) is None


def test_positions_of_a_relative_run_score_as_its_pixels_show(store: RunStore):
    """A = max(exp(-E)) - exp(-E): the best position is 0, one with E = ln 4 where the best has E = 0 is 3/4."""
    results = open_results(store, write_finished_run(store, tiny_settings(score="relative")))
    maps = np.zeros((7, 4, 4), np.float32)
    maps[0, 1, 1] = np.log(4)
    assert position_scores(with_maps(results, maps), np.array([0]))[0, 1, 1] == pytest.approx(0.75)


# -- facts -------------------------------------------------------------------------------------------------------------

SIDE = 64


def write_drawn_run(store: RunStore, root: Path) -> str:
    """Three good and four defective images of 64 px; squares drawn at `SQUARES`; the last one has no mask."""
    settings, rows = tiny_settings(), []
    squares = {
        "spot/000": [(8, 8, 16)],
        "spot/001": [(0, 48, 8), (40, 40, 8)],
        "dent/000": [(24, 24, 16)],
        "dent/001": [],
    }
    maps = np.full((7, 8, 8), 0.1, np.float32)
    for i, name in enumerate(["good/000", "good/001", "good/002", *squares]):
        pixels, mask = np.full((SIDE, SIDE), 128, np.uint8), np.zeros((SIDE, SIDE), np.uint8)
        pixels[::2] = 120
        for row, column, size in squares.get(name, ()):
            mask[row : row + size, column : column + size] = 255
            pixels[mask > 0] = 250
        image_path, mask_path = root / f"test/{name}.png", root / f"ground_truth/{name}_mask.png"
        for path, array in ((image_path, pixels), *([(mask_path, mask)] if mask.any() else [])):
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(array).save(path)
        defect = name.split("/")[0]
        peak = (1, 1) if name == "spot/000" else (7, 0)
        maps[i][peak] = 2.0
        masked = str(mask_path) if mask.any() else ""
        rows.append(
            (
                i,
                f"test/{name}.png",
                str(image_path),
                masked,
                "test",
                defect,
                defect != "good",
                float(i),
                *peak,
                0.0,
                np.nan,
            )
        )
    run_id = store.create(root, "plate", settings)
    store.write_scores(run_id, pd.DataFrame(rows, columns=list(SCORE_COLUMNS)))
    store.write_maps(run_id, maps)
    store.write_metrics(run_id, plain_metrics())
    store.write_status(run_id, RunStatus(state="finished", percent=100.0, heartbeat=1.0, message="Finished."))
    record_images(store, run_id)
    return run_id


@pytest.fixture
def drawn(store: RunStore, tmp_path: Path) -> RunResults:
    return open_results(store, write_drawn_run(store, tmp_path / "images"))


def facts_of(results: RunResults) -> tuple[ImageFacts, pd.DataFrame]:
    facts = compute_facts(results, lambda done, total: None)
    return facts, study_failures(results, facts, None, 4.5).table.set_index("sample_id")


def test_facts_are_those_of_the_drawn_squares(drawn: RunResults):
    facts, table = facts_of(drawn)
    assert table.area["test/spot/000.png"] == 256 / 64**2
    assert table.area["test/spot/001.png"] == 128 / 64**2
    assert list(table.n_regions[["test/spot/000.png", "test/spot/001.png"]]) == [1, 2]
    assert table.border["test/spot/000.png"] == 16 / 64
    assert table.border["test/dent/000.png"] == 0.5
    assert table.contrast["test/dent/000.png"] > 20
    assert facts.problem.tolist().count("It has no mask.") == 1


def test_the_highest_position_counts_as_on_the_defect_within_one_position(drawn: RunResults):
    _, table = facts_of(drawn)
    assert table.peak_on_defect["test/spot/000.png"] == 1
    assert table.peak_on_defect["test/dent/000.png"] == 0
    assert table.peak_border["test/dent/000.png"] == 0.5 / 8


def test_good_images_and_those_without_a_mask_have_no_defect_facts(drawn: RunResults):
    _, table = facts_of(drawn)
    without = table.loc[
        ["test/good/000.png", "test/dent/001.png"], ["area", "contrast", "border", "n_regions", "peak_on_defect"]
    ]
    assert without.isna().all(axis=None)
    assert table.problem["test/good/000.png"] == ""


def test_the_aupro_of_a_type_counts_its_images_and_all_normals(drawn: RunResults):
    facts, _ = facts_of(drawn)
    pixels, mask = PixelMetrics(), np.zeros((SIDE, SIDE), bool)
    for row in range(3):
        pixels.add(pixel_map(drawn, row), truth(mask))
    mask[24:40, 24:40] = True
    pixels.add(
        pixel_map(drawn, int(drawn.table.row[drawn.table.sample_id == "test/dent/000.png"].iloc[0])), truth(mask)
    )
    assert facts.aupro["dent"] == pixels.result()["aupro"]
    assert facts.aupro["spot"] > facts.aupro["dent"]


def test_an_image_that_is_gone_costs_its_own_facts_alone(drawn: RunResults):
    Path(drawn.table.path[drawn.table.sample_id == "test/spot/000.png"].iloc[0]).unlink()
    facts, table = facts_of(drawn)
    assert "000.png" in table.problem["test/spot/000.png"]
    assert np.isnan(table.area["test/spot/000.png"])
    assert table.area["test/spot/001.png"] == 128 / 64**2


def test_every_image_is_counted_once_in_the_progress(drawn: RunResults):
    calls = []
    compute_facts(drawn, lambda done, total: calls.append((done, total)))
    assert calls == [(i, 7) for i in range(1, 8)]


def test_facts_come_back_as_they_were_kept(store: RunStore, drawn: RunResults):
    facts, _ = facts_of(drawn)
    assert load_answer(store, drawn.run_id, FactsRequest()) is None
    ask(store, drawn.run_id, FactsRequest()).save(facts)
    back = load_answer(store, drawn.run_id, FactsRequest())
    np.testing.assert_array_equal(back.area, facts.area)
    assert back.problem.tolist() == facts.problem.tolist()
    assert back.aupro == facts.aupro


def test_facts_of_a_run_that_was_scored_anew_count_as_absent(store: RunStore, drawn: RunResults):
    ask(store, drawn.run_id, FactsRequest()).save(facts_of(drawn)[0])
    store.write_maps(drawn.run_id, np.zeros((7, 8, 8), np.float32))
    assert load_answer(store, drawn.run_id, FactsRequest()) is None


def test_a_file_of_facts_that_lacks_a_column_is_thrown_away(store: RunStore, drawn: RunResults):
    ask(store, drawn.run_id, NearestRequest()).save(NearestNormals(np.arange(7), np.array(["a"] * 7), np.ones(7)))
    path = answer_path(store, drawn.run_id, NearestRequest())
    path.rename(answer_path(store, drawn.run_id, FactsRequest()))
    assert load_answer(store, drawn.run_id, FactsRequest()) is None
    assert not answer_path(store, drawn.run_id, FactsRequest()).exists()
    assert load_answer(store, drawn.run_id, NearestRequest()) is None


# -- the study ---------------------------------------------------------------------------------------------------------


def test_few_wrong_calls_are_said_to_be_few(drawn: RunResults):
    study = study_failures(drawn, facts_of(drawn)[0], None, 4.5)
    assert study.misses[0].startswith("2 misses and 2 hits are too few")
    assert study.misses[1] == "The map is highest on or next to the defect in 1 of 2 misses and in 0 of 1 hit."
    assert study.alarms == ()


def test_a_study_without_wrong_calls_says_nothing(drawn: RunResults):
    study = study_failures(drawn, facts_of(drawn)[0], None, 2.5)
    assert study.failures.empty
    assert study.misses == study.alarms == study.miss_splits == ()


def test_a_study_without_facts_still_counts_types(results: RunResults):
    study = study_failures(results, None, None, 3.5)
    assert [row.defect for row in study.types] == ["crack", "dent"]
    assert "area" not in study.table and len(study.table) == len(SCORES)


def many(results: RunResults, n: int) -> tuple[RunResults, ImageFacts]:
    """n normal and n defective images; small defects score low; normal ones score as they lie near the border."""
    generator = np.random.default_rng(0)
    area, border = generator.uniform(0.001, 0.02, n), generator.uniform(0.02, 0.5, n)
    score = np.r_[1 - 2 * border, 100 * area + generator.uniform(-0.2, 0.2, n)]
    blank = np.full(n, np.nan)
    rows = np.arange(2 * n)
    table = pd.DataFrame(
        {
            "row": rows,
            "sample_id": [f"test/{i:03d}" for i in rows],
            "split": "test",
            "defect": np.repeat(["good", "spot"], n),
            "is_defective": rows >= n,
            "score": score,
            "whole_score": np.nan,
        }
    )
    facts = ImageFacts(
        rows,
        np.r_[blank, area],
        np.r_[blank, generator.random(n)],
        np.r_[blank, generator.random(n)],
        np.r_[blank, np.ones(n)],
        np.r_[border, generator.random(n)],
        np.r_[blank, np.ones(n)],
        np.full(2 * n, ""),
        {"spot": 0.5},
    )
    return replace(results, table=table), facts


def test_patterns_that_were_planted_come_out_as_sentences_and_no_others(results: RunResults):
    planted, facts = many(results, 60)
    study = study_failures(planted, facts, None, 0.7)
    assert [split.fact for split in study.miss_splits] == ["area"]
    assert [split.fact for split in study.alarm_splits] == ["peak_border"]
    assert study.misses[0].startswith("Missed defects are smaller: ")
    assert study.alarms[0].startswith("False alarms peak nearer to the border: ")


def test_nearest_normals_join_the_facts_that_are_tried(results: RunResults):
    planted, facts = many(results, 60)
    nearest = NearestNormals(facts.row, np.array(["train/good/000"] * 120), planted.table.score.to_numpy())
    study = study_failures(planted, facts, nearest, 0.7)
    assert {split.fact for split in study.miss_splits} == {"area", "nearest"}
    assert any(said.startswith("False alarms resemble the training normals less") for said in study.alarms)


def test_a_pattern_that_is_not_there_is_not_claimed(results: RunResults):
    planted, facts = many(results, 60)
    shuffled = planted.table.assign(score=np.random.default_rng(1).permutation(planted.table.score))
    study = study_failures(replace(results, table=shuffled), facts, None, 0.7)
    assert study.misses[0].startswith("Nothing tried separates misses from hits better than chance (n = 60): area,")
