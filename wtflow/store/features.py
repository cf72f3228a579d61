"""Features of the frozen backbone on disk, computed once: float16, channels last, memory-mapped, with a size limit.

One file per (image contents, backbone, arguments, weights, stages, size, averaging, precision). A file is complete or
absent: it is written under another name and renamed at the end.
"""

import contextlib
import hashlib
import json
import math
import os
import time
import uuid
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from wtflow.config import Settings
from wtflow.errors import DiskFullError, SettingsError, StoreError
from wtflow.machine import systems
from wtflow.records.shapes import Shape
from wtflow.store import layout
from wtflow.store.files import explained

DEFAULT_LIMIT_GB = 20.0
WAIT_S = 0.3
BATCH_BYTES = 2**27
"""Of features in memory at once; eight images of 1024 px in preset fast take a little less."""


def feature_key(
    hashes: list[str],
    settings: Settings,
    weights_hash: str,
    device: str,
    *,
    is_opaque: bool = False,
    canvas: Shape | None = None,
) -> str:
    """What features depend on, in 32 hex digits. `device` is part of it: GPU features come from bfloat16 arithmetic.

    is_opaque: none of the images has alpha, so that no background shows through; False where that is not known.
    canvas: what images are resized to before they are cut into tiles; where settings have tiles it must be given.
    """
    parts: dict[str, object] = {
        "images": hashes,
        "backbone": settings.backbone,
        "args": sorted(settings.backbone_args.items()),
        "weights": weights_hash,
        "stages": settings.stages,
        "size": settings.image_size,
        "pool": (settings.pool_window, settings.pool_stride),
        "precision": "float16",
        "device": device,
    }
    # Only what changes something is a part, so that older files stay in use.
    if min(settings.stage_cells) < settings.finest_cell <= max(settings.stage_cells):
        parts["finest_grid"] = (settings.finest_grid, settings.cells) if settings.cells else settings.finest_grid
    if settings.block_norm:
        parts["block_norm"] = True
    if settings.block_groups:
        parts["block_groups"] = settings.block_groups
    if settings.smaller_sizes:
        parts["smaller_sizes"] = settings.smaller_sizes
    if settings.padding != "zeros":
        parts["padding"] = settings.padding
    if settings.background != "none" and not is_opaque:
        parts["background"] = settings.background
    if settings.tile != "off":
        if canvas is None:
            raise ValueError("features of tiles depend on the canvas")
        parts["canvas"], parts["tile_overlap"] = canvas, settings.tile_overlap
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


