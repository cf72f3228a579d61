"""Runs side by side: common images, metrics with differences, who is right where, counted pixels, and scoring a
run again as a run.
"""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hand_made_runs import HELD_OUT, SCORES, plain_metrics, score_table
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from run_folders import tiny_settings, train_here, write_tiny_category
from truths import drawn as truth_of
from truths import file_truth
from typer.testing import CliRunner

from wtflow.cli.app import app
from wtflow.compare import pixel_tally
from wtflow.compare.common_truth import CommonTruth
from wtflow.compare.differences import trained_sentences
from wtflow.compare.pixel_rows import compare_pixels
from wtflow.compare.runs import (
    align,
    common_thresholds,
    compare_images,
    difference_words,
    disagreement_words,
    disagreements,
    normal_reference,
    pair_table,
    rarity,
    settings_rows,
)
from wtflow.config import Settings
from wtflow.datasets.seen import SeenImages
from wtflow.deciding import force
from wtflow.errors import DamagedRunError, DiskFullError, MetricError
from wtflow.metrics import FPR_LIMIT, PIXEL_METRICS, PixelMetrics
from wtflow.records.compare import Interval
from wtflow.records.truth import RunTruth
from wtflow.results import RunResults, open_results
from wtflow.store.layout import RunConfig
from wtflow.store.runs import RunStore

BETTER = SCORES | {"test/good/001.png": 0.5}
"""With this one lower all defective images score above all good ones."""

SIDE = 64
"""Maps as large as the image, so that a map is its own pixels."""

NO_MASKS = RunTruth((SIDE, SIDE), {}, {})


def results_of(scores: dict[str, float] = SCORES, held_out: dict[str, float] = HELD_OUT, **metrics) -> RunResults:
    settings = tiny_settings()
    config = RunConfig(
        schema_version=1,
        run_id="20260101-000000-plate",
        created=0.0,
        root="/data",
        category="plate",
        settings=settings,
        versions={},
    )
    table = score_table(scores, held_out)
    maps = np.arange(len(table), dtype=np.float32)[:, None, None] * np.ones((4, 4), np.float32)
    truth, nothing_seen = (
        file_truth(table, (SIDE, SIDE)),
        SeenImages(RunStore(Path("/nowhere")), config.run_id, {}, "grey"),
    )
    return RunResults(config.run_id, config, table, plain_metrics(**metrics), maps, truth, nothing_seen)


def data_of(results: RunResults, changed: tuple[str, ...] = ()) -> dict:
    return {
        "samples": [{"id": name, "sha256": f"{name}{'!' * (name in changed)}"} for name in results.table.sample_id],
        "held_out": [],
    }


def compared(*runs: RunResults):
    return align(runs, [data_of(run) for run in runs])


# -- common images -----------------------------------------------------------------------------------------------------


def test_images_are_the_same_when_name_and_content_are():
    first, second = (
        results_of(),
        results_of({name: score for name, score in reversed(BETTER.items()) if name != "test/dent/000.png"}),
    )
    found = align([first, second], [data_of(first), data_of(second, changed=("test/crack/000.png",))])
    assert list(found.images.sample_id) == [
        "test/good/000.png",
        "test/good/001.png",
        "test/crack/001.png",
    ], "in the first run's order"
    assert found.scores.tolist() == [[1.0, 3.0, 4.0], [1.0, 0.5, 4.0]]
    assert [second.table.set_index("row").sample_id[row] for row in found.rows[1]] == list(found.images.sample_id)
    assert (found.n_images, found.is_same_set) == ((5, 4), False)


def test_held_out_normals_are_no_test_images():
    found = compared(results_of(), results_of(BETTER))
    assert found.is_same_set
    assert set(found.images.sample_id) == set(SCORES)


def test_one_image_under_two_labels_is_not_the_same_image():
    first = results_of()
    relabelled = replace(
        first,
        table=first.table.assign(
            is_defective=first.table.is_defective | (first.table.sample_id == "test/good/000.png")
        ),
    )
    assert "test/good/000.png" not in set(compared(first, relabelled).images.sample_id)


