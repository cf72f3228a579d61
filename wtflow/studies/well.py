"""The potential well in numbers: how far positions are from the origin over time, which ones
escape, how deep the well is. NumPy.

"The normals' radius" at a time is the 99 % quantile of the distance from the origin over positions of normal images
(GOOD). About 1 % of these positions lie outside it at every time by construction: it is the yardstick, not a finding.

Sources: the well and its shell as in [Paper] arXiv 2508.05461; the escape curve and the depth are ours.
"""

from typing import Final

import numpy as np

from wtflow.errors import FlowError
from wtflow.numbers import flow_time, percent, score
from wtflow.plots.disc_views import Yardstick
from wtflow.records.core import GOOD
from wtflow.records.flow import UNMARKED, Travel

WELL_QUANTILE: Final = 0.99
"""Radius that holds nearly all normals without hanging on the single farthest one."""

AXIS_QUANTILE: Final = 0.999
"""The radius axis ends where this share of positions lies below it at every time: one stray position must not
flatten the picture.
"""

MAX_SLICES = 20
"""Slices between median and escape radius for the depth;
with few positions fewer, so that each holds at least `MIN_PER_SLICE`.
"""

MIN_PER_SLICE = 10


def well_radius(travel: Travel, q: float = WELL_QUANTILE) -> np.ndarray:
    """(S,) the normals' q quantile of the distance from the origin at each saved time.
    Raises FlowError without normals.
    """
    return np.quantile(_normal(travel, travel.norm), q, axis=1)


def radius_spread(travel: Travel) -> dict[str, np.ndarray]:
    """ "normal" and "defect" -> (3, S): 5 % quantile, median and 95 % quantile of the distance from the origin of such
    positions, of those present. Positions outside every mask (UNMARKED) belong to neither.
    """
    group = travel.positions.group
    kinds = {"normal": group == GOOD, "defect": ~np.isin(group, (GOOD, UNMARKED))}
    return {
        kind: np.quantile(travel.norm[:, chosen], [0.05, 0.5, 0.95], axis=1)
        for kind, chosen in kinds.items()
        if chosen.any()
    }


