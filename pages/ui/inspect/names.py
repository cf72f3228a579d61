"""What an inspection is called on the page."""

from pathlib import PurePath

from wtflow import numbers
from wtflow.errors import WTFlowError
from wtflow.records.inspect import Inspection
from wtflow.store import inspections
from wtflow.store.inspection_words import read_words
from wtflow.store.runs import RunStore


def name_of(store: RunStore, inspection: Inspection) -> str:
    """The name that somebody gave it, else what was inspected."""
    try:
        given = read_words(store, inspection.inspection_id).name
    except WTFlowError:
        given = ""  # the page of the inspection says what is wrong
    return given or what_was_inspected(inspection)


def was_dropped(inspection: Inspection) -> bool:
    """Whether its images came through the browser, and through it alone."""
    names = [PurePath(one) for one in inspection.sources]
    return [(one.parent.name, one.name) for one in names] == [(inspection.inspection_id, inspections.UPLOADS)]


def what_was_inspected(inspection: Inspection) -> str:
    """The folder, the one file, or how many images came through the browser."""
    names = [PurePath(one) for one in inspection.sources]
    if not names:
        return inspection.inspection_id
    if was_dropped(inspection):
        n = inspection.counts.n_found
        return numbers.count(n, "dropped image") if n else "dropped images"
    return names[0].name or str(names[0]) if len(names) == 1 else f"{names[0].name} and {len(names) - 1} more"
