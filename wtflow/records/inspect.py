"""New images that a detector looked at: a row each, and what is known of the inspection that they belong to."""

import math
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal

from wtflow.config import Background, Score
from wtflow.errors import StoreError
from wtflow.records.core import RunStatus
from wtflow.records.decision import Decision
from wtflow.records.runtimes import RuntimeUsed, Wish, used_from_json
from wtflow.records.shapes import Shape

Verdict = Literal["normal", "defective", ""]
NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Inspected:
    """One image. With `problem` set it could not be read, its verdict is empty and its numbers are NaN."""

    image: str
    """Relative to the folder that was given, with forward slashes; with several folders, after the name of its own.
    Different for every image of an inspection.
    """
    path: str
    """Where it lay."""
    score: float = NAN
    verdict: Verdict = ""
    threshold: float = NAN
    problem: str = ""
    height: int = 0
    width: int = 0
    """Of the file, in pixels."""
    sha256: str = ""
    peak_row: int = -1
    peak_column: int = -1
    """The highest place of the map, in pixels of the file; -1 without a map."""
    area: float = NAN
    """Share of the map's pixels at or above the threshold, 0 to 1."""
    whole_score: float = NAN
    """Of the image as a whole, in the unit of the score; NaN where the detector does not score it."""
    level: float = NAN
    """Median of the raw map: high where it is raised all over."""
    brightness: float = NAN
    sharpness: float = NAN
    centre_row: float = NAN
    centre_column: float = NAN
    """As in `records.looks.Look`."""
    nearest: tuple[tuple[str, float], ...] = ()
    """Nearest training normals: sample id, distance between mean features."""
    note: str = ""
    """What became of it besides: moved, or a message that did not get through."""
    at: float = 0.0
    """When it was scored, seconds since the epoch, UTC."""
    stamp: tuple[int, ...] = ()
    """Size in bytes, time of its last change in ns and its number on the disk. With another size or time it is scored
    again.
    """
    map_at: int = -1
    """Number of its map and mean features in their files; -1 without."""
    picture: tuple[int, int] = (0, 0)
    """First byte and length of its small picture; length 0 without one."""

    def to_json(self) -> dict[str, Any]:
        """Plain values; None for a number that is not there."""
        values = asdict(self)
        return {name: None if isinstance(one, float) and math.isnan(one) else one for name, one in values.items()}


_NUMBERS = {one.name for one in fields(Inspected) if one.type is float}


def inspected_from_json(values: Any) -> Inspected:
    """Read what `to_json` gave; names that this version does not know are left out. Raises ValueError."""
    if not isinstance(values, dict):
        raise ValueError("not an object")
    known = {one.name: values[one.name] for one in fields(Inspected) if one.name in values}
    if not isinstance(known.get("image"), str) or not isinstance(known.get("path"), str):
        raise ValueError("no image")
    for name in _NUMBERS & known.keys():
        known[name] = NAN if known[name] is None else float(known[name])
    for name in ("stamp", "picture"):
        known[name] = tuple(int(one) for one in known.get(name, ()))
    known["nearest"] = tuple((str(name), float(distance)) for name, distance in known.get("nearest", ()))
    if len(known["picture"]) != 2:
        known["picture"] = (0, 0)
    return Inspected(**known)


@dataclass(frozen=True, slots=True)
class InspectSettings:
    """How images are looked at. Nothing here changes a score, but `runtime` its last digits."""

    watch: bool = False
    """Go on, and score new files as they come."""
    keep_maps: bool = True
    keep_pictures: bool = True
    defective_to: str = ""
    """Folder for defective images; empty: they stay where they are."""
    is_moved: bool = False
    """They are moved there, else copied."""
    threads: int = 0
    """Of the processor; 0: one per core."""
    niceness: int = 5
    runtime: Wish = "torch"
    """What computes the networks; "auto": the fastest that agrees with torch and pays off here."""


