"""What the stages or blocks of a network are like: names, channels, cells, and what sizes of images it takes."""

from dataclasses import dataclass
from typing import Final

from wtflow.config import Settings
from wtflow.config.stages import Stage, usual_cells
from wtflow.errors import BackboneError


@dataclass(frozen=True, slots=True)
class Layout:
    """One entry for each stage that can be read."""

    names: tuple[str, ...]
    """timm's."""
    channels: tuple[int, ...]
    cells: tuple[int, ...]
    """Pixels of the image from one position to the next."""
    is_column: bool = False
    """The stages are blocks of a transformer that all have the same grid and channels."""
    is_fixed: bool = False
    """The network is made for one size of image, though many can be told another one."""
    is_dynamic: bool = True
    """One and the same network takes images of several sizes."""
    native_px: int | None = None
    """That size, where it takes no other."""
    is_cut: bool = False
    """It cuts its input into patches: what a size leaves over is not seen."""
    has_padding: bool = True
    """Its convolutions see something beyond the image."""
    effort: float | None = None
    """Time of an image in that of resnet18 at the same size, where it was measured."""

    def number_of(self, stage: Stage, backbone: str) -> int:
        """The number of a stage that is given by its number or name. Raises BackboneError."""
        if isinstance(stage, int) and stage < len(self.names):
            return stage
        if isinstance(stage, str) and stage in self.names:
            return self.names.index(stage)
        n = len(self.names)
        raise BackboneError(
            f"{backbone} has no stage {stage}: it has {n}, counted from 0.",
            fix=f"Choose from 0 to {n - 1}, or by name: {_listed(self.names)}.",
        )

    def size_step(self, last: int) -> int:
        """Image sizes that are multiples of this lose nothing, where stages up to the number `last` are read."""
        if self.is_fixed:
            return max(self.cells)
        return max(self.cells[: last + 1]) if self.is_cut else 1


def _residual(effort: float | None, *channels: int) -> Layout:
    names = ("act1", *(f"layer{n}" for n in range(1, 5)))
    return Layout(names, channels, usual_cells(range(5)), effort=effort)


_KNOWN: Final = {
    "resnet18": _residual(1.0, 64, 64, 128, 256, 512),
    "resnet34": _residual(2.0, 64, 64, 128, 256, 512),
    "resnet50": _residual(None, 64, 256, 512, 1024, 2048),
    "wide_resnet50_2": _residual(6.5, 64, 256, 512, 1024, 2048),
    "mobilenetv2_100": Layout(
        tuple(f"blocks.{n}" for n in (0, 1, 2, 4, 6)), (16, 24, 32, 96, 320), usual_cells(range(5)), effort=0.6
    ),
}
"""Of networks that people often choose, so that nothing needs to be built, nor timm imported, to know them."""


def is_known(settings: Settings) -> bool:
    """Nothing needs to be built to know the network."""
    return settings.backbone.partition(".")[0] in _KNOWN and not settings.backbone_args


def layout(settings: Settings) -> Layout:
    """Of the network that the settings name. Raises BackboneError."""
    if is_known(settings):
        return _KNOWN[settings.backbone.partition(".")[0]]
    from wtflow.features.timm_models import layout_of, own_args

    return layout_of(settings.backbone, own_args(settings))


def effort(settings: Settings) -> float:
    """Time of an image's features in that of resnet18 at the same size: measured for well-known networks, else by
    counting multiplications, which told it within a third for every family but EfficientNets. Raises BackboneError.
    """
    measured = layout(settings).effort
    if measured is not None:
        return measured
    from wtflow.features.timm_models import multiplications

    return max(LEAST_EFFORT, multiplications(settings) / (RESNET18_PER_PIXEL * settings.image_size**2))


RESNET18_PER_PIXEL: Final = 27_900
"""Multiplications of resnet18 up to stage 3, for each pixel of an image."""
LEAST_EFFORT: Final = 0.6
"""Networks of few multiplications read and write as much memory as others."""


def n_channels(settings: Settings, per_stage: tuple[int, ...]) -> int:
    """Channels of the joined features, from those of every stage that is read."""
    return settings.block_groups * per_stage[0] if settings.block_groups else sum(per_stage)


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names if len(names) < 8 else (*names[:2], "...", names[-1]))
