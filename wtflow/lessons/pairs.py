"""Lesson 3, who pairs with whom: the independent, the optimal and the worst coupling of the
same points and the same noise.

Points and noise come from here; the browser finds the pairing again while points are dragged. Its result is compared
with SciPy's assignment, which is sent along, and in one dimension with sorting.

Sources: [Paper] arXiv 2508.05461 for the worst coupling; batches, one-dimensional closed forms and checks are ours
(METHOD 3 and 5.7).
"""

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.optimize import linear_sum_assignment

from wtflow.config import Coupling
from wtflow.lessons.base import DATA_SETS, KINDS, Check, Control, Scene
from wtflow.records.spacing import spaced

if TYPE_CHECKING:
    from wtflow.plots.still.sheet import Axes, Figure

MOST_POINTS: Final = 64
"""Few enough to distinguish lines, enough for batches of 1, 2, 4 ... 64."""

CONTROLS: Final = (
    Control("batch", "Batch size", 1, MOST_POINTS, 1, MOST_POINTS),
    Control("dimension", "Dimension", 0, 1, 1, 1, kind="choice", options=("1-D", "2-D")),
    Control("t", "Time t", 0, 1, 0.01, 0),
)
DATA: Final = ("moons", "rings", "grid", "letters", "one_gaussian")

_LARGE = 4096  # sampled pairs whose costs are compared with those of the whole population
_LARGE_STD = 0.5


def prepare(seed: int, points: np.ndarray | None, settings: dict[str, float]) -> Scene:
    """Points x, noise z (n, 2) and `order` (n,), whose consecutive stretches are the batches; n is at most 64.

    points: (N, 2) in any order, None for two moons; of more than 64 every N/64-th is taken. `costs` is (2, S, 2):
    SciPy's least and greatest total squared distance, for 1-D and 2-D and each batch size in `sizes`. Settings change
    nothing here.
    """
    x = (
        DATA_SETS["moons"](MOST_POINTS, np.random.default_rng(seed))
        if points is None or not len(points)
        else np.asarray(points)
    )
    x = x[spaced(len(x), MOST_POINTS)]
    noise, order = _noise_and_order(seed, len(x))
    # An address keeps two decimals of a dragged point, and the browser gets float32. The same numbers here make the
    # costs agree.
    x, z = (values.astype(np.float32).astype(np.float64) for values in (x.round(2), noise[: len(x)]))
    sizes = batch_sizes(len(x))
    costs = np.array(
        [
            [
                [
                    total_cost(x[:, :d], z[:, :d], pair(x[:, :d], z[:, :d], kind, size, order))
                    for kind in ("optimal", "worst")
                ]
                for size in sizes
            ]
            for d in (1, 2)
        ]
    )
    data = {"x": x, "z": z, "order": order.astype(np.float64), "sizes": np.array(sizes, np.float64), "costs": costs}
    return Scene(data, _checks(x, z, order, np.random.default_rng([seed, 33])))


def beside_points(seed: int) -> dict[str, np.ndarray]:
    """`noise` (64, 2), of which n points take the first n, and `orders` (2080,): the order of 1 point, that of 2, ...,
    that of 64, one after another. The browser finds the costs itself.
    """
    orders = [_noise_and_order(seed, n)[1] for n in range(1, MOST_POINTS + 1)]
    return {"noise": _noise_and_order(seed, 1)[0], "orders": np.concatenate(orders).astype(np.float64)}


