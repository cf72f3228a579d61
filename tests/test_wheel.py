"""What `pip install .` installs: the wheel's contents, and the app and the shell from it, away from the checkout."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import psutil
import pytest
from browser.app_server import free_port
from waiting import PATIENCE_S, wait_until

import wtflow
from wtflow.machine.port import HOST

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[1]
LARGEST_BYTES = 8_000_000


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built without network by the build system that is installed here."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", str(folder), "."]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr
    [path] = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Environment of a process that finds the wheel's contents, and no checkout."""
    place = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as file:
        file.extractall(place)
    return os.environ | {"PYTHONPATH": str(place)}


def sources(folder: str, pattern: str = "*") -> set[str]:
    """Files that git knows below a folder, relative to it."""
    done = subprocess.run(["git", "ls-files", folder], cwd=PROJECT, capture_output=True, text=True, check=True)
    return {Path(line).relative_to(folder).as_posix() for line in done.stdout.splitlines() if Path(line).match(pattern)}


def test_it_holds_the_package_the_pages_and_what_they_show_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as file:
        names = {name for name in file.namelist() if ".dist-info/" not in name}
    kept = {name for name in sources("assets") if not name.startswith(("bench/", "docs/", "screenshot-"))}
    expected = {f"wtflow/{name}" for name in sources("wtflow")} | {f"wtflow/_assets/{name}" for name in kept}
    expected |= {f"wtflow/_studio/pages/{name}" for name in sources("pages")}
    expected |= {f"wtflow/_studio/{name}" for name in ("app.py", ".streamlit/config.toml")}
    assert names == expected | {"wtflow/_assets/docs/method.md"}
    assert "wtflow/py.typed" in names
    assert wheel.stat().st_size < LARGEST_BYTES


def test_it_has_the_version_of_the_package_and_two_commands(wheel):
    with zipfile.ZipFile(wheel) as file:
        commands = file.read(f"wtflow_studio-{wtflow.__version__}.dist-info/entry_points.txt").decode()
    assert "wtflow = wtflow.cli.app:main" in commands
    assert "wtflow-studio = wtflow.cli.studio:main" in commands


def test_the_shell_works_from_it_in_any_folder(installed, tmp_path):
    code = """
import sys
from wtflow.cli.app import main
from wtflow.features.embedded import FILE
from wtflow.lessons.well import FILE as NETWORKS
print(FILE, FILE.is_file(), NETWORKS.is_file())
sys.argv[1:] = ["cache", "--json"]
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=installed,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    weights, told = done.stdout.splitlines()
    assert weights == f"{installed['PYTHONPATH']}/wtflow/_assets/embedded.safetensors True True"
    assert json.loads(told)["folder"] == str(tmp_path / "runs" / ".cache")


def test_the_app_opens_from_it_in_any_folder_for_this_computer_only(installed, tmp_path):
    """The address is one of the settings of `.streamlit/config.toml`, so it has been read."""
    port = free_port()
    code = "import sys; from wtflow.cli.studio import main; main()"
    command = [sys.executable, "-c", code, "--port", str(port), "--no-browser"]
    log_path = tmp_path / "log.txt"
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            command, cwd=tmp_path, env=installed, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        wait_until(lambda: process.poll() is not None or _answers(port), log_path.read_text)
        assert process.poll() is None, log_path.read_text()
        listening = {one.laddr.ip for one in psutil.Process(process.pid).net_connections() if one.laddr.port == port}
        assert listening == {HOST}
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # it has nothing to save
        process.wait(PATIENCE_S)


def _answers(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://{HOST}:{port}/_stcore/health", timeout=PATIENCE_S).close()
    except (urllib.error.URLError, OSError):
        return False
    return True
