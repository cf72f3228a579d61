"""The allowed values of every setting that is a choice, one type each, and the named sources of weights."""

from typing import Literal

Preset = Literal["fast", "paper"]
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

WEIGHT_MEANINGS = {"embedded": "ships with the app", "imagenet": "through timm", "untrained": "fixed seed"}
"""Named sources of weights with their meaning. Any other value of `weights` is a file."""
WEIGHT_WORDS = tuple(WEIGHT_MEANINGS)
