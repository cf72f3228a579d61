"""The command `wtflow-studio`: opens the app, as `make app` does in a checkout.

It runs Streamlit in its own process, so that signals end both. Nothing that is imported here may import NumPy: the
threads of its sums are set first. The app itself refuses to listen to others unguarded (`pages/ui/access/rules.py`).
"""

import os
import runpy
import sys
from importlib.util import find_spec
from typing import Annotated, Final

import typer

from wtflow import console
from wtflow.cli.extras import EXTRAS, missing
from wtflow.machine.places import STUDIO
from wtflow.machine.port import HOST, why_not

COMMAND: Final = "wtflow-studio"
ONE_THREAD_EACH: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""Pages do small sums, and leave the cores to a training run; the Makefile sets the same."""
EVERYWHERE: Final = ("0.0.0.0", "::")


def studio(
    port: Annotated[str, typer.Option(metavar="PORT", help="Port of this computer that the app answers on.")] = "8501",
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open a browser.")] = False,
    address: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Listen on this address, for other computers; 0.0.0.0: on all."),
    ] = None,
    no_auth: Annotated[
        bool, typer.Option("--no-auth", help="Let everybody who reaches the app do everything, without a password.")
    ] = False,
) -> None:
    """Open the app, for this computer only. For others, a password is needed first: `wtflow password`. Runs are kept
    in WTFLOW_HOME, or ./runs.
    """
    for module in EXTRAS["app"]:
        if find_spec(module) is None and (error := missing(module, COMMAND)) is not None:
            console.fail(error, as_json=False)
    if reason := why_not(port, "--port", f"{COMMAND} --port ", address or HOST):
        console.err.print(reason, markup=False, style="red")
        raise typer.Exit(2)
    os.environ.update(ONE_THREAD_EACH)
    headless = ["--server.headless", "true"] if no_browser else []
    listen = ["--server.address", address] if address else []
    if address in EVERYWHERE:  # or Streamlit asks a server outside for this computer's address, to print it
        listen += ["--browser.serverAddress", "localhost"]
    told = ["--", "--no-auth"] if no_auth else []
    sys.argv = ["streamlit", "run", str(STUDIO / "app.py"), "--server.port", port, *headless, *listen, *told]
    runpy.run_module("streamlit", run_name="__main__", alter_sys=True)


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
app.command()(studio)


def main() -> None:
    """Entry point. Exit code 2 where the app cannot be opened, with the reason on stderr."""
    console.use_any_code_page()
    app(prog_name=COMMAND)
