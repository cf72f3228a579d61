"""The folder that a person names for what is taken away from the lessons."""

from pathlib import Path

from wtflow.errors import StoreError


def make_folder(out: Path) -> None:
    """Make it where it is not there. Raises StoreError."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"{out} is not a folder that can be written to: {error.strerror}.", fix="Choose another folder with --out."
        ) from error
