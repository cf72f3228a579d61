"""An exported graph compared with the app on the run's own test images: scores, maps, order and verdicts.

In float32, as the graph computes, both must agree within `TOLERANCE`. The app's own precision, which may round to
bfloat16, is compared as well, and said apart. Imports torch.
"""

import runpy
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from wtflow.detector.record import OpenedDetector
from wtflow.detector.score import pixel_maps, score_images
from wtflow.errors import ExportError, ImageReadError
from wtflow.machine.places import ASSETS
from wtflow.numbers import count, percent, score
from wtflow.records.spacing import spaced
from wtflow.results import RunResults, ScoreRow, each_image

N_IMAGES = 32
TOLERANCE = 2e-3
"""Largest difference, as a share of the threshold's distance from 0 or of the score itself, whichever is larger."""
LEAST_RANK = 0.999
AT_ONCE = 4
SCRIPT = ASSETS / "run_onnx.py"
"""Is written beside every graph."""

Found = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, slots=True)
class Parity:
    """The graph against the app in one precision."""

    precision: str
    score_difference: float
    """The largest one, in score units."""
    score_share: float
    """The same as a share of the larger of score and threshold."""
    map_difference: float
    map_share: float
    """The largest difference of a pixel, as a share of the highest pixel of its image."""
    rank_correlation: float
    """Spearman's, of the scores."""
    verdicts_that_differ: tuple[str, ...]
    """Images; a difference counts only where the score is not as close to the threshold as the tolerance."""

    @property
    def is_equal(self) -> bool:
        """Within the tolerance."""
        is_close = max(self.score_share, self.map_share) <= TOLERANCE
        return is_close and self.rank_correlation >= LEAST_RANK and not self.verdicts_that_differ


@dataclass(frozen=True, slots=True)
class Check:
    """What a check found."""

    n_images: int
    n_by_type: dict[str, int]
    runtime: str
    full: Parity
    own: Parity
    script_pixels: float
    """Largest difference between pixels as the script beside the graph reads them and as the app does; 0 to 1."""
    tolerance: float = TOLERANCE

    @property
    def is_equal(self) -> bool:
        """Within the tolerance, in float32."""
        return self.full.is_equal

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"is_equal": self.is_equal, "least_rank_correlation": LEAST_RANK}

    @property
    def lines(self) -> tuple[str, ...]:
        """For a person."""
        verdict = "agree" if self.is_equal else "do NOT agree"
        said = f"Graph ({self.runtime}) and app {verdict} on {count(self.n_images, 'test image')}"
        return (
            f"{said} within {percent(self.tolerance)}:",
            *(_line(one) for one in (self.full, self.own)),
            f"the script beside the graph reads pixels to within {self.script_pixels:.2g} of the app's",
        )


