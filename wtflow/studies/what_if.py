"""Paint on an image of a run and score it again. Imports torch; on one thread, like all work that a page starts."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from wtflow.detector.networks import backbone_of, open_detector
from wtflow.errors import RunNotFoundError, SettingsError
from wtflow.flow.integrate import integrate_saved
from wtflow.machine.progress import one_thread
from wtflow.records.shapes import at_once
from wtflow.records.what_if import PaintedNorms, Sweep, WhatIf
from wtflow.results import RunResults, ScoreRow, find_sample, image_of_row, open_results, pixel_map
from wtflow.scoring.detector import Detector
from wtflow.scoring.pixels import scores_of, upsample
from wtflow.store import derived
from wtflow.store.runs import RunStore
from wtflow.store.what_ifs import read_sweep, write_sweep
from wtflow.studies.paint import Kind, Stroke, apply_strokes

SWEPT = ("dark", "bright", "blur", "noise")
"""Kinds of spots whose strength can be swept; erasing has none, and pasting needs a place to paste from."""
MOST_SPOTS = 100
BATCH = 4
"""Images per forward pass of a sweep: progress moves about twice a second."""


def compute_what_if(store: RunStore, run_id: str, row: int, strokes: Sequence[Stroke], seed: int = 0) -> WhatIf:
    """Map, score and painted positions' norms of scored image `row`, before and after the strokes.

    "Before" is what the run has stored, never a recomputation; strokes that change no pixel give it back after, too.
    Recomputing is another matter. On one CPU with the weights of the training the map came out equal to the last bit on
    36 images of three demo runs, whether alone or in a batch of 8, on one thread or two; a run trained on a GPU
    (bfloat16), or with another release of the libraries, need not do so. `recomputed_difference` measures it for this
    image on this computer. Raises RunNotFoundError for a row that the run does not have, ImageReadError when an image
    is gone, ImageChangedError when it is not the one that was scored, SettingsError for strokes.
    """
    stamp = derived.fingerprint(store, run_id, {})
    return _what_if(store.home, run_id, stamp, row, tuple(strokes), seed)


def strength_sweep(
    store: RunStore,
    run_id: str,
    row: int,
    kind: Kind,
    centre: tuple[float, float],
    radii: Sequence[float],
    strengths: Sequence[float],
    progress: Callable[[int, int], None] | None = None,
    seed: int = 0,
) -> Sweep:
    """Scores of image `row` with one spot of every size and strength at `centre` (x, y);
    read where it was computed before.

    The spots are dabs on the unpainted image. `progress(done, total)` counts images. Raises SettingsError for a kind
    that cannot be swept or too many spots, otherwise as `compute_what_if`.
    """
    total = len(radii) * len(strengths)
    if kind not in SWEPT or not 1 <= total <= MOST_SPOTS:
        raise SettingsError(
            f"Cannot sweep {total} spots of {str(kind)[:40]!r}.",
            fix=f"Sweep 1 to {MOST_SPOTS} spots of {', '.join(SWEPT)}.",
        )
    strengths = sorted(strengths)
    strokes = [
        Stroke(kind, (tuple(centre),), float(radius), float(strength)) for radius in radii for strength in strengths
    ]
    if (known := read_sweep(store, run_id, row, kind, centre, radii, strengths)) is not None:
        return known
    results = open_results(store, run_id)
    scored = _scored(results, row)
    settings = results.settings
    image = results.seen.original(scored.sample_id, results.shape)
    scores: list[float] = []
    with one_thread():
        detector, backbone = open_detector(store, run_id), backbone_of(store, run_id)
        n = at_once(BATCH, settings.image_size, results.shape)
        for first in range(0, total, n):
            painted = np.stack([apply_strokes(image, [stroke], seed, {})[0] for stroke in strokes[first : first + n]])
            found = detector.maps(backbone.compute(painted))
            pixel_maps = upsample(found.after, results.shape, settings.score)
            scores += scores_of(pixel_maps, found.whole, settings.top_fraction).tolist()
            if progress is not None:
                progress(len(scores), total)
    sweep = Sweep(
        scored.sample_id,
        kind,
        (float(centre[0]), float(centre[1])),
        tuple(map(float, radii)),
        tuple(strengths),
        np.array(scores).reshape(len(radii), len(strengths)),
        float(scored.score),
    )
    write_sweep(store, run_id, row, sweep)
    return sweep


# -- parts -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Unpainted:
    """What every painting of one image needs. norms: float64 (T, h, w) at the saved times t (T,)."""

    scored: ScoreRow
    results: RunResults
    image: np.ndarray
    t: np.ndarray
    norms: np.ndarray
    n_channels: int
    recomputed_difference: float


@functools.lru_cache(maxsize=8)
def _what_if(home: Path, run_id: str, stamp: str, row: int, strokes: tuple[Stroke, ...], seed: int) -> WhatIf:
    """`stamp` changes with the run's files. A page that runs again for another reason finds its answer here."""
    store = RunStore(home)
    with one_thread():
        before = _unpainted(home, run_id, stamp, row)
        settings, stored = before.results.settings, np.asarray(before.results.maps[row])
        painted, mask = apply_strokes(before.image, strokes, seed, _sources(before.results, strokes))
        is_painted = _painted_positions(mask, stored.shape)
        pixels = pixel_map(before.results, row)
        grid_after, pixel_after, score_after, norms_after = (
            stored,
            pixels,
            float(before.scored.score),
            before.norms[:, is_painted],
        )
        if (painted != before.image).any():
            detector = open_detector(store, run_id)
            features = backbone_of(store, run_id).compute(painted[None])
            found = detector.maps(features)
            pixel_maps = upsample(found.after, before.results.shape, settings.score)
            grid_after, pixel_after = found.after[0], pixel_maps[0]
            score_after = float(scores_of(pixel_maps, found.whole, settings.top_fraction)[0])
            norms_after = _norms(detector, features, is_painted)[1]
    return WhatIf(
        sample_id=before.scored.sample_id,
        row=row,
        image=before.image,
        painted=painted,
        mask=mask,
        score_before=float(before.scored.score),
        score_after=score_after,
        pixel_before=pixels,
        pixel_after=pixel_after,
        grid_before=stored,
        grid_after=grid_after,
        is_painted_position=is_painted,
        t=before.t,
        norms_before=_summary(before.norms[:, is_painted]),
        norms_after=_summary(norms_after),
        n_channels=before.n_channels,
        recomputed_difference=before.recomputed_difference,
    )


