"""What the study says in sentences, no more than its intervals allow. NumPy and plain values."""

from typing import Final

from wtflow.config import Coupling, Settings
from wtflow.metrics import METRICS
from wtflow.numbers import PERCENT_SIGN, count, difference
from wtflow.records.compare import Interval
from wtflow.records.coupling import SCORED, STEPS, CouplingStudy, Strength
from wtflow.studies.coupling.effects import (
    GROUPED,
    OWN_STEPS,
    Cell,
    cells_of,
    effect,
    finds_defects,
    own_cell,
    strength_at,
)
from wtflow.studies.coupling.plan import small_unet

STRONG: Final = 0.5
"""A coupling from here on is called strong: noise and data are closer to opposed than to independent."""
CHANCE: Final = 0.05
"""Share of 95 % intervals that miss 0 where there is nothing."""
MOST_NAMED: Final = 2
"""Cells that a sentence names."""


def own_sentence(study: CouplingStudy) -> str:
    """What the worst coupling changes at the run's own dimension and group size."""
    cell = own_cell(study)
    strength = strength_at(study, cell)
    what = f"{cell.dimension:,}, groups of {cell.group_size:,}"
    where = f"At the dimension used ({what})" if cell.part == "positions" else f"For whole grids ({what} images)"
    said = f"{where} the worst coupling has γ {gamma_words(strength.gamma)}"
    found = [(key, effect(study, cell, key)) for key in SCORED]
    parts = [f"{METRICS[key].short} by {interval_words(one)}" for key, one in found if one is not None]
    if not parts:
        return f"{said}; what it changes cannot be measured, because the test images have no defects."
    verdicts = [one.holds_zero for _, one in found if one is not None]
    verdict = (
        "neither can be told from no change"
        if all(verdicts) and len(verdicts) > 1
        else "that cannot be told from no change"
        if all(verdicts)
        else "; ".join(f"{METRICS[key].short} {verdict_words(one)}" for key, one in found if one is not None)
    )
    against = f"against independent pairs with {count(OWN_STEPS, 'step')}"
    return f"{said} and changes {' and '.join(parts)} {against}: {verdict}."


def findings(study: CouplingStudy) -> tuple[str, ...]:
    """More sentences, each true for these numbers."""
    return (_where_strong(study), _against_closed_form(study), *_where_it_counts(study), *_of_grids(study))


def left_out(study: CouplingStudy) -> str:
    """What this form of the study does not tell, and what its intervals cover."""
    quick = (
        ""
        if study.is_full
        else "The quick form varies the dimension at the run's own group size, and the group size with all components;"
        " the full form trains every pair of both, wider networks for longer, on more positions. "
    )
    return (
        f"{quick}Intervals cover other test images of the same kind and other seeds ({study.n_seeds} here); they do not"
        " cover other training images, widths or lengths of training. Each of the two metrics has its own intervals, so"
        " about 1 in 20 of them misses 0 by chance."
    )


def interval_words(one: Interval) -> str:
    """A difference with its interval; one that rounds to 0 has no sign."""
    value, low, high = (difference(end) if abs(end) >= 0.0005 else "0.000" for end in (one.value, one.low, one.high))
    return f"{value} (95{PERCENT_SIGN} interval {low} to {high})"


def verdict_words(one: Interval) -> str:
    """What an interval of a difference allows to say."""
    if one.holds_zero:
        return "cannot be told from no change"
    return "is higher" if one.value > 0 else "is lower"


def gamma_words(gamma: float) -> str:
    """gamma with two digits that count: .11, .0067."""
    return f"{gamma:.2g}".replace("0.", ".", 1) if abs(gamma) < 0.995 else f"{gamma:.2f}"


def _where_strong(study: CouplingStudy) -> str:
    n = study.own_group
    at = {one.dimension: one for one in study.strengths if one.part == "positions" and one.group_size == n}
    strong = [d for d, one in at.items() if one.gamma >= STRONG]
    last = at[study.dimensions[-1]]
    tail = f"with all {study.dimensions[-1]:,} it is {gamma_words(last.gamma)}"
    if not strong:
        return f"γ of the worst coupling in groups of {n:,} is below {gamma_words(STRONG)} in every dimension; {tail}."
    if len(strong) == len(at):
        return (
            f"γ of the worst coupling in groups of {n:,} is {gamma_words(STRONG)} or more in every dimension; {tail}."
        )
    return (
        f"γ of the worst coupling in groups of {n:,} is {gamma_words(STRONG)} or more up to {max(strong)} dimensions;"
        f" {tail}."
    )


