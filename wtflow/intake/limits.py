"""How much an upload or archive may hold, from the environment: some kilobytes can unpack to terabytes."""

import os
from dataclasses import dataclass

from wtflow.datasets.decode import MAX_PIXELS
from wtflow.errors import ArchiveError, SettingsError
from wtflow.numbers import count, size


@dataclass(frozen=True, slots=True)
class Limits:
    """n_bytes: of all files together, unpacked; n_files; ratio: unpacked to packed size of an archive; n_pixels: of one
    image.
    """

    n_bytes: int = 8_000_000_000
    n_files: int = 20_000
    ratio: int = 200
    n_pixels: int = MAX_PIXELS


def limits() -> Limits:
    """The limits as the environment sets them. Raises SettingsError for a value that is no number above 0."""
    default = Limits()
    gigabytes = _number("WTFLOW_UPLOAD_GB", default.n_bytes / 1e9)
    return Limits(
        int(gigabytes * 1e9),
        int(_number("WTFLOW_UPLOAD_FILES", default.n_files)),
        int(_number("WTFLOW_UPLOAD_RATIO", default.ratio)),
        int(min(_number("WTFLOW_UPLOAD_PIXELS", default.n_pixels), MAX_PIXELS)),
    )


def refuse_too_much(n_files: int, n_bytes: int, what: str, allowed: Limits) -> None:
    """Raises ArchiveError where files are more or larger than is allowed."""
    if n_files > allowed.n_files:
        raise ArchiveError(
            f"{what} holds {count(n_files, 'file')}; at most {allowed.n_files:,} are taken at once.",
            fix="Give it in parts, or as a folder of this computer; or raise WTFLOW_UPLOAD_FILES.",
        )
    if n_bytes > allowed.n_bytes:
        raise ArchiveError(
            f"{what} holds {size(n_bytes)}; at most {size(allowed.n_bytes)} are taken at once.",
            fix="Give it in parts, or as a folder of this computer; or raise WTFLOW_UPLOAD_GB.",
        )


def _number(name: str, default: float) -> float:
    text = os.environ.get(name, "")
    if not text.strip():
        return default
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e12:
        raise SettingsError(f"{name} is {text!r}: that is no number above 0.", fix=f"Give one, or unset {name}.")
    return value
