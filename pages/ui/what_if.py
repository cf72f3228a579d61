"""What if this image had a defect? Paint one, and the run answers: score, map, norms along the path, and how strong
a spot must be.
"""

from datetime import UTC, datetime
from pathlib import Path

import streamlit as st

from pages.ui import state, widgets
from pages.ui.canvas import show_canvas
from pages.ui.errors import plain, show_error, shown
from pages.ui.thresholds import Threshold
from wtflow.datasets.images import load_image, load_mask
from wtflow.errors import ImageReadError, WTFlowError
from wtflow.plots import theme
from wtflow.plots.axes import format_score
from wtflow.plots.pictures import data_uri, encode_jpeg, encode_png, overlay, thumbnail
from wtflow.plots.what_if import plot_before_after, plot_painted_norms, plot_sweep
from wtflow.records.what_if import Sweep, WhatIf
from wtflow.results import RunResults, find_sample
from wtflow.store.runs import RunStore
from wtflow.store.what_ifs import MAX_NAME, delete_what_ifs, list_what_ifs, read_sweep, save_what_if
from wtflow.studies.paint import Stroke, apply_strokes, read_strokes, write_strokes

PICTURES = "what_if_pictures"
"""Session key: what was painted, by run and row. A choice, not a result: everything shown follows from it."""
SPOTS = {"dark": "Dark", "bright": "Bright", "blur": "Blurred", "noise": "Noise"}
SIZES = (1 / 80, 1 / 40, 1 / 20)
"""Radii of swept spots as shares of the image's side."""
STRENGTHS = (0.1, 0.2, 0.35, 0.5, 0.75, 1.0)
THUMBNAIL_PX = 320


@st.fragment
def show_what_if(store: RunStore, results: RunResults, facts, threshold: Threshold) -> None:
    """The section for one scored image. Until it is opened nothing is computed and torch is not imported."""
    if not st.toggle(
        "**What if?** Paint a defect on this image and see what the run says",
        key="what_if_open",
        persist_state="session",
    ):
        return
    with shown():
        if facts.is_defective:
            st.caption("This image has a defect already. On a normal one the paint alone makes the difference.")
        run_id, row, size = results.run_id, int(facts.row), results.settings.image_size
        image = load_image(Path(facts.path), size)
        left, right = st.columns([4, 5], gap="large")
        with left:
            strokes = show_painting(results, facts, image)
        with right:
            what_if = ask(store, run_id, row, strokes)
            if what_if is None:
                return
            show_answer(results, what_if, threshold)
            show_norms(what_if)
        left, right = st.columns([4, 5], gap="large")
        with left:
            show_sweep(store, results, facts, strokes, threshold)
        with right:
            show_keeping(store, run_id, what_if, strokes)


# -- painting ----------------------------------------------------------------------------------------------------------


def picture_of(run_id: str, row: int) -> dict:
    """What was painted on this image in this session: `done` and `undone` strokes as the browser sends them,
    `serial`, `version`.
    """
    pictures = st.session_state.setdefault(PICTURES, {})
    return pictures.get((run_id, row), {"done": [], "undone": [], "serial": 0, "version": 0})


def take_picture(run_id: str, row: int, found: dict) -> None:
    """Keep what the canvas sent. Only the shape is looked at here; strokes are checked when they are used."""
    done, undone, serial = found.get("done"), found.get("undone"), found.get("serial")
    if isinstance(done, list) and isinstance(undone, list) and isinstance(serial, int):
        version = picture_of(run_id, row)["version"]
        st.session_state[PICTURES][run_id, row] = {"done": done, "undone": undone, "serial": serial, "version": version}


def put_picture(run_id: str, row: int, strokes: list[dict]) -> None:
    """Replace what is painted; an open canvas takes it over because the version is another."""
    old = picture_of(run_id, row)
    st.session_state[PICTURES][run_id, row] = {
        "done": strokes,
        "undone": [],
        "serial": old["serial"] + 1,
        "version": old["version"] + 1,
    }


def show_painting(results: RunResults, facts, image) -> tuple[Stroke, ...]:
    """Canvas and choice of the image to paste from. Returns the strokes, none where they are not sound (an error
    then says why).
    """
    run_id, row = results.run_id, int(facts.row)
    picture = picture_of(run_id, row)
    size = results.settings.image_size
    box = st.container()  # the choice below decides what the canvas pastes from, but stands under it
    key = pick_source(results, facts)
    strokes, painted, problem = (), "", None
    try:
        strokes = read_strokes(picture["done"])
        sources = {stroke.source.key for stroke in strokes if stroke.source}
        sources = {name: load_image(Path(find_sample(results, name).path), size) for name in sources}
        painted = data_uri(encode_png(apply_strokes(image, strokes, 0, sources)[0]))
    except WTFlowError as error:
        strokes, problem = (), error
    try:
        source = data_uri(encode_jpeg(load_image(Path(find_sample(results, key).path), size)))
    except ImageReadError:
        source = ""
    with box:
        show_canvas(
            f"paint_{run_id}_{row}",
            name=f"{facts.sample_id}, to paint on",
            size_px=size,
            image=data_uri(encode_jpeg(image)),
            picture=picture,
            painted=painted,
            source={"key": key, "label": key, "image": source},
            on_change=lambda found: take_picture(run_id, row, found),
        )
        if problem is not None:
            show_error(problem)
    return strokes