class FeatureCache:
    """The feature files below one store."""

    def __init__(self, home: Path, limit_gb: float | None = None) -> None:
        self.n_written = 0
        """Files that this object has written."""
        self.folder, self.locks = home / layout.CACHE, home / layout.LOCKS
        self.limit_bytes = cache_limit_bytes() if limit_gb is None else int(limit_gb * 1e9)

    def path(self, key: str) -> Path:
        return self.folder / f"{key}.npy"

    def has(self, key: str) -> bool:
        """True if the features are there and complete:
        a file that a power cut or a bad disk left short counts as absent.
        """
        try:
            self.open(key)
        except (StoreError, ValueError, EOFError):
            return False
        return True

    def open(self, key: str) -> np.ndarray:
        """Read-only float16 (N, H, W, C). Opening marks the file as used, so it is evicted later than others."""
        path = self.path(key)
        with explained(path):
            with contextlib.suppress(OSError):  # a cache that may only be read can be read all the same
                os.utime(path)
            return np.load(path, mmap_mode="r", allow_pickle=False)

    def batches(self, key: str, n_rows: int) -> Iterator[tuple[int, np.ndarray]]:
        """(first row, float16 (B, H, W, C)) from start to end by plain reads: memory stays at one batch for
        files of any size. B is n_rows at most, and less where rows are so large that a batch exceeds BATCH_BYTES.
        """
        path = self.path(key)
        with explained(path), path.open("rb") as file:
            np.lib.format.read_magic(file)
            shape, _, _ = np.lib.format.read_array_header_1_0(file)
            row_size = int(np.prod(shape[1:]))
            n_rows = min(n_rows, max(1, BATCH_BYTES // max(1, 2 * row_size)))
            for first in range(0, shape[0], n_rows):
                n = min(n_rows, shape[0] - first)
                yield first, np.fromfile(file, dtype="<f2", count=n * row_size).reshape(n, *shape[1:])

    @contextlib.contextmanager
    def one_at_a_time(self, key: str, wait: Callable[[], None]) -> Generator[None, None, None]:
        """Hold the right to compute these features, so that of several processes one does and the others read.
        `wait` is called every WAIT_S while another process holds it, and may raise to give up. The system takes the
        right from a process that ends, however it does. Where locks cannot be had, as on some network drives, everybody
        computes for himself: that costs time alone.
        """
        from filelock import FileLock, Timeout  # which scoring a single image can do without

        lock = FileLock(self.locks / f"{key}.lock")
        try:
            self.locks.mkdir(parents=True, exist_ok=True)
            while True:
                try:
                    lock.acquire(timeout=0)
                    break
                except Timeout:
                    wait()
                    time.sleep(WAIT_S)
        except (OSError, NotImplementedError):
            yield
            return
        try:
            yield
            with contextlib.suppress(OSError):  # where it may not be deleted it stays, and is empty
                (self.locks / f"{key}.lock").unlink(missing_ok=True)
        finally:
            lock.release()

    @contextlib.contextmanager
    def writer(self, key: str, shape: tuple[int, int, int, int]) -> Generator["FeatureWriter", None, None]:
        """Append batches of rows; the file appears under its key when the block ends and all rows are there."""
        n_bytes = int(np.prod(shape)) * 2
        self._make_room(n_bytes)
        fresh = self.folder / f".{key}.{uuid.uuid4().hex[:8]}"
        try:
            with explained(fresh), fresh.open("wb") as file:
                header = {"descr": "<f2", "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(file, header)
                writer = FeatureWriter(file, shape)
                yield writer
                if writer.n_rows != shape[0]:
                    raise ValueError(f"expected {shape[0]} rows of features, got {writer.n_rows}")
                file.flush()
            with explained(fresh):
                systems.replace(fresh, self.path(key))
            self.n_written += 1
        finally:
            with contextlib.suppress(OSError):
                fresh.unlink(missing_ok=True)

    def used_bytes(self) -> int:
        return sum(size for _, size, _ in self._files())

    def clear(self) -> int:
        """Delete every feature file and return the bytes freed. Runs are not touched;
        they compute features again when needed. Raises StoreError where the files may not be deleted.
        """
        freed = 0
        for path, size, touched in self._files():
            if not _is_being_written(path, touched):
                with explained(path):
                    path.unlink(missing_ok=True)
                freed += size
        return freed

    def _files(self) -> list[tuple[Path, int, float]]:
        found = []
        if self.folder.is_dir():
            for path in self.folder.iterdir():
                with contextlib.suppress(FileNotFoundError):
                    stat = path.stat()
                    found.append((path, stat.st_size, stat.st_mtime))
        return sorted(found, key=lambda item: item[2])

    def _make_room(self, n_bytes: int) -> None:
        """Evict the files unused for longest until `n_bytes` fit under the limit.
        Raises DiskFullError when they cannot fit.
        """
        with explained(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        if n_bytes > self.limit_bytes:
            raise DiskFullError(
                f"The features need {n_bytes / 1e9:.1f} GB; the cache may hold {self.limit_bytes / 1e9:.1f} GB.",
                fix="Raise WTFLOW_CACHE_GB, or choose a smaller image size, larger tiles, fewer or coarser stages.",
            )
        files = self._files()
        used = sum(size for _, size, _ in files)
        for path, size, touched in files:
            if used + n_bytes <= self.limit_bytes:
                break
            if _is_being_written(path, touched):
                continue
            with explained(path):
                path.unlink(missing_ok=True)
            used -= size


def _is_being_written(path: Path, touched: float) -> bool:
    """True if another process seems to write it; a partial file not touched for an hour was left by a crash."""
    return path.name.startswith(".") and time.time() - touched < 3600


def cache_limit_bytes() -> int:
    """What the cache may hold: WTFLOW_CACHE_GB, or DEFAULT_LIMIT_GB. Raises SettingsError for what is no number."""
    text = os.environ.get("WTFLOW_CACHE_GB") or str(DEFAULT_LIMIT_GB)
    try:
        limit_gb = float(text)
    except ValueError:
        limit_gb = math.nan
    if not 0 <= limit_gb < math.inf:
        raise SettingsError(
            f"WTFLOW_CACHE_GB is {text!r}, not a number of gigabytes.",
            fix="Set it to a number such as 20, or unset it.",
        )
    return int(limit_gb * 1e9)


class FeatureWriter:
    """Appends rows to a feature file; made by `FeatureCache.writer`."""

    def __init__(self, file: BinaryIO, shape: tuple[int, int, int, int]) -> None:
        self._file, self._shape, self.n_rows = file, shape, 0

    def append(self, grids: np.ndarray) -> None:
        """Add float16 (B, H, W, C)."""
        if grids.dtype != np.float16 or grids.shape[1:] != self._shape[1:]:
            raise ValueError(f"expected float16 (B, {self._shape[1:]}), got {grids.dtype} {grids.shape}")
        self._file.write(np.ascontiguousarray(grids).data)
        self.n_rows += len(grids)
