"""Settings of a run in a few words, for lists of runs."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wtflow.config.settings import Settings


def label_of(settings: "Settings") -> str:
    """Backbone, weights, what is unusual in the images' size, coupling and solver."""
    kind = "local weights" if settings.weights_file else settings.weights
    tiles = {"off": "", "side": ", tiles"}.get(str(settings.tile), f", tiles of {settings.tile} px")
    sizes = f", {' and '.join(map(str, settings.sizes))} px" if settings.smaller_sizes else ""
    return (
        f"{settings.backbone} ({kind}){sizes}{tiles}, {settings.coupling} coupling, {settings.steps} {settings.solver}"
        f" step{'s' * (settings.steps > 1)}"
    )
