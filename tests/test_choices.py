"""Every choice of the settings has a way to be carried out, and none costs silently as another."""

import pytest
import torch

from wtflow.config import choices, settings_from
from wtflow.errors import FlowError
from wtflow.flow.coupling import COSTS, couple
from wtflow.flow.integrate import integrate
from wtflow.flow.solvers import SOLVERS, evaluations
from wtflow.scoring.maps import SCORES, compute_map
from wtflow.studies.duration import own_evaluations
from wtflow.studies.ideal import COUPLINGS

X = torch.arange(24, dtype=torch.float32).reshape(1, 2, 3, 4) / 10


class Counting:
    """A decay that counts how often it is evaluated."""

    def __init__(self):
        self.n = 0

    def __call__(self, x, t):
        self.n += 1
        return -x


def test_the_table_of_solvers_holds_the_settings_choices_and_no_other_is_accepted():
    assert set(SOLVERS) == set(choices("solver"))
    for call in (lambda: integrate(Counting(), X, 2, "midpoint"), lambda: evaluations("midpoint", 2)):
        with pytest.raises(FlowError, match="midpoint"):
            call()


@pytest.mark.parametrize("solver", choices("solver"))
@pytest.mark.parametrize("steps", [1, 4])
def test_a_solver_evaluates_the_field_as_often_as_its_table_states(solver, steps):
    field = Counting()
    integrate(field, X, steps, solver)
    assert field.n == evaluations(solver, steps) == steps * SOLVERS[solver].evaluations


@pytest.mark.parametrize("score", choices("score"))
@pytest.mark.parametrize("solver", choices("solver"))
def test_a_score_evaluates_the_field_as_often_as_its_duration_is_estimated_from(score, solver):
    settings, field = (
        settings_from("fast", {"score": score, "solver": solver, "steps": 3, "mismatch_samples": 5}),
        Counting(),
    )
    compute_map(field, X, settings, 0)
    assert field.n == own_evaluations(settings)


def test_every_score_of_the_settings_has_a_map_and_no_other():
    assert set(SCORES) == set(choices("score"))


def test_every_coupling_of_the_settings_pairs_and_no_other():
    assert set(COSTS) == set(COUPLINGS) == set(choices("coupling"))
    for coupling in COUPLINGS:
        assert sorted(couple(X[0, 0], X[0, 1], coupling, 3).tolist()) == [0, 1, 2]
    with pytest.raises(FlowError, match="There is no coupling"):
        couple(X[0, 0], X[0, 1], "best", 3)
