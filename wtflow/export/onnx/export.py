"""Write a run's detector as a graph, beside it a script that runs it, and what comparing it with the app found.
Imports torch.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wtflow.detector.opened import open_run
from wtflow.export.onnx.check import SCRIPT, Check, check_graph
from wtflow.export.onnx.write import write_onnx
from wtflow.results import open_results
from wtflow.store.files import write_atomic, write_json
from wtflow.store.runs import RunStore


@dataclass(frozen=True, slots=True)
class ExportedGraph:
    """What was written."""

    path: Path
    n_bytes: int
    script: Path
    report: Path
    check: Check

    @property
    def facts(self) -> dict[str, Any]:
        """For --json."""
        files = {"onnx": str(self.path), "n_onnx_bytes": self.n_bytes, "script": str(self.script)}
        return files | {"check_file": str(self.report), "check": self.check.to_json()}


def export_graph(store: RunStore, run_id: str, path: Path, progress: Callable[[int, int], None]) -> ExportedGraph:
    """Write NAME.onnx, NAME_run.py and NAME_check.json, the last one also where graph and app do not agree.

    Raises ExportError, SettingsError, DiskFullError, StoreError, and what opening the run raises.
    """
    opened, results = open_run(store, run_id), open_results(store, run_id)
    n_bytes = write_onnx(opened, path)
    script, report = path.with_name(f"{path.stem}_run.py"), path.with_name(f"{path.stem}_check.json")
    with SCRIPT.open("rb") as source:
        write_atomic(script, lambda file: shutil.copyfileobj(source, file))
    check = check_graph(opened, results, path, progress)
    write_json(report, check.to_json())
    return ExportedGraph(path, n_bytes, script, report, check)
