"""Where runs lie: the folder of a store, the folders of its runs, and the configuration in each."""

import os
from pathlib import Path

from pydantic import ValidationError

from wtflow.errors import DamagedRunError, RunNotFoundError, SettingsError
from wtflow.store import layout
from wtflow.store.files import read_json
from wtflow.store.place import Place, read_place


def default_home() -> Path:
    """Where runs are kept: WTFLOW_HOME, or the folder `runs` in the current one. A `~` that the shell left there stands
    for the home of the user. Raises SettingsError where it names a user that does not exist.
    """
    named = os.environ.get("WTFLOW_HOME") or "runs"
    try:
        return Path(named).expanduser().absolute()
    except RuntimeError as error:
        raise SettingsError(f"WTFLOW_HOME is {named!r}: {error}.", fix="Give the whole path of the folder.") from error


class RunFolders:
    """The run folders below one folder."""

    def __init__(self, home: Path | None = None) -> None:
        self.home = (home or default_home()).absolute()

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
        try:
            with os.scandir(self.home) as entries:
                names = [one.name for one in entries if layout.is_run_id(one.name) and one.is_dir()]
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(names, reverse=True)

    def config(self, run_id: str) -> layout.RunConfig:
        """What the run was made with; `root` is where its images are now. Raises DamagedRunError."""
        config = self._recorded(run_id)
        return config.model_copy(update={"root": self._place(run_id, config).root})

    def place(self, run_id: str) -> Place:
        """Where the images of a run were when it was made, and where they are now. Raises DamagedRunError."""
        return self._place(run_id, self._recorded(run_id))

    def _place(self, run_id: str, config: layout.RunConfig) -> Place:
        return read_place(self.folder(run_id), config.root, config.category)

    def _recorded(self, run_id: str) -> layout.RunConfig:
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
                f"config.json of {run_id} is not valid: {where}: {first['msg']}.", fix="Delete the run."
            ) from error
