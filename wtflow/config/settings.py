"""The settings of a run: names, defaults, limits, help, and which of them fit together.

The form of the train page and the options of the command line read names, limits and help from `Settings`.
"""

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from wtflow.config.checking import build, known
from wtflow.config.label import label_of
from wtflow.config.sizes import SmallerSizes
from wtflow.config.stages import CELLS_MEANING, FINEST_MEANING, STAGES_MEANING, Stages, usual_cells
from wtflow.config.tile import Tile
from wtflow.config.together import cells_fit, embedded_weights_fit, network_fits, sizes_fit
from wtflow.config.words import (
    BACKGROUND,
    CROSS_FIT_MEANING,
    WEIGHT_MEANINGS,
    WEIGHT_WORDS,
    Background,
    Coupling,
    CrossFit,
    Network,
    Normalise,
    Padding,
    Precision,
    Preset,
    Schedule,
    Scope,
    Score,
    Solver,
    Weights,
)
from wtflow.errors import SettingsError

ArgValue = bool | int | Annotated[float, Field(allow_inf_nan=False)] | str


class Settings(BaseModel):
    """Every setting of a run, validated. Frozen: `changed` makes a new one."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)

    preset: Preset = Field("fast", description="Where the other settings start from.")

    backbone: str = Field(
        "resnet18", min_length=1, max_length=120, description="timm model whose features are used; it stays frozen."
    )
    backbone_args: dict[str, ArgValue] = Field({}, description="The model's own arguments, such as pad_type=same.")
    weights: Weights = Field(
        "embedded",
        min_length=1,
        description=(
            ", ".join(f"{word} ({meaning})" for word, meaning in WEIGHT_MEANINGS.items())
            + ", or a .safetensors or .pth file."
        ),
    )
    padding: Padding = Field(
        "reflect",
        description=(
            "What the backbone's convolutions see beyond the image: its mirror image, or zeros, which look like an"
            " edge. A transformer looks at nothing beyond it."
        ),
    )
    stages: Stages = Field((1, 2, 3), description=STAGES_MEANING)
    cells: tuple[int, ...] = Field((), description=CELLS_MEANING)
    block_norm: bool = Field(
        False, description="The transformer's own last LayerNorm is applied to every block that is read."
    )
    block_groups: int = Field(
        0,
        ge=0,
        le=8,
        description="Blocks are averaged in so many groups of neighbours, then joined (0: each by itself).",
    )
    image_size: int = Field(
        256, ge=64, le=1024, description="Images, or their tiles, are resized to this many pixels, square."
    )
    smaller_sizes: SmallerSizes = Field(
        (), description="Images are seen at these sizes, too, such as 256; the features of all sizes are joined."
    )
    background: Background = Field(
        BACKGROUND,
        description=(
            "What transparent images are laid on (none: alpha is left out, and what a file hides under it counts)."
        ),
    )
    tile: Tile = Field(
        "off",
        description=(
            "Images are cut into squares of so many of their own pixels, each scored at the image size; side: of their"
            " shorter side; off: resized whole."
        ),
    )
    tile_overlap: float = Field(
        0.25, ge=0.0, le=0.5, description="Least share of a tile's side that it has in common with the next."
    )
    finest_grid: int = Field(2, ge=0, le=7, description=FINEST_MEANING)
    pool_window: int = Field(
        1, ge=1, le=9, description="Features are averaged over a window of this many positions (1: not at all)."
    )
    pool_stride: int = Field(
        1, ge=1, le=4, description="Distance between averaged positions; above 1 the grid gets coarser."
    )

    normalise: Normalise = Field(
        "pca",
        description=(
            "pca: partial whitening; channel: mean 0, deviation 1 per channel; layernorm: per image, as in the paper."
        ),
    )
    whiten_power: float = Field(
        0.5, ge=0.0, le=1.0, description="pca: each component is divided by variance^(power/2); 1 whitens fully."
    )
    max_channels: int = Field(0, ge=0, le=4096, description="pca: keep this many components, largest first (0: all).")

    coupling: Coupling = Field("worst", description="How noise is paired with data inside a batch.")
    scope: Scope = Field("local", description="What is paired: single positions (local) or whole images.")
    group_size: int = Field(256, ge=2, le=4096, description="Pairing is exact inside groups of this size.")

    network: Network = Field("mlp", description="mlp: one position at a time; unet: the whole grid.")
    width: int = Field(256, ge=8, le=4096, description="Hidden width of the MLP, or base width of the U-Net.")
    depth: int = Field(3, ge=1, le=12, description="Residual blocks of the MLP; the U-Net always has two levels.")
    iterations: int = Field(1000, ge=1, le=1_000_000, description="Training steps.")
    epochs: int = Field(
        0, ge=0, le=10_000, description="Passes over the training images; above 0 this replaces iterations."
    )
    batch_size: int = Field(1024, ge=2, le=65_536, description="Positions per step (mlp) or images per step (unet).")
    times_per_pair: int = Field(
        2,
        ge=1,
        le=16,
        description="mlp: a batch holds each pair at this many times, evenly apart, so it needs fewer pairs.",
    )
    learning_rate: float = Field(1e-3, gt=0, le=1, description="Start value of AdamW's learning rate.")
    weight_decay: float = Field(0.0, ge=0, le=1, description="AdamW's weight decay.")
    schedule: Schedule = Field(
        "cosine", description="How the learning rate falls: cosine to 0, or by ten at 60\N{NBSP}% and 85\N{NBSP}%."
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

    steps: int = Field(4, ge=1, le=200, description="Solver steps from t = 0 to t = 1 when scoring.")
    solver: Solver = Field("euler", description="euler: one evaluation a step; heun: two, second order.")
    score: Score = Field("endpoint", description="What is computed from the flow; higher means more anomalous.")
    deviation_time: float = Field(
        0.6, ge=0.0, lt=1.0, description="deviation: the time at which the field is compared with -x."
    )
    mismatch_samples: int = Field(4, ge=1, le=64, description="mismatch: noises per position, at as many times.")
    precision: Precision = Field(
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
            "With 80 normals or more: the image as a whole is compared with them, too; if that score is higher, it is"
            " the image score."
        ),
    )
    edge_quantile: float = Field(
        0.999,
        ge=0.0,
        le=1.0,
        description=(
            "Near the edge, maps are divided by how much higher this quantile of the training normals is there (0: not"
            " at all)."
        ),
    )

    holdout_fraction: float = Field(
        0.1,
        ge=0.0,
        le=0.5,
        description="Share of the training normals set aside to choose a threshold without test labels.",
    )
    cross_fit: CrossFit = Field("off", description=CROSS_FIT_MEANING)
    seed: int = Field(
        0, ge=0, le=2**31 - 1, description="Start of random numbers; same seed and threads, same result on a CPU."
    )

    threads: int = Field(
        0, ge=0, le=256, description="Processor threads for training (0: all of them; niceness gives pages priority)."
    )
    niceness: int = Field(
        10, ge=0, le=19, description="How readily training gives way to other programs (0: not at all)."
    )
    checkpoint_every_s: float = Field(15.0, ge=0.5, le=3600, description="Seconds between checkpoints.")
    keep_pictures: bool = Field(
        True,
        description="A small picture of every scored image is kept (some 10 to 20 kB each), for when images are moved.",
    )
    prepare_pages: bool = Field(
        True,
        description=(
            "When the run has finished, a process computes what its pages open with, so that first visits are quick."
        ),
    )
    umap_after: bool = Field(True, description="That process also computes the UMAP of the wells, which takes longest.")

    @field_validator("pool_window")
    @classmethod
    def _window_has_a_centre(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError("expected an odd window, so that each average has a centre")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> "Settings":
        for check in (network_fits, embedded_weights_fit, cells_fit, sizes_fit):
            check(self)
        return self

    @property
    def stage_numbers(self) -> tuple[int, ...]:
        """The stages by number. Raises SettingsError where names stand, which only the model can resolve."""
        numbers = tuple(stage for stage in self.stages if isinstance(stage, int))
        if len(numbers) < len(self.stages):
            raise SettingsError(
                f"The stages {','.join(map(str, self.stages))} are names that were not looked up in {self.backbone}.",
                fix="Give them by number.",
            )
        return numbers

    @property
    def stage_cells(self) -> tuple[int, ...]:
        """Pixels of the network's input from one position of each stage to the next."""
        return self.cells or usual_cells(self.stage_numbers)

    @property
    def finest_cell(self) -> int:
        """Cells smaller than this are averaged down."""
        return usual_cells((self.finest_grid,))[0]

    @property
    def sizes(self) -> tuple[int, ...]:
        """All sizes at which an image is seen, in pixels, falling."""
        return (self.image_size, *self.smaller_sizes)

    @property
    def coarsest_cell(self) -> int:
        """Pixels of the network's input from one position of the coarsest stage to the next, after averaging."""
        return max(self.stage_cells) * self.pool_stride

    @property
    def is_embedded(self) -> bool:
        """The backbone is the one that ships with the app."""
        return self.weights == "embedded"

    @property
    def is_pretrained(self) -> bool:
        """The weights are those that timm publishes: downloaded, and under a licence of their own."""
        return self.weights == "pretrained"

    @property
    def is_untrained(self) -> bool:
        """The backbone has random weights: results show the flow, not the quality of features."""
        return self.weights == "untrained"

    @property
    def weights_file(self) -> Path | None:
        """The file that `weights` names, None where it is one of WEIGHT_WORDS."""
        return None if self.weights in WEIGHT_WORDS else Path(self.weights)

    @property
    def label(self) -> str:
        """The run in a few words."""
        return label_of(self)

    def changed(self, changes: dict[str, Any]) -> "Settings":
        """A copy with these settings replaced and everything validated again. Raises SettingsError."""
        return build(Settings, self.model_dump() | known(Settings, changes))

    def to_json(self) -> str:
        return self.model_dump_json(indent=1)
