"""Which settings fit together: one check for each reason why they may not. Each raises ValueError."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wtflow.config.settings import Settings

EMBEDDED_BACKBONE, EMBEDDED_LAST_STAGE = "resnet18", 3
"""The model whose weights ship with the app, and the last stage that they cover."""


def network_fits(settings: "Settings") -> None:
    if settings.network == "unet" and settings.batch_size > 512:
        raise ValueError(f"batch_size counts images for the unet, found {settings.batch_size}; use 512 or fewer")
    if settings.scope == "image" and settings.network == "mlp":
        raise ValueError("scope image pairs whole images, which the mlp never sees; use scope local, or network unet")
    n_pairs = -(-settings.batch_size // settings.times_per_pair)
    if settings.network == "mlp" and settings.group_size > n_pairs:
        raise ValueError(
            f"group_size ({settings.group_size}) is larger than the {n_pairs} pairs of a batch (batch_size /"
            " times_per_pair)"
        )


def embedded_weights_fit(settings: "Settings") -> None:
    last = max((stage for stage in settings.stages if isinstance(stage, int)), default=0)
    if settings.weights == "embedded" and (settings.backbone != EMBEDDED_BACKBONE or last > EMBEDDED_LAST_STAGE):
        raise ValueError(
            f"the embedded weights are for {EMBEDDED_BACKBONE}, stages 0 to {EMBEDDED_LAST_STAGE}, found"
            f" {settings.backbone} with {','.join(map(str, settings.stages))}; choose weights pretrained, untrained or"
            " a file for others"
        )


def cells_fit(settings: "Settings") -> None:
    """Where the model has told its cells there is one for each stage."""
    if settings.cells and len(settings.cells) != len(settings.stages):
        raise ValueError(f"cells has {len(settings.cells)} values for {len(settings.stages)} stages")


def sizes_fit(settings: "Settings") -> None:
    """Smaller sizes are whole parts of the image size, and go without tiles."""
    wrong = [size for size in settings.smaller_sizes if size >= settings.image_size or settings.image_size % size]
    if wrong:
        raise ValueError(
            f"image_size ({settings.image_size}) must be a whole multiple of every smaller size, found {wrong[0]}"
        )
    if settings.smaller_sizes and settings.tile != "off":
        raise ValueError("tiles are seen at one size alone; leave out smaller_sizes, or tiles")
