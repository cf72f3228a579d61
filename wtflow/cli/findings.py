"""What a check noticed, as the shell prints it; and the check that `train` makes before it starts."""

from collections.abc import Iterable
from typing import Any

from rich.console import Console

from wtflow import console
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


def look_before_training(category: Category, is_reading_all: bool, size_px: int) -> tuple[Finding, ...]:
    """Print what is wrong with the images, errors and warnings, and return every finding.

    is_reading_all: also read every image and mask, with a bar. size_px: side of the maps that regions of masks are
    compared with. Raises DatasetError for what prevents training.
    """
    from wtflow.datasets.health import check_category, refuse_errors
    from wtflow.datasets.health_folders import look_at_folders

    if is_reading_all:
        with console.progress() as show:
            told = console.steps(show, f"{category.name}: reading every image")
            findings = check_category(category, told, size_px).findings
    else:
        findings = look_at_folders(category)
    print_findings((one for one in findings if one.severity != "info"), console.err)
    refuse_errors(category.name, findings)
    return findings
