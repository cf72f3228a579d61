"""From features to scores and metrics, image by image, against the backbone."""

import numpy as np

from wtflow.bench.figures import Figure, interleaved, milliseconds
from wtflow.bench.workshop import Workshop
from wtflow.datasets.masks.shrink import truth_of_mask
from wtflow.features.extract import BATCH
from wtflow.metrics import PixelMetrics
from wtflow.scoring.pixels import image_scores, upsample


def measure(shop: Workshop) -> list[Figure]:
    """Milliseconds per image of the detector's maps, of bringing them to pixels, of image scores
    and of pixel metrics.
    """
    settings, detector, features = shop.settings, shop.training[1], shop.features
    maps = detector.maps(features).after
    pixel_maps = upsample(maps, settings.image_size, settings.score)
    mask = np.zeros(pixel_maps.shape[1:], bool)
    mask[: len(mask) // 8, : len(mask) // 8] = True
    truth, metrics = truth_of_mask(mask, mask.shape), PixelMetrics()

    def count() -> None:
        for pixel_map in pixel_maps:
            metrics.add(pixel_map, truth)

    bare = shop.bare_backbone(BATCH)
    seconds = interleaved(
        {
            "bare": bare,
            f"maps: normalise, {settings.steps} {settings.solver} steps, score": lambda: detector.maps(features),
            f"upsample {maps.shape[1]} to {settings.image_size} px": lambda: upsample(
                maps, settings.image_size, settings.score
            ),
            "image score from the highest pixels": lambda: image_scores(pixel_maps, settings.top_fraction),
            "count pixels for pixel metrics": count,
        },
        shop.sizes.repeats,
    )
    floor = milliseconds(seconds.pop("bare"), BATCH)
    return [
        Figure(
            "scoring", name, "ms/image", milliseconds(values, len(features)), f"the bare network, {BATCH} images", floor
        )
        for name, values in seconds.items()
    ]
