"""Tiny data sets and image files for the tests of `wtflow.datasets`."""

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

SHARED_DATA = Path(os.environ.get("WTFLOW_SHARED", Path(__file__).parent.parent.parent / "shared")) / "data"

DEFECT_MASK = np.pad(np.full((3, 3), 255, np.uint8), ((2, 3), (2, 3)))
"""(8, 8), nine pixels marked."""


def noise(seed: int, shape: tuple[int, ...] = (8, 8), dtype: type = np.uint8) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)


def save(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def encode(pixels: np.ndarray, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def make_mvtec(folder: Path, n_train: int = 3, n_good: int = 2, n_broken: int = 2) -> Path:
    """A sound category in the MVTec AD layout; every image differs from every other."""
    for i in range(n_train):
        save(folder / f"train/good/{i:03}.png", noise(i))
    for i in range(n_good):
        save(folder / f"test/good/{i:03}.png", noise(100 + i))
    for i in range(n_broken):
        save(folder / f"test/broken/{i:03}.png", noise(200 + i))
        save(folder / f"ground_truth/broken/{i:03}_mask.png", DEFECT_MASK)
    return folder


def make_btad(folder: Path, extension: str = ".bmp") -> Path:
    for i in range(3):
        save(folder / f"train/ok/{i:04}{extension}", noise(i))
        save(folder / f"test/ok/{i:04}{extension}", noise(100 + i))
        save(folder / f"test/ko/{i:04}{extension}", noise(200 + i))
        save(folder / f"ground_truth/ko/{i:04}.png", DEFECT_MASK)
    return folder


def make_visa(root: Path, name: str = "candle") -> Path:
    """A root in the VisA layout: two training, one good and one defective test image."""
    rows = ["object,split,label,image,mask"]
    for i, split in enumerate(["train", "train", "test"]):
        save(root / name / f"Data/Images/Normal/{i:04}.JPG", noise(i, (8, 8, 3)))
        rows.append(f"{name},{split},normal,{name}/Data/Images/Normal/{i:04}.JPG,")
    save(root / name / "Data/Images/Anomaly/000.JPG", noise(200, (8, 8, 3)))
    # As published, masks number the defect types from 1.
    save(root / name / "Data/Masks/Anomaly/000.png", (DEFECT_MASK > 0).astype(np.uint8))
    rows.append(f"{name},test,anomaly,{name}/Data/Images/Anomaly/000.JPG,{name}/Data/Masks/Anomaly/000.png")
    write_split(root, rows)
    return root


def write_split(root: Path, rows: list[str]) -> None:
    (root / "split_csv").mkdir(exist_ok=True)
    (root / "split_csv/1cls.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def png_16(pixels: np.ndarray) -> bytes:
    """A 16-bit PNG of (H, W), (H, W, 2), (H, W, 3) or (H, W, 4), written by hand since Pillow writes grey only."""
    height, width = pixels.shape[:2]
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[pixels.shape[2] if pixels.ndim == 3 else 1]
    rows = pixels.astype(">u2").reshape(height, -1)
    lines = b"".join(b"\0" + row.tobytes() for row in rows)
    return png_chunks(struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0), zlib.compress(lines))


def png_chunks(header: bytes, data: bytes) -> bytes:
    chunks = [(b"IHDR", header), (b"IDAT", data), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(d)) + kind + d + struct.pack(">I", zlib.crc32(kind + d)) for kind, d in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def tiff_16_packbits(pixels: np.ndarray) -> bytes:
    """A 16-bit RGB TIFF compressed with PackBits (literal runs only), which tifffile leaves to another package."""
    raw = pixels.astype("<u2").tobytes()
    strip = b"".join(bytes([len(part) - 1]) + part for part in (raw[i : i + 128] for i in range(0, len(raw), 128)))
    height, width = pixels.shape[:2]
    short, long = 3, 4
    bits_at = 8 + len(strip)
    tags = [
        (256, short, 1, width),
        (257, short, 1, height),
        (258, short, 3, bits_at),
        (259, short, 1, 32773),
        (262, short, 1, 2),
        (273, long, 1, 8),
        (277, short, 1, 3),
        (278, short, 1, height),
        (279, long, 1, len(strip)),
    ]
    directory = (
        struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags) + struct.pack("<I", 0)
    )
    return b"II*\0" + struct.pack("<I", bits_at + 6) + strip + struct.pack("<HHH", 16, 16, 16) + directory