def test_a_run_that_does_not_say_what_it_was_tested_on_is_damaged():
    run = results_of()
    for data in (None, {}, {"samples": []}, {"samples": [{"id": "test/good/000.png"}]}):
        with pytest.raises(DamagedRunError, match="data.json"):
            align([run, run], [data_of(run), data])


@pytest.mark.parametrize("n", [1, 5])
def test_two_to_four_runs_are_compared(n):
    with pytest.raises(MetricError, match=f"{n} runs"):
        compared(*[results_of()] * n)


def test_settings_that_differ_come_apart_from_those_that_do_not():
    differ, same = settings_rows([tiny_settings(), tiny_settings(steps=4, seed=7)])
    assert differ == [("steps", [2, 4]), ("seed", [0, 7])]
    assert len(differ) + len(same) == len(Settings.model_fields)


# -- metrics -----------------------------------------------------------------------------------------------------------


def test_image_metrics_and_their_differences_are_those_worked_out_by_hand():
    rows = {row.key: row for row in compare_images(compared(results_of(), results_of(BETTER)), n_resamples=300)}
    auroc = rows["image_auroc"]  # of 3 x 2 pairs the first run has one wrong: the defective 2.0 below the good 3.0
    assert auroc.values == pytest.approx((5 / 6, 1.0))
    assert auroc.differences[1].value == pytest.approx(1 / 6)
    assert 0 <= auroc.differences[1].low <= 1 / 6 <= auroc.differences[1].high <= 1
    assert (auroc.intervals[1].low, auroc.intervals[1].high) == (1.0, 1.0)
    assert rows["image_f1_max"].values == pytest.approx((6 / 7, 1.0))


def test_a_run_compared_with_itself_is_exactly_the_same():
    for row in compare_images(compared(results_of(), results_of()), n_resamples=50):
        assert row.differences[1] == Interval(0.0, 0.0, 0.0)
        assert difference_words(row.differences[1]) == "exactly the same"


def test_words_say_better_or_worse_only_when_the_interval_leaves_zero_out():
    assert difference_words(Interval(0.1, 0.01, 0.2)) == "better"
    assert difference_words(Interval(-0.1, -0.2, -0.01)) == "worse"
    assert difference_words(Interval(0.1, -0.01, 0.2)) == "within noise"
    assert difference_words(Interval(0.0, -0.01, 0.01)) == "within noise"


def test_a_test_set_of_one_class_has_a_reason_instead_of_numbers():
    good = results_of({name: score for name, score in SCORES.items() if "good" in name})
    for row in compare_images(compared(good, good)):
        assert row.values == (None, None)
        assert "defective images" in row.reason


# -- calls -------------------------------------------------------------------------------------------------------------


def test_each_run_calls_at_its_own_threshold():
    table = pair_table(compared(results_of(), results_of(BETTER)), 0, 1, [2.5, 1.75]).set_index("sample_id")
    assert table.agreement.to_dict() == {
        "test/good/000.png": "both",
        "test/good/001.png": "second",
        "test/crack/000.png": "second",
        "test/crack/001.png": "both",
        "test/dent/000.png": "both",
    }
    assert table.apart["test/good/001.png"] == pytest.approx(2 / 5), "from the third rank to the first"


def test_disagreements_are_filtered_and_those_farthest_apart_come_first():
    table = pair_table(compared(results_of(), results_of(BETTER)), 0, 1, [2.5, 1.75])
    assert list(disagreements(table).sample_id) == ["test/good/001.png", "test/crack/000.png"]
    assert list(disagreements(table, defects=["crack"]).sample_id) == ["test/crack/000.png"]
    assert disagreements(table, "first").empty


def calls(n_both: int, n_first: int, n_second: int) -> pd.DataFrame:
    return pd.DataFrame({"agreement": ["both"] * n_both + ["first"] * n_first + ["second"] * n_second})


