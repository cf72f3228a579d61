"""The terms on which a server lets visitors in, found when it starts; passwords may change while it runs."""

import ipaddress
import sys
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError

from wtflow.access.passwords import ACCESS, Passwords, is_open_to_others, read_passwords, stamp_of
from wtflow.access.people import PEOPLE, read_people
from wtflow.errors import AccessError
from wtflow.store.runs import RunStore

NO_AUTH: Final = "--no-auth"
Mode = Literal["open", "local", "password", "service"]
"""Everybody may do everything because the person who started it said so; this computer only; who has a password; whom
a sign-in service knows.
"""


class Rules:
    """`in_force` of this module is the object of the running server. Any thread may ask."""

    def __init__(self, home: Path, *, is_open: bool, is_local: bool, has_service: bool) -> None:
        self.home, self.is_open, self.is_local, self.has_service = home, is_open, is_local, has_service
        self._lock = threading.Lock()
        self._stamp: object = ()
        self._passwords: Passwords | None = None

    @property
    def mode(self) -> Mode:
        if self.is_open:
            return "open"
        if self.has_service:
            return "service"
        return "local" if self.is_local and stamp_of(self.home) is None else "password"

    def passwords(self) -> Passwords | None:
        """As they are now; None where there are none, or the file is damaged: then nobody comes in."""
        stamp = stamp_of(self.home)
        with self._lock:
            if stamp != self._stamp:
                try:
                    self._passwords = read_passwords(self.home)
                except AccessError:
                    self._passwords = None
                self._stamp = stamp
            return self._passwords


in_force: Rules | None = None


def find_rules() -> Rules:
    """The rules for this process's server. Raises AccessError for one that others could reach without a sign-in."""
    global in_force
    home = RunStore().home
    found = Rules(
        home,
        is_open=NO_AUTH in sys.argv[1:],
        is_local=is_loopback(st.get_option("server.address")),
        has_service=has_auth(),
    )
    check(found)
    in_force = found
    return found


def check(rules: Rules) -> None:
    """Raises AccessError for rules by which a server must not start."""
    if rules.is_open:
        return
    if rules.has_service:
        if find_spec("authlib") is None:
            raise AccessError(
                "secrets.toml has a section [auth], but Authlib is not installed.",
                fix="Install it: pip install Authlib",
            )
        if read_people(rules.home) is None:
            raise AccessError(
                f"secrets.toml has a section [auth], but {rules.home / PEOPLE} does not say who may come in.",
                fix='Write it, with lines such as train = ["anna@example.org"] and look = ["*@example.org"].',
            )
    elif not rules.is_local and read_passwords(rules.home) is None:
        where = st.get_option("server.address") or "all addresses"
        raise AccessError(
            f"The app would listen on {where}, where others can reach it, and no password is set: they could read"
            " folders of this computer and start processes on it.",
            fix=(
                "Set a password (python -m wtflow password), or a sign-in service (see assets/docs/server.md). If"
                f" everybody who reaches it may do everything, say so: {NO_AUTH}"
            ),
        )


def warnings(rules: Rules) -> list[str]:
    """What the person who starts the server should know, in sentences."""
    found = []
    if rules.is_open and not rules.is_local:
        found.append(f"{NO_AUTH}: everybody who reaches this app can read folders here and start processes.")
    if is_open_to_others(rules.home):
        found.append(
            f"Other users of this computer can read {rules.home / ACCESS}. Run: chmod 600 {rules.home / ACCESS}"
        )
    return found


def is_loopback(address: str | None) -> bool:
    """Whether only this computer reaches a server on this address. Without one, Streamlit listens everywhere."""
    if not address:
        return False
    if address.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(address.strip("[]").partition("%")[0]).is_loopback
    except ValueError:
        return False


def has_auth() -> bool:
    """Whether Streamlit's secrets.toml configures a sign-in service."""
    try:
        return bool(st.secrets.get("auth"))
    except StreamlitSecretNotFoundError:
        return False
