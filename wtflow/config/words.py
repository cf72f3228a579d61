"""The allowed values of every setting that is a choice, one type each, and the words for weights."""

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
"""The words that `weights` may be, each with its meaning. Everything else is a file."""
WEIGHT_WORDS = tuple(WEIGHT_MEANINGS)
