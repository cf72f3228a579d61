"""The passwords of a store, one for those who look and one for those who train: `access.json`, readable by its owner
alone.

It holds what scrypt makes of each password, and the key that signs sessions. Every change makes a new key, which ends
all sessions.
"""

import hashlib
import hmac
import os
import secrets
import stat
import unicodedata
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from wtflow.errors import AccessError, DamagedRunError
from wtflow.permission import ROLES, Role
from wtflow.store.files import read_json, write_json

ACCESS: Final = "access.json"
SHORTEST: Final = 10
"""Characters. With the limit on wrong tries, ten thousand of them take days."""
LONGEST: Final = 1000
N, R, P = 2**15, 8, 3
"""Cost of scrypt: 32 MiB and about a quarter of a second on one core; as OWASP advises."""
MOST_MEMORY: Final = 2**27

Hex = Annotated[str, Field(pattern=r"^(?:[0-9a-f]{2})+$")]


class _Kept(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    n: int = Field(ge=2, le=2**20)
    r: int = Field(ge=1, le=32)
    p: int = Field(ge=1, le=16)
    salt: Hex
    hash: Hex

    def fits(self, password: str) -> bool:
        """Whether this is the password; it takes as long for a wrong one."""
        return hmac.compare_digest(_scrypt(password, bytes.fromhex(self.salt), self.n, self.r, self.p), self.hash)


class Passwords(BaseModel):
    """What the file holds. key: signs sessions; name: of the cookie, so that stores on one host do not share one."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    version: Literal[1] = 1
    name: Hex
    key: Hex
    passwords: dict[Role, _Kept]

    def role_of(self, password: str) -> Role | None:
        """What this password allows, or None. Every stored one is compared, so time does not tell which one it was."""
        if len(password) > LONGEST:
            return None
        fitting = [role for role, kept in self.passwords.items() if kept.fits(password)]
        return max(fitting, key=ROLES.index, default=None)


def read_passwords(home: Path) -> Passwords | None:
    """The passwords of a store; None where none was ever set. Raises AccessError for a damaged file."""
    path = home / ACCESS
    if not path.exists():
        return None
    try:
        found = Passwords.model_validate(read_json(path))
    except (DamagedRunError, ValidationError) as error:
        raise AccessError(
            f"{path} is damaged, so nobody can sign in.",
            fix="Delete it, then set the passwords again: python -m wtflow password",
        ) from error
    return found if found.passwords else None


def stamp_of(home: Path) -> tuple[int, int, int] | None:
    """Changes whenever the file does; None where there is none."""
    try:
        found = (home / ACCESS).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


def is_open_to_others(home: Path) -> bool:
    """Whether other users of this computer may read the file. Always False where the system has no such rights."""
    try:
        mode = (home / ACCESS).stat().st_mode
    except OSError:
        return False
    return os.name == "posix" and bool(mode & (stat.S_IRWXG | stat.S_IRWXO))


def set_password(home: Path, role: Role, password: str) -> None:
    """Keep a password in place of the one before; all sessions end. Raises AccessError for one that is too short or
    too long, or that opens the other role, and errors of the disk.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise AccessError(
            f"The password has {len(password)} characters; {SHORTEST} to {LONGEST} are needed.",
            fix="Choose a sentence of four words or more.",
        )
    before = read_passwords(home)
    others = {one: kept for one, kept in (before.passwords if before else {}).items() if one != role}
    if any(kept.fits(password) for kept in others.values()):
        raise AccessError("The other role has this password.", fix="Choose another one, or the roles are the same.")
    salt = secrets.token_bytes(16)
    fresh = _Kept(n=N, r=R, p=P, salt=salt.hex(), hash=_scrypt(password, salt, N, R, P))
    _write(home, before, others | {role: fresh})


def remove_password(home: Path, role: Role) -> bool:
    """Take a role's password away; all sessions end. False where it had none."""
    before = read_passwords(home)
    if before is None or role not in before.passwords:
        return False
    _write(home, before, {one: kept for one, kept in before.passwords.items() if one != role})
    return True


def _write(home: Path, before: Passwords | None, passwords: dict[Role, _Kept]) -> None:
    name = before.name if before else secrets.token_hex(4)
    values: dict[str, Any] = Passwords(name=name, key=secrets.token_hex(32), passwords=passwords).model_dump(
        mode="json"
    )
    write_json(home / ACCESS, values, is_private=True)


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> str:
    """Letters with accents count as the same however the keyboard composes them."""
    text = unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
    return hashlib.scrypt(text, salt=salt, n=n, r=r, p=p, maxmem=MOST_MEMORY).hex()