def check_graph(opened: OpenedDetector, results: RunResults, path: Path, progress: Callable[[int, int], None]) -> Check:
    """The graph in the file `path` against the detector that it was made of, on test images of its run, evenly over
    the types. Raises ExportError where none of them can be read any more.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    full = in_float32(opened)
    chosen, images = images_to_check(results)
    names = [image.defect for image in chosen]
    found: list[list[np.ndarray]] = [[] for _ in range(6)]
    for first in range(0, len(images), AT_ONCE):
        part = np.stack(images[first : first + AT_ONCE])
        of_graph = session.run(None, {"pixels": part})
        of_full, of_own = score_images(full, part), score_images(opened, part)
        parts = (*of_graph, of_full.scores, pixel_maps(full, of_full), of_own.scores, pixel_maps(opened, of_own))
        for kept, values in zip(found, parts, strict=True):
            kept.append(np.asarray(values))
        progress(min(first + AT_ONCE, len(images)), len(images))
    scores, maps, full_scores, full_maps, own_scores, own_maps = (np.concatenate(parts) for parts in found)
    threshold, ids = opened.threshold.value, [image.sample_id for image in chosen]
    return Check(
        len(images),
        {name: names.count(name) for name in sorted(set(names))},
        f"ONNX Runtime {onnxruntime.__version__}",
        compared("float32", (scores, maps), (full_scores, full_maps), threshold, ids),
        compared("the app's own precision", (scores, maps), (own_scores, own_maps), threshold, ids),
        _difference_of_script(chosen, images),
    )


def in_float32(opened: OpenedDetector) -> OpenedDetector:
    """The same detector, rounding nothing that a graph does not round."""
    settings = opened.detector.settings.model_copy(update={"precision": "full"})
    plain = opened.detector.scoring_as(settings, opened.detector.edges, opened.detector.whole)
    return replace(opened, detector=plain)


def images_to_check(results: RunResults) -> tuple[list[ScoreRow], list[np.ndarray]]:
    """At most `N_IMAGES` test images and what the app makes of them, of each type as large a share as of all. Raises
    ExportError where none can be read.
    """
    rows = list(each_image(results.test.sort_values(["defect", "sample_id"])))
    chosen, images, last = [], [], ""
    for at in spaced(len(rows), N_IMAGES) if rows else ():
        try:
            images.append(results.seen.original(rows[int(at)].sample_id, results.shape))
            chosen.append(rows[int(at)])
        except ImageReadError as error:
            last = error.message
    if not images:
        raise ExportError(
            f"There is no test image to compare the graph with the app on. {last}".rstrip(),
            fix="Put the images back, or tell the run where they are: python -m wtflow relocate RUN NEW_ROOT.",
        )
    return chosen, images


def compared(precision: str, graph: Found, app: Found, threshold: float, ids: list[str]) -> Parity:
    """Scores (N,) and maps (N, H, W) of both."""
    (scores, maps), (expected, expected_maps) = graph, app
    apart, unit = np.abs(scores - expected), np.maximum(np.abs(expected), abs(threshold))
    pixels = np.abs(maps - expected_maps).max((1, 2))
    highest = np.maximum(np.abs(expected_maps).max((1, 2)), 1e-12)
    is_clear = np.abs(expected - threshold) > TOLERANCE * unit
    differ = ((scores >= threshold) != (expected >= threshold)) & is_clear
    return Parity(
        precision,
        float(apart.max()),
        float((apart / np.maximum(unit, 1e-12)).max()),
        float(pixels.max()),
        float((pixels / highest).max()),
        rank_correlation(scores, expected),
        tuple(name for name, is_other in zip(ids, differ, strict=True) if is_other),
    )


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's: Pearson's of the ranks, equal values sharing theirs; 1 where either does not vary."""
    ranks = [np.unique(one, return_inverse=True) for one in (a, b)]
    means = []
    for _, inverse in ranks:
        counts = np.bincount(inverse)
        means.append((np.cumsum(counts) - (counts + 1) / 2)[inverse])
    x, y = (one - one.mean() for one in means)
    size = float(np.sqrt((x**2).sum() * (y**2).sum()))
    return float((x * y).sum() / size) if size else 1.0


def _difference_of_script(chosen: list[ScoreRow], images: list[np.ndarray]) -> float:
    """How far pixels as the script reads them are from the app's, at most."""
    namespace = runpy.run_path(str(SCRIPT), run_name="script")
    height, width = images[0].shape[:2]
    read = [namespace["pixels_of"](image.path, width, height) for image in chosen]
    return max(float(np.abs(one - mine).max()) for one, mine in zip(read, images, strict=True))


def _line(found: Parity) -> str:
    differ, verb = found.verdicts_that_differ, "differs" if len(found.verdicts_that_differ) == 1 else "differ"
    named = f" ({', '.join(differ[:3])})" if differ else ""
    return (
        f"  in {found.precision}: scores differ by at most {score(found.score_difference)}"
        f" ({percent(found.score_share)}), maps by {score(found.map_difference)} ({percent(found.map_share)});"
        f" rank correlation {found.rank_correlation:.6f}; {count(len(differ), 'verdict')} {verb}{named}"
    )