def test_words_weigh_who_is_right_against_chance():
    assert disagreement_words(calls(9, 0, 0), "A", "B") == "A and B call all 9 images the same."
    few = disagreement_words(calls(90, 2, 4), "A", "B")
    assert "6 of 96 images differently: A is right on 2, B on 4" in few
    assert "within noise" in few
    many = disagreement_words(calls(90, 4, 26), "A", "B")
    assert (
        "B has 87\N{NBSP}% of them (95\N{NBSP}% interval 70 to 95\N{NBSP}%), more than chance" in many
    )  # Wilson, 26 of 30
    assert "A has 87\N{NBSP}% of them (95\N{NBSP}% interval 70 to 95\N{NBSP}%), more than chance" in disagreement_words(
        calls(90, 26, 4), "A", "B"
    )


def test_thresholds_come_from_the_same_place_in_every_run_where_one_is_common(monkeypatch):
    monkeypatch.setattr(force, "read_decision", lambda store, run_id: None)  # these runs are in no store
    both, only_held_out = (
        results_of(),
        results_of(thresholds={"best_f1": None, "holdout": {"value": 2.0, "quantile": 0.95, "n": 9}}),
    )
    assert list(common_thresholds(compared(both, both))) == ["best_f1", "holdout"]
    assert [choice.value for choice in common_thresholds(compared(both, only_held_out))["holdout"]] == [2.45, 2.0]
    neither = results_of(thresholds={"best_f1": {"value": 1.0}, "holdout": None})
    assert [choice.value for choice in common_thresholds(compared(only_held_out, neither))["first"]] == [2.0, 1.0]


# -- ranks among normal pixels -----------------------------------------------------------------------------------------


def test_rarity_counts_normal_pixels_that_are_as_high():
    reference = np.arange(1000, dtype=np.float32)
    assert rarity(np.array([0.0, 900.0, 990.0, 999.0, 5000.0]), reference) == pytest.approx([0, 1, 2, 3, 3])


def test_the_reference_is_normal_test_images_else_held_out_ones_else_nothing():
    assert set(normal_reference(results_of())) == {0.0, 1.0}, "maps 0 and 1 are the normal test images"
    defective = {name: score for name, score in SCORES.items() if "good" not in name}
    assert set(normal_reference(results_of(defective))) == {
        3.0,
        4.0,
    }, "the held-out ones follow the three defective ones"
    assert normal_reference(results_of(defective, {})) is None


# -- counted pixels ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> RunResults:
    """A run over 24 images of 64 px with random maps that are higher inside their masks; every other image is good,
    one has no mask.
    """
    folder, generator = tmp_path_factory.mktemp("drawn"), np.random.default_rng(0)
    rows, maps = [], np.zeros((24, SIDE, SIDE), np.float32)
    for i in range(24):
        image, mask = folder / f"{i}.png", np.zeros((SIDE, SIDE), np.uint8)
        Image.fromarray(np.full((SIDE, SIDE), 128, np.uint8)).save(image)
        is_defective = i % 2 == 1
        for _ in range(1 + i % 3 if is_defective else 0):
            row, column = generator.integers(0, SIDE - 10, 2)
            mask[row : row + 2 + i % 7, column : column + 9] = 255
        Image.fromarray(mask).save(folder / f"{i}_mask.png")
        maps[i] = generator.gamma(2, 1, (SIDE, SIDE)) * np.where(mask, 1.8, 1.0)
        mask_path = str(folder / f"{i}_mask.png") if is_defective and i != 23 else ""
        rows.append(
            (
                i,
                f"test/{i}.png",
                str(image),
                mask_path,
                "test",
                "dent" if is_defective else "good",
                is_defective,
                float(i),
                0,
                0,
                0.0,
                np.nan,
            )
        )
    base = results_of()
    table = pd.DataFrame(rows, columns=base.table.columns)
    counts = exact(base, table, maps, np.ones(24, int))
    metrics = plain_metrics(metrics={"image_auroc": 1.0} | counts)
    return replace(base, table=table, maps=maps, metrics=metrics, truth=file_truth(table, (SIDE, SIDE)))


