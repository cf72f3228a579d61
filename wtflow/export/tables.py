"""The data behind each figure as CSV, so that a person can draw it again elsewhere. Records in, bytes out.

UTF-8 with a byte-order mark, by which spreadsheets know it, one header line, names of columns in words. Numbers carry
nine digits, which single precision needs to come back unchanged.

No text runs as a formula in a spreadsheet. A cell that begins with = + - @, a tab or a line break, also behind
apostrophes, gets one more apostrophe in front. So does what follows a semicolon, a tab or a line break inside a cell
and begins with = + - @, because spreadsheets of some countries begin a cell there. `cell_from_csv` takes them away.
"""

import csv
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from wtflow.deciding.force import decision_at, threshold_facts
from wtflow.errors import FlowError
from wtflow.plots.follow import Beside, Story
from wtflow.records.flow import Ideal, Landscape, PositionSet, Projection, ReturnTrip, Spread, StepsRow, Travel
from wtflow.records.follow import norm_at, only, score_at
from wtflow.records.notes import RunNotes
from wtflow.results import RunResults, add_notes, add_outcomes

_SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20"
"""What begins a formula; the last four are the wide forms of the first, which some spreadsheets take for them."""
_AT_START, _INSIDE = rf"'*[{_SIGNS}\t\r\n]", rf"'*[{_SIGNS}]"
_FORMULA = re.compile(rf"^(?={_AT_START})|(?<=[;\t\r\n])(?={_INSIDE})")
_QUOTED = re.compile(rf"^'(?={_AT_START})|(?<=[;\t\r\n])'(?={_INSIDE})")
_DIGITS = "%.9g"
_SPREAD = ("5_percent", "median", "95_percent")


class ScoreColumn(NamedTuple):
    """A column of scores.csv. needs: "folders" are left out of what others may see, "outcome" needs a threshold,
    "notes" need notes.

    take: makes the column from the score table with outcomes and notes; None where that table has it by this name.
    """

    name: str
    needs: Literal["scores", "folders", "outcome", "notes"] = "scores"
    take: Callable[[pd.DataFrame], pd.Series] | None = None


SCORES_CSV = (
    ScoreColumn("row"),
    ScoreColumn("sample_id"),
    ScoreColumn("path", "folders"),
    ScoreColumn("mask_path", "folders"),
    ScoreColumn("split"),
    ScoreColumn("defect"),
    ScoreColumn("is_defective"),
    ScoreColumn("score"),
    ScoreColumn("peak_row"),
    ScoreColumn("peak_column"),
    ScoreColumn("start_score"),
    ScoreColumn("whole_score"),
    ScoreColumn("outcome", "outcome"),
    ScoreColumn("threshold", "outcome"),
    ScoreColumn("threshold_rule", "outcome"),
    ScoreColumn("threshold_kept", "outcome"),
    ScoreColumn("tags", "notes"),
    ScoreColumn("comment", "notes"),
    ScoreColumn("label_is_wrong", "notes"),
)
"""The columns of scores.csv in their order; `store.layout.SCORE_COLUMNS` explains those of the score table."""


def csv_bytes(table: pd.DataFrame, *, digits: str | None = None) -> bytes:
    """A table as CSV in UTF-8 with a byte-order mark, without its index; see above for text like a formula."""
    texts = [name for name in table.columns if not pd.api.types.is_numeric_dtype(table[name])]
    quoted = {name: {cell: _quoted(cell) for cell in table[name].unique()} for name in texts}
    safe = table.assign(**{name: table[name].map(cells) for name, cells in quoted.items()})
    # Python's writer leaves a carriage return bare, where readers begin a new line.
    is_odd = any("\r" in cell for cells in quoted.values() for cell in cells if isinstance(cell, str))
    quoting = csv.QUOTE_ALL if is_odd else csv.QUOTE_MINIMAL
    return safe.to_csv(index=False, float_format=digits, lineterminator="\n", quoting=quoting).encode("utf-8-sig")


def scores_csv(
    results: RunResults, threshold: float | None = None, notes: RunNotes | None = None, *, with_folders: bool = True
) -> bytes:
    """One line per scored image: `SCORES_CSV`, with outcomes where a threshold and notes where notes are given.

    with_folders: also the paths of images and masks on this computer.
    """
    table, there = results.table, {"scores", *(["folders"] if with_folders else [])}
    if threshold is not None:
        table, there = _called(results, threshold), there | {"outcome"}
    if notes is not None:
        table, there = add_notes(table, notes), there | {"notes"}
    columns = [column for column in SCORES_CSV if column.needs in there]
    return csv_bytes(
        pd.DataFrame({one.name: one.take(table) if one.take is not None else table[one.name] for one in columns})
    )


