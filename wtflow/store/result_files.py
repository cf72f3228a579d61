"""The result files of a run: scores, maps, edge factors, whole-image Gaussian, metrics, index of normals."""

from typing import Any

import numpy as np
import pandas as pd

from wtflow.errors import DamagedRunError, RunNotFoundError, WTFlowError
from wtflow.records.edges import EdgeFactors, factors_from_json
from wtflow.records.whole import WholeImage, whole_from_arrays
from wtflow.store import layout
from wtflow.store.files import read_json, write_array, write_arrays, write_atomic, write_json
from wtflow.store.folders import RunFolders


class ResultFiles(RunFolders):
    """Reads and writes the result files of the runs below one folder."""

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
        except Exception as error:  # the parser raises a dozen kinds of errors for a damaged file, KeyError among them
            fix = "Resume the run to write it again, or delete the run."
            raise DamagedRunError(f"scores.parquet of {run_id} cannot be read ({error}).", fix=fix) from error
        if "whole_score" not in table:  # a run from before it existed
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
        """float32 (N, h, w), memory-mapped: only the rows that are used are read."""
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
        except Exception as error:  # NumPy raises many kinds of errors for a damaged file
            raise DamagedRunError(
                f"maps.npy of {run_id} cannot be read ({error}).",
                fix="Resume the run to write it again, or delete the run.",
            ) from error

    def write_edges(self, run_id: str, edges: EdgeFactors | None) -> None:
        """Nothing is written for None: the maps are not levelled."""
        if edges is not None:
            write_json(self.folder(run_id) / layout.EDGES, edges.to_json())

    def edges(self, run_id: str) -> EdgeFactors | None:
        """None for a run whose settings level nothing.
        Raises DamagedRunError where they do and the file is absent or damaged.
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
        """Nothing is written for None: whole images are not used, or there are too few normals."""
        if whole is not None:
            write_arrays(self.folder(run_id) / layout.WHOLE, whole.to_arrays())

    def whole(self, run_id: str) -> WholeImage | None:
        """None for a run that does not use whole images. Raises DamagedRunError for a damaged file."""
        path = self.folder(run_id) / layout.WHOLE
        try:
            with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                return whole_from_arrays(dict(file))
        except FileNotFoundError:
            return None
        except Exception as error:  # NumPy raises many kinds of errors for a damaged file
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
        write_arrays(self.folder(run_id) / layout.INDEX, {"sample_ids": np.array(sample_ids), "vectors": vectors})

    def index(self, run_id: str) -> tuple[list[str], np.ndarray]:
        """Ids of the training normals and one mean feature each, (N, C) float32."""
        path = self.folder(run_id) / layout.INDEX
        try:
            with (
                path.open("rb") as raw,
                np.load(raw, allow_pickle=False) as file,
            ):  # opened here, since NumPy does not close a damaged archive
                return [str(name) for name in file["sample_ids"]], file["vectors"]
        except Exception as error:
            raise DamagedRunError(
                f"index.npz of {run_id} cannot be read ({error}).",
                fix="Resume the run to write it again, or delete the run.",
            ) from error
