"""Answers on disk: records to named arrays and back. The file name covers all they depend on. Imports no torch."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Generic, Literal

import numpy as np

from wtflow.datasets.masks.live import stamp_run_masks
from wtflow.records.drawn import DrawnPictures
from wtflow.records.failures import ImageFacts, NearestNormals
from wtflow.records.flow import Landscape, PositionSet, Projection, ReturnTrip, StepsRow, Travel
from wtflow.records.follow import OverTime, OwnPaths, Yardstick
from wtflow.records.normals import NormalScores
from wtflow.results import RunResults
from wtflow.store import derived, layout
from wtflow.store.runs import RunStore
from wtflow.studies.coupling.kept import study_in, study_out
from wtflow.studies.requests import VERSION, A, LandscapeAnswer, NormalsRequest, Request, RequestFor, StepsAnswer

_TRAVEL = ("t", "norm", "speed", "alignment", "straightness", "radial", "plane")
_ON_PLANE = ("velocity", "potential")
_POSITIONS = ("row", "grid_row", "grid_column", "group", "score")


@dataclass(frozen=True, slots=True)
class Question(Generic[A]):
    """A request about a run, with the place of its answer. Made by `ask`, which looks at the run's files once."""

    store: RunStore
    run_id: str
    request: RequestFor[A]
    path: Path
    """Where the answer lies, whether or not it exists."""

    def load(self) -> A | None:
        """The answer if it was computed before, else None."""
        found = derived.read(self.path)
        if found is None:
            return None
        try:
            return _DECODE[self.request.kind](*found)
        except (AttributeError, KeyError, TypeError, ValueError):  # of another version, or tampered with: compute again
            derived.discard(self.path)
            return None

    def save(self, answer: A) -> None:
        """Keep the answer with its run. Raises DiskFullError, StoreError."""
        arrays, values = _ENCODE[self.request.kind](answer)
        derived.write(self.path, arrays, values)

    def is_current(self) -> bool:
        """False once the run was trained or scored again: the answer then has another place."""
        return answer_path(self.store, self.run_id, self.request) == self.path


def ask(store: RunStore, run_id: str, request: RequestFor[A]) -> Question[A]:
    """The question that a request puts to a run as it is now. Raises RunNotFoundError for an unknown run."""
    return Question(store, run_id, request, answer_path(store, run_id, request))


def answer_path(store: RunStore, run_id: str, request: Request) -> Path:
    """Where the answer lies, whether or not it exists. Facts of a run that holds no truth of its own are those of its
    masks as they are now. Raises RunNotFoundError.
    """
    params = {"version": VERSION} | request.model_dump(mode="json")
    if request.kind == "facts" and not store.result_path(run_id, layout.TRUTH).is_file():
        params["masks"] = stamp_run_masks(store, run_id)
    key = derived.fingerprint(store, run_id, params)
    return derived.path_of(store, run_id, request.kind, key)


def load_answer(store: RunStore, run_id: str, request: RequestFor[A]) -> A | None:
    """The answer if it was computed before, else None. Raises RunNotFoundError for an unknown run."""
    return ask(store, run_id, request).load()


def known_normals(store: RunStore, results: RunResults) -> NormalScores | None:
    """Scores of training normals by detectors that did not learn from them: those that the run holds, else those that
    were computed later, those of whole trainings first; None without any.
    """
    efforts: tuple[Literal["full", "short"], ...] = ("full", "short")
    later = (load_answer(store, results.run_id, NormalsRequest(effort=effort)) for effort in efforts)
    return results.normals or next((found for found in later if found is not None), None)


def _travel_out(travel: Travel) -> tuple[derived.Arrays, dict[str, Any]]:
    arrays = {name: getattr(travel, name) for name in _TRAVEL} | {
        f"position_{name}": getattr(travel.positions, name) for name in _POSITIONS
    }
    arrays["position_group"] = arrays["position_group"].astype(str)  # objects would need pickle
    if travel.divergence is not None:
        arrays["divergence"] = travel.divergence
    return arrays, {"explained": list(travel.explained), "n_channels": travel.n_channels}


def _travel_in(arrays: derived.Arrays, values: dict[str, Any]) -> Travel:
    positions = PositionSet(**{name: arrays[f"position_{name}"] for name in _POSITIONS})
    first, second = values["explained"]
    return Travel(
        positions=positions,
        explained=(float(first), float(second)),
        n_channels=int(values["n_channels"]),
        divergence=arrays.get("divergence"),
        **{name: arrays[name] for name in _TRAVEL},
    )


def _umap_out(projection: Projection) -> tuple[derived.Arrays, dict[str, Any]]:
    return {"t": projection.t, "points": projection.points}, {
        "method": projection.method,
        "n_fitted": projection.n_fitted,
        "trust": projection.trust,
        "n_trusted": projection.n_trusted,
    }


def _umap_in(arrays: derived.Arrays, values: dict[str, Any]) -> Projection:
    trust = values["trust"]
    return Projection(
        method=values["method"],
        t=arrays["t"],
        points=arrays["points"],
        n_fitted=int(values["n_fitted"]),
        trust=None if trust is None else float(trust),
        n_trusted=int(values["n_trusted"]),
    )


def _steps_out(answer: StepsAnswer) -> tuple[derived.Arrays, dict[str, Any]]:
    return {}, {"rows": [asdict(row) for row in answer[0]], "trips": [asdict(trip) for trip in answer[1]]}


