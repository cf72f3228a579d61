"""Commands about data: `demo`, `check` and `cache`."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from wtflow import console
from wtflow.cli.findings import facts_of, print_findings
from wtflow.cli.parts import Json, Mistakes, Root
from wtflow.cli.reading import Good, MasksAsStored, MaskValues, good_of_each, reading_for
from wtflow.records.core import HealthReport
from wtflow.store.runs import RunStore


def demo(
    directory: Annotated[Path, typer.Argument(help="Folder to write the demo categories to.")], as_json: Json = False
) -> None:
    """Write the three procedural demo categories."""
    from wtflow.datasets.demo.write import DEMO_CATEGORIES, write_demo

    with Mistakes(as_json), console.progress() as show:
        root = write_demo(directory, progress=console.steps(show, "drawing the demo"))
    console.err.print(f"{', '.join(DEMO_CATEGORIES)} are in {root}.", markup=False)
    console.finish(as_json, {"root": str(root), "categories": list(DEMO_CATEGORIES)})


def check(
    root: Root,
    category: Annotated[str | None, typer.Option(help="Only this category.")] = None,
    size: Annotated[int, typer.Option(min=1, help="Image size that regions of masks are compared with.")] = 256,
    mask_values: MaskValues = None,
    good: Good = None,
    masks_as_stored: MasksAsStored = None,
    as_json: Json = False,
) -> None:
    """List what a data set contains and what is wrong with it. Exit code 1 when something prevents training.
    What is said here about how to read it is remembered.
    """
    from wtflow.datasets.health import check_category
    from wtflow.datasets.scan import find_categories, scan_category

    reports = []
    with Mistakes(as_json):
        found = find_categories(root)
        names = [category] if category else found.categories
        good_of = {category: good} if category else good_of_each(found.root, names, good)
        for name in names:
            reading = reading_for(RunStore(), found.root, name, mask_values, good_of[name], masks_as_stored)
            with console.progress() as show:
                reports.append(
                    check_category(scan_category(found.root, name, reading), console.steps(show, name), size)
                )
            _print_report(reports[-1])
    console.finish(
        as_json,
        {"root": str(found.root), "layout": found.layout, "categories": [_report_facts(report) for report in reports]},
    )
    if any(report.errors for report in reports):
        raise typer.Exit(1)


def cache(
    clear: Annotated[bool, typer.Option("--clear", help="Delete all cached features and graphs.")] = False,
    as_json: Json = False,
) -> None:
    """Show or clear the cache of backbone features, and graphs for other runtimes. Runs keep their results;
    features and graphs are made again when needed.
    """
    from wtflow.store.features import FeatureCache
    from wtflow.store.graphs import GraphCache

    with Mistakes(as_json):
        store, graphs = FeatureCache(RunStore().home), GraphCache(RunStore().home)
        freed = store.clear() + graphs.clear() if clear else 0
        used, used_by_graphs = store.used_bytes(), graphs.used_bytes()
    console.err.print(
        f"{store.folder}: {used / 1e9:.2f} of {store.limit_bytes / 1e9:.0f} GB used"
        + f", graphs {used_by_graphs / 1e9:.2f} GB" * (used_by_graphs > 0)
        + f", {freed / 1e9:.2f} GB freed." * clear,
        markup=False,
    )
    console.finish(
        as_json,
        {"folder": str(store.folder), "used_bytes": used, "limit_bytes": store.limit_bytes, "freed_bytes": freed}
        | {"graph_bytes": used_by_graphs},
    )


def _print_report(report: HealthReport) -> None:
    from wtflow.datasets.masks.words import decision_words, expected_words, region_words

    counts = "; ".join(
        f"{split}: " + ", ".join(f"{n} {defect}" for defect, n in groups.items())
        for split, groups in report.counts.items()
    )
    console.out.print(f"{report.category} ({report.layout}) {counts}", markup=False)
    if report.masks is not None and report.masks.n_masks:
        console.out.print(f"  masks: {decision_words(report.masks)}", markup=False)
    if report.regions is not None:
        console.out.print(f"  regions: {region_words(report.regions)}", markup=False)
    if words := expected_words(report.pixel_images):
        console.out.print(f"  pixels: {words}", markup=False)
    print_findings(report.findings, console.out)
    if not report.findings:
        console.out.print("  no problems found", markup=False)


def _report_facts(report: HealthReport) -> dict[str, Any]:
    return {
        "category": report.category,
        "layout": report.layout,
        "reading": report.reading.model_dump(mode="json"),
        "counts": report.counts,
        "sizes": report.sizes,
        "modes": report.modes,
        "n_bytes": report.n_bytes,
        "masks": None if report.masks is None else asdict(report.masks),
        "pixel_images": report.pixel_images.facts,
        "regions": None if report.regions is None else report.regions.facts,
        "findings": facts_of(report.findings),
    }