def exact(base: RunResults, table: pd.DataFrame, maps: np.ndarray, times: np.ndarray) -> dict:
    """The metrics of images repeated so many times, pixel by pixel."""
    pixels = PixelMetrics()
    for row, n in enumerate(times):
        path = table.mask_path[row]
        mask = np.asarray(Image.open(path)) > 0 if path else np.zeros((SIDE, SIDE), bool)
        for _ in range(n * (bool(path) or not table.is_defective[row])):
            pixels.add(maps[row], truth_of(mask))
    return pixels.result()


def assert_close(found: dict, truth: dict) -> None:
    """As near as the tally promises."""
    for key, tolerance in pixel_tally.ACCURACY.items():
        assert found[key] == pytest.approx(truth[key], abs=tolerance), key


def quiet(*_: object) -> None:
    pass


@pytest.fixture(scope="module")
def tally(drawn: RunResults):
    return pixel_tally.count_pixels(drawn, drawn.truth.read_all(), quiet)


def test_a_resample_of_the_tally_has_the_metrics_of_its_pixels(drawn, tally):
    weights = np.random.default_rng(1).integers(0, 3, (3, 24))
    weights[0] = 1
    found = pixel_tally.pixel_metrics(tally, np.arange(24), weights)
    for i, times in enumerate(weights):
        truth = exact(drawn, drawn.table, drawn.maps, times)
        assert_close({key: values[i] for key, values in found.items()}, truth)


def test_scores_above_every_normal_pixel_are_told_apart(drawn):
    """Small, bright defects, of which half the brightest pixels are false: all of pixel AP lies above the normals."""
    generator, maps = np.random.default_rng(3), np.random.default_rng(2).random((24, SIDE, SIDE)).astype(np.float32)
    masks = np.zeros((24, SIDE, SIDE), bool)
    for i in range(1, 24, 2):
        masks[i, 10:14, 20:24] = True
        maps[i, 10:14, 18:26] += 2 + generator.random((4, 8)).astype(np.float32) * np.linspace(
            1, 2, 8, dtype=np.float32
        )
    truth = RunTruth((SIDE, SIDE), {f"test/{i}.png": truth_of(masks[i]) for i in range(1, 24, 2)}, {})
    pixels = PixelMetrics()
    for values, mask in zip(maps, masks, strict=True):
        pixels.add(values, truth_of(mask))
    found = pixel_tally.pixel_metrics(
        pixel_tally.count_pixels(replace(drawn, maps=maps), truth, quiet), np.arange(24), np.ones((1, 24), np.float32)
    )
    assert_close({key: values[0] for key, values in found.items()}, pixels.result())


def test_the_overlap_of_regions_is_that_of_a_drawn_mask(tmp_path):
    """Two regions of 4 and 2 pixels that touch nowhere: at a threshold of 2 half of the first and none of the second
    is covered.
    """
    values, mask = np.ones((SIDE, SIDE), np.float32), np.zeros((SIDE, SIDE), np.uint8)
    mask[0, :4], mask[10, 20:22] = 255, 255
    values[0, :2], values[5, 5] = 3.0, 2.0  # a false alarm, too
    Image.fromarray(mask).save(tmp_path / "mask.png")
    Image.fromarray(mask).save(tmp_path / "image.png")
    base = results_of()
    row = (
        0,
        "test/a.png",
        str(tmp_path / "image.png"),
        str(tmp_path / "mask.png"),
        "test",
        "dent",
        True,
        1.0,
        0,
        0,
        0.0,
        np.nan,
    )
    table = pd.DataFrame([row], columns=base.table.columns)
    run = replace(base, table=table, maps=values[None], truth=file_truth(table, (SIDE, SIDE)))
    tally = pixel_tally.count_pixels(run, run.truth.read_all(), quiet)
    at = {float(threshold): i for i, threshold in enumerate(tally.thresholds)}
    assert tally.overlap[0, at[1.0]] == pytest.approx(2.0)
    assert tally.overlap[0, at[3.0]] == pytest.approx(0.5)
    assert (tally.normal[0, at[1.0]], tally.defect[0, at[3.0]]) == (SIDE**2 - 6, 2)


