"""From features to maps, table and metrics: rows land where they belong, and labels, masks and held-out normals
count as they should.
"""

from types import SimpleNamespace

import numpy as np
import pytest
from image_folders import save
from run_folders import tiny_settings
from sklearn.metrics import roc_auc_score

from wtflow.datasets.masks.live import FileTruth
from wtflow.errors import ImageReadError
from wtflow.records.core import Sample
from wtflow.records.reading import Reading
from wtflow.scoring.detector import Maps
from wtflow.scoring.evaluate import HOLDOUT_QUANTILE, ScoredImages, summarise
from wtflow.scoring.rows import compute_maps
from wtflow.store.features import FeatureCache
from wtflow.store.layout import SCORE_COLUMNS

SIZE = 64
SETTINGS = tiny_settings(top_fraction=0.0)


def quiet(done, total):
    pass


# -- maps --------------------------------------------------------------------------------------------------------------


class Doubles:
    """Stands for a detector: the map is twice the first channel, the start map the first channel, the whole three
    times it.
    """

    def __init__(self):
        self.batches = []

    def maps(self, grids):
        self.batches.append(len(grids))
        start = grids[..., 0].astype(np.float32)
        return Maps(2 * start, start, 3.0 * start[:, 0, 0])


@pytest.fixture
def cache(tmp_path):
    cache = FeatureCache(tmp_path)
    with cache.writer("key", (20, 2, 3, 4)) as writer:
        writer.append((np.arange(20)[:, None, None, None] * np.ones((20, 2, 3, 4))).astype(np.float16))
    return cache


@pytest.mark.parametrize("rows", [list(range(20)), [3, 17, 4], [19], [8, 0]])
def test_every_row_gets_its_own_map_in_the_order_asked_for(cache, rows):
    seen = []
    after, before, whole = compute_maps(Doubles(), cache, "key", np.array(rows), lambda *done: seen.append(done))
    assert after.shape == before.shape == (len(rows), 2, 3)
    assert after.dtype == np.float32
    assert after[:, 0, 0].tolist() == [2 * row for row in rows]
    assert (before == np.array(rows)[:, None, None]).all()
    assert whole.tolist() == [3 * row for row in rows]
    assert seen[-1] == (len(rows), len(rows))


def test_images_that_were_not_asked_for_are_not_scored(cache):
    detector = Doubles()
    compute_maps(detector, cache, "key", np.array([1, 18]), quiet)
    assert detector.batches == [1, 1]


def test_no_rows_give_no_maps(cache):
    after, before, whole = compute_maps(Doubles(), cache, "key", np.array([], int), quiet)
    assert len(after) == len(before) == len(whole) == 0


# -- the table and the metrics -----------------------------------------------------------------------------------------


@pytest.fixture
def category(tmp_path):
    """Images of 64 x 64 px: two good, two with the left half marked, one defective without a mask, one held-out
    normal.
    """
    half = np.zeros((SIZE, SIZE), np.uint8)
    half[:, :32] = 255
    names = ["good/0", "good/1", "left/0", "left/1", "bare/0", "held/0"]
    samples = []
    for name in names:
        defect = "good" if name.startswith(("good", "held")) else name.split("/")[0]
        path = save(tmp_path / f"{name}.png", np.zeros((SIZE, SIZE), np.uint8))
        mask = save(tmp_path / f"masks/{name}.png", half) if defect == "left" else None
        samples.append(
            Sample(f"test/{name}.png", path, "test" if not name.startswith("held") else "train", defect, mask)
        )
    return SimpleNamespace(samples=samples, is_holdout=[name.startswith("held") for name in names], folder=tmp_path)


def maps(*sides):
    """One map per (left, right): two columns of constant value, on a 2 x 2 grid."""
    return np.array([[[left, right]] * 2 for left, right in sides], np.float32)


GOOD_MAPS = maps((1, 1), (1, 2), (5, 1), (6, 1), (7, 7), (1.5, 1))


