"""RunStore: create, list, read, append, finish and delete runs. Facts only; nothing here starts or stops a process."""

import io
import json
import os
import shutil
import time
from dataclasses import asdict, fields
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import TypeAdapter, ValidationError

from wtflow.config import Settings
from wtflow.errors import DamagedRunError, RunNotFoundError, WTFlowError
from wtflow.records.core import RunStatus, RunSummary
from wtflow.records.edges import EdgeFactors, factors_from_json
from wtflow.records.whole import WholeImage, whole_from_arrays
from wtflow.store import layout
from wtflow.store.files import explained, read_json, write_array, write_atomic, write_json

_STATUS = TypeAdapter(RunStatus)
_STATUS_FIELDS = {field.name for field in fields(RunStatus)}
_STATES = ("queued", "running", "stopping", "finished", "stopped", "failed")
_LIBRARIES = ("torch", "timm", "numpy", "scipy", "scikit-learn", "pillow")


def default_home() -> Path:
    """Where runs are kept: WTFLOW_HOME, or the folder `runs` in the current one."""
    return Path(os.environ.get("WTFLOW_HOME") or "runs").absolute()


class RunStore:
    """The runs below one folder. Holds no state but the path, so any process may make its own."""

    def __init__(self, home: Path | None = None) -> None:
        self.home = (home or default_home()).absolute()

    # -- runs ---------------------------------------------------------------------------------------------------------

    def create(self, root: Path, category: str, settings: Settings) -> str:
        """Make the folder of a new run, queued, and return its id."""
        while True:
            now = time.time()
            run_id = layout.run_name(category, time.strftime("%Y%m%d-%H%M%S", time.gmtime(now)))
            folder = self.home / run_id
            with explained(folder):
                self.home.mkdir(parents=True, exist_ok=True)
                try:
                    folder.mkdir()
                    break
                except FileExistsError:
                    time.sleep(0.2)
        try:
            self._write_first(folder, root, category, settings, now)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)  # a run that could not be written down was never made
            raise
        return run_id

    def _write_first(self, folder: Path, root: Path, category: str, settings: Settings, now: float) -> None:
        config = layout.RunConfig(
            schema_version=layout.SCHEMA_VERSION,
            run_id=folder.name,
            created=now,
            root=str(Path(root).absolute()),
            category=category,
            settings=settings,
            versions={name: metadata.version(name) for name in _LIBRARIES},
        )
        self.write_status(folder.name, RunStatus(state="queued", heartbeat=now, message="Waiting for its turn."))
        write_json(folder / layout.CONFIG, config.model_dump(mode="json"))

    def folder(self, run_id: str) -> Path:
        """The folder of a run. Raises RunNotFoundError for an unknown id and for anything that is not an id."""
        if layout.is_run_id(run_id) and (self.home / run_id).is_dir():
            return self.home / run_id
        raise RunNotFoundError(
            f"There is no run {str(run_id)[:80]!r} in {self.home}.",
            fix="Choose one from the list: python -m wtflow runs.",
        )

    def ids(self) -> list[str]:
        """All run ids, newest first."""
        if not self.home.is_dir():
            return []
        return sorted(
            (path.name for path in self.home.iterdir() if layout.is_run_id(path.name) and path.is_dir()), reverse=True
        )

    def summary(self, run_id: str) -> RunSummary:
        """One run in a line; a damaged one says why instead of raising."""
        try:
            config, status = self.config(run_id), self.status(run_id)
            metrics = {}
            if status.state == "finished":
                metrics = self.metrics(run_id)["metrics"]
                for name in (layout.SCORES, layout.MAPS):
                    if not (self.folder(run_id) / name).is_file():
                        raise DamagedRunError(
                            f"{name} is missing in {run_id}.",
                            fix="Resume the run to write it again, or delete the run.",
                        )
        except WTFlowError as error:
            return RunSummary(run_id=run_id, problem=str(error))
        return RunSummary(
            run_id=run_id,
            status=status,
            root=config.root,
            category=config.category,
            created=config.created,
            label=config.settings.label,
            is_untrained=config.settings.is_untrained,
            is_embedded=config.settings.is_embedded,
            metrics=metrics,
        )

    def summaries(self) -> list[RunSummary]:
        return [self.summary(run_id) for run_id in self.ids()]

    def delete(self, run_id: str) -> None:
        """Remove a run for good. The folder is renamed first, so a half-deleted run is never listed."""
        folder = self.folder(run_id)
        grave = self.home / f".deleted-{run_id}-{os.getpid()}"
        with explained(folder):
            folder.rename(grave)
            shutil.rmtree(grave)

    # -- config, data, status -----------------------------------------------------------------------------------------

    def config(self, run_id: str) -> layout.RunConfig:
        values = read_json(self.folder(run_id) / layout.CONFIG)
        if values.get("schema_version") != layout.SCHEMA_VERSION:
            raise DamagedRunError(
                f"Run {run_id} was written with schema {values.get('schema_version')}; this version reads"
                f" {layout.SCHEMA_VERSION}.",
                fix="Open it with the version that wrote it, or train again.",
            )
        try:
            return layout.RunConfig(**values)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise DamagedRunError(
                f"config.json of {run_id} is not sound: {where}: {first['msg']}.", fix="Delete the run."
            ) from error

    def write_data(self, run_id: str, data: dict[str, Any]) -> None:
        write_json(self.folder(run_id) / layout.DATA, data)

    def data(self, run_id: str) -> dict[str, Any] | None:
        """The images a run was made of, or None before the worker has read them."""
        path = self.folder(run_id) / layout.DATA
        if not path.is_file():
            return None
        values = read_json(path)
        if not (isinstance(values.get("samples"), list) and isinstance(values.get("held_out"), list)):
            raise DamagedRunError(f"data.json of {run_id} lists no images.", fix="Delete the run, or restore the file.")
        return values

    def status(self, run_id: str) -> RunStatus:
        values = read_json(self.folder(run_id) / layout.STATUS)
        try:
            status = _STATUS.validate_python(values)
            is_sound = (
                status.state in _STATES
                and set(values) <= _STATUS_FIELDS
                and (status.pid is None or 0 < status.pid < 2**31)
            )
        except ValidationError:
            is_sound = False
        if not is_sound:
            raise DamagedRunError(f"status.json of {run_id} is not sound.", fix="Delete the run.")
        return status

    def write_status(self, run_id: str, status: RunStatus) -> None:
        if status.state not in _STATES:
            raise ValueError(f"the state {status.state!r} is never written")
        write_json(self.folder(run_id) / layout.STATUS, asdict(status))

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

    def clear_stop(self, run_id: str) -> None:
        (self.folder(run_id) / layout.STOP).unlink(missing_ok=True)

    # -- training log -------------------------------------------------------------------------------------------------

    def append_step(self, run_id: str, step: int, loss: float, learning_rate: float) -> None:
        line = json.dumps({"step": step, "loss": loss, "learning_rate": learning_rate}) + "\n"
        path = self.folder(run_id) / layout.STEPS
        with explained(path), path.open("a", encoding="utf-8") as file:
            file.write(line)

    def steps(self, run_id: str) -> pd.DataFrame:
        """Columns step, loss, learning_rate. A line cut off by a crash is left out; a step logged twice counts once,
        the later one.
        """
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

    # -- results ------------------------------------------------------------------------------------------------------

    def write_scores(self, run_id: str, table: pd.DataFrame) -> None:
        write_atomic(
            self.folder(run_id) / layout.SCORES,
            lambda file: table[list(layout.SCORE_COLUMNS)].to_parquet(file, index=False),
        )

    def scores(self, run_id: str) -> pd.DataFrame:
        """One row per scored image, columns as in layout.SCORE_COLUMNS."""
        path = self.folder(run_id) / layout.SCORES
        try:
            table = pd.read_parquet(path)
        except FileNotFoundError as error:
            raise RunNotFoundError(
                f"Run {run_id} has no scores yet.", fix="Wait until it has finished, or resume it."
            ) from error
        except Exception as error:  # the parser has a dozen kinds of errors for a damaged file, KeyError among them
            fix = "Resume the run to write it again, or delete the run."
            raise DamagedRunError(f"scores.parquet of {run_id} cannot be read ({error}).", fix=fix) from error
        if "whole_score" not in table:  # a run of before it was asked for
            table["whole_score"] = np.nan
        if missing := set(layout.SCORE_COLUMNS) - set(table.columns):
            raise DamagedRunError(
                f"scores.parquet of {run_id} lacks {sorted(missing)}.",
                fix="Resume the run to write it again, or delete the run.",
            )
        return table

    def write_maps(self, run_id: str, maps: np.ndarray) -> None:
        write_array(self.folder(run_id) / layout.MAPS, maps)

    def maps(self, run_id: str) -> np.ndarray:
        """float32 (N, h, w), memory-mapped: only the rows that are looked at are read."""
        path = self.folder(run_id) / layout.MAPS
        try:
            maps = np.load(path, mmap_mode="r", allow_pickle=False)
            if maps.ndim != 3 or maps.dtype.kind != "f":
                raise ValueError(f"shape {maps.shape}, type {maps.dtype}")
            return maps
        except FileNotFoundError as error:
            raise RunNotFoundError(
                f"Run {run_id} has no maps yet.", fix="Wait until it has finished, or resume it."
            ) from error
        except Exception as error:  # NumPy's readers have many kinds of errors for a damaged file
            raise DamagedRunError(
                f"maps.npy of {run_id} cannot be read ({error}).",
                fix="Resume the run to write it again, or delete the run.",
            ) from error

    def write_edges(self, run_id: str, edges: EdgeFactors | None) -> None:
        """None, for maps that are not levelled, writes nothing."""
        if edges is not None:
            write_json(self.folder(run_id) / layout.EDGES, edges.to_json())

    def edges(self, run_id: str) -> EdgeFactors | None:
        """None for a run whose settings level nothing. Raises DamagedRunError where they do and the file is absent
        or not sound.
        """
        if self.config(run_id).settings.edge_quantile == 0:
            return None
        try:
            return factors_from_json(read_json(self.folder(run_id) / layout.EDGES))
        except WTFlowError as error:
            raise DamagedRunError(
                f"edges.json of {run_id} cannot be used: {error.message}",
                fix="Resume the run to write it again, or train again.",
            ) from error

    def write_whole(self, run_id: str, whole: WholeImage | None) -> None:
        """None, where whole images are not asked for or normals are too few, writes nothing."""
        if whole is not None:
            write_atomic(self.folder(run_id) / layout.WHOLE, lambda file: np.savez(file, **whole.to_arrays()))

    def whole(self, run_id: str) -> WholeImage | None:
        """None for a run that knows nothing of whole images. Raises DamagedRunError for a file that is not sound."""
        path = self.folder(run_id) / layout.WHOLE
        try:
            with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                return whole_from_arrays(dict(file))
        except FileNotFoundError:
            return None
        except Exception as error:  # NumPy's readers have many kinds of errors for a damaged file
            raise DamagedRunError(
                f"whole.npz of {run_id} cannot be used ({error}).",
                fix="Resume the run to write it again, or train again.",
            ) from error

    def write_metrics(self, run_id: str, metrics: dict[str, Any]) -> None:
        write_json(self.folder(run_id) / layout.METRICS, metrics)

    def metrics(self, run_id: str) -> dict[str, Any]:
        values = read_json(self.folder(run_id) / layout.METRICS)
        if not isinstance(values.get("metrics"), dict):
            raise DamagedRunError(
                f"metrics.json of {run_id} has no metrics.", fix="Resume the run to write it again, or delete the run."
            )
        return values

    def write_index(self, run_id: str, sample_ids: list[str], vectors: np.ndarray) -> None:
        write_atomic(
            self.folder(run_id) / layout.INDEX,
            lambda file: np.savez(file, sample_ids=np.array(sample_ids), vectors=vectors),
        )

    def index(self, run_id: str) -> tuple[list[str], np.ndarray]:
        """Ids of the training normals and one mean feature each, (N, C) float32."""
        path = self.folder(run_id) / layout.INDEX
        try:
            with (
                path.open("rb") as raw,
                np.load(raw, allow_pickle=False) as file,
            ):  # opened here: NumPy leaves a damaged archive open
                return [str(name) for name in file["sample_ids"]], file["vectors"]
        except Exception as error:
            raise DamagedRunError(
                f"index.npz of {run_id} cannot be read ({error}).",
                fix="Resume the run to write it again, or delete the run.",
            ) from error
