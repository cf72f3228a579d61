"""Evenly spaced indices: both ends, none twice, all where there are few."""

import numpy as np
import pytest

from wtflow.records.spacing import spaced


@pytest.mark.parametrize("n", [1, 2, 3, 7, 64, 65, 100, 1000, 1999])
@pytest.mark.parametrize("most", [2, 3, 64, 500, 2000])
def test_both_ends_are_taken_and_distances_differ_by_one_at_most(n, most):
    chosen = spaced(n, most)
    assert len(chosen) == min(n, most)
    assert (chosen[0], chosen[-1]) == (0, n - 1)
    assert n == 1 or np.ptp(np.diff(chosen)) <= 1 and np.diff(chosen).min() >= 1


def test_of_none_nothing_is_taken_and_of_many_one_is_the_first():
    assert spaced(0, 5).tolist() == []
    assert spaced(9, 1).tolist() == [0]
