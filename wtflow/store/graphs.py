"""Graphs of detectors for other runtimes, made once each and kept beside the runs; safe to delete.

runs/.graphs/<detector>_<versions>/
    graph.onnx            the detector's networks
    graph.json            its bytes, their SHA-256 and how long making it took
    measured-<key>.json   what was measured of it on one computer: `key` names the computer
"""

import contextlib
import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from wtflow.errors import StoreError
from wtflow.store import layout
from wtflow.store.files import explained, read_json, write_atomic, write_json

MOST_KEPT: Final = 8
"""Detectors whose graphs stay: some ten to a hundred megabytes each. Those unused for longest go first."""
GRAPH, FACTS = "graph.onnx", "graph.json"


@dataclass(frozen=True, slots=True)
class KeptGraph:
    path: Path
    seconds: float
    """That making it took."""

    def measured(self, key: str) -> dict[str, Any]:
        """What was measured of it on the computer `key`; empty where nothing was, or nothing that can be read."""
        try:
            return read_json(self.path.with_name(f"measured-{key}.json"))
        except StoreError:
            return {}

    def keep_measured(self, key: str, values: dict[str, Any]) -> None:
        """Raises DiskFullError, StoreError."""
        write_json(self.path.with_name(f"measured-{key}.json"), values)


class GraphCache:
    """The graphs below the folder `home` of a store."""

    def __init__(self, home: Path) -> None:
        self.folder = home / layout.GRAPHS

    def find(self, fingerprint: str, versions: str) -> KeptGraph | None:
        """The graph of a detector made by these versions of packages; None where it is absent or damaged. A damaged one
        is removed, with what was measured of it.
        """
        folder = self._of(fingerprint, versions)
        try:
            facts = read_json(folder / FACTS)
            content = (folder / GRAPH).read_bytes()
            if hashlib.sha256(content).hexdigest() == facts["sha256"]:
                with contextlib.suppress(OSError):
                    os.utime(folder)  # used now: `_make_room`
                return KeptGraph(folder / GRAPH, float(facts["seconds"]))
        except (StoreError, OSError, KeyError, TypeError, ValueError):
            pass  # absent, cut off, or not ours
        shutil.rmtree(folder, ignore_errors=True)
        return None

    def keep(self, fingerprint: str, versions: str, content: bytes, seconds: float) -> KeptGraph:
        """Write a graph; it counts from the moment that its facts are there. Raises DiskFullError, StoreError."""
        folder = self._of(fingerprint, versions)
        self._make_room(folder)
        write_atomic(folder / GRAPH, lambda file: file.write(content), is_flushed=False)
        digest = hashlib.sha256(content).hexdigest()
        write_json(folder / FACTS, {"sha256": digest, "n_bytes": len(content), "seconds": round(seconds, 2)})
        return KeptGraph(folder / GRAPH, seconds)

    def used_bytes(self) -> int:
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())

    def clear(self) -> int:
        """Delete every graph with what was measured of it; returns the bytes freed. Raises StoreError."""
        freed = self.used_bytes()
        with explained(self.folder), contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self.folder)
        return freed

    def _of(self, fingerprint: str, versions: str) -> Path:
        return self.folder / f"{fingerprint[:16]}_{versions}"

    def _make_room(self, fresh: Path) -> None:
        others = [one for one in self.folder.iterdir() if one != fresh] if self.folder.is_dir() else []
        for old in sorted(others, key=lambda one: one.stat().st_mtime, reverse=True)[MOST_KEPT - 1 :]:
            shutil.rmtree(old, ignore_errors=True)
