"""The learned field on a plane through feature space, and the potential that explains most of it.
NumPy float64, no torch.

A learned field need not be a gradient. On the plane it is split as v = -grad(potential) + rest, with the potential that
leaves the least rest (a Helmholtz projection); the share that it explains is measured, not assumed.

Source of the split: Chorin, Marsden, "A Mathematical Introduction to Fluid Mechanics" (1993), section 1.3; the window
is ours.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import spsolve

from wtflow.errors import FlowError
from wtflow.numbers import flow_time, percent
from wtflow.records.flow import Landscape

POINTS_PER_SIDE: Final = (5, 201)
"""Fewer show nothing; more take seconds."""

WINDOW_START: Final = 0.75
"""Up to this share of the way from the middle to the edge every place counts fully."""

WINDOW_FLOOR: Final = 1e-3
"""Weight of the corners. Above 0, so that the potential is determined there too; a true gradient is matched
everywhere in any case.
"""

COLLINEAR: Final = 1e-6
"""Two directions whose sine is below this span no plane in float32 features."""

Velocity = Callable[[np.ndarray, float], np.ndarray]
"""The field: points (M, d) and a time to velocities (M, d)."""


@dataclass(frozen=True, slots=True)
class Plane:
    """A plane through d-dimensional space: `centre` is its point (0, 0), `first` and `second` are orthonormal.
    float64 (d,).
    """

    centre: np.ndarray
    first: np.ndarray
    second: np.ndarray
    labels: tuple[str, str]
    """What the two axes are, in words."""

    def points(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Points (..., d) at plane coordinates x and y (...)."""
        return self.centre + x[..., None] * self.first + y[..., None] * self.second

    def coordinates(self, points: np.ndarray) -> np.ndarray:
        """Plane coordinates (..., 2) of the feet of points (..., d) on the plane."""
        return (np.asarray(points, np.float64) - self.centre) @ np.stack([self.first, self.second], axis=1)


def plane_through(origin: np.ndarray, a: np.ndarray, b: np.ndarray, labels: tuple[str, str]) -> Plane:
    """The plane through three points (d,): `origin` is (0, 0), a lies on the first axis, b on the
    side of positive second.

    Raises FlowError where the three lie on one line.
    """
    origin = np.asarray(origin, np.float64)
    return _orthonormal(origin, np.asarray(a, np.float64) - origin, np.asarray(b, np.float64) - origin, labels)


def plane_of_axes(centre: np.ndarray, axes: np.ndarray, labels: tuple[str, str]) -> Plane:
    """The plane through centre (d,) along the first two of the axes (k, d), such as principal axes.
    Raises FlowError as above.
    """
    axes = np.asarray(axes, np.float64)
    return _orthonormal(np.asarray(centre, np.float64), axes[0], axes[1], labels)


def half_width_for(plane: Plane, points: np.ndarray, margin: float = 1.5) -> float:
    """Half the side of a square around the plane's centre that holds points (M, d) well inside;
    1 where all lie on the centre.

    With the default margin they lie where the fit of the potential counts fully.
    """
    reach = float(np.linalg.norm(plane.coordinates(points), axis=-1).max())
    return margin * reach or 1.0


def field_on_plane(
    velocity: Velocity,
    plane: Plane,
    t: float,
    half_width: tuple[float, float],
    n: int = 41,
    marks: Sequence[tuple[str, np.ndarray]] = (),
) -> Landscape:
    """The field at time t on n x n points of the plane, up to half_width from its centre along
    each axis, and its potential.

    marks: named points (d,); they are drawn where their feet on the plane lie.

    `share`: where the potential explains all, 1; for a rotation about the centre, 0. Places count fully up to three
    quarters of the way to the edge and hardly in the corners: at the straight edges of a square even a rotation looks
    like a gradient, which without this window explained 16 % of it. Where the field vanishes on the plane there is
    nothing to explain, and share is 1.

    Raises FlowError for n or half_width out of range and for a field that is not finite or has another shape.
    """
    if not POINTS_PER_SIDE[0] <= n <= POINTS_PER_SIDE[1]:
        raise FlowError(
            f"{n} points along a side.", fix=f"Choose a number from {POINTS_PER_SIDE[0]} to {POINTS_PER_SIDE[1]}."
        )
    if not all(np.isfinite(width) and width > 0 for width in half_width):
        raise FlowError(f"The plane's half widths are {half_width}.", fix="Give two lengths above 0.")
    x, y = (np.linspace(-width, width, n) for width in half_width)
    points = plane.points(*np.meshgrid(x, y)).reshape(n * n, -1)
    v = np.asarray(velocity(points, t), np.float64)
    if v.shape != points.shape:
        raise FlowError(
            f"The field gave shape {v.shape} for points of shape {points.shape}.",
            fix="Return one velocity for each point.",
        )
    if not np.isfinite(v).all():
        raise FlowError("The field is not finite on this plane.", fix="Choose another time or a narrower plane.")
    in_plane = (v @ np.stack([plane.first, plane.second], axis=1)).reshape(n, n, 2)
    potential, share = fit_potential(in_plane, x, y)
    whole = float(np.square(v).sum())
    share_in_plane = float(np.square(in_plane).sum()) / whole if whole > 0 else 1.0
    places = [(label, *plane.coordinates(point).tolist()) for label, point in marks]
    return Landscape(float(t), x, y, in_plane, potential, share, min(share_in_plane, 1.0), plane.labels, tuple(places))


