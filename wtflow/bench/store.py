"""Lists, searches and pickers of a store of many runs, against reading every run's folder."""

import json
from collections.abc import Callable

from wtflow.bench.children import run_python
from wtflow.bench.figures import Figure, Target, interleaved, milliseconds
from wtflow.bench.many_runs import write_many_runs
from wtflow.bench.workshop import Workshop
from wtflow.jobs import listing, trainings
from wtflow.records.run_list import RunQuery
from wtflow.store.runs import RunStore

TARGET = Target("value", "at most", 300.0)
REPEATS = 5
"""Of each question."""
FLOOR_REPEATS = 2
"""Reading all runs takes long."""
PAGE = 100
QUESTIONS: dict[str, RunQuery] = {
    "list the newest": RunQuery(limit=PAGE),
    "search two words": RunQuery(search="screw paper", limit=PAGE),
    "filter by a setting and a metric": RunQuery(search="coupling=optimal image_auroc>0.9", limit=PAGE),
    "sort by a metric": RunQuery(sort="-image_auroc", limit=PAGE),
    "sort by a setting": RunQuery(sort="seed", limit=PAGE),
    "runs of a category": RunQuery(category="screw", states=("finished",), limit=PAGE),
}
"""Each is asked with a look at all folders before."""


def measure(shop: Workshop) -> list[Figure]:
    """Milliseconds for each question, and for what every page does first. The floor reads every folder, as lists did
    before there was an index.
    """
    store, n = RunStore(shop.folder / "many"), shop.sizes.listed
    write_many_runs(store.home, n)
    floor = milliseconds(interleaved({"floor": store.summaries}, min(FLOOR_REPEATS, shop.sizes.repeats))["floor"])
    first = milliseconds(interleaved({"first": lambda: listing.look(store)}, 1)["first"])
    tasks: dict[str, Callable[[], object]] = {
        name: lambda query=query: listing.look(store).find(query) for name, query in QUESTIONS.items()
    }
    tasks["reconcile"] = lambda: trainings.reconcile(store)
    tasks["all of them"] = lambda: trainings.live_summaries(store)
    tasks["runs --limit 20, a new process"] = lambda: _command(store)
    trainings.reconcile(store)  # it tidies the store first
    seconds = interleaved(tasks, min(REPEATS, shop.sizes.repeats))
    free = ("all of them", "runs --limit 20, a new process")
    return [
        _figure(f"first look, {n} runs", first, floor),
        *(
            _figure(f"{name}, {n} runs", milliseconds(taken), floor, name not in free)
            for name, taken in seconds.items()
        ),
    ]


def _figure(name: str, value, floor, has_target: bool = False) -> Figure:
    return Figure("store", name, "ms", value, "reading every folder", floor, TARGET if has_target else None)


def _command(store: RunStore) -> None:
    done = run_python(["-m", "wtflow", "runs", "--limit", "20", "--json"], {"WTFLOW_HOME": str(store.home)})
    assert_listed = json.loads(done.splitlines()[-1])["runs"]
    if len(assert_listed) != 20:
        raise RuntimeError(f"the command listed {len(assert_listed)} runs instead of 20")
