"""Which runs the page `compare` is about: the picker, what differs between them, and whether
they were tested on the same images.
"""

from collections.abc import Sequence

import streamlit as st

from pages.ui import run_lists, run_search, state, widgets
from pages.ui.compare import compare_cache
from pages.ui.errors import plain
from pages.ui.families import category_at, category_of
from wtflow import numbers
from wtflow.compare.differences import input_sentences, matched_words, trained_sentences
from wtflow.compare.runs import LETTERS, MOST_RUNS, Comparison, settings_rows
from wtflow.records.core import RunSummary
from wtflow.records.run_list import RunQuery
from wtflow.store.runs import RunStore

EVALUATE_AGAIN = (
    "`python -m wtflow evaluate RUN --steps 1 --keep` makes a second run from the same training, scored with another"
    " number of steps."
)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table in Markdown; the cells are taken as they are."""
    lines = [header, ["---"] * len(header), *rows]
    st.markdown("\n".join("| " + " | ".join(cells) + " |" for cells in lines))


def pick_runs(store: RunStore) -> tuple[str, ...]:
    """Two to four finished runs of one category, as the address names them or the two newest;
    ends the page without them.
    """
    view = run_lists.look(store)
    wanted = state.get_all("runs")
    named = view.get_all(dict.fromkeys(wanted))
    finished = {run_id: run for run_id, run in named.items() if widgets.is_finished(run)}
    families: dict[str, list[tuple[str, str]]] = {}
    for root, name in view.index.categories(RunQuery(states=("finished",), archived="also"), view.live):
        families.setdefault(category_at(store, root, name), []).append((root, name))
    if not families:
        widgets.show_no_run_yet(
            "Train a category twice with different settings; here you see which run is better, and where they disagree."
        )
        st.stop()
    known = [category_of(store, finished[run_id]) for run_id in wanted if run_id in finished]
    category = _category(known, list(families))
    every = RunQuery(states=("finished",), sources=tuple(families[category]), sort="-run", limit=run_search.N_OFFERED)
    newest = view.find(every)
    own = {run_id: run for run_id, run in finished.items() if category_of(store, run) == category}
    offered = {run.run_id: run for run in newest.runs} | own
    if not wanted:
        wanted = _first_choice(list(offered), view.get(state.get("run")), category, store)
        state.put("runs", wanted)
        offered |= view.get_all(wanted)
    chosen = [run_id for run_id in dict.fromkeys(wanted) if run_id in offered][:MOST_RUNS]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox("Category", list(families), width=200, **state.bound("runs_of", category))
        st.multiselect(
            "Runs to compare: the others are compared with the first",
            list(offered),
            max_selections=MOST_RUNS,
            format_func=widgets.run_labels(offered.values()).__getitem__,
            placeholder="Choose two to four runs",
            **state.bound("runs", chosen),
        )
        run_search.show_search(
            store,
            run_search.Offered(tuple(offered.values()), newest.n_found, every),
            widgets.run_label,
            lambda run_id: state.put("runs", list(dict.fromkeys([*chosen, run_id]))),
        )
        if len(chosen) > 1:
            st.button(
                "Reverse",
                icon=":material/swap_horiz:",
                on_click=state.put,
                args=("runs", chosen[::-1]),
                help="The last run becomes the first",
            )
    for run_id in dict.fromkeys(wanted):
        if run_id not in chosen:
            one = named.get(run_id)
            _show_why_not(run_id, one, category, "" if one is None else category_of(store, one))
    if len(chosen) < 2:
        st.info(
            (
                "Choose at least two finished runs of one category."
                if len(offered) > 1
                else (
                    f"There is only one finished run of {plain(category)}. Train another, or score this one"
                    f" differently: {EVALUATE_AGAIN}"
                )
            ),
            icon=":material/compare_arrows:",
        )
        st.stop()
    return tuple(chosen)


def _category(known: list[str], categories: list[str]) -> str:
    """known: the categories of the runs that the address names."""
    asked = state.get("runs_of")
    return known[0] if known else asked if asked in categories else categories[0]


def _first_choice(offered: list[str], last: RunSummary | None, category: str, store: RunStore) -> list[str]:
    """The run last looked at, or the newest, and the newest other one; the older of the two first."""
    is_own = last is not None and widgets.is_finished(last) and category_of(store, last) == category
    one = last.run_id if last is not None and is_own else offered[0]
    others = [run_id for run_id in offered if run_id != one][:1]
    return sorted([one, *others])


def _show_why_not(run_id: str, summary: RunSummary | None, category: str, own: str) -> None:
    if summary is None or summary.problem or not widgets.is_finished(summary):
        widgets.show_why_unfit(run_id, summary)
    elif own != category:
        st.info(
            f"Run {plain(run_id)} is of category {plain(own)}: only runs of one category are compared.",
            icon=":material/info:",
        )
    else:
        st.info(f"Run {plain(run_id)} is left out: {MOST_RUNS} runs are the most.", icon=":material/info:")


def run_names(comparison: Comparison) -> list[str]:
    """A letter per run and the value of the first setting or two that differ: A (steps 1)."""
    differ, _ = settings_rows([run.settings for run in comparison.runs])
    names = []
    for k, letter in enumerate(LETTERS[: len(comparison.runs)]):
        words = ", ".join(f"{name} {short(values[k])}" for name, values in differ[:2])
        names.append(f"{letter} ({words})" if words else letter)
    return names


def short(value: object) -> str:
    """A setting's value in a few letters: of a path only the file."""
    text = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return text.replace("\\", "/").rpartition("/")[2][:24]


