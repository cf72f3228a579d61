"""Everything that the app itself writes for a person, an act each, on a store that holds a bit of everything.

What an act left is read through the product's own functions: after a fault, what was before or what was wanted.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
from hand_made_inspections import FACTS, write_inspection
from hand_made_runs import SCORES, write_finished_run
from image_folders import noise, save
from run_folders import tiny_settings

from wtflow.access.passwords import read_passwords, set_password
from wtflow.inspecting import kept, tasks
from wtflow.intake.adding import add_uploads
from wtflow.intake.corrections import correct_file, corrections_of
from wtflow.intake.masks import read_mask, write_mask
from wtflow.intake.sorting import set_labels
from wtflow.intake.versions import delete_version, publish
from wtflow.jobs import trainings
from wtflow.plots.pictures import encode_jpeg
from wtflow.records.core import RunStatus
from wtflow.records.decision import Decision
from wtflow.records.inspect import Inspected
from wtflow.records.intake import Labelled
from wtflow.records.reading import Reading
from wtflow.records.sweep import Combination, Sweep, SweepCategory
from wtflow.records.what_if import PaintedNorms, WhatIf
from wtflow.store import derived, inspections, passes, sweeps
from wtflow.store.dataset_versions import open_version, version_numbers
from wtflow.store.datasets import create_set, delete_set, open_set, original_of, set_names
from wtflow.store.decisions import decision_history, keep_decision
from wtflow.store.features import FeatureCache
from wtflow.store.inspected_rows import RowWriter
from wtflow.store.inspection_words import name_inspection, note_image, read_words
from wtflow.store.notes import add_tag, name_run, notes_of, set_comment
from wtflow.store.opened import opened_last, remember_opened
from wtflow.store.place import Place, write_place
from wtflow.store.readings import keep_reading, reading_of
from wtflow.store.runs import RunStore
from wtflow.store.what_ifs import list_what_ifs, save_what_if

GOOD = Labelled("good")
IMAGE = next(iter(SCORES))
SET = "plates"
SWEEP = "grid"
WORDS = "four words or more"


@dataclass(frozen=True)
class Base:
    """The store that acts begin with. `photos`: images that are not in it."""

    home: Path
    run_id: str
    spare: str
    inspection: str
    photos: Path


@dataclass(frozen=True)
class Act:
    """Something that a person has the app write, and how to read what came of it."""

    do: Callable[[RunStore, Base], Any]
    read: Callable[[RunStore, Base], Any]
    is_whole: Callable[[Any, Any, Any], bool] = lambda now, before, after: now in (before, after)
    """Whether what is there now is right, given what was before and what is wanted."""
    is_repeated: bool = True
    """Whether doing it again ends as it does without a fault."""
    gives_way: tuple[str, ...] = ()
    """Disks, "full" or "read-only", on which it is left undone in silence, since nobody misses it."""


def write_base(home: Path, photos: Path) -> Base:
    """A store with two finished runs, an inspection, a sweep, and a data set with two versions."""
    store = RunStore(home)
    run_id, spare = (write_finished_run(store, tiny_settings(), name) for name in ("plate", "disc"))
    add_tag(store, run_id, IMAGE, "old")
    keep_decision(store, run_id, _decision(1.0))
    for i in range(6):
        save(photos / f"{i}.png", noise(i, (24, 24)))
    inspection = write_inspection(store, run_id, {"0.png": 1.0, "1.png": 3.0}, photos).inspection_id
    sweeps.create(store, _sweep(SWEEP, {"cell": spare}))
    create_set(store, SET)
    add_uploads(store, SET, [(f"{i}.png", _bytes(photos, i)) for i in range(3)], GOOD)
    publish(store, SET, sides=_sides(store))
    set_labels(store, SET, dict.fromkeys(list(open_set(store, SET).items)[:1], Labelled("defect", "dent")))
    publish(store, SET, sides=_sides(store))
    return Base(home, run_id, spare, inspection, photos)


def _bytes(photos: Path, i: int) -> bytes:
    return (photos / f"{i}.png").read_bytes()


def _sides(store: RunStore) -> dict:
    return dict.fromkeys(open_set(store, SET).items, "train")


def _leave_out(store: RunStore, first: int, last: int) -> None:
    set_labels(store, SET, dict.fromkeys(list(open_set(store, SET).items)[first:last], Labelled("out")))


def _first(store: RunStore) -> str:
    return next(iter(open_set(store, SET).items))


def _decision(value: float) -> Decision:
    return Decision(value, "by_hand", "Chosen by hand.", 1.0)


def _uploads(base: Base) -> list[tuple[str, bytes]]:
    packed = io.BytesIO()
    with ZipFile(packed, "w") as archive:
        archive.writestr("bad/5.png", _bytes(base.photos, 5))
    return [("3.png", _bytes(base.photos, 3)), ("4.png", _bytes(base.photos, 4)), ("a.zip", packed.getvalue())]


def _read_set(store: RunStore, base: Base) -> Any:
    """Every image with what it is, and whether its file is there whole."""
    if SET not in set_names(store):
        return None
    data = open_set(store, SET)
    return {
        key: (item.labelled, original_of(store, SET, item).read_bytes() == _of_sha(base, item.sha256))
        for key, item in data.items.items()
    }


def _of_sha(base: Base, sha256: str) -> bytes:
    import hashlib

    contents = (path.read_bytes() for path in sorted(base.photos.iterdir()))
    return next(one for one in contents if hashlib.sha256(one).hexdigest() == sha256)


def _is_partly_added(now: Any, before: Any, after: Any) -> bool:
    """Images that came stay, one by one; none of the old ones is lost, and none is broken."""
    return before.items() <= now.items() <= after.items() and all(whole for _, whole in now.values())


def _read_versions(store: RunStore, base: Base) -> Any:
    return [
        (
            number,
            [
                (one.path, (store.home / "data" / SET / "versions" / str(number) / SET / one.path).is_file())
                for one in open_version(store, SET, number).members
            ],
        )
        for number in version_numbers(store, SET)
    ]


def _mark(store: RunStore) -> np.ndarray:
    item = open_set(store, SET).items[_first(store)]
    return np.indices((item.height, item.width)).sum(0) < 20


def _read_mark(store: RunStore, base: Base) -> Any:
    mask = read_mask(store, SET, _first(store))
    return None if mask is None else mask.tobytes()


def _what_if() -> WhatIf:
    image = np.zeros((8, 8, 3), np.float32)
    painted, flat, grid, norms = (
        image.copy(),
        np.zeros((8, 8), np.float32),
        np.zeros((4, 4), np.float32),
        PaintedNorms(np.zeros(2), np.zeros(2)),
    )
    painted[2:4, 2:4] = 1.0
    return WhatIf(
        IMAGE,
        0,
        image,
        painted,
        painted[..., 0] > 0,
        1.0,
        2.0,
        flat,
        flat,
        grid,
        grid,
        grid > 0,
        np.zeros(2),
        norms,
        norms,
        3,
        0.0,
    )


def _rows(store: RunStore, base: Base) -> Any:
    facts = inspections.read_inspection(store, base.inspection).facts
    with RowWriter(inspections.folder_of(store, base.inspection), facts or FACTS):
        pass  # whoever goes on with it brings its files in order first
    return {row.image: (row.score, row.picture[1]) for row in kept.rows(store, base.inspection)}


def _append(store: RunStore, base: Base) -> None:
    new = [
        Inspected(f"{i}.png", str(base.photos / f"{i}.png"), score=2.0, verdict="defective", threshold=2.0, at=9.0)
        for i in (2, 3, 4)
    ]
    picture = encode_jpeg(np.full((8, 8, 3), 90, np.uint8))
    with RowWriter(inspections.folder_of(store, base.inspection), FACTS) as writer:
        for one in new:
            writer.append([one], np.ones((1, *FACTS.map_shape), np.float32), np.ones((1, 3), np.float32), [picture])


def _inspections(store: RunStore, base: Base) -> Any:
    found = tasks.look_all(store)
    return sorted(
        (one.name, one.problem, len(list((inspections.folder_of(store, one.inspection_id) / "uploads").glob("*"))))
        for one in found
    )


def _answer(store: RunStore, base: Base) -> Path:
    return derived.path_of(store, base.run_id, "facts", "0" * 16)


def _features(store: RunStore, base: Base) -> None:
    with FeatureCache(store.home).writer("f" * 32, (2, 2, 2, 3)) as writer:
        writer.append(np.ones((1, 2, 2, 3), np.float16))
        writer.append(np.ones((1, 2, 2, 3), np.float16))


def _second_pass(store: RunStore, base: Base) -> None:
    fresh = passes.begin(store, base.run_id)
    table, maps = store.scores(base.run_id), np.asarray(store.maps(base.run_id))
    table["score"] = np.arange(len(table)) + 100.0  # the same whatever was there
    fresh.write_scores(base.run_id, table)
    fresh.write_maps(base.run_id, np.full_like(maps, 100))
    passes.publish(fresh, base.run_id, store.metrics(base.run_id))


def _read_pass(store: RunStore, base: Base) -> Any:
    status = store.status(base.run_id)
    return store.scores(base.run_id).score.tolist(), np.asarray(store.maps(base.run_id)).tolist(), status.state


def _read_runs(store: RunStore, base: Base) -> Any:
    """State or problem of every run, by category: the name of a new one holds the time."""
    found = trainings.live_summaries(store)
    return sorted((one.category or "?", one.problem or (one.status or RunStatus("lost")).state) for one in found)


def _sweep(name: str, runs: dict[str, str] | None = None) -> Sweep:
    category = SweepCategory("/data", "plate", 12, 120)
    return Sweep(name, 1.0, "fast", {}, {}, (0,), (category,), (Combination({}, tiny_settings()),), runs=runs or {})


def _sweeps(store: RunStore, base: Base) -> Any:
    return {name: replace(sweeps.read(store, name), serial=0) for name in sweeps.names(store)}


ACTS: dict[str, Act] = {
    "tag": Act(lambda s, b: add_tag(s, b.run_id, IMAGE, "new"), lambda s, b: notes_of(s, b.run_id)),
    "comment": Act(
        lambda s, b: set_comment(s, b.run_id, None, "Looked at.", notes_of(s, b.run_id).revision),
        lambda s, b: notes_of(s, b.run_id),
    ),
    "name": Act(lambda s, b: name_run(s, b.run_id, "Monday"), lambda s, b: notes_of(s, b.run_id)),
    "decision": Act(
        lambda s, b: keep_decision(s, b.run_id, _decision(2.0)), lambda s, b: decision_history(s, b.run_id)[:1]
    ),
    "reading": Act(
        lambda s, b: keep_reading(s, b.photos, "plate", Reading(good=("fine",))),
        lambda s, b: reading_of(s, b.photos, "plate"),
    ),
    "opened": Act(
        lambda s, b: remember_opened(s, b.run_id), lambda s, b: opened_last(s), gives_way=("full", "read-only")
    ),
    "place": Act(
        lambda s, b: write_place(s.folder(b.run_id), Place("/data", "/other", "plate")),
        lambda s, b: s.place(b.run_id).root,
    ),
    "answer": Act(
        lambda s, b: derived.write(_answer(s, b), {"a": np.ones(9)}, {"b": 1}),
        lambda s, b: repr(derived.read(_answer(s, b))),
        gives_way=("read-only",),  # it is kept in memory instead
    ),
    "features": Act(_features, lambda s, b: FeatureCache(s.home).has("f" * 32)),
    "results": Act(_second_pass, _read_pass),
    "create run": Act(lambda s, b: s.create(b.photos, "new", tiny_settings()), _read_runs, is_repeated=False),
    "delete run": Act(lambda s, b: trainings.delete(s, b.spare) if b.spare in s.ids() else None, _read_runs),
    "what if": Act(
        lambda s, b: save_what_if(s, b.run_id, _what_if(), "a", []),
        lambda s, b: [
            (one["key"], one["image"].read_bytes(), one["mask"].read_bytes()) for one in list_what_ifs(s, b.run_id)
        ],
    ),
    "create set": Act(lambda s, b: None if "new" in set_names(s) else create_set(s, "new"), lambda s, b: set_names(s)),
    "labels": Act(lambda s, b: _leave_out(s, 1, 3), _read_set),
    "upload": Act(lambda s, b: add_uploads(s, SET, _uploads(b), GOOD), _read_set, _is_partly_added),
    "mask": Act(lambda s, b: write_mask(s, SET, _first(s), _mark(s)), _read_mark),
    "publish": Act(
        lambda s, b: publish(s, SET, sides=dict(list(_sides(s).items())[:2])),
        _read_versions,
        is_repeated=False,
    ),
    "delete version": Act(
        lambda s, b: delete_version(s, SET, 1) if 1 in version_numbers(s, SET) else None, _read_versions
    ),
    "delete set": Act(lambda s, b: delete_set(s, SET) if SET in set_names(s) else None, _read_set),
    "correction": Act(
        lambda s, b: correct_file(
            s, b.run_id, b.photos / "0.png", "defect", defect="dent", mask=np.eye(24, dtype=bool)
        ),
        lambda s, b: [replace(one, date=0.0) for one in corrections_of(s, b.run_id)],
    ),
    "inspection": Act(
        lambda s, b: tasks.create(
            s, b.run_id, [], uploads=[("0.png", _bytes(b.photos, 0)), ("1.png", _bytes(b.photos, 1))]
        ),
        _inspections,
        is_repeated=False,
    ),
    "rows": Act(_append, _rows, lambda now, before, after: before.items() <= now.items() <= after.items()),
    "words": Act(
        lambda s, b: (name_inspection(s, b.inspection, "Monday"), note_image(s, b.inspection, "0.png", "fine")),
        lambda s, b: read_words(s, b.inspection),
        lambda now, before, after: now in (before, after, replace(after, notes={})),
    ),
    "password": Act(
        lambda s, b: set_password(s.home, "train", WORDS),
        lambda s, b: found.role_of(WORDS) if (found := read_passwords(s.home)) else None,
    ),
    "create sweep": Act(lambda s, b: None if "new" in sweeps.names(s) else sweeps.create(s, _sweep("new")), _sweeps),
    "extend sweep": Act(
        lambda s, b: sweeps.change(s, SWEEP, lambda old: replace(old, seeds=(0, 1, 2))),
        _sweeps,
    ),
    "delete sweep": Act(lambda s, b: sweeps.delete(s, SWEEP) if SWEEP in sweeps.names(s) else None, _sweeps),
    "delete inspection": Act(
        lambda s, b: tasks.delete(s, b.inspection) if b.inspection in inspections.ids(s) else None, _inspections
    ),
}
