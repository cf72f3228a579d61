"""What is kept of masks in a data set's folder: how they are read, and pictures with their outlines."""

import streamlit as st

from pages.ui.cache import THUMBNAIL_PX, file_stamp
from wtflow.datasets.images import load_image
from wtflow.datasets.masks.read import decide_masks, mask_rule_of, read_marks
from wtflow.datasets.stamps import stamp_files
from wtflow.plots.pictures import encode_jpeg, overlay, thumbnail
from wtflow.records.core import Category, Sample
from wtflow.records.mask_rule import parse_rule
from wtflow.records.masks import MaskDecision


def outlined(sample: Sample, rule: str, *, as_stored: bool) -> bytes:
    """JPEG of an image of a data set with what a rule for masks takes for the defect outlined, dashed around what it
    leaves out. Raises ImageReadError.
    """
    stamps = tuple(file_stamp(path) for path in (sample.path, sample.mask_path) if path is not None)
    return _outlined(sample, rule, as_stored, stamps)


@st.cache_data(max_entries=3000, show_spinner=False, hash_funcs={Sample: repr})
def _outlined(sample: Sample, rule: str, as_stored: bool, stamps: tuple[int, ...]) -> bytes:
    small = thumbnail(load_image(sample.path, None), THUMBNAIL_PX)
    found = read_marks(sample, parse_rule(rule), as_stored=as_stored) if rule and sample.mask_path else None
    if isinstance(found, tuple):
        small = overlay(small, found[0], (0.0, 1.0), 0.0, found[0])
    return encode_jpeg(small)


def mask_decision(found: Category) -> MaskDecision:
    """How the masks of a category are read; opens each of them once while they are the same."""
    masks = [sample.mask_path for sample in found.of("test") if sample.mask_path is not None]
    stamp = hash(tuple(stamp_files(masks).items()))
    return _mask_decision(str(found.root), found.name, found.reading.model_dump_json(), stamp, found)


@st.cache_resource(max_entries=32, show_spinner=False)
def _mask_decision(root: str, name: str, reading: str, stamp: int, _found: Category) -> MaskDecision:
    return decide_masks(_found.of("test"), _found.reading, mask_rule_of(_found.of("train")))
