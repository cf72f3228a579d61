"""A plan together with what it takes: the number of threads follows from how many runs fit at once."""

from wtflow.errors import WTFlowError
from wtflow.jobs import trainings
from wtflow.records.sweep import Sweep, Way
from wtflow.store.runs import RunStore
from wtflow.sweeps.estimate import SweepEstimate, estimate_sweep, fitting_jobs, fitting_threads
from wtflow.sweeps.expand import Asked, Plan, plan_new


def plan_with_threads(
    store: RunStore, name: str, asked: Asked, way: Way, threads: int | None
) -> tuple[Plan, SweepEstimate]:
    """A new sweep and what it takes. threads: of every run; None: this computer's cores shared by the runs that fit at
    once. They stay the same whatever computes the sweep later, since figures depend on them. Raises as `plan_new`.
    """
    plan = plan_new(store, name, asked, threads or 1, way)
    fixed = plan.sweep.combinations[0].settings.threads
    n = len(plan.sweep.cells)
    found = estimate_sweep(store, plan.sweep, 1)
    jobs = fitting_jobs(way.jobs, n, fixed if threads or "threads" in (asked.sets or {}) else 1, found.memory_mib)
    if threads is None and "threads" not in (asked.sets or {}) and (fitting := fitting_threads(jobs)) > 1:
        plan = plan_new(store, name, asked, fitting, way)
    return plan, estimate_sweep(store, plan.sweep, jobs)


def estimate_now(store: RunStore, sweep: Sweep) -> SweepEstimate:
    """What is left of a sweep."""
    done = []
    for cell in sweep.cells:
        try:
            if cell.run_id and trainings.live_status(store, cell.run_id).state == "finished":
                done.append(cell.key)
        except WTFlowError:
            continue
    found = estimate_sweep(store, sweep, 1, done)
    jobs = fitting_jobs(sweep.way.jobs, len(sweep.cells), found.threads, found.memory_mib)
    return estimate_sweep(store, sweep, jobs, done)