def pick_source(results: RunResults, facts) -> str:
    """The id of the image to paste from: at first the worst defective one."""
    ordered = results.test.sort_values(["is_defective", "score"], ascending=False).sample_id
    ids = [str(name) for name in ordered if name != facts.sample_id] + [str(facts.sample_id)]
    return st.selectbox(
        "Paste from",
        ids,
        key=f"paste_from_{results.run_id}_{facts.row}",
        help="For the brush Paste: where patches are copied from.",
    )


# -- the answer --------------------------------------------------------------------------------------------------------


def ask(store: RunStore, run_id: str, row: int, strokes: tuple[Stroke, ...]) -> WhatIf | None:
    """What the run says, or None after an error was shown."""
    try:
        with st.spinner("Asking the run (the first time loads the network: some seconds)"):
            from wtflow.studies.what_if import compute_what_if  # imports torch: seconds, paid only here

            return compute_what_if(store, run_id, row, strokes)
    except WTFlowError as error:
        show_error(error)
        return None


def show_answer(results: RunResults, what_if: WhatIf, threshold: Threshold) -> None:
    before, after = what_if.score_before, what_if.score_after
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"Score **{format_score(before)}** → **{format_score(after)}**", width="content")
        is_called = after >= threshold.value
        if is_called:
            st.badge("called defective", icon=":material/report:", color="orange")
        else:
            st.badge("called normal", icon=":material/check_circle:", color="blue")
    st.caption(change_in_words(what_if, threshold.value))
    st.plotly_chart(
        plot_before_after(what_if, results.color_range),
        key="what_if_maps",
        config=theme.PICTURE_CONFIG,
        alt=f"Anomaly maps before and after painting; scores {format_score(before)} and {format_score(after)}",
    )
    if what_if.recomputed_difference > 0:
        st.caption(
            "This computer's own map of the unpainted image differs from the stored one by up to"
            f" {what_if.recomputed_difference:.1g}: changes that small mean nothing."
        )


def change_in_words(what_if: WhatIf, threshold: float) -> str:
    """What the paint did to the score, in a sentence or two."""
    before, after = what_if.score_before, what_if.score_after
    if not what_if.is_painted:
        return f"Nothing is painted: both maps are the stored one. The threshold is {format_score(threshold)}."
    words = f"The paint ({widgets.count(int(what_if.mask.sum()), 'pixel')}) changes the score by {after - before:+.3g}"
    if before < threshold <= after:
        words += f": it crosses the threshold {format_score(threshold)}, the run sees it."
    elif before < threshold and after > before:
        words += (
            f", {(after - before) / (threshold - before):.0%} of the way to the threshold {format_score(threshold)}."
        )
    elif before >= threshold > after:
        words += f": it falls below the threshold {format_score(threshold)}."
    elif before >= threshold:
        words += f". It was at or above the threshold {format_score(threshold)} before, too."
    else:
        words += f". The threshold is {format_score(threshold)}."
    return words + (
        " The highest position of the map lies in the paint."
        if what_if.peak_is_painted
        else " The highest position lies outside the paint."
    )


def show_norms(what_if: WhatIf) -> None:
    st.subheader("The painted positions on their way", anchor=False)
    if not len(what_if.norms_after.median):
        st.caption(
            "Paint, and the norms of the painted positions are drawn here, from the data (t = 0) to the noise (t = 1)."
        )
        return
    n = int(what_if.is_painted_position.sum())
    st.plotly_chart(
        plot_painted_norms(what_if),
        key="what_if_norms",
        config=theme.CONFIG,
        alt=f"Norms of {n} painted positions at every saved step, before and after",
    )
    st.caption(
        f"{widgets.count(n, 'grid position')} with paint in {'its cell' if n == 1 else 'their cells'}. Neighbours"
        " change, too: a feature sees more of the image than its own cell."
    )


