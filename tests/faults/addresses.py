"""Addresses that nobody writes by hand: every page answers every value of every choice in its address, by a sentence at
worst.
"""

import logging
import os

from run_folders import train_here, write_tiny_category
from streamlit.testing.v1 import AppTest

from faults.outcome import Round, check
from faults.places import contents, half_written
from pages.ui.frame import PAGES
from wtflow.jobs import studies
from wtflow.machine.places import STUDIO
from wtflow.store.runs import RunStore

VISITS = 220
PATIENCE_S = 300.0
VALUES = (
    "../../etc",
    "/etc/passwd",
    "../../../../../../etc/passwd",
    "a\nb",
    "<img src=x onerror=alert(1)>",
    "x" * 5000,
    "-1",
    "1e400",
    "nan",
    "[]",
    "{}",
    "%00",
    "💥",
    "0x10",
    "99999999999999999999",
    "",
    "RUN",
    "None",
    "1,2,3",
    "\u202e",
    "$x$",
    "test/spot/000.png",
    "20200101-000000-x",
    "\0",
    "~root",
    "C:\\x",
    "//host/share",
    "1.5",
    "inf",
)


def run(this: Round) -> None:
    logging.disable(logging.CRITICAL)
    store = RunStore(this.folder / "runs")
    os.environ["WTFLOW_HOME"], os.environ["WTFLOW_ROOTS"] = str(store.home), str(this.folder / "images")
    studies.start_tasks = lambda *_, **__: None  # a page that waits for a computation is drawn, too
    run_id = train_here(store, write_tiny_category(this.folder / "images"))
    was = contents(store.folder(run_id))
    choices = [(name, choice) for name, entry in PAGES.items() for choice in entry.params]
    for number in range(this.count(VISITS)):
        name, choice = choices[number % len(choices)] if this.share >= 1 else this.chance.choice(choices)
        values = {choice: this.chance.choice(VALUES).replace("RUN", run_id)}
        for _ in range(this.chance.choice([0, 0, 1, 2])):
            values[this.chance.choice(PAGES[name].params or (choice,))] = this.chance.choice(VALUES)
        if choice != "run":
            values.setdefault("run", run_id)
        with this.attempt(f"{name} with {str(values)[:200]!a}", name):
            page = AppTest.from_file(STUDIO / "pages" / f"{name}.py", default_timeout=PATIENCE_S)
            for key, value in values.items():
                page.query_params[key] = value
            page.run()
            check(not page.exception, "; ".join(f"{one.message}"[:200] for one in page.exception))
            said = " ".join(str(one.value) for one in (*page.error, *page.warning, *page.markdown))
            check("root:x:0" not in said, "it shows a file of the system")
    now = contents(store.folder(run_id))
    with this.attempt("the run after all visits", "the run afterwards"):
        check({name: now.get(name) for name in was} == was, "a visit changed what the run holds")
    this.leave("after all visits", half_written(store))
