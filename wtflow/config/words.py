"""The allowed values of every setting that is a choice, one type each, and the named sources of weights."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

Preset = Literal["fast", "best", "edge", "paper"]
Background = Literal["black", "white", "grey", "none"]
Padding = Literal["reflect", "zeros"]
Normalise = Literal["pca", "channel", "layernorm"]
Coupling = Literal["worst", "independent", "optimal"]
Scope = Literal["local", "image"]
Network = Literal["mlp", "unet"]
Schedule = Literal["cosine", "step"]
Solver = Literal["euler", "heun"]
Score = Literal["endpoint", "relative", "deviation", "mismatch"]
Precision = Literal["auto", "full"]
CrossFit = Literal["off", "short", "full"]

CROSS_FIT_MEANING = (
    "Training normals are also scored by flows that did not learn from them, five more trainings, to place a threshold"
    " by false alarms: as long as the run's own (full), or a fraction of it (short)."
)

BACKGROUND: Background = "black"
"""What transparent images are laid on unless a person chooses otherwise. Most programs store black under alpha 0, and
viewers with a dark surface show it: cut-outs look as they did where alpha was left out.
"""

WEIGHT_MEANINGS = {
    "embedded": "ships with the app",
    "pretrained": "timm's published weights, downloaded",
    "package": "ImageNet weights from a Python package that you install",
    "untrained": "fixed seed",
}
"""Named sources of weights with their meaning. Any other value of `weights` is a file."""
WEIGHT_WORDS = tuple(WEIGHT_MEANINGS)
OLD_WEIGHT_WORDS = {"imagenet": "pretrained"}
"""What runs and shells of earlier versions say. It never meant anything but timm's default weights of a model, which
are not always ImageNet's.
"""


def read_weights(value: Any) -> Any:
    return OLD_WEIGHT_WORDS.get(value, value) if isinstance(value, str) else value


Weights = Annotated[str, BeforeValidator(read_weights)]
