"""Straight lines to paired noise under the paths: exact on the line, paired as in training, for the same positions."""

import numpy as np
import pytest
from run_folders import train_here, write_tiny_category
from test_plots_paths import measured, some

from wtflow.config import Coupling
from wtflow.errors import FlowError
from wtflow.plots.paths import travel_field
from wtflow.plots.straight import on_line
from wtflow.records.flow import StraightLines
from wtflow.store.runs import RunStore
from wtflow.studies.flow_answers import positions_of
from wtflow.studies.positions import choose_positions
from wtflow.studies.requests import TravelRequest
from wtflow.studies.run_flow import open_flow
from wtflow.studies.straight import straight_lines

T = np.linspace(0, 1, 6)
COUPLINGS: tuple[Coupling, ...] = ("worst", "independent", "optimal")


def lines_of(x: np.ndarray, noise: np.ndarray) -> StraightLines:
    norms = np.linalg.norm(x, axis=1), np.linalg.norm(noise, axis=1)
    return StraightLines("worst", 256, False, *norms, (x * noise).sum(1))


def test_a_point_on_a_line_is_as_far_out_and_at_the_angle_of_the_very_point_between_data_and_noise():
    rng = np.random.default_rng(0)
    x, noise = rng.normal(size=(40, 7)), rng.normal(size=(40, 7))
    norm, cosine = on_line(lines_of(x, noise), T)
    points = (1 - T)[:, None, None] * x + T[:, None, None] * noise
    np.testing.assert_allclose(norm, np.linalg.norm(points, axis=2))
    product = (points * x).sum(2) / np.linalg.norm(points, axis=2) / np.linalg.norm(x, axis=1)
    np.testing.assert_allclose(cosine, product)


def test_lines_begin_at_the_positions_in_every_view_that_has_them():
    travel = some(6, 30)
    straight = lines_of(travel.plane[0], np.ones((30, 2)))
    field = travel_field(travel, measured(travel), straight=straight)
    assert set(field.lines.points) == {view.key for view in field.views if view.family in ("disc", "radius")}
    for view in field.views:
        if view.key in field.lines.points:
            np.testing.assert_allclose(field.lines.points[view.key].xy[0], view.xy[0], atol=2e-2)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("straight")
    store = RunStore(folder / "runs")
    run_id = train_here(store, write_tiny_category(folder / "images", n_good=2, n_bad=2), batch_size=256, group_size=64)
    return open_flow(store, run_id)


def test_every_coupling_pairs_the_same_positions_with_the_same_noise_and_keeps_its_promise(local):
    positions = positions_of(local.results, TravelRequest(n=192))
    found = {kind: straight_lines(local, positions, kind) for kind in COUPLINGS}
    assert len({tuple(lines.start.tolist()) for lines in found.values()}) == 1
    norms = [np.sort(lines.noise) for lines in found.values()]
    assert np.allclose(norms[0], norms[1]) and np.allclose(norms[0], norms[2])
    worst, independent, optimal = (found[kind].inner.sum() for kind in COUPLINGS)
    assert worst < independent < optimal
    again = straight_lines(local, positions, "worst")
    assert np.array_equal(again.inner, found["worst"].inner), "the same picture every time"
    with pytest.raises(FlowError, match="No position"):
        straight_lines(local, type(positions)(*([np.array([])] * 5)), "worst")


def test_where_whole_images_are_paired_each_position_gets_the_noise_at_its_place(tmp_path):
    store = RunStore(tmp_path / "runs")
    unet = {"network": "unet", "scope": "image", "width": 8, "batch_size": 8, "group_size": 8}
    run_id = train_here(store, write_tiny_category(tmp_path / "images", n_good=2, n_bad=3), **unet)
    flow = open_flow(store, run_id)
    whole = choose_positions(flow.results, flow.results.test.row.to_numpy(), "random", 10_000, seed=0)
    few = choose_positions(flow.results, flow.results.test.row.to_numpy(), "random", 50, seed=0)
    found = {kind: straight_lines(flow, whole, kind) for kind in COUPLINGS}
    assert found["worst"].of_images
    worst, independent, optimal = (found[kind].inner.sum() for kind in COUPLINGS)
    assert worst <= independent <= optimal and worst < optimal
    key = {place: i for i, place in enumerate(zip(whole.row, whole.grid_row, whole.grid_column, strict=True))}
    at = [key[place] for place in zip(few.row, few.grid_row, few.grid_column, strict=True)]
    np.testing.assert_allclose(straight_lines(flow, few, "worst").inner, found["worst"].inner[at], rtol=1e-5)
