"""Corrections: what a run, or an inspection, got wrong is said on its image, collected in a list, and becomes the next
version of the data set, on which the same settings are trained again.
"""

from pathlib import Path

import streamlit as st

from pages.ui import widgets
from pages.ui.access.visitor import trainers
from pages.ui.errors import plain, show_error
from pages.ui.frame import go, link
from pages.ui.intake import set_cache
from pages.ui.intake.addresses import address_of
from pages.ui.intake.mask_editor import show_mask_editor
from pages.ui.intake.said import say, show_said
from wtflow import numbers
from wtflow.datasets.decode import read_size
from wtflow.errors import WTFlowError
from wtflow.intake.copied import copy_of
from wtflow.intake.corrected import apply_corrections, correction_words, preview_words
from wtflow.intake.corrections import (
    Kind,
    correct,
    correct_file,
    corrections_of,
    mask_of_correction,
    take_back,
)
from wtflow.intake.drawn import marks_of
from wtflow.intake.known_mask import known_mask
from wtflow.intake.pictures import picture_of_file
from wtflow.jobs import trainings
from wtflow.records.core import RunSummary
from wtflow.records.intake import DEFECT, Correction
from wtflow.store.dataset_versions import own_set, version_of, version_root
from wtflow.store.runs import RunStore

KINDS: dict[Kind, str] = {"good": "This is good after all", "defect": "This is a defect", "out": "Leave it out"}
_DRAWN = "correction_drawn"
"""Session key: (image, PNG) of the mask that is being drawn."""


def offer_correction(
    store: RunStore,
    run_id: str,
    image: str,
    path: Path,
    *,
    is_defective: bool | None = None,
    defect: str = "",
    sha256: str = "",
    is_of_run: bool = True,
) -> None:
    """One line below an image: what was said of it, with a way back, or a button that opens a dialog to say it.

    image: its id in the run, or its name in an inspection; path: its file; is_defective, defect: what it was called so
    far. is_of_run: False for an image of an inspection, which then becomes one of the data set; sha256: of its contents
    as they were inspected.
    """
    try:
        said = next((one for one in corrections_of(store, run_id) if one.image == image), None)
    except WTFlowError as error:
        show_error(error)
        return
    with st.container(horizontal=True, vertical_alignment="center", key="correction"):
        if said is not None:
            st.badge("corrected", icon=":material/edit_note:", color="primary")
            st.caption(plain(correction_words(said).removeprefix(f"{said.image}: ")), width="content")
            _offer_undo(store, run_id, said, "correction")
        if st.button(
            "Correct it again" if said else "Correct the data",
            icon=":material/edit_note:",
            key="correct",
            **trainers(
                help="The label, or the mask, is wrong: say what is right, for the next version of the data set"
            ),
        ):
            st.session_state.pop(_DRAWN, None)
            ask = st.dialog(f"What is {image.rpartition('/')[2]}?", width="large", icon=":material/edit_note:")
            ask(_ask)(store, run_id, image, path, is_defective, defect, sha256 if not is_of_run else None)


def _ask(
    store: RunStore,
    run_id: str,
    image: str,
    path: Path,
    is_defective: bool | None,
    defect: str,
    inspected: str | None,
) -> None:
    """inspected: the content hash that an inspection saw; None for an image of the run."""
    first: Kind = "good" if is_defective else "defect"
    kind: Kind = st.segmented_control(
        "What is right?", list(KINDS), default=first, required=True, format_func=KINDS.__getitem__, key="correct_kind"
    )
    kind_of_defect = ""
    if kind == "defect":
        kind_of_defect = st.text_input(
            "Type of defect", value=defect if is_defective and defect else DEFECT, max_chars=60, key="correct_type"
        ).strip()
        _show_editor(image, path, *_known(store, run_id, image, inspected))
    elif kind == "out":
        st.caption("It will neither train nor test: a broken photo, the wrong part, a hand in the picture.")
    else:
        st.caption("It stays a test image where it was one, so that versions can be compared.")
    if not st.button("Add to the corrections", type="primary", icon=":material/playlist_add:", key="correct_add"):
        return
    drawn = st.session_state.get(_DRAWN, ("", b""))
    try:
        mask = marks_of(drawn[1]) if kind == "defect" and drawn[0] == image else None
        if inspected is None:
            correct(store, run_id, image, kind, defect=kind_of_defect or DEFECT, mask=mask)
        else:
            more = {"sha256": inspected, "image": image}
            correct_file(store, run_id, path, kind, defect=kind_of_defect or DEFECT, mask=mask, **more)
    except WTFlowError as error:
        show_error(error)
        return
    st.toast("It is in the list of corrections.", icon=":material/edit_note:")
    st.rerun()


