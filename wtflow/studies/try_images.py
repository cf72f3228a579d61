"""Images that a person brings, scored by a finished run. Imports torch.

On one thread: a page must not compete with a training worker for the cores.
"""

from collections.abc import Callable

import numpy as np

from wtflow.datasets.images import load_image_bytes
from wtflow.detector.networks import backbone_of, open_detector
from wtflow.errors import DatasetError, WTFlowError
from wtflow.features.backbone import Backbone
from wtflow.machine.progress import one_thread
from wtflow.records.core import Tried
from wtflow.records.shapes import shape_of
from wtflow.scoring.detector import Detector
from wtflow.scoring.pixels import scores_of, upsample
from wtflow.store.runs import RunStore

N_NEAREST = 3
LARGEST_TRY = 64
"""Images scored in one go; more are a data set and belong in a run."""


def try_images(
    store: RunStore, run_id: str, files: list[tuple[str, bytes]], progress: Callable[[int, int], None] | None = None
) -> list[Tried]:
    """Score, map and nearest training normals of images a person brings, with the run's own backbone and flow.

    One image that cannot be read does not stop the others: its `problem` gives the reason. Raises DatasetError for more
    than LARGEST_TRY images, WTFlowError when the run itself cannot be opened.
    """
    if len(files) > LARGEST_TRY:
        raise DatasetError(
            f"{len(files)} images at once are too many; {LARGEST_TRY} are the most.",
            fix="Try fewer, or train a run with them as test images.",
        )
    settings = store.config(run_id).settings
    shape = shape_of(store.canvas(run_id) or settings.image_size)
    with one_thread():
        detector, backbone = open_detector(store, run_id), backbone_of(store, run_id)
        ids, vectors = store.index(run_id)
        tried = []
        for i, (name, content) in enumerate(files):
            try:
                image = load_image_bytes(content, name, shape, settings.background)
                tried.append(_try_one(name, image, detector, backbone, ids, vectors))
            except WTFlowError as error:
                tried.append(Tried(name=name, problem=str(error)))
            if progress is not None:
                progress(i + 1, len(files))
    return tried


def _try_one(
    name: str,
    image: np.ndarray,
    detector: Detector,
    backbone: Backbone,
    ids: list[str],
    vectors: np.ndarray,
) -> Tried:
    features = backbone.compute(image[None])
    found, settings = detector.maps(features), detector.settings
    pixel_maps = upsample(found.after, image.shape[:2], settings.score)
    mean = detector.start(features).mean((1, 2)).cpu().numpy()[0]
    distance = np.linalg.norm(vectors - mean, axis=1)
    nearest = np.argsort(distance, kind="stable")[:N_NEAREST]
    return Tried(
        name=name,
        score=float(scores_of(pixel_maps, found.whole, settings.top_fraction)[0]),
        pixel_map=pixel_maps[0],
        whole_score=float(found.whole[0]),
        image=np.round(image * 255).astype(np.uint8),
        nearest=tuple((ids[i], float(distance[i])) for i in nearest),
    )