def test_the_pro_curve_rises_from_nothing_to_everything_and_holds_the_area(drawn, tally):
    curve = pixel_tally.pro_curve(tally, np.arange(24))
    assert (curve.x[0], curve.y[0], curve.x[-1], curve.y[-1]) == pytest.approx((0, 0, 1, 1))
    assert (np.diff(curve.x) >= 0).all()
    fine = np.linspace(0, FPR_LIMIT, 20_001)
    assert np.trapezoid(np.interp(fine, curve.x, curve.y), fine) / FPR_LIMIT == pytest.approx(
        drawn.metrics["metrics"]["aupro"], abs=0.002
    )
    assert pixel_tally.pro_curve(tally, np.array([0, 2])) is None, "good images have no region"


def on_truth(*runs: RunResults, is_stored: bool = False) -> CommonTruth:
    """The runs' own masks, which are the same."""
    return CommonTruth("", tuple(run.truth.read_all() for run in runs), is_stored)


def test_pixel_metrics_get_intervals_from_tallies_and_exact_values_that_agree_with_them(drawn, tally):
    both = compared(drawn, drawn)
    rows = compare_pixels(both, on_truth(drawn, drawn), [tally, tally], n_resamples=200)
    for row in rows:
        assert row.values[0] == drawn.metrics["metrics"][row.key]
        assert row.intervals[0].low < row.values[0] < row.intervals[0].high
        assert row.differences[1] == Interval(0.0, 0.0, 0.0)


def test_values_that_were_stored_of_other_masks_are_never_shown_with_an_interval_of_these(drawn, tally):
    """What case 10 showed: a stored value outside its own interval."""
    stale = replace(drawn, metrics=plain_metrics(metrics=dict.fromkeys(drawn.metrics["metrics"], 0.5)))
    both = compared(stale, drawn)
    for row in compare_pixels(both, on_truth(stale, drawn), [tally, tally], n_resamples=200):
        assert row.values[0] == row.values[1] == pytest.approx(drawn.metrics["metrics"][row.key], abs=0.005)
        assert row.intervals[0].low <= row.values[0] <= row.intervals[0].high


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.integers(0, 2), st.integers(1, 3), st.booleans())
def test_no_pixel_metric_lies_outside_its_own_interval(seed, n_good, n_bad, has_ties):
    """Few images, one defect among them, one without a mask, masks that cover everything, ties, stored values of
    anything: value and difference are held by their intervals, or there is a reason.
    """
    generator = np.random.default_rng(seed)
    names = [f"test/good/{i}.png" for i in range(n_good)] + [f"test/spot/{i}.png" for i in range(n_bad)]
    truths = {}
    for name in names[n_good:]:
        mask = np.zeros((8, 8), bool)
        top, left = generator.integers(0, 8, 2)
        mask[top : top + generator.integers(1, 9), left : left + generator.integers(1, 9)] = True
        truths[name] = truth_of(mask | bool(generator.random() < 0.2))
    if n_bad > 1:
        truths.pop(names[-1])
    masks, runs = RunTruth((8, 8), truths, {}), []
    for _ in range(2):
        maps = generator.gamma(2, 1, (len(names), 8, 8)).astype(np.float32)
        base = results_of(dict.fromkeys(names, 1.0), {}, metrics=dict.fromkeys(PIXEL_METRICS, generator.random()))
        config = base.config.model_copy(update={"settings": tiny_settings(score="endpoint")})
        runs.append(replace(base, config=config, maps=maps.round() if has_ties else maps, truth=masks, canvas=(8, 8)))
    tallies = [pixel_tally.count_pixels(run, masks, quiet) for run in runs]
    for row in compare_pixels(compared(*runs), CommonTruth("", (masks, masks)), tallies, n_resamples=60):
        if row.reason:
            assert row.values == (None, None) and row.intervals == ()
            continue
        for value, interval, difference in zip(row.values, row.intervals, row.differences, strict=True):
            assert interval.low <= value == interval.value <= interval.high
            assert difference.low <= difference.value <= difference.high
            assert difference.value == value - row.values[0]


