"""The weights that ship with the app: a small network that this project trained on pictures it drew itself.

assets/embedded.md describes how they were made; `python -m wtflow.pretraining` makes them again.
"""

from pathlib import Path
from typing import Final

from torch import nn

from wtflow.config import EMBEDDED_BACKBONE, EMBEDDED_LAST_STAGE
from wtflow.errors import WeightsError
from wtflow.features.weights import read_state_dict
from wtflow.machine.places import ASSETS

FILE: Final = ASSETS / "embedded.safetensors"
LARGEST_BYTES: Final = 6_000_000


def load_embedded(model: nn.Module, name: str, path: Path = FILE) -> None:
    """Give a model that was cut at its stages the embedded weights, float16 in the file, float32 in the model.

    Raises WeightsError when the file lacks a tensor that the model has, or holds one of another shape: then the file
    was made for another model. Tensors of later stages in the file are ignored.
    """
    found, wanted = read_state_dict(path), model.state_dict()
    # Nothing reads the counts of batches.
    needed = {key: tensor for key, tensor in wanted.items() if not key.endswith("num_batches_tracked")}
    wrong = [key for key, tensor in needed.items() if key not in found or found[key].shape != tensor.shape]
    if wrong:
        raise WeightsError(
            f"The embedded weights do not fit {name}: {len(wrong)} tensors are missing or of another shape, such as"
            f" {wrong[0]}.",
            fix=(
                f"They are for {EMBEDDED_BACKBONE}, stages 0 to {EMBEDDED_LAST_STAGE}, without arguments. Choose other"
                " weights for other models."
            ),
        )
    model.load_state_dict({key: found[key].float() for key in needed}, strict=False)
