"""The visitor whose page is being drawn: what they may do, and what they see before they have signed in."""

from typing import Any, Final

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.ui.access import rules
from pages.ui.access.entry import SIGN_OUT
from pages.ui.access.guard import role_of
from pages.ui.access.service import role_of_person
from wtflow import permission
from wtflow.permission import LOOK, TRAIN, Role

_ROLE: Final = "role_of_visitor"
"""Session key: what was found when the page was opened, for a run of the script that outlives its browser."""


def role() -> Role | None:
    """What this visitor may do: None for a stranger. In a process that serves nobody, everything."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return TRAIN if rules.in_force is None or rules.in_force.mode in ("open", "local") else LOOK
    headers = st.context.headers
    in_force = rules.in_force
    if in_force is None:  # no door: a test, the bench, or a page started as if it were the app
        is_safe = not len(headers) or rules.is_loopback(st.get_option("server.address"))
        return TRAIN if is_safe else None
    if in_force.mode in ("open", "local"):
        return TRAIN
    if not len(headers):  # the browser has gone
        return st.session_state.get(_ROLE)
    found = (
        _role_by_service(in_force) if in_force.mode == "service" else role_of(in_force, st.context.cookies.to_dict())
    )
    st.session_state[_ROLE] = found
    return found


def _role_by_service(in_force: rules.Rules) -> Role | None:
    return role_of_person(in_force.home, st.user.to_dict()) if st.user.is_logged_in else None


def show_visitor() -> None:
    """Who is signed in, and the way out; nothing where nobody has to sign in."""
    in_force = rules.in_force
    if in_force is None or in_force.mode in ("open", "local"):
        return
    if not permission.may_train():
        st.badge("You may look", icon=":material/visibility:", color="gray", help=ONLY_LOOK)
    if in_force.mode == "service":
        st.button("Sign out", type="tertiary", icon=":material/logout:", on_click=st.logout, key="sign_out")
    else:
        base = str(st.get_option("server.baseUrlPath") or "").strip("/")
        st.html(
            f'<a class="sign-out" href="{f"/{base}" if base else ""}{SIGN_OUT}" target="_self">Sign out</a>',
            width="content",
        )


ONLY_LOOK: Final = "You may look. To train, write notes or change anything, sign in with the other password."


def trainers(*, disabled: bool = False, help: str | None = None) -> dict[str, Any]:
    """Arguments of a button or field that changes something: it is switched off, with the reason, for who may only
    look. What it calls asks for the role itself.
    """
    return {"disabled": disabled, "help": help} if permission.may_train() else {"disabled": True, "help": ONLY_LOOK}


def only_trainers() -> None:
    """Ends a page that is of use to those who train alone."""
    if not permission.may_train():
        st.info(ONLY_LOOK, icon=":material/visibility:")
        st.stop()


def let_in() -> None:
    """Ends the run of the script for a stranger, after a way to sign in. Every page calls it before anything else."""
    permission.ask_with(lambda: role() or LOOK)
    if role() is not None:
        return
    in_force = rules.in_force
    with st.container(key="sign_in", width=420):
        if in_force is None:
            st.error(
                "This page was started by itself, on an address that others can reach. Start app.py, which asks for a"
                " password."
            )
        elif in_force.mode != "service":
            st.error("Your session is over. Open this page again to sign in.")
        elif not st.user.is_logged_in:
            st.title("WT-Flow Studio", anchor=False)
            st.write("Sign in to see the runs of this server.")
            st.button("Sign in", type="primary", icon=":material/login:", on_click=st.login)
        else:
            st.title("WT-Flow Studio", anchor=False)
            st.error(
                f"{st.user.get('email') or 'This account'} is not among those who may come in here. Ask the person who"
                " runs this app."
            )
            st.button("Sign in as somebody else", icon=":material/logout:", on_click=st.logout)
    st.stop()
