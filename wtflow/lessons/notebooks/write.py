"""Writing the notebooks to a folder."""

from pathlib import Path

from wtflow.lessons import WITH_FIGURES
from wtflow.lessons.notebooks import jupyter, marimo
from wtflow.store.files import write_atomic


def write_notebooks(out: Path) -> list[Path]:
    """Write `<lesson>.ipynb` and `<lesson>.py` (marimo) of every lesson with figures; returns the paths. Neither
    package is needed for writing. Raises StoreError and others of `wtflow.store.files`.
    """
    written = []
    for name in WITH_FIGURES:
        for ending, text in (("ipynb", jupyter.notebook(name)), ("py", marimo.notebook(name))):
            path = out / f"{name}.{ending}"
            write_atomic(path, lambda file, text=text: file.write(text.encode()), is_flushed=False)
            written.append(path)
    return written
