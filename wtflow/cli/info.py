"""`python -m wtflow info`: what a detector's file is."""

import time
from pathlib import Path
from typing import Annotated

import typer

from wtflow import console, numbers
from wtflow.cli.parts import Json, Mistakes


def info(
    file: Annotated[Path, typer.Argument(help="A detector's file (.wtf), as `export --detector` writes it.")],
    as_json: Json = False,
) -> None:
    """Say what a detector's file is: threshold, settings, weights, training. Every part is compared with its hash."""
    from wtflow.config import settings_from_json
    from wtflow.detector.card import read_card
    from wtflow.detector.parts import read_parts

    with Mistakes(as_json):
        content, parts = read_parts(file)
        card = read_card(content, file.name)
        settings = settings_from_json(card.settings_json)
    facts, decided = card.facts, card.threshold
    made, trained = (time.strftime("%Y-%m-%d", time.gmtime(at)) for at in (decided.date, facts.created))
    found = [f"{name} {numbers.metric(facts.metrics.get(key))}" for key, name in _METRICS.items()]
    lines = (
        f"{card.name}: {settings.label}, {card.shape[1]} x {card.shape[0]} px",
        f"threshold {numbers.score(decided.value)} of {made}: {decided.words} {decided.comment}".rstrip(),
        f"trained {trained} on {numbers.count(facts.n_normals, 'normal image')} of {facts.category}: "
        + ", ".join(found),
        f"backbone: {facts.source}"
        + ("" if "licence" in facts.source else f"; licence of its weights: {facts.licence or 'not known'}"),
        f"format {card.format}, written by version {card.made_with}; {numbers.size(sum(map(len, parts.values())))} of"
        " tensors, all as they were written",
    )
    for line in lines:
        console.out.print(line, markup=False)
    console.finish(as_json, {"file": str(file)} | card.model_dump(mode="json", exclude={"index_ids", "looks_ids"}))


_METRICS = {"image_auroc": "image AUROC", "aupro": "AUPRO"}
