"""`--tile` with or without a number: Typer's options have a value always or never."""

from typing import Any

from typer.core import TyperCommand

from wtflow.config import read_tile

OPTION = "--tile"
ALONE = "side"
"""What `--tile` alone means."""


class WithBareTile(TyperCommand):
    """A command that takes `--tile` alone, wherever it stands, as `--tile side`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, with_value(args))


def with_value(args: list[str]) -> list[str]:
    """The arguments with `side` after each `--tile` that no size follows."""
    end = args.index("--") if "--" in args else len(args)
    given: list[str] = []
    for at, arg in enumerate(args[:end]):
        given.append(arg)
        if arg == OPTION and not (at + 1 < end and _is_size(args[at + 1])):
            given.append(ALONE)
    return given + args[end:]


def _is_size(text: str) -> bool:
    """A size, or a number that is none and is to be refused as such."""
    if text.lstrip("+-").isdigit():
        return True
    try:
        read_tile(text)
    except ValueError:
        return False
    return True
