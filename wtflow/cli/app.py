"""`python -m wtflow`: the same work as the pages, from the shell. One file per subject; this one puts them together."""

import sys

import typer

from wtflow import console
from wtflow.cli.bare_tile import WithBareTile
from wtflow.cli.bench import bench
from wtflow.cli.correct import correct
from wtflow.cli.coupling import coupling_study
from wtflow.cli.data import cache, check, demo
from wtflow.cli.export import export, lesson
from wtflow.cli.extras import missing
from wtflow.cli.info import info
from wtflow.cli.inspect import inspect
from wtflow.cli.listing import runs
from wtflow.cli.new import new
from wtflow.cli.password import password
from wtflow.cli.relocate import relocate
from wtflow.cli.report import report
from wtflow.cli.runs import evaluate, resume, train
from wtflow.cli.space import space
from wtflow.cli.sweep import sweep
from wtflow.cli.threshold import threshold

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Train, check and browse WT-Flow anomaly detectors. Runs are kept in WTFLOW_HOME, or ./runs.",
)
COMMANDS = (
    demo,
    new,
    check,
    train,
    resume,
    sweep,
    evaluate,
    correct,
    inspect,
    runs,
    threshold,
    coupling_study,
    relocate,
    password,
    export,
    info,
    report,
    lesson,
    cache,
    space,
    bench,
)
for command in COMMANDS:
    app.command(cls=WithBareTile if command is train else None)(command)


def main() -> None:
    """Entry point: a known error becomes one sentence and exit code 2, and so does a package that is not installed."""
    console.use_any_code_page()
    try:
        app()
    except ModuleNotFoundError as error:
        command = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
        lacking = missing(error.name, f"wtflow {command}")
        if lacking is None:
            raise
        console.tell(lacking, "--json" in sys.argv)
        sys.exit(2)
