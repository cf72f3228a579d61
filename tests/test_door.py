"""The door in front of the app's server, from outside: HTTP and WebSocket. A real server, a real store with a run."""

import asyncio
import contextlib
import http.client
import os
import socket
import subprocess
import sys
import urllib.parse
from dataclasses import dataclass
from pathlib import Path

import pytest
import websockets
from hand_made_runs import write_finished_run
from itsdangerous import URLSafeTimedSerializer
from run_folders import tiny_settings
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from waiting import PATIENCE_S, wait_until

from pages.ui.access.entry import Request
from pages.ui.access.guard import why_not_local
from pages.ui.access.rules import is_loopback
from wtflow.access import passwords
from wtflow.access.passwords import read_passwords, set_password
from wtflow.access.sessions import cookie_name, new_session
from wtflow.permission import LOOK, TRAIN
from wtflow.store.notes import name_run
from wtflow.store.runs import RunStore

PROJECT = Path(__file__).resolve().parents[1]
TRAINERS, LOOKERS = "a sentence for trainers", "a sentence for lookers"
CANARY = "canary-name-of-a-run"
PAGE = {"Accept": "text/html"}


@dataclass
class Server:
    home: Path
    port: int
    log: Path

    def ask(self, path, method="GET", body=None, **headers):
        """(status, headers, text) of a request, without following where it leads."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode("utf-8", "replace")
        finally:
            connection.close()

    def sign_in(self, password, goal="/", **headers):
        form = urllib.parse.urlencode({"password": password, "next": goal})
        return self.ask("/_access/in", "POST", form, Content_Type="application/x-www-form-urlencoded", **headers)

    def cookie(self, role):
        found = read_passwords(self.home)
        return f"{cookie_name(found)}={new_session(found, role)}"

    async def texts(self, cookie=None, enough=lambda text: False, path="/_stcore/stream", page=""):
        """What the WebSocket sends until it is enough, or the script has ended; all of it as one text."""
        headers = {} if cookie is None else {"Cookie": cookie}
        async with websockets.connect(
            f"ws://127.0.0.1:{self.port}{path}", additional_headers=headers, subprotocols=["streamlit"], max_size=None
        ) as stream:
            await stream.send(rerun(page).SerializeToString())
            found, n_ended = "", 0
            while True:
                message = ForwardMsg.FromString(await asyncio.wait_for(stream.recv(), PATIENCE_S))
                found += str(message)
                n_ended += message.WhichOneof("type") == "script_finished"
                if enough(found) or n_ended:
                    return found


def rerun(page=""):
    message = BackMsg()
    message.rerun_script.page_name = page
    return message


def start(home, *arguments, address="127.0.0.1", log=None):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"WTFLOW_HOME": str(home), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "streamlit", "run", str(PROJECT / "app.py"), "--server.port", str(port)]
    command += ["--server.headless", "true", "--server.address", address, "--browser.serverAddress", "localhost"]
    with (log or Path(os.devnull)).open("wb") as file:
        return port, subprocess.Popen(
            [*command, *arguments], cwd=PROJECT, env=environment, stdout=file, stderr=subprocess.STDOUT
        )


@contextlib.contextmanager
def served(home, *arguments, address="127.0.0.1"):
    log = home / "server.log"
    port, process = start(home, *arguments, address=address, log=log)
    server = Server(home, port, log)

    def answers():
        with contextlib.suppress(OSError):
            return server.ask("/_stcore/health")[0] == 200
        return process.poll() is not None

    try:
        wait_until(answers, log.read_text)
        assert process.poll() is None, log.read_text()
        yield server
    finally:
        process.kill()
        process.wait(PATIENCE_S)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """An app on all addresses with both passwords, and one run with a name of its own."""
    home = tmp_path_factory.mktemp("guarded")
    store = RunStore(home)
    name_run(store, write_finished_run(store, tiny_settings()), CANARY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "N", 2**4)  # less work for each of the many tries; the file says how much
        set_password(home, TRAIN, TRAINERS)
        set_password(home, LOOK, LOOKERS)
        with served(home, address="0.0.0.0") as server:
            yield server


def forged(server):
    """Cookies that look like one, each made differently."""
    found = read_passwords(server.home)
    name, good = cookie_name(found), new_session(found, TRAIN)
    payload, when, signature = good.split(".")
    return [
        f"{name}=train",
        f"{name}={payload}.{when}.{signature[::-1]}",
        f"{name}={good[:-2]}",
        f"{name}={URLSafeTimedSerializer('0' * 64, salt='wtflow session').dumps('train')}",
        f"other={good}",
        f"{name}={new_session(found.model_copy(update={'key': '00' * 32}), TRAIN)}",
    ]


ENDPOINTS = [
    "/",
    "/results",
    "/media/0123456789abcdef.png",
    "/static/index.js",
    "/component/x/index.html",
    "/_stcore/host-config",
    "/_stcore/metrics",
    "/_stcore/upload_file/session/file",
    "/_stcore/script-health-check",
    "/_stcore/bidi-components/x",
    "/app/static/x",
    "/auth/login",
    "/_stcore/stream",
    "/..%2f_stcore/health/../metrics",
    "//media/x",
]


@pytest.mark.parametrize("path", ENDPOINTS)
def test_a_stranger_gets_the_page_that_asks_or_a_word_and_nothing_else(guarded, path):
    for headers in ({}, PAGE, *({"Cookie": one} for one in forged(guarded)[:2])):
        status, _, text = guarded.ask(path, **headers)
        assert status in (400, 401), (path, status)
        assert CANARY not in text
        assert "streamlit" not in text.lower()
    for method in ("PUT", "POST", "DELETE", "OPTIONS", "HEAD"):
        assert guarded.ask(path, method)[0] in (400, 401), method


def test_only_the_health_check_is_open(guarded):
    assert guarded.ask("/_stcore/health")[0::2] == (200, "ok")


def test_no_socket_opens_for_a_stranger_or_a_forged_cookie(guarded):
    for cookie in (None, *forged(guarded)):
        with pytest.raises(websockets.InvalidStatus, match="403"):
            asyncio.run(guarded.texts(cookie))
    with pytest.raises(websockets.InvalidStatus, match="403"):
        asyncio.run(guarded.texts(None, path="/_stcore/health"))


@pytest.mark.parametrize("role", [LOOK, TRAIN])
def test_with_a_session_the_socket_shows_the_runs(guarded, role):
    text = asyncio.run(guarded.texts(guarded.cookie(role), enough=lambda text: CANARY in text))
    assert CANARY in text


def test_uploads_without_a_session_of_streamlit_are_refused_by_it_too(guarded):
    status, _, _ = guarded.ask("/_stcore/upload_file/none/none", "PUT", b"x", Cookie=guarded.cookie(TRAIN))
    assert status in (400, 403)


def test_the_right_password_opens_and_leads_on_and_the_cookie_is_out_of_reach_of_scripts(guarded):
    status, headers, _ = guarded.sign_in(LOOKERS, "/results?run=a")
    assert (status, headers["location"]) == (303, "/results?run=a")
    cookie = headers["set-cookie"]
    assert "; HttpOnly; SameSite=Lax" in cookie and "Secure" not in cookie
    assert guarded.ask("/", Cookie=cookie.partition(";")[0])[0] == 200
    status, headers, _ = guarded.ask("/_access/out", Cookie=cookie)
    assert status == 303 and "Max-Age=0" in headers["set-cookie"]


def test_behind_a_proxy_with_tls_the_cookie_is_for_tls_alone(guarded):
    _, headers, _ = guarded.sign_in(LOOKERS, X_Forwarded_Proto="https", X_Forwarded_For="192.0.2.1")
    assert "; Secure" in headers["set-cookie"]


@pytest.mark.parametrize(
    "goal",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x", "", "/a\r\nSet-Cookie: x=y", "/é"],
)
def test_after_signing_in_nobody_is_led_elsewhere(guarded, goal):
    status, headers, _ = guarded.sign_in(LOOKERS, goal)
    assert (status, headers["location"]) == (303, "/")


def test_a_form_of_another_site_is_refused(guarded):
    for origin in ("https://evil.example", "null", f"http://127.0.0.1:{guarded.port + 1}"):
        assert guarded.sign_in(LOOKERS, Origin=origin)[0] == 403
    assert guarded.sign_in(LOOKERS, Origin=f"http://127.0.0.1:{guarded.port}")[0] == 303


def test_a_wrong_password_gets_no_cookie_and_soon_has_to_wait(guarded):
    seen = []
    while 429 not in seen:
        status, headers, text = guarded.sign_in("wrong " + "x" * len(seen), X_Forwarded_For="192.0.2.77")
        seen.append(status)
        assert "set-cookie" not in headers and len(seen) < 20
    assert set(seen[:-1]) == {401} and int(headers["retry-after"]) >= 1
    assert "Too many wrong passwords" in text
    assert guarded.sign_in(TRAINERS, X_Forwarded_For="192.0.2.77")[0] == 429, "not even the right one, for now"
    assert guarded.sign_in(TRAINERS, X_Forwarded_For="192.0.2.78")[0] == 303


def test_a_form_that_is_no_form_is_answered(guarded):
    assert guarded.ask("/_access/in", "POST", "x" * 100_000)[0] == 413
    assert guarded.ask("/_access/in", "POST", b"\xff\xfe=&&&%%%", X_Forwarded_For="192.0.2.9")[0] == 401
    assert guarded.ask("/_access/in")[0] == 303
    assert guarded.ask("/_access/nothing")[0] == 303


def test_the_page_that_asks_escapes_the_address_and_allows_no_script(guarded):
    status, headers, text = guarded.ask('/results?run=%22%3E<script>&x="onload=', **PAGE)
    assert status == 401
    assert "<script" not in text and '"onload' not in text
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy


def test_no_page_elsewhere_may_frame_the_app(guarded):
    for headers in (PAGE, {"Cookie": guarded.cookie(TRAIN)}):
        _, found, _ = guarded.ask("/", **headers)
        assert found["x-frame-options"] in ("SAMEORIGIN", "DENY")
        assert "frame-ancestors" in found["content-security-policy"]
        assert found["x-content-type-options"] == "nosniff"


def test_changing_a_password_closes_open_sockets_and_no_secret_is_in_the_log(guarded):
    async def talk():
        stream = f"ws://127.0.0.1:{guarded.port}/_stcore/stream"
        async with websockets.connect(
            stream, additional_headers={"Cookie": guarded.cookie(LOOK)}, subprotocols=["streamlit"], max_size=None
        ) as socket_:
            await socket_.send(rerun().SerializeToString())
            await socket_.recv()
            await asyncio.to_thread(set_password, guarded.home, TRAIN, "a new sentence of trainers")
            with pytest.raises(websockets.ConnectionClosed) as closed:
                while True:
                    await socket_.send(rerun("results").SerializeToString())
                    await asyncio.wait_for(socket_.recv(), PATIENCE_S)
            assert closed.value.rcvd.code == 1008

    before = read_passwords(guarded.home)
    old = guarded.cookie(TRAIN)
    asyncio.run(talk())
    assert guarded.ask("/", Cookie=old)[0] == 401
    assert guarded.sign_in("a new sentence of trainers")[0] == 303
    log = guarded.log.read_text()
    secrets = [TRAINERS, LOOKERS, "a new sentence", old, before.key, read_passwords(guarded.home).key]
    assert [one for one in secrets if one in log] == []
    assert "Traceback" not in log


# -- without a server: what the door thinks of a request ---------------------------------------------------------------


def request(host="localhost:8501", server="127.0.0.1", **headers):
    found = {"host": host} | {name.replace("_", "-"): value for name, value in headers.items()}
    raw = [(name.encode(), value.encode()) for name, value in found.items()]
    return Request({"type": "http", "path": "/", "headers": raw, "server": (server, 8501)}, "")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8501", "127.0.0.1:8501", "127.0.0.2", "[::1]:8501", "[::1]"])
def test_this_computer_is_known_by_its_own_names(host):
    assert why_not_local(request(host)) is None


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "192.0.2.1", "[2001:db8::1]:1", "a:b"],
)
def test_a_name_that_leads_here_from_elsewhere_is_noticed(host):
    assert "to the name" in why_not_local(request(host))


def test_a_proxy_and_another_address_are_noticed():
    assert "proxy" in why_not_local(request(x_forwarded_for="192.0.2.1"))
    assert "proxy" in why_not_local(request(forwarded="for=192.0.2.1"))
    assert "192.0.2.2" in why_not_local(request(server="192.0.2.2"))


@pytest.mark.parametrize(
    ("address", "is_own"),
    [
        ("127.0.0.1", 1),
        ("localhost", 1),
        ("::1", 1),
        ("0.0.0.0", 0),
        ("::", 0),
        ("", 0),
        (None, 0),
        ("lab", 0),
        ("10.0.0.1", 0),
    ],
)
def test_no_address_at_all_means_every_address(address, is_own):
    assert is_loopback(address) == is_own


# -- starting ----------------------------------------------------------------------------------------------------------


def test_without_a_password_it_does_not_start_where_others_reach_it(tmp_path):
    log = tmp_path / "log"
    _, process = start(tmp_path / "home", address="0.0.0.0", log=log)
    assert process.wait(PATIENCE_S) == 2
    said = log.read_text()
    assert "no password is set" in said and "python -m wtflow password" in said and "--no-auth" in said
    assert "Traceback" not in said


@pytest.mark.slow
def test_told_so_it_starts_without_and_says_what_that_means(tmp_path):
    with served(tmp_path, "--", "--no-auth", address="0.0.0.0") as server:
        assert server.ask("/", Host="lab.example")[0] == 200
        assert "everybody who reaches this app" in server.log.read_text()


@pytest.mark.slow
def test_on_its_own_computer_it_asks_nobody_and_refuses_what_comes_another_way(tmp_path):
    with served(tmp_path) as server:
        for host in ("localhost", "127.0.0.1:8501", "[::1]:8501", f"127.0.0.1:{server.port}"):
            assert server.ask("/", Host=host)[0] == 200, host
        for host in ("evil.example", "127.0.0.1.evil.example:8501", "192.0.2.1"):  # a name that leads here
            assert server.ask("/", Host=host)[0] == 403, host
        assert server.ask("/", X_Forwarded_For="192.0.2.1")[0] == 403
        set_password(tmp_path, TRAIN, TRAINERS)
        assert server.ask("/")[0] == 401, "from now on, without a new start"