def summary(category, values=GOOD_MAPS, start=None, settings=SETTINGS, whole=None):
    found = Maps(
        values,
        values / 10 if start is None else start,
        np.full(len(values), np.nan) if whole is None else np.array(whole),
    )
    scored = ScoredImages(tuple(category.samples), tuple(category.is_holdout), found)
    tested = [sample for sample, held_out in zip(category.samples, category.is_holdout, strict=True) if not held_out]
    return summarise(
        scored, FileTruth(tested, lambda: Reading(masks="defect=255"), (SIZE, SIZE)).read_all(), settings, quiet
    )


def test_the_table_has_one_row_per_image_with_the_columns_of_the_store(category):
    table, _ = summary(category)
    assert tuple(table.columns) == SCORE_COLUMNS
    assert table.row.tolist() == [0, 1, 2, 3, 4, 5]
    assert table.split.tolist() == ["test"] * 5 + ["holdout"]
    assert table.is_defective.tolist() == [False, False, True, True, True, False]
    assert table.score.tolist() == [1, 2, 5, 6, 7, 1.5]
    assert table.start_score.tolist() == pytest.approx([0.1, 0.2, 0.5, 0.6, 0.7, 0.15])
    assert table[["peak_row", "peak_column"]].values.tolist()[1:4] == [[0, 1], [0, 0], [0, 0]]
    assert table.mask_path[2].endswith("masks/left/0.png")
    assert table.mask_path[4] == ""


def test_an_image_that_is_odd_as_a_whole_scores_so_and_its_map_stays(category):
    usual, facts = summary(category)
    assert usual.whole_score.isna().all()
    table, odd = summary(category, whole=[0.5, 9.0, 4.0, 0.1, 8.0, 3.0])
    assert table.score.tolist() == [1, 9, 5, 6, 8, 3], "the higher of both, for held-out normals, too"
    assert table.whole_score.tolist() == [0.5, 9.0, 4.0, 0.1, 8.0, 3.0]
    assert odd["metrics"]["image_auroc"] == pytest.approx(3 / 6)
    assert odd["thresholds"]["holdout"]["value"] == 3
    for name in ("pixel_auroc", "aupro", "image_auroc_start", "aupro_start"):
        assert odd["metrics"][name] == facts["metrics"][name]
    assert (table[["peak_row", "peak_column", "start_score"]] == usual[["peak_row", "peak_column", "start_score"]]).all(
        axis=None
    )


def test_perfect_maps_have_perfect_metrics(category):
    _, facts = summary(category)
    metrics = facts["metrics"]
    assert [metrics[name] for name in ("image_auroc", "image_ap", "image_f1_max", "image_auroc_start")] == [1, 1, 1, 1]
    assert metrics["pixel_auroc"] > 0.95
    assert facts["undefined"] == {}
    assert facts["thresholds"]["best_f1"]["value"] == 3.5, "midway between 2 and 5"
    assert facts["curves"]["roc"]["x"][0] == 0


def test_pixel_metrics_are_those_of_scikit_learn_over_all_pixels_with_a_known_truth(category):
    from wtflow.scoring.pixels import upsample

    values = maps((1, 3), (2, 2.5), (4, 1), (2.2, 2.1), (9, 9), (1, 1))
    _, facts = summary(category, values)
    counted = [0, 1, 2, 3]  # the image without a mask and the held-out normal are left out
    truth = np.zeros((4, SIZE, SIZE), bool)
    truth[2:, :, :32] = True
    expected = roc_auc_score(truth.ravel(), upsample(values[counted], SIZE, "endpoint").ravel())
    assert facts["metrics"]["pixel_auroc"] == pytest.approx(expected, abs=1e-3)
    assert 0.5 < expected < 1
    assert facts["n_without_mask"] == 1


