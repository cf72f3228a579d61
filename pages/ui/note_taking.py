"""Writing down what one sees: tags with quick keys, a comment and "label is wrong" per image, a comment per run. And
finding them again.

Every press is saved at once, as one change to the newest notes. What people wrote is shown letter by letter.
"""

import re
from collections.abc import Callable
from functools import partial

import streamlit as st

from pages.ui import cache, state, thresholds
from pages.ui.access.visitor import trainers
from pages.ui.errors import show_error
from wtflow import numbers
from wtflow.errors import StoreError, WTFlowError
from wtflow.failures.notes import COMMENTED, WRONG_LABEL, count_words, flagged_metrics
from wtflow.records.notes import ImageNote, RunNotes
from wtflow.results import RunResults
from wtflow.store.notes import MAX_COMMENT, add_tag, flag_label, remove_tag, set_comment
from wtflow.store.runs import RunStore

N_QUICK = 9
"""Tags with a key of their own: the digits 1 to 9."""
WRONG_KEY = "W"
JOINED = "Another window changed this comment in the meantime. Both texts are kept: yours stands below the other."

_OUTCOME = "notes_said"
"""Session key: what became of the last change, by (run, image), until it has been shown once."""
_SEEN = "notes_seen"
"""Session key: tags by run."""
_ICONS = {WRONG_LABEL: ":material/flag:", COMMENTED: ":material/comment:"}
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_JOINTS = re.compile(r"(?<=[-<>=~])(?=[-<>=~])|(?<=:)(?=//)|(?<=www)(?=\.)|(?=@)", re.IGNORECASE)
"""Where Streamlit would make an arrow or a link out of letters although they are escaped."""


