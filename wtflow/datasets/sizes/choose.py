"""The rule that chooses an image size: as much as the normals can show, within a time. Pure: no files, no labels."""

from collections.abc import Callable, Mapping

from wtflow.datasets.sizes.look import NormalsSeen
from wtflow.records.sizes import SizeChoice, SizeCost, Why

SIZES = (256, 384, 512)
"""What is chosen unasked. Smaller than the preset's own 256 px, and larger than 512 px, was not measured; 448 px showed
no more than 512 px on `screw` and found less (image AUROC .941 against .972, each with half of it).
"""
LARGER_PX = 640
"""Offered with its time after the largest of them."""
ENOUGH = 0.98
"""Share of the detail that the largest useful size shows, from which on a smaller size is taken for as good. Half of
the size is seen as well, so a large one costs time alone.
"""
LONGEST_S = 600.0
"""Seconds that the whole job may take at the size that is chosen, unless a person says otherwise. Five times the
longest that was measured for a category of 480 images at 512 px on two cores (118 s).
"""


def sizes_of(fitting: Callable[[int], int] = lambda px: px, *, offered: bool = False) -> tuple[int, ...]:
    """The sizes that may be chosen, rising: those of SIZES; offered: with one more, of which only the time is said.

    fitting: size -> the nearest that the backbone takes, such as a multiple of a transformer's patches.
    """
    return tuple(sorted({fitting(size) for size in ((*SIZES, LARGER_PX) if offered else SIZES)}))


def choose_size(seen: NormalsSeen, seconds: Mapping[int, float], largest_px: int, longest_s: float) -> SizeChoice:
    """The smallest size that shows ENOUGH of the normals' detail; where its whole job would take longer than
    `longest_s`, the largest that does not, and the smallest of all where each does.

    seconds: expected for the whole job at every size that can be had. largest_px: larger ones are not chosen; their
    time is said. At least one size is at most that large.
    """
    sizes = sorted(seconds)
    open_ = [size for size in sizes if size <= largest_px]
    fitting = [size for size in open_ if size <= (seen.own_px or 0)] or open_[:1]
    useful = next((size for size in fitting if seen.shown.get(size, 1.0) >= ENOUGH), fitting[-1])
    in_time = [size for size in sizes if size <= useful and seconds[size] <= longest_s]
    chosen = max(in_time, default=open_[0])
    why: Why = (
        "only"
        if len(open_) == 1
        else "unread"
        if seen.own_px is None
        else "time"
        if chosen < useful
        else "detail"
        if useful < fitting[-1]
        else "own"
        if fitting[-1] < open_[-1]
        else "most"
    )
    costs = tuple(SizeCost(size, seconds[size], seen.shown.get(size)) for size in sizes)
    return SizeChoice(chosen, why, useful, seen.own_px, seen.is_tiled, seen.n_images, longest_s, costs)
