"""Sessions: what a browser keeps after a password was right. A signed role with its time; the server keeps nothing."""

import hashlib
from typing import Final

from itsdangerous import BadSignature, URLSafeTimedSerializer

from wtflow.access.passwords import Passwords
from wtflow.permission import ROLES, Role

LASTS_S: Final = 7 * 24 * 3600
"""Seconds after which the password is asked for again: a working week and its weekend."""


def cookie_name(passwords: Passwords) -> str:
    return f"wtflow_{passwords.name}"


def new_session(passwords: Passwords, role: Role) -> str:
    """What the browser sends from now on."""
    return _signer(passwords).dumps(role)


def role_of_session(passwords: Passwords, cookie: str | None) -> Role | None:
    """The role that the cookie was given for; None for a forged, changed or old one."""
    if not cookie or len(cookie) > 500 or not cookie.isascii():
        return None
    try:
        found = _signer(passwords).loads(cookie, max_age=LASTS_S)
    except BadSignature:  # SignatureExpired is one
        return None
    return next((role for role in ROLES if role == found and role in passwords.passwords), None)


def _signer(passwords: Passwords) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(passwords.key, salt="wtflow session", signer_kwargs={"digest_method": hashlib.sha256})