@dataclass(frozen=True, slots=True)
class DetectorFacts:
    """The detector that looked, as far as rows and maps need it to be read without it."""

    name: str
    """For people."""
    fingerprint: str
    decision: Decision
    """The threshold that verdicts follow, with how it came about."""
    shape: Shape
    """(height, width) of images and pixel maps as the network sees them."""
    map_shape: Shape
    """(height, width) of raw maps."""
    n_features: int
    """Of a vector of mean features."""
    score_kind: Score
    """The setting `score`: how raw maps become pixel maps."""
    top_fraction: float
    color_range: tuple[float, float]
    """The run's one heat scale."""
    background: Background
    """What shows where an image is transparent."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How far an inspection is."""

    n_found: int = 0
    """Images that were found so far, scored or not."""
    n_done: int = 0
    n_defective: int = 0
    n_broken: int = 0
    per_second: float | None = None
    """Images scored a second, lately; None before it is known."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """Everything known of an inspection but its rows. With `problem` set its files are damaged."""

    inspection_id: str
    created: float = 0.0
    """Seconds since the epoch, UTC."""
    detector: str = ""
    """Id of a run, or path of a detector's file."""
    sources: tuple[str, ...] = ()
    """Paths of the folders and files that were given."""
    out: str = ""
    """Folder that tables are written to as well; empty for none."""
    settings: InspectSettings = InspectSettings()
    threshold: float | None = None
    """One that was given for this inspection; None: the one in force for the detector."""
    facts: DetectorFacts | None = None
    """None before the detector was opened."""
    runtime: RuntimeUsed | None = None
    """What computes it; None before its first image, and for inspections of versions that knew torch alone."""
    status: RunStatus = RunStatus(state="queued")
    """`running` with the stage "watch" waits for new files. `lost` and `stopping` are never written."""
    counts: Counts = Counts()
    notes: tuple[str, ...] = field(default=())
    """What a person should know of it, a sentence each: links left out, messages that did not get through."""
    problem: str = ""

    @property
    def name(self) -> str:
        """The detector for people."""
        return self.facts.name if self.facts else self.detector


def plan_to_json(inspection: Inspection) -> dict[str, Any]:
    """What inspection.json holds: all but what changes while it runs."""
    values = asdict(inspection)
    return {name: one for name, one in values.items() if name not in ("status", "counts", "notes", "problem")}


def plan_from_json(values: dict[str, Any]) -> Inspection:
    """Read what `plan_to_json` gave. Raises StoreError when it is anything else."""
    try:
        facts = values["facts"]
        if facts is not None:
            pairs = {name: tuple(facts[name]) for name in ("shape", "map_shape", "color_range")}
            facts = DetectorFacts(**facts | pairs | {"decision": Decision(**facts["decision"])})
        used = values.get("runtime")
        return Inspection(
            **values
            | {"runtime": None if used is None else used_from_json(used)}
            | {"facts": facts, "sources": tuple(map(str, values["sources"]))}
            | {"settings": InspectSettings(**values["settings"])}
        )
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(
            f"inspection.json is not as written ({error}).", fix="Delete the inspection, or restore the file."
        ) from error


def progress_to_json(inspection: Inspection) -> dict[str, Any]:
    """What status.json holds: what changes while it runs."""
    return {
        "status": asdict(inspection.status),
        "counts": asdict(inspection.counts),
        "notes": list(inspection.notes),
    }


def with_progress(inspection: Inspection, values: dict[str, Any]) -> Inspection:
    """The inspection with what status.json holds. Raises StoreError when it is anything else."""
    try:
        return replace(
            inspection,
            status=RunStatus(**values["status"]),
            counts=Counts(**values["counts"]),
            notes=tuple(map(str, values["notes"])),
        )
    except (KeyError, TypeError) as error:
        raise StoreError(
            f"status.json is not as written ({error}).", fix="Delete the inspection, or resume it."
        ) from error