def _called(results: RunResults, threshold: float) -> pd.DataFrame:
    """The score table with outcomes, and with the threshold, its rule and the day it was kept in every line."""
    store = results.seen.store
    facts = threshold_facts(store, results, decision_at(store, results, threshold))
    return add_outcomes(results.table, threshold).assign(
        threshold=threshold, threshold_rule=facts["rule"], threshold_kept=facts["kept"] or ""
    )


def travel_csv(travel: Travel, sample_ids: Sequence[str]) -> bytes:
    """One line per position and saved time, times of a position below each other;
    the divergence only where it was computed.

    sample_ids: ids in the order of the run's score table, which `travel.positions.row` points into. Raises FlowError
    when they do not fit.
    """
    columns = {
        "norm": travel.norm,
        "speed": travel.speed,
        "radial_speed": travel.radial,
        "alignment": travel.alignment,
        "straightness": travel.straightness,
        "plane_1": travel.plane[..., 0],
        "plane_2": travel.plane[..., 1],
    }
    if travel.divergence is not None:
        columns["divergence"] = travel.divergence
    places = _places(travel.positions, sample_ids, len(travel.t))
    values = {name: np.asarray(column).T.ravel() for name, column in columns.items()}
    return csv_bytes(pd.DataFrame(places | {"t": np.tile(travel.t, len(travel.positions))} | values), digits=_DIGITS)


def story_csv(story: Story, cell: tuple[int, int], beside: Beside | None) -> bytes:
    """One line per path and time: distance from the origin, that over the normals' 99 % radius, the radius itself, the
    normals' median distance, and the score of the position followed if the flow ended there.
    """
    times = story.times
    own = np.zeros(story.alike.shape, bool)
    own[cell] = True
    paths = {"followed": (story.sample_id, cell, only(story.paths, own))}
    if beside is not None:
        paths["beside"] = beside.sample_id, beside.cell, beside.paths
    scores = score_at(story.paths, story.factors, times)[:, own][:, 0]
    parts = []
    for role, (sample_id, (row, column), path) in paths.items():
        norm = norm_at(path, times)[:, 0]
        columns = {"path": role, "sample_id": sample_id, "row": row, "column": column, "t": times, "norm": norm}
        columns |= {"radii": norm / story.well, "normals_99": story.well, "normals_median": story.median}
        parts.append(pd.DataFrame(columns | {"score": scores if role == "followed" else np.nan}))
    return csv_bytes(pd.concat(parts, ignore_index=True), digits=_DIGITS)


def projection_csv(projection: Projection, positions: PositionSet, sample_ids: Sequence[str]) -> bytes:
    """One line per point and time: its image and place, the method and its two coordinates.
    Raises FlowError as `travel_csv`.
    """
    n_times, n = projection.points.shape[:2]
    if len(positions) != n:
        raise FlowError(
            f"{n} points do not belong to {len(positions)} positions.", fix="Give the positions that were projected."
        )
    points = np.swapaxes(projection.points, 0, 1).reshape(-1, 2)
    columns = {"method": projection.method, "t": np.tile(projection.t, n), "x": points[:, 0], "y": points[:, 1]}
    return csv_bytes(pd.DataFrame(_places(positions, sample_ids, n_times) | columns), digits=_DIGITS)


def steps_csv(rows: Sequence[StepsRow]) -> bytes:
    """One line per solver and number of steps: metrics, milliseconds, and three columns of
    endpoint norms for each group.
    """
    lines = []
    for row in rows:
        line = {"solver": row.solver, "steps": row.steps, "evaluations": row.evaluations, "is_default": row.is_default}
        line |= {"ms_per_image": row.ms_per_image} | row.metrics
        lines.append(
            line
            | {f"norm_{group}_{word}": value for group, spread in row.norms.items() for word, value in _words(spread)}
        )
    return csv_bytes(pd.DataFrame(lines), digits=_DIGITS)


def return_csv(trips: Sequence[ReturnTrip]) -> bytes:
    """One line per solver, number of steps and group: return error as a share of the norm of the start."""
    lines = [[trip.solver, trip.steps, group, *spread] for trip in trips for group, spread in trip.errors.items()]
    return csv_bytes(
        pd.DataFrame(lines, columns=["solver", "steps_each_way", "group", *(f"error_{word}" for word in _SPREAD)]),
        digits=_DIGITS,
    )


