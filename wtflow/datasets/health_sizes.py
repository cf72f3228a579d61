"""Findings that tiles answer: strips, and regions that are small at a run's size."""

from collections.abc import Iterable
from pathlib import Path

from wtflow.config import Settings
from wtflow.datasets.tiles import usual_shape
from wtflow.records.core import Finding
from wtflow.records.masks import RegionSizes


def left_open(
    findings: Iterable[Finding], regions: RegionSizes | None, settings: Settings, size_px: int
) -> tuple[Finding, ...]:
    """The findings that these settings do not answer.

    regions: what the findings say of regions, at whatever size. size_px: side of a square with as many pixels as the
    run's maps, see `tiles.map_side`.
    """
    answered = {"strip"} if settings.tile != "off" else set()
    if regions is not None and regions.size_for_all <= size_px:
        answered.add("small_regions")
    return tuple(finding for finding in findings if finding.code not in answered)


def fitting_tile(findings: Iterable[Finding], paths: Iterable[Path], settings: Settings) -> str | None:
    """The setting `tile` that answers what was found in images like these: "side" for strips; for small regions as many
    pixels of the image as the network takes. None where tiles are chosen already or would change nothing.
    """
    codes = {finding.code for finding in findings}
    if settings.tile != "off":
        return None
    if "strip" in codes:
        return "side"
    if "small_regions" in codes and settings.image_size < min(usual_shape(paths)):
        return str(settings.image_size)
    return None
