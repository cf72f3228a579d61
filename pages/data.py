"""What does this data set contain, and is it ready for training?"""

import streamlit as st

from pages.ui import state
from pages.ui.access.visitor import only_trainers
from pages.ui.errors import shown
from pages.ui.frame import open_page
from pages.ui.intake.known_layout import show_folder
from pages.ui.intake.sets import show_photos
from pages.ui.roots import remembered
from wtflow.store.datasets import set_names
from wtflow.store.runs import RunStore

PHOTOS, FOLDER = "photos", "folder"
WAYS = {PHOTOS: ":material/add_a_photo: My photos", FOLDER: ":material/folder_open: A folder in a known layout"}
HINTS = {
    PHOTOS: "Photos of good and defective parts, from your computer or from that of the app. No folders to arrange.",
    FOLDER: "Images that are arranged already: MVTec AD, VisA or BTAD. The demo is here, too.",
}


def main(store: RunStore) -> None:
    way = state.choose("way", WAYS, way_of(store))
    with st.container(horizontal=True, vertical_alignment="center", key="ways"):
        st.segmented_control(
            "Where the images come from",
            list(WAYS),
            required=True,
            format_func=WAYS.__getitem__,
            label_visibility="collapsed",
            **state.bound("way", way),
        )
        if way == FOLDER or not state.get("photos"):
            st.caption(HINTS[way])
    if way == PHOTOS:
        show_photos(store)
    else:
        show_folder(store)


def way_of(store: RunStore) -> str:
    """Where nobody chose: an address with a folder, of a link or of another page, means that folder; so does a folder
    that was open before, unless there are photos.
    """
    if state.get("photos"):
        return PHOTOS
    if state.get("root"):
        return FOLDER
    return FOLDER if not set_names(store) and remembered(store) is not None else PHOTOS


store = open_page("data")
with shown():
    only_trainers()
    main(store)
