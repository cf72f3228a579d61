"""What a server does once, when it starts: it finds its rules, or ends with a sentence."""

import contextlib
import sys
import threading
import webbrowser
from collections.abc import AsyncGenerator

import streamlit as st
from starlette.middleware import Middleware

from pages.ui.access.guard import Guard
from pages.ui.access.rules import find_rules, warnings
from wtflow.errors import WTFlowError


def door() -> list[Middleware]:
    """What stands in front of Streamlit. Ends the process with exit code 2 where others could come in unasked."""
    try:
        rules = find_rules()
    except WTFlowError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    for sentence in warnings(rules):
        sys.stderr.write(f"{sentence}\n")
    return [Middleware(Guard, rules=rules, base=str(st.get_option("server.baseUrlPath") or ""))]


@contextlib.asynccontextmanager
async def open_browser(app: st.App) -> AsyncGenerator[None]:
    """Open the app in a browser where `streamlit run` would."""
    if not st.get_option("server.headless"):
        threading.Thread(target=webbrowser.open, args=(own_address(),), daemon=True).start()
    yield None


def own_address() -> str:
    """The address of this server as a browser here types it."""
    host = st.get_option("browser.serverAddress")
    bound = st.get_option("server.address")
    if host in (None, "", "localhost") and bound not in (None, "", "0.0.0.0", "::"):
        host = bound
    scheme = "https" if st.get_option("server.sslCertFile") else "http"
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"{scheme}://{host or 'localhost'}:{st.get_option('server.port')}/{base}"
