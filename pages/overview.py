"""What is this, what is here already, what can I do next?"""

import streamlit as st

from pages.ui import widgets
from pages.ui.demo import follow_demo, train_demo
from pages.ui.errors import plain, shown
from pages.ui.frame import go, link, open_page
from wtflow import numbers
from wtflow.jobs import trainings
from wtflow.jobs.demos import demo_root
from wtflow.records.core import RunSummary
from wtflow.store.runs import RunStore

PER_PAGE = 12
POLL_S = 2.0

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
        ":material/route:",
        "Understand",
        (
            "Watch features travel from the data to the noise, see which ones fall into the well and which escape,"
            " paint a defect and see what would happen."
        ),
    ),
)


def main(store: RunStore) -> None:
    summaries = trainings.live_summaries(store)
    show_start(store, summaries)
    if not summaries:
        show_steps()
    is_active = any(widgets.is_active(s) for s in summaries)
    st.fragment(show_runs, run_every=POLL_S if is_active else None)(store, is_active)


def show_start(store: RunStore, summaries: list[RunSummary]) -> None:
    """What this is, and the one thing to do next."""
    with st.container(border=True, key="hero"):
        st.markdown(
            "### Learn what normal looks like, see what is not\nWT-Flow Studio learns from images of normal parts how"
            " their features flow into noise, and marks where a new image differs. You train a category, read its"
            " scores, set a threshold and look at every heat map."
        )
        active = [s for s in summaries if widgets.is_active(s)]
        finished = [s for s in summaries if widgets.is_finished(s)]
        is_drawing = follow_demo(store)
        with st.container(horizontal=True, vertical_alignment="center"):
            show_next(store, active, finished, is_drawing)


def show_steps() -> None:
    """What will happen, for the first visit."""
    with st.grid(min_column_width=260, key="steps"):
        for icon, title, text in STEPS:
            with st.container(border=True, height="stretch"):
                st.markdown(f"{icon} **{title}**")
                st.caption(text)


def show_next(store: RunStore, active: list[RunSummary], finished: list[RunSummary], is_drawing: bool) -> None:
    """What to do next; it depends on what is there. is_drawing: the demo is on its way already."""
    if active:
        if st.button("Watch the training", type="primary", icon=":material/visibility:"):
            go("train", watch=active[-1].run_id)
        st.caption(
            f"{plain(active[-1].category)} is being trained. Its results open when it has finished.", width="content"
        )
        return
    if finished and st.button(
        f"Results of {plain(finished[0].category)}", type="primary", icon=":material/monitoring:"
    ):
        go("results", run=finished[0].run_id)
    if not is_drawing and st.button(
        "Train the demo", type="secondary" if finished else "primary", icon=":material/play_arrow:", key="train_demo"
    ):
        train_demo(store)
    if finished:
        link("try_image", "Try an image of your own", icon=":material/add_photo_alternate:", run=finished[0].run_id)
    elif not is_drawing:
        st.caption(
            "Draws some images of a product here and trains on them: about a minute on two cores, no download.",
            width="content",
        )
    link("data", "Open a folder of your own", icon=":material/folder_open:")


def show_runs(store: RunStore, was_active: bool) -> None:
    """All runs, newest first, kept up to date while one is active."""
    with shown():
        trainings.reconcile(store)
        summaries = trainings.live_summaries(store)
    if was_active and not any(widgets.is_active(s) for s in summaries):
        st.rerun()
    st.subheader("Runs", anchor=False)
    if not summaries:
        st.caption(f"No run yet. Runs are kept in {plain(str(store.home))}.")
        return
    for i in widgets.pager(len(summaries), PER_PAGE):
        show_run(summaries[i], str(demo_root(store)))
    st.caption(f"Kept in {plain(str(store.home))}")


def show_run(summary: RunSummary, demo: str) -> None:
    with st.container(border=True, key=f"card-run_{summary.run_id}"):
        name, badge, middle, action = st.columns([4.5, 2.4, 2.6, 1.4], vertical_alignment="center")
        status = summary.status
        is_sound = status is not None and not summary.problem
        with name:
            tag = "  :small[:gray[demo]]" if summary.root == demo else ""
            st.markdown(f"**{plain(summary.category if is_sound else summary.run_id)}**{tag}")
            st.caption(
                f"{widgets.moment(summary.created)} · {plain(summary.label)}" if is_sound else plain(summary.problem)
            )
        with badge, st.container(horizontal=True, gap="xsmall"):
            widgets.state_badge(summary)
            widgets.weights_badge(summary)
        if is_sound and status.state == "finished":
            left, right = middle.columns(2)
            left.metric(
                "AUROC",
                widgets.metric(summary.metrics.get("image_auroc")),
                help="Image AUROC: how often a defective image scores above a normal one.",
            )
            right.metric(
                "AUPRO",
                widgets.metric(summary.metrics.get("aupro")),
                help="How well each defect is covered by the map."
                + (f" {summary.pixel_images.words.capitalize()}." if summary.pixel_images else ""),
            )
        elif is_sound:
            middle.caption(numbers.progress(status.percent / 100) if status.is_active else plain(status.message))
        with action:
            if is_sound and status.state == "finished":
                link("results", "Results", icon=":material/monitoring:", run=summary.run_id)
            else:
                link(
                    "train",
                    "Watch" if is_sound and status.is_active else "Open",
                    icon=":material/visibility:",
                    watch=summary.run_id,
                )


store = open_page("overview")
with shown():
    main(store)
