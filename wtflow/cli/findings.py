"""What a check noticed, as the shell prints it; and the check that `train` makes before it starts."""

from collections.abc import Iterable
from typing import Any

from rich.console import Console

from wtflow import console
from wtflow.config import Settings
from wtflow.records.core import Category, Finding


def print_findings(findings: Iterable[Finding], where: Console) -> None:
    for finding in findings:
        where.print(f"  {finding.severity}: {finding.message} {finding.fix}", markup=False)


def facts_of(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """The findings for --json."""
    return [
        {
            "severity": finding.severity,
            "code": finding.code,
            "message": finding.message,
            "fix": finding.fix,
            "paths": list(finding.paths),
            "offers": [
                {"words": offer.words, "reading": offer.reading.model_dump(mode="json")} for offer in finding.offers
            ],
        }
        for finding in findings
    ]


def look_before_training(category: Category, is_reading_all: bool, settings: Settings) -> tuple[Finding, ...]:
    """Print what is wrong with the images, errors and warnings that these settings leave open, and return every finding
    that they do.

    is_reading_all: also read every image and mask, with a bar. Raises DatasetError for what prevents training.
    """
    from wtflow.datasets.health import check_category, refuse_errors
    from wtflow.datasets.health_folders import look_at_folders
    from wtflow.datasets.health_sizes import left_open
    from wtflow.datasets.tiles import map_side, quick_canvas, quick_shape

    shape = quick_shape([sample.path for sample in category.of("train")])
    size_px = map_side(quick_canvas(shape, settings), settings)
    if is_reading_all:
        with console.progress() as show:
            told = console.steps(show, f"{category.name}: reading every image")
            report = check_category(category, told, size_px)
        findings = left_open(report.findings, report.regions, settings, size_px)
    else:
        findings = look_at_folders(category)
    first_error = next((one for one in findings if one.severity == "error"), None)  # told by the refusal itself
    print_findings((one for one in findings if one.severity != "info" and one is not first_error), console.err)
    refuse_errors(category.name, findings)
    return findings
