"""Names that people give to data sets and to types of defects: each becomes the name of a folder on any system."""

import unicodedata
from collections.abc import Iterable

from wtflow.errors import DatasetError
from wtflow.records.core import GOOD

MAX_NAME = 60
"""Characters; in UTF-8 at most 255 bytes, which is what disks take."""
_BAD = frozenset('<>:"/\\|?*')
_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in "0123456789¹²³")}
_TURNS = frozenset(("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"))


def check_set_name(name: str) -> str:
    """The name of a data set, accents composed. Raises DatasetError for one that cannot name a folder everywhere."""
    return _checked(name, "a data set")


def check_type_name(name: str) -> str:
    """The name of a type of defect, accents composed. Raises DatasetError as `check_set_name`, and for "good"."""
    name = _checked(name, "a type of defect")
    if name.casefold() == GOOD:
        raise DatasetError(f"{name!r} is no type of defect.", fix="Call these images good, or name what is wrong.")
    return name


def spelt_alike(name: str, names: Iterable[str]) -> str | None:
    """The one of `names` that a disk which ignores case and accents' storage would take for `name`; None without."""
    return next((one for one in names if _loose(one) == _loose(name)), None)


def _checked(name: str, what: str) -> str:
    why = why_no_name(name := unicodedata.normalize("NFC", name))
    if why:
        raise DatasetError(
            f"{name[:80]!r} cannot name {what}: {why}.", fix="Give letters, digits, spaces, hyphens or underscores."
        )
    return name


def why_no_name(name: str) -> str:
    """Why a name cannot be that of a folder everywhere, or nothing."""
    if not name.strip():
        return "it is empty"
    if len(name) > MAX_NAME or len(name.encode("utf-8", "replace")) > 200:
        return f"it has more than {MAX_NAME} characters"
    if name != name.strip() or name.endswith("."):
        return "it begins or ends with a space, or ends with a dot"
    if name.startswith("."):
        return "it begins with a dot"
    if name.startswith(("-", "~")):
        return "it begins with a hyphen or a tilde, which shells take for something else"
    if bad := sorted(_BAD & set(name)):
        return f"it holds {' '.join(bad)}"
    if any(
        unicodedata.category(c) in ("Cc", "Cs", "Cn", "Co", "Zl", "Zp") or unicodedata.bidirectional(c) in _TURNS
        for c in name
    ):
        return "it holds characters that cannot be seen"
    if name.split(".")[0].strip().casefold() in _RESERVED:
        return "Windows keeps it for a device"
    return ""


def _loose(name: str) -> str:
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())
