"""A detector's graph compared with torch on this computer: is it equal, and how fast is it? Imports torch."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Final, NamedTuple

import numpy as np

from wtflow.detector.record import OpenedDetector
from wtflow.detector.score import Found, pixel_maps, score_images
from wtflow.export.onnx.check import compared, in_float32
from wtflow.inspecting.runtimes.installed import version_of
from wtflow.machine.prefetch import prepared_ahead
from wtflow.machine.processor import load
from wtflow.machine.progress import Progress
from wtflow.machine.turns import interleaved
from wtflow.records.runtimes import Measured, Runtime

REPEATS: Final = 5
"""Of each timing; one more goes before them unmeasured."""
PORTIONS_EACH: Final = 2
"""Portions that every core scores in a repeat."""

Network = Callable[[np.ndarray], Found]
"""Images (B, H, W, 3) float32 -> what a detector says of them."""


class Candidate(NamedTuple):
    """A runtime that has opened the graph."""

    network: Network
    opening_s: float


def measure(
    opened: OpenedDetector,
    candidates: Mapping[Runtime, Candidate],
    names: Sequence[str],
    images: np.ndarray,
    n_each: int,
    n_threads: int,
    progress: Progress,
) -> list[Measured]:
    """Every candidate compared with torch on images (N, H, W, 3), which have these names, and timed in turn with it as
    an inspection works: n_threads portions of n_each images at once. progress: images done of all, and may raise to
    stop. Raises what the networks raise.
    """
    n_timed = PORTIONS_EACH * n_threads * n_each * (REPEATS + 1) * (1 + len(candidates))
    n_all, n_done = len(images) + n_timed, 0

    def count(n: int) -> None:
        nonlocal n_done
        n_done += n
        progress(n_done, n_all)

    full, networks = in_float32(opened), {name: one.network for name, one in candidates.items()}
    ways = {"full": lambda part: score_images(full, part), "own": torch_of(opened), **networks}
    by_way = _scored(opened, ways, images, n_each, count)
    load_before = load()
    portion = np.resize(images, (n_each, *images.shape[1:]))
    rates = _rates({"torch": torch_of(opened), **networks}, portion, n_threads, count)
    threshold = opened.threshold.value
    measured = []
    for name, one in candidates.items():
        in_full = compared("float32", by_way[name], by_way["full"], threshold, list(names))
        in_own = compared("own", by_way[name], by_way["own"], threshold, list(names))
        differ = {*in_full.verdicts_that_differ, *in_own.verdicts_that_differ}
        measured.append(
            Measured(
                runtime=name,
                version=version_of(name),
                n_checked=len(images),
                score_share=in_full.score_share,
                map_share=in_full.map_share,
                rank_correlation=in_full.rank_correlation,
                n_verdicts_differ=len(differ),
                is_equal=in_full.is_equal and not differ,
                torch_per_second=round(rates["torch"], 3),
                per_second=round(rates[name], 3),
                opening_s=round(one.opening_s, 3),
                load=round(load_before, 2),
            )
        )
    return measured


def _scored(
    opened: OpenedDetector, ways: Mapping[str, Network], images: np.ndarray, n_each: int, count: Callable[[int], None]
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Scores (N,) and pixel maps (N, H, W) by each way."""
    found: dict[str, list[Found]] = {name: [] for name in ways}
    for first in range(0, len(images), n_each):
        part = images[first : first + n_each]
        for name, network in ways.items():
            found[name].append(network(part))
        count(len(part))
    return {
        name: (
            np.concatenate([one.scores for one in parts]),
            np.concatenate([pixel_maps(opened, one) for one in parts]),
        )
        for name, parts in found.items()
    }


def _rates(
    networks: Mapping[str, Network], portion: np.ndarray, n_threads: int, count: Callable[[int], None]
) -> dict[str, float]:
    """Images a second by each network, in turn: n_threads portions at once."""
    portions = [portion] * (PORTIONS_EACH * n_threads)
    n_images = len(portions) * len(portion)

    def timed(network: Network) -> Callable[[], None]:
        def run() -> None:
            with closing(prepared_ahead(network, portions, n_threads if n_threads > 1 else 0)) as done:
                for _ in done:
                    pass
            count(n_images)

        return run

    seconds = interleaved({name: timed(network) for name, network in networks.items()}, REPEATS)
    return {name: n_images / statistics.median(values) for name, values in seconds.items()}


def torch_of(opened: OpenedDetector) -> Network:
    return lambda part: score_images(opened, part)
