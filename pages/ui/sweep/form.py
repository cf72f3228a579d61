"""What a sweep is to consist of: categories, seeds, settings to vary; how many runs that is, and what they take."""

from pathlib import Path

import streamlit as st

from pages.ui import state
from pages.ui.errors import plain, show_error
from pages.ui.roots import pick_root
from pages.ui.train.fields import ADVANCED, CHOICES, LISTS, MAIN, PRESET_HELP
from pages.ui.train.settings_form import label_of
from wtflow import numbers
from wtflow.config import PRESETS, Settings, choices, describe, settings_from
from wtflow.errors import WTFlowError
from wtflow.records.sweep import Way, value_words
from wtflow.store import sweeps
from wtflow.store.runs import RunStore
from wtflow.sweeps import tasks
from wtflow.sweeps.expand import Asked, Plan, parse_seeds, parse_sets
from wtflow.sweeps.planning import plan_with_threads

VARIABLE = (
    "image_size",
    *(name for name in MAIN if name not in ("length", "seed", "weights")),
    *(name for part in ("Features", "Training", "Scoring") for name in ADVANCED[part] if name != "backbone_args"),
)
"""Settings that may be varied, in the order of the form on *train*."""
FIELD_PX = 260
HINTS = {"ray": "On one computer or a cluster that shares the folder of the runs; needs the package ray."}


def show_form(store: RunStore) -> None:
    """The form with the plan's figures, and the button that starts it."""
    st.markdown("#### Train many")
    drawing = st.container()
    scan = pick_root(store, drawing)
    if scan is None:
        return
    categories = st.pills(
        "Categories",
        scan.categories,
        selection_mode="multi",
        default=list(scan.categories),
        format_func=plain,
        key=f"sweep_categories_{scan.root}",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        preset = st.segmented_control(
            "Preset",
            list(PRESETS),
            default="fast",
            required=True,
            format_func=str.capitalize,
            key="sweep_preset",
            help="  \n".join(f"{name.capitalize()}: {text}" for name, text in PRESET_HELP.items()),
        )
        seeds = st.text_input("Seeds", "0,1,2", key="sweep_seeds", width=140, help="Such as 0,1,2 or 0-4.")
        name = st.text_input(
            "Name", key="sweep_name", width=220, placeholder=sweeps.free_name(store, Path(scan.root).name)
        )
    base = settings_from(preset or "fast")
    varied = _pick_varied(base)
    shared = st.text_input(
        "Other settings, the same in all runs",
        key="sweep_shared",
        placeholder="iterations=500 width=128",
        help="NAME=VALUE, with spaces between. Every other setting is that of the preset.",
    )
    way, threads = _pick_way()
    if not categories:
        st.info("Choose at least one category.", icon=":material/category:")
        return
    try:
        sets = {**varied, **parse_sets(shared.split())}
        chosen = name.strip() or sweeps.free_name(store, Path(scan.root).name)
        asked = Asked(scan.root, tuple(categories), parse_seeds(seeds), preset, sets)
        plan, found = plan_with_threads(store, chosen, asked, way, threads)
    except WTFlowError as error:
        show_error(error)
        st.button("Start all", type="primary", icon=":material/play_arrow:", disabled=True)
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="large"):
        st.metric("Runs", f"{found.n_runs:,}", width="content", help=plan.sweep.words)
        st.metric("Expected time", numbers.duration(found.wall_s), width="content", help=found.words)
        disk = "unknown" if found.n_bytes is None else numbers.size(found.n_bytes)
        st.metric("Space on disk", disk, width="content")
        is_pressed = st.button("Start all", type="primary", icon=":material/play_arrow:")
    at_once = f"{numbers.count(found.jobs, 'run')} at once with {numbers.count(found.threads, 'thread')} each."
    st.caption(" ".join([f"{plan.sweep.words}.", at_once, found.basis, *(f"**{plain(one)}**" for one in plan.said)]))
    if is_pressed:
        _start(store, plan)


def _pick_varied(base: Settings) -> dict[str, tuple[str, ...]]:
    """Setting -> its values, for those that are varied."""
    names = st.multiselect(
        "Settings to vary",
        VARIABLE,
        default=["coupling"],
        format_func=label_of,
        key="sweep_vary",
        help="Every combination of the values below is trained.",
    )
    found: dict[str, tuple[str, ...]] = {}
    with st.grid(min_column_width=FIELD_PX):
        for name in names:
            with st.container():
                if values := _pick_values(name, base):
                    found[name] = values
    return found


def _pick_values(name: str, base: Settings) -> tuple[str, ...]:
    start, key = getattr(base, name), f"sweep_values_{name}"
    if name in CHOICES or isinstance(start, bool):
        offered = choices(name) if name in CHOICES else ("true", "false")
        picked = st.multiselect(label_of(name), offered, default=list(offered), key=key, help=describe(name))
        return tuple(picked)
    between = "|" if name in LISTS else ","
    text = st.text_input(
        label_of(name),
        value_words(start),
        key=key,
        help=f"{describe(name)} Values with {between} between.",
    )
    return parse_sets([f"{name}={text}"])[name] if text.strip() else ()


def _pick_way() -> tuple[Way, int | None]:
    with st.expander("Where it is computed", icon=":material/memory:"):
        executor = st.segmented_control(
            "Executor",
            ["local", "ray"],
            default="local",
            required=True,
            format_func={"local": "This computer", "ray": "Ray"}.__getitem__,
            key="sweep_executor",
            help=HINTS["ray"],
        )
        with st.container(horizontal=True):
            address = ""
            if executor == "ray":
                address = st.text_input(
                    "Address of the cluster",
                    key="sweep_address",
                    placeholder="auto, ray://HOST:PORT, or empty",
                    help="Empty: a cluster is started on this computer.",
                )
            jobs = st.number_input("Runs at once (0: as many as fit)", 0, 1000, 0, key="sweep_jobs")
            threads = st.number_input("Threads of each run (0: by cores)", 0, 256, 0, key="sweep_threads")
    address = "" if address.strip() in ("", "none") else address.strip()
    return Way("ray" if executor == "ray" else "local", address, int(jobs)), int(threads) or None


def _start(store: RunStore, plan: Plan) -> None:
    try:
        sweeps.create(store, plan.sweep)
        tasks.start(store, plan.sweep.name)
    except WTFlowError as error:
        show_error(error)
        return
    state.put("sweep", plan.sweep.name)
    st.toast(f"{numbers.count(len(plan.sweep.cells), 'run')} on their way.", icon=":material/rocket_launch:")
    st.rerun()
