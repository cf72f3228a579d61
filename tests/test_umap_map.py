"""The UMAP as a map that stands still, and how well it keeps neighbourhoods, in a number and in words."""

import numpy as np
import pytest
from test_plots_paths import some

from wtflow.errors import FlowError
from wtflow.plots.field_encode import encode_field
from wtflow.plots.umap_map import trust_in_words, umap_field
from wtflow.records.flow import Projection
from wtflow.studies import trust
from wtflow.studies.trust import trustworthiness_of


def umap_of(n: int, times: int = 1, **changes) -> Projection:
    points = np.random.default_rng(1).normal(size=(times, n, 2)).astype(np.float32)
    return Projection("umap", np.linspace(1, 0, times, dtype=np.float32), points, **{"n_fitted": n} | changes)


def test_the_map_shows_the_points_of_its_one_time_with_the_escape_of_their_paths():
    travel, umap = some(), umap_of(5)
    field = umap_field(travel, umap, travel.norm.max(1))
    (view,) = field.views
    assert np.array_equal(view.points, umap.points) and field.t.tolist() == [1] and view.label == "UMAP at t = 1"
    assert "escape" in {colour.key for colour in field.colours}
    assert field.alt.startswith("UMAP of 5 positions (2 normal, 1 hole")
    assert encode_field(field)["ids"]["shape"] == [5]


@pytest.mark.parametrize(("n_fitted", "words"), [(5, "Fitted on all of them"), (3, "Fitted on 3, the others placed")])
def test_the_note_says_how_many_the_map_was_fitted_on(n_fitted, words):
    assert words in umap_field(some(), umap_of(5, n_fitted=n_fitted), None).views[0].note


@pytest.mark.parametrize("umap", [umap_of(4), umap_of(5, times=2)])
def test_a_umap_of_other_positions_or_of_several_times_is_refused(umap):
    with pytest.raises(FlowError, match=r"The UMAP shows \d positions at \d times; the paths are of 5 positions"):
        umap_field(some(), umap, None)


def test_a_map_that_moves_nothing_is_trusted_fully_and_one_of_chance_is_not():
    x = np.random.default_rng(2).normal(size=(200, 2))
    chance = np.random.default_rng(3).normal(size=(200, 2))
    assert trustworthiness_of(x, 3 * x[:, ::-1], "euclidean") == (pytest.approx(1.0), 200)
    assert trustworthiness_of(x, chance, "euclidean")[0] < 0.6, "chance gives about a half"


def test_of_many_points_an_even_part_is_compared_and_of_a_few_none(monkeypatch):
    x = np.random.default_rng(2).normal(size=(90, 3))
    monkeypatch.setattr(trust, "MOST_POINTS", 30)
    kept = x[:, :2].copy()
    assert trustworthiness_of(x, kept, "cosine")[1] == 30
    assert trustworthiness_of(x[:7], kept[:7], "cosine") == (None, 7)


def test_the_words_say_how_well_and_of_how_many():
    words = trust_in_words(umap_of(50, trust=0.934, n_trusted=50))
    assert words == "Keeps neighbourhoods: .93 of 1 (trustworthiness, all 50 positions compared)"
    assert "20 of 50 positions compared" in trust_in_words(umap_of(50, trust=0.5, n_trusted=20))
    assert "Too few positions" in trust_in_words(umap_of(5))