def test_stored_values_stand_without_an_interval_only_where_they_are_of_the_common_truth(drawn):
    both = compared(drawn, drawn)
    rows = compare_pixels(both, on_truth(drawn, drawn, is_stored=True), None)
    assert [(row.values[0], row.intervals) for row in rows] == [(drawn.metrics["metrics"][row.key], ()) for row in rows]
    for row in compare_pixels(both, on_truth(drawn, drawn), None):
        assert row.values == (None, None) and "not counted yet" in row.reason
    for row in compare_pixels(both, CommonTruth("", reason="Nobody chose."), None):
        assert (row.values, row.reason) == ((None, None), "Nobody chose.")


def test_on_a_part_of_the_images_pixel_metrics_come_from_the_tallies(drawn, tally):
    half = replace(drawn, table=drawn.table[drawn.table.row < 12])
    common, masks = compared(drawn, half), on_truth(drawn, drawn, is_stored=True)
    truth = exact(drawn, drawn.table, drawn.maps, (np.arange(24) < 12).astype(int))
    assert_close({row.key: row.values[0] for row in compare_pixels(common, masks, [tally, tally], 50)}, truth)
    assert {row.values for row in compare_pixels(common, masks, None)} == {(None, None)}
    only_good = compared(drawn, replace(drawn, table=drawn.table[~drawn.table.is_defective]))
    assert "No common image" in compare_pixels(only_good, masks, [tally, tally], 50)[0].reason


def test_pixel_metrics_without_masks_say_why():
    runs = results_of(), results_of()
    rows = {row.key: row for row in compare_pixels(compared(*runs), CommonTruth("", (NO_MASKS,) * 2), None)}
    assert rows["aupro"].reason == "No masks."


def test_a_tally_is_kept_with_its_run_and_counted_anew_after_damage(tmp_path, drawn):
    store = RunStore(tmp_path / "runs")
    run_id = store.create(Path("/data"), "plate", drawn.settings)
    store.write_scores(run_id, drawn.table)
    store.write_maps(run_id, drawn.maps)
    run, truth = replace(drawn, run_id=run_id), drawn.truth.read_all()
    assert pixel_tally.load_tally(store, run_id, truth) is None
    seen: list[tuple[int, int]] = []
    made = pixel_tally.make_tally(store, run, truth, lambda *done: seen.append(done))
    assert seen == [(i + 1, 24) for i in range(24)]
    assert np.array_equal(pixel_tally.load_tally(store, run_id, truth).overlap, made.overlap)
    path = pixel_tally.tally_path(store, run_id, pixel_tally.truth_key(truth))
    path.write_bytes(path.read_bytes()[:100])
    assert pixel_tally.load_tally(store, run_id, truth) is None
    assert not path.exists()


def test_a_tally_of_one_truth_is_not_found_for_another(tmp_path, drawn):
    """Every way in which a truth may differ in what is counted, and none in which it may not."""
    store, truth = RunStore(tmp_path / "runs"), drawn.truth.read_all()
    run_id = store.create(Path("/data"), "plate", drawn.settings)
    name, one = next(iter(truth.truths.items()))
    pixel_tally.make_tally(store, replace(drawn, run_id=run_id), truth, quiet)
    moved = replace(one, pixel=one.pixel + 1)
    fainter = replace(one, share=one.share * np.float32(0.5))
    joined = replace(one, region=np.zeros_like(one.region), pixel=one.pixel)
    ignoring = replace(one, left_pixel=np.array([0], np.int32), left_share=np.ones(1, np.float32))
    others = [truth.truths | {name: other} for other in (moved, fainter, ignoring)]
    others += [{key: value for key, value in truth.truths.items() if key != name}]
    if one.n_regions > 1:
        others.append(truth.truths | {name: joined})
    for other in others:
        assert pixel_tally.load_tally(store, run_id, replace(truth, truths=other)) is None
    assert pixel_tally.load_tally(store, run_id, replace(truth, left_out={})) is not None


