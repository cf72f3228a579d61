"""A sign-in service: cookies signed as Streamlit signs them, the list of people, and the terms of starting."""

import json
from types import SimpleNamespace

import pytest
import streamlit as st
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from pages.ui.access import rules
from pages.ui.access.guard import Guard
from pages.ui.access.rules import Rules, check
from pages.ui.access.service import role_of_cookies
from wtflow.access.people import PEOPLE
from wtflow.errors import AccessError
from wtflow.permission import LOOK, TRAIN


@pytest.fixture
def home(tmp_path):
    (tmp_path / PEOPLE).write_text('train = ["anna@example.org"]\nlook = ["*@example.org"]\n')
    return tmp_path


def cookie(secret=None, **said):
    value = json.dumps({"is_logged_in": True, "origin": "https://lab.example.org"} | said)
    return {USER_COOKIE_NAME: create_signed_value(secret or get_cookie_secret(), USER_COOKIE_NAME, value).decode()}


def test_who_signed_in_may_do_what_the_list_says(home):
    assert role_of_cookies(home, cookie(email="anna@example.org")) == TRAIN
    assert role_of_cookies(home, cookie(email="bert@example.org", email_verified=True)) == LOOK


def test_a_stranger_may_nothing(home):
    good = cookie(email="anna@example.org")
    for other in (
        {},
        {USER_COOKIE_NAME: "x"},
        {USER_COOKIE_NAME: good[USER_COOKIE_NAME][:-2]},
        {"other": good[USER_COOKIE_NAME]},
        cookie(secret="guessed", email="anna@example.org"),
        cookie(email="eve@evil.example"),
        cookie(email="anna@example.org", email_verified=False),
        cookie(email="anna@example.org", is_logged_in=False),
        cookie(),
    ):
        assert role_of_cookies(home, other) is None
    (home / PEOPLE).write_text("train = [")
    assert role_of_cookies(home, good) is None, "a list that cannot be read lets nobody in"


def passes(home, path, cookies=None, kind="http"):
    """Whether the door lets a request through where a service signs people in."""
    door = Guard(lambda *_: None, Rules(home, is_open=False, is_local=False, has_service=True))
    header = "; ".join(f"{name}={value}" for name, value in (cookies or {}).items())
    request = SimpleNamespace(
        path=path, method="GET", scope={"type": kind}, cookies=dict(cookies or {}), headers={"cookie": header}
    )
    return door._may_pass(request, "service")


def test_a_stranger_reaches_the_page_that_asks_and_no_files(home):
    for path in ("/", "/results", "/static/js/index.js", "/auth/login", "/oauth2callback", "/_stcore/health"):
        assert passes(home, path), path
    assert passes(home, "/_stcore/stream", kind="websocket")
    closed = ("/media/a.png", "/component/x/y", "/_stcore/upload_file/a/b", "/_stcore/metrics", "/app/static/x")
    for path in closed:
        assert not passes(home, path), path
        assert not passes(home, path, cookie(secret="guessed", email="anna@example.org")), path
        assert passes(home, path, cookie(email="bert@example.org")), path


def test_a_server_with_a_service_starts_with_authlib_and_a_list_only(tmp_path, monkeypatch):
    found = Rules(tmp_path, is_open=False, is_local=False, has_service=True)
    monkeypatch.setattr(rules, "find_spec", lambda name: None)
    with pytest.raises(AccessError, match="Authlib"):
        check(found)
    monkeypatch.setattr(rules, "find_spec", lambda name: object())
    with pytest.raises(AccessError, match=PEOPLE):
        check(found)
    (tmp_path / PEOPLE).write_text('look = ["*@example.org"]\n')
    check(found)


@pytest.mark.parametrize("address", ["0.0.0.0", None, "10.0.0.1"])
def test_without_password_and_service_it_starts_for_its_own_computer_only(tmp_path, monkeypatch, address):
    monkeypatch.setattr(st, "get_option", lambda name: address)
    with pytest.raises(AccessError, match=address or "all addresses"):
        check(Rules(tmp_path, is_open=False, is_local=rules.is_loopback(address), has_service=False))
    check(Rules(tmp_path, is_open=False, is_local=rules.is_loopback("127.0.0.1"), has_service=False))
    check(Rules(tmp_path, is_open=True, is_local=False, has_service=False))
