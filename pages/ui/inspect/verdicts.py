"""What an inspection says of one image, as a coloured word."""

import streamlit as st

from wtflow.numbers import of_threshold
from wtflow.records.inspect import Inspected

OF_THRESHOLD = " of the threshold"
"""Said once above the cards, which have no room for it."""


def show_verdict(row: Inspected) -> None:
    """The verdict as a coloured word, beside it the score as a share of the threshold."""
    if row.problem:
        st.badge("could not be read", icon=":material/broken_image:", color="gray")
        return
    share = (of_threshold(row.score, row.threshold) or "").removesuffix(OF_THRESHOLD)
    colour, word = ("orange", "called defective") if row.verdict == "defective" else ("blue", "called normal")
    st.markdown(f":{colour}-badge[{word}]{f' :small[{share}]' if share else ''}")
