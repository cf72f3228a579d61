"""The people that a sign-in service (OIDC) may let in: `people.toml` in the folder of the runs.

    train = ["anna@example.org"]
    look = ["*@example.org"]

Addresses of electronic mail; a star and a domain stand for everybody there. Who is in neither list does not get in:
a public sign-in service knows the whole world.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from wtflow.errors import AccessError
from wtflow.permission import LOOK, TRAIN, Role

PEOPLE: Final = "people.toml"


def _checked(pattern: str) -> str:
    name, at, domain = pattern.strip().casefold().rpartition("@")
    if not (name and at and "." in domain) or "*" in domain or ("*" in name and name != "*"):
        raise ValueError(f"{pattern!r} is neither an address nor *@ and a domain")
    return f"{name}@{domain}"


Pattern = Annotated[str, AfterValidator(_checked)]


class People(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    train: tuple[Pattern, ...] = ()
    look: tuple[Pattern, ...] = ()

    def role_of(self, mail: object, is_verified: object = None) -> Role | None:
        """What the person with this address may do; None where they may not come in. is_verified: what the service
        says of the address; one that says no is believed, one that says nothing is trusted.
        """
        if not isinstance(mail, str) or is_verified in (False, "false"):
            return None
        own = mail.strip().casefold()
        names = {own, f"*@{own.rpartition('@')[2]}"} if "@" in own else set[str]()
        if names & set(self.train):
            return TRAIN
        return LOOK if names & set(self.look) else None


def read_people(home: Path) -> People | None:
    """Who may come in; None without the file. Raises AccessError for one that cannot be read."""
    path = home / PEOPLE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise AccessError(f"{path} cannot be read ({error}).", fix="Write it as UTF-8 text.") from error
    try:
        return People.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise AccessError(
            f"{path} is not valid: {reason}.",
            fix='Two lines are needed: train = ["a@example.org"] and look = ["*@example.org"].',
        ) from error
