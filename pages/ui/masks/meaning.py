"""What the values in masks are taken for, as a table and on an example."""

import html

import streamlit as st

from pages.ui import mask_cache
from pages.ui.errors import plain
from wtflow.datasets.masks.preview import example_of
from wtflow.datasets.masks.words import value_rows
from wtflow.errors import ImageReadError
from wtflow.plots.masks import colours_of
from wtflow.records.core import Category, Sample
from wtflow.records.mask_rule import parse_rule, value_words
from wtflow.records.masks import MaskDecision

SIDES = "Left: the mask, a colour per value. Right: its image."
DEFECT_KEY = "<span class='wt-key wt-key-defect'></span>&ensp;inside the line: the defect"
LEFT_OUT_KEY = "<span class='wt-key wt-key-out'></span>&ensp;striped: left out, counts in neither class"


def show_example_of(category: Category, decision: MaskDecision, stamp: int) -> Sample | None:
    """A mask beside its image, marked as the masks are read; returns the image, which a person may choose. stamp: of
    the category, see `health.state_of`.
    """
    sample = pick_example(category, decision, stamp)
    if sample is not None:
        show_example(
            category,
            sample,
            decision.rule if decision.n_masks else "",
            stamp,
            as_stored=category.reading.masks_as_stored,
        )
        striped = f" &ensp; {LEFT_OUT_KEY}" if parse_rule(decision.rule).ignore else ""
        st.html(f"{SIDES} &ensp; {DEFECT_KEY}{striped}")
    return sample


def show_values(category: Category, decision: MaskDecision, stamp: int) -> None:
    """The table of values, each with the colour that it has in the example."""
    show_table(decision, _values(category, decision.rule, stamp))


def show_table(decision: MaskDecision, values: tuple[int, ...]) -> None:
    """The table of values, if there is any. values: of all masks; each has the colour that pictures show it in."""
    if not decision.values:
        return
    colours = {value_words(value): colour for value, colour in colours_of(values).items()}
    lines = [
        f"<tr><td><span class='wt-key' style='background: rgb{colours.get(value, (255, 255, 255))}'></span>&nbsp;"
        f"{html.escape(value)}</td><td>{masks}</td><td>{html.escape(share)}</td><td>{html.escape(role)}</td></tr>"
        for value, masks, share, role in value_rows(decision)
    ]
    head = "<tr><th>Value</th><th>In masks</th><th>Of all pixels</th><th>Taken for</th></tr>"
    st.html(f"<table class='wt-values'>{head}{''.join(lines)}</table>")
    more = decision.n_values - len(decision.values)
    if more > 0:
        st.caption(f"and {more:,} rarer values")


def pick_example(category: Category, decision: MaskDecision, stamp: int) -> Sample | None:
    """A choice among the images with a mask; the one that shows most comes first. None without a mask."""
    counted = mask_cache.surveyed(category, stamp, alpha=parse_rule(decision.rule or category.reading.masks).alpha)
    first = example_of(counted, next(iter(decision.doubtful), None)) or example_of(counted)
    samples = {sample.id: sample for sample in category.of("test") if sample.mask_path and sample.is_defective}
    if not samples:
        return None
    ids = sorted(samples, key=lambda name: name != first)
    if len(ids) == 1:
        return samples[ids[0]]
    return samples[st.selectbox("Example", ids, key=f"mask_example_{category.name}")]


def show_example(category: Category, sample: Sample, rule: str, stamp: int, *, as_stored: bool) -> None:
    """A mask with a colour per value and, beside it, its image with what a rule takes for the defect."""
    try:
        picture, problem = mask_cache.example(sample, rule, _values(category, rule, stamp), stamp, as_stored=as_stored)
    except ImageReadError as error:
        st.error(plain(error.message), icon=":material/broken_image:")
        return
    marked = f"what {rule} marks in it" if rule else "nothing marked"
    st.image(picture, width="stretch", alt=f"Left the mask of {sample.id}, right the image with {marked}")
    if problem:
        st.caption(f":material/warning: {plain(problem)}")


def _values(category: Category, rule: str, stamp: int) -> tuple[int, ...]:
    alpha = parse_rule(rule or category.reading.masks).alpha
    return tuple(sorted(mask_cache.surveyed(category, stamp, alpha=alpha).survey.counts))
