"""A browser without a screen: it opens pages, presses and moves what is on them, and takes the server's time.

Streamlit's runtime works in this process, with the sessions, fragments, caches and messages that it has behind its web
server; only the network is left out. So the time of this process is the server's. It is taken as processor time, which
other programs on the machine do not change; wall time says when there was something to see.
"""

import queue
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

from pages.ui.measure.running import Running
from wtflow.errors import StoreError

TIMEOUT_S = 300.0
QUIET_S = 0.15
"""A run that follows at once, of a page that draws itself again, has begun by then."""
LEAST_DRAWN = 5_000
"""Bytes: a part of a page with more than this to draw is a picture; buttons and pickers have less."""


@dataclass
class Spent:
    """What it took until the page was complete, and until its first picture was there (None where none came)."""

    cpu_s: float = 0.0
    wall_s: float = 0.0
    picture_cpu_s: float | None = None
    picture_wall_s: float | None = None


@dataclass
class Part:
    """A part of the page as it was sent last."""

    kind: str
    sent: Any
    fragment_id: str
    run: int


class Visitor:
    """One session, with one page open. It must be the only one that is busy."""

    def __init__(self, running: Running) -> None:
        self._messages: queue.Queue[ForwardMsg] = queue.Queue()
        self._running = running
        self._parts: dict[str, Part] = {}
        self._states: dict[str, WidgetState] = {}
        self._hashes: dict[str, str] = {}
        self._polled: dict[str, list[float]] = {}
        """Parts that draw themselves again: seconds between two times, and when the next is due."""
        self._page = self._query = ""
        self._n_runs, self._is_busy, self._wrong = 0, False, ""
        self._start = self._cpu_start = 0.0
        self._spent = Spent()
        self._session_id = running.connect(self)

    def write_forward_msg(self, msg: ForwardMsg) -> None:
        """Called by the runtime. The message is packed as for the wire."""
        packed, copy = msg.SerializeToString(), ForwardMsg()
        copy.ParseFromString(packed)
        self._messages.put(copy)

    @property
    def client_context(self) -> None:
        """There is no connection."""
        return None

    def go(self, page: str, params: Mapping[str, str | list[str]]) -> Spent:
        """Open a page with these choices in the address, as a link does. Raises StoreError where it shows an error."""
        self._page, self._query, self._states = page, urlencode(params, doseq=True), {}
        return self._rerun("")

    def has(self, kind: str, label: str = "") -> bool:
        """Whether the page has a part of this kind and label."""
        return self._find(kind, label) is not None

    def press(self, label: str) -> Spent:
        """Press a button. Raises StoreError where there is none, or an error is shown."""
        part = self._part("button", label)
        return self._rerun(part.fragment_id, WidgetState(id=part.sent.id, trigger_value=True))

    def move(self, label: str) -> Spent:
        """Move a slider by a stop, from the last one back. Raises as `press` does."""
        part = self._part("slider", label)
        slider, state = part.sent, WidgetState(id=part.sent.id)
        if slider.options:
            stops = list(slider.options)
            here = stops.index(slider.raw_value[0]) if slider.raw_value else int(slider.default[0])
            state.string_array_value.data[:] = [stops[here + 1 if here + 1 < len(stops) else here - 1]]
        else:
            here = (slider.value or slider.default)[0]
            step = slider.step if here + slider.step <= slider.max else -slider.step
            state.double_array_value.data[:] = [here + step]
        return self._rerun(part.fragment_id, state)

    def turn(self) -> Spent:
        """Turn to the pager's next page, from the last to the first. Raises as `press` does."""
        part = self._part("pagination", "")
        pager = part.sent
        state = WidgetState(id=pager.id, int_value=(pager.value or pager.default) % pager.num_pages + 1)
        return self._rerun(part.fragment_id, state)

    # -- inside --------------------------------------------------------------------------------------------------------

    def _find(self, kind: str, label: str) -> Part | None:
        fits = [part for part in self._parts.values() if part.kind == kind and getattr(part.sent, "label", "") == label]
        return fits[-1] if fits else None

    def _part(self, kind: str, label: str) -> Part:
        found = self._find(kind, label)
        if found is None:
            raise StoreError(f"Page {self._page} has no {kind} {label!r}.", fix="Adapt the bench to the page.")
        return found

    def _send(self, fragment_id: str, is_auto: bool, changed: WidgetState | None = None) -> None:
        message = BackMsg()
        rerun = message.rerun_script
        rerun.query_string, rerun.page_name, rerun.fragment_id = self._query, self._page, fragment_id
        rerun.page_script_hash, rerun.is_auto_rerun = self._hashes.get(self._page, ""), is_auto
        kept = self._states | ({changed.id: changed} if changed is not None else {})
        rerun.widget_states.widgets.extend(kept.values())
        self._states = {name: state for name, state in kept.items() if not state.trigger_value}
        self._running.send(self._session_id, message)

    def _rerun(self, fragment_id: str, changed: WidgetState | None = None) -> Spent:
        """Until no run is under way and no part of the page draws itself again from time to time."""
        self._start, self._cpu_start, self._spent = time.monotonic(), time.process_time(), Spent()
        self._wrong, self._is_busy = "", True
        self._send(fragment_id, False, changed)
        while not self._is_complete():
            if time.monotonic() > self._start + TIMEOUT_S:
                raise StoreError(f"Page {self._page} was not complete after {TIMEOUT_S:.0f} s.", fix="Open it to see.")
        if self._wrong:  # a page that gives up is quick
            raise StoreError(f"Page {self._page} shows an error: {self._wrong}", fix="Open it to see more.")
        return self._spent

    def _is_complete(self) -> bool:
        """Take a message, or wait a little for one."""
        try:
            self._take(self._messages.get(timeout=QUIET_S))
            return False
        except queue.Empty:
            pass
        if self._is_busy:
            return False
        for fragment_id, times in self._polled.items():
            if time.monotonic() > times[1]:
                times[1] = time.monotonic() + times[0]
                self._send(fragment_id, True)
        return not self._polled

    def _take(self, msg: ForwardMsg) -> None:
        kind = msg.WhichOneof("type")
        if kind == "new_session":
            self._n_runs, self._is_busy = self._n_runs + 1, True
            if not msg.metadata.run.fragment_ids:
                self._polled.clear()
        elif kind == "navigation":
            self._hashes |= {page.url_pathname: page.page_script_hash for page in msg.navigation.app_pages}
        elif kind == "page_info_changed":
            self._query = msg.page_info_changed.query_string
        elif kind == "auto_rerun":
            self._polled[msg.auto_rerun.fragment_id] = [
                msg.auto_rerun.interval,
                time.monotonic() + msg.auto_rerun.interval,
            ]
        elif kind == "stop_auto_rerun":
            for fragment_id in msg.stop_auto_rerun.fragment_ids:
                self._polled.pop(fragment_id, None)
        elif kind == "delta" and msg.delta.WhichOneof("type") == "new_element":
            self._take_element(msg)
        elif kind == "script_finished":
            self._is_busy = msg.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN
            self._spent.cpu_s, self._spent.wall_s = self._passed()
            if msg.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                self._parts = {name: part for name, part in self._parts.items() if part.run == self._n_runs}

    def _take_element(self, msg: ForwardMsg) -> None:
        element = msg.delta.new_element
        kind = element.WhichOneof("type")
        if kind is None:
            return
        sent = getattr(element, kind)
        if kind == "exception" or (kind == "alert" and sent.format == sent.ERROR):
            self._wrong = self._wrong or (sent.message if kind == "exception" else sent.body)
        is_component = kind == "bidi_component" and len(sent.json) + sent.mixed.ByteSize() > LEAST_DRAWN
        if self._spent.picture_wall_s is None and (is_component or kind in ("plotly_chart", "imgs")):
            self._spent.picture_cpu_s, self._spent.picture_wall_s = self._passed()
        if name := getattr(sent, "id", ""):
            self._parts.pop(name, None)
            self._parts[name] = Part(kind, sent, msg.delta.fragment_id, self._n_runs)

    def _passed(self) -> tuple[float, float]:
        return time.process_time() - self._cpu_start, time.monotonic() - self._start
