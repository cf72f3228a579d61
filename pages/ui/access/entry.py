"""The page that asks for the password, and what it answers. Plain HTML without scripts; Streamlit has no part in it."""

import asyncio
import base64
import hashlib
import html
import math
from collections.abc import Awaitable, Callable, MutableMapping
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from pages.ui.access.rules import Rules, is_loopback
from wtflow.access.attempts import Attempts
from wtflow.access.sessions import LASTS_S, cookie_name, new_session
from wtflow.machine.places import ASSETS
from wtflow.numbers import count

PAGE: Final = Path(__file__).with_name("sign_in.html")
OWN: Final = "/_access/"
SIGN_IN, SIGN_OUT = f"{OWN}in", f"{OWN}out"
LARGEST: Final = 8192
"""Bytes of a form: a password, and the address to go on to."""

UNENCRYPTED: Final = (
    '<p class="faint">The way to this server is not encrypted: others on your network could read what you type.</p>'
)


class Request:
    """What the door reads of an ASGI scope. path: below the app's base path."""

    def __init__(self, scope: MutableMapping[str, Any], base: str) -> None:
        self.scope = scope
        self.full_path: str = scope["path"]
        self.is_below = self.full_path == base or self.full_path.startswith(f"{base}/")
        self.path = self.full_path.removeprefix(base) if base and self.is_below else self.full_path
        self.method: str = scope.get("method", "GET")

    @cached_property
    def headers(self) -> dict[str, str]:
        """Name in small letters -> value, the first of those that come twice; cookies are joined."""
        found: dict[str, str] = {}
        for raw, value in self.scope["headers"]:
            name, text = raw.decode("latin-1").lower(), value.decode("latin-1")
            found[name] = f"{found[name]}; {text}" if name == "cookie" and name in found else found.get(name, text)
        return found

    @cached_property
    def cookies(self) -> dict[str, str]:
        """Of a name that comes twice, the first counts: that of the narrower path."""
        found: dict[str, str] = {}
        for part in self.headers.get("cookie", "").split(";"):
            name, equals, value = part.strip().partition("=")
            if equals:
                found.setdefault(name, value.strip('"'))
        return found

    @property
    def wants_page(self) -> bool:
        return self.method in ("GET", "HEAD") and "text/html" in self.headers.get("accept", "")

    @property
    def address(self) -> str:
        client = self.scope.get("client")
        return client[0] if client else "unknown"

    @property
    def is_encrypted(self) -> bool:
        return self.scope.get("scheme") in ("https", "wss")

    @property
    def is_safe_way(self) -> bool:
        """Whether nobody between can read what is sent: it is encrypted, or does not leave this computer."""
        return self.is_encrypted or is_loopback(self.address)

    @property
    def target(self) -> str:
        """Path and query that were asked for."""
        query = self.scope.get("query_string", b"").decode("latin-1")
        return f"{self.full_path}?{query}" if query else self.full_path


Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Entry:
    """Signs visitors in and out. One object of a server: it counts wrong tries."""

    def __init__(self, rules: Rules, base: str) -> None:
        self._rules, self._base = rules, base
        self._attempts = Attempts()
        self._one_at_a_time = asyncio.Semaphore(1)  # a try takes 32 MiB and a core for a quarter of a second
        page = PAGE.read_text(encoding="utf-8")
        style = page.partition("<style>")[2].partition("</style>")[0]
        self._policy = (
            f"default-src 'none'; style-src 'sha256-{_sha256(style)}'; form-action 'self'; base-uri 'none';"
            " frame-ancestors 'none'"
        )
        self._page = page.replace("{logo}", (ASSETS / "logo.svg").read_text(encoding="utf-8"))

    def is_own(self, request: Request) -> bool:
        return request.path.startswith(OWN)

    async def answer(self, request: Request, receive: Receive, send: Send) -> None:
        """What stands below /_access/."""
        if request.path == SIGN_IN and request.method == "POST":
            await self._sign_in(request, receive, send)
        elif request.path == SIGN_OUT and request.method == "GET":
            await self._go_on(send, f"{self._base}/", self._cookie(request, "", 0))
        else:
            await self._go_on(send, f"{self._base}/")

    async def show(
        self,
        request: Request,
        send: Send,
        *,
        said: str = "",
        status: int = 401,
        target: str | None = None,
        wait_s: int = 0,
    ) -> None:
        """The page that asks. said: what was wrong with the last try. target: where to go on to."""
        page = (
            self._page.replace("{action}", html.escape(f"{self._base}{SIGN_IN}"))
            .replace("{next}", html.escape(self._inside(request.target if target is None else target)))
            .replace("{said}", f'<p id="said" role="alert">{html.escape(said)}</p>' if said else "")
            .replace("{plain}", "" if request.is_safe_way else UNENCRYPTED)
            .replace("{described}", ' aria-describedby="said" aria-invalid="true"' if said else "")
        )
        headers = {"content-security-policy": self._policy, "x-frame-options": "DENY"}
        if wait_s:
            headers["retry-after"] = str(wait_s)
        body = b"" if request.method == "HEAD" else page.encode()
        await _respond(send, status, body, "text/html; charset=utf-8", headers)

    async def refuse(self, send: Send, status: int, sentence: str) -> None:
        await _respond(send, status, sentence.encode(), "text/plain; charset=utf-8", {})

    async def _sign_in(self, request: Request, receive: Receive, send: Send) -> None:
        if not _is_same_origin(request):
            await self.refuse(send, 403, "This form was sent by another page.\n")
            return
        form = await _form(receive)
        if form is None:
            await self.refuse(send, 413, "This form is too long.\n")
            return
        password, target = form.get("password", ""), self._inside(form.get("next", ""))
        passwords = self._rules.passwords()
        if passwords is None:
            said = "No password is set on the server, so nobody can sign in. It is set there: python -m wtflow password"
            await self.show(request, send, said=said, status=503, target=target)
            return
        if wait := math.ceil(self._attempts.begin(request.address)):
            said = f"Too many wrong passwords. Try again in {_words(wait)}."
            await self.show(request, send, said=said, status=429, target=target, wait_s=wait)
            return
        async with self._one_at_a_time:
            role = await asyncio.to_thread(passwords.role_of, password)
        if role is None:
            await self.show(request, send, said="That is not the password.", target=target)
            return
        self._attempts.right(request.address)
        cookie = self._cookie(request, new_session(passwords, role), LASTS_S, cookie_name(passwords))
        await self._go_on(send, target, cookie)

    def _cookie(self, request: Request, value: str, lasts_s: int, name: str | None = None) -> str:
        """Scripts cannot read it, and other sites cannot have it sent along with what they ask for."""
        passwords = self._rules.passwords()
        name = name or (cookie_name(passwords) if passwords else "wtflow")
        secure = "; Secure" if request.is_encrypted else ""
        return f"{name}={value}; Path={self._base or '/'}; Max-Age={lasts_s}; HttpOnly; SameSite=Lax{secure}"

    async def _go_on(self, send: Send, target: str, cookie: str | None = None) -> None:
        headers = {"location": target} | ({"set-cookie": cookie} if cookie else {})
        await _respond(send, 303, b"", "text/plain; charset=utf-8", headers)

    def _inside(self, target: str) -> str:
        """The target where it lies in this app; else the start page."""
        start = f"{self._base}/"
        is_plain = target.isascii() and target.isprintable() and "\\" not in target and " " not in target
        own = target.startswith(start) and not target.startswith("//") and not urlsplit(target).netloc
        return target if is_plain and own and not target.startswith(f"{self._base}{OWN}") else start


async def _respond(send: Send, status: int, body: bytes, kind: str, headers: MutableMapping[str, str]) -> None:
    fields = {"content-type": kind, "content-length": str(len(body)), "cache-control": "no-store"} | dict(headers)
    raw = [(name.encode(), value.encode("latin-1")) for name, value in fields.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


async def _form(receive: Receive) -> dict[str, str] | None:
    """The fields of a form; None for one that is too long."""
    body, is_more = b"", True
    while is_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return {}
        body, is_more = body + message.get("body", b""), message.get("more_body", False)
        if len(body) > LARGEST:
            return None
    fields = parse_qs(body.decode("latin-1"), keep_blank_values=True, max_num_fields=10, errors="replace")
    return {name: values[0] for name, values in fields.items()}


def _is_same_origin(request: Request) -> bool:
    """Whether the form was on a page of this app. Browsers say where a form comes from; other programs need not."""
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


def _words(seconds: int) -> str:
    return count(seconds, "second") if seconds < 90 else count(math.ceil(seconds / 60), "minute")


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