def show_sweep(store: RunStore, results: RunResults, facts, strokes: tuple[Stroke, ...], threshold: Threshold) -> None:
    """Score against strength and size of a spot: asked for by a button, then kept with the run."""
    st.subheader("How strong must a defect be?", anchor=False)
    size = results.settings.image_size
    kinds = [stroke.kind for stroke in strokes if stroke.kind in SPOTS]
    places = [stroke.points[-1] for stroke in strokes if stroke.kind != "erase"]
    kind = st.segmented_control(
        "Spot", list(SPOTS), default=kinds[-1] if kinds else "dark", required=True, format_func=SPOTS.__getitem__
    )
    x, y = (round(min(max(value, 0.0), float(size)), 1) for value in (places[-1] if places else (size / 2, size / 2)))
    radii = tuple(share * max(size, 128) for share in SIZES)  # a smaller image has no pixels for the smallest spot
    asked = (store, results.run_id, int(facts.row), kind, (x, y), radii, STRENGTHS)
    sweep = read_sweep(*asked)
    where = "where the last stroke ended" if places else "in the middle"
    n = len(radii) * len(STRENGTHS)
    st.caption(
        f"One spot {where} (x {x:.0f}, y {y:.0f}) on the unpainted image, in {len(radii)} sizes and {len(STRENGTHS)}"
        " strengths."
    )
    if sweep is None:
        box = st.empty()
        with box.container():
            if not st.button(
                f"Draw the sweep ({widgets.count(n, 'image')})",
                icon=":material/stacked_line_chart:",
                key="what_if_sweep",
            ):
                return
            bar = st.progress(0.0, "Loading the network")
            try:
                from wtflow.studies.what_if import strength_sweep  # imports torch

                sweep = strength_sweep(
                    *asked,
                    progress=lambda done, total: bar.progress(
                        done / total, f"{done} of {widgets.count(total, 'image')}"
                    ),
                )
            except WTFlowError as error:
                show_error(error)
                return
        box.empty()
    st.plotly_chart(
        plot_sweep(sweep, threshold.value),
        key="what_if_sweep_plot",
        config=theme.CONFIG,
        alt="Score against strength of the spot, by size",
    )
    st.caption(sweep_in_words(sweep, threshold.value))


def sweep_in_words(sweep: Sweep, threshold: float) -> str:
    """From which strength on each size is called defective."""
    if sweep.score_before >= threshold:
        return (
            f"The unpainted image is called defective at {format_score(threshold)} already: no strength makes the"
            " difference."
        )
    parts = []
    for radius, first in zip(sweep.radii, sweep.first_reaching(threshold), strict=True):
        parts.append(
            f"{2 * radius:.0f} px across: "
            + ("not even at full strength" if first is None else f"from {first:.0%} strength on")
        )
    return (
        f"Called defective at {format_score(threshold)}: " + "; ".join(parts) + ". Only the strengths drawn were tried."
    )


# -- keeping -----------------------------------------------------------------------------------------------------------


def show_keeping(store: RunStore, run_id: str, what_if: WhatIf, strokes: tuple[Stroke, ...]) -> None:
    """Save this painting, and the list of those saved with the run."""
    st.subheader("Keep it", anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(
            "Name", key="what_if_name", max_chars=MAX_NAME, placeholder="A dark spot at the rim", width=320
        )
        if st.button(
            "Save this what if",
            icon=":material/bookmark_add:",
            disabled=not what_if.is_painted,
            help="Picture, mask and scores, kept with the run.",
        ):
            save_what_if(store, run_id, what_if, name, write_strokes(strokes))
            st.toast("The painted image and its mask are kept with this run.", icon=":material/bookmark:")
    kept = list_what_ifs(store, run_id)
    if not kept:
        return
    st.markdown(f"**Saved with this run: {widgets.count(len(kept), 'what if')}**")
    with st.grid(min_column_width=widgets.TILE_PX, key="what_ifs"):
        for facts in kept:
            with st.container(key=f"tile-thumb_{facts['key']}"):
                show_kept(store, run_id, facts)


def show_kept(store: RunStore, run_id: str, facts: dict) -> None:
    try:
        small = thumbnail(load_image(facts["image"], None), THUMBNAIL_PX)
        picture = encode_jpeg(overlay(small, small[..., 0], (0.0, 1.0), 0.0, load_mask(facts["mask"], None)))
        st.image(picture, width="stretch", alt=f"{facts['name']}: the painted image with the paint outlined")
    except WTFlowError as error:
        st.error(plain(error.message), icon=":material/broken_image:")
    when = datetime.fromtimestamp(facts["kept"], UTC)
    st.caption(f"**{plain(facts['name'])}**", help=f"{facts['sample_id']}, saved {when:%Y-%m-%d %H:%M} UTC")
    st.caption(f"{format_score(facts['score_before'])} → {format_score(facts['score_after'])}")
    with st.container(horizontal=True):
        if st.button(
            "Open", icon=":material/brush:", type="tertiary", key=f"open_{facts['key']}", help="Paint on from here."
        ):
            put_picture(run_id, int(facts["row"]), facts["strokes"])
            state.put("sample", facts["sample_id"])
            st.rerun()
        remove = {"on_click": delete_what_ifs, "args": (store, run_id, [facts["key"]])}
        st.button("Remove", icon=":material/delete:", type="tertiary", key=f"remove_{facts['key']}", **remove)
