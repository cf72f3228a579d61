"""Pickers and small pieces that several pages show."""

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.ui import cache, run_lists, run_search, state
from pages.ui.errors import plain, show_error
from pages.ui.frame import link, run_place
from wtflow.errors import RunNotFoundError
from wtflow.jobs.listing import RunView
from wtflow.numbers import metric
from wtflow.records.core import RunSummary
from wtflow.records.run_list import RunQuery
from wtflow.results import RunResults
from wtflow.store.dataset_versions import title_of
from wtflow.store.opened import opened_last, remember_opened
from wtflow.store.runs import RunStore

TILE_PX = 165
"""Least width of a picture in a grid."""

UNTRAINED = "untrained backbone"
UNTRAINED_NOTE = (
    "**Untrained backbone:** the features come from random weights. This shows how the method works, not how well it"
    " can do; for that, train with the embedded backbone, pretrained weights or a weights file."
)
EMBEDDED = "embedded backbone"
EMBEDDED_NOTE = (
    "**Embedded backbone:** resnet18, trained by this project on drawn images; it needs no download. "
    "ImageNet weights find a little more on average: choose them, or a weights file, under Weights when you train."
)

BadgeColour = Literal["red", "orange", "yellow", "blue", "green", "violet", "gray", "grey", "primary"]

# State of a run -> colour and icon of its badge.
_BADGES: dict[str, tuple[BadgeColour, str]] = {
    "queued": ("gray", ":material/hourglass_empty:"),
    "running": ("primary", ":material/progress_activity:"),
    "stopping": ("gray", ":material/stop_circle:"),
    "finished": ("green", ":material/check_circle:"),
    "stopped": ("gray", ":material/pause_circle:"),
    "failed": ("red", ":material/error:"),
    "lost": ("red", ":material/help:"),
}


def is_finished(summary: RunSummary) -> bool:
    return summary.status is not None and summary.status.state == "finished"


def is_active(summary: RunSummary) -> bool:
    return summary.status is not None and summary.status.is_active


def state_badge(summary: RunSummary) -> None:
    """The state of a run as a coloured word."""
    if summary.problem or summary.status is None:
        st.badge("damaged", icon=":material/broken_image:", color="red")
        return
    colour, icon = _BADGES[summary.status.state]
    st.badge(summary.status.state, icon=icon, color=colour)


def weights_badge(summary: RunSummary) -> None:
    """Name features that could be better: random ones, and those of the embedded backbone."""
    if summary.is_untrained:
        st.badge(UNTRAINED, icon=":material/science:", color="yellow", help=UNTRAINED_NOTE)
    elif summary.is_embedded:
        st.badge(EMBEDDED, icon=":material/deployed_code:", color="gray", help=EMBEDDED_NOTE)


def pick_run(store: RunStore) -> RunSummary:
    """The finished run that the address names, or the one opened last; ends the page with what to do when there is
    none. The picker stands in the title row, with a badge where the run's features could be better.
    """
    view = run_lists.look(store)
    wanted = state.get("run")
    named = view.get(wanted)
    chosen = named if named is not None and is_finished(named) else _first_run(store, view) if wanted is None else None
    offered = run_search.offered(view, chosen)
    with run_place():
        if offered.runs:
            lines = told_apart({run.run_id: picker_line(run) for run in offered.runs})
            st.selectbox(
                "Run",
                list(lines),
                index=None if chosen is None else 0,
                placeholder="Choose a run",
                format_func=lines.__getitem__,
                label_visibility="collapsed",
                **state.bound("run", None if chosen is None else chosen.run_id),
            )
            run_search.show_search(store, offered, picker_line, lambda run_id: state.put("run", run_id))
        if chosen is not None:
            weights_badge(chosen)
    if chosen is None:
        _show_why_no_run(wanted, named)
        st.stop()
    state.settle("run", chosen.run_id)
    if state.note_opened(chosen.run_id):
        remember_opened(store, chosen.run_id)
    return chosen


def _first_run(store: RunStore, view: RunView) -> RunSummary | None:
    """The run opened last, else the newest that is no copy scored again."""
    last = view.get(opened_last(store))
    if last is not None and is_finished(last):
        return last
    newest = view.find(RunQuery(states=("finished",), sort="-run", limit=run_search.N_OFFERED)).runs
    return next((run for run in newest if not run.is_rescored), next(iter(newest), None))


