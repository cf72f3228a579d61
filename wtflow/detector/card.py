"""detector.json in a detector's file: what the detector is, without its tensors. No torch."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, NonNegativeInt, PositiveFloat, ValidationError

from wtflow.errors import DetectorFileError
from wtflow.records.decision import Decision
from wtflow.records.edges import EdgeFactors, factors_from_json

if TYPE_CHECKING:
    from wtflow.detector.record import OpenedDetector

FORMAT = 1
"""Goes up when older versions can no longer read what is written."""


Moment = Annotated[float, Field(ge=0, le=1e11)]
"""Seconds since the epoch, UTC."""


class Facts(BaseModel):
    """What is known of the training. Later versions may say more."""

    model_config = ConfigDict(extra="allow", frozen=True)

    run_id: str
    category: str
    created: Moment
    n_normals: NonNegativeInt
    """Those that the flow learned from."""
    n_held_out: NonNegativeInt
    n_test: NonNegativeInt
    data_fingerprint: str
    """SHA-256 over ids, labels and contents of all images."""
    metrics: dict[str, FiniteFloat | None]
    color_range: tuple[FiniteFloat, FiniteFloat]
    """Of the heat scale."""
    source: str
    """Where the backbone's weights come from, in words."""
    licence: str
    """Theirs, in a word; empty where the app does not know it."""
    weights_hash: str
    versions: dict[str, str]


class Threshold(BaseModel):
    """A decision as the file holds it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: FiniteFloat
    rule: str
    words: str
    date: Moment
    comment: str = ""

    @property
    def decision(self) -> Decision:
        return Decision(**self.model_dump())


class Card(BaseModel):
    """What a detector's file says of itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int
    made_with: str
    """The version of WT-Flow Studio that wrote it."""
    name: str
    settings: dict[str, Any]
    """Those of training and scoring. A weights file is named without its folder."""
    shape: tuple[NonNegativeInt, NonNegativeInt]
    """(height, width) that images are resized to: bilinear, with antialiasing."""
    mean: tuple[FiniteFloat, FiniteFloat, FiniteFloat]
    std: tuple[PositiveFloat, PositiveFloat, PositiveFloat]
    """Each colour in [0, 1], less its mean, divided by its deviation, is what the backbone takes."""
    threshold: Threshold
    facts: Facts
    edges_n_images: int | None
    """Training normals that the edge factors come from; None where maps are not levelled."""
    index_ids: tuple[str, ...]
    looks_ids: tuple[str, ...]
    parts: dict[str, Any]
    """Bytes and SHA-256 of each other member."""

    @property
    def settings_json(self) -> str:
        return json.dumps(self.settings)


def card_of(opened: "OpenedDetector", made_with: str) -> dict[str, Any]:
    """The card of a detector, as plain values, but for `parts`."""
    decision, edges, looks = opened.threshold, opened.detector.edges, opened.normal_looks
    return {
        "format": FORMAT,
        "made_with": made_with,
        "name": opened.name,
        "settings": opened.settings.model_dump(mode="json"),
        "shape": list(opened.shape),
        "mean": list(opened.backbone.mean),
        "std": list(opened.backbone.std),
        "threshold": {
            "value": decision.value,
            "rule": decision.rule,
            "words": decision.words,
            "date": decision.date,
            "comment": decision.comment,
        },
        "facts": opened.facts,
        "edges_n_images": None if edges is None else edges.n_images,
        "index_ids": [] if opened.index is None else list(opened.index[0]),
        "looks_ids": [] if looks is None else list(looks.ids),
    }


def read_card(content: dict[str, Any], name: str) -> Card:
    """The card from its JSON; `name` is the file's, for errors. Raises DetectorFileError."""
    version = content.get("format")
    if isinstance(version, int) and version > FORMAT:
        raise DetectorFileError(
            f"{name} was written by a newer version of WT-Flow Studio"
            f" ({str(content.get('made_with'))[:20]}, format {version}; this one reads up to {FORMAT}).",
            fix="Update WT-Flow Studio here, or export the detector with this version.",
        )
    try:
        return Card.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])[:80]
        raise DetectorFileError(
            f"{name} is damaged: in its detector.json, {place} is not as expected ({first['msg'].lower()}).",
            fix="Export it again, or copy it again from where it came from.",
        ) from error


def edges_of(arrays: dict[str, np.ndarray], card: Card) -> EdgeFactors | None:
    """The edge factors in the arrays `after` and `before`; None without. Raises FlowError for anything else."""
    if not arrays and card.edges_n_images is None:
        return None
    lists = {key: value.tolist() for key, value in arrays.items()}
    return factors_from_json(lists | {"n_images": card.edges_n_images})