def escape_csv(t: np.ndarray, curves: Mapping[str, np.ndarray]) -> bytes:
    """One line per group and time: share of its positions outside the normals' radius, 0 to 1. t: (S,); curves:
    group -> (S,).
    """
    parts = [pd.DataFrame({"group": group, "t": t, "share_outside": curve}) for group, curve in curves.items()]
    return csv_bytes(
        pd.concat(parts) if parts else pd.DataFrame(columns=["group", "t", "share_outside"]), digits=_DIGITS
    )


def depth_csv(t: np.ndarray, depth: np.ndarray) -> bytes:
    """One line per time: the depth of the well. t, depth: (S,)."""
    return csv_bytes(pd.DataFrame({"t": t, "depth": depth}), digits=_DIGITS)


def ideal_csv(ideal: Ideal) -> bytes:
    """One line per coupling (and the learned field), position and time:
    two coordinates and the norm in all dimensions.
    """
    n_times, n = len(ideal.t), len(ideal.start)
    t = np.asarray(ideal.t)[:, None, None]
    paths = {name: (1 - t) * ideal.start + t * end for name, end in ideal.ends.items()} | {"learned": ideal.learned}
    places = {"position": np.repeat(np.arange(n), n_times), "t": np.tile(ideal.t, n)}
    parts = [
        pd.DataFrame(
            {"coupling": name}
            | places
            | {"x": path[..., 0].T.ravel(), "y": path[..., 1].T.ravel(), "norm": ideal.norms[name].T.ravel()}
        )
        for name, path in paths.items()
    ]
    return csv_bytes(pd.concat(parts), digits=_DIGITS)


def radius_csv(t: np.ndarray, edges: np.ndarray, shares: Mapping[str, np.ndarray]) -> bytes:
    """One line per group, time and ring around the origin: share of the group's positions in it. t: (S,); edges: (R
    + 1,); shares: (S, R).
    """
    at, ring = (axis.ravel() for axis in np.meshgrid(np.arange(len(t)), np.arange(len(edges) - 1), indexing="ij"))
    rings = {"t": np.asarray(t)[at], "radius_from": edges[ring], "radius_to": edges[ring + 1]}
    parts = [
        pd.DataFrame({"group": group} | rings | {"share": np.asarray(share)[at, ring]})
        for group, share in shares.items()
    ]
    return csv_bytes(pd.concat(parts) if parts else pd.DataFrame(columns=["group", *rings, "share"]), digits=_DIGITS)


def landscape_csv(landscape: Landscape) -> bytes:
    """One line per point of the grid: coordinates in the plane, the field's two components there, and the potential."""
    y, x = np.meshgrid(landscape.y, landscape.x, indexing="ij")
    velocity, potential = landscape.velocity, landscape.potential
    columns = {
        "t": landscape.t,
        "x": x.ravel(),
        "y": y.ravel(),
        "velocity_x": velocity[..., 0].ravel(),
        "velocity_y": velocity[..., 1].ravel(),
    }
    return csv_bytes(pd.DataFrame(columns | {"potential": potential.ravel()}), digits=_DIGITS)


def _places(positions: PositionSet, sample_ids: Sequence[str], n_times: int) -> dict[str, np.ndarray]:
    """Image, place and group of each position, repeated for each time."""
    if len(positions) and not 0 <= positions.row.min() <= positions.row.max() < len(sample_ids):
        raise FlowError(
            f"Positions lie in images up to number {positions.row.max()}, but {len(sample_ids)} ids were given.",
            fix="Give the ids of the whole score table.",
        )
    ids = np.asarray(sample_ids, dtype=object)[positions.row]
    places = {
        "sample_id": ids,
        "grid_row": positions.grid_row,
        "grid_column": positions.grid_column,
        "group": positions.group,
    }
    return {name: np.repeat(column, n_times) for name, column in places.items()}


def _words(spread: Spread) -> list[tuple[str, float]]:
    return list(zip(_SPREAD, spread, strict=True))


def _quoted(cell: object) -> object:
    return _FORMULA.sub("'", cell) if isinstance(cell, str) else cell


def cell_from_csv(text: str) -> str:
    """A text as it was before it was written as a cell of a CSV."""
    return _QUOTED.sub("", text)
