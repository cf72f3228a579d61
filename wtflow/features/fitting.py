"""Settings made to fit the network that they name, before a run is made of them: stages by number, the cells of those
stages, an image size that the network takes. What was changed is said.
"""

import math
from dataclasses import dataclass
from typing import Any

from wtflow.config import Settings, limits
from wtflow.config.stages import usual_cells
from wtflow.features.stages import Layout, is_known, layout


@dataclass(frozen=True, slots=True)
class Fitted:
    """said: a sentence for each setting that the network does not take as it was given."""

    settings: Settings
    said: tuple[str, ...]


def fitted(settings: Settings) -> Fitted:
    """The settings as a run with them uses them; those that fit stay the same.

    Raises BackboneError for a network or stage that does not exist, and SettingsError for a stage twice.
    """
    network, name, said = layout(settings), settings.backbone, []
    numbers = sorted(network.number_of(stage, name) for stage in settings.stages)
    cells = tuple(network.cells[number] for number in numbers)
    changes: dict[str, Any] = {"stages": numbers, "cells": () if cells == usual_cells(numbers) else cells}
    size_px, wanted_px = fitting_size(settings, settings.image_size), settings.image_size
    if size_px != wanted_px:
        changes["image_size"] = size_px
        step = f"multiples of {_step(settings, network)}{' in tiles' * (settings.tile != 'off')}"
        takes = "no other" if network.native_px is not None else step
        said.append(f"Image size {size_px} px instead of {wanted_px}: {name} takes {takes}.")
    if settings.smaller_sizes and not network.is_dynamic:
        changes["smaller_sizes"] = ()
        said.append(f"{name} takes images of one size alone, so smaller_sizes is left out.")
    elif settings.smaller_sizes:
        changes["smaller_sizes"] = tuple(size_px // (wanted_px // size) for size in settings.smaller_sizes)
    if settings.padding != "zeros" and not network.has_padding:
        changes["padding"] = "zeros"
        said.append(f"{name} has no convolutions that see beyond the image, so nothing is mirrored there.")
    elif settings.padding != "zeros" and not _can_mirror(settings.changed(changes)):
        changes["padding"] = "zeros"
        said.append(f"At {size_px} px grids of {name} are too small to be mirrored, so zeros lie beyond the image.")
    if settings.block_norm and not network.is_column:
        changes["block_norm"] = False
        said.append(f"{name} has no norm that fits all of its stages, so block_norm is left out.")
    if settings.block_groups and not network.is_column:
        changes["block_groups"] = 0
        said.append(f"The stages of {name} differ in size, so they are joined: block_groups is left out.")
    elif settings.block_groups > len(numbers):
        changes["block_groups"] = 0
        said.append(f"{settings.block_groups} groups of {len(numbers)} blocks: each block is a group by itself.")
    return Fitted(settings.changed(changes), tuple(said))


SURELY_MIRRORED_PX = 160
"""From this size on every network's grids are larger than what it mirrors: at cells of 32 px 3 positions, for kernels
of 7.
"""


def _can_mirror(settings: Settings) -> bool:
    smallest = min(settings.sizes)
    if smallest >= SURELY_MIRRORED_PX or is_known(settings):
        return True
    from wtflow.features.timm_models import can_mirror

    return can_mirror(settings.model_copy(update={"image_size": smallest, "smaller_sizes": ()}))


def fitting_size(settings: Settings, wanted_px: int) -> int:
    """The image size nearest to the one wanted that the network of the settings takes. Raises BackboneError."""
    network = layout(settings)
    if network.native_px is not None:
        return network.native_px
    step = _step(settings, network)
    least, most = (int(limit or 0) for limit in limits("image_size"))
    return min(max(step * round(wanted_px / step), step * -(-least // step)), step * (most // step))


def _step(settings: Settings, network: Layout) -> int:
    """Multiples of this are taken; with tiles they are also whole numbers of the coarsest cell, so that the cells of
    overlapping squares lie on one another.
    """
    numbers = [network.number_of(stage, settings.backbone) for stage in settings.stages]
    step = network.size_step(max(numbers))
    if network.is_dynamic:  # each smaller size is a whole part of the image size, and is taken, too
        step *= math.lcm(*(settings.image_size // size for size in settings.smaller_sizes)) if step > 1 else 1
    if settings.tile == "off":
        return step
    return math.lcm(step, max(network.cells[number] for number in numbers) * settings.pool_stride)
