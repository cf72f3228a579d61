"""The health report of a category: counts, findings and what to do about each."""

import streamlit as st

from pages.ui import cache, widgets
from pages.ui.errors import plain
from wtflow.datasets.health import check_category
from wtflow.datasets.stamps import fingerprint, stamp_category
from wtflow.records.core import Category, Finding, HealthReport

CHECK_AT_ONCE = 600
"""Up to so many images the check starts by itself (a few seconds); above, a button starts it."""

N_PATHS = 20

_ICONS = {"error": ":material/error:", "warning": ":material/warning:", "info": ":material/info:"}
_COLOURS = {"error": "red", "warning": "yellow", "info": "gray"}


def check(category: Category, stamp: int | None = None) -> HealthReport:
    """The report, read from the cache or made now with a progress bar. stamp: fingerprint of its files, if known."""
    if stamp is None:
        stamp = fingerprint(category, stamp_category(category))
    report = cache.report(category, stamp)
    if report is None:
        bar = st.progress(0.0, text="Reading every image once")
        report = check_category(
            category,
            widgets.count_on(bar, lambda done, total: f"Reading every image once: {done:,} of {total:,}"),
        )
        bar.empty()
        cache.keep_report(category, stamp, report)
    return report


def show_health(category: Category, stamp: int) -> None:
    """The report of a category; a large one is read only on request. stamp: fingerprint of its files."""
    st.subheader("Health", anchor=False)
    n = len(category.samples)
    if cache.report(category, stamp) is None and n > CHECK_AT_ONCE:
        st.write(f"The check reads all {n:,} images once to find missing masks, damaged files and copies.")
        if not st.button("Check the images", icon=":material/health_and_safety:"):
            return
    report = check(category, stamp)
    show_summary(report)
    for finding in report.findings:
        show_finding(finding)


def show_summary(report: HealthReport) -> None:
    counts = {severity: sum(f.severity == severity for f in report.findings) for severity in _ICONS}
    with st.container(horizontal=True, vertical_alignment="center"):
        if counts["error"]:
            st.badge(
                f"{widgets.count(counts['error'], 'problem')} to fix before training",
                icon=_ICONS["error"],
                color="red",
            )
        elif counts["warning"]:
            st.badge(
                f"can be trained, {widgets.count(counts['warning'], 'warning')}", icon=_ICONS["warning"], color="yellow"
            )
        else:
            st.badge("ready: nothing to fix", icon=":material/check_circle:", color="green")
        sizes = _listed(report.sizes, "px")
        st.caption(f"{widgets.size(report.n_bytes)} · {sizes} · {_listed(report.modes, '')}".rstrip(" ·"))


def show_finding(finding: Finding) -> None:
    """One finding with its fix; the files concerned fold out."""
    with st.container(border=True, key=f"finding_{finding.code}_{finding.severity}"):
        st.markdown(
            f":{_COLOURS[finding.severity]}[{_ICONS[finding.severity]}] **{plain(finding.message)}** "
            f" \n{plain(finding.fix)}"
        )
        if len(finding.paths) > 1:
            with st.expander(f"The {len(finding.paths)} files", type="compact"):
                more = len(finding.paths) - N_PATHS
                st.code("\n".join(finding.paths[:N_PATHS]) + (f"\nand {more} more" if more > 0 else ""), language=None)


def _listed(counted: dict[str, int], unit: str) -> str:
    names = [f"{name} {unit}".strip() for name in counted]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
