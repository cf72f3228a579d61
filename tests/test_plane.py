"""Landscapes of real runs: fields written by hand in place of the network have potentials known exactly, and marks
stand where the features are.
"""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from run_folders import tiny_settings, train_here, write_tiny_category

from wtflow.errors import FlowError
from wtflow.store.runs import RunStore
from wtflow.studies.answers import load_answer
from wtflow.studies.compute import compute_answer
from wtflow.studies.flow_answers import normal_start
from wtflow.studies.plane import PATH_STEPS, compute_landscapes
from wtflow.studies.requests import LandscapeRequest
from wtflow.studies.run_flow import open_flow

UNET = {"network": "unet", "scope": "image", "width": 8, "batch_size": 8, "group_size": 8}
NORMAL, DEFECT = (0, 1, 2), (3, 4, 5)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plane")
    return RunStore(folder / "runs"), write_tiny_category(folder / "data", n_train=8, n_good=2, n_bad=2)


@pytest.fixture(scope="module")
def mlp(place):
    return train_here(*place)


@pytest.fixture
def flow(place, mlp):
    return open_flow(place[0], mlp)


def feature(flow, place) -> np.ndarray:
    """(C,) at t=0, by way of the whole grid."""
    row, grid_row, grid_column = place
    _, grid = next(flow.grids(np.array([row])))
    return flow.detector.start(grid[None])[0, grid_row, grid_column].numpy().astype(float)


def pair_axes(flow) -> tuple[np.ndarray, np.ndarray]:
    """(2, C) orthonormal axes with the normal on the first, the defect on the side of positive second; and (2, 2)
    where both lie.
    """
    a, b = feature(flow, NORMAL), feature(flow, DEFECT)
    first = a / np.linalg.norm(a)
    along = b @ first
    across = np.sqrt(b @ b - along**2)
    return np.stack([first, (b - along * first) / across]), np.array([[np.linalg.norm(a), 0], [along, across]])


def landscape(flow, velocity=None, t=0.0, kind="pair", n=15, monkeypatch=None):
    if velocity is not None:
        monkeypatch.setattr(flow.detector, "velocity", velocity)
    return compute_landscapes(flow, normal_start(flow), kind, NORMAL, DEFECT, n, quiet)[round(PATH_STEPS * t)]


def quiet(done: int, total: int) -> None:
    """Progress that nobody watches."""


# -- fields by hand ----------------------------------------------------------------------------------------------------


def test_a_pull_to_the_origin_has_the_potential_of_a_bowl(flow, monkeypatch):
    """v = -2 x lies in every plane through the origin and has the potential x^2 + y^2 there."""
    found = landscape(flow, lambda x, t: -2 * x, monkeypatch=monkeypatch)
    x, y = np.meshgrid(found.x, found.y)
    np.testing.assert_allclose(found.potential, x**2 + y**2, atol=1e-5 * found.x[-1] ** 2)
    assert found.share == pytest.approx(1, abs=1e-6)
    assert found.share_in_plane == pytest.approx(1, abs=1e-6)


def test_any_gradient_field_is_met_at_the_points_of_the_plane_through_normal_and_defect(flow, monkeypatch):
    """v = t b - s x channel by channel: the potential is sum(s x^2 / 2 - t b x), here at t = 1/2. Not all of v lies
    in the plane.
    """
    generator = np.random.default_rng(0)
    stiff, push = generator.uniform(0.5, 2, flow.n_channels), generator.normal(size=flow.n_channels)
    field = lambda x, t: t * torch.from_numpy(push).to(x) - torch.from_numpy(stiff).to(x) * x  # noqa: E731
    found = landscape(flow, field, t=0.5, monkeypatch=monkeypatch)
    axes, _ = pair_axes(flow)
    points = np.stack(np.meshgrid(found.x, found.y), axis=-1) @ axes
    exact = (stiff * points**2 / 2 - 0.5 * push * points).sum(-1)
    np.testing.assert_allclose(found.potential, exact - exact.min(), atol=1e-4 * np.ptp(exact))
    np.testing.assert_allclose(
        found.velocity, (0.5 * push - stiff * points) @ axes.T, atol=1e-4 * np.abs(found.velocity).max()
    )
    assert found.share == pytest.approx(1, abs=1e-6)
    assert found.share_in_plane < 0.999


def test_a_turn_within_the_plane_has_no_potential(flow, monkeypatch):
    axes, _ = pair_axes(flow)
    turn = torch.from_numpy(np.outer(axes[0], axes[1]) - np.outer(axes[1], axes[0]))
    assert landscape(flow, lambda x, t: x @ turn.to(x), n=41, monkeypatch=monkeypatch).share < 0.001


