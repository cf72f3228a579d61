"""Step 5: a version to train on, the versions so far with their runs, and the health of the newest."""

import streamlit as st

from pages.ui import data_cache, widgets
from pages.ui.errors import plain, show_error
from pages.ui.frame import go, link
from pages.ui.intake import set_cache
from pages.ui.intake.known_layout import show_contents
from pages.ui.intake.said import say
from wtflow import numbers
from wtflow.errors import WTFlowError
from wtflow.intake.versions import changes_words, publish, what_changes
from wtflow.records.core import GOOD
from wtflow.records.intake import DEFECT, DataSet, Version
from wtflow.store.dataset_versions import newest_version, open_version, version_numbers, version_root
from wtflow.store.runs import RunStore


def words(store: RunStore, data: DataSet, versions: tuple[int, ...]) -> str:
    """How far this step is."""
    if not versions:
        return "no version yet"
    is_same = set_cache.is_published(store, data, versions[-1])
    return f"version {versions[-1]} is ready" if is_same else f"version {versions[-1]}, changed since"


def show_publish(store: RunStore, data: DataSet) -> None:
    """What the next version changes, the button that makes it, and *Train* once there is one."""
    newest = newest_version(store, data.name)
    bar = st.empty()
    try:
        if len(data.of("good")) < 2:
            st.info("At least two good photos are needed. Bring or sort some first.", icon=":material/info:")
        else:
            count = widgets.count_on(
                bar.progress(0.0, text="Looking for photos that are nearly the same"),
                lambda i, n: f"Looking for photos that are nearly the same: {i:,} of {n:,}",
            )
            changes = what_changes(store, data.name, count)
            bar.empty()
            show_next(store, data, newest, changes.is_empty, changes_words(changes, newest))
    except WTFlowError as error:
        bar.empty()
        show_error(error)
    if newest is None:
        return
    st.subheader("Versions", anchor=False)
    show_versions(store, data)
    root = version_root(store, data.name, newest.number)
    category = data_cache.category(store, root, data.name)
    show_contents(store, category)


def show_next(store: RunStore, data: DataSet, newest: Version | None, is_same: bool, words: str) -> None:
    """Train on the newest version, or make the next one first."""
    number = data.next_version
    if newest is not None and is_same:
        with st.container(border=True, key="ready"):
            st.subheader(f"Version {newest.number} is ready", anchor=False)
            st.write(plain(_counts(newest)))
            with st.container(horizontal=True, vertical_alignment="center"):
                if st.button("Train this", type="primary", icon=":material/model_training:", key="train_this"):
                    go(
                        "train",
                        root=str(version_root(store, data.name, newest.number)),
                        category=data.name,
                        watch=None,
                    )
                st.caption("It asks for nothing: the settings that fit most cases are chosen.", width="content")
        return
    with st.container(border=True, key="next_version"):
        st.subheader(f"Make version {number}", anchor=False)
        st.write(plain(words))
        left = [
            f"{numbers.count(n, 'photo')} {what}"
            for n, what in ((len(data.of("unsorted")), "not sorted yet"), (len(data.of("out")), "left out"))
            if n
        ]
        if left:
            st.caption(f"{' and '.join(left)}: these are not in it.")
        with st.container(horizontal=True, vertical_alignment="center"):
            is_pressed = st.button(
                f"Make version {number}", type="primary", icon=":material/inventory_2:", key="make_version"
            )
            st.caption(
                "A version is never changed afterwards: a run can always be traced to its photos.", width="content"
            )
        if is_pressed:
            _publish(store, data)


def _publish(store: RunStore, data: DataSet) -> None:
    bar = st.progress(0.0, text="Making the version")
    try:
        version = publish(
            store, data.name, seen=data.serial, progress=widgets.count_on(bar, lambda i, n: f"Image {i:,} of {n:,}")
        )
    except WTFlowError as error:
        show_error(error)
        return
    say([f"Version {version.number} is made. {version.words}"])
    st.rerun()


def _counts(version: Version) -> str:
    counts = version.counts
    good, tests = sum(counts["train"].values()), counts["test"]
    names = {name: "defective" if name == DEFECT else name for name in tests if name != GOOD}
    defective = ", ".join(f"{tests[name]:,} {shown}" for name, shown in names.items())
    return (
        f"{numbers.count(good, 'good photo')} to learn from; to test: {tests.get(GOOD, 0):,} good"
        f"{f', {defective}' if defective else ', no defective one'}."
    )


def show_versions(store: RunStore, data: DataSet) -> None:
    """Every version, newest first, with the runs that were trained on it."""
    runs = set_cache.trained_on(store, data.name)
    for number in reversed(version_numbers(store, data.name)):
        version = open_version(store, data.name, number)
        with st.container(horizontal=True, vertical_alignment="center", key=f"version_{number}"):
            st.markdown(f"**Version {number}**", width="content")
            st.caption(
                f"{widgets.moment(version.date)} · {plain(_counts(version))} {plain(version.words)}", width="content"
            )
            for run in runs.get(number, ()):
                if widgets.is_finished(run):
                    words = f"AUROC {numbers.metric(run.metrics.get('image_auroc'))}"
                    link("results", words, icon=":material/monitoring:", run=run.run_id)
                else:
                    link("train", "In training" if widgets.is_active(run) else "Not finished", watch=run.run_id)
            if number not in runs:
                st.badge("not trained", color="gray")