def show_image_notes(store: RunStore, run_id: str, sample_id: str) -> None:
    """Tags, flag and comment of one image, to read and to change."""
    try:
        notes = cache.notes(store, run_id)
    except StoreError as error:
        show_error(error)
        return
    note = notes.note(sample_id)
    with st.container(border=True, key=f"card-notes_{sample_id}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("**Notes on this image**", width="content")
            _show_outcome(run_id, sample_id)
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            _show_tags(store, run_id, sample_id, notes, note)
        _show_comment(store, run_id, sample_id, note, "Comment")


def show_run_comment(store: RunStore, run_id: str) -> None:
    """The comment of a run, to read and to change."""
    try:
        notes = cache.notes(store, run_id)
    except StoreError as error:
        show_error(error)
        return
    _show_comment(store, run_id, None, notes, "Comment on this run")
    _show_outcome(run_id, None)


def show_tag_filter(results: RunResults, chosen: thresholds.Filter) -> None:
    """Pills that choose images by their notes; nothing where no test image has notes."""
    counts = count_words(results.test, thresholds.read_notes(results))
    if counts:
        st.pills(
            "Notes",
            list(counts),
            selection_mode="multi",
            wrap=True,
            format_func=lambda word: f"{_ICONS.get(word, '')} {as_written(word.strip())} ({counts[word]})".strip(),
            help="Images with any of these tags or notes",
            **state.bound("tag", list(chosen.tags)),
        )


def show_flagged_metrics(results: RunResults) -> None:
    """A line with the image metrics with and without the images whose label is called wrong;
    nothing where there are none.
    """
    notes = thresholds.read_notes(results)
    found = flagged_metrics(results, notes) if notes.flagged else None
    if found is None or not found.n_flagged:
        return
    are, them = ("image is", "it") if found.n_flagged == 1 else ("images are", "them")
    words = f":material/flag: {found.n_flagged} {are} flagged as wrongly labelled"
    if found.undefined:
        st.caption(f"{words}. Without {them} there are no metrics: {found.undefined}")
        return
    labels = {"image_auroc": "image AUROC", "image_ap": "AP", "image_f1_max": "best F1"}
    parts = [
        f"{label} {numbers.metric(found.with_flagged[name])} with, {numbers.metric(found.without_flagged[name])}"
        f" without {them}"
        for name, label in labels.items()
    ]
    st.caption(f"{words}: {'; '.join(parts)}. Pixel metrics count every image.")


def show_note_line(note: ImageNote) -> None:
    """What was written about an image, below its picture: what is cut off at the end are tags.
    Nothing where nothing was.
    """
    marks = [f"{_ICONS[WRONG_LABEL]} label is wrong"] * note.label_is_wrong + [f"{_ICONS[COMMENTED]} comment"] * bool(
        note.comment
    )
    for words in (marks, [as_written(tag) for tag in note.tags]):
        if words:
            st.caption(" · ".join(words))


def as_written(text: str) -> str:
    """A person's words so that a label or Markdown shows just these letters: no markup, entity, list, link or arrow."""
    return _PUNCTUATION.sub(r"\\\1", _JOINTS.sub("\N{WORD JOINER}", text))


def _known_tags(run_id: str, notes: RunNotes) -> list[str]:
    """Tags of the run, the most used first, then those that this session saw in use:
    one taken off by mistake stays within reach.
    """
    seen: dict[str, list[str]] = st.session_state.setdefault(_SEEN, {})
    seen[run_id] = [*notes.image_tags, *(tag for tag in seen.get(run_id, ()) if tag not in notes.image_tags)]
    return seen[run_id]


def _show_tags(store: RunStore, run_id: str, sample_id: str, notes: RunNotes, note: ImageNote) -> None:
    known = _known_tags(run_id, notes)
    quick = sorted(known[:N_QUICK], key=str.casefold)  # by name, so that a key keeps its meaning while counts change
    for i, tag in enumerate([*quick, *(tag for tag in note.tags if tag not in quick)]):
        is_on = tag in note.tags
        _switch(
            (run_id, sample_id),
            as_written(tag),
            is_on,
            partial(remove_tag if is_on else add_tag, store, run_id, sample_id, tag),
            key=f"tag_{i}",
            shortcut=str(i + 1) if i < len(quick) else None,
        )
    key = f"new_tag_{run_id}_{sample_id}"
    st.selectbox(
        "Add a tag",
        [tag for tag in known if tag not in note.tags],
        index=None,
        accept_new_options=True,
        placeholder="Add a tag in your own words",
        label_visibility="collapsed",
        width=260,
        key=key,
        on_change=_take_tag,
        args=(store, run_id, sample_id, key),
        **trainers(),
    )
    _switch(
        (run_id, sample_id),
        "Label is wrong",
        note.label_is_wrong,
        partial(flag_label, store, run_id, sample_id, not note.label_is_wrong),
        key="wrong",
        shortcut=WRONG_KEY,
        icon=_ICONS[WRONG_LABEL],
    )


def _switch(
    where: tuple[str, str],
    label: str,
    is_on: bool,
    write: Callable[[], object],
    *,
    key: str,
    shortcut: str | None,
    icon: str | None = None,
) -> None:
    """A button that is on or off, and shows it by more than its colour."""
    st.button(
        label,
        key=f"{key}_{'_'.join(where)}",
        icon=":material/check:" if is_on else icon,
        type="primary" if is_on else "secondary",
        shortcut=shortcut,
        on_click=_press,
        args=(*where, write),
        **trainers(help="On: press to remove it" if is_on else None),
    )


def _take_tag(store: RunStore, run_id: str, sample_id: str, key: str) -> None:
    """A chosen or typed tag is added; the field is emptied once it is saved."""
    tag = st.session_state[key]
    if tag and _save(run_id, sample_id, partial(add_tag, store, run_id, sample_id, tag)):
        st.session_state[key] = None


def _show_comment(store: RunStore, run_id: str, sample_id: str | None, owner: ImageNote | RunNotes, label: str) -> None:
    # A key per revision: the field takes its text from the notes once these change, and keeps which text a person began
    # from.
    key = f"comment_{run_id}_{sample_id}_{owner.revision}"
    st.text_area(
        label,
        owner.comment,
        height="content",
        max_chars=max(MAX_COMMENT, len(owner.comment)),
        placeholder="Saved when you leave the field",
        key=key,
        on_change=lambda: _press(
            run_id,
            sample_id,
            lambda: set_comment(store, run_id, sample_id, st.session_state[key], owner.revision).is_joined,
        ),
        **trainers(),
    )


def _press(run_id: str, sample_id: str | None, write: Callable[[], object]) -> None:
    """`_save` as a callback of a widget, which returns nothing."""
    _save(run_id, sample_id, write)


def _save(run_id: str, sample_id: str | None, write: Callable[[], object]) -> bool:
    """Make a change and keep in mind what became of it. `write` returns True where two texts were joined."""
    try:
        outcome: str | WTFlowError = JOINED if write() is True else "Saved"
    except WTFlowError as error:
        outcome = error
    st.session_state[_OUTCOME] = (run_id, sample_id, outcome)
    return not isinstance(outcome, WTFlowError)


def _show_outcome(run_id: str, sample_id: str | None) -> None:
    *where, outcome = st.session_state.get(_OUTCOME, (None, None, None))
    if outcome is None or where != [run_id, sample_id]:
        return
    del st.session_state[_OUTCOME]
    if isinstance(outcome, WTFlowError):
        show_error(outcome)
    elif outcome == JOINED:
        st.warning(outcome, icon=":material/call_merge:")
    else:
        st.caption(f":material/check: {outcome}", width="content")
