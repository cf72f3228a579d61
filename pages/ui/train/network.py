"""What the network makes of the settings, and whose a preset's values are."""

import streamlit as st

from pages.ui import widgets
from pages.ui.errors import plain
from wtflow.config import Settings
from wtflow.features.fitting import fitted

PAPER_NOTE = """
The paper's equations, tables and code are not public as far as we know. One public project runs the authors' code; what
it sets is known, what comes from a file of theirs is not.

| setting | there | here |
|---|---|---|
| backbone, stage | WideResNet-50-2, third stage only | the same |
| normalisation | LayerNorm | the same |
| time | one per image | the same |
| epochs, batch, solver | 100, 8, one Euler step; last epoch | the same |
| image score | mean of the top 3 % of pixels | the same |
| score | `relative` | **ours:** `endpoint`, comparable over a run |
| resizing of the map | corners aligned | **ours:** corners not aligned, as everywhere in this app |
| coupling | independent, unless its file says otherwise | **ours:** `worst`, scope `image`, groups of 8 |
| learning rate, weight decay | not public | **ours:** 1e-4 and 1e-4 |
| schedule | not public | **ours:** drops at 60 % and 85 % |
| width of the U-Net, averaging | not public | **ours:** 128 (21 million parameters), 3 x 3 with stride 2 |
"""

BEST_NOTE = """
Four blocks spread over the depth of DINOv2's ViT-S with registers, at 392 px: what the detectors with the highest
published figures read. No figure of this preset was measured here, because its weights could not be downloaded.

| setting | value | why |
|---|---|---|
| the transformer's own norm | on | a few channels of raw tokens are many times larger than the rest |
| beyond the image edge | nothing | a transformer has no convolutions that look there |
| levelling near the edge | off | without padding there is no rim to level |
| weight of rare positions | 1 instead of 2 | normed tokens differ in direction, not in length; not tuned |
| partial whitening | as in `fast` | it reads the spectrum of the features themselves |
"""

_NOTES = {
    "paper": ("Which values are ours, not the paper's", PAPER_NOTE),
    "best": ("Why these values for a transformer", BEST_NOTE),
}


def show_preset_note(preset: str) -> None:
    """A short fold on where the values of a preset come from; none for those that need no word."""
    if preset in _NOTES:
        title, note = _NOTES[preset]
        with st.expander(title, icon=":material/info:", key=f"preset_note_{preset}"):
            st.markdown(note)


def fit_to_network(settings: Settings) -> tuple[Settings, tuple[str, ...]]:
    """The settings as the run will have them, and what the network does not take as it was given.

    Raises BackboneError.
    """
    found = fitted(settings)
    return found.settings, found.said


def weights_words(settings: Settings) -> str:
    """What to know of the weights before they are used; empty where there is nothing."""
    if settings.is_pretrained:
        from wtflow.features.tags import pretrained_label

        return plain(f"Weights: {pretrained_label(settings.backbone)}.")
    return widgets.UNTRAINED_NOTE if settings.is_untrained else widgets.EMBEDDED_NOTE if settings.is_embedded else ""


def show_licence(settings: Settings) -> None:
    """A warning where the weights that would be downloaded come under terms of their own."""
    if settings.is_pretrained:
        from wtflow.features.tags import licence_notice

        if notice := licence_notice(settings):
            st.warning(notice, icon=":material/gavel:")
