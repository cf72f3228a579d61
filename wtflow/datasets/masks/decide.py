"""How the masks of a category are read: by a person's rule, by the layout's, or by the app's where there is no doubt.

The app's own rule: every mask holds 0 and one other value, the same in all of them, and in most images of a type that
other value covers less than half of the picture; smoothed edges between the two count by the half. Anything else is a
question to a person, never a guess.
"""

from collections import Counter
from dataclasses import replace

from wtflow.datasets.masks.survey import MOST_OF_ONE_LEVEL, OneMask, Survey
from wtflow.records.mask_rule import COLOUR, MaskRule, Span, parse_rule, span_words, value_words
from wtflow.records.masks import MOST_VALUES, MaskDecision, MaskValue, Role, SaidBy

FEWEST_LEVELS = 5
"""Smoothing leaves many levels; one or two between black and white are more likely a class of their own."""
TOPS = (255, 65535, COLOUR + 0xFFFFFF)
"""Values that may stand for "uncertain" above the numbers of classes."""
MOST_SPANS = 4
"""More spans of numbers make no rule that a person may have meant."""
MOST_NUMBERED = 20
"""A layout that numbers kinds of defect has numbers up to this one; higher ones are no numbers."""


def decide(survey: Survey, said: MaskRule, layout_rule: str = "auto") -> MaskDecision:
    """How masks are read. said: a person's rule, "auto" where nobody said anything; layout_rule: of a published layout
    whose masks number the kinds of defect.
    """
    counts = survey.counts
    ignored = {value for value in counts if _is_in(value, said.ignore)}
    if said.is_explicit:
        return _described(survey, said, "person")
    if not counts:
        return MaskDecision("defect=nonzero", "app")
    if said == MaskRule() and layout_rule != "auto" and max(counts) <= MOST_NUMBERED:
        return _described(survey, parse_rule(layout_rule), "layout")
    reason, found = _app_rule(survey, counts, ignored, said)
    said_by: SaidBy = "app" if said == MaskRule() else "person"
    if found is None:
        return replace(_described(survey, None, said_by), reason=reason, suggestions=_suggestions(survey, counts, said))
    decision = _described(survey, found, said_by)
    if said.invert:
        return decision
    doubtful = _mostly_covered(survey, found)
    if doubtful:
        return replace(decision, doubtful=doubtful, suggestions=("invert", found.words))
    return decision


def marked_share(mask: OneMask, rule: MaskRule) -> float:
    """The share of a mask's pixels that an explicit rule takes for the defect."""
    return sum(n for value, n in mask.counts.items() if _is_defect(value, rule)) / mask.n_pixels


def _app_rule(survey: Survey, counts: Counter[int], ignored: set[int], said: MaskRule) -> tuple[str, MaskRule | None]:
    """(why not, None) or ("", the explicit rule)."""
    hiding = sum(mask.hides for mask in survey.masks)
    if hiding:
        return (
            f"{hiding} of {len(survey.masks)} masks have transparent parts that their colours do not show:"
            " what is drawn there is not certain",
            None,
        )
    others = sorted(value for value in counts if value != 0 and value not in ignored)
    if not others:
        return "", replace(said, defect="nonzero")
    if 0 not in counts and not ignored:
        return f"no mask holds the value 0; they hold {_listed(others)}", None
    if len(others) == 1:
        return "", replace(said, defect=((others[0], others[0]),))
    if soft := _soft_span(survey, others, ignored):
        return "", replace(said, defect=(soft,))
    kind = "colours" if others[-1] >= COLOUR else "values"
    return f"masks hold {len(others)} {kind} besides 0: {_listed(others)}", None


def _soft_span(survey: Survey, others: list[int], ignored: set[int]) -> tuple[int, int] | None:
    """The upper half of the levels, where all between 0 and the highest look like smoothed edges."""
    if others[-1] >= COLOUR or ignored:
        return None
    several = [mask for mask in survey.masks if len(mask.counts) > 2]
    if not all(mask.is_soft for mask in several):
        return None
    highest = others[-1]
    if any(max(mask.counts) < 0.9 * highest for mask in survey.masks if max(mask.counts) > 0):
        return None
    between: Counter[int] = Counter()
    for mask in several:
        top = max(mask.counts)
        between.update({value: n for value, n in mask.counts.items() if 0 < value < top})
    if len(between) < FEWEST_LEVELS or max(between.values()) > MOST_OF_ONE_LEVEL * between.total():
        return None
    return (highest + 1) // 2, highest


