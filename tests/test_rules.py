"""Rules that find a threshold: numbers worked out by hand, exact sums and simulation against what they promise."""

import numpy as np
import pytest
from scipy import stats

from wtflow.deciding.cost import cost_curve, place_interval
from wtflow.deciding.intervals import Rate, allowed, at_most, needed_for_claim, needed_on_average, rate
from wtflow.deciding.rules import (
    Evidence,
    at_most_false_alarms,
    by_hand,
    highest_f1,
    interval_words,
    just_above,
    just_below,
    miss_costs,
    no_missed,
)
from wtflow.errors import MetricError, SettingsError

NONE = np.zeros(0)


def evidence(normals=NONE, good=NONE, defective=NONE, types=()) -> Evidence:
    types = types or ["crack"] * len(defective)
    return Evidence(np.asarray(normals, float), np.asarray(good, float), np.asarray(defective, float), np.array(types))


# -- intervals and claims ----------------------------------------------------------------------------------------------


def test_a_claim_needs_the_normals_that_the_powers_of_one_minus_the_share_give():
    # (1 - x)^n <= .05 with none above: .99^299 = .0495, .99^298 = .0500.. above .05
    assert [needed_for_claim(share) for share in (0.01, 0.02, 0.05, 0.1)] == [299, 149, 59, 29]
    assert needed_for_claim(0.05, 1) == 93  # .95^93 + 93 * .05 * .95^92 = .0500-, the tables of Wilks
    assert [needed_on_average(share) for share in (0.01, 0.02, 0.05, 0.1)] == [99, 49, 19, 9]
    assert [allowed(0.02, n) for n in (48, 49, 98, 99, 149)] == [-1, 0, 0, 1, 2]


def test_the_interval_is_the_one_in_the_tables():
    found = rate(5, 20)
    assert (found.low, found.high) == pytest.approx((0.0866, 0.4910), abs=5e-5)
    assert rate(0, 10).high == pytest.approx(1 - 0.025**0.1) and rate(0, 10).low == 0
    assert rate(10, 10).low == pytest.approx(0.025**0.1) and rate(10, 10).high == 1
    assert (rate(0, 0).low, rate(0, 0).high, rate(0, 0).share, at_most(0, 0)) == (0, 1, None, 1)
    assert at_most(0, 299) <= 0.01 < at_most(0, 298)


def test_an_interval_is_written_with_its_ends_and_its_confidence():
    assert interval_words(Rate(4, 250, 0.005, 0.036)).replace("\N{NBSP}", " ") == "0.5 % to 3.6 % (95 % interval)"
    assert interval_words(rate(0, 0)).replace("\N{NBSP}", " ") == "0 % to 100 % (95 % interval)"


@pytest.mark.parametrize("n", [7, 41, 150])
def test_the_interval_holds_the_true_rate_at_least_as_often_as_it_says_for_every_rate(n):
    ks = np.arange(n + 1)
    found = [rate(int(k), n) for k in ks]
    low, high = np.array([one.low for one in found]), np.array([one.high for one in found])
    above = np.array([at_most(int(k), n) for k in ks])
    for p in np.linspace(0.002, 0.998, 97):
        chance = stats.binom.pmf(ks, n, p)  # summed over all outcomes: no simulation
        assert chance[(low <= p) & (p <= high)].sum() >= 0.95 - 1e-9
        assert chance[p <= above].sum() >= 0.95 - 1e-9


def test_a_share_of_nothing_or_all_is_refused():
    for share in (0.0, 1.0, -0.1, float("nan")):
        with pytest.raises(SettingsError, match="not between 0 and 1"):
            at_most_false_alarms(evidence(range(100)), share)


# -- at most x % false alarms ------------------------------------------------------------------------------------------


def test_of_99_normals_one_may_lie_above_two_percent_and_the_threshold_is_midway():
    found = at_most_false_alarms(evidence(np.arange(1.0, 100.0)), 0.02)
    assert found.value == 98.5 and (found.normals.k, found.normals.n) == (1, 99)


