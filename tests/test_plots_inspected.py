"""New scores against known ones: what is counted, on which side, and where the threshold cuts."""

import numpy as np
import pytest

from wtflow.plots.inspected import plot_against
from wtflow.plots.theme import COLOURS

NEW, KNOWN = np.array([1.0, 1.1, 2.0, 2.9, 3.0, 3.0]), np.array([0.9, 1.0, 1.2, 2.5])


def sums(figure) -> dict[str, float]:
    """Colour -> sum of its bars."""
    return {bar.marker.color: float(np.sum(bar.y)) for bar in figure.data}


def plot(threshold: float, new=NEW, known=KNOWN):
    return plot_against(new, known, threshold, names=("new images", "known images"))


@pytest.mark.parametrize(("threshold", "called"), [(2.0, 4), (0.0, 6), (3.0, 2)])
def test_each_side_adds_up_to_all_of_its_images_and_the_colours_part_at_the_threshold(threshold: float, called: int):
    found = sums(plot(threshold))
    assert found.get(COLOURS["defect"], 0.0) == pytest.approx(called / 6)
    assert found.get(COLOURS["normal"], 0.0) == pytest.approx((6 - called) / 6)
    assert found[COLOURS["reference"]] == pytest.approx(-1)


def test_a_hundred_times_as_many_new_images_do_not_change_the_picture():
    assert sums(plot(2.0, new=np.repeat(NEW, 100))) == pytest.approx(sums(plot(2.0)))


def test_no_bar_lies_across_the_threshold_and_each_counts_what_its_ends_say():
    for bar in plot(2.2).data:
        scores, side = (KNOWN, -1) if bar.marker.color == COLOURS["reference"] else (NEW, 1)
        for share, (low, high) in zip(bar.y, bar.customdata, strict=True):
            assert not low < 2.2 < high
            last = high == 3.0
            n = sum(low <= one and (one < high or last and one == high) for one in scores)
            assert side * share == pytest.approx(n / len(scores))


def test_the_axis_of_shares_is_never_negative_and_nothing_at_all_is_said_in_words():
    assert all(not text.startswith("-") for text in plot(2.0).layout.yaxis.ticktext)
    assert "No scores" in plot(1.0, np.array([]), np.array([])).layout.annotations[0].text
    assert sums(plot(2.0, known=np.array([]))).keys() == {COLOURS["normal"], COLOURS["defect"]}
