"""Hostile folders: names that no report can hold, links in circles, pipes, devices, files that grow without end. What a
person asks of them is answered, or refused in a sentence, soon, and within some memory.
"""

import os
import resource
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from image_folders import encode, noise
from shell import call

from faults.forked import result_in_child
from faults.outcome import Round, check
from faults.places import images

MOST_MIB, PATIENCE_S = 2560, 300.0
NAMES = (
    "äöü 漢字 🦊 \u202ertl.png",
    "a\nb\rc.png",
    "a'b\"c`d$(touch pwned).png",
    "<script>alert(1)<script>.png",
    "<img src=x onerror=alert(1)>.png",
    "..png.png",
    "...png",
    "x" * 250 + ".png",
    "--help.png",
    "a\x1b[31mred\x07.png",
    "[bold red]x[-].png",
    "=cmd|'calc'!A0.png",
    "a\udcff\udcfe.png",
    " .png",
    "%00.png",
    "con.png",
)
FOLDERS = ("<img src=x onerror=alert(1)>", "a\nb", "-x", "$x^2$ **b** `c`", "=2+5", "x" * 250, "a\udcff")
"""Names of types of defects."""


def run(this: Round) -> None:
    good = images(this.folder / "good") / "plate"
    made = _made(good, this.folder)
    chosen = sorted(made) if this.share >= 1 else this.chance.sample(sorted(made), this.count(len(made)))
    for title in chosen:
        root = this.folder / "root"
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(good, root / "plate")
        made[title](root / "plate")
        was = _listing(root)
        for act in (["check", root], ["check", root, "--json"], ["new", "copy", "--good", root / "plate/train/good"]):
            with this.attempt(f"{title}, then {act[0]}", f"{act[0]}"):
                result_in_child(lambda act=act: _ask(this.folder / "runs", act), patience_s=PATIENCE_S)
                check(_listing(root) == was, "it changed the folder of images")
        shutil.rmtree(this.folder / "runs", ignore_errors=True)


def _ask(home: Path, words: list) -> None:
    """Type a command, in this process. Raises where the answer is none for people."""
    os.environ["WTFLOW_HOME"] = str(home)
    done = call(*words)
    check(done.exit_code in (0, 1, 2), f"exit code {done.exit_code}: {done.output[-200:]}")
    check("Traceback" not in done.output, f"a traceback: {done.output[-300:]}")
    check("\x1b[31mred" not in done.output and "\x07" not in done.output, "control characters reach the terminal")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    check(peak < MOST_MIB, f"{peak} MiB of memory")


def _listing(root: Path) -> set[str]:
    found = set()
    for folder, folders, files in os.walk(root):
        found |= {os.path.join(folder, one) for one in (*folders, *files)}  # noqa: PTH118 - names that are no text
    return found


def _made(good: Path, outside: Path) -> dict[str, Callable[[Path], object]]:
    whole = (good / "test/good/000.png").read_bytes()
    files = {
        "cut": whole[: len(whole) // 2],
        "empty": b"",
        "a bomb": bomb(30_000),
        "a bomb just below the limit": bomb(9_400),
        "text": b"<script>alert(1)</script>",
        "one pixel": encode(noise(1, (1, 1)), "PNG"),
        "very wide": encode(np.zeros((2, 20_000, 3), np.uint8), "PNG"),
        "a bomb of text": with_text(whole),
    }
    made: dict[str, Callable[[Path], object]] = {}
    for title, content in files.items():
        for part in ("train/good", "test/good"):
            made[f"{title} in {part}"] = lambda at, c=content, p=part: (at / p / "bad.png").write_bytes(c)
    for name in NAMES:
        made[f"the name {name[:20]!a}"] = lambda at, n=name: (at / "test/good" / n).write_bytes(whole)
    for name in FOLDERS:
        made[f"the type {name[:20]!a}"] = lambda at, n=name: shutil.copytree(at / "test/spot", at / "test" / n)
    return made | {
        "a mask that is a bomb": lambda at: (at / "ground_truth/spot/000_mask.png").write_bytes(bomb(30_000)),
        "a folder named as an image": lambda at: (at / "train/good/dir.png").mkdir(),
        "3,000 empty types": lambda at: [(at / f"test/d{i}").mkdir() for i in range(3_000)],
        "a link to itself": lambda at: (at / "train/good/self.png").symlink_to("self.png"),
        "a circle of links": lambda at: (at / "test/good/loop").symlink_to(at / "test"),
        "a link upwards": lambda at: (at / "test/up").symlink_to("../.."),
        "a link to a folder outside": lambda at: (at / "test/etc").symlink_to("/etc"),
        "40 GiB of nothing": _sparse,
        "no folder at all": shutil.rmtree,
        "a file for a folder": lambda at: (shutil.rmtree(at / "train"), (at / "train").write_bytes(b"")),
    }


def _sparse(at: Path) -> None:
    with (at / "train/good/huge.png").open("wb") as file:
        file.truncate(40 << 30)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb(side: int) -> bytes:
    """A valid grey PNG of zeros that is small as a file."""
    pack = zlib.compressobj(9)
    row = bytes(side + 1)
    body = b"".join(pack.compress(row) for _ in range(min(side, 10_000))) + pack.flush()
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def with_text(whole: bytes) -> bytes:
    """A PNG with a text that unpacks to 200 MB."""
    pack = zlib.compressobj(9)
    body = b"".join(pack.compress(bytes(1 << 20)) for _ in range(200)) + pack.flush()
    return whole[:33] + _chunk(b"zTXt", b"a\0\0" + body) + whole[33:]
