"""Findings that tiles answer: strips, and regions that are small at a run's size."""

from collections.abc import Iterable

from wtflow.config import Settings
from wtflow.datasets.health_rules import worst_first
from wtflow.datasets.masks.check import small_regions
from wtflow.records.core import Finding
from wtflow.records.masks import RegionSizes
from wtflow.records.shapes import Shape


def left_open(
    findings: Iterable[Finding], regions: RegionSizes | None, settings: Settings, size_px: int
) -> tuple[Finding, ...]:
    """The findings that these settings do not answer, the worst first; what is said of small regions is of this size.

    regions: of the masks, at whatever size. size_px: side of a square with as many pixels as the run's maps, see
    `tiles.map_side`.
    """
    answered = {"small_regions"} | ({"strip"} if settings.tile != "off" else set())
    left = [finding for finding in findings if finding.code not in answered]
    return worst_first([*left, *small_regions(None if regions is None else regions.at(size_px))])


def fitting_tile(findings: Iterable[Finding], shape: Shape | None, settings: Settings) -> str | None:
    """The setting `tile` that answers what was found in images of this (height, width): "side" for strips; for
    small regions as many pixels of the image as the network takes. None where tiles are chosen already or would change
    nothing.
    """
    codes = {finding.code for finding in findings}
    if settings.tile != "off":
        return None
    if "strip" in codes:
        return "side"
    if "small_regions" in codes and shape is not None and settings.image_size < min(shape):
        return str(settings.image_size)
    return None
