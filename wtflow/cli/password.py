"""The command `password`: who may use the app where others can reach it."""

import sys
from typing import Annotated

import typer

from wtflow import console
from wtflow.access.passwords import read_passwords, remove_password, set_password
from wtflow.cli.parts import Json, Mistakes, one_of
from wtflow.errors import AccessError
from wtflow.permission import ROLES, TRAIN, Role
from wtflow.store.runs import RunStore


def password(
    role: Annotated[
        str, typer.Option(help=f"{one_of(ROLES)} Who may look sees results; who may train does everything.")
    ] = TRAIN,
    remove: Annotated[bool, typer.Option("--remove", help="Take this role's password away.")] = False,
    as_json: Json = False,
) -> None:
    """Set the password of a role for the runs in WTFLOW_HOME. It is asked for twice; without a terminal the first
    line of the input is taken. Everybody who is signed in has to sign in again.
    """
    with Mistakes(as_json):
        chosen = _role(role)
        home = RunStore().home
        if remove:
            if not remove_password(home, chosen):
                raise AccessError(f"No password is set for {chosen}.", fix="Nothing has to be done.")
            console.err.print(f"The password for {chosen} is gone.", markup=False)
        else:
            set_password(home, chosen, _asked(chosen))
            console.err.print(f"The password for {chosen} is set.", markup=False)
        found = read_passwords(home)
    console.finish(as_json, {"home": str(home), "roles": sorted(found.passwords) if found else []})


def _role(text: str) -> Role:
    chosen = next((one for one in ROLES if one == text), None)
    if chosen is None:
        raise AccessError(f"There is no role {text[:40]!r}.", fix=f"Choose {one_of(ROLES)}")
    return chosen


def _asked(role: Role) -> str:
    if sys.stdin.isatty():
        return typer.prompt(f"Password for {role}", hide_input=True, confirmation_prompt=True, err=True)
    return sys.stdin.readline().rstrip("\r\n")
