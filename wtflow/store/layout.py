"""Names and schema of a run folder. No reading, no writing.

runs/<run_id>/
    config.json      written once: settings, root, category, library versions, schema version
    data.json        written once by the worker: every image with its split, defect, mask and the hashes of both
    place.json       where the images are now, after they were moved; paths in the other files are read through it
    status.json      state, stage, step, percent, process, heartbeat; replaced atomically
    metrics.jsonl    one line per logged training step, append only
    checkpoints/     last.safetensors: normaliser, velocity field, optimiser; all that resuming needs
    scores.parquet   one row per scored image (test and held-out normals)
    maps.npy         float32 (N, h, w), memory-mapped: raw score of every grid position; order: `row` of the scores
    pictures.zip     a small picture (WebP) of every scored image; named by `row` of the scores
    edges.json       what maps are divided by near the edge of the image
    whole.npz        the Gaussian of normals as whole images, and the unit of the run's maps
    normals.parquet  scores of training normals by detectors that did not learn from them
    truth.npz        what people drew on the test images, at the size of the maps
    metrics.json     metrics, thresholds, colour range, seconds per stage, peak memory
    index.npz        one mean feature per training image, to find the nearest normals of an image
    derived/         what was computed from the finished run (paths, projections, small pictures), with requests
                     and their progress; safe to delete
    what_ifs/        images that a person painted defects on, with the painted mask and the scores
    tried/           images that a person dropped on the app, apart from the test set
    notes.json       what people wrote: tags, comment and flag per image, comment per run; replaced atomically
                     under the store's lock
    decision.json    the threshold that people keep for the run, and those before it; under the store's lock
    exported.json    where its detector was written to
    log.txt          the worker's output
    stop             present = please stop
    .reserve         some bytes that a worker frees when it has to say that the disk is full
    before.json      the finished status that a second pass over the run started from; gone once that pass is over
    .fresh/          results of a pass that is not complete yet; see store/passes.py
runs/.cache/         features of the frozen backbone, shared by runs; safe to delete
runs/.graphs/        graphs of detectors for other runtimes, and how fast each is here; safe to delete
runs/.pace.json      how long UMAPs took on this machine, for the next promise; safe to delete
runs/.readings/      one JSON file per data set: how a person said that it is to be read
runs/sweeps/         one folder per sweep of many runs; see store/sweeps.py
runs/.locks/         who computes which features now; empty files, safe to delete while nothing runs
runs/.index.sqlite   what lists of runs need, made from their folders; safe to delete
runs/.opened.json    which run was opened last; safe to delete
"""

import re
from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator

from wtflow.config import OLD_DEFAULTS, Settings
from wtflow.records.reading import Reading
from wtflow.records.sizes import SizeChoice

SCHEMA_VERSION = 1

CONFIG = "config.json"
DATA = "data.json"
PLACE = "place.json"
STATUS = "status.json"
STEPS = "metrics.jsonl"
CHECKPOINT = "checkpoints/last.safetensors"
SCORES = "scores.parquet"
MAPS = "maps.npy"
PICTURES = "pictures.zip"
EDGES = "edges.json"
WHOLE = "whole.npz"
NORMALS = "normals.parquet"
TRUTH = "truth.npz"
METRICS = "metrics.json"
INDEX = "index.npz"
TRIED = "tried"
NOTES = "notes.json"
DECISION = "decision.json"
EXPORTED = "exported.json"
WHAT_IFS = "what_ifs"
DERIVED = "derived"
LOG = "log.txt"
STOP = "stop"
RESERVE = ".reserve"
BEFORE = "before.json"
FRESH = ".fresh"
COMPLETE = "complete.json"
CACHE = ".cache"
LOCKS = ".locks"
GRAPHS = ".graphs"
PACE = ".pace.json"
RUNS_INDEX = ".index.sqlite"

RESULTS = (EDGES, WHOLE, INDEX, MAPS, PICTURES, NORMALS, TRUTH, SCORES, METRICS)
"""What scoring writes. A pass replaces all of it at once: what the new pass does not have is removed."""
TRAINED = (DATA, CHECKPOINT)
"""What stays as it is unless a pass writes it anew."""
CORRECTIONS = "corrections"
READINGS = ".readings"
OPENED = ".opened.json"

RUN_ID = re.compile(r"[0-9]{8}-[0-9]{6}-[A-Za-z0-9_-]{1,60}")
"""Time of creation and category. Any other text is refused before the disk is accessed."""

SCORE_COLUMNS = (
    "row",
    "sample_id",
    "path",
    "mask_path",
    "split",
    "defect",
    "is_defective",
    "score",
    "peak_row",
    "peak_column",
    "start_score",
    "whole_score",
)
"""`score`: image score, higher is worse. `whole_score`: of the image as a whole, in the same unit; NaN where the run
does not use it; it is the score where it is higher than the score of the highest pixels. `start_score`: the score
before the flow (norm of the input), the floor to beat.
"""


class RunConfig(BaseModel):
    """What to train, with which settings. Written once, never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: int
    run_id: str
    created: float
    root: str
    category: str
    settings: Settings
    versions: dict[str, str]
    reading: Reading = Reading()
    """How a person said that the data set is to be read. Runs of 0.3.0 and earlier hold none."""
    sized: SizeChoice | None = None
    """How `image_size` was chosen; None where it was given."""

    @field_validator("settings", mode="before")
    @classmethod
    def _as_the_run_was_made(cls, value: Any) -> Any:
        """What a file of an older version does not name is what that version did, not today's default."""
        return OLD_DEFAULTS | value if isinstance(value, dict) else value


def run_name(category: str, stamp: str) -> str:
    """The id of a run: a sortable time and the category, with everything but letters, digits, - and _ replaced."""
    safe = re.sub(r"[^A-Za-z0-9_-]", "_", category)[:40] or "category"
    return f"{stamp}-{safe}"


def is_run_id(text: Any) -> bool:
    """True if `text` may name a run folder: no separators, no dots, nothing that leaves the store."""
    return isinstance(text, str) and RUN_ID.fullmatch(text) is not None
