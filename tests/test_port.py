"""A port that the app cannot use is told in a sentence before the app starts."""

import errno
import re
import socket
import subprocess
import tomllib
from pathlib import Path

import pytest

from wtflow.machine import port

PROJECT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("text", ["99999", "65536", "0", "-1", "abc", "", "8501.5", " 8501", "８５", "1e4", "9" * 400])
def test_what_is_no_port_is_refused_in_a_sentence(text):
    assert "not a number from 1 to 65535" in port.why_not(text)


def test_a_port_in_use_is_refused_and_a_free_one_is_not():
    with socket.socket() as other:
        other.bind((port.HOST, 0))
        other.listen()
        taken = str(other.getsockname()[1])
        assert f"Port {taken} is in use" in port.why_not(taken)
    assert port.why_not(taken) == ""


def test_a_port_of_the_system_is_refused(monkeypatch):
    class Refusing(socket.socket):
        def bind(self, address):
            raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(port.socket, "socket", Refusing)
    assert "above 1023" in port.why_not("80")


def test_it_asks_where_the_app_listens():
    config = tomllib.loads((PROJECT / ".streamlit/config.toml").read_text(encoding="utf-8"))
    assert config["server"]["address"] == port.HOST


def test_make_app_asks_before_it_starts_and_ends_without_a_traceback():
    recipe = re.search(r"^app:.*\n((?:\t.*\n)+)", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)[1]
    assert recipe.index("wtflow.machine.port") < recipe.index("streamlit run")
    if (PROJECT / ".venv/app.stamp").is_file():
        done = subprocess.run(
            ["make", "-o", ".venv/app.stamp", "app", "PORT=99999"],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 2
        assert "99999" in done.stderr
        assert "Traceback" not in done.stderr