def _known(store: RunStore, run_id: str, image: str, inspected: str | None) -> tuple[bytes, str]:
    """The mask that the image has, empty without one, and what to say of it."""
    try:
        mask = known_mask(store, run_id, image, inspected or "")
    except WTFlowError as error:
        return b"", f"Its mask cannot be shown: {error.message} Draw where the defect is, if you like."
    if not mask:
        return b"", "It has no mask yet. Draw where the defect is, if you like."
    return mask, "This is the mask that it has. It stays as it is, unless you change it."


def _show_editor(image: str, path: Path, mask: bytes, words: str) -> None:
    """mask: the one to start from; words: about it."""
    try:
        shape, picture = read_size(path), picture_of_file(path, image)
    except WTFlowError as error:
        show_error(error)
        return

    def keep(key: str, png: bytes, _: bool) -> None:
        st.session_state[_DRAWN] = (key, png)

    at, drawn = st.session_state.get(_DRAWN, ("", b""))
    is_erased = at == image and bool(mask) and not drawn
    st.caption("Nothing is marked any more: then the mask that it has stays." if is_erased else plain(words))
    show_mask_editor(
        "correct_mask",
        picture_key=image,
        name=image,
        shape=shape,
        image=address_of(picture, "correct-image"),
        mask=drawn if at == image else mask,
        on_save=keep,
    )


def show_corrections(store: RunStore, run_id: str) -> None:
    """The list of corrections of the data set of a run, each with a way back; what they change, and the button that
    makes the next version and trains on it; then the way to compare both. Nothing where there is neither.
    """
    try:
        said, later = corrections_of(store, run_id), _trained_later(store, run_id)
    except WTFlowError as error:
        show_error(error)
        return
    if not said and not later:
        return
    with st.container(border=True, key="card-corrections"):
        st.subheader("Corrections", anchor=False)
        show_said()
        for one in said:
            with st.container(horizontal=True, vertical_alignment="center", key=f"said_{one.id}"):
                st.markdown(plain(correction_words(one)), width="content")
                if mask_of_correction(store, run_id, one) is not None:
                    st.badge("drawn", icon=":material/brush:", color="gray")
                _offer_undo(store, run_id, one, "list")
        if said:
            _show_apply(store, run_id)
        if later:
            _show_later(run_id, store.config(run_id).category, later[0])


def _offer_undo(store: RunStore, run_id: str, said: Correction, where: str) -> None:
    if st.button("Undo", icon=":material/undo:", type="tertiary", key=f"undo_{where}_{said.id}", **trainers()):
        try:
            take_back(store, run_id, said.sha256)
        except WTFlowError as error:
            show_error(error)
        else:
            st.rerun()


def _show_apply(store: RunStore, run_id: str) -> None:
    st.caption(plain(preview_words(store, run_id)))
    label = "Make the next version and train again"
    if not st.button(label, type="primary", icon=":material/model_training:", **trainers()):
        return
    bar = st.progress(0.0, text="Making the next version")
    try:
        applied = apply_corrections(
            store, run_id, widgets.count_on(bar, lambda i, n: f"Making the next version: {i:,} of {n:,}")
        )
        version = applied.version
        root = version_root(store, version.name, version.number)
        config = store.config(run_id)
        trainings.start(store, root, version.name, config.settings, sized=config.sized)
    except WTFlowError as error:
        show_error(error)
        return
    copied = [f"The images were copied into a data set of yours, {version.name}; the folder itself is as it was."]
    refused = [f"{one.name}: {one.reason}" for one in applied.problems]
    n = numbers.count(applied.n_applied, "correction")
    say([f"Version {version.number} has {n}, and is in training.", *copied * applied.is_copied, *refused])
    st.rerun()


def _trained_later(store: RunStore, run_id: str) -> list[RunSummary]:
    """Runs on later versions of the same data set, newest first."""
    root = store.config(run_id).root
    own = own_set(store, root)
    name, number = own or copy_of(store, run_id), 0
    if own and (version := version_of(root)):
        number = version[1]
    runs = set_cache.trained_on(store, name) if name else {}
    later = [run for one, found in runs.items() for run in found if one > number and run.run_id != run_id]
    return sorted(later, key=lambda run: -run.created)


def _show_later(run_id: str, category: str, run: RunSummary) -> None:
    """The newest run on a later version: to watch, or to compare with this one on the images that both know."""
    version = version_of(run.root)
    with st.container(horizontal=True, vertical_alignment="center", key="trained_later"):
        widgets.state_badge(run)
        st.markdown(f"Trained again on version {version[1] if version else '?'}.", width="content")
        if not widgets.is_finished(run):
            link("train", "Watch it", icon=":material/visibility:", watch=run.run_id)
        elif st.button("Compare both", type="primary", icon=":material/compare_arrows:", key="compare_both"):
            go("compare", runs_of=category, runs=[run_id, run.run_id], common="1", part=None, sample=None)
        st.caption(
            "Compared on the images that both runs tested; none of these trained either of them.", width="content"
        )
