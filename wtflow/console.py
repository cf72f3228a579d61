"""Output of the command line: progress on stderr, one JSON object last on stdout, one sentence for a mistake."""

import codecs
import contextlib
import io
import json
import sys
from collections.abc import Generator
from typing import Any, NoReturn, Protocol

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from wtflow import numbers
from wtflow.errors import WTFlowError

PLAIN_EVERY_PERCENT = 10
"""Without a terminal, a line replaces the bar after this many percent each."""

err = Console(stderr=True, highlight=False, soft_wrap=True)
out = Console(highlight=False, soft_wrap=True)
if not out.is_terminal:
    out = Console(highlight=False, soft_wrap=True, width=200)  # a file has no width: tables keep their columns whole


def use_any_code_page() -> None:
    """Let this process print every name: what the console's code page lacks is shown as \\u and its number, where
    Python would end the command. A no-break space that it lacks is a space.
    """
    codecs.register_error("wtflow", _show_as_number)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="wtflow")


def _show_as_number(error: UnicodeError) -> tuple[str | bytes, int]:
    if isinstance(error, UnicodeEncodeError) and error.object[error.start] == numbers.NBSP:
        return " ", error.start + 1
    return codecs.backslashreplace_errors(error)


class Show(Protocol):
    def __call__(self, label: str, percent: float) -> None: ...


@contextlib.contextmanager
def progress() -> Generator[Show, None, None]:
    """A function (label, percent) that draws a bar on a terminal and plain lines elsewhere."""
    if err.is_terminal:
        columns = (
            TextColumn("{task.description:<28}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}\N{NBSP}%"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=err, transient=True) as bars:
            task = bars.add_task("", total=100)
            yield lambda label, percent: bars.update(task, description=label, completed=percent)
    else:
        last: tuple[str, int] = ("", -1)

        def show(label: str, percent: float) -> None:
            nonlocal last
            mark = (label, int(percent // PLAIN_EVERY_PERCENT))
            if mark != last:
                last = mark
                err.print(f"{label} {numbers.progress(percent / 100)}", markup=False)

        yield show


def steps(show: Show, label: str):
    """Turn (done, total) calls into (label, percent) ones."""
    return lambda done, total: show(label, 100 * done / total if total else 100.0)


def finish(as_json: bool, value: dict[str, Any]) -> None:
    """With --json, print the object as the last line on stdout."""
    if as_json:
        text = json.dumps(value, ensure_ascii=False)
        try:
            text.encode(sys.stdout.encoding or "utf-8")
        except (UnicodeEncodeError, LookupError):
            text = json.dumps(value)  # JSON has its own way to write what the console lacks
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def tell(error: WTFlowError, as_json: bool) -> None:
    """One sentence on stderr, the same in JSON if asked for."""
    err.print(str(error), markup=False, style="red")
    finish(as_json, {"error": error.message, "fix": error.fix})


def fail(error: WTFlowError, as_json: bool) -> NoReturn:
    """`tell`, and exit code 2."""
    tell(error, as_json)
    raise typer.Exit(2)