def test_with_too_few_normals_it_lies_just_above_the_highest_and_says_how_many_it_takes():
    found = at_most_false_alarms(evidence([1.0, 3.0, 2.0]), 0.02)
    assert 3.0 < found.value < 3.001 and found.normals.k == 0
    assert "needs 49 normals, and there are 3" in found.words and "149 normals" in found.words


def test_equal_scores_are_never_split():
    scores = np.r_[np.arange(90.0), np.full(9, 95.0)]
    found = at_most_false_alarms(evidence(scores), 0.05)  # 4 of 99 may lie above, but nine are equal
    assert found.value > 95 and found.normals.k == 0


def test_without_normals_it_says_so():
    with pytest.raises(MetricError, match="no training normal"):
        at_most_false_alarms(evidence(good=[1.0]), 0.05)


@pytest.mark.parametrize("share, n", [(0.01, 120), (0.02, 150), (0.05, 320), (0.1, 60)])
def test_new_normals_lie_above_it_as_rarely_as_promised_and_the_interval_holds_the_truth(share, n):
    generator, rates, inside, claimed, places = np.random.default_rng(3), [], 0, 0, 0
    n_times = 1000
    for _ in range(n_times):
        found = at_most_false_alarms(evidence(generator.exponential(size=n)), share)
        true = float(np.exp(-found.value))  # of the exponential, whatever was drawn
        rates.append(true)
        inside += found.normals.low <= true <= found.normals.high
        claimed += true <= at_most(found.normals.k, n)
        places += found.place[0] <= -np.log(share) <= found.place[1]
    slack = 3 * np.sqrt(0.95 * 0.05 / n_times)
    assert np.mean(rates) <= share + 3 * np.std(rates) / np.sqrt(n_times)
    assert np.mean(rates) >= share - 2 / (n + 1)  # as many as it may
    assert min(inside, claimed) / n_times >= 0.95 - slack
    if (1 - share) ** n < 0.02:  # else the end of the interval is the highest normal, which need not reach so far
        assert places / n_times >= 0.95 - slack


# -- no missed defect --------------------------------------------------------------------------------------------------


def test_it_is_the_highest_threshold_that_misses_none_of_the_chosen_types():
    given = evidence(good=[1, 2, 3, 4], defective=[2.5, 3.5, 5.0], types=["dent", "crack", "crack"])
    every, cracks = no_missed(given, []), no_missed(given, ["crack"])
    assert (every.value, every.misses.k, every.false_alarms.k) == (2.5, 0, 2)
    assert (cracks.value, cracks.misses.k, cracks.false_alarms.k, cracks.false_alarms.n) == (3.5, 1, 1, 4)
    assert "2 defective test images of crack" in cracks.words
    with pytest.raises(MetricError, match="'scratch'"):
        no_missed(given, ["scratch"])
    with pytest.raises(MetricError, match="no defective"):
        no_missed(evidence(good=[1.0]), [])


def test_new_defects_lie_below_it_as_rarely_as_its_claim_says():
    generator, n_times, held = np.random.default_rng(4), 1000, 0
    for _ in range(n_times):
        found = no_missed(evidence(defective=generator.exponential(size=25)), [])
        held += 1 - np.exp(-found.value) <= at_most(0, 25)
    assert held / n_times >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / n_times)


@pytest.mark.parametrize("value", [1.0, 123456.789, 0.000123456789, -2.3456789, 9.999999, 1234567.0, 0.0])
def test_six_digits_round_to_the_side_that_moves_no_image(value):
    low, high = just_below(value), just_above(value)
    assert low <= value < high and high - low <= max(abs(value), 1e-300) * 3e-5
    assert float(f"{low:.6g}") == low and float(f"{high:.6g}") == high


# -- costs -------------------------------------------------------------------------------------------------------------