def radius_density(travel: Travel, group_names: tuple[str, ...], n_bins: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """How the positions of the named groups, taken together, are spread over the distance from the origin.

    Returns edges (n_bins + 1,) from 0, and shares (S, n_bins) that sum to 1 at each time. The edges depend on all
    positions, so that two calls with different groups share them; the last bin also holds what lies farther out. Raises
    FlowError where none of the groups is present.
    """
    chosen = np.isin(travel.positions.group, group_names)
    if not chosen.any():
        raise FlowError(
            f"There are no positions of {', '.join(group_names) or 'no group'}.", fix="Choose images that have them."
        )
    end = float(np.quantile(travel.norm, AXIS_QUANTILE, axis=1, method="higher").max()) or 1.0
    edges = np.linspace(0, end, n_bins + 1)
    inside = np.minimum(travel.norm[:, chosen], end)
    shares = np.stack([np.histogram(radii, edges)[0] for radii in inside.astype(np.float64)]) / chosen.sum()
    return edges, shares


def escape_curve(travel: Travel) -> dict[str, np.ndarray]:
    """Group -> (S,) share of its positions farther out than the normals' radius at the same time,
    in the order of `groups`.

    For GOOD it is about 1 % at every time by construction. Raises FlowError without normals.
    """
    is_outside = travel.norm > well_radius(travel)[:, None]
    return {name: is_outside[:, travel.positions.group == name].mean(1) for name in travel.positions.groups}


def shares_outside(travel: Travel) -> dict[str, np.ndarray]:
    """ "normal" and "defect" -> (S,) share of such positions outside the normals' radius, all defect types together.

    What is not present is left out; positions outside every mask (UNMARKED) belong to neither. Raises FlowError without
    normals.
    """
    is_outside, group = travel.norm > well_radius(travel)[:, None], travel.positions.group
    kinds = {"normal": group == GOOD, "defect": ~np.isin(group, (GOOD, UNMARKED))}
    return {kind: is_outside[:, chosen].mean(1) for kind, chosen in kinds.items() if chosen.any()}


def yardstick_of(travel: Travel) -> Yardstick:
    """What pictures of these paths compare distances with; without normals no well, and no share outside it."""
    group = travel.positions.group
    has_normals = bool((group == GOOD).any())
    shares = shares_outside(travel) if has_normals else {}
    is_of = {"normal": group == GOOD, "defect": ~np.isin(group, (GOOD, UNMARKED))}
    return Yardstick(
        shell=shell(travel.n_channels),
        well_radius=well_radius(travel) if has_normals else None,
        shares=shares,
        counts={kind: int(is_of[kind].sum()) for kind in shares},
    )


def shell(n_channels: int) -> tuple[float, float, float]:
    """Mean, 5 % and 95 % quantile of the norm of standard Gaussian noise in n_channels dimensions (the chi law)."""
    from scipy.stats import chi  # slow to import, and seldom needed

    low, high = chi.ppf([0.05, 0.95], n_channels)
    return float(np.asarray(chi.mean(n_channels))), float(low), float(high)


def well_depth(travel: Travel) -> np.ndarray:
    """(S,) potential that a normal must climb from the normals' median radius to the escape radius
    (99 %), at each time.

    The potential along the radius has dU/dr = -<v, x/|x|>, averaged over the normals in slices of equal count between
    the two radii, and is integrated over them. Positive: the field pulls inward there, a well. Negative: it pushes
    outward. Only normals count, so that the depth does not depend on how many defects were chosen. Unit: squared units
    of the (normalised) feature. Raises FlowError without normals.
    """
    norm, radial = _normal(travel, travel.norm), _normal(travel, travel.radial)
    return np.array([_climb(*pair) for pair in zip(norm.astype(np.float64), radial.astype(np.float64), strict=True)])


def _climb(r: np.ndarray, radial: np.ndarray) -> float:
    """Minus the integral of the radial velocity (N,) from the median of the radii r (N,) to their 99 % quantile."""
    start, end = np.quantile(r, [0.5, WELL_QUANTILE])
    order = np.argsort(r)
    order = order[(r[order] >= start) & (r[order] <= end)]
    if not order.size:  # two positions: neither lies between their median and their quantile
        return float(-(end - start) * radial.mean())
    slices = np.array_split(order, min(MAX_SLICES, max(1, order.size // MIN_PER_SLICE)))
    borders = [(r[a[-1]] + r[b[0]]) / 2 for a, b in zip(slices, slices[1:], strict=False)]
    widths = np.diff([start, *borders, end])
    return float(-widths @ [radial[part].mean() for part in slices])


def _normal(travel: Travel, values: np.ndarray) -> np.ndarray:
    """Columns of values (S, N) that belong to normal images, (S, M). Raises FlowError where there are none."""
    is_normal = travel.positions.group == GOOD
    if not is_normal.any():
        raise FlowError(
            "There are no positions of normal images, so there is no well to measure.",
            fix="Choose normal images as well.",
        )
    return values[:, is_normal]


# -- in words ----------------------------------------------------------------------------------------------------------

CLEARLY: Final = 2.0
"""Defects escape clearly when their share outside is at least this many times the normals'; below, the difference
may be chance.
"""

STILL: Final = 0.02
"""A median that changes by less than this share of itself is called unchanged."""


def describe_well(travel: Travel) -> tuple[str, ...]:
    """Plain sentences about the well, true for these numbers.
    Positions outside every mask (UNMARKED) enter no claim.
    """
    group = travel.positions.group
    is_normal, is_defect = group == GOOD, ~np.isin(group, (GOOD, UNMARKED))
    if not is_normal.any():
        return (
            "There are no positions of normal images here, so there is no well to measure: choose normal images"
            " as well.",
        )
    sentences = [_fall_of_normals(travel, is_normal)]
    if is_defect.any():
        sentences += _escape_of_defects(travel, is_normal, is_defect)
    else:
        sentences.append(
            "There are no defect positions here, so it is unknown what escapes: choose defective images with masks."
        )
    sentences.append(_depth_in_words(travel))
    if (group == UNMARKED).any():
        n = int((group == UNMARKED).sum())
        sentences.append(
            f"{n:,} position{'s' if n > 1 else ''} of defective images outside every mask {'are' if n > 1 else 'is'}"
            " left out of these sentences."
        )
    return tuple(sentences)


def moves_of_normals(t: np.ndarray, median: np.ndarray) -> str:
    """What normals do, after "Normal positions": whether they fall, by their median distance (S,) at times t (S,)."""
    start, end, deepest = float(median[0]), float(median[-1]), int(median.argmin())
    least = float(median[deepest])
    if least < (1 - STILL) * min(start, end):
        return (
            f"fall toward the origin and come out again: median distance {start:.3g} at t = 0, {least:.3g} at"
            f" {flow_time(float(t[deepest]))}, {end:.3g} at t = 1"
        )
    if abs(end - start) <= STILL * start:
        return (
            f"keep their distance from the origin (median {start:.3g} at t = 0, {end:.3g} at t = 1): they do not fall"
        )
    way = "fall toward the origin" if end < start else "do not fall but move away from the origin"
    return f"{way}: median distance {start:.3g} at t = 0, {end:.3g} at t = 1"


def _fall_of_normals(travel: Travel, is_normal: np.ndarray) -> str:
    middle = np.median(travel.norm[:, is_normal], axis=1)
    mean, low, high = shell(travel.n_channels)
    place = "inside" if middle[-1] < low else ("beyond" if middle[-1] > high else "on")
    return (
        f"Normal positions {moves_of_normals(travel.t, middle)}. They end {place} the shell of noise (mean {mean:.3g},"
        f" nine tenths of noise from {low:.3g} to {high:.3g})."
    )


def _escape_of_defects(travel: Travel, is_normal: np.ndarray, is_defect: np.ndarray) -> list[str]:
    is_outside = travel.norm[-1] > well_radius(travel)[-1]
    normal, defect = float(is_outside[is_normal].mean()), float(is_outside[is_defect].mean())
    first = f"At the end {percent(normal)} of normal and {percent(defect)} of defect positions lie outside the well"
    first += f" (the radius that holds {percent(WELL_QUANTILE)} of the normals)."
    if defect <= normal:
        said = [
            first,
            (
                "Defects do not escape more than normals here: the distance from the origin does not separate them at"
                " this radius."
            ),
        ]
    elif defect < CLEARLY * normal:
        said = [first, "Defects hardly escape more than normals here."]
    else:
        said = [first]
    types = [name for name in travel.positions.groups if name not in (GOOD, UNMARKED)]
    if len(types) > 1:
        shares = {name: float(is_outside[travel.positions.group == name].mean()) for name in types}
        least, most = min(types, key=shares.__getitem__), max(types, key=shares.__getitem__)
        if shares[most] > shares[least]:
            said.append(f"{most} escapes most ({percent(shares[most])}), {least} least ({percent(shares[least])}).")
    inner, outer = (float(np.median(travel.norm[-1, flag])) for flag in (is_normal, is_defect))
    if outer < inner:
        said.append(
            f"Defects even end nearer to the origin than normals: median distance {outer:.3g} against {inner:.3g}."
        )
    return said


def _depth_in_words(travel: Travel) -> str:
    depth = well_depth(travel)
    deepest = int(depth.argmax())
    if depth[deepest] <= 0:
        return (
            "At no time does the field on average pull normals inward between their median and their 99\N{NBSP}%"
            " radius: in this sense there is no well."
        )
    still = (
        "it is there at all times"
        if (depth > 0).all()
        else f"at {int((depth <= 0).sum())} of {len(depth)} saved times it pushes outward instead"
    )
    return (
        f"The well is deepest at {flow_time(float(travel.t[deepest]))}: a normal would climb a potential of"
        f" {score(float(depth[deepest]))} to get out; {still}."
    )