def show_origins(store: RunStore, comparison: Comparison) -> None:
    """Which letter is which run."""
    runs = run_lists.look(store).get_all(run.run_id for run in comparison.runs)
    named = {run_id: one.name for run_id, one in runs.items()}
    words = []
    for letter, run in zip(LETTERS, comparison.runs, strict=False):
        parent = run.metrics.get("scored_from")
        origin = f", the training of {plain(str(parent))} scored again" if parent else ""
        name = f"“{plain(named[run.run_id])}”, " if named.get(run.run_id) else ""
        words.append(f"**{letter}** is {name}run {plain(run.run_id)} of {widgets.moment(run.config.created)}{origin}.")
    st.caption(" ".join(words))


def show_settings(store: RunStore, comparison: Comparison, names: Sequence[str]) -> None:
    """The settings and inputs that differ, and the other settings folded."""
    differ, same = settings_rows([run.settings for run in comparison.runs])
    header = ["setting", *LETTERS[: len(names)]]
    if differ:
        table(header, [[f"**{plain(name)}**", *(plain(str(value)) for value in values)] for name, values in differ])
    apart = input_sentences(comparison, [store.data(run.run_id) for run in comparison.runs])
    if apart:
        st.markdown("\n".join(f"* {plain(sentence)}" for sentence in apart))
    if not differ:
        _, truths = compare_cache.differences(store, tuple(run.run_id for run in comparison.runs))
        is_chance = comparison.is_same_set and truths.are_same and not apart
        st.write(
            "All settings are the same."
            + " What still differs is chance: another computer, version or number of threads." * is_chance
        )
    with st.expander(f"{len(same)} settings are the same"):
        table(["setting", "value"], [[plain(name), plain(str(values[0]))] for name, values in same])


def agree_on_images(comparison: Comparison) -> bool:
    """Show which images the comparison rests on. False while the runs were tested on different ones and nobody chose
    to go on.
    """
    n, letters = len(comparison.images), LETTERS[: len(comparison.runs)]
    n_defective = int(comparison.labels.sum())
    kinds = f"{n - n_defective:,} normal, {n_defective:,} defective"
    if comparison.is_same_set:
        if n:
            st.caption(
                f"All runs were tested on the same {numbers.count(n, 'image')} ({kinds}), {matched_words(comparison)}."
            )
        else:
            st.info(
                "These runs have no test images, so there is nothing to compare. Add images to test/ and train again.",
                icon=":material/info:",
            )
        return n > 0
    sizes = ", ".join(f"{letter} {count:,}" for letter, count in zip(letters, comparison.n_images, strict=True))
    left_out = " ".join(map(plain, trained_sentences(comparison)))
    st.warning(
        f"**The runs were tested on different images** ({sizes}), so their metrics cannot be compared. "
        + (
            f"{numbers.count(n, 'image')} are common to all, {matched_words(comparison)} ({kinds})."
            if n
            else "They have no image in common."
        )
        + (f" {left_out}" if left_out else ""),
        icon=":material/difference:",
    )
    if not n:
        return False
    is_asked = state.get("common") == "1"
    st.toggle(
        f"Compare on the {numbers.count(n, 'image')} common to {'both' if len(letters) == 2 else 'all'}",
        key="widget_common",
        value=is_asked,
        on_change=lambda: state.put("common", "1" if st.session_state["widget_common"] else None),
    )
    return is_asked
