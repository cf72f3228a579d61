"""The result files of a run: scores, maps, edge factors, whole-image Gaussian, metrics, index of normals."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wtflow.errors import DamagedRunError, RunNotFoundError, WTFlowError
from wtflow.records.edges import EdgeFactors, factors_from_json
from wtflow.records.normals import NormalScores
from wtflow.records.truth import RunTruth
from wtflow.records.whole import WholeImage, whole_from_arrays
from wtflow.store import layout
from wtflow.store.files import read_json, write_array, write_arrays, write_atomic, write_json
from wtflow.store.folders import RunFolders
from wtflow.store.picture_file import read_picture, write_picture_file
from wtflow.store.soundness import why_damaged
from wtflow.store.truths import from_arrays, to_arrays

if TYPE_CHECKING:
    import pandas as pd  # half a second that most commands of the shell need not spend

REPAIR = "Resume the run to write it again, or delete the run."


def names_in_pass(fresh: Path) -> set[str] | None:
    """What a complete pass wrote, by the file that says so in its folder `.fresh`; None where no pass is complete."""
    try:
        values = json.loads((fresh / layout.COMPLETE).read_text(encoding="utf-8"))
        return {str(name) for name in values["names"]}
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _files_in(metrics: dict[str, Any]) -> set[str] | None:
    """The result files that metrics.json names; None for runs of earlier versions, which did not write it down."""
    names = metrics.get("files")
    return {str(name) for name in names} if isinstance(names, list) else None


class ResultFiles(RunFolders):
    """Reads and writes the result files of the runs below one folder."""

    def result_path(self, run_id: str, name: str) -> Path:
        """Where a result file (a name in layout.RESULTS or layout.TRAINED) lies, or would lie. Results of a complete
        pass that are not yet in their place are found where they are. Raises RunNotFoundError.
        """
        folder = self.folder(run_id)
        fresh = folder / layout.FRESH
        names = names_in_pass(fresh)
        if names is None:
            return folder / name
        is_old = name in layout.RESULTS and name not in names
        return fresh / name if is_old or (fresh / name).exists() else folder / name

    def files_of(self, run_id: str) -> set[str] | None:
        """The result files that the run's last pass wrote; None before one was complete, and for runs of earlier
        versions, which did not write it down.
        """
        try:
            return _files_in(read_json(self.result_path(run_id, layout.METRICS)))
        except DamagedRunError:
            return None

    def check_results(
        self, run_id: str, metrics: dict[str, Any] | None = None, *, only: tuple[str, ...] = layout.RESULTS
    ) -> None:
        """Raises DamagedRunError for the first result file that is missing, cut off or overwritten, as far as lengths
        and headers tell. metrics: what metrics.json holds, where it was read already. only: these files, of those that
        the run should have.
        """
        wanted = self.files_of(run_id) if metrics is None else _files_in(metrics)
        if wanted is None:
            wanted = {layout.SCORES, layout.MAPS, layout.METRICS}
        for name in layout.RESULTS:
            if name == layout.PICTURES:  # a run without its pictures is worth showing
                continue
            if name not in wanted or name not in only:
                continue
            if not (path := self.result_path(run_id, name)).exists():
                raise DamagedRunError(f"{name} is missing in {run_id}.", fix=REPAIR)
            if why := why_damaged(path):
                raise DamagedRunError(f"{name} of {run_id} is damaged: {why}.", fix=REPAIR)

    def check_checkpoint(self, run_id: str) -> None:
        """Raises DamagedRunError where the run has no checkpoint, or one whose length or head is wrong."""
        path = self.result_path(run_id, layout.CHECKPOINT)
        if not path.is_file():
            raise DamagedRunError(f"{run_id} has no checkpoint.", fix="Resume the run, or train the category again.")
        if why := why_damaged(path):
            raise DamagedRunError(f"The checkpoint of {run_id} is damaged: {why}.", fix=REPAIR)

    def write_scores(self, run_id: str, table: "pd.DataFrame") -> None:
        write_atomic(
            self.result_path(run_id, layout.SCORES),
            lambda file: table[list(layout.SCORE_COLUMNS)].to_parquet(file, index=False),
        )

    def scores(self, run_id: str) -> "pd.DataFrame":
        """One row per scored image, columns as in layout.SCORE_COLUMNS."""
        import pandas as pd

        path = self.result_path(run_id, layout.SCORES)
        try:
            table = pd.read_parquet(path)
        except FileNotFoundError as error:
            raise RunNotFoundError(
                f"Run {run_id} has no scores yet.", fix="Wait until it has finished, or resume it."
            ) from error
        except Exception as error:  # the parser raises a dozen kinds of errors for a damaged file, KeyError among them
            fix = REPAIR
            raise DamagedRunError(f"scores.parquet of {run_id} cannot be read ({error}).", fix=fix) from error
        if "whole_score" not in table:  # a run from before it existed
            table["whole_score"] = np.nan
        if missing := set(layout.SCORE_COLUMNS) - set(table.columns):
            raise DamagedRunError(
                f"scores.parquet of {run_id} lacks {sorted(missing)}.",
                fix=REPAIR,
            )
        place = self.place(run_id)
        return table.assign(**{name: table[name].map(place.now) for name in ("path", "mask_path")})

    def write_pictures(self, run_id: str, pictures: Iterable[tuple[int, bytes]]) -> None:
        """Write the run's own pictures, WebP by row of the score table, one after the other."""
        write_picture_file(self.result_path(run_id, layout.PICTURES), pictures)

    def picture(self, run_id: str, row: int) -> bytes | None:
        """The run's own picture of a row of the score table; None where it keeps none. Raises DamagedRunError."""
        return read_picture(self.result_path(run_id, layout.PICTURES), row)

    def holds_pictures(self, run_id: str) -> bool:
        return (self.result_path(run_id, layout.PICTURES)).is_file()

    def write_maps(self, run_id: str, maps: np.ndarray) -> None:
        write_array(self.result_path(run_id, layout.MAPS), maps)

    def maps(self, run_id: str) -> np.ndarray:
        """float32 (N, h, w), memory-mapped: only the rows that are used are read."""
        path = self.result_path(run_id, layout.MAPS)
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
                fix=REPAIR,
            ) from error

    def write_edges(self, run_id: str, edges: EdgeFactors | None) -> None:
        """Nothing is written for None: the maps are not levelled."""
        if edges is not None:
            write_json(self.result_path(run_id, layout.EDGES), edges.to_json())

    def edges(self, run_id: str) -> EdgeFactors | None:
        """None for a run whose settings level nothing.
        Raises DamagedRunError where they do and the file is absent or damaged.
        """
        if self.config(run_id).settings.edge_quantile == 0:
            return None
        try:
            return factors_from_json(read_json(self.result_path(run_id, layout.EDGES)))
        except WTFlowError as error:
            raise DamagedRunError(
                f"edges.json of {run_id} cannot be used: {error.message}",
                fix="Resume the run to write it again, or train again.",
            ) from error

    def write_whole(self, run_id: str, whole: WholeImage | None) -> None:
        """Nothing is written for None: whole images are not used, or there are too few normals."""
        if whole is not None:
            write_arrays(self.result_path(run_id, layout.WHOLE), whole.to_arrays())

    def whole(self, run_id: str) -> WholeImage | None:
        """None for a run that does not use whole images. Raises DamagedRunError for a file that is damaged, or lost:
        scores without it would be too low.
        """
        path = self.result_path(run_id, layout.WHOLE)
        try:
            with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                return whole_from_arrays(dict(file))
        except FileNotFoundError as error:
            if not self._uses_whole_images(run_id):
                return None
            raise DamagedRunError(
                f"whole.npz is missing in {run_id}: without it scores of images as wholes would be left out.",
                fix="Restore the file, or resume the run to write it again.",
            ) from error
        except Exception as error:  # NumPy raises many kinds of errors for a damaged file
            raise DamagedRunError(
                f"whole.npz of {run_id} cannot be used ({error}).",
                fix="Resume the run to write it again, or train again.",
            ) from error

    def _uses_whole_images(self, run_id: str) -> bool:
        """Whether the run's own scores come from images as wholes too."""
        names = self.files_of(run_id)
        if names is not None:
            return layout.WHOLE in names
        if not self.config(run_id).settings.whole_image or not self.result_path(run_id, layout.SCORES).is_file():
            return False
        return bool(self.scores(run_id).whole_score.notna().any())  # a run from before its files were written down

    def write_normals(self, run_id: str, normals: NormalScores | None) -> None:
        """Nothing is written for None: the settings ask for none, or there are too few."""
        import pandas as pd

        if normals is not None:
            columns = {"sample_id": list(normals.sample_ids), "score": normals.scores, "fold": normals.fold}
            table = pd.DataFrame(columns)
            write_atomic(self.result_path(run_id, layout.NORMALS), lambda file: table.to_parquet(file, index=False))

    def normals(self, run_id: str) -> NormalScores | None:
        """None for a run that holds none. Raises DamagedRunError for a damaged file, and for a lost one: the threshold
        would start elsewhere.
        """
        import pandas as pd

        path = self.result_path(run_id, layout.NORMALS)
        try:
            table = pd.read_parquet(path, columns=["sample_id", "score", "fold"])
            scores = table.score.to_numpy(np.float64)
            if not np.isfinite(scores).all():
                raise ValueError("a score is not a number")
            return NormalScores(tuple(map(str, table.sample_id)), scores, table.fold.to_numpy(np.int64))
        except FileNotFoundError as error:
            if layout.NORMALS not in (self.files_of(run_id) or ()):
                return None
            raise DamagedRunError(f"normals.parquet is missing in {run_id}.", fix=REPAIR) from error
        except Exception as error:  # the parser raises a dozen kinds of errors for a damaged file
            raise DamagedRunError(f"normals.parquet of {run_id} cannot be read ({error}).", fix=REPAIR) from error

    def write_truth(self, run_id: str, truth: RunTruth) -> None:
        write_arrays(self.result_path(run_id, layout.TRUTH), to_arrays(truth), is_compressed=True)

    def truth(self, run_id: str) -> RunTruth | None:
        """None for a run that holds none: it is of 0.3.0 or older. Raises DamagedRunError for a damaged file, and for a
        lost one: masks as they are now would stand in for those that were counted.
        """
        path = self.result_path(run_id, layout.TRUTH)
        try:
            with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                return from_arrays(dict(file))
        except FileNotFoundError as error:
            if layout.TRUTH not in (self.files_of(run_id) or ()):
                return None
            raise DamagedRunError(f"truth.npz is missing in {run_id}.", fix=REPAIR) from error
        except Exception as error:  # NumPy raises many kinds of errors for a damaged file
            raise DamagedRunError(
                f"truth.npz of {run_id} cannot be used ({error}).",
                fix="Restore the file, or train again.",
            ) from error

    def write_metrics(self, run_id: str, metrics: dict[str, Any]) -> None:
        write_json(self.result_path(run_id, layout.METRICS), metrics)

    def metrics(self, run_id: str) -> dict[str, Any]:
        values = read_json(self.result_path(run_id, layout.METRICS))
        if not isinstance(values.get("metrics"), dict):
            raise DamagedRunError(f"metrics.json of {run_id} has no metrics.", fix=REPAIR)
        return values

    def write_index(self, run_id: str, sample_ids: list[str], vectors: np.ndarray) -> None:
        write_arrays(self.result_path(run_id, layout.INDEX), {"sample_ids": np.array(sample_ids), "vectors": vectors})

    def index(self, run_id: str) -> tuple[list[str], np.ndarray]:
        """Ids of the training normals and one mean feature each, (N, C) float32."""
        path = self.result_path(run_id, layout.INDEX)
        try:
            with (
                path.open("rb") as raw,
                np.load(raw, allow_pickle=False) as file,
            ):  # opened here, since NumPy does not close a damaged archive
                return [str(name) for name in file["sample_ids"]], file["vectors"]
        except Exception as error:
            raise DamagedRunError(
                f"index.npz of {run_id} cannot be read ({error}).",
                fix=REPAIR,
            ) from error
