"""Feature extraction from files to the cache, against the bare backbone."""

from itertools import count

from wtflow.bench.figures import Figure, Target, interleaved, milliseconds, per_second
from wtflow.bench.workshop import Workshop
from wtflow.features.extract import BATCH, get_features
from wtflow.store.features import FeatureCache


def measure(shop: Workshop) -> list[Figure]:
    """Images per second through `get_features`, and one batch through `Backbone.compute`."""
    backbone, images, bare = shop.backbone, shop.images, shop.bare_backbone(BATCH)
    samples, hashes = shop.data.train, shop.data.train_hashes
    n_batches = -(-len(samples) // BATCH)
    homes = (shop.folder / f"features_{i}" for i in count())

    def extract() -> None:
        cache = FeatureCache(next(homes))
        get_features(backbone, samples, hashes, cache, lambda done, total: None)
        cache.clear()

    def bare_all() -> None:
        for _ in range(n_batches):
            bare()

    whole = interleaved({"bare": bare_all, "extract": extract}, shop.sizes.repeats)
    batch = interleaved({"bare": bare, "compute": lambda: backbone.compute(images)}, shop.sizes.repeats)
    floor = f"the bare network, batches of {BATCH} in memory"
    return [
        Figure(
            "features",
            f"read, decode, compute and store {shop.settings.image_size} px files",
            "images/s",
            per_second(whole["extract"], len(samples)),
            floor,
            per_second(whole["bare"], n_batches * BATCH),
            Target("ratio", "at least", 0.9),
        ),
        Figure(
            "features",
            "Backbone.compute: normalise, network, average, join, halve",
            "ms/image",
            milliseconds(batch["compute"], len(images)),
            floor,
            milliseconds(batch["bare"], BATCH),
        ),
    ]
