"""A small picture of a scored image, and a word where it is not the image that was scored."""

import streamlit as st

from pages.ui.errors import plain
from wtflow.studies.small_pictures import Small

NOTHING_LEFT = "No picture left"


def show_small(tile: Small, alt: str) -> None:
    """The picture at the width of its place. Of an image of which nothing is left, it says so."""
    st.image(tile.jpeg, width="stretch", alt=alt if not tile.note else f"{alt}; {tile.note}")
    if tile.note:
        st.caption(f":material/broken_image: {NOTHING_LEFT}", help=plain(tile.note))