def _noise_and_order(seed: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise (64, 2), independent of the points, so that other points get the same, and an order (n,) of n points."""
    rng = np.random.default_rng([seed, 3])
    return rng.standard_normal((MOST_POINTS, 2)), rng.permutation(n)


def pair(x: np.ndarray, z: np.ndarray, kind: Coupling, batch: int, order: np.ndarray) -> np.ndarray:
    """Partner (n,): z[partner[i]] is the noise of x[i]. Exact inside each stretch of `batch` entries of `order`; x,
    z: (n, d).
    """
    partner = np.arange(len(x))
    if kind == "independent":
        return partner
    for start in range(0, len(x), batch):
        rows = order[start : start + batch]
        squared = np.square(x[rows, None] - z[None, rows]).sum(-1)
        partner[rows] = rows[linear_sum_assignment(squared, maximize=kind == "worst")[1]]
    return partner


def total_cost(x: np.ndarray, z: np.ndarray, partner: np.ndarray) -> float:
    """Sum over pairs of the squared distance; x, z: (n, d)."""
    return float(np.square(x - z[partner]).sum())


def sorted_cost(x: np.ndarray, z: np.ndarray, *, is_reversed: bool) -> float:
    """Total squared distance of x (n,) in rising order and z (n,) in rising or falling order:
    no assignment is solved.
    """
    return float(np.square(np.sort(x) - np.sort(z)[:: -1 if is_reversed else 1]).sum())


def count_crossings(x: np.ndarray, ends: np.ndarray) -> int:
    """How many pairs of lines from x[i] to ends[i] cross.

    (n, 1): in the plane of t and x, where two lines cross when their order at t=0 is not that at t=1. (n, 2): as
    segments in the plane, even if they pass the crossing at different times. Lines that only touch do not count.
    """
    if x.shape[1] == 1:
        opposed = np.subtract.outer(x[:, 0], x[:, 0]) * np.subtract.outer(ends[:, 0], ends[:, 0]) < 0
    else:
        # Two segments cross when the ends of each lie on two sides of the other.
        along = ends - x
        at_start, at_end = (
            along[:, None, 0] * (p - x[:, None])[..., 1] - along[:, None, 1] * (p - x[:, None])[..., 0]
            for p in (x, ends)
        )
        apart = at_start * at_end < 0
        opposed = apart & apart.T
    return int(np.triu(opposed, 1).sum())


def batch_sizes(n: int) -> tuple[int, ...]:
    """1, 2, 4 ... and n. Batches of one size consist of whole batches of the size before, so their
    costs can only move apart.
    """
    return (*(2**k for k in range(n.bit_length()) if 2**k < n), n)


def _checks(x: np.ndarray, z: np.ndarray, order: np.ndarray, rng: np.random.Generator) -> tuple[Check, ...]:
    n = len(x)
    worst = pair(x, z, "worst", n, order)
    inner = np.square(x).sum() + np.square(z).sum() - 2 * (x * z[worst]).sum()
    stretched = 2.0 * x + np.tanh(x)  # the gradient of |x|^2 + sum log cosh x, which is strictly convex
    kept = {
        kind: float(np.mean(pair(x, sign * stretched, kind, n, order) == np.arange(n)))
        for kind, sign in (("optimal", 1), ("worst", -1))
    }
    data, noise = _LARGE_STD * rng.standard_normal(_LARGE), rng.standard_normal(_LARGE)
    large = {kind: sorted_cost(data, noise, is_reversed=kind == "worst") / _LARGE for kind in ("optimal", "worst")}
    words, gradients = (
        f"cost per pair of {_LARGE} Gaussian pairs with s = 0.5",
        "ours: the pairing by a convex function is known",
    )
    return (
        Check(
            "worst cost, against squared norms minus twice the inner products",
            total_cost(x, z, worst),
            inner,
            1e-6,
            "ours: expand the square",
        ),
        *_checks_in_line(x[:, 0], z[:, 0], order),
        Check(
            "share of points paired by optimal with their own gradient of a convex function",
            kept["optimal"],
            1.0,
            _doubles(x),
            gradients,
        ),
        Check("share of points paired by worst with minus that gradient", kept["worst"], 1.0, _doubles(x), gradients),
        Check(
            f"optimal {words}, against (1 - s)^2",
            large["optimal"],
            (1 - _LARGE_STD) ** 2,
            0.03,
            "ours: limit for many pairs, sampled",
        ),
        Check(
            f"worst {words}, against (1 + s)^2",
            large["worst"],
            (1 + _LARGE_STD) ** 2,
            0.2,
            "ours: limit for many pairs, sampled",
        ),
    )


def _checks_in_line(x: np.ndarray, z: np.ndarray, order: np.ndarray) -> list[Check]:
    """One dimension, x and z (n,): costs of the assignment against sorting, and crossings against
    those that follow from sorting.
    """
    n, checks = len(x), []
    for kind, partner_words in (("optimal", "sorted"), ("worst", "reversed")):
        partner = pair(x[:, None], z[:, None], kind, n, order)
        by_sorting = sorted_cost(x, z, is_reversed=kind == "worst")
        label, source = (
            f"{kind} cost in 1-D, against pairing sorted with {partner_words}",
            "ours: in one dimension couplings are sorting",
        )
        checks.append(Check(label, total_cost(x[:, None], z[:, None], partner), by_sorting, 1e-6, source))
        crossings = count_crossings(x[:, None], z[partner, None])
        forced = _distinct_pairs(x) if kind == "worst" else 0
        checks.append(
            Check(
                f"{kind} lines that cross in 1-D{', of n (n - 1) / 2 that differ' if forced else ''}",
                crossings,
                forced,
                0,
                source,
            )
        )
    return checks


def _distinct_pairs(x: np.ndarray) -> int:
    """n (n - 1) / 2, minus the pairs of equal values, which cannot cross; x: (n,)."""
    n, counts = len(x), np.unique(x, return_counts=True)[1]
    return n * (n - 1) // 2 - int((counts * (counts - 1) // 2).sum())


def _doubles(x: np.ndarray) -> float:
    """The share of points that occur more than once: their partners are not determined."""
    counts = np.unique(x, axis=0, return_counts=True)[1]
    return float(counts[counts > 1].sum() / len(x))


def figure(scene: Scene, settings: dict[str, float]) -> "list[tuple[str, Figure]]":
    """The three couplings side by side at the batch size, dimension and time of `settings`, and
    their costs against batch size.
    """
    from wtflow.plots.still.sheet import COLUMN_MM, FULL_MM, TYPE_PT, add_legend, name_axes, new_sheet

    x, z, d = scene.array("x"), scene.array("z"), int(settings["dimension"]) + 1
    order, sizes = scene.array("order").astype(int), scene.array("sizes").astype(int)
    x, z = x[:, :d], z[:, :d]
    lines, panels = new_sheet(FULL_MM, 66, len(KINDS), share_axes=True)
    for letter, axes, kind in zip("abc", panels, KINDS, strict=True):
        ends = z[pair(x, z, kind, int(settings["batch"]), order)]
        _draw_lines(axes, x, ends, settings["t"])
        cost, n_crossings = np.square(x - ends).sum(), count_crossings(x, ends)
        axes.set_title(f"{letter}  {kind}\ncost {cost:.1f}, {n_crossings} crossings", loc="left", fontsize=TYPE_PT)
        name_axes(axes, *(("t (0 = data, 1 = noise)", "x") if d == 1 else ("first axis", "second axis")))
    add_legend(lines, panels, 3)
    costs, (axes,) = new_sheet(COLUMN_MM, 66)
    found = scene.array("costs")[d - 1]
    own = np.square(x - z).sum()
    axes.plot(sizes, found[:, 1], "s-", color=_colour("worst"), label="worst", markersize=3, linewidth=1)
    axes.plot(sizes[[0, -1]], [own, own], "--", color=_colour("independent"), label="independent", linewidth=1)
    axes.plot(sizes, found[:, 0], "o-", color=_colour("optimal"), label="optimal", markersize=3, linewidth=1)
    axes.set_ylim(bottom=0)
    name_axes(axes, "batch size", "total squared distance")
    add_legend(costs, [axes], 3)
    return [("pairs", lines), ("cost", costs)]


def _draw_lines(axes: "Axes", x: np.ndarray, ends: np.ndarray, t: float) -> None:
    from wtflow.plots.theme import COLOURS

    gap = np.full(len(x), np.nan)  # a gap between lines
    start, stop, now = (_on_paper(values, at) for values, at in ((x, 0.0), (ends, 1.0), ((1 - t) * x + t * ends, t)))
    across, up = (np.stack([start[:, k], stop[:, k], gap], axis=1).ravel() for k in (0, 1))
    axes.plot(across, up, color=COLOURS["time"], linewidth=0.5, alpha=0.6)
    axes.plot(*stop.T, "o", color=COLOURS["reference"], markersize=2.5, label="noise")
    axes.plot(*start.T, "o", color=COLOURS["normal"], markersize=2.5, label="data")
    if 0 < t < 1:
        axes.plot(*now.T, "o", color=COLOURS["selected"], markersize=2.5, label=f"t = {t:.2f}")
    if x.shape[1] == 2:
        axes.set_aspect("equal")


def _on_paper(values: np.ndarray, t: float) -> np.ndarray:
    """(n, 2): a value at its time, a point of the plane at its place."""
    return values if values.shape[1] == 2 else np.column_stack([np.full(len(values), t), values])


def _colour(kind: Coupling) -> str:
    from wtflow.plots.theme import COLOURS

    return COLOURS[{"independent": "reference", "optimal": "normal", "worst": "defect"}[kind]]
