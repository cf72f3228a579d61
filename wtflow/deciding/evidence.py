"""The scores that the threshold of a run is decided by."""

import numpy as np

from wtflow.deciding.rules import Evidence
from wtflow.records.normals import NormalScores
from wtflow.results import RunResults

CROSS_FITTED = "training normals, none scored by a detector that learned from it"
HELD_OUT = "training normals kept aside"


def evidence_of(results: RunResults, normals: NormalScores | None = None) -> Evidence:
    """The evidence of a finished run. normals: scores that were computed later, for a run that holds none; without any
    the normals that it kept aside stand alone.
    """
    normals = normals or results.normals
    test, bad = results.test, results.test.is_defective.to_numpy(bool)
    scores = test.score.to_numpy(np.float64)
    own = results.holdout.score.to_numpy(np.float64) if normals is None else normals.scores
    return Evidence(
        own,
        scores[~bad],
        scores[bad],
        test.defect.to_numpy(str)[bad],
        HELD_OUT if normals is None else CROSS_FITTED,
    )
