"""A rule for masks in a sentence, for people who do not type rules."""

from wtflow.records.mask_rule import MaskRule, Span, parse_rule, span_words


def rule_words(text: str) -> str:
    """What a rule such as "defect=1,ignore=255" says, in a sentence. Raises SettingsError as `parse_rule`."""
    rule = parse_rule(text)
    if rule == MaskRule():
        return "As the app reads masks without doubt: 0 is normal, the one other value is the defect."
    said = "; ".join(_parts(rule))
    if rule.alpha:
        return f"The transparency of the mask counts, not its colours: {said}."
    return f"{said[0].upper()}{said[1:]}."


def _parts(rule: MaskRule) -> list[str]:
    out = [f"{_listed(rule.ignore)} {_verb(rule.ignore, 'counts', 'count')} in neither class"] if rule.ignore else []
    if rule.defect == "auto":
        if rule.alpha:
            return [f"what is {'clear' if rule.invert else 'opaque'} is the defect", *out]
        way = "as the app reads masks"
        way += ", but the other way round: what would be the defect is normal, the rest is the defect" * rule.invert
        return [way, *out]
    named: tuple[Span, ...] = ((0, 0),) if rule.defect == "nonzero" else rule.defect
    if rule.invert == (rule.defect == "nonzero"):
        return [f"{_listed(named)} {_verb(named, 'is', 'are')} the defect", *out, "everything else is normal"]
    normal = f"{_listed(named)} {_verb(named, 'is', 'are')} normal"
    return [normal, *out, "everything else is the defect"]


def _verb(spans: tuple[Span, ...], one: str, several: str) -> str:
    return one if len(spans) == 1 and spans[0][0] == spans[0][1] else several


def _listed(spans: tuple[Span, ...]) -> str:
    *others, last = [span_words(span).replace("-", " to ") for span in spans]
    return f"{', '.join(others)} and {last}" if others else last
