"""A run's line as the index keeps it: what is searched and sorted by in columns, the rest as JSON."""

import json
import math
from dataclasses import asdict
from typing import Any

from wtflow.records.core import RunStatus, RunSummary
from wtflow.records.pixel_images import PixelImages
from wtflow.store.dataset_versions import title_of
from wtflow.store.summaries import RunLine

DAMAGED = "damaged"

COLUMNS = (
    *("run_id", "folder", "files", "is_loose", "is_active"),
    *("state", "category", "title", "root", "created", "name", "star", "archived", "seconds", "find", "facts"),
)
"""Of the table of lines. `folder`, `files`: stamps of when it was read; `is_loose`: its files change, so that they are
looked at every time; `find`: by which words it is found; `facts`: metrics, unusual settings and tags by name. The whole
summary stands in a table beside it.
"""


def columns_of(line: RunLine, folder: str, files: str, *, is_loose: bool) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """The rows of both tables for a run that was read."""
    one = line.summary
    state = DAMAGED if one.status is None else one.status.state
    is_active = one.status is not None and one.status.is_active
    title = title_of(one.root, one.category) if one.root else one.category
    values = (
        *(one.run_id, folder, files, is_loose or is_active, is_active),
        *(state, _plain(one.category), _plain(title), _plain(one.root), one.created, _plain(one.name)),
        *(one.star, one.archived, one.seconds, _plain(_find_text(line, title)), json.dumps(_facts(line))),
    )
    return values, (one.run_id, json.dumps(asdict(one)))


def summary_in(text: str) -> RunSummary:
    """The summary that `columns_of` wrote as JSON."""
    values: dict[str, Any] = json.loads(text)
    status, pixels = values["status"], values["pixel_images"]
    return RunSummary(
        **values
        | {
            "status": None if status is None else RunStatus(**status),
            "tags": tuple(values["tags"]),
            "pixel_images": None if pixels is None else PixelImages(**pixels),
        }
    )


def _find_text(line: RunLine, title: str) -> str:
    """By which words a run is found, besides its state."""
    one, settings = line.summary, line.settings
    unusual = [] if settings is None else settings.model_dump(exclude_defaults=True, mode="json").items()
    words = (
        *(one.run_id, title, one.category, one.name, *one.tags, line.notes.comment, one.label),
        *(f"{name} {_text(value)}" for name, value in unusual),
        *(
            "starred" * one.star,
            "archived" * one.archived,
            "scored again" * one.is_rescored,
            "a file is missing" * bool(one.lack),
        ),
        *("untrained" * one.is_untrained, "embedded" * one.is_embedded, one.root.replace("\\", "/").rpartition("/")[2]),
        one.problem,
    )
    return " ".join(word for word in words if word).casefold()


def _facts(line: RunLine) -> dict[str, Any]:
    """Every metric, every setting that differs from its default, as one value each by name, and the tags."""
    settings = {} if line.settings is None else line.settings.model_dump(exclude_defaults=True, mode="json")
    metrics = line.summary.metrics if isinstance(line.summary.metrics, dict) else {}
    return {name: one_value(value) for name, value in (metrics | settings).items()} | {"tags": line.summary.tags}


def one_value(value: Any) -> Any:
    """A number or text that SQLite can compare; nothing for what is no number."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        return value if math.isfinite(value) else None
    return _text(value)


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return json.dumps(value) if isinstance(value, dict) else str(value)


def _plain(text: str) -> str:
    """Text that can be stored: letters that no encoding has are replaced."""
    return text.encode("utf-8", "replace").decode("utf-8")
