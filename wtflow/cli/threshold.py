"""`python -m wtflow threshold`: find a threshold by a rule, keep it in the run, show what is kept."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wtflow import console
from wtflow.cli.parts import Json, Mistakes, Run
from wtflow.errors import SettingsError
from wtflow.numbers import count
from wtflow.numbers import score as format_score
from wtflow.records.decision import Decision
from wtflow.store.runs import RunStore

if TYPE_CHECKING:
    from wtflow.deciding.choose import Choice
    from wtflow.deciding.rules import Ruling


def threshold(
    run: Run,
    false_alarms: Annotated[
        str | None, typer.Option(help="At most this share of new normals called defective, on average, such as 0.02.")
    ] = None,
    no_miss: Annotated[
        list[str] | None, typer.Option(metavar="TYPE", help="No test image of this defect type missed; repeatable.")
    ] = None,
    miss_costs: Annotated[float | None, typer.Option(help="A missed defect costs so many false alarms.")] = None,
    defect_share: Annotated[
        str | None,
        typer.Option(help="With --miss-costs: share of defective images; default: as in the test set."),
    ] = None,
    best_f1: Annotated[bool, typer.Option("--best-f1", help="The highest F1 on the test images: optimistic.")] = False,
    value: Annotated[float | None, typer.Option(help="This threshold, chosen freely.")] = None,
    cross_fit: Annotated[
        str | None,
        typer.Option(
            metavar="short|full",
            help="First score the training normals by flows that did not learn from them: takes two fifths of a"
            " training, or five.",
        ),
    ] = None,
    comment: Annotated[str, typer.Option(help="Why; it is kept with the threshold.")] = "",
    release: Annotated[bool, typer.Option("--release", help="Keep none: start as the run does by itself.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Only say what the rule finds, or what is in force.")] = False,
    history: Annotated[bool, typer.Option("--history", help="List every threshold that was kept.")] = False,
    as_json: Json = False,
) -> None:
    """Keep a threshold for a run, found by a rule: pages, reports and exports then start with it. Without a rule, say
    which one is in force.
    """
    from wtflow.deciding.choose import decide, to_keep
    from wtflow.deciding.force import threshold_in_force
    from wtflow.results import open_results
    from wtflow.store.decisions import decision_history, keep_decision, read_decision, release_decision

    with Mistakes(as_json):
        choice = _choice(false_alarms, no_miss, miss_costs, defect_share, best_f1, value)
        if release and (choice or show or history):
            raise SettingsError("--release stands alone.", fix="Give either it or a rule.")
        store = RunStore()
        results = open_results(store, run)
        if cross_fit is not None:
            _score_normals(store, run, cross_fit)
        ruling = None
        if choice is not None:
            ruling, _ = decide(_evidence(store, run), choice)
            if not show:
                keep_decision(store, run, to_keep(ruling, comment))
        elif release:
            release_decision(store, run)
        in_force, kept = threshold_in_force(store, results), read_decision(store, run)
        past = decision_history(store, run)
    if ruling is not None:
        _say_ruling(ruling)
    if ruling is None or not show:
        console.err.print(_line(in_force, kept is not None), markup=False)
    for one in past if history else ():
        console.err.print(_line(one, True), markup=False)
    facts: dict[str, Any] = {"run_id": run, "in_force": asdict(in_force), "is_kept": kept is not None}
    if ruling is not None:
        facts["found"] = asdict(ruling)
    if history:
        facts["history"] = [asdict(one) for one in past]
    console.finish(as_json, facts)


def _score_normals(store: RunStore, run: str, effort: str) -> None:
    from wtflow.studies.compute import compute_answer
    from wtflow.studies.requests import NormalsRequest, checked

    request = checked(NormalsRequest, {"effort": effort})
    with console.progress() as show:
        step = console.steps(show, "scoring normals")
        compute_answer(store, run, request, lambda share: step(round(1000 * share), 1000))


def _evidence(store: RunStore, run: str):
    from wtflow.deciding.evidence import evidence_of
    from wtflow.results import open_results
    from wtflow.studies.answers import known_normals

    results = open_results(store, run)
    return evidence_of(results, known_normals(store, results))


def _choice(
    false_alarms: str | None,
    no_miss: list[str] | None,
    miss_costs: float | None,
    defect_share: str | None,
    best_f1: bool,
    value: float | None,
) -> "Choice | None":
    """The one rule that was given; None without any. Raises SettingsError for two."""
    from wtflow.deciding.choose import Choice, read_share

    given: list[Choice] = []
    if false_alarms is not None:
        given.append(Choice("false_alarms", share=read_share(false_alarms)))
    if no_miss:
        given.append(Choice("no_miss", types=tuple(no_miss)))
    if miss_costs is not None:
        share = None if defect_share is None else read_share(defect_share)
        given.append(Choice("miss_costs", times=miss_costs, defect_share=share))
    elif defect_share is not None:
        raise SettingsError("--defect-share belongs to --miss-costs.", fix="Give both, or neither.")
    if best_f1:
        given.append(Choice("best_f1"))
    if value is not None:
        given.append(Choice("by_hand", value=value))
    if len(given) > 1:
        raise SettingsError(f"{len(given)} rules are given; a threshold comes from one.", fix="Give one of them.")
    return given[0] if given else None


def _say_ruling(ruling: "Ruling") -> None:
    from wtflow.deciding.rules import interval_words

    console.err.print(f"{format_score(ruling.value)}: {ruling.how}. {ruling.words}", markup=False)
    for what, found in (("false alarm", ruling.false_alarms), ("missed defect", ruling.misses)):
        if found.n:
            words = f"{count(found.k, what)} of {count(found.n, 'image')}, {interval_words(found)}"
            console.err.print(f"On the test images of this run: {words}.", markup=False)


def _line(decision: Decision, is_kept: bool) -> str:
    from wtflow.deciding.force import day_of

    how = f"kept on {day_of(decision)}" if is_kept else "not kept; where the run starts"
    comment = f" Comment: {decision.comment}" if decision.comment else ""
    return f"Threshold {format_score(decision.value)} ({how}). {decision.words}{comment}"
