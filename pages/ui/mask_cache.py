"""What is kept of masks in a data set's folder: their values, how they are read, and pictures of what they mark."""

from collections.abc import Mapping
from pathlib import Path

import streamlit as st

from wtflow.datasets.images import load_image
from wtflow.datasets.masks.decide import decide
from wtflow.datasets.masks.preview import Preview, preview_rule
from wtflow.datasets.masks.read import Surveyed, mask_rule_of, read_marks, read_values, survey_masks
from wtflow.errors import ImageReadError
from wtflow.plots.masks import colours_of, hatch, paint_truth, paint_values, side_by_side
from wtflow.plots.pictures import draw_outline, encode_jpeg, thumbnail
from wtflow.records.core import Category, Sample
from wtflow.records.mask_rule import parse_rule
from wtflow.records.masks import MaskDecision
from wtflow.records.truth import LeftOut
from wtflow.studies.small_pictures import CARD_PX

EXAMPLE_PX = 480
"""Longer side of the mask and of the image in an example."""


def outlined(sample: Sample, rule: str, *, as_stored: bool, stamps: Mapping[Path, int]) -> bytes:
    """JPEG of an image of a data set with what a rule for masks takes for the defect outlined, and stripes over what it
    leaves out. stamps: of the files, see `datasets.stamps`. Raises ImageReadError.
    """
    paths = (sample.path, sample.mask_path)
    return _outlined(sample, rule, as_stored, tuple(stamps[path] for path in paths if path is not None))


@st.cache_data(max_entries=3000, show_spinner=False, hash_funcs={Sample: repr})
def _outlined(sample: Sample, rule: str, as_stored: bool, stamps: tuple[int, ...]) -> bytes:
    small = thumbnail(load_image(sample.path, None), CARD_PX)
    found = read_marks(sample, parse_rule(rule), as_stored=as_stored) if rule and sample.mask_path else None
    if isinstance(found, tuple):
        small = hatch(small, found[1])
        small = draw_outline(small, found[0]) if found[0].any() else small
    return encode_jpeg(small)


def example(sample: Sample, rule: str, values: tuple[int, ...], stamp: int, *, as_stored: bool) -> tuple[bytes, str]:
    """(JPEG, problem): the mask of an image with a colour for each of `values`, and beside it the image with what a
    rule takes for the defect and leaves out, where `rule` is not empty. problem: why the mask cannot be used, in a
    sentence, or empty. stamp: of the category. Raises ImageReadError where the image cannot be read.
    """
    return _example(sample, rule, values, as_stored, stamp)


@st.cache_data(max_entries=300, show_spinner=False, hash_funcs={Sample: repr})
def _example(sample: Sample, rule: str, values: tuple[int, ...], as_stored: bool, stamp: int) -> tuple[bytes, str]:
    image, parsed = load_image(sample.path, None), parse_rule(rule or "defect=nonzero")
    found = read_marks(sample, parsed, as_stored=as_stored) if rule else None
    problem = found.reason if isinstance(found, LeftOut) else ""
    picture = paint_truth(image, None if isinstance(found, LeftOut) else found, EXAMPLE_PX)
    if sample.mask_path is None:
        return encode_jpeg(picture), problem
    try:
        drawn = read_values(sample.path, sample.mask_path, alpha=parsed.alpha, as_stored=as_stored)
    except ImageReadError as error:
        return encode_jpeg(picture), problem or error.message
    return encode_jpeg(side_by_side(paint_values(drawn, colours_of(values), EXAMPLE_PX), picture)), problem


def preview(found: Category, rule: str, stamp: int) -> Preview:
    """What another rule would make of the masks of a category. Raises SettingsError for words that mean nothing."""
    parsed = parse_rule(rule)
    return preview_rule(surveyed(found, stamp, alpha=parsed.alpha), parsed, mask_rule_of(found.of("train")))


def mask_decision(found: Category, stamp: int) -> MaskDecision:
    """How the masks of a category are read; opens each of them once while they are the same."""
    said = parse_rule(found.reading.masks)
    return decide(surveyed(found, stamp, alpha=said.alpha).survey, said, mask_rule_of(found.of("train")))


def surveyed(found: Category, stamp: int, *, alpha: bool) -> Surveyed:
    """The values in the masks of a category, or in their transparency; opens each once while they are the same. stamp:
    differs when an image or a mask was written again; see `health.state_of`.
    """
    return _surveyed(str(found.root), found.name, stamp, alpha, found)


@st.cache_resource(max_entries=32, show_spinner="Reading the masks")
def _surveyed(root: str, name: str, stamp: int, alpha: bool, _found: Category) -> Surveyed:
    return survey_masks(_found.of("test"), alpha=alpha)