@functools.lru_cache(maxsize=4)
def _unpainted(home: Path, run_id: str, stamp: str, row: int) -> _Unpainted:
    store = RunStore(home)
    results = open_results(store, run_id)
    scored = _scored(results, row)
    image = results.seen.original(scored.sample_id, results.shape)
    image.flags.writeable = False
    detector = open_detector(store, run_id)
    features = backbone_of(store, run_id).compute(image[None].copy())  # torch wants arrays that it may write to
    maps = detector.maps(features).after
    t, norms = _norms(detector, features, np.ones(maps.shape[1:], bool))
    difference = float(np.abs(maps[0] - results.maps[row]).max())
    return _Unpainted(
        scored, results, image, t, norms.reshape(len(t), *maps.shape[1:]), detector.normaliser.channels, difference
    )


def _scored(results: RunResults, row: int) -> ScoreRow:
    """The image of a row of the score table. Raises RunNotFoundError."""
    if not (results.table.row == row).any():
        raise RunNotFoundError(
            f"Run {results.run_id} has no image row {row}: it has {len(results.table)}.",
            fix="Choose an image from the gallery.",
        )
    return image_of_row(results.table, row)


def _sources(results: RunResults, strokes: Sequence[Stroke]) -> dict[str, np.ndarray]:
    """The images that strokes paste from: only images that the run itself has scored."""
    keys = {stroke.source.key for stroke in strokes if stroke.source}
    return {key: results.seen.original(find_sample(results, key).sample_id, results.shape) for key in sorted(keys)}


def _painted_positions(mask: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """bool (h, w): grid positions whose cell of the image holds a painted pixel."""
    rows, columns = np.nonzero(mask)
    found = np.zeros(shape, bool)
    found[rows * shape[0] // mask.shape[0], columns * shape[1] // mask.shape[1]] = True
    return found


def _norms(detector: Detector, features: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Saved times (T,) and norms (T, P) of the wanted positions (bool (h, w)) of one image's features."""
    settings = detector.settings
    with torch.inference_mode():
        x = detector.start(features)
        where = torch.from_numpy(wanted).to(x.device)
        if not wanted.any():
            return np.linspace(0, 1, settings.steps + 1), np.zeros((settings.steps + 1, 0))
        if settings.network == "mlp":  # each position travels alone: no need to move the others
            t, path = integrate_saved(detector.velocity, x[0, where][None, None], settings.steps, settings.solver)
            path = path[:, 0, 0]
        else:
            t, path = integrate_saved(detector.velocity, x, settings.steps, settings.solver)
            path = path[:, 0, where]
        return t.cpu().numpy(), path.double().square().sum(-1).sqrt().cpu().numpy()


def _summary(norms: np.ndarray) -> PaintedNorms:
    """norms: (T, P)."""
    if not norms.shape[1]:
        return PaintedNorms(np.zeros(0), np.zeros(0))
    return PaintedNorms(np.median(norms, axis=1), norms.max(axis=1))
