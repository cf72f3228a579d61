"""A folder in a known layout: its categories, their health and their images."""

from pathlib import Path

import streamlit as st

from pages.ui import data_cache, mask_cache, state, widgets
from pages.ui.errors import plain
from pages.ui.frame import go
from pages.ui.health import show_health, state_of
from pages.ui.roots import layout_name, pick_category, pick_root
from wtflow.datasets.scan import RootScan
from wtflow.datasets.stamps import stamp_category
from wtflow.errors import ImageReadError, WTFlowError
from wtflow.records.core import Category, Sample
from wtflow.records.mask_rule import parse_rule
from wtflow.store.runs import RunStore

PER_PAGE = 28


def show_folder(store: RunStore) -> None:
    """The folder that a person named, or the demo."""
    scan = pick_root(store)
    if scan is None:
        return
    st.subheader("Categories", anchor=False)
    show_table(store, scan)
    category = pick_category(store, scan)
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Train this category", type="primary", icon=":material/model_training:"):
            go("train", root=str(scan.root), category=category.name, watch=None)
        st.caption(f"{layout_name(scan)} layout, in {plain(str(scan.root / category.name))}")
    show_contents(store, category)


def show_contents(store: RunStore, category: Category) -> None:
    """The health report of a category, and its images."""
    health = st.container()
    stamps = stamp_category(category)  # asks the disk once, for the pictures and the report
    stamp = state_of(category, stamps)
    show_images(category, stamp, stamps)
    with health:
        show_health(store, category, stamp)


def show_table(store: RunStore, scan: RootScan) -> None:
    """One line per category, with the reason where one cannot be listed. Only folders are listed, so this is quick for
    large data sets too.
    """
    lines: list[dict[str, str | int]] = []
    for name in scan.categories:
        try:
            found = data_cache.category(store, scan.root, name)
        except WTFlowError as error:
            lines.append({"category": name, "defect types": error.message})
            continue
        test = found.of("test")
        defective = [sample for sample in test if sample.is_defective]
        lines.append(
            {
                "category": name,
                "normal training images": len(found.of("train")),
                "normal test images": len(test) - len(defective),
                "defective test images": len(defective),
                "of these with mask": sum(sample.mask_path is not None for sample in defective),
                "defect types": ", ".join(found.defects) or "none",
            }
        )
    st.dataframe(
        lines,
        hide_index=True,
        height="content" if len(lines) <= 12 else 460,
        column_config={"defect types": st.column_config.TextColumn(width="large")},
    )


def show_images(category: Category, stamp: int, stamps: dict[Path, int]) -> None:
    """Thumbnails of one split and defect type, masks outlined, in pages. stamps: of the files; stamp: of all."""
    groups: dict[str, list[Sample]] = {}
    for sample in sorted(category.samples, key=lambda s: (s.split != "train", s.is_defective, s.defect, s.id)):
        groups.setdefault(f"{sample.split} {sample.defect}", []).append(sample)
    if not groups:
        return
    st.subheader("Images", anchor=False)
    wanted = state.get("group")
    group = wanted if wanted in groups else next(iter(groups))
    st.pills(
        "Split and type",
        list(groups),
        required=True,
        format_func=lambda name: f"{plain(name.replace(' ', ': ', 1))} ({len(groups[name])})",
        **state.bound("group", group),
    )
    samples = groups[group]
    on_page = widgets.pager(len(samples), PER_PAGE)
    with st.spinner("Drawing the images"):
        rule = show_rule(category, samples, stamp)
        with st.grid(min_column_width=widgets.TILE_PX, key="thumbnails"):
            for i in on_page:
                with st.container(key=f"tile-thumb_{i}"):
                    show_picture(samples[i], rule, stamps, as_stored=category.reading.masks_as_stored)


def show_rule(category: Category, samples: list[Sample], stamp: int) -> str:
    """Say what the lines on the pictures mean; returns the rule to draw them by, empty where masks are not read."""
    if not any(sample.mask_path and sample.is_defective for sample in samples):
        return ""
    decision = mask_cache.mask_decision(category, stamp)
    if why := decision.reason or decision.doubtful.get(samples[0].defect):
        st.caption(f":material/warning: No outlines: what the masks mean is not certain ({plain(why)}).")
        return ""
    striped = " Striped parts are left out: they count in neither class." if parse_rule(decision.rule).ignore else ""
    st.caption(f"The line marks the true defect, by the rule {plain(decision.rule)} for masks.{striped}")
    return decision.rule


def show_picture(sample: Sample, rule: str, stamps: dict[Path, int], *, as_stored: bool) -> None:
    name = sample.id.rsplit("/", 1)[-1]
    try:
        st.image(
            mask_cache.outlined(sample, rule if sample.is_defective else "", as_stored=as_stored, stamps=stamps),
            width="stretch",
            alt=f"{sample.split} image {sample.id}",
        )
    except ImageReadError as error:
        st.error(plain(error.message), icon=":material/broken_image:")
    st.caption(plain(name) + ("" if sample.mask_path or not sample.is_defective else " (no mask)"))