def open_run(store: RunStore) -> RunResults:
    """The results of the chosen run. Ends the page when there is none."""
    summary = pick_run(store)
    with st.spinner("Reading the run"):
        return cache.results(store, summary.run_id)


def _show_why_no_run(wanted: str | None, named: RunSummary | None) -> None:
    if wanted is None:
        show_no_run_yet("Train a category first; its results appear here.")
    else:
        show_why_unfit(wanted, named)


def show_no_run_yet(words: str) -> None:
    """What to do where nothing was trained."""
    with st.container(border=True, key="empty"):
        st.markdown("#### No finished run yet")
        st.write(words)
        with st.container(horizontal=True):
            link("overview", "Train the demo", icon=":material/play_arrow:")
            link("train", "Train a category of your own", icon=":material/model_training:")


def show_why_unfit(run_id: str, summary: RunSummary | None) -> None:
    """Why a run that the address names has no results to show, and what to do. summary:
    None where there is no such run.
    """
    if summary is None:
        fix = "It may have been deleted. Choose another one above, or train one."
        show_error(RunNotFoundError(f"There is no run {run_id[:80]!r} here.", fix=fix))
        link("train", "Go to Train", icon=":material/model_training:", watch=None)
    elif summary.problem or summary.status is None:
        st.error(f"**Run {plain(run_id)} is damaged.**  \n{plain(summary.problem)}", icon=":material/broken_image:")
    else:
        st.info(
            f"Run {plain(run_id)} is {summary.status.state}: it has no results yet.", icon=":material/hourglass_empty:"
        )
        link("train", "Watch it on the train page", icon=":material/model_training:", watch=run_id)


def run_labels(summaries: Iterable[RunSummary]) -> dict[str, str]:
    """Run -> its line for a picker, with its settings in a few words."""
    return told_apart({summary.run_id: run_label(summary) for summary in summaries})


def told_apart(labels: Mapping[str, str]) -> dict[str, str]:
    """Run -> its line. A picker tells options apart by what it shows, so of runs that look alike each also has its
    id.
    """
    n_alike = Counter(labels.values())
    return {run_id: f"{label} · {run_id}" if n_alike[label] > 1 else label for run_id, label in labels.items()}


def picker_line(summary: RunSummary) -> str:
    """A finished run in one short line: its name or what it is of, how good, its seed, and when it was made."""
    facts = [
        summary.name or title_of(summary.root, summary.category),
        f"AUROC {metric(summary.metrics.get('image_auroc'))}",
        f"seed {summary.seed}",
        moment(summary.created),
        *(["scored again"] if summary.is_rescored else []),
    ]
    return " · ".join(facts)


def run_label(summary: RunSummary) -> str:
    """A run in one line."""
    if summary.problem:
        return f"{summary.run_id} (damaged)"
    return f"{title_of(summary.root, summary.category)} · {moment(summary.created)} · {summary.label}"


def moment(seconds: float) -> str:
    """A point in time as the person's clock shows it."""
    zone = None
    with contextlib.suppress(ZoneInfoNotFoundError, ValueError, TypeError):
        zone = ZoneInfo(st.context.timezone) if st.context.timezone else None
    when = datetime.fromtimestamp(seconds, zone)
    return (
        f"{when:%H:%M}"
        if when.date() == datetime.now(zone).date()
        else f"{when:%d %b %H:%M}"
        if time.time() - seconds < 2e7
        else f"{when:%d %b %Y}"
    )


def count_on(bar: DeltaGenerator, words: Callable[[int, int], str]) -> Callable[[int, int], None]:
    """A progress callback (done, total) that moves a bar; `words` are the bar's text."""

    def show(done: int, total: int) -> None:
        bar.progress(done / max(total, 1), text=words(done, total))

    return show


def pager(n_items: int, per_page: int) -> range:
    """Positions of the items on the chosen page; shows a pager where one page does not hold all."""
    n_pages = max(1, -(-n_items // per_page))
    number = state.get_number("page") or 1
    number = int(min(max(number, 1), n_pages))
    if n_pages > 1:
        # a key per page: a pager takes its value from `default`, and only a new pager reads that
        key = f"widget_page_{number}"
        st.pagination(
            n_pages,
            default=number,
            key=key,
            width="stretch",
            on_change=lambda: state.put("page", str(st.session_state[key])),
        )
    first = (number - 1) * per_page
    return range(first, min(first + per_page, n_items))
