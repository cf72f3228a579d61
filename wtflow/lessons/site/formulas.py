"""Formulas as MathML, which browsers draw without fonts or scripts of ours: TeX by latex2mathml, and what it leaves to
the reader's browser made definite.
"""

import re
from typing import Final
from xml.etree import ElementTree as ET

from latex2mathml.converter import convert

_THOUSANDS: Final = re.compile(r"(\d+)\{,\}(\d{3})")
_OPERATORS: Final = {"~": "∼", "⟨": "⟨", "⟩": "⟩"}
"""What the converter takes for names, and what it is."""
_SIDES: Final = {"⟨": "prefix", "⟩": "postfix"}
_LONG: Final = 20
"""Letters from which on a formula within a line may be broken, as no browser does by itself."""
BREAK: Final = "<wbr>"
"""Where it may be."""
_OPEN, _CLOSE = ("(", "[", "{", "⟨"), (")", "]", "}", "⟩")
_ENDS: Final = ")]}|⟩"
"""Operators after which a minus stands between two terms; after all others it is a sign."""


def to_mathml(tex: str, *, is_block: bool = False) -> str:
    """A formula in TeX as a MathML element, on a line of its own (is_block) or within one; a long one within a line as
    several, with a `BREAK` before each sign that TeX would break at.
    """
    whole = _THOUSANDS.sub(r"\\text{\1,\2}", tex.strip())  # 65{,}536 is one number
    text = convert(whole, display="block" if is_block else "inline")
    root = ET.fromstring(re.sub(r' xmlns="[^"]*"', "", text, count=1))  # within HTML the name alone says what it is
    for parent in list(root.iter()):
        _settle(parent)
        _space_functions(parent)
    rows = [root] if is_block else _pieces(root)
    return BREAK.join(ET.tostring(row, encoding="unicode") for row in rows)


def _pieces(root: ET.Element) -> list[ET.Element]:
    """A long formula taken apart before its =, + and - that stand in no bracket."""
    if len(root) != 1 or len("".join(root.itertext())) < _LONG:
        return [root]
    pieces, depth, bars = [[]], 0, 0
    for child in root[0]:
        text = (child.text or "") if child.tag == "mo" else ""
        signs = [one.text for one in child.iter("mo")]  # also the bracket that carries an exponent
        bars += signs.count("|")
        depth += sum(sign in _OPEN for sign in signs) - sum(sign in _CLOSE for sign in signs)
        if text in ("=", "+", "−") and child.get("form") != "prefix" and depth == 0 and bars % 2 == 0 and pieces[-1]:
            child.set("form", "infix")  # as first of a piece it would be taken for a sign
            pieces.append([])
        pieces[-1].append(child)
    made = []
    for piece in pieces:
        math = ET.Element("math", root.attrib)
        ET.SubElement(math, "mrow").extend(piece)
        made.append(math)
    return made


def _settle(parent: ET.Element) -> None:
    """Say of an element's operators what a browser would have to guess: a bar takes no room, a sign none after it."""
    before: ET.Element | None = None
    for child in parent:
        text = child.text or ""
        if child.tag == "mi" and text in _OPERATORS:
            child.tag, child.text = "mo", _OPERATORS[text]
            if text in _SIDES:
                child.attrib |= {"form": _SIDES[text], "stretchy": "false"}
        elif child.tag == "mo" and text == "|":
            child.attrib |= {"lspace": "0", "rspace": "0"}
        elif child.tag == "mo" and text in ("−", "+"):
            is_sign = before is not None and before.tag == "mo" and (before.text or "") not in _ENDS
            child.attrib |= {"form": "prefix"} if is_sign else {}
        before = child


def _space_functions(parent: ET.Element) -> None:
    """A thin space, as TeX sets it, between the name of a function and what stands beside it but for operators."""
    if parent.tag != "mrow":
        return
    children = list(parent)
    for k in range(len(children) - 1, 0, -1):
        left, right = children[k - 1 : k + 1]
        if _is_function(left) != _is_function(right) and "mo" not in (left.tag, right.tag) or _is_slope_of(left, right):
            parent.insert(k, ET.Element("mspace", width="0.167em"))


def _is_function(one: ET.Element) -> bool:
    return one.tag == "mi" and len(one.text or "") > 1


def _is_slope_of(left: ET.Element, right: ET.Element) -> bool:
    return left.text == "∇" and _is_function(right)