# -- scored again, kept as a run ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory):
    """A tiny training of two steps, and the same scored with one step through the shell."""
    store = RunStore(tmp_path_factory.mktemp("kept") / "runs")
    old = train_here(store, write_tiny_category(store.home.parent / "data"))
    before = {path: path.read_bytes() for path in store.folder(old).rglob("*") if path.is_file()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WTFLOW_HOME", str(store.home))
        result = CliRunner().invoke(app, ["evaluate", old, "--steps", "1", "--keep", "--json"])
    assert result.exit_code == 0
    assert {path: path.read_bytes() for path in store.folder(old).rglob("*") if path.is_file()} == before
    (new,) = set(store.ids()) - {old}
    assert f'"kept_as": "{new}"' in result.stdout
    return store, old, new


def test_a_kept_evaluation_is_a_finished_run_of_the_same_training(kept):
    store, old, new = kept
    first, second = open_results(store, old), open_results(store, new)
    assert (first.settings.steps, second.settings.steps) == (2, 1)
    assert second.metrics["scored_from"] == old
    assert second.settings.changed({"steps": 2}) == first.settings
    assert not np.allclose(first.maps, second.maps)
    own = [force.own_starts(run)[0].words.endswith(force.SCORED_AGAIN) for run in (first, second)]
    assert own == [False, True], "why its normals say nothing of its threshold"
    found = align([first, second], [store.data(old), store.data(new)])
    assert found.is_same_set
    assert [name for name, _ in settings_rows([first.settings, second.settings])[0]] == ["steps"]
    assert [path.name for path in store.home.iterdir() if path.name.startswith(".keeping")] == []


def test_a_kept_evaluation_scores_as_its_settings_say_without_the_old_run(kept, tmp_path):
    from wtflow.studies.rescore import score_again

    store, old, new = kept
    alone = RunStore(tmp_path / "alone")
    shutil.copytree(store.folder(new), alone.home / new)
    again = score_again(alone, new, {}, quiet).summary
    assert again["metrics"] == pytest.approx(store.metrics(new)["metrics"], abs=2e-3)
    assert score_again(store, old, {"steps": 1}, quiet).summary["metrics"] == pytest.approx(again["metrics"], abs=2e-3)


def full(*_: object) -> None:
    raise DiskFullError("No space left.", fix="Make room.")


def test_nothing_is_left_behind_when_keeping_fails(kept, monkeypatch):
    from wtflow.studies.keep_run import keep_run
    from wtflow.studies.rescore import score_again

    store, old, _ = kept
    found = score_again(store, old, {}, quiet)
    before = sorted(path.name for path in store.home.iterdir())
    with monkeypatch.context() as patch, pytest.raises(DiskFullError):
        patch.setattr(RunStore, "write_maps", full)
        keep_run(store, old, found)
    assert sorted(path.name for path in store.home.iterdir()) == before


def test_images_that_a_run_was_trained_on_are_no_test_of_it_whatever_their_name_and_said():
    first, second = results_of(), results_of(BETTER)
    data = [data_of(first), data_of(second)]
    data[1]["samples"].append({"id": "train/good/x.png", "sha256": "test/good/001.png", "split": "train"})
    found = align([first, second], data)
    assert "test/good/001.png" not in set(found.images.sample_id)
    assert len(found.images) == len(SCORES) - 1
    assert found.trained_on == ((), ("test/good/001.png",))
    assert not found.is_same_set
    (said,) = trained_sentences(found)
    assert said.startswith("1 tested image is left out, because B was trained on it")
    assert trained_sentences(align([first, second], [data_of(first), data_of(second)])) == ()