def test_held_out_normals_place_a_threshold_and_count_in_no_metric(category):
    usual, odd = summary(category)[1], summary(category, maps((1, 1), (1, 2), (5, 1), (6, 1), (7, 7), (99, 99)))[1]
    assert odd["metrics"] == usual["metrics"]
    assert usual["thresholds"]["holdout"] == {"value": 1.5, "quantile": HOLDOUT_QUANTILE, "n": 1}
    assert odd["thresholds"]["holdout"]["value"] == 99


def test_the_floor_is_read_before_the_flow(category):
    start = maps((5, 5), (6, 6), (1, 1), (2, 2), (3, 3), (1, 1))
    metrics = summary(category, start=start)[1]["metrics"]
    assert (metrics["image_auroc"], metrics["image_auroc_start"]) == (1, 0)
    assert metrics["aupro"] > metrics["aupro_start"]


def only(category, *rows):
    return SimpleNamespace(
        samples=[category.samples[i] for i in rows],
        is_holdout=[category.is_holdout[i] for i in rows],
        folder=category.folder,
    )


@pytest.mark.parametrize(
    ("rows", "words"),
    [((0, 1), "Needs defective images"), ((2, 3, 4), "Needs normal images"), ((5,), "no images to measure on")],
)
def test_metrics_that_the_images_do_not_define_are_none_with_a_sentence(category, rows, words):
    table, facts = summary(only(category, *rows), GOOD_MAPS[list(rows)])
    for name in ("image_auroc", "image_ap", "image_f1_max", "image_auroc_start"):
        assert facts["metrics"][name] is None
        assert words in facts["undefined"][name]
    assert {name for name, value in facts["metrics"].items() if value is None} == facts["undefined"].keys()
    assert facts["thresholds"]["best_f1"] is None
    assert facts["curves"] == {}
    assert len(table) == len(rows), "scores still work"


def test_without_a_sound_mask_only_pixel_metrics_are_missing(category):
    _, facts = summary(only(category, 0, 1, 4), GOOD_MAPS[[0, 1, 4]])
    assert facts["metrics"]["image_auroc"] == 1
    assert facts["undefined"].keys() == {"pixel_auroc", "pixel_ap", "aupro", "aupro_start"}
    assert "1 has no mask" in facts["undefined"]["aupro"]
    assert facts["pixel_images"] == {"n": 2, "n_defective": 0, "n_defects": 1, "left_out": {"missing": 1}}


def test_a_mask_of_another_size_counts_as_none(category):
    save(category.samples[2].mask_path, np.full((3, 3), 255, np.uint8))
    assert summary(category)[1]["n_without_mask"] == 2


def test_an_image_that_has_gone_is_named(category):
    category.samples[2].path.unlink()
    with pytest.raises(ImageReadError, match=r"left/0\.png"):
        summary(category)


def test_the_colour_range_starts_at_the_median_of_normals_and_ends_near_the_highest(category):
    low, high = summary(category)[1]["color_range"]
    assert low == 1.0
    assert 6 < high <= 7
    flat = summary(category, maps(*[(3, 3)] * 6))[1]["color_range"]
    assert flat == [3.0, 4.0], "equal maps still make a scale"


def test_relative_scores_are_made_per_image_and_their_scale_is_zero_to_one(category):
    table, facts = summary(category, settings=tiny_settings(score="relative", top_fraction=0.0))
    assert facts["color_range"] == [0.0, 1.0]
    assert table.score[4] == 0, "a map that is high everywhere has no pixel worse than its best"
    assert table.score[2] == pytest.approx(np.exp(-1) - np.exp(-5), abs=1e-6)
    assert table.start_score[4] == pytest.approx(0.7), "the floor stays raw"


def test_the_image_score_is_the_mean_of_the_share_asked_for(category):
    table, _ = summary(category, settings=tiny_settings(top_fraction=1.0))
    assert table.score[4] == pytest.approx(7)
    assert table.score[2] == pytest.approx(3)
