"""Principal axes against the normals: numbers by hand, and a picture that keeps its size while everything shrinks."""

import numpy as np
import pytest
from test_plots_paths import travel_of

from wtflow.plots.plane_views import over_the_normals, plane_views
from wtflow.records.core import GOOD


def shrinking(factor: float) -> np.ndarray:
    """(3, 102, 2): a hundred normals on a ring of radius 2 around (5, 0), one at its middle, and a defect 6 away from
    there; at each time all is `factor` times as large.
    """
    angle = np.linspace(0, 2 * np.pi, 101)[:-1]
    ring = 2 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    start = np.concatenate([ring, [[0, 0]], [[0, 6]]]) + [5, 0]
    return np.stack([start, factor * start, factor**2 * start])


def test_who_keeps_its_place_among_the_normals_stays_while_all_shrink_to_a_dot():
    travel = travel_of(shrinking(0.1), [GOOD] * 101 + ["hole"])
    found = over_the_normals(travel)
    np.testing.assert_allclose(found, np.broadcast_to(found[0], found.shape), atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(found[0, :100], axis=1), 1, atol=1e-4)
    np.testing.assert_allclose(found[0, 101], [0, 1 + np.log(3)], atol=1e-3), "three times the radius, drawn in"


def test_a_defect_that_shrinks_less_than_the_normals_moves_away_from_them():
    x = shrinking(0.1)
    x[1:, 101] = x[0, 101]
    away = np.linalg.norm(over_the_normals(travel_of(x, [GOOD] * 101 + ["hole"]))[:, 101], axis=1)
    assert away[0] < away[1] < away[2] and np.isfinite(away).all()


@pytest.mark.parametrize(("group", "keys"), [(GOOD, ["plane", "plane_raw"]), ("hole", ["plane_raw"])])
def test_without_normals_there_is_nothing_to_divide_by(group, keys):
    travel = travel_of(shrinking(0.5), [group])
    views = plane_views(travel)
    assert [view.key for view in views] == keys
    assert np.array_equal(views[-1].points, travel.plane), "as it is"
