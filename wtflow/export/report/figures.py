"""Figures as SVG inside the page: their text can be searched, and their ink and ground follow
the page's light or dark theme.
"""

import re
from collections.abc import Sequence

from markupsafe import Markup

from wtflow.export.report.run_part import RunPart
from wtflow.plots.still.report import Rates, still_rates, still_scores, still_types
from wtflow.plots.still.sheet import INK, to_svg
from wtflow.records.core import Curve
from wtflow.records.flow import ordered_groups

_STYLES = (
    (f"fill: {INK}", "fill: currentColor"),
    (f"stroke: {INK}", "stroke: currentColor"),
    ("fill: #ffffff", "fill: none"),
)
_STYLE = re.compile(r'style="[^"<>]*"')
_NAMED_PART = re.compile(r' id="[A-Za-z0-9.]+_[0-9]+"')
"""`figure_1`, `axes_2`: names that nothing points at, and that would stand twice in a page of several figures."""


def scores_figure(run: RunPart) -> Markup:
    test = run.results.test
    return _inline(to_svg(still_scores(test.score.to_numpy(), test.is_defective.to_numpy(), run.threshold)))


def types_figure(run: RunPart) -> Markup:
    test = run.results.test
    names = ordered_groups(test.defect)
    return _inline(
        to_svg(still_types({name: test.score[test.defect == name].to_numpy() for name in names}, run.threshold))
    )


def rates_figure(runs: Sequence[RunPart], names: Sequence[str], pro: Sequence[Curve | None]) -> Markup:
    """ROC, precision-recall and PRO curves of runs on common axes; empty where no run has any. pro: of each run."""
    rates = [
        Rates(name, run.roc, run.pr, curve, run.threshold) for run, name, curve in zip(runs, names, pro, strict=True)
    ]
    if all(one.roc is None and one.pr is None and one.pro is None for one in rates):
        return Markup("")
    return _inline(to_svg(still_rates(rates)))


def _inline(svg: bytes) -> Markup:
    """A figure's SVG as an element of a page. Matplotlib escapes every text in it, so it may stand there as it is."""
    text = svg.decode()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(
        r'<style type="text/css">.*?</style>', "", text, flags=re.DOTALL
    )  # the page's style sets it once for all figures
    return Markup(_STYLE.sub(_themed, _NAMED_PART.sub("", text)))


def _themed(style: re.Match[str]) -> str:
    text = style.group()
    for ours, themed in _STYLES:
        text = text.replace(ours, themed)
    return text
