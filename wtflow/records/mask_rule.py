"""A rule that says which values of a mask are the defect, in the words that people type: `defect=1,ignore=255`."""

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np

from wtflow.errors import SettingsError

COLOUR = 1 << 24
"""A colour is the value COLOUR + 0xRRGGBB, so that it is never taken for a number."""

Span = tuple[int, int]
"""Lowest and highest value, both included."""

_TOP = 65535
_VALUE = re.compile(r"#[0-9a-fA-F]{6}|[0-9]{1,5}(-[0-9]{1,5})?")
_FIX = (
    "Say it like defect=1,ignore=255 (numbers, ranges such as 128-255 or colours such as #ff0000), defect=nonzero,"
    " invert, alpha, or auto."
)


@dataclass(frozen=True, slots=True)
class MaskRule:
    """Which values of a mask are the defect.

    defect: spans of values, every value but 0 (nonzero), or what the app finds where there is no doubt (auto).
    ignore: values that count in neither class. alpha: values are those of the transparency channel. invert: what
    would be the defect is normal, and the rest is the defect.
    """

    defect: tuple[Span, ...] | Literal["auto", "nonzero"] = "auto"
    ignore: tuple[Span, ...] = ()
    alpha: bool = False
    invert: bool = False

    @property
    def is_explicit(self) -> bool:
        """Whether it can be applied without looking at the masks first."""
        return self.defect != "auto"

    @property
    def words(self) -> str:
        """The rule as a person would type it; `parse_rule` reads it back."""
        parts = ["alpha"] * self.alpha + ["invert"] * self.invert
        if isinstance(self.defect, tuple):
            parts.append("defect=" + "+".join(map(span_words, self.defect)))
        elif self.defect == "nonzero":
            parts.append("defect=nonzero")
        if self.ignore:
            parts.append("ignore=" + "+".join(map(span_words, self.ignore)))
        return ",".join(parts) or "auto"

    def apply(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(defect, ignored), bool (H, W) each, of the values of one mask, int (H, W). The rule must be explicit."""
        ignored = _within(values, self.ignore)
        marked = values != 0 if not isinstance(self.defect, tuple) else _within(values, self.defect)
        return (marked ^ self.invert) & ~ignored, ignored


def parse_rule(text: str) -> MaskRule:
    """The rule of a text such as "defect=1+2,ignore=255", "defect=nonzero", "invert", "alpha" or "auto".

    A value after a comma belongs to the word before it: defect=1,2 is defect=1+2. Raises SettingsError.
    """
    spans: dict[str, list[Span]] = {"defect": [], "ignore": []}
    flags = {"alpha": False, "invert": False, "nonzero": False}
    key = ""
    for item in (part.strip() for part in text.replace(";", ",").split(",")):
        name, sign, value = (part.strip() for part in item.partition("="))
        if not sign and name.lower() in ("alpha", "invert"):
            flags[name.lower()], key = True, ""
            continue
        if not sign and name.lower() == "auto":
            continue
        if not sign:
            name, value = key, name
        if name not in spans:
            raise SettingsError(f"{item!r} in {text!r} is no rule for masks.", fix=_FIX)
        key = name
        if value.lower() == "nonzero" and name == "defect":
            flags["nonzero"] = True
            continue
        spans[name] += [_span(part.strip(), item) for part in re.split(r"[+|]", value)]
    if flags["nonzero"] and spans["defect"]:
        raise SettingsError(f"{text!r} names values of the defect and nonzero.", fix="Give one of both.")
    for low, high in spans["ignore"]:
        if any(low <= end and start <= high for start, end in spans["defect"]):
            raise SettingsError(
                f"{text!r} makes one value both defect and left out.", fix="Give each value one meaning."
            )
    defect: tuple[Span, ...] | Literal["auto", "nonzero"] = "nonzero" if flags["nonzero"] else "auto"
    if spans["defect"]:
        defect = tuple(sorted(set(spans["defect"])))
    return MaskRule(defect, tuple(sorted(set(spans["ignore"]))), flags["alpha"], flags["invert"])


def value_words(value: int) -> str:
    """A value as people type it: 17, or #ff0000."""
    return f"#{value - COLOUR:06x}" if value >= COLOUR else str(value)


def parse_value(words: str) -> int:
    """The value of `value_words`."""
    return COLOUR + int(words[1:], 16) if words.startswith("#") else int(words)


def span_words(span: Span) -> str:
    """A span as people type it: 17, 128-255, or #ff0000."""
    low, high = span
    return value_words(low) if low == high else f"{value_words(low)}-{value_words(high)}"


def _span(text: str, item: str) -> Span:
    if not _VALUE.fullmatch(text):
        raise SettingsError(f"{text!r} in {item!r} is no value of a mask.", fix=_FIX)
    if text.startswith("#"):
        return (parse_value(text),) * 2
    low, _, high = text.partition("-")
    span = int(low), int(high or low)
    if span[0] > span[1] or span[1] > _TOP:
        raise SettingsError(f"{text!r} in {item!r} is no span of values from 0 to {_TOP}.", fix=_FIX)
    return span


def _within(values: np.ndarray, spans: tuple[Span, ...]) -> np.ndarray:
    inside = np.zeros(values.shape, bool)
    for low, high in spans:
        inside |= (values >= low) & (values <= high)
    return inside
