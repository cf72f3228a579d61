"""The allowed values of every setting that is a choice, one type each, and the named sources of weights."""

from typing import Literal

Preset = Literal["fast", "paper"]
Padding = Literal["reflect", "zeros"]
Normalise = Literal["pca", "channel", "layernorm"]
Coupling = Literal["worst", "independent", "optimal"]
Scope = Literal["local", "image"]
Network = Literal["mlp", "unet"]
Schedule = Literal["cosine", "step"]
Solver = Literal["euler", "heun"]
Score = Literal["endpoint", "relative", "deviation", "mismatch"]
Precision = Literal["auto", "full"]

WEIGHT_MEANINGS = {"embedded": "ships with the app", "imagenet": "through timm", "untrained": "fixed seed"}
"""Named sources of weights with their meaning. Any other value of `weights` is a file."""
WEIGHT_WORDS = tuple(WEIGHT_MEANINGS)
