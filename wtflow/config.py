"""Settings of a run: defaults, presets, validation, to and from JSON. The only place that knows them.

The form of the train page and the options of the command line read names, limits and help from `Settings`.

Sources: [WTF] arXiv 2508.05461 for preset `paper` (as its authors' code is driven elsewhere); preset `fast` is ours.
"""

import difflib
import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from wtflow.errors import SettingsError

EMBEDDED_BACKBONE, EMBEDDED_LAST_STAGE = "resnet18", 3
"""The model whose weights ship with the app, and the last stage that they reach."""

ArgValue = bool | int | Annotated[float, Field(allow_inf_nan=False)] | str


class Settings(BaseModel):
    """Every setting of a run, validated. Frozen: `changed` makes a new one."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)

    preset: Literal["fast", "paper"] = Field("fast", description="Where the other settings start from.")

    backbone: str = Field(
        "resnet18", min_length=1, max_length=120, description="timm model whose features are used; it stays frozen."
    )
    backbone_args: dict[str, ArgValue] = Field({}, description="The model's own arguments, such as pad_type=same.")
    weights: str = Field(
        "embedded",
        min_length=1,
        description=(
            "embedded (ships with the app), imagenet (through timm), untrained (fixed seed), or a .safetensors or .pth"
            " file."
        ),
    )
    padding: Literal["reflect", "zeros"] = Field(
        "reflect",
        description=(
            "What the backbone's convolutions see beyond the image: its mirror image, or zeros, which look like an"
            " edge."
        ),
    )
    stages: tuple[int, ...] = Field(
        (1, 2, 3), description="Stages to read, counted from 0 at stride 2: 2 is stride 8, 3 is stride 16."
    )
    image_size: int = Field(256, ge=64, le=1024, description="Images are resized to this many pixels, square.")
    finest_grid: int = Field(
        2,
        ge=0,
        le=7,
        description="Stages finer than this one are averaged down to the grid of the next that is read (0: none).",
    )
    pool_window: int = Field(
        1, ge=1, le=9, description="Features are averaged over a window of this many positions (1: not at all)."
    )
    pool_stride: int = Field(
        1, ge=1, le=4, description="Distance between averaged positions; above 1 the grid gets coarser."
    )

    normalise: Literal["pca", "channel", "layernorm"] = Field(
        "pca",
        description=(
            "pca: partial whitening; channel: mean 0, deviation 1 per channel; layernorm: per image, as in the paper."
        ),
    )
    whiten_power: float = Field(
        0.5, ge=0.0, le=1.0, description="pca: each component is divided by variance^(power/2); 1 whitens fully."
    )
    max_channels: int = Field(
        0, ge=0, le=4096, description="pca: keep this many components, the largest first (0: all)."
    )

    coupling: Literal["worst", "independent", "optimal"] = Field(
        "worst", description="How noise is paired with data inside a batch."
    )
    scope: Literal["local", "image"] = Field(
        "local", description="What is paired: single positions (local) or whole images."
    )
    group_size: int = Field(256, ge=2, le=4096, description="Pairing is exact inside groups of this size.")

    network: Literal["mlp", "unet"] = Field("mlp", description="mlp: one position at a time; unet: the whole grid.")
    width: int = Field(256, ge=8, le=4096, description="Hidden width of the MLP, or base width of the U-Net.")
    depth: int = Field(
        3, ge=1, le=12, description="Residual blocks of the MLP; the U-Net has two levels whatever this says."
    )
    iterations: int = Field(1000, ge=1, le=1_000_000, description="Training steps.")
    epochs: int = Field(
        0, ge=0, le=10_000, description="Passes over the training images; above 0 this replaces iterations."
    )
    batch_size: int = Field(1024, ge=2, le=65_536, description="Positions per step (mlp) or images per step (unet).")
    times_per_pair: int = Field(
        2,
        ge=1,
        le=16,
        description="mlp: a batch holds each pair at this many times, evenly apart; fewer pairs are to be found.",
    )
    learning_rate: float = Field(1e-3, gt=0, le=1, description="Start value of AdamW's learning rate.")
    weight_decay: float = Field(0.0, ge=0, le=1, description="AdamW's weight decay.")
    schedule: Literal["cosine", "step"] = Field(
        "cosine", description="How the learning rate falls: cosine to 0, or by ten at 60 % and 85 %."
    )
    rarity_power: float = Field(
        2.0,
        ge=0.0,
        le=4.0,
        description=(
            "mlp: positions are drawn in proportion to (squared Mahalanobis distance)^power, the rare ones more often"
            " (0: evenly)."
        ),
    )
    max_positions: int = Field(
        300_000,
        ge=256,
        le=10_000_000,
        description="Training positions kept in memory, drawn evenly over all images (mlp).",
    )

    steps: int = Field(4, ge=1, le=200, description="Solver steps from t=0 to t=1 when scoring.")
    solver: Literal["euler", "heun"] = Field(
        "euler", description="euler: one evaluation a step; heun: two, second order."
    )
    score: Literal["endpoint", "relative", "deviation", "mismatch"] = Field(
        "endpoint", description="What is read off the flow; higher means more anomalous."
    )
    deviation_time: float = Field(
        0.6, ge=0.0, lt=1.0, description="deviation: the time at which the field is compared with -x."
    )
    mismatch_samples: int = Field(4, ge=1, le=64, description="mismatch: noises per position, at as many times.")
    precision: Literal["auto", "full"] = Field(
        "auto",
        description=(
            "auto: the flow in bfloat16 on a GPU; on a processor with instructions for it, Euler's steps of an mlp when"
            " scoring. full: float32."
        ),
    )
    top_fraction: float = Field(
        0.0,
        ge=0.0,
        le=1.0,
        description="The image score is the mean of this share of the highest pixels (0: the maximum).",
    )

    whole_image: bool = Field(
        True,
        description=(
            "With 80 normals or more: the image as a whole is held against them, too, and where that scores higher, it"
            " is the image score."
        ),
    )
    edge_quantile: float = Field(
        0.999,
        ge=0.0,
        le=1.0,
        description=(
            "Near the edge, maps are divided by how much higher this quantile of training normals lies there (0: not at"
            " all)."
        ),
    )

    holdout_fraction: float = Field(
        0.1,
        ge=0.0,
        le=0.5,
        description="Share of the training normals kept aside to place a threshold without test labels.",
    )
    seed: int = Field(
        0,
        ge=0,
        le=2**31 - 1,
        description="Start of every random number; same seed and thread count, same result on a CPU.",
    )

    threads: int = Field(
        0, ge=0, le=256, description="Processor threads for training (0: all of them; niceness lets pages go first)."
    )
    niceness: int = Field(
        10, ge=0, le=19, description="How readily training gives way to other programs (0: not at all)."
    )
    checkpoint_every_s: float = Field(15.0, ge=0.5, le=3600, description="Seconds between checkpoints.")
    umap_after: bool = Field(
        False, description="Compute the UMAP of the wells when the run has finished, so that the page opens with it."
    )

    @field_validator("stages", mode="before")
    @classmethod
    def _stages_from_text(cls, value: Any) -> Any:
        """Accept "2,3" and 3 beside (2, 3)."""
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return (value,) if isinstance(value, int) else value

    @field_validator("stages")
    @classmethod
    def _stages_in_order(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if not value or any(s < 0 or s > 7 for s in value) or len(set(value)) != len(value):
            raise ValueError("expected one to eight different stages between 0 and 7, such as 2,3")
        return tuple(sorted(value))

    @field_validator("pool_window")
    @classmethod
    def _window_has_a_centre(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError("expected an odd window, so that each average has a centre")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> "Settings":
        if self.network == "unet" and self.batch_size > 512:
            raise ValueError(f"batch_size counts images for the unet, found {self.batch_size}; use 512 or fewer")
        if self.scope == "image" and self.network == "mlp":
            raise ValueError(
                "scope image pairs whole images, which the mlp never sees; use scope local, or network unet"
            )
        n_pairs = -(-self.batch_size // self.times_per_pair)
        if self.network == "mlp" and self.group_size > n_pairs:
            raise ValueError(
                f"group_size ({self.group_size}) is larger than the {n_pairs} pairs of a batch (batch_size /"
                " times_per_pair)"
            )
        return self

    @model_validator(mode="after")
    def _embedded_weights_fit(self) -> "Settings":
        if self.weights == "embedded" and (self.backbone != EMBEDDED_BACKBONE or self.stages[-1] > EMBEDDED_LAST_STAGE):
            raise ValueError(
                f"the embedded weights are for {EMBEDDED_BACKBONE}, stages 0 to {EMBEDDED_LAST_STAGE}, found"
                f" {self.backbone} with {','.join(map(str, self.stages))}; choose weights imagenet, untrained or a file"
                " for others"
            )
        return self

    @property
    def is_embedded(self) -> bool:
        """The backbone is the one that ships with the app: it needs no network; ImageNet weights do a little better."""
        return self.weights == "embedded"

    @property
    def is_untrained(self) -> bool:
        """The backbone has random weights: results show the flow, not what features can do."""
        return self.weights == "untrained"

    @property
    def label(self) -> str:
        """The run in a few words."""
        kind = {"embedded": "embedded", "imagenet": "ImageNet", "untrained": "untrained"}.get(
            self.weights, "local weights"
        )
        return (
            f"{self.backbone} ({kind}), {self.coupling} coupling, {self.steps} {self.solver}"
            f" step{'s' * (self.steps > 1)}"
        )

    def changed(self, changes: dict[str, Any]) -> "Settings":
        """A copy with these settings replaced and everything validated again. Raises SettingsError."""
        return _build(self.model_dump() | _known(changes))

    def to_json(self) -> str:
        return self.model_dump_json(indent=1)


PRESETS: dict[str, dict[str, Any]] = {
    "fast": {},
    "paper": {
        "backbone": "wide_resnet50_2",
        "weights": "imagenet",
        "stages": (3,),
        "pool_window": 3,
        "pool_stride": 2,
        "normalise": "layernorm",
        "scope": "image",
        "group_size": 8,
        "network": "unet",
        "width": 128,
        "batch_size": 8,
        "epochs": 100,
        "learning_rate": 1e-4,
        "weight_decay": 1e-4,
        "schedule": "step",
        "steps": 1,
        "top_fraction": 0.03,
        "holdout_fraction": 0.0,
        "padding": "zeros",
        "edge_quantile": 0.0,
        "times_per_pair": 1,
        "whole_image": False,
    },
}


_BEFORE: dict[str, Any] = {
    "finest_grid": 0,
    "rarity_power": 0.0,
    "padding": "zeros",
    "edge_quantile": 0.0,
    "times_per_pair": 1,
    "whole_image": False,
    "precision": "full",
}
"""What runs did that were written before these settings existed; on a GPU they were in bfloat16, and are now asked
again in float32.
"""

UNTRAINED: dict[str, Any] = {
    "stages": (1, 2),
    "padding": "zeros",
    "finest_grid": 0,
    "pool_window": 3,
    "pool_stride": 2,
    "iterations": 700,
}
"""What preset `fast` changes for random weights: a random network says most in its early stages, where it has not
yet scrambled the picture.
"""


def settings_from(preset: str = "fast", changes: dict[str, Any] | None = None) -> Settings:
    """The settings of a preset with some changed. Raises SettingsError for an unknown name or a wrong value."""
    if preset not in PRESETS:
        raise SettingsError(f"There is no preset {preset!r}.", fix=f"Use one of: {', '.join(PRESETS)}.")
    if (changes or {}).get("preset", preset) != preset:
        raise SettingsError(
            "The preset cannot be changed like another setting: the rest starts from it.",
            fix="Choose it as the preset itself (--preset).",
        )
    values = {"preset": preset} | PRESETS[preset] | _known(changes or {})
    if preset == "fast" and values.get("weights") == "untrained":
        values = UNTRAINED | values
    return _build(values)


def settings_from_json(text: str) -> Settings:
    """Read settings that `to_json` wrote. Raises SettingsError when they are not sound."""
    try:
        values = json.loads(text)
    except ValueError as error:
        raise SettingsError(
            f"The settings are not valid JSON ({error}).", fix="Restore config.json, or delete the run."
        ) from error
    if not isinstance(values, dict):
        raise SettingsError("The settings are not a JSON object.", fix="Restore config.json, or delete the run.")
    return _build(_BEFORE | _known(values))


def describe(name: str) -> str:
    """One sentence on a setting, for help texts."""
    return Settings.model_fields[name].description or ""


def limits(name: str) -> tuple[float | None, float | None]:
    """Smallest and largest allowed value of a numeric setting, None where open."""
    low = high = None
    for rule in Settings.model_fields[name].metadata:
        low = getattr(rule, "ge", getattr(rule, "gt", low))
        high = getattr(rule, "le", getattr(rule, "lt", high))
    return low, high


def choices(name: str) -> tuple[str, ...]:
    """The allowed values of a setting that is a choice."""
    return tuple(Settings.model_fields[name].annotation.__args__)


def parse_pairs(pairs: list[str], *, option: str) -> dict[str, str]:
    """Split ["a=1", "b=2"] into a dictionary. Raises SettingsError naming the option that carried a wrong one."""
    parsed = {}
    for pair in pairs:
        name, separator, value = pair.partition("=")
        if not separator or not name.strip():
            raise SettingsError(f"{option} {pair!r} is not NAME=VALUE.", fix=f"Write it as {option} name=value.")
        parsed[name.strip()] = value.strip()
    return parsed


def parse_value(text: str) -> ArgValue:
    """Read true, false, a number, or else the text itself."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _known(values: dict[str, Any]) -> dict[str, Any]:
    for name in values:
        if name not in Settings.model_fields:
            close = difflib.get_close_matches(name, Settings.model_fields, n=1)
            hint = f"Did you mean {close[0]}?" if close else f"Settings are: {', '.join(Settings.model_fields)}."
            raise SettingsError(f"There is no setting {name!r}.", fix=hint)
    return values


def _build(values: dict[str, Any]) -> Settings:
    try:
        return Settings(**values)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"]) or "settings"
        reason = first["msg"].removeprefix("Value error, ")
        found = "" if first["type"] == "value_error" and not first["loc"] else f" (found {first['input']!r})"
        field = Settings.model_fields.get(str(first["loc"][0]) if first["loc"] else "")
        fix = field.description if field is not None and field.description else "Change one of the two."
        raise SettingsError(f"{name}: {reason}{found}.", fix=fix) from error
