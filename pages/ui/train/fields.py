"""What the form of settings holds: which fields in which order, their labels, and what presets, backbones and weights
are called there.
"""

from wtflow.config import WEIGHT_MEANINGS

BACKBONES = (
    "resnet18",
    "mobilenetv2_100",
    "tf_efficientnet_lite0",
    "efficientnet_b0",
    "resnet50",
    "wide_resnet50_2",
    "convnext_tiny.dinov3_lvd1689m",
    "vit_small_patch14_reg4_dinov2",
    "vit_base_patch14_reg4_dinov2",
    "vit_small_patch16_dinov3",
)
WEIGHTS = {word: f"{word.capitalize()} ({meaning})" for word, meaning in WEIGHT_MEANINGS.items()} | {
    "file": "A file on this computer"
}
"""Source of weights -> label: those of the settings in their order, then a file."""

TILES = {"off": "off: images are resized whole", "side": "side: as long as the shorter side"}
"""Words of the setting `tile` -> label. A number is typed."""

# `length` is iterations or epochs, whichever counts. The image size has its own field, see `size_field`.
MAIN = (
    "backbone",
    "weights",
    "stages",
    "smaller_sizes",
    "tile",
    "coupling",
    "scope",
    "width",
    "length",
    "steps",
    "solver",
    "score",
    "seed",
)
ADVANCED = {
    "Features": (
        "block_norm",
        "block_groups",
        "backbone_args",
        "padding",
        "background",
        "tile_overlap",
        "finest_grid",
        "pool_window",
        "pool_stride",
        "normalise",
        "whiten_power",
        "max_channels",
    ),
    "Training": (
        "network",
        "depth",
        "group_size",
        "batch_size",
        "times_per_pair",
        "learning_rate",
        "weight_decay",
        "schedule",
        "rarity_power",
        "max_positions",
        "iterations",
        "epochs",
    ),
    "Scoring": (
        "deviation_time",
        "mismatch_samples",
        "precision",
        "top_fraction",
        "whole_image",
        "edge_quantile",
        "holdout_fraction",
        "cross_fit",
    ),
    "Process": ("threads", "niceness", "checkpoint_every_s", "keep_pictures", "prepare_pages", "umap_after"),
}

LABELS = {
    "stages": "Stages or blocks",
    "block_norm": "The transformer's own norm",
    "block_groups": "Groups of averaged blocks",
    "smaller_sizes": "Seen at smaller sizes, too (px)",
    "tile": "Tiles (px of the image)",
    "tile_overlap": "Overlap of tiles",
    "width": "Network width",
    "depth": "Network depth",
    "iterations": "Training steps",
    "epochs": "Epochs (0: count steps)",
    "steps": "Solver steps",
    "seed": "Seed",
    "backbone_args": "Backbone arguments (name=value, ...)",
    "padding": "Beyond the image edge",
    "background": "Behind transparent images",
    "checkpoint_every_s": "Checkpoint every (s)",
    "finest_grid": "Finest grid (stage)",
    "rarity_power": "Weight of rare positions",
    "times_per_pair": "Times per pair",
    "pool_window": "Averaging window",
    "pool_stride": "Averaging stride",
    "max_channels": "Components kept (0: all)",
    "holdout_fraction": "Held-out share of normals",
    "cross_fit": "Score normals by others",
    "top_fraction": "Top share of pixels (0: highest)",
    "whole_image": "Score the image as a whole, too",
    "edge_quantile": "Levelling near the edge",
    "threads": "Threads (0: automatic)",
    "keep_pictures": "Keep pictures of scored images",
    "prepare_pages": "Prepare first visits of pages",
    "umap_after": "Prepare the UMAP of the wells, too",
}
LISTS = ("stages", "smaller_sizes")
"""Settings that are typed as a list with commas."""
CHOICES = (
    "preset",
    "padding",
    "background",
    "normalise",
    "coupling",
    "scope",
    "network",
    "schedule",
    "solver",
    "score",
    "precision",
    "cross_fit",
)
PRESET_HELP = {
    "fast": "Small and quick on a CPU; the choice of this project.",
    "best": "Tokens of a DINOv2 transformer at 392 px; for a GPU, or with patience.",
    "edge": "A network made for phones, for a small CPU.",
    "paper": "As another project runs the paper's code, as far as that is known; large, made for a GPU.",
}