def _mostly_covered(survey: Survey, rule: MaskRule) -> dict[str, str]:
    """Defect types of which most masks mark half of the picture or more."""
    by_type: dict[str, list[float]] = {}
    for mask in survey.masks:
        by_type.setdefault(mask.defect, []).append(marked_share(mask, rule))
    return {
        defect: f"{sum(share >= 0.5 for share in shares)} of {len(shares)} masks mark half of the picture or more"
        for defect, shares in by_type.items()
        if 2 * sum(share >= 0.5 for share in shares) > len(shares)
    }


def _described(survey: Survey, rule: MaskRule | None, said_by: SaidBy) -> MaskDecision:
    """The decision with the table of values; without a rule every value but 0 is unclear."""
    counts, total = survey.counts, max(1, survey.n_pixels)
    n_masks = Counter(value for mask in survey.masks for value in mask.counts)
    highest = max((value for value in counts if value < COLOUR), default=0)
    rows, between = [], 0
    for value, n in counts.most_common():
        role = _role(value, rule, highest)
        between += n if role == "between" else 0
        if len(rows) < MOST_VALUES:
            rows.append(MaskValue(value_words(value), n_masks[value], n / total, role))
    words = "" if rule is None else rule.words
    return MaskDecision(words, said_by, len(survey.masks), tuple(rows), len(counts), between / total)


def _role(value: int, rule: MaskRule | None, highest: int) -> Role:
    if rule is None:
        return "normal" if value == 0 else "unclear"
    if _is_in(value, rule.ignore):
        return "left out"
    if isinstance(rule.defect, tuple) and len(rule.defect) == 1:
        low, high = rule.defect[0]
        if low < high == highest and 0 < value < highest:
            return "between"
    return "defect" if _is_defect(value, rule) else "normal"


def _suggestions(survey: Survey, counts: Counter[int], said: MaskRule) -> tuple[str, ...]:
    """Rules that a person may have meant."""
    if any(mask.hides for mask in survey.masks):
        return ("alpha", "alpha,invert", "defect=nonzero")
    others = [value for value, _ in counts.most_common() if value != 0]
    found = []
    if len(others) > 1 and max(others) in TOPS and len(spans := _spans(others, max(others))) <= MOST_SPANS:
        classes, top = "+".join(map(span_words, spans)), value_words(max(others))
        found.append(f"defect={classes},ignore={top}")  # "uncertain", as segmentation tools write it
        if len(others) == 2:  # a level in the middle is no number of a class, so that it is the uncertain one
            is_level = MOST_NUMBERED < min(others) < COLOUR
            found.insert(0 if is_level else 1, f"defect={top},ignore={classes}")
    found.append("defect=nonzero")
    if len(others) <= 4:
        found += [f"defect={value_words(value)}" for value in sorted(others)]
    elif max(others) < COLOUR:
        found.append(f"defect={(max(others) + 1) // 2}-{max(others)}")
    prefix = "alpha," * said.alpha
    return tuple(prefix + words for words in found)


def _spans(values: list[int], top: int) -> list[Span]:
    """The values but `top`, with neighbours joined."""
    spans: list[Span] = []
    for value in sorted(value for value in values if value != top):
        if spans and spans[-1][1] == value - 1 < COLOUR:
            spans[-1] = spans[-1][0], value
        else:
            spans.append((value, value))
    return spans


def _is_defect(value: int, rule: MaskRule) -> bool:
    if _is_in(value, rule.ignore):
        return False
    marked = value != 0 if not isinstance(rule.defect, tuple) else _is_in(value, rule.defect)
    return marked != rule.invert


def _is_in(value: int, spans: tuple[tuple[int, int], ...]) -> bool:
    return any(low <= value <= high for low, high in spans)


def _listed(values: list[int]) -> str:
    more = f" and {len(values) - 6} more" if len(values) > 6 else ""
    return ", ".join(map(value_words, values[:6])) + more
