"""The study of couplings to take home: every number as CSV, every figure as PNG, SVG and PDF, and its sentences."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import pandas as pd

from wtflow.config import Settings
from wtflow.export.tables import csv_bytes
from wtflow.records.coupling import SCORED, STEPS, CouplingFigures, CouplingStudy
from wtflow.store.files import write_atomic
from wtflow.studies.coupling.effects import figures_of
from wtflow.studies.coupling.words import differs_from_run, findings, left_out, own_sentence

_DIGITS: Final = "%.9g"
STILLS: Final[tuple[tuple[str, str, tuple[str, ...]], ...]] = (
    ("coupling-strength", "still_coupling_strength", ()),
    ("coupling-by-dimension", "still_coupling_effects", ("dimension",)),
    ("coupling-by-group", "still_coupling_effects", ("group_size",)),
    ("coupling-fields", "still_coupling_fields", ()),
)
"""Stem of the file, function in `plots.still`, what it takes besides the figures."""
NEEDS_DEFECTS: Final = "still_coupling_effects"


def flows_csv(study: CouplingStudy) -> bytes:
    """One line per flow: its field and its metrics."""
    names = [f"{key}_{steps}_steps" for steps in STEPS for key in SCORED]
    lines = [
        asdict(row) | dict(zip(names, values, strict=True))
        for row, values in zip(study.flows, study.values, strict=True)
    ]
    return csv_bytes(pd.DataFrame(lines), digits=_DIGITS)


def strengths_csv(study: CouplingStudy) -> bytes:
    """One line per dimension and group size: gamma, its error, and what it is compared with."""
    return csv_bytes(pd.DataFrame([asdict(one) for one in study.strengths]), digits=_DIGITS)


def effects_csv(figures: CouplingFigures) -> bytes:
    """One line per cell, coupling, metric and number of steps: the change against independent pairs, with interval."""
    columns = ["part", "dimension", "group_size", "coupling", "metric", "steps", "change", "low", "high"]
    rows = [
        [one.part, one.dimension, one.group_size, one.coupling, one.key, one.steps, *asdict(one.interval).values()]
        for one in figures.effects
    ]
    return csv_bytes(pd.DataFrame(rows, columns=columns), digits=_DIGITS)


def sentences(study: CouplingStudy, settings: Settings) -> list[str]:
    """All that the study says, the sentence about the run first. settings: the run's."""
    return [own_sentence(study), differs_from_run(study, settings), *findings(study), left_out(study)]


def write_study(study: CouplingStudy, settings: Settings, folder: Path) -> list[Path]:
    """All files, in a folder that is made where it is absent. Returns them. Raises StoreError, DiskFullError."""
    from wtflow.plots import still
    from wtflow.plots.still.sheet import to_pdf, to_png, to_svg

    figures = figures_of(study)
    text = "\n\n".join(sentences(study, settings)) + "\n"
    found: dict[str, bytes] = {
        "coupling-flows.csv": flows_csv(study),
        "coupling-strengths.csv": strengths_csv(study),
        "coupling-effects.csv": effects_csv(figures),
        "coupling.txt": text.encode(),
    }
    writers: dict[str, Callable[[Any], bytes]] = {"png": to_png, "svg": to_svg, "pdf": to_pdf}
    for stem, name, more in STILLS:
        if figures.effects or name != NEEDS_DEFECTS:
            draw = getattr(still, name)
            found |= {f"{stem}.{ending}": write(draw(figures, *more)) for ending, write in writers.items()}
    for name, content in found.items():
        write_atomic(folder / name, lambda file, content=content: file.write(content))
    return [folder / name for name in found]
