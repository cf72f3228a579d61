"""How a person said that a data set is to be read. Kept per data set in the store, and in every run."""

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
    def words(self) -> str:
        """What was said, in the words of the command line; empty when nothing was."""
        return ", ".join(" ".join(option) for option in self.options)

    @property
    def options(self) -> list[tuple[str, ...]]:
        """The options of the command line that say it again."""
        parts: list[tuple[str, ...]] = [("--good", name) for name in self.good]
        if self.masks != AUTO:
            parts.append(("--mask-values", self.masks))
        if self.masks_as_stored:
            parts.append(("--masks-as-stored",))
        return parts
