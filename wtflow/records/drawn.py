"""What was drawn of a run, as opposed to what the pictures show."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DrawnPictures:
    """The small pictures of a run were drawn, and lie with it until they are cleared away."""

    n_images: int
