"""A painted image asked of a real run: a small flow trained on images of the demo. Before is what the run stored, to
the last bit.
"""

import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from run_folders import train_here, write_tiny_category
from tried_images import try_images

from wtflow.datasets.demo import images as demo_images
from wtflow.datasets.demo import write as demo
from wtflow.datasets.demo.images import Counts
from wtflow.datasets.images import load_image, load_painted
from wtflow.errors import DamagedRunError, RunNotFoundError, SettingsError
from wtflow.plots.what_if import plot_before_after, plot_painted_norms, plot_sweep
from wtflow.records.what_if import Sweep
from wtflow.results import open_results, pixel_map
from wtflow.store.layout import WHAT_IFS
from wtflow.store.runs import RunStore
from wtflow.store.what_ifs import delete_what_ifs, list_what_ifs, read_sweep, save_what_if
from wtflow.studies.paint import Source, Stroke
from wtflow.studies.what_if import SWEPT, compute_what_if, strength_sweep

CENTRE = (64.0, 70.0)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A store with a run on a demo category: (store, run id, row of a test normal)."""
    folder = tmp_path_factory.mktemp("what_if")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo_images, "COUNTS", Counts(train=14, good=2, defect=1))
        demo.write_demo(folder / "demo", categories=["fabric"])
    store = RunStore(folder / "runs")
    run_id = train_here(
        store,
        folder / "demo",
        "fabric",
        image_size=128,
        width=64,
        depth=2,
        iterations=80,
        batch_size=256,
        group_size=64,
        steps=3,
    )
    table = open_results(store, run_id).table
    return store, run_id, int(table[(table.split == "test") & ~table.is_defective.astype(bool)].row.iloc[0])


@pytest.fixture
def copy(place):
    """A run of its own to write into."""
    store, run_id, row = place
    copied = "20200101-000000-copy"
    shutil.copytree(store.folder(run_id), store.home / copied)
    yield store, copied, row
    shutil.rmtree(store.home / copied)


def spot(kind="dark", strength=0.8, radius=10.0, at=CENTRE) -> Stroke:
    return Stroke(kind, (at,), radius, strength)


# -- before and after --------------------------------------------------------------------------------------------------


def test_an_unpainted_image_gives_exactly_the_stored_map_and_score(place):
    store, run_id, _ = place
    results = open_results(store, run_id)
    for row in results.table.row:
        found = compute_what_if(store, run_id, int(row), ())
        assert found.grid_before.tobytes() == found.grid_after.tobytes() == np.asarray(results.maps[row]).tobytes()
        assert found.pixel_before.tobytes() == found.pixel_after.tobytes() == pixel_map(results, int(row)).tobytes()
        assert found.score_before == found.score_after == results.table.score[row]
        assert not found.is_painted and not found.mask.any() and not found.is_painted_position.any()
        assert len(found.norms_before.median) == len(found.norms_after.highest) == 0


def test_recomputing_the_unpainted_map_on_this_computer_gives_nearly_the_stored_one(place):
    """Features are stored as float16 in batches of 8; alone, the same image takes the same steps."""
    store, run_id, row = place
    found = compute_what_if(store, run_id, row, ())
    assert 0 <= found.recomputed_difference <= 1e-5 * found.grid_before.max()


def test_strokes_that_change_nothing_or_are_erased_give_the_stored_map_too(place):
    store, run_id, row = place
    for strokes in ([spot(strength=0)], [spot(), Stroke("erase", (CENTRE,), 30, 1)], [spot(at=(900.0, 900.0))]):
        found = compute_what_if(store, run_id, row, strokes)
        assert found.grid_after.tobytes() == found.grid_before.tobytes()
        assert found.score_after == found.score_before


@pytest.mark.parametrize("kind", ["dark", "bright"])
def test_the_score_of_a_normal_rises_with_the_strength_of_a_painted_spot(place, kind):
    store, run_id, row = place
    scores = [compute_what_if(store, run_id, row, [spot(kind, strength)]).score_after for strength in (0, 0.3, 0.6, 1)]
    assert scores == sorted(scores)
    assert scores[-1] > 2 * scores[0], "a full spot is no small matter"


def test_the_map_rises_where_the_paint_is_and_its_peak_lies_there(place):
    store, run_id, row = place
    found = compute_what_if(store, run_id, row, [spot()])
    rise = found.grid_after - found.grid_before
    assert found.is_painted and found.peak_is_painted
    assert rise[found.is_painted_position].mean() > 5 * np.abs(rise[~found.is_painted_position]).mean()
    h, w = rise.shape
    rows, columns = np.nonzero(found.is_painted_position)
    assert rows.mean() == pytest.approx(CENTRE[1] / 128 * h - 0.5, abs=0.5)
    assert columns.mean() == pytest.approx(CENTRE[0] / 128 * w - 0.5, abs=0.5)


def test_the_norms_begin_and_end_where_the_maps_say(place):
    """With the endpoint score half the mean square at the end is the map: its highest painted position gives the
    highest norm.
    """
    store, run_id, row = place
    found = compute_what_if(store, run_id, row, [spot()])
    assert found.t.tolist() == pytest.approx([0, 1 / 3, 2 / 3, 1])
    for norms, grid in ((found.norms_before, found.grid_before), (found.norms_after, found.grid_after)):
        assert len(norms.median) == len(norms.highest) == 4
        assert 0.5 * norms.highest[-1] ** 2 / found.n_channels == pytest.approx(
            grid[found.is_painted_position].max(), rel=1e-4
        )
        assert (norms.median <= norms.highest).all()
    assert found.norms_after.highest[0] > found.norms_before.highest[0]


def test_a_painted_image_that_is_saved_and_tried_gets_the_same_score(copy, tmp_path):
    store, run_id, row = copy
    found = compute_what_if(store, run_id, row, [spot("noise"), spot(at=(30.0, 30.0))])
    key = save_what_if(store, run_id, found, "two spots", [])
    (one,) = try_images(store, run_id, [("painted.png", (store.folder(run_id) / WHAT_IFS / f"{key}.png").read_bytes())])
    assert one.score == found.score_after


def test_the_same_strokes_give_the_same_answer_after_everything_was_forgotten(place):
    from wtflow.studies import what_if

    store, run_id, row = place
    first = compute_what_if(store, run_id, row, [spot("noise")])
    assert compute_what_if(store, run_id, row, [spot("noise")]) is first, "asked again, it is not computed again"
    what_if._what_if.cache_clear()
    what_if._unpainted.cache_clear()
    again = compute_what_if(store, run_id, row, [spot("noise")])
    assert again is not first
    assert (
        again.painted.tobytes() == first.painted.tobytes() and again.grid_after.tobytes() == first.grid_after.tobytes()
    )


def test_a_patch_of_a_defective_image_is_found_in_the_normal_one(place):
    store, run_id, row = place
    table = open_results(store, run_id).table
    worst = table[table.is_defective.astype(bool)].sort_values("score").iloc[-1]
    size, h = 128, open_results(store, run_id).maps.shape[1]
    at = ((worst.peak_column + 0.5) * size / h, (worst.peak_row + 0.5) * size / h)
    found = compute_what_if(store, run_id, row, [Stroke("paste", (at,), 20, 1, Source(worst.sample_id, 0, 0))])
    assert found.score_after > 1.2 * found.score_before


def test_a_unet_run_answers_too(tmp_path):
    store, root = RunStore(tmp_path / "runs"), write_tiny_category(tmp_path / "data", n_train=6, n_good=1, n_bad=1)
    run_id = train_here(
        store, root, network="unet", scope="image", width=8, batch_size=4, group_size=4, iterations=4, score="deviation"
    )
    found = compute_what_if(store, run_id, 0, [spot(at=(30.0, 30.0))])
    assert found.score_after != found.score_before
    assert len(found.norms_after.median) == 3


def test_asking_leaves_the_number_of_threads_as_it_was(place):
    before = torch.get_num_threads()
    compute_what_if(*place, [spot(strength=0.31)])
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("row", [-1, 99])
def test_an_image_row_that_the_run_does_not_have_is_a_sentence(place, row):
    store, run_id, _ = place
    for ask in (
        lambda: compute_what_if(store, run_id, row, ()),
        lambda: strength_sweep(store, run_id, row, "dark", CENTRE, [3], [1]),
    ):
        with pytest.raises(RunNotFoundError, match=f"has no image row {row}"):
            ask()


def test_pasting_from_an_image_that_the_run_has_not_scored_is_refused(place):
    store, run_id, row = place
    for key in ("../../../secret.png", "train/good/000.png"):
        with pytest.raises(RunNotFoundError, match="has no image"):
            compute_what_if(store, run_id, row, [Stroke("paste", (CENTRE,), 9, 1, Source(key, 0, 0))])


# -- the sweep ---------------------------------------------------------------------------------------------------------


def test_a_sweep_holds_the_scores_that_each_spot_gets_alone(copy):
    store, run_id, row = copy
    seen = []
    sweep = strength_sweep(
        store, run_id, row, "dark", CENTRE, [4, 10], [1.0, 0.2, 0.6], lambda *done: seen.append(done)
    )
    assert sweep.strengths == (0.2, 0.6, 1.0) and sweep.radii == (4, 10)
    assert seen == [(4, 6), (6, 6)]
    for i, j in ((0, 2), (1, 0), (1, 2)):
        alone = compute_what_if(store, run_id, row, [spot(strength=sweep.strengths[j], radius=sweep.radii[i])])
        assert sweep.scores[i, j] == pytest.approx(alone.score_after, rel=1e-5)
    assert (np.diff(sweep.scores[1]) > 0).all(), "stronger is worse"
    assert (sweep.scores[1] >= sweep.scores[0]).all(), "larger is worse"
    assert sweep.score_before == compute_what_if(store, run_id, row, ()).score_before


def test_a_sweep_is_kept_with_the_run_and_read_back_equal(copy):
    store, run_id, row = copy
    asked = (store, run_id, row, "bright", CENTRE, (4.0, 8.0), (0.5, 1.0))
    assert read_sweep(*asked) is None
    first = strength_sweep(*asked)
    seen = []
    again = strength_sweep(*asked, lambda *done: seen.append(done))
    assert seen == [], "nothing was computed"
    assert np.array_equal(first.scores, again.scores)
    assert (first.sample_id, first.centre, first.radii, first.score_before) == (
        again.sample_id,
        again.centre,
        again.radii,
        again.score_before,
    )
    assert read_sweep(*asked[:3], "dark", *asked[4:]) is None
    assert read_sweep(*asked[:4], (1.0, 1.0), *asked[5:]) is None


def test_the_first_strength_that_reaches_the_threshold_is_named_per_size():
    sweep = Sweep(
        "a", "dark", (0, 0), (1, 2, 3), (0.1, 0.5, 1.0), np.array([[1, 1, 2], [1, 3, 4], [3, 2, 5]], float), 1.0
    )
    assert sweep.first_reaching(3.0) == (None, 0.5, 0.1)
    assert sweep.first_reaching(9.0) == (None, None, None)


@pytest.mark.parametrize(
    ("kind", "radii"), [("erase", [3]), ("paste", [3]), ("spray", [3]), ("dark", []), ("dark", [3] * 101)]
)
def test_what_cannot_be_swept_is_a_sentence(place, kind, radii):
    store, run_id, row = place
    with pytest.raises(SettingsError, match="Cannot sweep"):
        strength_sweep(store, run_id, row, kind, CENTRE, radii, [1.0])
    assert set(SWEPT) == {"dark", "bright", "blur", "noise"}


# -- figures -----------------------------------------------------------------------------------------------------------


def test_both_maps_share_the_runs_scale_and_carry_the_scores_of_their_positions(place):
    store, run_id, row = place
    found = compute_what_if(store, run_id, row, [spot()])
    figure = plot_before_after(found, (0.25, 2.0))
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == (0.25, 2.0)
    before, after = (trace for trace in figure.data if trace.type == "scatter" and trace.marker.color is not None)
    assert np.array_equal(before.marker.color, found.grid_before.ravel()) and np.array_equal(
        after.marker.color, found.grid_after.ravel()
    )
    words = " ".join(note.text for note in figure.layout.annotations)
    assert (
        f"before, score {found.score_before:.4g}" in words
        and f"after, score {found.score_after:.4g}" in words
        and "higher is worse" in words
    )
    outlines = [trace for trace in figure.data if trace.type == "scatter" and trace.legendgroup == "paint"]
    assert sum(trace.showlegend for trace in outlines) == 1
    x = np.array([value for value in outlines[0].x if value is not None])
    assert CENTRE[0] - 10 <= x.min() < x.max() <= CENTRE[0] + 10


def test_the_norms_of_unpainted_positions_draw_nothing_but_the_shell(place):
    store, run_id, row = place
    empty, painted = (plot_painted_norms(compute_what_if(store, run_id, row, strokes)) for strokes in ((), [spot()]))
    assert [len(trace.y) for trace in empty.data[:-1]] == [0, 0, 0, 0]
    assert [len(trace.y) for trace in painted.data[:-1]] == [4, 4, 4, 4]
    assert painted.data[-1].y[0] == pytest.approx(compute_what_if(store, run_id, row, ()).n_channels ** 0.5)


def test_rings_mark_the_first_strength_at_the_threshold_and_are_absent_when_the_unpainted_image_reaches_it():
    sweep = Sweep(
        "a", "dark", (0, 0), (2, 4, 8), (0.1, 0.5, 1.0), np.array([[1, 1, 2], [1, 3, 4], [3, 2, 5]], float), 1.0
    )
    rings = [trace for trace in plot_sweep(sweep, 3.0).data if trace.name == "first called defective"]
    assert [(list(ring.x), list(ring.y)) for ring in rings] == [([50, 10], [3, 3])]
    assert [trace.name for trace in plot_sweep(sweep, 3.0).data[:3]] == ["4 px across", "8 px across", "16 px across"]
    for threshold in (0.9, 99.0):
        assert not [trace for trace in plot_sweep(sweep, threshold).data if trace.name == "first called defective"]


# -- keeping -----------------------------------------------------------------------------------------------------------


def test_a_kept_painting_is_listed_with_picture_mask_and_scores_until_it_is_deleted(copy):
    store, run_id, row = copy
    strokes = [{"kind": "dark", "points": [list(CENTRE)], "radius": 10.0, "strength": 0.8}]
    found = compute_what_if(store, run_id, row, [spot()])
    key = save_what_if(store, run_id, found, "  a dark\n spot ", strokes)
    assert save_what_if(store, run_id, found, "again", strokes) == key, "the same picture replaces the first"
    other = save_what_if(store, run_id, compute_what_if(store, run_id, row, [spot("bright")]), "x" * 500, [])
    newest, first = list_what_ifs(store, run_id)
    assert (newest["key"], first["key"]) == (other, key)
    assert first["name"] == "again" and len(newest["name"]) == 120
    assert (first["score_before"], first["score_after"], first["row"]) == (found.score_before, found.score_after, row)
    assert first["strokes"] == strokes and first["n_pixels"] == found.mask.sum()
    assert np.array_equal(load_painted(first["mask"]), found.mask)
    assert np.array_equal(load_image(first["image"], None), found.painted)
    delete_what_ifs(store, run_id, [key, "../../config", "nothing"])
    assert [facts["key"] for facts in list_what_ifs(store, run_id)] == [other]
    assert len(list((store.folder(run_id) / WHAT_IFS).iterdir())) == 3
    assert store.config(run_id).run_id, "the run's own files are still there"


def test_nothing_painted_is_nothing_to_save(place):
    store, run_id, row = place
    with pytest.raises(SettingsError, match="Nothing is painted"):
        save_what_if(store, run_id, compute_what_if(store, run_id, row, ()), "empty", [])
    assert list_what_ifs(store, run_id) == []


def test_the_mask_file_is_white_where_the_paint_is(copy):
    store, run_id, row = copy
    found = compute_what_if(store, run_id, row, [spot()])
    key = save_what_if(store, run_id, found, "spot", [])
    with Image.open(store.folder(run_id) / WHAT_IFS / f"{key}_mask.png") as picture:
        assert np.array_equal(np.asarray(picture), found.mask * np.uint8(255))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_text("{"),
        lambda path: path.write_text("[]"),
        lambda path: path.write_text("{}"),
        lambda path: path.write_text(json.dumps(json.loads(path.read_text()) | {"score_after": "high"})),
        lambda path: path.write_text(json.dumps(json.loads(path.read_text()) | {"strokes": None})),
        lambda path: path.with_suffix(".png").unlink(),
        lambda path: path.with_name(f"{path.stem}_mask.png").unlink(),
    ],
    ids=["cut off", "a list", "empty", "a score in words", "no strokes", "no picture", "no mask"],
)
def test_a_damaged_entry_is_named_with_what_to_do_and_can_be_deleted(copy, spoil):
    store, run_id, row = copy
    key = save_what_if(store, run_id, compute_what_if(store, run_id, row, [spot()]), "spot", [])
    spoil(store.folder(run_id) / WHAT_IFS / f"{key}.json")
    with pytest.raises(DamagedRunError, match=f"{key}.json") as caught:
        list_what_ifs(store, run_id)
    assert caught.value.fix
    delete_what_ifs(store, run_id, [key])
    assert list_what_ifs(store, run_id) == []
