"""What a sweep found: the table in heat colours, which setting matters, and what is taken home."""

from pathlib import Path

import streamlit as st

from pages.ui import state
from pages.ui.cache import file_stamp
from pages.ui.errors import plain
from pages.ui.frame import link
from wtflow import numbers
from wtflow.compare.runs import MOST_RUNS
from wtflow.datasets.stamps import ABSENT
from wtflow.metrics import METRICS
from wtflow.plots import theme
from wtflow.plots.sweep import plot_effects, plot_heat
from wtflow.records.sweep import Sweep
from wtflow.records.sweep_table import SweepTable, TableCell
from wtflow.store import layout, sweeps
from wtflow.store.runs import RunStore
from wtflow.sweeps.home import MAKERS, cell_words, effect_words, row_name
from wtflow.sweeps.table import sweep_table

OFFERED = tuple(name for name, metric in METRICS.items() if not metric.is_before_flow)
FILES = {
    ".csv": ("CSV", "text/csv", "One row per run, with every metric"),
    ".md": ("Markdown", "text/markdown", "This table"),
    ".tex": ("LaTeX", "text/x-tex", "This table, for booktabs"),
}


def show_result(store: RunStore, sweep: Sweep) -> None:
    finished = tuple(file_stamp(store.home / run / layout.METRICS) for run in sweep.runs.values())
    if all(stamp == ABSENT for stamp in finished):
        st.caption("The table appears when the first run has finished.")
        return
    metric = state.choose("measure", OFFERED, "image_auroc")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "Metric",
            OFFERED,
            format_func=lambda name: METRICS[name].title,
            help=METRICS[metric].meaning,
            width=260,
            **state.bound("measure", metric),
        )
        _show_downloads(store, sweep, metric)
    table = _table(str(store.home), sweep.name, sweep.serial, finished, metric)
    st.plotly_chart(
        plot_heat(table),
        key="sweep_heat",
        on_select=_take_cell,
        selection_mode="points",
        config=theme.CONFIG,
        alt=f"{table.title} of {len(table.rows)} categories by {len(table.columns)} settings",
    )
    of = f"{table.n_finished:,} of {table.n_all:,} runs finished."
    st.caption(plain(" ".join(["★ marks the best.", *table.notes, of])))
    _show_cell(table)
    _show_summary(table)
    if table.effects:
        st.markdown("#### Which setting matters")
        st.plotly_chart(plot_effects(table), key="sweep_effects", config=theme.CONFIG, alt="Effect of each setting")
        for one in table.effects:
            st.caption(plain(effect_words(one, table.title)))
    st.caption(plain(f"{table.name}, {table.foot}"))


@st.cache_data(max_entries=32, show_spinner="Counting intervals")
def _table(home: str, name: str, serial: int, stamps: tuple[int, ...], metric: str) -> SweepTable:
    store = RunStore(Path(home))
    return sweep_table(store, sweeps.read(store, name), metric)


def _take_cell() -> None:
    points = [point for point in st.session_state["sweep_heat"].selection.points if point.get("customdata")]
    if points:
        row, column = points[0]["customdata"][:2]
        state.put("cell", f"{row},{column}")


def _show_cell(table: SweepTable) -> None:
    """The runs of the cell that was clicked, and its row's for a comparison."""
    parts = (state.get("cell") or "").split(",")
    if len(parts) != 2 or not all(part.isdecimal() for part in parts):
        st.caption("Click a cell for its runs.")
        return
    i, k = map(int, parts)
    if i >= len(table.rows) or k >= len(table.columns) or not table.rows[i].cells[k].run_ids:
        return
    row = table.rows[i]
    cell: TableCell = row.cells[k]
    name = row_name(row.category, row.root)
    st.markdown(f"**{plain(name)}, {plain(table.columns[k])}**: {cell_words(cell)}")
    with st.container(horizontal=True):
        for run_id in cell.run_ids:
            link("results", f"Results of {run_id}", icon=":material/monitoring:", run=run_id)
        firsts = [one.run_ids[0] for one in row.cells if one.run_ids][:MOST_RUNS]
        if len(firsts) > 1:
            label = f"Compare the settings on {plain(name)}, first seed"
            link("compare", label, icon=":material/compare_arrows:", runs_of=None, runs=firsts)


def _show_summary(table: SweepTable) -> None:
    """Mean, rank, time and memory of each setting."""
    if table.means is None:
        return
    st.dataframe(
        [
            {
                "settings": column,
                f"mean {METRICS[table.metric].short}": cell_words(cell) + " ★" * cell.is_best,
                "mean rank": round(rank, 2),
                "time of a run": numbers.MISSING if cell.seconds is None else numbers.duration(cell.seconds),
                "memory (MiB)": None if cell.memory_mib is None else round(cell.memory_mib),
            }
            for column, cell, rank in zip(table.columns, table.means.cells, table.ranks, strict=True)
        ],
        hide_index=True,
    )
    st.caption(
        f"Over {table.n_whole} of {len(table.rows)} categories; the deviation of a mean is that between categories."
        " Time without features, which runs share."
    )


def _show_downloads(store: RunStore, sweep: Sweep, metric: str) -> None:
    with st.container(horizontal=True):
        for ending, (label, mime, hint) in FILES.items():
            st.download_button(
                label,
                lambda make=MAKERS[ending]: make(store, sweep, metric),
                f"{sweep.name}{ending}",
                mime,
                key=f"take_sweep{ending}",
                help=hint,
                icon=":material/download:",
                on_click="ignore",
            )
