"""Features in the plane by UMAP, fitted once with all other points placed afterwards. NumPy, no torch.

UMAP is imported inside functions: its first import on a machine compiles for half a minute and more, later ones take
a second or two, and every new process compiles for some 8 s more.

Sources: [UMAP] McInnes, Healy, Melville (2018), arXiv 1802.03426; start from principal axes: [KL] Kobak, Linderman,
"Initialization is critical for preserving global data structure in both t-SNE and UMAP", Nature Biotechnology 39
(2021).
"""

import re
import warnings
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from scipy.spatial.distance import cdist

from wtflow.errors import FlowError, SettingsError
from wtflow.records.flow import Projection
from wtflow.studies.pca import refuse_non_finite

Tell = Callable[[str, float, str], None]
"""Takes a stage, the share of it that is done, and how far it is in words, empty where nothing can be counted."""

METRICS: Final = ("euclidean", "cosine", "manhattan", "correlation")
NEIGHBOURS: Final = (2, 200)
"""Smallest and largest n_neighbors: one neighbour gives no graph, more than 200 only cost time."""

PLACE_CHUNK: Final = 2000
"""Points placed at once, with progress between. Fixed, because a chunk's points are moved together: another size
gives other numbers.
"""

NEAR_CHUNK: Final = 256
"""Points whose distances to all others are held at once."""


def project_umap(
    x: np.ndarray,
    t: float,
    fit_rows: np.ndarray,
    *,
    n_neighbors: int,
    min_dist: float,
    metric: str,
    seed: int,
    tell: Tell,
) -> Projection:
    """x (N, d), the features at time t, in one UMAP of S = 1 time: fitted on the rows `fit_rows` (F,), the rest placed.

    The same numbers for the same seed: everything runs on one thread. `tell` gets a stage of `umap_clock.STAGES`, the
    share of it that is done, and how far it is in words: before UMAP is loaded and compiled (silent, see the top of
    this module), after each chunk of neighbours, some times a second while the fit's epochs run, and after each chunk
    of points placed. An error that it raises comes out of this function.

    UMAP preserves which points are near each other. It does not preserve distances between groups, their sizes and
    densities, or straight paths.

    Raises SettingsError for a metric, n_neighbors or min_dist out of range; FlowError for fewer than n_neighbors + 1
    points to fit, values that are not finite, or equal points. Source: [UMAP], started from principal axes as in [KL].
    """
    _check_settings(n_neighbors, min_dist, metric)
    n, d = x.shape
    fit_rows = np.unique(np.asarray(fit_rows, dtype=np.int64))
    if fit_rows.size and not (fit_rows[0] >= 0 and fit_rows[-1] < n):
        raise FlowError(
            f"The rows to fit reach from {fit_rows[0]} to {fit_rows[-1]}, but there are {n} points.",
            fix="Give rows below that.",
        )
    fitted = np.ascontiguousarray(x[fit_rows], dtype=np.float32)
    if len(fitted) < n_neighbors + 1:
        raise FlowError(
            f"UMAP with {n_neighbors} neighbours needs at least {n_neighbors + 1} points to fit, found {len(fitted)}.",
            fix="Choose more images or positions, or fewer neighbours.",
        )
    if d < 2:
        raise FlowError(
            "UMAP needs features of at least two channels, found 1.",
            fix="Choose a backbone or stage with more channels.",
        )
    refuse_non_finite(x)
    if (fitted == fitted[0]).all():
        raise FlowError(
            "All points to fit are equal: there is nothing to lay out.", fix="Choose positions of different images."
        )

    tell("load", 0.0, "")
    umap = _load_umap()
    others = np.setdiff1d(np.arange(n), fit_rows)
    index = _ExactNeighbours(fitted, metric)
    near, distances = index.all_neighbours(n_neighbors, lambda share: tell("near", share, ""))
    tell("compile", 0.0, "")

    # Bars of tqdm written to the ticker are the one sign of life that the fit gives. miniters=1 keeps tqdm's monitor
    # thread from writing: an error raised there would be lost.
    ticker = _Ticker(lambda done, total: tell("epochs", done / total, f"epoch {done} of {total}"))
    bars = {
        "file": ticker,
        "disable": False,
        "bar_format": "{n_fmt}/{total_fmt}",
        "mininterval": 0.2,
        "miniters": 1,
        "leave": False,
    }
    model = umap.UMAP(
        n_neighbors=n_neighbors,
        min_dist=min_dist,
        metric=metric,
        random_state=seed,
        transform_seed=seed,
        n_jobs=1,
        init="pca",
        precomputed_knn=(near, distances, index),
        force_approximation_algorithm=True,  # below 4,096 points it would otherwise compute its own distances, slowly
        disconnection_distance=np.inf,  # a point far from all others belongs on the map too
        tqdm_kwds=bars,
    )
    points = np.empty((n, 2), np.float32)
    with warnings.catch_warnings():
        # It takes our index for none; `transform` works with it all the same, and a test holds it to that.
        warnings.filterwarnings("ignore", message="precomputed_knn", category=UserWarning)
        points[fit_rows] = model.fit_transform(fitted)
    ticker.is_silent = True
    rest = [others[i : i + PLACE_CHUNK] for i in range(0, others.size, PLACE_CHUNK)]
    for done, rows in enumerate(rest, start=1):
        points[rows] = model.transform(np.ascontiguousarray(x[rows], dtype=np.float32))
        tell("place", done / len(rest), "")
    return Projection("umap", np.array([t], np.float32), points[None], len(fitted))


