"""Peak memory of each stage of a run, and how it grows with the number of images."""

import shutil

from wtflow.bench.children import run_python
from wtflow.bench.drawn import draw_category
from wtflow.bench.figures import Figure, Spread, Target
from wtflow.bench.workshop import Workshop
from wtflow.config import Settings
from wtflow.jobs.estimate import stages_of
from wtflow.store.runs import RunStore

STAGES = stages_of(Settings())
STEPS = 10
"""Training steps: the first has everything that memory needs."""
TEST_SHARE = 5
"""One image in this many is for testing."""
FLAT = Target("ratio", "at most", 1.1)
"""Three doublings of the number of images may cost a tenth more:
of an image, only its maps and its row in a table are kept.
"""
CATEGORY = "drawn"


def measure(shop: Workshop) -> list[Figure]:
    """MiB at the peak of each stage, each in a separate process. The fewest images are compared with a process that
    only imports, more images with the fewest.
    """
    counts = shop.sizes.growth
    peaks = {n: _peaks(shop, n) for n in counts}
    figures = []
    for stage in STAGES:
        for n in counts:
            name, value = f"{stage}, {n} images", Spread.of([peaks[n][stage]])
            if n == counts[0]:
                figures.append(
                    Figure(
                        "memory", name, "MiB", value, "a process that only imports", Spread.of([peaks[n]["imports"]])
                    )
                )
            else:
                figures.append(
                    Figure(
                        "memory",
                        name,
                        "MiB",
                        value,
                        f"the same with {counts[0]} images",
                        Spread.of([peaks[counts[0]][stage]]),
                        FLAT,
                    )
                )
    return figures


def _peaks(shop: Workshop, n_images: int) -> dict[str, float]:
    """MiB by stage, for a category of `n_images`. The files are deleted again:
    features of 2,000 images take 1.6 GB.
    """
    folder = shop.folder / f"memory_{n_images}"
    n_test = max(2, n_images // TEST_SHARE)
    draw_category(
        folder / "images", CATEGORY, n_images - n_test, n_test - n_test // 2, n_test // 2, shop.settings.image_size
    )
    store = RunStore(folder / "runs")
    run_id = store.create(folder / "images", CATEGORY, shop.settings.changed({"iterations": STEPS, "epochs": 0}))
    try:
        return {stage: _peak(stage, run_id, store) for stage in ("imports", *STAGES)}
    finally:
        shutil.rmtree(folder)


def _peak(stage: str, run_id: str, store: RunStore) -> float:
    arguments = ["-W", "ignore", "-m", "wtflow.bench.memory_stage", stage, run_id]
    return float(run_python(arguments, {"WTFLOW_HOME": str(store.home)}).splitlines()[-1])