def _against_closed_form(study: CouplingStudy) -> str:
    at = [one for one in study.strengths if one.part == "positions"]
    share = [one.gamma / one.gaussian for one in at]
    ends = min(share), max(share)
    least = min(at, key=lambda one: one.gamma / one.gaussian)
    return (
        f"These features oppose noise {ends[0]:.2f} to {ends[1]:.2f} times as much as Gaussian data of the same"
        f" dimension, least at {_place(least)}."
    )


def _where_it_counts(study: CouplingStudy) -> list[str]:
    """In how many cells an interval misses 0, against how many would by chance; cells whose flows find no defects are
    named and left out.
    """
    every = cells_of(study, "positions", "worst")
    said = []
    for key in SCORED:
        for steps in STEPS:
            if effect(study, every[-1], key, steps) is None:
                continue
            seen = [cell for cell in every if finds_defects(study, cell, key, steps)]
            blind = sorted({cell.dimension for cell in every} - {cell.dimension for cell in seen})
            words = f"{METRICS[key].title}, {count(steps, 'step')}"
            if not seen:
                said.append(f"{words}: no better than chance in any dimension.")
                continue
            if blind:
                words += f" (without {_listed(blind)} dimensions, where it is no better than chance)"
            parts = [_misses(study, coupling, seen, key, steps) for coupling in GROUPED]
            chance = f"by chance alone about {CHANCE * len(seen):.1f} would"
            said.append(f"{words}: of {count(len(seen), 'interval')} of a change, {', and '.join(parts)}; {chance}.")
    return said


def _misses(study: CouplingStudy, coupling: Coupling, seen: list[Cell], key: str, steps: int) -> str:
    """How many intervals of a coupling miss 0, and the first of them."""
    found = {cell: effect(study, cell._replace(coupling=coupling), key, steps) for cell in seen}
    apart = [(cell, one) for cell, one in found.items() if one is not None and not one.holds_zero]
    if not apart:
        return f"none misses 0 under the {coupling} coupling"
    places = "; ".join(f"{_at(cell)}, {interval_words(one)}" for cell, one in apart[:MOST_NAMED])
    more = f"; {len(apart) - MOST_NAMED} more" if len(apart) > MOST_NAMED else ""
    return f"{len(apart)} miss{'es' if len(apart) == 1 else ''} 0 under the {coupling} coupling ({places}{more})"


def _of_grids(study: CouplingStudy) -> list[str]:
    if study.own_part == "images" or not study.image_dimension:
        return []
    cell = Cell("images", study.image_dimension, study.image_group, "worst")
    strength, one = strength_at(study, cell), effect(study, cell, "image_auroc", STEPS[0])
    trained = any(row.part == "images" for row in study.flows)
    averaged = "" if study.grid == (8, 8) else f" (this run's grids of {study.grid[0]} x {study.grid[1]} averaged)"
    said = (
        f"Whole grids of 8 x 8{averaged}, {cell.dimension:,} values in groups of {cell.group_size}: γ is"
        f" {gamma_words(strength.gamma)}"
    )
    if not trained:
        return [f"{said}. What that changes is measured in the full form."]
    if one is None:
        return [f"{said}."]
    return [f"{said}; image AUROC with 1 step changes by {interval_words(one)}, which {verdict_words(one)}."]


def differs_from_run(study: CouplingStudy, settings: Settings) -> str:
    """How the study's flows differ from the run's own, in a sentence."""
    images = study.own_part == "images"
    parts = []
    if settings.network == "unet" and not images:
        parts.append("an MLP on single positions instead of the U-Net")
    width, iterations = small_unet(study.width, study.iterations) if images else (study.width, study.iterations)
    if width != settings.width:
        parts.append(f"width {width:,} instead of {settings.width:,}")
    parts.append(f"{iterations:,} training steps" + ("" if settings.epochs else f" instead of {settings.iterations:,}"))
    parts.append(f"{study.n_seeds} seeds")
    if images and study.grid != (8, 8):
        parts.append(f"grids averaged from {study.grid[0]} x {study.grid[1]} to 8 x 8")
    if settings.smaller_sizes and not images:
        parts.append("one network for all image sizes")
    if settings.whole_image:
        parts.append("no score of the image as a whole")
    if study.n_images < study.n_tested:
        parts.append(f"{study.n_images:,} of {study.n_tested:,} test images")
    return f"The study's flows are smaller than the run's own: {', '.join(parts)}."


def _listed(numbers: list[int]) -> str:
    head, last = numbers[:-1], numbers[-1]
    return f"{', '.join(f'{n:,}' for n in head)} and {last:,}" if head else f"{last:,}"


def _at(cell: Cell) -> str:
    return f"{cell.dimension:,} dimensions in groups of {cell.group_size:,}"


def _place(one: Strength) -> str:
    return f"{one.dimension:,} dimensions in groups of {one.group_size:,}"
