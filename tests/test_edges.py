"""Maps levelled near the edge: the factors by hand, and one and the same map wherever a run is asked."""

import json
from pathlib import Path

import numpy as np
import pytest
from run_folders import train_here, write_tiny_category
from tried_images import try_images

from wtflow.config import settings_from, settings_from_json
from wtflow.errors import DamagedRunError, FlowError
from wtflow.records.edges import EdgeFactors, factors_from_json
from wtflow.results import open_results
from wtflow.scoring.edges import N_IMAGES, chosen_images, distance_to_edge, edge_factors, level
from wtflow.store import layout
from wtflow.store.runs import RunStore
from wtflow.studies import probes, rescore
from wtflow.studies.keep_run import keep_run
from wtflow.studies.run_flow import open_flow
from wtflow.studies.steps import compute_steps
from wtflow.studies.what_if import compute_what_if


def quiet(done, total):
    pass


def rings(*heights):
    """Maps (3, 2n, 2n), at each distance from the edge one height."""
    return np.broadcast_to(
        np.array(heights, float)[distance_to_edge(2 * len(heights), 2 * len(heights))],
        (3, 2 * len(heights), 2 * len(heights)),
    )


def test_the_distance_counts_positions_to_the_nearest_edge():
    assert distance_to_edge(3, 5).tolist() == [[0, 0, 0, 0, 0], [0, 1, 1, 1, 0], [0, 0, 0, 0, 0]]


@pytest.mark.parametrize(
    ("heights", "factors"),
    [
        ((6.0, 3.0, 2.0, 2.0, 2.0), (3.0, 1.5, 1.0, 1.0, 1.0)),
        (
            (1.0, 2.0, 2.0, 2.0, 8.0),
            (1.0, 1.0, 1.0, 1.0, 1.0),
        ),  # quiet background at the edge, a busy part in the middle
        ((4.0, 2.0, 2.0, 2.0, 8.0), (2.0, 1.0, 1.0, 1.0, 1.0)),  # what is high in the middle is not the edge
        ((3.0, 6.0, 2.0, 2.0, 2.0), (1.5, 1.5, 1.0, 1.0, 1.0)),
        ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
        ((5.0,), (1.0,)),
    ],
)
def test_the_factor_is_the_height_over_the_median_one_and_never_rises_inward(heights, factors):
    assert edge_factors(rings(*heights), 0.9).tolist() == list(factors)


def test_the_height_is_the_quantile_over_images_and_positions():
    maps = np.ones((4, 6, 6))
    maps[0, 0, 0] = 9.0  # 1 of the 80 values of the outermost ring
    assert edge_factors(maps, 1.0).tolist() == [9.0, 1.0, 1.0]
    assert edge_factors(maps, 0.9).tolist() == [1.0, 1.0, 1.0]


def test_levelled_maps_have_the_same_height_everywhere():
    maps = rings(6.0, 3.0, 2.0, 2.0, 2.0)
    assert np.unique(level(maps, edge_factors(maps, 0.5))).tolist() == [2.0]


@pytest.mark.parametrize("maps", [np.ones((2, 2)), np.ones((0, 4, 4))])
def test_what_are_no_maps_is_refused(maps):
    with pytest.raises(FlowError, match="No edge factors"):
        edge_factors(maps, 0.9)
    with pytest.raises(FlowError, match="do not fit"):
        level(np.ones((1, 8, 8)), np.ones(3))


def test_few_images_are_all_used_and_many_evenly():
    assert chosen_images(5).tolist() == [0, 1, 2, 3, 4]
    many = chosen_images(1000)
    assert len(many) == N_IMAGES
    assert (many[0], many[-1]) == (0, 999)
    assert set(np.diff(many)) <= {15, 16}


NOT_SOUND = [
    {},
    {"after": []},
    {"after": [0.5]},
    {"after": ["x"]},
    {"after": [1.0, 1.0]},
    {"after": [float("nan")]},
    {"n_images": None},
]


