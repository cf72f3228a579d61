"""One rule per kind of number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wtflow.numbers import (
    count,
    difference,
    duration,
    flow_time,
    metric,
    of_threshold,
    percent,
    percent_range,
    progress,
    score,
    size,
)


def value_of(words: str) -> float:
    number, sign = words.removeprefix("under ").split("\N{NBSP}")
    assert sign == "%"
    return float(number.replace(",", "")) / 100


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0, "0"),
        (0.34, "34"),
        (0.034, "3.4"),
        (0.05, "5"),
        (0.0035, "0.35"),
        (1e-9, "under 0.0001"),
        (0.994, "99.4"),
        (0.99996, "99.996"),
        (1, "100"),
        (1.004, "100.4"),
        (1.34, "134"),
    ],
)
def test_a_share_is_written_with_a_space_that_does_not_break(share, words):
    assert percent(share) == f"{words}\N{NBSP}%"


@given(st.floats(0, 1))
def test_only_nothing_is_0_percent_and_only_all_is_100(share):
    written = percent(share)
    assert (value_of(written) == 0) == (share == 0)
    if share < 0.999999:
        assert value_of(written) < 1
    assert value_of(written) == pytest.approx(share, abs=0.00501)


@given(st.floats(0, 0.999))
def test_a_job_that_runs_is_never_done(share):
    assert value_of(progress(share)) <= share + 1e-6 < 1
    assert value_of(progress(1)) == 1


@given(st.floats(0, 100), st.floats(1e-3, 100))
def test_a_score_below_the_threshold_is_never_written_as_reaching_it(value, threshold):
    words = of_threshold(value, threshold)
    assert words.endswith(" the threshold")
    if value < 0.99999 * threshold:
        assert value_of(words.removesuffix(" of the threshold")) < 1


def test_a_share_of_the_threshold_exists_only_where_it_means_something():
    assert of_threshold(1.34, 1) == "134\N{NBSP}% of the threshold"
    assert of_threshold(123.4, 10) == "12 times the threshold"
    assert of_threshold(1, 0) is of_threshold(1, -2) is of_threshold(-1, 2) is of_threshold(float("nan"), 1) is None


@given(st.floats(0, 1))
def test_a_time_of_the_flow_is_0_and_1_only_at_the_ends(t):
    words = flow_time(t)
    assert words.startswith("t = ")
    assert float(words[4:]) == pytest.approx(t, abs=0.00501)
    assert (words == "t = 0") == (t == 0)


def test_the_other_kinds():
    assert [flow_time(t) for t in (0, 0.5, 0.3333, 1)] == ["t = 0", "t = 0.5", "t = 0.33", "t = 1"]
    assert flow_time(0.0001) == "t = 0.0001"
    assert [metric(value) for value in (0.95, 1, None, float("nan"))] == ["0.950", "1.000", "–", "–"]
    assert [difference(value) for value in (0.012, -0.004)] == ["+0.012", "−0.004"]
    assert [score(value) for value in (12.3456, 0.00012345)] == ["12.35", "0.0001234"]
    assert [duration(s) for s in (0, 0.02, 0.4, 8.2, 59.7, 130, 3905)] == [
        "0 s",
        "0.1 s",
        "0.4 s",
        "8 s",
        "1 min 0 s",
        "2 min 10 s",
        "1 h 5 min",
    ]
    assert [size(n) for n in (12, 14_000_000, 2_140_000_000)] == ["12 bytes", "14 MB", "2.1 GB"]
    assert [size(n) for n in (999_400_000, 999_600_000, 999_999, 1_000)] == ["999 MB", "1.0 GB", "1.0 MB", "1.0 KB"]
    assert [count(n, "image") for n in (0, 1, 1234)] == ["0 images", "1 image", "1,234 images"]
    assert percent_range(0.208, 0.476) == "21 to 48\N{NBSP}%"
    assert percent(None) == "–"