def test_marks_stand_where_the_two_positions_began_and_where_their_paths_are_at_that_time(flow, monkeypatch):
    """Under v = -2 x each of 20 Euler steps multiplies by 9/10; at t=0 beginning and path are the same point."""
    _, places = pair_axes(flow)
    found = landscape(flow, lambda x, t: -2 * x, t=0.5, monkeypatch=monkeypatch)
    assert [label for label, _, _ in found.marks] == [
        "origin",
        "normal",
        "defect",
        "normal at t = 0",
        "defect at t = 0",
    ]
    np.testing.assert_allclose(
        [at for _, *at in found.marks], [[0, 0], *(0.9**10 * places), *places], atol=1e-5 * np.abs(places).max()
    )
    start = landscape(flow, t=0.0)
    assert [label for label, _, _ in start.marks] == ["origin", "normal", "defect"]
    np.testing.assert_allclose([at for _, *at in start.marks[1:]], places, atol=1e-5 * np.abs(places).max())


def test_there_is_a_landscape_at_every_step_of_the_path_on_one_square_with_the_field_of_that_time(flow, monkeypatch):
    """v = -t x: the time that the field was asked at can be read off it."""
    monkeypatch.setattr(flow.detector, "velocity", lambda x, t: -t * x)
    seen = []
    found = compute_landscapes(
        flow, normal_start(flow), "axes", NORMAL, DEFECT, 15, lambda done, total: seen.append((done, total))
    )
    assert seen == [(i, PATH_STEPS + 1) for i in range(1, PATH_STEPS + 2)]
    for s, one in enumerate(found):
        assert one.t == pytest.approx(s / PATH_STEPS, abs=1e-6) and one.x.tolist() == found[0].x.tolist()
        np.testing.assert_allclose(one.velocity[..., 0], -one.t * np.tile(one.x, (15, 1)), atol=1e-5 * one.x[-1])


# -- real fields -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["axes", "pair"])
@pytest.mark.parametrize("t", [0.0, 1.0])
def test_all_marks_and_most_normals_lie_inside_the_square(flow, kind, t):
    found = landscape(flow, t=t, kind=kind)
    reach = found.x[-1]
    assert found.x.tolist() == found.y.tolist()
    assert all(max(abs(x), abs(y)) < reach for _, x, y in found.marks)
    assert 0 <= found.share <= 1 and 0 < found.share_in_plane <= 1
    if kind == "axes":
        start = normal_start(flow)
        centred = start - start.mean(0)
        axes = np.linalg.svd(centred, full_matrices=False)[2][:2]
        assert (np.abs(start @ axes.T).max(1) < reach).mean() > 0.99
        a = feature(flow, NORMAL)
        at = {label: place for label, *place in found.marks}["normal at t = 0" if t else "normal"]
        np.testing.assert_allclose(np.abs(at), np.abs(axes @ a), rtol=1e-2, atol=1e-2)  # an axis may point either way


def test_a_run_that_normalises_whole_images_has_landscapes_too(place):
    run_id = train_here(*place, normalise="layernorm")
    request = LandscapeRequest(plane="pair", normal=NORMAL, defect=DEFECT)
    answer = compute_answer(place[0], run_id, request, lambda share: None)
    again = load_answer(place[0], run_id, request)
    assert [one.t for one in again] == [one.t for one in answer] and again[5].marks == answer[5].marks
    np.testing.assert_allclose(again[5].potential, answer[5].potential, rtol=1e-6)
    found = answer[PATH_STEPS // 2]
    flow = open_flow(place[0], run_id)
    at = {label: place for label, *place in found.marks}
    np.testing.assert_allclose([at["normal at t = 0"], at["defect at t = 0"]], pair_axes(flow)[1], rtol=1e-4, atol=1e-3)


# -- what cannot be done -----------------------------------------------------------------------------------------------


def test_a_unet_has_no_landscape():
    with pytest.raises(FlowError, match="unet moves whole images"):
        compute_landscapes(
            SimpleNamespace(settings=tiny_settings(**UNET)), np.zeros((2, 2)), "axes", NORMAL, DEFECT, 15, quiet
        )


def test_a_normal_and_a_defect_in_line_with_the_origin_span_no_plane(flow):
    with pytest.raises(FlowError, match="on one line"):
        compute_landscapes(flow, normal_start(flow), "pair", NORMAL, NORMAL, 15, quiet)
    assert compute_landscapes(flow, normal_start(flow), "axes", NORMAL, NORMAL, 15, quiet)[10].share > 0, (
        "the axes do not need them"
    )


@pytest.mark.parametrize("absent", [(99, 0, 0), (-1, 0, 0), (0, 8, 0), (0, 0, 8), (0, -1, 0)])
def test_a_position_that_the_run_does_not_have_is_a_sentence(flow, absent):
    with pytest.raises(FlowError, match="has no position"):
        compute_landscapes(flow, normal_start(flow), "axes", NORMAL, absent, 15, quiet)
