"""What `train` says of the network before it starts."""

from wtflow import console
from wtflow.config import Settings


def say_what_fits(settings: Settings) -> tuple[Settings, list[str]]:
    """The settings as the run will have them, and what was printed: what the network does not take as it was given, and
    the terms of weights before they are downloaded. Raises BackboneError.
    """
    from wtflow.features.fitting import fitted

    found = fitted(settings)
    said = list(found.said)
    if settings.is_pretrained:
        from wtflow.features.tags import licence_notice, pretrained_label

        said += [f"Weights: {pretrained_label(settings.backbone)}.", licence_notice(settings)]
    said = [sentence for sentence in said if sentence]
    for sentence in said:
        console.err.print(sentence, markup=False)
    return found.settings, said
