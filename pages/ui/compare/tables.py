"""Pieces of the page `compare`: metrics with intervals, who is right on which image, time and memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, cast

import streamlit as st

from pages.ui import picture_cache, state, widgets
from pages.ui.access.visitor import trainers
from pages.ui.compare import compare_cache
from pages.ui.compare.run_choice import table
from pages.ui.errors import plain
from pages.ui.small_picture import show_small
from wtflow import numbers
from wtflow.compare.common_truth import marks_anything
from wtflow.compare.intervals import N_RESAMPLES
from wtflow.compare.pixel_images import pixel_images_words
from wtflow.compare.pixel_tally import make_tally
from wtflow.compare.runs import LETTERS, Comparison, common_thresholds, difference_words, disagreements
from wtflow.metrics import METRICS
from wtflow.numbers import score as format_score
from wtflow.plots import theme
from wtflow.plots.compare import AGREEMENT, plot_differences
from wtflow.records.compare import Interval, MetricRow
from wtflow.records.decision import ThresholdChoice
from wtflow.records.flow import ordered_groups
from wtflow.results import ScoreRow, image_at
from wtflow.store.runs import RunStore

COUNT_AT_ONCE = 700
"""Up to so many maps the pixels are counted without asking (some six seconds, once per run);
above, a button starts it.
"""

SECONDS_PER_MAP = 0.01
PER_PAGE = 14
"""Full rows of seven in a wide window."""

STAGES = {"read": "reading", "features": "features", "train": "training", "score": "scoring", "metrics": "metrics"}
STAGES |= {"normals": "normals scored by others"}


# -- metrics -----------------------------------------------------------------------------------------------------------


def show_metrics(store: RunStore, comparison: Comparison, on: compare_cache.Basis, names: Sequence[str]) -> bool:
    """Metrics with intervals and differences in words.
    True when the pixels should be counted now, below everything else.
    """
    run_ids = tuple(run.run_id for run in comparison.runs)
    rows = (*compare_cache.image_rows(store, run_ids), *compare_cache.pixel_rows(store, comparison, on))
    letters = LETTERS[: len(names)]
    heads = [head for letter in letters for head in (letter, f"{letter}: 95\N{NBSP}% interval")]
    table(["metric", *heads], [_value_line(row) for row in rows])
    table(
        ["metric", "run", "difference to A", "95\N{NBSP}% interval", "verdict"],
        [_difference_line(row, k) for k in range(1, len(names)) for row in rows],
    )
    for k, name in list(enumerate(names))[1:]:
        _show_verdict(rows, k, name, names[0])
    if any(row.differences for row in rows):
        titles = {key: metric.title for key, metric in METRICS.items()}
        st.plotly_chart(
            plot_differences(rows, titles, names),
            key="differences",
            config=theme.CONFIG,
            alt="Differences of the metrics with intervals",
        )
    for reason in dict.fromkeys(row.reason for row in rows if row.reason):
        st.caption(f":material/info: {plain(reason)}")
    for words in pixel_images_words(comparison, on.own, on.truth):
        st.caption(f":material/image: {plain(words)}")
    st.caption(
        f"95\N{NBSP}% intervals from {N_RESAMPLES:,} resamples of the images, within each class, the same for all runs"
        " (seed 0). They show how much other images of this kind could change a figure, not how much another"
        " training could: for that, train with other seeds. Best F1 uses each resample's own best threshold, so its"
        " interval is biased upwards. An interval always holds its value: where the resamples would leave it out, as"
        " they may with few images, the interval is widened to it."
    )
    return _asks_for_pixels(store, comparison, on)


def _value_line(row: MetricRow) -> list[str]:
    """The value of every run, each with its interval in its own column."""
    cells = []
    for k, value in enumerate(row.values):
        cells += [numbers.metric(value), _span(row.intervals[k], "") if row.intervals else "–"]
    return [METRICS[row.key].title, *cells]


def _difference_line(row: MetricRow, k: int) -> list[str]:
    """How run k differs from the first one, and whether that is more than noise."""
    head = [METRICS[row.key].title, LETTERS[k]]
    if row.differences:
        found = row.differences[k]
        words = difference_words(found)
        verdict = words if words == "within noise" else f"**{words}**"
        return [*head, f"{found.value:+.3f}", _span(found, "+"), verdict]
    first, other = row.values[0], row.values[k]
    return [*head, "–" if first is None or other is None else f"{other - first:+.3f}", "–", "–"]


def _span(interval: Interval, sign: str) -> str:
    return f"{interval.low:{sign}.3f} to {interval.high:{sign}.3f}"


def _show_verdict(rows: Sequence[MetricRow], k: int, name: str, first: str) -> None:
    """One sentence on one run: in which metrics it is better, worse or within noise."""
    groups: dict[str, list[str]] = {}
    for row in rows:
        if row.differences:
            groups.setdefault(difference_words(row.differences[k]), []).append(METRICS[row.key].title)
    if groups:
        st.markdown(
            f"**{plain(name)} against {plain(first)}:** "
            + "; ".join(f"{words} in {', '.join(titles)}" for words, titles in groups.items())
            + "."
        )


def _asks_for_pixels(store: RunStore, comparison: Comparison, on: compare_cache.Basis) -> bool:
    missing = _uncounted(store, comparison, on)
    if not missing or not marks_anything(comparison, on.truth.truths):
        return False
    n_maps = sum(len(comparison.runs[k].test) for k in missing)
    if n_maps <= COUNT_AT_ONCE:
        return True
    expected = numbers.duration(SECONDS_PER_MAP * n_maps)
    st.caption(
        "Intervals of the pixel metrics and the PRO curve need the pixels of every map counted once; they are kept with"
        " the run."
    )
    return st.button(f"Count the pixels of {n_maps:,} maps (about {expected})", icon=":material/grid_on:", **trainers())


def _uncounted(store: RunStore, comparison: Comparison, on: compare_cache.Basis) -> list[int]:
    """Runs whose pixels were not counted on this truth yet."""
    return [k for k in range(len(on.keys)) if compare_cache.tally(store, comparison, on, k) is None]


def count_pixels(store: RunStore, comparison: Comparison, on: compare_cache.Basis) -> None:
    """Count what is missing, with a bar, and keep it; then draw the page again.
    What is done stays done when the page is left.
    """
    missing = _uncounted(store, comparison, on)
    bar = st.progress(0.0, text="Counting pixels")
    for i, k in enumerate(missing):
        words = f"Counting pixels for intervals and the PRO curve, run {i + 1} of {len(missing)}"
        make_tally(
            store,
            comparison.runs[k],
            on.truth.truths[k],
            widgets.count_on(bar, lambda done, total, words=words: f"{words}: {done:,} of {total:,} maps"),
        )
    st.rerun()


# -- who is right ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pair:
    """Two of the runs by their number, and the threshold of every run with where it comes from."""

    first: int
    second: int
    choices: tuple[ThresholdChoice, ...]

    @property
    def thresholds(self) -> list[float]:
        return [choice.value for choice in self.choices]


def pick_pair(comparison: Comparison, names: Sequence[str]) -> Pair:
    """Which two runs are compared image by image, and where their thresholds come from."""
    pairs = {f"{LETTERS[i]}{LETTERS[j]}": (i, j) for i in range(len(names)) for j in range(i + 1, len(names))}
    origins = common_thresholds(comparison)
    pair = state.choose("pair", pairs, next(iter(pairs)))
    origin = state.choose("origin", origins, next(iter(origins)))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if len(pairs) > 1:
            st.segmented_control(
                "Runs", list(pairs), required=True, format_func=" and ".join, **state.bound("pair", pair)
            )
        if len(origins) > 1:
            labels = {key: choices[0].label for key, choices in origins.items()}
            st.selectbox(
                "Threshold of each run",
                list(origins),
                format_func=labels.__getitem__,
                width=300,
                **state.bound("origin", origin),
            )
    found = Pair(*pairs[pair], origins[origin])
    values = ", ".join(f"{LETTERS[k]} {format_score(found.thresholds[k])}" for k in pairs[pair])
    same = len({choice.label for choice in found.choices}) == 1
    where = (
        f"{found.choices[0].label}. {found.choices[0].explanation}"
        if same
        else "; ".join(f"{LETTERS[k]}: {found.choices[k].label}" for k in pairs[pair])
    )
    st.caption(f"Each run calls at its own threshold, taken over all of its test images: {values}. {where}")
    return found


class PairRow(ScoreRow, Protocol):
    """A row of `pair_table`: an image with what two runs make of it."""

    agreement: str
    score_first: float
    score_second: float
    called_first: bool
    called_second: bool


def show_disagreements(store: RunStore, comparison: Comparison, rows, names: tuple[str, str]):
    """The images that one run calls defective and the other does not, filtered; returns the filtered rows."""
    who = state.choose("who", ("first", "second"), None)
    known = ordered_groups(disagreements(rows).defect)
    defects = [name for name in known if name in state.get_all("defect")]
    chosen = disagreements(rows, who, defects)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        words = {key: AGREEMENT[key].format(first=names[0], second=names[1]) for key in ("first", "second")}
        st.pills("Who is right", list(words), format_func=lambda key: plain(words[key]), **state.bound("who", who))
        if len(known) > 1:
            st.pills(
                "Defect type",
                known,
                selection_mode="multi",
                wrap=True,
                format_func=plain,
                **state.bound("defect", defects),
            )
    st.caption(
        f"{numbers.count(len(chosen), 'image')}, those that the two runs rank most differently first. Press one to see"
        " its maps below."
    )
    on_page = widgets.pager(len(chosen), PER_PAGE)
    with st.grid(min_column_width=widgets.TILE_PX, key="disagreements"):
        for i in on_page:
            _show_card(store, comparison, cast(PairRow, image_at(chosen, i)), names)
    return chosen


def _show_card(store: RunStore, comparison: Comparison, image: PairRow, names: tuple[str, str]) -> None:
    first, second = names[0][0], names[1][0]
    with st.container(key=f"tile-thumb_{image.row}", gap="xsmall"):
        run_id = comparison.runs[0].run_id
        show_small(picture_cache.tile(store, run_id, int(image.row), "outlined"), f"{image.sample_id}, {image.defect}")
        calls = [
            f"{letter} {format_score(score)} {'defective' if called else 'normal'}"
            for letter, score, called in (
                (first, image.score_first, image.called_first),
                (second, image.score_second, image.called_second),
            )
        ]
        st.caption(
            f"**{plain(image.defect)}** · {first if image.agreement == 'first' else second} is right  \n{calls[0]} "
            f" \n{calls[1]}"
        )
        st.button(
            "See its maps",
            key=f"see_{image.row}",
            type="tertiary",
            icon=":material/visibility:",
            on_click=state.put,
            args=("sample", image.sample_id),
        )


def show_costs(comparison: Comparison, names: Sequence[str]) -> None:
    """Seconds per stage, time per image and peak memory of each run, as its worker measured them."""
    measured = [run.metrics for run in comparison.runs]
    lines = []
    for stage, words in STAGES.items():
        seconds = [one.get("seconds", {}).get(stage) for one in measured]
        if any(value is not None for value in seconds):
            lines.append([f"{words} (s)", *("–" if value is None else f"{value:.1f}" for value in seconds)])
    rates = [one.get("rates", {}).get("score") for one in measured]
    lines.append(
        ["moving along the flow (ms per image)", *("–" if not rate else f"{1000 * rate:.0f}" for rate in rates)]
    )
    lines.append(
        [
            "peak memory (MiB)",
            *("–" if not one.get("peak_rss_mib") else f"{one['peak_rss_mib']:,.0f}" for one in measured),
        ]
    )
    lines.append(["device", *(plain(str(one.get("device", "–"))) for one in measured)])
    lines.append(["threads", *(str(one.get("threads", "–")) for one in measured)])
    table(["measured", *LETTERS[: len(names)]], lines)
    st.caption(
        "As measured when each run was made, including the effect of other programs that ran then. Features that were"
        " in the cache cost next to nothing."
    )
