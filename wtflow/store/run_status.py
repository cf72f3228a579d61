"""Where a run stands, as its status.json tells."""

from dataclasses import asdict, fields
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from wtflow.errors import DamagedRunError
from wtflow.records.core import RunStatus
from wtflow.store import layout
from wtflow.store.files import read_json, write_json
from wtflow.store.result_files import ResultFiles

_STATUS = TypeAdapter(RunStatus)
_STATUS_FIELDS = {field.name for field in fields(RunStatus)}
_STATES = ("queued", "running", "stopping", "finished", "stopped", "failed")


class Statuses(ResultFiles):
    """Reads and writes the status of the runs below one folder."""

    def status(self, run_id: str) -> RunStatus:
        return self._status_in(self.folder(run_id) / layout.STATUS, run_id)

    def _status_in(self, path: Path, run_id: str) -> RunStatus:
        values = read_json(path)
        try:
            status = _STATUS.validate_python(values)
        except ValidationError:
            status = None
        if status is None or not (
            status.state in _STATES and set(values) <= _STATUS_FIELDS and (status.pid is None or 0 < status.pid < 2**31)
        ):
            raise DamagedRunError(f"{path.name} of {run_id} is not valid.", fix="Delete the run.")
        return status

    def write_status(self, run_id: str, status: RunStatus) -> None:
        if status.state not in _STATES:
            raise ValueError(f"the state {status.state!r} is never written")
        write_json(self.folder(run_id) / layout.STATUS, asdict(status))