def fit_potential(v: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, float]:
    """The potential (G, G), smallest value 0, whose gradient fits -v best, and the share of v that it explains, 0 to 1.

    v: (G, G, 2), [i, j] at (x[j], y[i]), evenly spaced. Differences between neighbouring points stand against the mean
    of v along the edge between them, weighted by `_window`; exact for quadratic potentials, of second order otherwise.
    """
    n_y, n_x = v.shape[:2]
    along = [
        sparse.diags_array([-np.ones(m - 1), np.ones(m - 1)], offsets=[0, 1], shape=(m - 1, m)) / (c[1] - c[0])
        for m, c in ((n_x, x), (n_y, y))
    ]
    gradient = sparse.vstack(
        [sparse.kron(sparse.eye_array(n_y), along[0]), sparse.kron(along[1], sparse.eye_array(n_x))]
    ).tocsr()
    target = -np.concatenate([(v[:, 1:, 0] + v[:, :-1, 0]).ravel() / 2, (v[1:, :, 1] + v[:-1, :, 1]).ravel() / 2])
    middle_x, middle_y = (x[1:] + x[:-1]) / 2, (y[1:] + y[:-1]) / 2
    widths = (x[-1] - x[0]) / 2, (y[-1] - y[0]) / 2
    centre = (x[-1] + x[0]) / 2, (y[-1] + y[0]) / 2
    weight = np.concatenate(
        [_window(*np.meshgrid(a, b), centre, widths).ravel() for a, b in ((middle_x, y), (x, middle_y))]
    )
    total = float(weight @ target**2)
    if total == 0:
        return np.zeros((n_y, n_x)), 1.0
    weighted = gradient.T @ sparse.diags_array(weight)
    # Potentials are the same up to a constant: the first point is held at 0.
    solved = spsolve((weighted @ gradient).tocsc()[1:, 1:], (weighted @ target)[1:])
    potential = np.concatenate([[0.0], solved])
    rest = float(weight @ (gradient @ potential - target) ** 2)
    return (potential - potential.min()).reshape(n_y, n_x), float(np.clip(1 - rest / total, 0, 1))


def describe_landscape(landscape: Landscape) -> str:
    """What the picture holds and what it leaves out, in words."""
    share, in_plane = landscape.share, landscape.share_in_plane
    explained = f"The potential explains {percent(share)} of the field in this plane at {flow_time(landscape.t)}"
    rest = "; the rest turns around and has no heights." if share < 1 else "."
    out = "; the rest points out of it and is not shown here." if in_plane < 1 else "."
    return f"{explained}{rest} {percent(in_plane)} of the whole field lies in the plane{out}"


def _window(x: np.ndarray, y: np.ndarray, centre: tuple[float, float], widths: tuple[float, float]) -> np.ndarray:
    """1 in the middle, falling smoothly to WINDOW_FLOOR on the ellipse that touches the edges;
    constant on such ellipses.
    """
    radius = np.hypot((x - centre[0]) / widths[0], (y - centre[1]) / widths[1])
    fade = np.clip((radius - WINDOW_START) / (1 - WINDOW_START), 0, 1)
    return WINDOW_FLOOR + (1 - WINDOW_FLOOR) * np.cos(np.pi / 2 * fade) ** 2


def _orthonormal(centre: np.ndarray, a: np.ndarray, b: np.ndarray, labels: tuple[str, str]) -> Plane:
    """Gram-Schmidt. Raises FlowError where a and b span no plane."""
    length = float(np.linalg.norm(a))
    first = a / length if length > 0 else a
    rest = b - (b @ first) * first
    if not np.isfinite(rest).all():
        raise FlowError("The points of the plane are not finite.", fix="Choose other positions.")
    if length == 0 or np.linalg.norm(rest) <= COLLINEAR * np.linalg.norm(b):
        raise FlowError(
            "The three points lie on one line, so that no plane is fixed by them.",
            fix="Choose another normal or another defect.",
        )
    rest -= (rest @ first) * first  # once more: the first pass leaves rounding where a and b are nearly parallel
    return Plane(centre, first, rest / np.linalg.norm(rest), labels)
