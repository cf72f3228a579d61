"""RunStore: create, list, read, append, finish and delete runs on disk. Nothing here starts or stops a process."""

import contextlib
import io
import json
import os
import shutil
import time
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wtflow.config import Settings
from wtflow.errors import DamagedRunError
from wtflow.permission import changes
from wtflow.records.core import RunStatus
from wtflow.records.reading import Reading
from wtflow.records.shapes import Shape
from wtflow.records.sizes import SizeChoice
from wtflow.store import layout
from wtflow.store.files import explained, is_moved, read_json, write_atomic, write_json
from wtflow.store.place import Place
from wtflow.store.summaries import Summaries

if TYPE_CHECKING:
    import pandas as pd  # half a second that most commands of the shell need not spend

WAITING = "Waiting for its turn."
RESERVE_BYTES = 16 * 1024
"""Several times what a status and a line of the log take."""
_LIBRARIES = ("torch", "timm", "numpy", "scipy", "scikit-learn", "pillow")


class RunStore(Summaries):
    """The runs below one folder. Its only state is the path, so any process may make its own."""

    # -- runs ---------------------------------------------------------------------------------------------------------

    @changes("start trainings")
    def create(
        self,
        root: Path,
        category: str,
        settings: Settings,
        reading: Reading | None = None,
        sized: SizeChoice | None = None,
        sweep: str = "",
    ) -> str:
        """Make the folder of a new run, queued, and return its id. sized: how its image size was chosen; None where
        it was given. sweep: the sweep that it belongs to, which will start it.

        It is put together in a hidden folder and then moved: killed on the way, no half run is listed.
        """
        while True:
            now = time.time()
            run_id = layout.run_name(category, time.strftime("%Y%m%d-%H%M%S", time.gmtime(now)))
            config = layout.RunConfig(
                schema_version=layout.SCHEMA_VERSION,
                run_id=run_id,
                created=now,
                root=str(Path(root).absolute()),
                category=category,
                settings=settings,
                versions={name: metadata.version(name) for name in _LIBRARIES},
                reading=reading or Reading(),
                sized=sized,
            )
            making = self.home / f".making-{run_id}-{os.getpid()}"
            waiting = RunStatus(state="queued", heartbeat=now, message=WAITING, sweep=sweep)
            try:
                write_json(making / layout.STATUS, asdict(waiting))
                write_json(making / layout.CONFIG, config.model_dump(mode="json"))
                if is_moved(making, self.home / run_id):
                    return run_id
            finally:
                shutil.rmtree(making, ignore_errors=True)
            time.sleep(0.2)

    def keep_reserve(self, run_id: str) -> None:
        """Take room on the disk that `free_reserve` gives back, for a last status on a disk that has filled up."""
        write_atomic(self.folder(run_id) / layout.RESERVE, lambda file: file.write(os.urandom(RESERVE_BYTES)))

    def free_reserve(self, run_id: str) -> None:
        with contextlib.suppress(OSError):
            (self.folder(run_id) / layout.RESERVE).unlink(missing_ok=True)

    # -- second passes ------------------------------------------------------------------------------------------------

    def keep_finished(self, run_id: str, status: RunStatus) -> None:
        """Write down the status of a finished run before a second pass over it begins."""
        write_json(self.folder(run_id) / layout.BEFORE, asdict(status))

    def finished_before(self, run_id: str) -> RunStatus | None:
        """The finished status that a second pass over the run started from, while that pass is not complete; else
        None. As long as there is one, the results are those of before, and whole.
        """
        path = self.folder(run_id) / layout.BEFORE
        return self._status_in(path, run_id) if path.is_file() else None

    def has_results(self, run_id: str) -> bool:
        """Whether the results are complete, whatever the status says: they are before it says so, and stay so while a
        second pass over the run goes on.
        """
        return self.files_of(run_id) is not None or self.finished_before(run_id) is not None

    def forget_before(self, run_id: str) -> None:
        with explained(self.folder(run_id)):
            (self.folder(run_id) / layout.BEFORE).unlink(missing_ok=True)

    @changes("delete runs")
    def delete(self, run_id: str) -> None:
        """Remove a run for good. The folder is renamed first, so a half-deleted run is never listed."""
        folder = self.folder(run_id)
        grave = self.home / f".deleted-{run_id}-{os.getpid()}"
        with explained(folder):
            folder.rename(grave)
            shutil.rmtree(grave)

    # -- data, status -----------------------------------------------------------------------------------------

    def write_data(self, run_id: str, data: dict[str, Any]) -> None:
        write_json(self.result_path(run_id, layout.DATA), data)

    def data(self, run_id: str, place: Place | None = None) -> dict[str, Any] | None:
        """The images of a run, each where it is now (or would be, with another place); None before the worker has
        read them.
        """
        path = self.result_path(run_id, layout.DATA)
        if not path.is_file():
            return None
        values = read_json(path)
        if not (isinstance(values.get("samples"), list) and isinstance(values.get("held_out"), list)):
            raise DamagedRunError(f"data.json of {run_id} lists no images.", fix="Delete the run, or restore the file.")
        place = self.place(run_id) if place is None else place
        return values | {"samples": [_moved(entry, place) for entry in values["samples"]]}

    def canvas(self, run_id: str) -> Shape | None:
        """(height, width) that a run's images are resized to where they are cut into tiles; None for a run without.

        Raises DamagedRunError where a run has tiles and data.json does not tell.
        """
        if self.config(run_id).settings.tile == "off":
            return None
        found = (self.data(run_id) or {}).get("canvas")
        if not (isinstance(found, list) and len(found) == 2 and all(isinstance(n, int) and n > 0 for n in found)):
            raise DamagedRunError(
                f"data.json of {run_id} does not tell the size of its images.", fix="Restore the file, or train again."
            )
        return found[0], found[1]

    @changes("stop trainings")
    def request_stop(self, run_id: str) -> None:
        """Ask the worker to stop; the time of the first request counts."""
        path = self.folder(run_id) / layout.STOP
        with explained(path):
            if not path.exists():
                path.touch()

    def stop_requested_at(self, run_id: str) -> float | None:
        """When stopping was first asked for, in seconds since the epoch."""
        path = self.folder(run_id) / layout.STOP
        return path.stat().st_mtime if path.exists() else None

    @changes("start trainings")
    def clear_stop(self, run_id: str) -> None:
        (self.folder(run_id) / layout.STOP).unlink(missing_ok=True)

    # -- training log -------------------------------------------------------------------------------------------------

    def append_step(self, run_id: str, step: int, loss: float, learning_rate: float) -> None:
        line = json.dumps({"step": step, "loss": loss, "learning_rate": learning_rate}) + "\n"
        path = self.folder(run_id) / layout.STEPS
        with explained(path), path.open("a", encoding="utf-8") as file:
            file.write(line)

    def steps(self, run_id: str) -> "pd.DataFrame":
        """Columns step, loss, learning_rate. A line cut off by a crash is left out; a step logged twice counts once,
        the later one.
        """
        import pandas as pd

        path = self.folder(run_id) / layout.STEPS
        rows = []
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else ():
            try:
                row = json.loads(line)
                rows.append((int(row["step"]), float(row["loss"]), float(row["learning_rate"])))
            except (ValueError, KeyError, TypeError, OverflowError):
                continue
        table = pd.DataFrame(rows, columns=["step", "loss", "learning_rate"])
        return table.drop_duplicates("step", keep="last").sort_values("step", ignore_index=True)

    def log_tail(self, run_id: str, n_lines: int = 200) -> str:
        """The last lines of the worker's output."""
        path = self.folder(run_id) / layout.LOG
        if not path.is_file():
            return ""
        with path.open("rb") as file:
            file.seek(0, io.SEEK_END)
            file.seek(max(0, file.tell() - 64 * 1024))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-n_lines:])


def _moved(entry: Any, place: Place) -> Any:
    """An entry of data.json with its paths where the files are now; anything else as it is."""
    if not isinstance(entry, dict):
        return entry
    return entry | {name: place.now(path) for name in ("path", "mask") if isinstance(path := entry.get(name), str)}
