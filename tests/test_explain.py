"""What separates wrong calls from right ones: planted patterns are found with their counts, noise is not, and the
effect of a type is distinguished from that of a fact.
"""

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from wtflow.errors import MetricError
from wtflow.failures.splits import LEAST, LEVEL, MISSES, describe_split, find_splits, gathering_types, p_words
from wtflow.numbers import percent

ONE_TYPE = np.full(40, "scratch")


def planted() -> tuple[np.ndarray, np.ndarray]:
    """40 images: of 10 misses 9 have an area below 0.004, of 30 hits 3 do."""
    is_wrong = np.arange(40) < 10
    area = np.r_[np.linspace(0.001, 0.0035, 9), 0.02, np.linspace(0.002, 0.003, 3), np.linspace(0.0055, 0.05, 27)]
    return area, is_wrong


def test_a_planted_pattern_is_found_with_its_counts():
    area, is_wrong = planted()
    (split,) = find_splits({"area": area}, is_wrong, ONE_TYPE)
    assert (split.fact, split.is_below) == ("area", True)
    assert 0.0035 < split.bound <= 0.0055
    assert (split.n_wrong_inside, split.n_wrong, split.n_right_inside, split.n_right) == (9, 10, 3, 30)


def test_the_sentence_says_exactly_what_the_numbers_say():
    area, is_wrong = planted()
    (split,) = find_splits({"area": area}, is_wrong, ONE_TYPE)
    said = describe_split(split, MISSES["area"], "misses", "hits")
    start = (
        f"Missed defects are smaller: 9 of 10 misses cover less than {percent(split.bound)} of the image, 3 of 30 hits"
        " do (n = 40, p "
    )
    assert said.startswith(start)
    bound = float(said.split("less than ")[1].split("\N{NBSP}%")[0]) / 100  # as a reader would check it
    assert ((area < bound) & is_wrong).sum() == 9 and ((area < bound) & ~is_wrong).sum() == 3


def test_the_other_side_is_spoken_of_as_larger():
    area, is_wrong = planted()
    (split,) = find_splits({"area": -area + 1}, is_wrong, ONE_TYPE)
    assert not split.is_below
    assert describe_split(split, MISSES["area"], "misses", "hits").startswith(
        "Missed defects are larger: 9 of 10 misses cover at least"
    )


def test_the_auroc_is_that_of_the_rank_sum():
    area, is_wrong = planted()
    (split,) = find_splits({"area": area}, is_wrong, ONE_TYPE)
    u = mannwhitneyu(area[is_wrong], area[~is_wrong]).statistic
    assert split.auroc == pytest.approx(u / (10 * 30))


def test_for_one_fact_the_p_value_is_that_of_the_rank_test():
    generator = np.random.default_rng(3)
    values, is_wrong = generator.normal(size=60), np.arange(60) < 20
    values[is_wrong] += 1.0
    (split,) = find_splits({"area": values}, is_wrong, np.full(60, "a"), n_shuffles=20_000)
    assert split.p == pytest.approx(mannwhitneyu(values[is_wrong], values[~is_wrong]).pvalue, rel=0.25)


def test_noise_is_called_a_pattern_in_few_of_many_trials_however_many_facts_are_tried():
    """Five facts of noise, 100 trials: without the correction some 23 of them would find something, with it 5 are
    expected.
    """
    found = 0
    for seed in range(100):
        generator = np.random.default_rng(seed)
        facts = {f"fact {i}": generator.normal(size=50) for i in range(5)}
        found += bool(find_splits(facts, np.arange(50) < 12, np.full(50, "a"), seed=seed, n_shuffles=400))
    assert found <= 10


def test_the_same_seed_gives_the_same_p_value():
    area, is_wrong = planted()
    assert find_splits({"area": area}, is_wrong, ONE_TYPE, seed=4) == find_splits(
        {"area": area}, is_wrong, ONE_TYPE, seed=4
    )


def test_a_fact_that_only_tells_types_apart_says_so():
    """Type b is larger and missed more often; within a type size means nothing."""
    generator = np.random.default_rng(0)
    group = np.repeat(["a", "b"], 60)
    is_wrong = generator.random(120) < np.where(group == "a", 0.1, 0.7)
    area = np.where(group == "a", 0.01, 0.2) * generator.uniform(0.9, 1.1, 120)
    (split,) = find_splits({"area": area}, is_wrong, group)
    assert split.p < 0.01
    assert split.p_within > LEVEL
    assert "Within single defect types this does not show" in describe_split(split, MISSES["area"], "misses", "hits")


def test_a_fact_that_holds_within_types_says_nothing_of_them():
    generator = np.random.default_rng(0)
    group = np.repeat(["a", "b"], 60)
    area = generator.uniform(size=120)
    (split,) = find_splits({"area": area}, area + 0.2 * generator.normal(size=120) < 0.3, group)
    assert split.p_within < LEVEL
    assert "Within" not in describe_split(split, MISSES["area"], "misses", "hits")


def test_with_one_kind_of_call_in_every_type_nothing_is_said_about_types():
    group = np.repeat(["a", "b"], 20)
    (split,) = find_splits({"area": np.arange(40.0)}, group == "a", group)
    assert split.p_within is None


def test_counts_are_cut_at_whole_numbers():
    n_regions = np.r_[np.full(9, 3.0), 1, np.full(27, 1.0), np.full(3, 2.0)]
    (split,) = find_splits({"n_regions": n_regions}, np.arange(40) < 10, ONE_TYPE)
    assert split.bound == 3
    assert "have at least 3 regions" in describe_split(split, MISSES["n_regions"], "misses", "hits")


def test_images_without_a_fact_are_left_out_of_its_counts():
    area, is_wrong = planted()
    area[[0, 39]] = np.nan
    (split,) = find_splits({"area": area}, is_wrong, ONE_TYPE)
    assert (split.n_wrong, split.n_right) == (9, 29)


@pytest.mark.parametrize("n_wrong", [0, LEAST - 1, 40 - LEAST + 1, 40])
def test_too_few_of_either_say_nothing(n_wrong):
    assert find_splits({"area": np.arange(40.0)}, np.arange(40) < n_wrong, ONE_TYPE) == ()


def test_a_fact_that_is_the_same_for_all_is_not_tried():
    assert find_splits({"area": np.ones(40), "border": np.full(40, np.nan)}, np.arange(40) < 10, ONE_TYPE) == ()


def test_lengths_that_differ_are_refused():
    with pytest.raises(MetricError, match="do not fit"):
        find_splits({"area": np.ones(3)}, np.ones(4, bool), np.ones(4))


# -- types -------------------------------------------------------------------------------------------------------------


def test_misses_that_gather_in_a_type_are_found_the_worst_first():
    group = np.repeat(["a", "b", "c"], 20)
    is_wrong = np.isin(np.arange(60), [*range(20, 28), *range(40, 54)])  # 0, 8 and 14 of 20
    types, p = gathering_types(is_wrong, group)
    assert types == ("c", "b")
    assert p < 0.001


def test_types_that_differ_by_chance_alone_are_not_named():
    group = np.repeat(["a", "b"], 20)
    assert gathering_types(np.isin(np.arange(40), [1, 2, 3, 21, 22, 23, 24]), group) is None
    assert gathering_types(np.arange(40) < 10, np.full(40, "a")) is None
    assert gathering_types(np.arange(40) < LEAST - 1, group) is None


def test_a_small_p_value_is_not_written_as_nothing():
    assert p_words(0.0004) == "< 0.001"
    assert p_words(0.0412) == "= 0.041"
