"""Frames to GIF (Pillow) and to MP4 (ffmpeg, a separate program). No Matplotlib here, so that a page can look for
ffmpeg without loading it.
"""

import contextlib
import io
import itertools
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from wtflow.errors import MovieError

GET_FFMPEG: Final = (
    "Install ffmpeg, then start the app again: on Debian or Ubuntu with sudo apt install ffmpeg, on macOS with brew"
    " install ffmpeg, on Windows with winget install ffmpeg. A GIF needs none."
)

_WAIT_S = 60
"""What ffmpeg may take after the last frame; it needs a second or two."""


def find_ffmpeg() -> Path | None:
    """The ffmpeg that would encode an MP4, or None."""
    found = shutil.which("ffmpeg")
    return Path(found) if found else None


def to_gif(frames: Iterable[np.ndarray], samples: np.ndarray, durations_ms: list[int]) -> bytes:
    """An endless GIF of frames, uint8 (H, W, 3) each, shown for these multiples of 10 ms.
    `samples` (h, w, 3) holds its colours.

    Frames are taken one by one and kept with one byte per pixel; one palette for all keeps colours from flickering.
    """
    palette = _palette(samples)
    small: Iterator[Image.Image] = (
        Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames
    )
    first = next(small)
    with io.BytesIO() as file:
        first.save(
            file, format="GIF", save_all=True, append_images=small, duration=durations_ms, loop=0, optimize=False
        )
        return file.getvalue()


def _palette(samples: np.ndarray) -> Image.Image:
    """A picture that holds the 256 colours of all frames. What is nearly white is made white: paper must not turn
    grey by an average.
    """
    found = Image.fromarray(samples).quantize(256, method=Image.Quantize.MEDIANCUT)
    colours = np.array(found.getpalette("RGB")).reshape(-1, 3)
    colours[colours.min(axis=1) >= 248] = 255
    found.putpalette(colours.ravel().tolist())
    return found


def to_mp4(frames: Iterable[np.ndarray], fps: int) -> bytes:
    """An MP4 (H.264) of frames, uint8 (H, W, 3) each with even sides.
    Raises MovieError without ffmpeg, or with ffmpeg's message.

    Anything that ends this early, including an error in `frames`, also ends ffmpeg and leaves no file behind.
    """
    ffmpeg = find_ffmpeg()
    if ffmpeg is None:
        raise MovieError("An MP4 needs the program ffmpeg, which was not found.", fix=GET_FFMPEG)
    frames = iter(frames)
    first = next(frames)
    height, width = first.shape[:2]
    with tempfile.TemporaryDirectory(prefix="wtflow-movie-") as folder:
        out, log = Path(folder) / "movie.mp4", Path(folder) / "log.txt"
        command = [
            str(ffmpeg),
            "-nostdin",
            "-loglevel",
            "error",
            "-f",
            "rawvideo",
            "-pix_fmt",
            "rgb24",
            "-s",
            f"{width}x{height}",
            "-r",
            str(fps),
            "-i",
            "pipe:0",
            "-an",
            "-c:v",
            "libx264",
            "-crf",
            "18",
            "-pix_fmt",
            "yuv420p",
            "-movflags",
            "+faststart",
            "-fflags",
            "+bitexact",
            "-flags:v",
            "+bitexact",
            str(out),
        ]
        with log.open("wb") as messages:
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=messages)
        try:
            _feed(process, itertools.chain([first], frames))
            process.wait(_WAIT_S)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        if process.returncode != 0 or not out.is_file():
            first_line = (log.read_text(errors="replace").strip().splitlines() or ["it gave no reason"])[0]
            reason = re.sub(r"^\[.*?\] ", "", first_line)[:300].rstrip(".")  # without the name of ffmpeg's part
            raise MovieError(
                f"ffmpeg could not write the MP4: {reason}.",
                fix="Use an ffmpeg with the H.264 encoder libx264, or take the GIF.",
            )
        return out.read_bytes()


def _feed(process: subprocess.Popen, frames: Iterable[np.ndarray]) -> None:
    """Write frames until they or ffmpeg end; the pipe is closed either way, and the caller reads
    ffmpeg's messages.
    """
    pipe = process.stdin
    if pipe is None:
        return
    try:
        with contextlib.suppress(BrokenPipeError):
            for frame in frames:
                pipe.write(np.ascontiguousarray(frame).data)
    finally:
        with contextlib.suppress(BrokenPipeError):
            pipe.close()
