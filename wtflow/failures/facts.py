"""Facts of a run's test images that explain its failures. Images and masks are read one by one. No torch."""

import copy

import numpy as np

from wtflow.errors import ImageReadError
from wtflow.failures.regions import border_distance, contrast, mask_centre
from wtflow.machine.progress import Progress
from wtflow.metrics import PixelMetrics
from wtflow.pictures import picture_at
from wtflow.records.coverage import covered_share
from wtflow.records.failures import ImageFacts
from wtflow.records.truth import Truth, normal_truth
from wtflow.results import RunResults, ScoreRow, each_image, pixel_map, truth_of, why_left_out

_MEASURED = ("area", "contrast", "border", "n_regions", "peak_on_defect")


def compute_facts(results: RunResults, progress: Progress) -> ImageFacts:
    """Facts of all test images. `progress(done, total)` counts images and may raise to stop. Only the
    contrast needs the image itself.
    """
    test = results.test.reset_index(drop=True)
    found = {name: np.full(len(test), np.nan) for name in _MEASURED}
    problem, done = np.full(len(test), "", object), 0
    normal_pixels, aupro = PixelMetrics(), {}
    for image in each_image(test[~test.is_defective]):
        values = pixel_map(results, int(image.row))
        normal_pixels.add(values, normal_truth(values.shape))
        done += 1
        progress(done, len(test))
    for defect, own in test[test.is_defective].groupby("defect"):
        pixels = copy.deepcopy(normal_pixels)
        for at, image in zip(own.index.to_list(), each_image(own), strict=True):
            try:
                measured, truth = _measure(results, image)
            except ImageReadError as error:
                problem[at] = error.message
            else:
                for name, value in measured.items():
                    found[name][at] = value
                if truth is None:
                    problem[at] = why_left_out(results, image)
                else:
                    pixels.add(pixel_map(results, int(image.row)), truth)
            done += 1
            progress(done, len(test))
        aupro[str(defect)] = pixels.result()["aupro"]
    height, width = results.maps.shape[1:]
    peak = [
        border_distance(row + 0.5, column + 0.5, (height, width))
        for row, column in zip(test.peak_row, test.peak_column, strict=True)
    ]
    return ImageFacts(
        row=test.row.to_numpy(np.int64),
        peak_border=np.array(peak, float),
        problem=problem.astype(str),
        aupro=aupro,
        **found,
    )


def _measure(results: RunResults, image: ScoreRow) -> tuple[dict[str, float], Truth | None]:
    truth = truth_of(results, image)
    if truth is None:
        return {}, None
    defect = truth.defect
    share = covered_share(defect, results.maps.shape[1:])
    rows, columns = (slice(max(at - 1, 0), at + 2) for at in (image.peak_row, image.peak_column))
    return {
        "area": float(defect.mean()),
        "contrast": _contrast(results, image, truth),
        "border": border_distance(*mask_centre(defect), truth.shape),
        "n_regions": float(truth.n_regions),
        "peak_on_defect": float(share[rows, columns].max() > 0),
    }, truth


def _contrast(results: RunResults, image: ScoreRow, truth: Truth) -> float:
    """NaN where nothing is left of the image as it was scored; the other facts come from map and mask."""
    try:
        return contrast(picture_at(results, image), truth.mask, truth.ignored)
    except ImageReadError:
        return float("nan")
