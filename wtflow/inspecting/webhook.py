"""Messages to another program about inspected images: JSON by HTTP, from a thread of its own. Imports no torch.

Off unless `watch.json` in the folder of the runs names an address: {"webhook": "http://127.0.0.1:9000/parts"}. With
"of": "all" it is told of every image, else of defective ones. A message that does not get through after some tries is
given up and noted; the inspection goes on.
"""

import contextlib
import http.client
import json
import queue
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from wtflow.errors import SettingsError
from wtflow.records.inspect import Inspected

SETTINGS: Final = "watch.json"
MOST_WAITING: Final = 1000
"""Messages that wait; with more, the program at the other end is too slow, and they are given up."""
CLOSE_S: Final = 10.0
"""Seconds that messages under way are waited for at the end."""


class WatchSettings(BaseModel):
    """What watch.json may say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    webhook: str = ""
    of: str = Field("defective", pattern="^(defective|all)$")
    timeout_s: float = Field(5.0, gt=0, le=60)
    tries: int = Field(3, ge=1, le=10)
    pause_s: float = Field(1.0, ge=0, le=60)
    """Between two tries."""

    @field_validator("webhook")
    @classmethod
    def _is_http(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("http", "https") or not parts.hostname):
            raise ValueError("is no http:// or https:// address")
        return value


def watch_settings(home: Path) -> WatchSettings:
    """What watch.json says; everything off where it is not there. Raises SettingsError for one that is not valid."""
    path = home / SETTINGS
    try:
        return WatchSettings.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return WatchSettings()
    except OSError as error:
        raise SettingsError(f"{path} cannot be read ({error.strerror}).", fix="Give yourself the right to.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "it"
        reason = first["msg"].removeprefix("Value error, ")
        raise SettingsError(
            f"{path} is not valid: {where} {reason}.",
            fix='Write for example {"webhook": "http://127.0.0.1:9000/parts"}, or delete the file.',
        ) from error


@dataclass(frozen=True, slots=True)
class _Message:
    image: str
    body: bytes


class Webhook:
    """Sends messages in their order. post: what sends one, for tests; raises OSError."""

    def __init__(
        self,
        settings: WatchSettings,
        about: dict[str, Any],
        post: Callable[[str, bytes, float], None] | None = None,
    ) -> None:
        self.settings, self.about, self.post = settings, about, post or post_json
        self._waiting: queue.Queue[_Message | None] = queue.Queue(MOST_WAITING)
        self._failed: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        self._n_failed, self._last, self._ends_at, self._is_over = 0, "", float("inf"), False
        self._thread = threading.Thread(target=self._run, name="webhook", daemon=True)
        self._thread.start()

    @property
    def notes(self) -> tuple[str, ...]:
        """What did not get through, in a sentence."""
        return (f"Messages to the webhook do not all get through: {self._last}.",) if self._n_failed else ()

    def send(self, row: Inspected) -> None:
        """Tell of an image, if it is one of those that are told of."""
        if row.problem or (self.settings.of == "defective" and row.verdict != "defective"):
            return
        values = {"image": row.image, "path": row.path, "score": row.score, "threshold": row.threshold}
        values |= {"verdict": row.verdict, "sha256": row.sha256, "scored": row.at}
        message = _Message(row.image, json.dumps(self.about | values).encode())
        try:
            self._waiting.put_nowait(message)
        except queue.Full:
            self._give_up(message, f"{MOST_WAITING} messages wait already")

    def failures(self) -> Iterator[tuple[str, str]]:
        """(image, note) of messages that were given up since the last call."""
        with contextlib.suppress(queue.Empty):
            while True:
                yield self._failed.get_nowait()

    def close(self) -> None:
        """Wait for what is under way, `CLOSE_S` at most."""
        self._ends_at, self._is_over = time.monotonic() + CLOSE_S, True
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait(None)
        self._thread.join(CLOSE_S + self.settings.timeout_s)

    def _run(self) -> None:
        while (message := self._waiting.get()) is not None:
            self._send(message)
            if self._is_over and self._waiting.empty():
                return

    def _send(self, message: _Message) -> None:
        reason = "the inspection ended first"
        for i in range(self.settings.tries):
            if time.monotonic() > self._ends_at:
                break
            if i:
                time.sleep(self.settings.pause_s)
            try:
                self.post(self.settings.webhook, message.body, self.settings.timeout_s)
                return
            except (OSError, http.client.HTTPException) as error:  # urllib's own errors are some of the first
                reason = str(getattr(error, "reason", None) or error) or type(error).__name__
        self._give_up(message, reason)

    def _give_up(self, message: _Message, reason: str) -> None:
        self._n_failed, self._last = self._n_failed + 1, reason
        self._failed.put((message.image, f"The webhook was not told ({reason})."))


_OPENER: Final = urllib.request.OpenerDirector()
"""Follows no redirect, which could lead anywhere."""
for _handler in (
    urllib.request.HTTPHandler,
    urllib.request.HTTPSHandler,
    urllib.request.HTTPErrorProcessor,
    urllib.request.HTTPDefaultErrorHandler,
):
    _OPENER.add_handler(_handler())


def post_json(address: str, body: bytes, timeout_s: float) -> None:
    """Send JSON. Raises OSError where it does not arrive, or the answer is none of success."""
    request = urllib.request.Request(address, body, {"Content-Type": "application/json"}, method="POST")
    with _OPENER.open(request, timeout=timeout_s) as answer:
        if answer is None or not 200 <= answer.status < 300:
            raise urllib.error.URLError(f"the answer was {getattr(answer, 'status', 'none')}")
