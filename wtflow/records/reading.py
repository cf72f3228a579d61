"""How a person said that a data set is to be read. Kept per data set in the store, and in every run."""

import shlex

from pydantic import BaseModel, ConfigDict, field_validator

from wtflow.errors import SettingsError
from wtflow.records.mask_rule import parse_rule

AUTO = "auto"
"""As found: nothing was said."""


class Reading(BaseModel):
    """What a person said about a data set that its files alone do not tell."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    masks: str = AUTO
    """What values of a mask mean: "auto", "defect=1,ignore=255", "defect=nonzero", "invert", "alpha"."""
    good: tuple[str, ...] = ()
    """Names of folders of test images that hold good ones, besides the layout's own."""
    masks_as_stored: bool = False
    """Masks are drawn on the image as its file stores it, before a camera's orientation turns it upright."""

    @field_validator("masks")
    @classmethod
    def _is_written_well(cls, text: str) -> str:
        try:
            return parse_rule(text).words
        except SettingsError as error:
            raise ValueError(str(error)) from error

    @property
    def is_as_found(self) -> bool:
        """Whether a person said nothing."""
        return self == Reading()

    @property
    def options(self) -> tuple[str, ...]:
        """The options of `train` and `check` that say it; empty when nothing was said."""
        parts = [part for name in self.good for part in ("--good", name)]
        if self.masks != AUTO:
            parts += ["--mask-values", self.masks]
        if self.masks_as_stored:
            parts.append("--masks-as-stored")
        return tuple(parts)

    @property
    def words(self) -> str:
        """The options as one types them."""
        return shlex.join(self.options)