@pytest.mark.parametrize("spoilt", NOT_SOUND)
def test_factors_that_are_not_sound_are_refused(spoilt):
    sound = EdgeFactors(np.array([2.0], np.float32), np.array([1.0], np.float32), 3).to_json()
    assert factors_from_json(json.loads(json.dumps(sound))).to_json() == sound
    with pytest.raises(FlowError, match="edge factors"):
        factors_from_json(sound | spoilt if spoilt else {})


def test_runs_made_before_are_neither_mirrored_nor_levelled():
    new = settings_from("fast")
    values = json.loads(new.to_json())
    del values["padding"], values["edge_quantile"]
    old = settings_from_json(json.dumps(values))
    assert (new.padding, new.edge_quantile) == ("reflect", 0.999)
    assert (old.padding, old.edge_quantile) == ("zeros", 0.0)
    paper = settings_from("paper")
    assert (paper.padding, paper.edge_quantile) == ("zeros", 0.0)


# -- a run -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A store with a run whose features see zeros beyond the edge, so that there is something to level."""
    folder = tmp_path_factory.mktemp("edges")
    store, root = RunStore(folder / "runs"), write_tiny_category(folder / "images")
    return store, train_here(store, root, padding="zeros", edge_quantile=0.9)


def test_the_map_is_the_unlevelled_one_divided_by_the_factors(run):
    store, run_id = run
    edges = store.edges(run_id)
    assert edges.after[0] > 1.02, "this run has nothing to level: the test would show nothing"
    flat = rescore.score_again(store, run_id, {"edge_quantile": 0.0}, quiet)
    assert flat.edges is None
    np.testing.assert_allclose(level(flat.maps, edges.after), store.maps(run_id), rtol=1e-4)


def test_a_run_is_the_same_wherever_it_is_asked(run):
    store, run_id = run
    results = open_results(store, run_id)
    first = results.test.iloc[0]
    probe = probes.probe(store, run_id, int(first.row), 0, 3)
    assert probe.edge_factor == pytest.approx(float(store.edges(run_id).after[0]))
    assert probe.score[-1] == pytest.approx(results.maps[first.row, 0, 3], rel=1e-4)
    (tried,) = try_images(store, run_id, [("x.png", Path(first.path).read_bytes())])
    assert tried.score == pytest.approx(first.score, rel=1e-4)
    assert compute_what_if(store, run_id, int(first.row), []).recomputed_difference < 1e-4


def test_scoring_again_and_the_study_of_steps_give_the_runs_own_metrics(run):
    store, run_id = run
    metrics = store.metrics(run_id)["metrics"]
    assert rescore.score_again(store, run_id, {}, quiet).summary["metrics"] == pytest.approx(metrics, abs=2e-3)
    rows, _ = compute_steps(open_flow(store, run_id), (("euler", 1),), 10, 0, lambda share: None)
    (own,) = [row for row in rows if row.is_default]
    assert own.metrics == pytest.approx({name: metrics[name] for name in own.metrics}, abs=2e-3)


def test_a_kept_run_has_the_factors_of_its_own_steps(run):
    store, run_id = run
    kept = keep_run(store, run_id, rescore.score_again(store, run_id, {"steps": 1}, quiet))
    assert not np.allclose(store.edges(kept).after, store.edges(run_id).after)
    assert rescore.score_again(store, kept, {}, quiet).summary["metrics"] == pytest.approx(
        store.metrics(kept)["metrics"], abs=2e-3
    )


def test_a_run_without_its_factors_says_so(run):
    store, run_id = run
    path = store.folder(run_id) / layout.EDGES
    content = path.read_bytes()
    try:
        for spoilt in (None, b"{}", b"x"):
            path.unlink() if spoilt is None else path.write_bytes(spoilt)
            with pytest.raises(DamagedRunError, match=r"edges\.json"):
                probes.probe(store, run_id, 0, 0, 0)
    finally:
        path.write_bytes(content)
