"""Which images that are not sorted yet to look at first: those that a run of the set calls most defective."""

from collections.abc import Callable

from wtflow.datasets.images import load_image
from wtflow.errors import ImageReadError
from wtflow.records.intake import Refused
from wtflow.store.datasets import open_set, original_of
from wtflow.store.runs import RunStore


def rank_unsorted(
    store: RunStore, run_id: str, name: str, progress: Callable[[int, int], None] | None = None
) -> tuple[tuple[tuple[str, float], ...], tuple[Refused, ...]]:
    """(id, score) of every image that is not sorted, the highest first, in the run's own score; and images that cannot
    be read any more. On one thread, as pages score. Raises RunNotFoundError, DamagedRunError.
    """
    from wtflow.detector.opened import open_run
    from wtflow.detector.score import score_images
    from wtflow.machine.progress import one_thread

    items = open_set(store, name).of("unsorted")
    background = store.config(run_id).settings.background
    scores, refused = [], []
    with one_thread():
        opened = open_run(store, run_id)
        for done, item in enumerate(items, start=1):
            try:
                image = load_image(original_of(store, name, item), opened.shape, background)
                scores.append((item.id, float(score_images(opened, image[None]).scores[0])))
            except ImageReadError as error:
                refused.append(Refused(item.name, error.message))
            if progress is not None:
                progress(done, len(items))
    return tuple(sorted(scores, key=lambda one: -one[1])), tuple(refused)
