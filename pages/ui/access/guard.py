"""The door in front of Streamlit's server: no request and no WebSocket gets past it without a session.

Without one there are the page that asks for the password, and the health check. Nothing of Streamlit runs for a
stranger, so nothing of a run can be in what they get. With a sign-in service (OIDC), Streamlit's own page runs: it
shows how to sign in and nothing else (`frame.navigate`), and media, uploads and components stay closed.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final

from pages.ui.access.entry import Entry, Request
from pages.ui.access.rules import Rules, is_loopback
from pages.ui.access.service import role_of_cookies
from wtflow.access.sessions import cookie_name, role_of_session
from wtflow.permission import Role

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

HEADERS: Final = {
    "x-frame-options": "SAMEORIGIN",
    "content-security-policy": "frame-ancestors 'self'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
}
"""No page elsewhere may show the app inside of itself, where a click could be led astray."""
HEALTH: Final = "/_stcore/health"
CLOSED: Final = ("/media/", "/component/", "/app/", "/_stcore/")
STREAM: Final = "/_stcore/stream"
OPEN_FOR_SERVICE: Final = (HEALTH, STREAM, "/_stcore/host-config")
"""What the sign-in page of a service needs of what is closed otherwise."""
LOOK_AGAIN_S: Final = 1.0
"""How often what a WebSocket sends is checked against the password file. What it receives is checked each time."""
POLICY: Final = 1008
NOT_FROM_HERE: Final = (
    "This app was started for its own computer only, and this request came another way{how}. To let others in, set a"
    " password on that computer (python -m wtflow password), or start the app with --no-auth.\n"
)
PROXIED: Final = ("x-forwarded-for", "x-forwarded-host", "x-real-ip", "forwarded")


class Guard:
    """ASGI middleware, the outermost one."""

    def __init__(self, app: Asgi, rules: Rules, base: str = "") -> None:
        self.app, self.rules = app, rules
        self.base = f"/{base.strip('/')}" if base.strip("/") else ""
        self.entry = Entry(rules, self.base)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(Request(scope, self.base), receive, _with_headers(send))
        elif scope["type"] == "websocket":
            await self._websocket(Request(scope, self.base), receive, send)
        else:
            await self.app(scope, receive, send)

    async def _http(self, request: Request, receive: Receive, send: Send) -> None:
        mode = self.rules.mode
        if mode == "local" and (how := why_not_local(request)) is not None:
            await self.entry.refuse(send, 403, NOT_FROM_HERE.format(how=how))
        elif mode == "password" and self.entry.is_own(request):
            await self.entry.answer(request, receive, send)
        elif self._may_pass(request, mode):
            await self.app(request.scope, receive, send)
        elif mode == "password" and request.wants_page:
            await self.entry.show(request, send)
        else:
            await self.entry.refuse(send, 401, "Sign in first.\n")

    async def _websocket(self, request: Request, receive: Receive, send: Send) -> None:
        mode = self.rules.mode
        if not ((mode != "local" or why_not_local(request) is None) and self._may_pass(request, mode)):
            await receive()
            await send({"type": "websocket.close", "code": POLICY})  # before it was accepted: HTTP 403
        elif mode == "password":
            await _Watched(lambda: self.role(request) is not None, receive, send).run(self.app, request.scope)
        else:
            await self.app(request.scope, receive, send)

    def _may_pass(self, request: Request, mode: str) -> bool:
        if mode in ("open", "local") or (request.path == HEALTH and request.scope["type"] == "http"):
            return True
        if mode == "service" and (request.path in OPEN_FOR_SERVICE or not request.path.startswith(CLOSED)):
            return True
        return self.role(request) is not None

    def role(self, request: Request) -> Role | None:
        """What the session of a request allows; None without a valid one."""
        return role_of(self.rules, request.cookies)


def role_of(rules: Rules, cookies: Mapping[str, str]) -> Role | None:
    """What these cookies allow by the rules: None for a stranger."""
    if rules.mode == "service":
        return role_of_cookies(rules.home, cookies)
    passwords = rules.passwords()
    return None if passwords is None else role_of_session(passwords, cookies.get(cookie_name(passwords)))


def why_not_local(request: Request) -> str | None:
    """What shows that a request does not come from this computer, in words; None where nothing does.

    A page of another host may name this computer's address as its own (DNS rebinding), and a proxy may stand in front.
    """
    server = request.scope.get("server")
    if server and server[1] is not None and not is_loopback(server[0]):
        return f" (to the address {server[0]})"
    host = request.headers.get("host", "")
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    if host and not is_loopback(name):
        return f" (to the name {name[:80]!r})"
    return " (through a proxy)" if any(name in request.headers for name in PROXIED) else None


def _with_headers(send: Send) -> Send:
    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            present = {name.lower() for name, _ in message.get("headers", ())}
            message["headers"] = [
                *message.get("headers", ()),
                *((n.encode(), value.encode()) for n, value in HEADERS.items() if n.encode() not in present),
            ]
        await send(message)

    return with_headers


class _Watched:
    """A WebSocket that ends when its session does: the password was changed, or time is over."""

    def __init__(self, is_valid: Callable[[], bool], receive: Receive, send: Send) -> None:
        self._is_valid, self._receive, self._send = is_valid, receive, send
        self._looked, self._is_over = time.monotonic(), False

    async def run(self, app: Asgi, scope: Scope) -> None:
        await app(scope, self.receive, self.send)

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "websocket.receive" and not self._is_valid():
            await self._end()
        return {"type": "websocket.disconnect", "code": POLICY} if self._is_over else message

    async def send(self, message: Message) -> None:
        now = time.monotonic()
        if now - self._looked > LOOK_AGAIN_S:
            self._looked = now
            if not self._is_valid():
                await self._end()
        if not self._is_over:
            await self._send(message)

    async def _end(self) -> None:
        if not self._is_over:
            self._is_over = True
            await self._send({"type": "websocket.close", "code": POLICY})