def _steps_in(arrays: derived.Arrays, values: dict[str, Any]) -> StepsAnswer:
    spreads = lambda by_group: {group: tuple(spread) for group, spread in by_group.items()}  # noqa: E731
    rows = tuple(StepsRow(**row | {"norms": spreads(row["norms"])}) for row in values["rows"])
    return rows, tuple(ReturnTrip(**trip | {"errors": spreads(trip["errors"])}) for trip in values["trips"])


def _facts_out(facts: ImageFacts) -> tuple[derived.Arrays, dict[str, Any]]:
    return {field.name: getattr(facts, field.name) for field in fields(ImageFacts) if field.name != "aupro"}, {
        "aupro": facts.aupro
    }


def _facts_in(arrays: derived.Arrays, values: dict[str, Any]) -> ImageFacts:
    return ImageFacts(**arrays, aupro=values["aupro"])


def _nearest_out(nearest: NearestNormals) -> tuple[derived.Arrays, dict[str, Any]]:
    return {field.name: getattr(nearest, field.name) for field in fields(NearestNormals)}, {}


def _nearest_in(arrays: derived.Arrays, values: dict[str, Any]) -> NearestNormals:
    return NearestNormals(**arrays)


_PATHS = ("t", "norm", "between", "plane_end")


def _yardstick_out(one: Yardstick) -> tuple[derived.Arrays, dict[str, Any]]:
    arrays = {f"path_{name}": getattr(one.paths, name) for name in _PATHS}
    arrays |= {f"position_{name}": getattr(one.positions, name) for name in _POSITIONS}
    arrays["position_group"] = arrays["position_group"].astype(str)  # objects would need pickle
    return arrays | {"mean": one.mean, "axes": one.axes}, {"n_channels": one.paths.n_channels}


def _yardstick_in(arrays: derived.Arrays, values: dict[str, Any]) -> Yardstick:
    positions = PositionSet(**{name: arrays[f"position_{name}"] for name in _POSITIONS})
    paths = OwnPaths(**{name: arrays[f"path_{name}"] for name in _PATHS}, n_channels=int(values["n_channels"]))
    return Yardstick(positions, paths, arrays["mean"], arrays["axes"])


_OVER_TIME = ("t", "image_auroc", "places_auroc", "factors")


def _over_time_out(one: OverTime) -> tuple[derived.Arrays, dict[str, Any]]:
    names = [field.name for field in fields(OverTime) if field.name not in _OVER_TIME]
    return {name: getattr(one, name) for name in _OVER_TIME}, {name: getattr(one, name) for name in names}


def _over_time_in(arrays: derived.Arrays, values: dict[str, Any]) -> OverTime:
    low, high = values["color_range"]
    found: dict[str, Any] = {**arrays, **values, "color_range": (float(low), float(high))}
    return OverTime(**found)


def _pictures_out(drawn: DrawnPictures) -> tuple[derived.Arrays, dict[str, Any]]:
    return {}, {"n_images": drawn.n_images}


def _pictures_in(arrays: derived.Arrays, values: dict[str, Any]) -> DrawnPictures:
    return DrawnPictures(int(values["n_images"]))


def _landscapes_out(answer: LandscapeAnswer) -> tuple[derived.Arrays, dict[str, Any]]:
    first = answer[0]
    stacked = {name: np.stack([getattr(one, name) for one in answer]).astype(np.float32) for name in _ON_PLANE}
    shares = [[one.t, one.share, one.share_in_plane] for one in answer]
    return stacked | {"x": first.x, "y": first.y}, {
        "shares": shares,
        "axes": list(first.axes),
        "marks": [[list(mark) for mark in one.marks] for one in answer],
    }


def _landscapes_in(arrays: derived.Arrays, values: dict[str, Any]) -> LandscapeAnswer:
    first, second = values["axes"]
    found = []
    for s, ((t, share, in_plane), marks) in enumerate(zip(values["shares"], values["marks"], strict=True)):
        where = tuple((str(label), float(x), float(y)) for label, x, y in marks)
        shares = float(share), float(in_plane)
        velocity, potential = arrays["velocity"][s], arrays["potential"][s]
        found.append(Landscape(t, arrays["x"], arrays["y"], velocity, potential, *shares, (first, second), where))
    return tuple(found)


def _normals_out(normals: NormalScores) -> tuple[derived.Arrays, dict[str, Any]]:
    return {"scores": normals.scores, "fold": normals.fold}, {"sample_ids": list(normals.sample_ids)}


def _normals_in(arrays: derived.Arrays, values: dict[str, Any]) -> NormalScores:
    return NormalScores(tuple(map(str, values["sample_ids"])), arrays["scores"], arrays["fold"])


_ENCODE: dict[str, Callable[[Any], tuple[derived.Arrays, dict[str, Any]]]] = {
    "travel": _travel_out,
    "umap": _umap_out,
    "steps": _steps_out,
    "landscape": _landscapes_out,
    "facts": _facts_out,
    "nearest": _nearest_out,
    "yardstick": _yardstick_out,
    "overtime": _over_time_out,
    "pictures": _pictures_out,
    "normals": _normals_out,
    "coupling": study_out,
}
_DECODE: dict[str, Callable[[derived.Arrays, dict[str, Any]], Any]] = {
    "travel": _travel_in,
    "umap": _umap_in,
    "steps": _steps_in,
    "landscape": _landscapes_in,
    "facts": _facts_in,
    "nearest": _nearest_in,
    "yardstick": _yardstick_in,
    "overtime": _over_time_in,
    "pictures": _pictures_in,
    "normals": _normals_in,
    "coupling": study_in,
}
