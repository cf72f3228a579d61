"""Names of folders that probably hold good images, such as OK, Good, normal, no_defect, i.O. or 良品."""

import re
import unicodedata
from functools import cache


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_GOOD = _words(
    "accept accepted bon bonne buena bueno clean conform conforming correct faultless fine flawless golden good goods"
    " gut gute guter healthy intact io negative nominal none normal normals ok okay pass passed perfect ref reference"
    " sound undamaged unbroken valid 正常 良 合格 양품 정상 합격"
)
_DEFECT = _words(
    "anomalies anomalous anomaly damage damaged damages defaut defauts defect defecto defectos defective defects defekt"
    " defekte error errors fault faults faulty fehler flaw flaws issue issues 缺陷 결함"
)
_NOT = _words("free frei kein keine less no non not ohne sans sin un without zero 无 無 무")
_BESIDES = _words(
    "all bild bilder case cases class data example examples folder image images img imgs item items label only part"
    " parts photo photos pic pics picture pictures piece pieces product products sample samples set teil teile test the"
    " 品 图片"
)
"""Words that change nothing: good_images, OK-Teile."""

_KNOWN = _GOOD | _DEFECT | _NOT | _BESIDES
_TOKEN = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+")


def sounds_good(name: str) -> bool:
    """Whether a folder's name says that what is in it has no defect. A guess: to be shown, never to be acted upon."""
    words: set[str] = set()
    for token in _tokens(name):
        parts = _cut(token)
        if parts is None:
            return False
        words.update(parts)
    says_defect, says_not = bool(words & _DEFECT), bool(words & _NOT)
    return says_defect == says_not and (says_defect or bool(words & _GOOD))


def _tokens(name: str) -> list[str]:
    """The words of a name in lower case, without accents and numbers: NoDefect_2 -> no, defect; i.O. -> io."""
    plain = "".join(one for one in unicodedata.normalize("NFKD", name) if not unicodedata.combining(one))
    found = [token.casefold() for token in _TOKEN.findall(unicodedata.normalize("NFC", plain))]
    tokens: list[str] = []
    was_letter = False
    for token in found:
        is_letter = len(token) == 1 and token.isascii()
        if is_letter and was_letter:
            tokens[-1] += token
        else:
            tokens.append(token)
        was_letter = is_letter
    return tokens


@cache
def _cut(token: str) -> tuple[str, ...] | None:
    """A token as known words one after the other, such as no, defects for nodefects; None when it is none."""
    if not token:
        return ()
    for end in range(len(token), 0, -1):
        rest = _cut(token[end:]) if token[:end] in _KNOWN else None
        if rest is not None:
            return (token[:end], *rest)
    return None
