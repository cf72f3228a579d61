"""What a person sees before the first run: what this is, a picture of what one gets, and how it goes."""

import base64
from functools import cache

import streamlit as st

from pages.ui.frame import ASSETS
from pages.ui.words import glossed

# Icon, title and text of what a person goes through.
STEPS = (
    (
        ":material/photo_library:",
        "Images",
        "About sixty images of normal parts are enough to begin with. Only the test needs defective ones.",
    ),
    (
        ":material/model_training:",
        "Train",
        (
            "A separate process learns the flow. You may close the browser: training goes on, and you can stop and"
            " resume it."
        ),
    ),
    (
        ":material/monitoring:",
        "Decide",
        (
            "Set a threshold on the scores and see at once which defects are found or missed, and which images are"
            " false alarms."
        ),
    ),
    (
        ":material/center_focus_strong:",
        "Look",
        "Open any image: where the map sees a defect, and what a single pixel's score is made of.",
    ),
    (
        ":material/image_search:",
        "Inspect",
        (
            "Drop this week's images, name a folder or watch one: which are defective, whether camera or light have"
            " changed, and a table to take home."
        ),
    ),
    (
        ":material/route:",
        "Understand",
        (
            "Watch features travel from the data to the noise, see which ones fall into the well and which escape,"
            " paint a defect and see what would happen."
        ),
    ),
)

PICTURES = (
    ("fibre", "A foreign fibre", "tp", "defect found"),
    ("cut", "A cut", "tp", "defect found"),
    ("good", "Sound fabric", "tn", "normal passed"),
)
"""Files in assets/first/ (an image, and the same under its map as `export --zip` writes it), what they show, and the
call. They are of the run of *Train the demo*: two defects of high scores, and a normal image of median score."""


def show_welcome() -> None:
    """What the app does, in words."""
    st.markdown(
        glossed(
            "### Learn what normal looks like, see what is not\nWT-Flow Studio learns from images of normal parts how"
            " their features flow into noise, and marks where a new image differs. You train a category, read its"
            " scores, set a threshold and look at every heat map."
        )
    )


def show_picture() -> None:
    """What one gets: three images of the demo, and what its run makes of them."""
    images, maps, calls = (
        "".join(make(*one) for one in PICTURES)
        for make in (
            lambda name, words, *_: f'<img src="{_picture(name)}" alt="{words}">',
            lambda name, words, *_: f'<img src="{_picture(f"{name}_map")}" alt="{words} under the map of the run">',
            lambda _, words, outcome, call: f'<p>{words}<br><span class="wt-badge wt-{outcome}">{call}</span></p>',
        )
    )
    st.html(
        f'<div class="wt-first"><span>image</span>{images}<span>what the run sees</span>{maps}<span></span>{calls}'
        "</div>"
        '<p class="wt-first-words">Three test images of the demo. Bright: unlike the normal images. Outlined: the true'
        " defect.</p>"
    )


@cache
def _picture(name: str) -> str:
    return "data:image/webp;base64," + base64.b64encode((ASSETS / "first" / f"{name}.webp").read_bytes()).decode()


def show_steps() -> None:
    """What will happen, for the first visit."""
    with st.grid(min_column_width=230, key="steps"):
        for icon, title, text in STEPS:
            with st.container(border=True, height="stretch"):
                st.markdown(f"{icon} **{title}**")
                st.caption(glossed(text))
