"""One grid position of an inspected image along the path of its run. Imports torch."""

from pathlib import Path

from wtflow.datasets.images import load_recorded
from wtflow.errors import RunNotFoundError
from wtflow.inspecting import kept
from wtflow.records.core import Probe
from wtflow.records.inspect import Inspected, Inspection
from wtflow.store.runs import RunStore
from wtflow.studies.probes import probe_image


def probe_inspected(store: RunStore, inspection: Inspection, row: Inspected, grid_row: int, grid_column: int) -> Probe:
    """Norm and score of one position at every saved step, from the file as it was inspected.

    Raises RunNotFoundError for a position that the map does not have or a run that is gone, ImageReadError where the
    file is gone, ImageChangedError where it holds something else now.
    """
    facts, values = inspection.facts, kept.raw_map(store, inspection, row)
    if facts is None or values is None or not (0 <= grid_row < values.shape[0] and 0 <= grid_column < values.shape[1]):
        raise RunNotFoundError(
            f"{row.image} has no map with a position ({grid_row}, {grid_column}).", fix="Click inside the picture."
        )
    image = load_recorded(Path(row.path), row.sha256, facts.shape, facts.background, row.image)
    return probe_image(
        store, inspection.detector, image, row.image, grid_row, grid_column, float(values[grid_row, grid_column])
    )
