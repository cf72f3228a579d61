"""Part of the page `results`: find a threshold by a rule, see what it promises and costs, keep it, go back."""

import streamlit as st

from pages.ui import answers, state
from pages.ui.access.visitor import trainers
from pages.ui.errors import plain, show_error
from wtflow.deciding.choose import Choice, again, decide, to_keep
from wtflow.deciding.cost import CostCurve
from wtflow.deciding.evidence import HELD_OUT, evidence_of
from wtflow.deciding.force import day_of
from wtflow.deciding.rules import DEFAULT_SHARE, Evidence, Rule, Ruling, interval_words
from wtflow.errors import WTFlowError
from wtflow.numbers import PERCENT_SIGN, count
from wtflow.numbers import score as format_score
from wtflow.plots import theme
from wtflow.plots.cost import plot_cost
from wtflow.records.decision import Decision
from wtflow.results import RunResults
from wtflow.store.decisions import decision_history, keep_decision, read_decision, release_decision
from wtflow.store.runs import RunStore
from wtflow.studies.answers import known_normals
from wtflow.studies.requests import NormalsRequest

_RULES: dict[Rule, str] = {
    "false_alarms": "At most so many false alarms",
    "no_miss": "No missed defect of these types",
    "miss_costs": "A miss costs so many false alarms",
    "best_f1": "Highest F1 on the test images",
    "by_hand": "As set above",
}
MOST_LISTED = 10
"""Earlier thresholds that the history shows."""


def show_deciding(store: RunStore, results: RunResults, threshold: float) -> None:
    """The panel, folded until it is opened. threshold: the one of the slider."""
    fold = st.expander("Decide on a threshold", icon=":material/gavel:", key="deciding", on_change="rerun")
    if not fold.open:
        return
    with fold:
        try:
            evidence = evidence_of(results, known_normals(store, results))
            left, right = st.columns([3, 2], gap="large")
            with left:
                _show_rule(store, results, evidence, threshold)
            with right:
                _show_kept(store, results)
        except WTFlowError as error:
            show_error(error)


def _show_rule(store: RunStore, results: RunResults, evidence: Evidence, threshold: float) -> None:
    offered = [rule for rule in _RULES if _fits(rule, evidence)]
    rule = st.selectbox("Rule", offered, format_func=_RULES.__getitem__, key="rule")
    ruling, curve = decide(evidence, _ask(rule, evidence, threshold))
    st.markdown(f"**{format_score(ruling.value)}**: {plain(ruling.how)}. {plain(ruling.words)}")
    for what, found in (("false alarm", ruling.false_alarms), ("missed defect", ruling.misses)):
        if found.n:
            st.caption(f"On the test images: {count(found.k, what)} of {found.n:,}, {interval_words(found)}.")
    if curve is not None:
        _show_curve(ruling, curve)
    if rule == "false_alarms" and evidence.normals_are == HELD_OUT:
        _offer_to_score(store, results)
    comment = st.text_input("Why", key="why_kept", placeholder="A comment, kept with the threshold")
    with st.container(horizontal=True):
        st.button(
            "Show it above",
            icon=":material/visibility:",
            key="show_ruling",
            on_click=state.put,
            args=("threshold", state.to_text(ruling.value)),
        )
        if st.button("Keep this threshold", type="primary", icon=":material/save:", key="keep_ruling", **trainers()):
            keep_decision(store, results.run_id, to_keep(ruling, comment))
            _start_there()


def _offer_to_score(store: RunStore, results: RunResults) -> None:
    """Have all training normals scored by flows that did not learn from them."""
    request = NormalsRequest(effort="short")
    answers.read_task(
        store, results.run_id, request, "Score all training normals", "about as long as the run's own training"
    )


def _fits(rule: Rule, evidence: Evidence) -> bool:
    if rule == "false_alarms":
        return len(evidence.normals) > 0
    if rule == "no_miss":
        return len(evidence.defective) > 0
    if rule == "by_hand":
        return True
    return len(evidence.defective) > 0 and len(evidence.good) > 0


def _ask(rule: Rule, evidence: Evidence, threshold: float) -> Choice:
    """The rule with the number that belongs to it."""
    if rule == "false_alarms":
        share = st.number_input(
            f"False alarms at most ({PERCENT_SIGN.strip()})", 0.1, 50.0, 100 * DEFAULT_SHARE, 0.5, key="rule_share"
        )
        return Choice(rule, share=share / 100)
    if rule == "no_miss":
        known = sorted(set(map(str, evidence.types)))
        types = st.multiselect("Defect types", known, format_func=plain, placeholder="Any type", key="rule_types")
        return Choice(rule, types=tuple(types))
    if rule == "miss_costs":
        times = st.number_input("False alarms that a miss costs", 0.1, 1e6, 10.0, key="rule_times")
        share = st.number_input(
            f"Share of images that are defective ({PERCENT_SIGN.strip()})",
            0.001,
            99.0,
            None,
            key="rule_defects",
            placeholder="As in the test set",
            help="On a line it is often far lower than in a test set.",
        )
        return Choice(rule, times=times, defect_share=None if share is None else share / 100)
    return Choice(rule, value=threshold)


def _show_curve(ruling: Ruling, curve: CostCurve) -> None:
    st.plotly_chart(
        plot_cost(curve.thresholds, curve.cost, ruling.value, ruling.place),
        key="cost_curve",
        config=theme.CONFIG,
        alt=f"Expected cost of an image against the threshold, lowest at {format_score(ruling.value)}",
    )


def _show_kept(store: RunStore, results: RunResults) -> None:
    kept, past = read_decision(store, results.run_id), decision_history(store, results.run_id)
    if kept is None:
        st.caption("No threshold is kept for this run yet. Pages, reports and exports start where the run does.")
    else:
        st.markdown(f"**Kept: {format_score(kept.value)}**, {day_of(kept)}  \n{plain(kept.words)}")
        if kept.comment:
            st.caption(plain(kept.comment))
        keep_none = trainers(help="Start where the run does by itself")
        if st.button("Keep none", icon=":material/undo:", key="keep_none", **keep_none):
            release_decision(store, results.run_id)
            _start_there()
    for i, old in enumerate([one for one in past if one != kept][:MOST_LISTED]):
        _show_old(store, results.run_id, i, old)


def _show_old(store: RunStore, run_id: str, i: int, old: Decision) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        comment = f" · {plain(old.comment)}" if old.comment else ""
        st.caption(f"{format_score(old.value)} · {day_of(old)} · {plain(old.words.split('. ')[0])}{comment}")
        if st.button("Back to it", key=f"back_{i}", type="tertiary", icon=":material/history:", **trainers()):
            keep_decision(store, run_id, again(old))
            _start_there()


def _start_there() -> None:
    """Let the page start at what is in force now."""
    state.put("origin", None)
    state.put("threshold", None)
    st.rerun()
