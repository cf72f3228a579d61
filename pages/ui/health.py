"""The health report of a category: counts, findings and what to do about each."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import streamlit as st

from pages.ui import data_cache, widgets
from pages.ui.errors import plain
from pages.ui.masks.choice import keep, show_choice
from pages.ui.masks.meaning import show_values
from pages.ui.masks.section import show_masks
from wtflow import numbers
from wtflow.config import Settings
from wtflow.datasets.health import check_category, listed_pixel_images
from wtflow.datasets.health_sizes import left_open
from wtflow.datasets.masks.check import MASK_VALUES
from wtflow.datasets.masks.words import expected_words
from wtflow.datasets.stamps import fingerprint, stamp_category
from wtflow.records.core import Category, Finding, HealthReport
from wtflow.records.reading import AUTO, Reading
from wtflow.store.runs import RunStore

CHECK_AT_ONCE = 600
"""Up to so many images the check starts by itself (a few seconds); above, a button starts it."""

N_PATHS = 20

CHOOSE_BELOW = "Choose below what they mean. Until then the images concerned count for image metrics only."

_ICONS = {"error": ":material/error:", "warning": ":material/warning:", "info": ":material/info:"}
_COLOURS = {"error": "red", "warning": "yellow", "info": "gray"}


def state_of(category: Category, stamps: dict[Path, int] | None = None) -> int:
    """Differs when a file that the report speaks of was added, removed or written again, or is read otherwise. stamps:
    of its files, where they have been asked for already.
    """
    stamps = stamp_category(category) if stamps is None else stamps
    return hash((fingerprint(category, stamps), data_cache.listed(category)))


def check(category: Category, stamp: int) -> HealthReport:
    """The report, read from the cache or made now with a progress bar. stamp: see `state_of`."""
    report = data_cache.report(category, stamp)
    if report is None:
        bar = st.progress(0.0, text="Reading every image once")
        report = check_category(
            category,
            widgets.count_on(bar, lambda done, total: f"Reading every image once: {done:,} of {total:,}"),
        )
        bar.empty()
        data_cache.keep_report(category, stamp, report)
    return report


def check_at_once(category: Category, stamp: int) -> HealthReport | None:
    """The report if it is in the cache or made within seconds; None for a category that is read on request only."""
    is_quick = len(category.samples) <= CHECK_AT_ONCE
    return check(category, stamp) if is_quick else data_cache.report(category, stamp)


def show_health(store: RunStore, category: Category, stamp: int) -> None:
    """The report of a category; a large one is read only on request. stamp: see `state_of`."""
    st.subheader("Health", anchor=False)
    show_reading(store, category)
    n = len(category.samples)
    if data_cache.report(category, stamp) is None and n > CHECK_AT_ONCE:
        st.write(f"The check reads all {n:,} images once to find damaged files, copies and masks that do not fit.")
        if not st.button("Check the images", icon=":material/health_and_safety:"):
            show_findings(store, category, data_cache.listed(category), stamp, None)
            return
    report = check(category, stamp)
    show_summary(report)
    show_findings(store, category, report.findings, stamp, report)
    show_masks(store, category, report, stamp)


def show_before_training(
    store: RunStore,
    category: Category,
    stamp: int,
    settings: Settings,
    size_px: int,
    offer: Callable[[tuple[Finding, ...]], None],
    is_refused: bool,
) -> None:
    """Errors and warnings that these settings leave open, before anything starts: all of them once the images were
    read, else those that listing the folders shows. One line counts them and folds out; errors and questions about
    masks are open, and everything is where the start was refused.

    size_px: side of a square with as many pixels as the run's maps. offer: shows, right below, which settings answer
    the findings that are on show.
    """
    show_reading(store, category)
    report = check_at_once(category, stamp)
    found = data_cache.listed(category) if report is None else report.findings
    found = left_open(found, None if report is None else report.regions, settings, size_px)
    warnings = tuple(finding for finding in found if finding.severity != "info")
    expected = expected_words(listed_pixel_images(category) if report is None else report.pixel_images)
    if warnings or expected:
        must_be_seen = any(finding.severity == "error" or finding.code == MASK_VALUES for finding in warnings)
        with st.expander(
            _in_one_line(warnings, expected),
            icon=_ICONS["error" if any(finding.severity == "error" for finding in warnings) else "warning"],
            expanded=must_be_seen or is_refused,
            key="before_training",
        ):
            show_findings(store, category, warnings, stamp, report)
            offer(warnings)
            if expected:
                st.warning(plain(expected), icon=":material/image_not_supported:")
    if report is not None:
        regions = None if report.regions is None else report.regions.at(size_px)
        show_masks(store, category, replace(report, regions=regions), stamp)


def _in_one_line(findings: tuple[Finding, ...], expected: str) -> str:
    """How many errors and warnings there are, and the first of them."""
    n_errors = sum(finding.severity == "error" for finding in findings)
    n_warnings = len(findings) - n_errors + bool(expected)
    counts = [numbers.count(n_errors, "problem") + " to fix"] * (n_errors > 0)
    counts += [numbers.count(n_warnings, "warning")] * (n_warnings > 0)
    first = min(findings, key=lambda finding: finding.severity != "error").message if findings else expected
    sentence = first.partition(". ")[0].rstrip(".")
    return f"**{', '.join(counts)}:** {plain(sentence)}"


def show_reading(store: RunStore, category: Category) -> None:
    """What a person said about how to read the category, with a way back."""
    reading = category.reading
    if reading.is_as_found:
        return
    said = [f"{' and '.join(f'test/{name}' for name in reading.good)} as good"] if reading.good else []
    if reading.masks != AUTO:
        said.append(f"masks by the rule {reading.masks}")
    if reading.masks_as_stored:
        said.append("masks as drawn on the images as stored")
    with st.container(horizontal=True, vertical_alignment="center", key="reading"):
        st.markdown(f":material/record_voice_over: As you said, this reads {plain(', '.join(said))}.")
        if st.button("Read as found", icon=":material/undo:"):
            keep(store, category, Reading())


def show_findings(
    store: RunStore, category: Category, findings: tuple[Finding, ...], stamp: int, report: HealthReport | None
) -> None:
    """report: what reading the images shows, where they were read."""
    for finding in findings:
        show_finding(store, category, finding, stamp, report)


def show_summary(report: HealthReport) -> None:
    counts = {severity: sum(f.severity == severity for f in report.findings) for severity in _ICONS}
    with st.container(horizontal=True, vertical_alignment="center"):
        if counts["error"]:
            st.badge(
                f"{numbers.count(counts['error'], 'problem')} to fix before training",
                icon=_ICONS["error"],
                color="red",
            )
        elif counts["warning"]:
            st.badge(
                f"can be trained, {numbers.count(counts['warning'], 'warning')}", icon=_ICONS["warning"], color="yellow"
            )
        else:
            st.badge("ready: nothing to fix", icon=":material/check_circle:", color="green")
        sizes = _listed(report.sizes, "px")
        st.caption(f"{numbers.size(report.n_bytes)} · {sizes} · {_listed(report.modes, '')}".rstrip(" ·"))


def show_finding(
    store: RunStore, category: Category, finding: Finding, stamp: int, report: HealthReport | None
) -> None:
    """One finding with its fix, and a button for each way to read the data set that it offers; the files concerned fold
    out. What masks mean is chosen right here.
    """
    masks = report.masks if report is not None and finding.code == MASK_VALUES else None
    with st.container(border=True, key=f"finding_{finding.code}_{finding.severity}"):
        st.markdown(
            f":{_COLOURS[finding.severity]}[{_ICONS[finding.severity]}] **{plain(finding.message)}** "
            f" \n{CHOOSE_BELOW if masks else plain(finding.fix)}"
        )
        if finding.offers:
            with st.container(horizontal=True):
                for i, offer in enumerate(finding.offers):
                    if st.button(plain(offer.words), icon=":material/check:", key=f"offer_{finding.code}_{i}"):
                        keep(store, category, offer.reading)
        if len(finding.paths) > 1:
            with st.expander(f"All {len(finding.paths)}", type="compact"):
                more = len(finding.paths) - N_PATHS
                st.code("\n".join(finding.paths[:N_PATHS]) + (f"\nand {more} more" if more > 0 else ""), language=None)
        if report is not None and masks is not None:
            show_values(category, masks, stamp)
            show_choice(store, category, report, stamp)


def _listed(counted: dict[str, int], unit: str) -> str:
    names = [f"{name} {unit}".strip() for name in counted]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
