"""Zip archives that are damaged or hostile: what they hold is taken, or refused in a sentence; nothing is ever written
beside the data set, and none takes the machine's memory.
"""

import io
import random
import resource
import stat
import struct
import zipfile
from pathlib import Path

from image_folders import encode, noise

from faults.forked import result_in_child
from faults.outcome import Round, check
from faults.places import contents, half_written
from wtflow.errors import WTFlowError
from wtflow.inspecting.dropped import Dropped, dropped_images
from wtflow.intake.adding import add_uploads
from wtflow.records.intake import Labelled
from wtflow.store.datasets import create_set, open_set, original_of
from wtflow.store.runs import RunStore

DAMAGED = 600
MOST_MIB = 2048
SET = "plates"


def run(this: Round) -> None:
    store = RunStore(this.folder / "runs")
    create_set(store, SET)
    images = [encode(noise(i, (16, 16)), "PNG") for i in range(6)]
    outside = set(contents(this.folder))
    for title, content in hostile(images).items():
        with this.attempt(title, "hostile"):
            _take(store, content)
            _check_place(store, this.folder, outside)
    whole = [packed({f"good/{i}.png": one for i, one in enumerate(images)}, kind) for kind in (0, 8, 12, 14)]
    for number in range(this.count(DAMAGED)):
        seed = this.chance.randrange(1 << 30)
        with this.attempt(f"archive {number + 1} of seed {seed}", "damaged"):
            _take(store, damaged(whole, random.Random(seed)))
    with this.attempt("all that was taken", "data sets afterwards"):
        _check_place(store, this.folder, outside)
        data = open_set(store, SET)
        known = {original_of(store, SET, item).name for item in data.items.values()}
        there = {path.name for path in (store.home / "data" / SET / "originals").iterdir()}
        check(known == there, f"images that no list names: {sorted(there ^ known)[:4]}")
    this.leave("after all archives", half_written(store))


def _take(store: RunStore, content: bytes) -> None:
    """Drop an archive on both pages that take one, in a process that may die. Raises where it is not answered well."""

    def take() -> int:
        try:
            with dropped_images([Dropped("a.zip", io.BytesIO(content))]) as images:
                for i in range(len(images)):
                    try:
                        images[i]
                    except WTFlowError as error:
                        _check_sentence(error)
        except WTFlowError as error:
            _check_sentence(error)
        try:
            add_uploads(store, SET, [("a.zip", content)], Labelled("good"))
        except WTFlowError as error:
            _check_sentence(error)
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

    peak = result_in_child(take, patience_s=120)
    check(peak < MOST_MIB, f"{peak} MiB of memory")


def _check_sentence(error: WTFlowError) -> None:
    check("\n" not in str(error.message) and len(error.message) < 400, f"not one sentence: {error.message[:300]!r}")


def _check_place(store: RunStore, folder: Path, outside: set[str]) -> None:
    strange = [one for one in set(contents(folder)) - outside if not one.startswith(f"runs/data/{SET}/")]
    check(not strange, f"written elsewhere: {strange[:4]}")


def packed(files: dict[str, bytes], kind: int = 0) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", kind) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def damaged(whole: list[bytes], chance: random.Random) -> bytes:
    data = bytearray(chance.choice(whole))
    at = chance.randrange(len(data))
    how = chance.choice(["cut", "bits", "list", "zeros", "swap", "twice"])
    if how == "cut":
        del data[at:]
    elif how == "bits":
        for _ in range(20):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    elif how == "list":  # the list of files at the end
        for _ in range(4):
            data[-1 - chance.randrange(min(300, len(data)))] = chance.randrange(256)
    elif how == "zeros":
        n = min(64, len(data) - at)
        data[at : at + n] = bytes(n)
    elif how == "swap":
        data[at:] = chance.choice(whole)[at:]
    else:
        data += data[at:]
    return bytes(data)


def hostile(images: list[bytes]) -> dict[str, bytes]:
    """Archives that lie, lead out, or unpack without end."""
    image = images[0]
    names = {
        "leads out": "../../out.png",
        "absolute": "/tmp/out.png",
        "of Windows": "C:\\out.png",
        "backslashes": "..\\..\\out.png",
        "a device of Windows": "nul.png",
        "a long name": "x" * 5000 + ".png",
        "control characters": "a\x1b[31m\r.png",
        "markup": "<img src=x onerror=alert(1)>.png",
        "a dot": "..png",
        "empty": ".png",
        "deep": "a/" * 2000 + "b.png",
    }
    made = {title: packed({name: image}) for title, name in names.items()}
    made["a bomb"] = packed({"big.png": bytes(400 << 20)}, 8)
    made["a bomb of small files"] = packed({f"{i}.png": bytes(2 << 20) for i in range(60)}, 8)
    made["many files"] = packed({f"{i}.png": b"" for i in range(60_000)})
    made["a zip in a zip"] = packed({"a.zip": packed({"a.png": image}), "b.png": image})
    made["no image"] = packed({"a.txt": b"a"})
    made["nothing"] = packed({})
    made["no zip"] = image
    made["twice the same name"] = _twice(images)
    for title, kind in (
        ("a link", stat.S_IFLNK),
        ("a pipe", stat.S_IFIFO),
        ("a device", stat.S_IFCHR),
        ("a folder", stat.S_IFDIR),
    ):
        made[title] = _special(kind, image)
    lying = bytearray(packed({"a.png": image}))
    at = lying.rfind(b"PK\1\2")
    lying[at + 24 : at + 28] = struct.pack("<I", 0xFFFFFFF0)
    made["a size that lies"] = bytes(lying)
    secret = bytearray(packed({"a.png": image}))
    secret[secret.rfind(b"PK\1\2") + 8] |= 1
    made["encrypted"] = bytes(secret)
    return made


def _special(kind: int, image: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        entry = zipfile.ZipInfo("special.png")
        entry.external_attr = (kind | 0o777) << 16
        archive.writestr(entry, b"/etc/passwd")
        archive.writestr("whole.png", image)
    return buffer.getvalue()


def _twice(images: list[bytes]) -> bytes:
    import warnings

    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("a.png", images[0])
        archive.writestr("a.png", images[1])
    return buffer.getvalue()
