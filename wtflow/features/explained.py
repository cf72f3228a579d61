"""Errors of timm and torch while a network is built or run, as a sentence for a person."""

import contextlib
from collections.abc import Generator
from typing import Any

from wtflow.errors import BackboneError


@contextlib.contextmanager
def explained(name: str, args: dict[str, Any]) -> Generator[None, None, None]:
    try:
        yield
    except TypeError as error:
        if "unexpected keyword argument" not in str(error):
            raise _unbuildable(name, args, error) from error
        word = str(error).rsplit("'", 2)[-2] if "'" in str(error) else ", ".join(args)
        raise BackboneError(
            f"{name} has no argument {word!r}.", fix="Remove it from the backbone arguments, or choose another model."
        ) from error
    except RuntimeError as error:
        if "feature" not in str(error).lower():
            raise _unbuildable(name, args, error) from error
        raise BackboneError(
            f"{name} cannot give features by stage ({error}).",
            fix="Choose a model with features_only, such as resnet18.",
        ) from error
    except (KeyError, IndexError, ValueError, AttributeError, AssertionError) as error:
        raise _unbuildable(name, args, error) from error


def _unbuildable(name: str, args: dict[str, Any], error: Exception) -> BackboneError:
    listing = ", ".join(f"{key}={value}" for key, value in args.items())
    return BackboneError(
        f"{name} cannot be built{f' with {listing}' if args else ''} ({type(error).__name__}: {in_a_line(error)}).",
        fix="Correct the values of the backbone arguments, or leave them out." if args else "Choose another model.",
    )


@contextlib.contextmanager
def taking(name: str, size_px: int) -> Generator[None, None, None]:
    """A model that is made for other image sizes raises an assertion or an error of shapes."""
    try:
        yield
    except (AssertionError, RuntimeError) as error:
        raise BackboneError(
            f"{name} cannot take images of {size_px} px ({in_a_line(error)}).",
            fix=(
                "Change the image size (`train` rounds it to what the model takes), leave out a backbone argument"
                " img_size that says another one, or choose padding zeros."
            ),
        ) from error


def in_a_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