def test_costs_worked_out_by_hand():
    given = evidence(good=[1, 2, 3, 4], defective=[3.5, 5.0])
    # From 3.25 on: one of four false, none missed: .5 * 1/4. From 4.5 on: none false, one of two missed: .5 * 1/2.
    half, curve = miss_costs(given, 1, 0.5)
    assert half.value == 3.25 and curve.lowest == pytest.approx(0.125)
    # One in a hundred is defective and a miss costs ten: .01 * 10 * 1/2 = .05 against .99 * 1/4.
    rare, curve = miss_costs(given, 10, 0.01)
    assert rare.value == 4.5 and curve.lowest == pytest.approx(0.05)
    assert (rare.misses.k, rare.false_alarms.k) == (1, 0)
    as_found, curve = miss_costs(given, 3)  # two of six are defective: 2/6 * 3 * 1/2 against 4/6 * 1/4
    assert curve.defect_share == pytest.approx(1 / 3) and as_found.value == 3.25
    equal, _ = miss_costs(given, 1)  # 1/6 both from 3 to 3.5 and from 4 to 5: the middle of the wider one
    assert equal.value == 4.5


def test_no_threshold_costs_less_and_dearer_misses_never_raise_it():
    generator = np.random.default_rng(5)
    good, bad = generator.normal(size=80), generator.normal(1.5, 1, size=40)
    places = np.linspace(-5, 6, 2201)
    before = np.inf
    for times in (0.5, 1, 5, 20, 100):
        ruling, curve = miss_costs(evidence(good=good, defective=bad), times, 0.1)
        costs = [0.1 * times * (bad < place).mean() + 0.9 * (good >= place).mean() for place in places]
        assert curve.lowest <= min(costs) + 1e-12
        own = 0.1 * times * (bad < ruling.value).mean() + 0.9 * (good >= ruling.value).mean()
        assert own == pytest.approx(curve.lowest)
        assert ruling.value <= before
        before = ruling.value


def test_all_normals_count_where_costs_are_weighed_and_one_class_alone_is_refused():
    ruling, _ = miss_costs(evidence(normals=[1, 2, 3], good=[4], defective=[3.5]), 1, 0.5)
    assert ruling.value == 3.25 and "4 normals" in ruling.words
    with pytest.raises(MetricError, match="needs defective"):
        miss_costs(evidence(normals=[1, 2, 3]), 1)
    with pytest.raises(MetricError, match="above 0"):
        miss_costs(evidence(good=[1], defective=[2]), 0)


@pytest.mark.parametrize("n, d, times, share", [(150, 60, 5, 0.1), (60, 60, 1, 0.5)])
def test_the_bootstrap_holds_the_place_of_lowest_cost_about_as_often_as_it_says(n, d, times, share, monkeypatch):
    monkeypatch.setattr("wtflow.deciding.cost.N_RESAMPLED", 150)
    generator, n_times, held = np.random.default_rng(6), 60, 0
    places = np.linspace(-3, 5, 4001)
    best = places[np.argmin(share * times * stats.norm.cdf(places - 2) + (1 - share) * stats.norm.sf(places))]
    for _ in range(n_times):
        good, bad = generator.normal(size=n), generator.normal(2, 1, size=d)
        low, high = place_interval(good, bad, cost_curve(good, bad, times, share).cost_of)
        held += low <= best <= high
    assert held / n_times >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / n_times)


# -- the others --------------------------------------------------------------------------------------------------------


def test_highest_f1_is_found_by_trying_and_called_optimistic():
    good, bad = np.array([1.0, 2, 3, 4]), np.array([2.5, 3.5, 5, 6])
    found = highest_f1(evidence(good=good, defective=bad))
    f1 = lambda t: 2 * (bad >= t).sum() / (len(bad) + (bad >= t).sum() + (good >= t).sum())  # noqa: E731
    assert f1(found.value) == max(f1(t) for t in np.linspace(0, 7, 701)) and "optimistic" in found.words
    assert found.place[0] <= found.value <= found.place[1]
    with pytest.raises(MetricError, match="F1 needs"):
        highest_f1(evidence(good=good))


def test_by_hand_counts_what_the_others_count():
    found = by_hand(evidence([1, 2, 3, 9], [1, 5], [2, 6, 7]), 4.0)
    assert [(one.k, one.n) for one in (found.normals, found.false_alarms, found.misses)] == [(1, 4), (1, 2), (1, 3)]
    assert "1 normal of 4" in found.words
    assert by_hand(evidence(good=[1.0]), 4.0).words == "Chosen freely."


def test_a_score_that_is_no_number_is_refused():
    with pytest.raises(MetricError, match="not finite"):
        at_most_false_alarms(evidence([1.0, np.nan]), 0.1)