class _ExactNeighbours:
    """Nearest neighbours by comparing all with all, with the interface that UMAP expects of its index.

    UMAP's own index compiles for over half a minute in every new process. Up to some 20,000 points this one is quicker,
    and it is exact and reports its progress.
    """

    _angular_trees = False  # UMAP reads this to choose how hard to search

    def __init__(self, points: np.ndarray, metric: str) -> None:
        self.metric = metric
        self.centre = points.mean(0) if metric == "euclidean" else None
        self.points = self._prepared(points)
        self.squares = np.square(self.points).sum(1)

    def all_neighbours(self, k: int, progress: Callable[[float], None]) -> tuple[np.ndarray, np.ndarray]:
        """Indices int32 (F, k) and distances float32 (F, k), nearest first, each point itself in front."""
        indices, distances = np.empty((len(self.points), k), np.int32), np.empty((len(self.points), k), np.float32)
        for i in range(0, len(self.points), NEAR_CHUNK):
            own = np.arange(i, min(i + NEAR_CHUNK, len(self.points)))
            indices[own], distances[own] = self._nearest(self.points[own], k, own)
            progress(float(own[-1] + 1) / len(self.points))
        return indices, distances

    def query(self, x: np.ndarray, k: int, epsilon: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """The same for other points x (M, d). `epsilon`, how far UMAP would let an approximate search
        err, has no use here.
        """
        prepared = self._prepared(x)
        found = [self._nearest(prepared[i : i + NEAR_CHUNK], k, None) for i in range(0, len(x), NEAR_CHUNK)]
        return np.concatenate([f[0] for f in found]), np.concatenate([f[1] for f in found])

    def _prepared(self, x: np.ndarray) -> np.ndarray:
        """x so that the metric becomes a plain distance: angles are distances on the unit sphere;
        a zero vector stays zero.
        """
        if self.metric == "manhattan":
            return x
        if self.metric == "euclidean":
            return x - self.centre  # rounding in |x|^2 + |y|^2 - 2xy grows with the distance from the origin
        if self.metric == "correlation":
            x = x - x.mean(1, keepdims=True)
        return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)

    def _nearest(self, x: np.ndarray, k: int, own: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        if self.metric == "manhattan":
            far = cdist(x, self.points, "cityblock").astype(np.float32)
        else:
            far = self.squares - 2 * (x @ self.points.T)  # orders as the distance does
        if own is not None:
            far[np.arange(len(own)), own] = -np.inf
        rough = np.argpartition(far, k - 1, axis=1)[:, :k]
        if self.metric == "manhattan":
            exact = np.maximum(np.take_along_axis(far, rough, 1), 0)
        else:
            exact = np.square(x[:, None] - self.points[rough]).sum(2)
            exact = np.sqrt(exact) if self.metric == "euclidean" else exact / 2  # 1 - cosine is half the squared chord
        key = exact if own is None else np.where(rough == own[:, None], -1, exact)
        order = np.argsort(key, axis=1, kind="stable")
        return np.take_along_axis(rough, order, 1).astype(np.int32), np.take_along_axis(exact, order, 1).astype(
            np.float32
        )


class _Ticker:
    """A file for tqdm that turns the text of its bars, such as 20/500, into epochs done and in all."""

    def __init__(self, progress: Callable[[int, int], None]) -> None:
        self.progress, self.is_silent = progress, False

    def write(self, text: str) -> int:
        found = re.search(r"(\d+)/(\d+)", text)
        if found and not self.is_silent:
            self.is_silent = True  # tqdm writes once more while an error passes through it
            self.progress(int(found[1]), max(int(found[2]), 1))
            self.is_silent = False
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""


def _load_umap() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", ImportWarning
        )  # it misses TensorFlow, which only a part that is not used here needs
        import umap
    return umap


def _check_settings(n_neighbors: int, min_dist: float, metric: str) -> None:
    if metric not in METRICS:
        raise SettingsError(f"{metric!r} is no distance for UMAP.", fix=f"Choose one of {', '.join(METRICS)}.")
    if not NEIGHBOURS[0] <= n_neighbors <= NEIGHBOURS[1]:
        raise SettingsError(
            f"n_neighbors is {n_neighbors}.", fix=f"Choose a number from {NEIGHBOURS[0]} to {NEIGHBOURS[1]}."
        )
    if not 0 <= min_dist <= 1:
        raise SettingsError(f"min_dist is {min_dist}.", fix="Choose a number from 0 to 1.")
