"""A sign-in service (OIDC) by Streamlit's `st.login`: who came in, and what the list of people allows them.

Streamlit keeps what the service said in a signed cookie. A page reads it as `st.user`; requests for media and uploads
run no page, so their cookie is read here, as Streamlit's WebSocket does.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from streamlit.auth_util import get_cookie_with_chunks
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from wtflow.access.people import read_people
from wtflow.errors import AccessError
from wtflow.permission import Role


def role_of_cookies(home: Path, cookies: Mapping[str, str]) -> Role | None:
    """What the person whose cookies these are may do; None for a stranger, or one who is in no list."""
    secret = get_cookie_secret()

    def one(name: str) -> bytes | None:
        value = cookies.get(name)
        return None if value is None or not secret else decode_signed_value(secret, name, value.encode("latin-1"))

    try:
        said = json.loads(get_cookie_with_chunks(one, USER_COOKIE_NAME) or "null")
    except ValueError:
        return None
    if not isinstance(said, dict) or said.get("is_logged_in") is not True:
        return None
    return role_of_person(home, said)


def role_of_person(home: Path, said: Mapping[str, object]) -> Role | None:
    """The same for what the service said of a person. A list that cannot be read lets nobody in."""
    try:
        people = read_people(home)
    except AccessError:
        return None
    return None if people is None else people.role_of(said.get("email"), said.get("email_verified"))
