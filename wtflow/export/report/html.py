"""The parts of a report as one HTML page. Everything that enters the template is escaped, except our own figures."""

import functools
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

import wtflow
from wtflow.compare.runs import difference_words
from wtflow.export.report.comparison import ComparisonPart
from wtflow.export.report.pictures import Gallery
from wtflow.export.report.reproduce import changed_settings, setting_words, train_command
from wtflow.export.report.run_part import RunPart
from wtflow.failures.notes import FlaggedMetrics, count_tags, flagged_metrics, noted_rows
from wtflow.metrics import METRICS
from wtflow.numbers import difference, duration, metric, percent, percent_range
from wtflow.numbers import score as format_score
from wtflow.plots.theme import OUTCOMES, outcome_words
from wtflow.records.compare import Interval
from wtflow.records.notes import RunNotes

MOST_NOTES = 200
"""Notes of a run beyond these are counted and left to the zip: a report is read, not searched."""


@dataclass(frozen=True, slots=True)
class RunSection:
    """One run with its figures and pictures, ready for the template."""

    name: str
    part: RunPart
    figures: dict[str, Markup]
    galleries: tuple[Gallery, ...]


@dataclass(frozen=True, slots=True)
class Foot:
    """What the report states about itself."""

    made: float
    size: str
    picture_words: str
    is_large: bool
    """Pictures are larger than thumbnails, so fewer stand in a row."""
    with_paths: bool


def render(
    runs: Sequence[RunSection],
    comparison: ComparisonPart | None,
    curves: Markup,
    disagreements: Sequence[Gallery],
    foot: Foot,
) -> str:
    """The page. `curves`: the runs' curves on common axes, shown where there is a comparison."""
    views = [_view(run, foot.with_paths) for run in runs]
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            title=_title(runs),
            runs=views,
            comparison=comparison,
            curves=curves,
            disagreements=disagreements,
            foot=foot,
            metric_table=METRICS,
            version=wtflow.__version__,
            outcomes=OUTCOMES,
            tile_rem=36 if foot.is_large else 17,
            tiles_in_print=2 if foot.is_large else 3,
        )
    )


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "metric": metric,
        "percent": percent,
        "score": format_score,
        "signed": difference,
        "ends": _ends,
        "share": _share,
        "day": _day,
        "span": duration,
        "verdict": difference_words,
        "outcome_words": outcome_words,
    }
    return environment


def _view(run: RunSection, with_paths: bool) -> dict[str, Any]:
    """What the template reads of a run, prepared: the template should not compute."""
    part, results = run.part, run.part.results
    settings = results.settings
    return {
        "name": run.name,
        "part": part,
        "results": results,
        "config": results.config,
        "figures": run.figures,
        "galleries": run.galleries,
        "changed": [
            (name, setting_words(name, value, with_paths=with_paths), setting_words(name, usual, with_paths=with_paths))
            for name, (value, usual) in changed_settings(settings).items()
        ],
        "settings": [(name, setting_words(name, value, with_paths=with_paths)) for name, value in settings],
        "command": train_command(results.config, with_paths=with_paths),
        "stored": _UNKNOWN | results.metrics,
        "notes": _notes(part),
    }


_UNKNOWN = dict.fromkeys(("weights_hash", "threads", "device", "scored_from", "seconds", "peak_rss_mib"))
"""What an older run may not have stored."""


def _title(runs: Sequence[RunSection]) -> str:
    """Which categories, in the order of the runs, each once."""
    names = list(dict.fromkeys(run.part.results.config.category for run in runs))
    return f"Anomaly detection on {' and '.join(names)}"


def _notes(part: RunPart) -> dict[str, Any] | None:
    notes: RunNotes = part.notes
    if replace(notes, name="", star=False).is_empty:  # the name stands in the heading; a star is for the list of runs
        return None
    rows = noted_rows(part.results, notes, part.threshold)
    flagged: FlaggedMetrics = flagged_metrics(part.results, notes)
    return {
        "run_tags": notes.tags,
        "comment": notes.comment,
        "tags": count_tags(part.results, notes, part.threshold).to_dict("records"),
        "flagged": flagged,
        "images": [(row, notes.note(row["sample_id"])) for row in rows.head(MOST_NOTES).to_dict("records")],
        "n_more": max(0, len(rows) - MOST_NOTES),
    }


def _ends(interval: Interval) -> str:
    return f"{metric(interval.low)} to {metric(interval.high)}"


def _share(interval: Interval | None) -> str:
    """A share with the ends of its interval."""
    return "–" if interval is None else f"{percent(interval.value)} ({percent_range(interval.low, interval.high)})"


def _day(seconds: float) -> str:
    return time.strftime("%d %B %Y, %H:%M UTC", time.gmtime(seconds)).lstrip("0")
